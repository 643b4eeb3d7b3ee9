//! What changed since the frame before.
//!
//! The view is divided into cells of 8 x 8 pixels. A cell has changed where its pixels differ from those of the
//! previous slot by more than `threshold` grey levels, on average. If at least `min_cells` cells have changed, one
//! observation `change` is reported: the box around them, and as its score the part of all cells that has changed.
//! Every cell that has changed is hidden by the mask. Of the first frame nothing is known, so it is hidden whole and
//! has no score.
//!
//! The examples of all SDKs give the same answers, to the last bit: pixels are added up as integers, and the
//! conversions to floating point are the same, in the same order.

const std = @import("std");
const ce = @import("camera_edge");

pub const panic = ce.panic;
comptime {
    ce.analyzer(@This());
}

const cell_size = 8;

var threshold: f64 = 0;
var min_cells: f64 = 0;
/// One byte for each pixel of the view, 255: hidden. The size of the view does not change as long as the module lives.
var hidden: []u8 = &.{};

/// A part of the view, in pixels.
const Cell = struct { left: u32, top: u32, right: u32, bottom: u32 };

/// The cells that have changed in a frame, and the box around them.
const Change = struct { changed: u32 = 0, cells: u32 = 0, box: Cell };

pub fn open() !void {
    threshold = ce.paramNumber("threshold", 12);
    min_cells = ce.paramNumber("min_cells", 2);
}

pub fn analyze(slot: *const ce.Slot) !void {
    if (hidden.len == 0) hidden = try ce.allocator.alloc(u8, slot.width * slot.height);
    const before = slot.previous() orelse {
        @memset(hidden, 255);
        return ce.mask(hidden, slot.width, slot.height);
    };
    const found = compare(slot, before);
    try ce.score(@as(f64, @floatFromInt(found.changed)) / @as(f64, @floatFromInt(found.cells)));
    try ce.mask(hidden, slot.width, slot.height);
    if (found.changed > 0 and @as(f64, @floatFromInt(found.changed)) >= min_cells) try report(slot, found);
}

fn compare(now: *const ce.Slot, before: *const ce.Slot) Change {
    var found: Change = .{ .box = .{ .left = now.width, .top = now.height, .right = 0, .bottom = 0 } };
    var top: u32 = 0;
    while (top < now.height) : (top += cell_size) {
        var left: u32 = 0;
        while (left < now.width) : (left += cell_size) {
            // the last column and the last row may be narrower
            const right = @min(left + cell_size, now.width);
            const bottom = @min(top + cell_size, now.height);
            const cell: Cell = .{ .left = left, .top = top, .right = right, .bottom = bottom };
            const changed = hasChanged(now, before, cell);
            fillMask(now.width, cell, if (changed) 255 else 0);
            found.cells += 1;
            if (!changed) continue;
            found.changed += 1;
            found.box.left = @min(found.box.left, left);
            found.box.top = @min(found.box.top, top);
            found.box.right = @max(found.box.right, right);
            found.box.bottom = @max(found.box.bottom, bottom);
        }
    }
    return found;
}

fn hasChanged(now: *const ce.Slot, before: *const ce.Slot, cell: Cell) bool {
    var sum: u32 = 0;
    for (cell.top..cell.bottom) |y| {
        const a = now.row(@intCast(y))[cell.left..cell.right];
        const b = before.row(@intCast(y))[cell.left..cell.right];
        for (a, b) |one, other| sum += if (one > other) one - other else other - one;
    }
    const pixels = (cell.right - cell.left) * (cell.bottom - cell.top);
    return @as(f64, @floatFromInt(sum)) > threshold * @as(f64, @floatFromInt(pixels));
}

fn fillMask(width: u32, cell: Cell, value: u8) void {
    for (cell.top..cell.bottom) |y| @memset(hidden[y * width ..][cell.left..cell.right], value);
}

fn report(slot: *const ce.Slot, found: Change) !void {
    const width: f32 = @floatFromInt(slot.width);
    const height: f32 = @floatFromInt(slot.height);
    var bytes: [32]u8 = undefined;
    try ce.emit(.{
        .kind = "change",
        .score = @as(f32, @floatFromInt(found.changed)) / @as(f32, @floatFromInt(found.cells)),
        .x = @as(f32, @floatFromInt(found.box.left)) / width,
        .y = @as(f32, @floatFromInt(found.box.top)) / height,
        .w = @as(f32, @floatFromInt(found.box.right - found.box.left)) / width,
        .h = @as(f32, @floatFromInt(found.box.bottom - found.box.top)) / height,
        .attributes = try std.fmt.bufPrint(&bytes, "{{\"cells\":{d}}}", .{found.changed}),
    });
}
