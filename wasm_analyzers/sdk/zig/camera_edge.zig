//! Analyzer ABI v1 for guests in Zig: the contract is wasm_analyzers/ABI.md, this file only spells it.
//!
//! A pixel analyzer is a file that says so and has a function `analyze`; `open` and `close` are optional:
//!
//!     const ce = @import("camera_edge");
//!     pub const panic = ce.panic;
//!     comptime {
//!         ce.analyzer(@This());
//!     }
//!     pub fn open() !void {}
//!     pub fn analyze(slot: *const ce.Slot) !void {}
//!     pub fn close() void {}
//!
//! An error that leaves `open` refuses the start; one that leaves `analyze` says that there is no answer for this
//! frame. Either is logged by its name. A rule module says `ce.rule(@This())` and has a function
//! `observe(batch: *const ce.Batch)`.
//!
//! Memory comes from `ce.allocator`, which grows the module's memory and takes no memory for granted that it did not
//! get itself: the frames, which lie in pages of their own, are never handed out.

const std = @import("std");

pub const abi_version = 1;
pub const attributesSay = @import("attributes.zig").say;
pub const allocator = std.heap.wasm_allocator;

const page_bytes = 64 * 1024;

/// What the host imports are called with: pointers and lengths, as the ABI has them.
const host = struct {
    extern "camera_edge" fn param_number(name: [*]const u8, name_len: usize, fallback: f64) f64;
    extern "camera_edge" fn param_text(name: [*]const u8, name_len: usize, text: [*]u8, capacity: usize) i32;
    extern "camera_edge" fn emit(observation: *const Record) i32;
    extern "camera_edge" fn score(value: f64) i32;
    extern "camera_edge" fn score_at(lag: i32, value: f64) i32;
    extern "camera_edge" fn mask(pixels: [*]const u8, len: usize, width: u32, height: u32) i32;
    extern "camera_edge" fn regions(boxes: [*][4]f32, capacity: usize) i32;
    extern "camera_edge" fn infer(
        model: [*]const u8,
        model_len: usize,
        x: f32,
        y: f32,
        w: f32,
        h: f32,
        out: [*]f32,
        capacity: usize,
    ) i32;
    extern "camera_edge" fn state_get(offset: u32, bytes: [*]u8, capacity: usize) i32;
    extern "camera_edge" fn state_put(offset: u32, bytes: [*]const u8, len: usize) i32;
    extern "camera_edge" fn log(level: i32, text: [*]const u8, len: usize) i32;
    extern "camera_edge" fn metric(name: [*]const u8, name_len: usize, value: f64) i32;
    extern "camera_edge" fn raise(observation: *const Record) i32;
    extern "camera_edge" fn veto(event: u32) i32;
    extern "camera_edge" fn relabel(event: u32, kind: [*]const u8, kind_len: usize, score: f32) i32;
};

/// The negative numbers that a host function may return.
pub const Error = error{
    BadPointer,
    BadValue,
    NotFound,
    NotGranted,
    TooMany,
    TooLarge,
    NotNow,
    Failed,
    Internal,
};

pub const Format = enum(u32) { gray8 = 1, rgb24 = 2, i420 = 3, _ };

pub const Level = enum(i32) { debug = 0, info = 1, warning = 2, err = 3 };

/// What the host writes at the start of a slot; the pixels come after it.
pub const Slot = extern struct {
    abi: u32,
    format: Format,
    sequence: u64,
    media_us: i64,
    width: u32,
    height: u32,
    stride: u32,
    /// bytes from this header, 0: there is none; see `previous`
    previous_offset: i32,
    /// bytes from this header, 0: there is none; see `zones`
    zones_offset: i32,
    pixel_offset: u32,
    frame_width: u32,
    frame_height: u32,
    reserved: [2]u32,

    /// All pixels: of i420 the first plane and behind it the two of colour.
    pub fn pixels(slot: *const Slot) []const u8 {
        const luma = slot.stride * slot.height;
        return slot.at(slot.pixel_offset)[0..if (slot.format == .i420) luma / 2 * 3 else luma];
    }

    /// One row: of i420, of the first plane.
    pub fn row(slot: *const Slot, y: u32) []const u8 {
        return slot.pixels()[y * slot.stride ..][0..slot.stride];
    }

    /// The slot that was written before this one. It is not always the frame that this guest saw before.
    pub fn previous(slot: *const Slot) ?*const Slot {
        if (slot.previous_offset == 0) return null;
        return @ptrCast(@alignCast(slot.at(@bitCast(slot.previous_offset))));
    }

    /// The map of zones: one byte for each pixel of the view, rows of `width`.
    pub fn zones(slot: *const Slot) ?[]const u8 {
        if (slot.zones_offset == 0) return null;
        return slot.at(@bitCast(slot.zones_offset))[0 .. slot.width * slot.height];
    }

    fn at(slot: *const Slot, offset: u32) [*]const u8 {
        // an offset may be negative: addresses are 32 bits wide and wrap
        return @ptrFromInt(@intFromPtr(slot) +% offset);
    }
};

comptime {
    std.debug.assert(@sizeOf(Slot) == 64);
    std.debug.assert(@sizeOf(Record) == 40);
}

/// One observation. The box is in 0..1 from the top left corner of the frame; the guest clips it.
pub const Observation = struct {
    kind: []const u8,
    score: f32,
    track: i32 = -1,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    /// a flat JSON object, or nothing
    attributes: []const u8 = "",
};

/// An observation as it lies in memory for the host.
const Record = extern struct {
    kind: [*]const u8,
    kind_len: usize,
    score: f32,
    track: i32,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    attributes: [*]const u8,
    attributes_len: usize,

    fn of(seen: Observation) Record {
        return .{
            .kind = seen.kind.ptr,
            .kind_len = seen.kind.len,
            .score = seen.score,
            .track = seen.track,
            .x = seen.x,
            .y = seen.y,
            .w = seen.w,
            .h = seen.h,
            .attributes = seen.attributes.ptr,
            .attributes_len = seen.attributes.len,
        };
    }
};

/// The parameter, or `fallback` where it is not set or is no number.
pub fn paramNumber(name: []const u8, fallback: f64) f64 {
    return host.param_number(name.ptr, name.len, fallback);
}

/// The parameter as text, in `room`. error.TooLarge where it does not fit, error.NotFound where it is not set.
pub fn paramText(name: []const u8, room: []u8) Error![]const u8 {
    const len = try counted(host.param_text(name.ptr, name.len, room.ptr, room.len));
    return if (len <= room.len) room[0..len] else error.TooLarge;
}

pub fn emit(seen: Observation) Error!void {
    const record = Record.of(seen);
    try done(host.emit(&record));
}

/// One finite number for this frame.
pub fn score(value: f64) Error!void {
    try done(host.score(value));
}

/// One for the frame `lag` calls of `analyze` earlier.
pub fn scoreAt(lag: u31, value: f64) Error!void {
    try done(host.score_at(lag, value));
}

/// What is hidden, one byte a pixel in rows of `width`: 0 is background. It is stretched over the whole picture.
pub fn mask(pixels: []const u8, width: u32, height: u32) Error!void {
    try done(host.mask(pixels.ptr, pixels.len, width, height));
}

/// Run a granted model on a region of the full frame; the outputs, in the model's order, are put into `room`.
pub fn infer(model: []const u8, x: f32, y: f32, w: f32, h: f32, room: []f32) Error![]const f32 {
    return room[0..try counted(host.infer(model.ptr, model.len, x, y, w, h, room.ptr, room.len))];
}

/// Where the analyzer that this one follows saw something in this frame: x, y, w, h each, as much as fits into `room`.
pub fn regions(room: [][4]f32) Error![]const [4]f32 {
    return room[0..@min(try counted(host.regions(room.ptr, room.len)), room.len)];
}

/// What was stored from `offset` on, as much as fits into `room`; nothing at the end.
pub fn stateGet(offset: u32, room: []u8) Error![]u8 {
    return room[0..try counted(host.state_get(offset, room.ptr, room.len))];
}

pub fn statePut(offset: u32, bytes: []const u8) Error!void {
    try done(host.state_put(offset, bytes.ptr, bytes.len));
}

/// A line for the operator. What is too much for the host is lost.
pub fn log(level: Level, text: []const u8) void {
    _ = host.log(@intFromEnum(level), text.ptr, text.len);
}

/// A finite number for the operator's graphs.
pub fn metric(name: []const u8, value: f64) Error!void {
    try done(host.metric(name.ptr, name.len, value));
}

/// What the modules of a camera said about one frame, for a rule module.
pub const Batch = extern struct {
    abi: u32,
    observation_count: u32,
    sequence: u64,
    media_us: i64,
    utc_us: i64,
    /// local time, minutes since Monday 00:00; -1: not known
    week_minute: i32,
    observations_offset: u32,
    event_count: u32,
    events_offset: u32,
    /// how many observations and events found no room
    left_out: u32,
    reserved: [3]u32,

    pub fn observations(batch: *const Batch) []const Seen {
        const first: [*]const Seen = @ptrFromInt(@intFromPtr(batch) + batch.observations_offset);
        return first[0..batch.observation_count];
    }

    pub fn events(batch: *const Batch) []const Event {
        const first: [*]const Event = @ptrFromInt(@intFromPtr(batch) + batch.events_offset);
        return first[0..batch.event_count];
    }
};

/// UTF-8 that the host put beside the batch.
pub const Text = extern struct {
    ptr: [*]const u8,
    len: u32,

    pub fn slice(text: Text) []const u8 {
        return text.ptr[0..text.len];
    }
};

/// One observation of another module.
pub const Seen = extern struct {
    analyzer: Text,
    kind: Text,
    score: f32,
    track: i32,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    /// bit n: it lies in the camera's n-th zone, in the order of the parameter `camera.zones`
    zones: u32,
    attributes: Text,
    reserved: [3]u32,
};

pub const Phase = enum(u32) { goes_on = 0, opens = 1, changed = 2, closes = 3, _ };

/// One event of this camera. `id` is empty while it opens; `closed_us` is -1 while it is open.
pub const Event = extern struct {
    phase: Phase,
    id: Text,
    rule: Text,
    kind: Text,
    analyzer: Text,
    score: f32,
    opened_us: i64,
    closed_us: i64,
    zones: u32,
    reserved: [5]u32,
};

comptime {
    std.debug.assert(@sizeOf(Batch) == 64);
    std.debug.assert(@sizeOf(Seen) == 64);
    std.debug.assert(@sizeOf(Event) == 80);
}

/// Opens an event of one of the manifest's kinds, or keeps it open.
pub fn raise(seen: Observation) Error!void {
    const record = Record.of(seen);
    try done(host.raise(&record));
}

/// The event with this index in the batch does not open, or closes.
pub fn veto(event: u32) Error!void {
    try done(host.veto(event));
}

/// Another of the manifest's kinds for this event; null keeps the score that it has.
pub fn relabel(event: u32, kind: []const u8, new_score: ?f32) Error!void {
    try done(host.relabel(event, kind.ptr, kind.len, new_score orelse -1));
}

/// Exports what the host calls, for a pixel analyzer. To be called at comptime.
pub fn analyzer(comptime Guest: type) void {
    exportLife(Guest);
    const wall = struct {
        fn analyze(slot: *const Slot) callconv(.c) i32 {
            return outcome(Guest.analyze(slot));
        }
    };
    @export(&wall.analyze, .{ .name = "analyze" });
}

/// Exports what the host calls, for a rule module. To be called at comptime.
pub fn rule(comptime Guest: type) void {
    exportLife(Guest);
    const wall = struct {
        fn observe(batch: *const Batch, _: u32) callconv(.c) i32 {
            return outcome(Guest.observe(batch));
        }
    };
    @export(&wall.observe, .{ .name = "observe" });
}

/// What a panic does: its message is logged, and the module traps. The root file says `pub const panic = ce.panic;`
pub const panic = std.debug.FullPanic(fault);

fn fault(message: []const u8, _: ?usize) noreturn {
    log(.err, message);
    @trap();
}

fn exportLife(comptime Guest: type) void {
    const wall = struct {
        fn abi() callconv(.c) i32 {
            return abi_version;
        }

        /// Pages from the engine, which nobody else is given: no page is handed out twice. Negative: no memory.
        fn ring(bytes: u32) callconv(.c) i32 {
            const pages = @wasmMemoryGrow(0, (bytes + page_bytes - 1) / page_bytes);
            return if (pages < 0) -1 else @bitCast(@as(u32, @intCast(pages)) * page_bytes);
        }

        fn open() callconv(.c) i32 {
            return if (@hasDecl(Guest, "open")) outcome(Guest.open()) else 0;
        }

        fn close() callconv(.c) void {
            if (@hasDecl(Guest, "close")) Guest.close();
        }
    };
    @export(&wall.abi, .{ .name = "camera_edge_abi" });
    @export(&wall.ring, .{ .name = "camera_edge_ring" });
    @export(&wall.open, .{ .name = "open" });
    @export(&wall.close, .{ .name = "close" });
}

fn outcome(result: anyerror!void) i32 {
    result catch |failure| {
        log(.err, @errorName(failure));
        return -1;
    };
    return 0;
}

fn done(status: i32) Error!void {
    _ = try counted(status);
}

fn counted(result: i32) Error!usize {
    if (result >= 0) return @intCast(result);
    return switch (result) {
        -1 => error.BadPointer,
        -2 => error.BadValue,
        -3 => error.NotFound,
        -4 => error.NotGranted,
        -5 => error.TooMany,
        -6 => error.TooLarge,
        -7 => error.NotNow,
        -8 => error.Failed,
        else => error.Internal,
    };
}
