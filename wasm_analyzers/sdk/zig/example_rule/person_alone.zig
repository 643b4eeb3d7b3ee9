//! A rule module: a person in zone A while there is no forklift in zone B, on weekdays.
//!
//! It sees no pixels. For each analysed frame the host hands it a batch: what the camera's modules observed, with the
//! zones that each thing stands in. As long as the rule holds, it raises an event of kind `person_alone`: the first
//! call opens it, those that follow keep it open, and it closes when there were none for `quiet_s` seconds.
//!
//! A forklift is an observation of kind `forklift`, or a `vehicle` with the attribute `"class": "forklift"`.
//!
//! The examples of all SDKs give the same answers.

const std = @import("std");
const ce = @import("camera_edge");

pub const panic = ce.panic;
comptime {
    ce.rule(@This());
}

const zones_max = 32;
const minutes_a_day = 24 * 60;
const workdays = 5;

/// one bit each
var zone_a: u32 = 0;
var zone_b: u32 = 0;
var from_hour: f64 = 0;
var to_hour: f64 = 0;

pub fn open() !void {
    from_hour = ce.paramNumber("from_hour", 6);
    to_hour = ce.paramNumber("to_hour", 22);
    zone_a = zoneOf("zone_a") orelse return error.@"zone_a is not a zone of this camera";
    zone_b = zoneOf("zone_b") orelse return error.@"zone_b is not a zone of this camera";
}

/// The bit of the zone that the parameter names; null: the camera has no such zone.
fn zoneOf(param: []const u8) ?u32 {
    var name_room: [64]u8 = undefined;
    var list_room: [4096]u8 = undefined;
    const name = ce.paramText(param, &name_room) catch return null;
    const list = ce.paramText("camera.zones", &list_room) catch return null;
    if (name.len == 0) return null;
    var names = std.mem.splitScalar(u8, list, '\n');
    for (0..zones_max) |bit| {
        if (same(names.next() orelse return null, name)) return @as(u32, 1) << @intCast(bit);
    }
    return null;
}

pub fn observe(batch: *const ce.Batch) !void {
    if (!isDue(batch.week_minute)) return;
    var best: ?*const ce.Seen = null;
    for (batch.observations()) |*seen| {
        if (seen.zones & zone_b != 0 and isForklift(seen)) return;
        if (seen.zones & zone_a == 0 or !same(seen.kind.slice(), "person")) continue;
        if (best == null or seen.score > best.?.score) best = seen;
    }
    const person = best orelse return;
    try ce.raise(.{
        .kind = "person_alone",
        .score = person.score,
        .track = person.track,
        .x = person.x,
        .y = person.y,
        .w = person.w,
        .h = person.h,
    });
}

/// An unknown time does not silence the rule.
fn isDue(week_minute: i32) bool {
    if (week_minute < 0) return true;
    if (@divTrunc(week_minute, minutes_a_day) >= workdays) return false;
    const hour = @as(f64, @floatFromInt(@rem(week_minute, minutes_a_day))) / 60;
    if (from_hour <= to_hour) return from_hour <= hour and hour < to_hour;
    return from_hour <= hour or hour < to_hour;
}

fn isForklift(seen: *const ce.Seen) bool {
    if (same(seen.kind.slice(), "forklift")) return true;
    return same(seen.kind.slice(), "vehicle") and ce.attributesSay(seen.attributes.slice(), "class", "forklift");
}

fn same(one: []const u8, other: []const u8) bool {
    return std.mem.eql(u8, one, other);
}
