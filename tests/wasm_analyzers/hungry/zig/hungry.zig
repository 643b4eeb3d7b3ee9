//! See README.md beside this folder.

const ce = @import("camera_edge");

pub const panic = ce.panic;
comptime {
    ce.analyzer(@This());
}

const before = 120;
const after = 120;
const each_frame = 6;

const Block = extern struct { address: u32, len: u32 };

var blocks: [512]Block = undefined;
var marks: [512]u8 = undefined;
var count: u32 = 0;
var eaten: u32 = 0;

fn eat(many: u32) !void {
    for (0..many) |_| {
        if (count == blocks.len) return;
        const n = eaten;
        eaten += 1;
        var len = n * 7919 % 900 + 1;
        if (n % 8 == 0) len *= 40;
        if (n % 40 == 0) len *= 10;
        const mark: u8 = @truncate(n * 37 + 11);
        const bytes = try ce.allocator.alloc(u8, len);
        @memset(bytes, mark);
        if (n % 3 == 1) {
            count -= 1;
            ce.allocator.free(held(blocks[count]));
        }
        marks[count] = mark;
        blocks[count] = .{ .address = @intFromPtr(bytes.ptr), .len = len };
        count += 1;
    }
}

fn held(block: Block) []u8 {
    return @as([*]u8, @ptrFromInt(block.address))[0..block.len];
}

fn damaged() u32 {
    var spoiled: u32 = 0;
    for (blocks[0..count], marks[0..count]) |block, mark| {
        for (held(block)) |byte| {
            if (byte != mark) {
                spoiled += 1;
                break;
            }
        }
    }
    return spoiled;
}

export fn _initialize() void {
    eat(before) catch unreachable;
}

pub fn open() !void {
    try eat(after);
}

pub fn analyze(slot: *const ce.Slot) !void {
    try eat(each_frame);
    var sum: u64 = 0;
    for (slot.pixels()) |pixel| sum += pixel;
    try ce.score(@floatFromInt(sum));
    try ce.score(@floatFromInt(damaged()));
    const head = [2]u32{ @intFromPtr(slot), count };
    try ce.statePut(0, @as([*]const u8, @ptrCast(&head))[0..8]);
    try ce.statePut(8, @as([*]const u8, @ptrCast(&blocks))[0 .. count * 8]);
}
