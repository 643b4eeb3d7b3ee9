//! Reads the attributes of an observation: a flat JSON object of texts, numbers and booleans.

const std = @import("std");

/// Whether the attribute `name` is the text `value`. Neither may need an escape in JSON.
pub fn say(attributes: []const u8, name: []const u8, value: []const u8) bool {
    var named = false;
    var rest = attributes;
    while (std.mem.cutScalar(u8, rest, '"')) |parts| {
        const between, const string = parts;
        const end = stringEnd(string);
        const is_value = std.mem.endsWith(u8, std.mem.trimEnd(u8, between, " \t\r\n"), ":");
        if (is_value and named and std.mem.eql(u8, string[0..end], value)) return true;
        named = !is_value and std.mem.eql(u8, string[0..end], name);
        rest = string[@min(end + 1, string.len)..];
    }
    return false;
}

/// Where the closing quote of a JSON string is, of which the opening one is left out.
fn stringEnd(string: []const u8) usize {
    var at: usize = 0;
    while (at < string.len and string[at] != '"') at += if (string[at] == '\\') 2 else 1;
    return @min(at, string.len);
}
