//! See README.md beside this folder.

const std = @import("std");
const ce = @import("camera_edge");

pub const panic = ce.panic;
comptime {
    ce.rule(@This());
}

fn say(comptime format: []const u8, values: anytype) !void {
    var line: [512]u8 = undefined;
    ce.log(.info, try std.fmt.bufPrint(&line, format, values));
}

pub fn observe(batch: *const ce.Batch) !void {
    try say("batch {d} {d} {d} {d} {d}", .{
        batch.sequence, batch.media_us, batch.utc_us, batch.week_minute + 1, batch.left_out,
    });
    for (batch.observations()) |*seen| {
        try say("seen {s} {s} {d}", .{ seen.analyzer.slice(), seen.kind.slice(), seen.zones });
        try ce.raise(.{
            .kind = "echo",
            .score = seen.score,
            .track = seen.track,
            .x = seen.x,
            .y = seen.y,
            .w = seen.w,
            .h = seen.h,
            .attributes = seen.attributes.slice(),
        });
    }
    for (batch.events(), 0..) |*event, number| try answer(event, @intCast(number));
}

fn answer(event: *const ce.Event, number: u32) !void {
    try say("event {d} {s} {s} {s} {s} {d} {d} {d}", .{
        @backingInt(event.phase), event.id.slice(), event.rule.slice(),  event.kind.slice(),
        event.analyzer.slice(),   event.opened_us,  event.closed_us + 1, event.zones,
    });
    if (std.mem.eql(u8, event.rule.slice(), "unwanted")) try ce.veto(number);
    switch (event.phase) {
        .opens => try ce.relabel(number, "renamed", 0.25),
        .changed => try ce.relabel(number, "renamed", null),
        else => {},
    }
}
