/**
 * Analyzer ABI v1 for guests in AssemblyScript: the contract is wasm_analyzers/ABI.md, this file only spells it.
 *
 * A pixel analyzer is one file that exports these functions; `open` and `close` are optional:
 *
 *     import { Slot } from "camera_edge";
 *     export { camera_edge_abi, camera_edge_ring } from "camera_edge";
 *
 *     export function open(): i32 { return 0; }
 *     export function analyze(slot: Slot): i32 { return 0; }
 *     export function close(): void {}
 *
 * A negative return says that the guest cannot work with these parameters, or has no answer for this frame. A rule
 * module imports `Batch` from "camera_edge/rule" and exports `observe(batch: Batch, len: i32): i32` instead of
 * `analyze`.
 *
 * At its first allocation AssemblyScript's allocator takes all memory that there is for its own, so the space for the
 * frames has to come from it: always export `camera_edge_ring`. What was allocated this way is never freed or moved.
 */

// @ts-ignore: decorator
@external("camera_edge", "param_number")
declare function hostParamNumber(name: usize, nameLen: i32, fallback: f64): f64;
// @ts-ignore: decorator
@external("camera_edge", "param_text")
declare function hostParamText(name: usize, nameLen: i32, text: usize, capacity: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "emit")
declare function hostEmit(record: usize): i32;
// @ts-ignore: decorator
@external("camera_edge", "score")
declare function hostScore(value: f64): i32;
// @ts-ignore: decorator
@external("camera_edge", "score_at")
declare function hostScoreAt(lag: i32, value: f64): i32;
// @ts-ignore: decorator
@external("camera_edge", "mask")
declare function hostMask(pixels: usize, len: i32, width: u32, height: u32): i32;
// @ts-ignore: decorator
@external("camera_edge", "infer")
declare function hostInfer(model: usize, modelLen: i32, x: f32, y: f32, w: f32, h: f32, out: usize, capacity: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "regions")
declare function hostRegions(boxes: usize, capacity: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "state_get")
declare function hostStateGet(offset: u32, bytes: usize, capacity: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "state_put")
declare function hostStatePut(offset: u32, bytes: usize, len: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "log")
declare function hostLog(level: i32, text: usize, len: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "metric")
declare function hostMetric(name: usize, nameLen: i32, value: f64): i32;

/** What a host function returns: `OK`, or one of the negative numbers. */
export namespace Status {
  export const OK: i32 = 0;
  export const BAD_POINTER: i32 = -1;
  export const BAD_VALUE: i32 = -2;
  export const NOT_FOUND: i32 = -3;
  export const NOT_GRANTED: i32 = -4;
  export const TOO_MANY: i32 = -5;
  export const TOO_LARGE: i32 = -6;
  export const NOT_NOW: i32 = -7;
  export const FAILED: i32 = -8;
  export const INTERNAL: i32 = -9;
}

export namespace Format {
  export const GRAY8: u32 = 1;
  export const RGB24: u32 = 2;
  export const I420: u32 = 3;
}

export namespace Level {
  export const DEBUG: i32 = 0;
  export const INFO: i32 = 1;
  export const WARNING: i32 = 2;
  export const ERROR: i32 = 3;
}

/** What the host writes at the start of a slot; the pixels come after it. */
@unmanaged
export class Slot {
  abi: u32;
  format: u32;
  sequence: u64;
  media_us: i64;
  width: u32;
  height: u32;
  stride: u32;
  /** bytes from this header, 0: there is none; see `previous` */
  previous_offset: i32;
  /** bytes from this header, 0: there is none; see `zone` */
  zones_offset: i32;
  pixel_offset: u32;
  frame_width: u32;
  frame_height: u32;

  /** The address of the first pixel; `load<u8>(slot.pixels + y * slot.stride + x)` reads one of gray8 or of a plane. */
  get pixels(): usize {
    return changetype<usize>(this) + this.pixel_offset;
  }

  /** The slot that was written before this one, or null. It is not always the frame that this guest saw before. */
  get previous(): Slot | null {
    if (this.previous_offset == 0) return null;
    return changetype<Slot>(changetype<usize>(this) + this.previous_offset);
  }

  /** The byte of the map of zones for a pixel: 1 where there is no map. */
  zone(x: u32, y: u32): u8 {
    if (this.zones_offset == 0) return 1;
    return load<u8>(changetype<usize>(this) + this.zones_offset + y * this.width + x);
  }
}

/** One observation. The box is in 0..1 from the top left corner of the frame; the guest clips it. */
export class Observation {
  kind: string = "";
  score: f32 = 0;
  /** -1: it has none */
  track: i32 = -1;
  x: f32 = 0;
  y: f32 = 0;
  w: f32 = 0;
  h: f32 = 0;
  /** a flat JSON object, or nothing */
  attributes: string = "";
}

/** The parameter, or `fallback` where it is not set or is no number. */
export function paramNumber(name: string, fallback: f64): f64 {
  const bytes = String.UTF8.encode(name);
  return hostParamNumber(changetype<usize>(bytes), bytes.byteLength, fallback);
}

/** The parameter as text, null where it is not set. */
export function paramText(name: string): string | null {
  const bytes = String.UTF8.encode(name);
  const len = hostParamText(changetype<usize>(bytes), bytes.byteLength, 0, 0);
  if (len < 0) return null;
  const text = new ArrayBuffer(len);
  hostParamText(changetype<usize>(bytes), bytes.byteLength, changetype<usize>(text), len);
  return String.UTF8.decode(text);
}

export function emit(seen: Observation): i32 {
  const kind = String.UTF8.encode(seen.kind);
  const attributes = String.UTF8.encode(seen.attributes);
  return hostEmit(record(seen, kind, attributes));
}

/** One finite number for this frame. */
export function score(value: f64): i32 {
  return hostScore(value);
}

/** One for the frame `lag` calls of `analyze` earlier. */
export function scoreAt(lag: i32, value: f64): i32 {
  return hostScoreAt(lag, value);
}

/** What is hidden, one byte a pixel in rows of `width`: 0 is background. It is stretched over the whole picture. */
export function mask(pixels: Uint8Array, width: u32, height: u32): i32 {
  return hostMask(pixels.dataStart, pixels.length, width, height);
}

/**
 * Run a granted model on a region of the full frame; its outputs, in the model's order, are put into `room`.
 * Returns how many there are, or a negative status.
 */
export function infer(model: string, x: f32, y: f32, w: f32, h: f32, room: Float32Array): i32 {
  const bytes = String.UTF8.encode(model);
  return hostInfer(changetype<usize>(bytes), bytes.byteLength, x, y, w, h, room.dataStart, room.length);
}

/**
 * Where the analyzer that this one follows saw something in this frame: x, y, w, h each, as much as fits into `room`; the
 * answer is how many boxes there are, or a negative status.
 */
export function regions(room: Float32Array): i32 {
  return hostRegions(room.dataStart, room.length / 4);
}

/** What was stored from `offset` on, as much as fits into `room`. Returns how much that is: 0 at the end. */
export function stateGet(offset: u32, room: Uint8Array): i32 {
  return hostStateGet(offset, room.dataStart, room.length);
}

export function statePut(offset: u32, bytes: Uint8Array): i32 {
  return hostStatePut(offset, bytes.dataStart, bytes.length);
}

/** A line for the operator. */
export function log(level: i32, text: string): i32 {
  const bytes = String.UTF8.encode(text);
  return hostLog(level, changetype<usize>(bytes), bytes.byteLength);
}

/** A finite number for the operator's graphs. */
export function metric(name: string, value: f64): i32 {
  const bytes = String.UTF8.encode(name);
  return hostMetric(changetype<usize>(bytes), bytes.byteLength, value);
}

export function camera_edge_abi(): i32 {
  return 1;
}

const PAGE: usize = 65536;

/** Space for the frames, from this guest's own allocator. */
export function camera_edge_ring(bytes: i32): i32 {
  const start = heap.alloc(<usize>bytes + PAGE - 1);
  return <i32>((start + PAGE - 1) & ~(PAGE - 1));
}

let faulty = false;

/** The compiler is told to call this where a program would be aborted: an exception, a failed check of bounds. */
export function fault(message: string | null, file: string | null, line: u32, column: u32): void {
  // to say it takes memory, and there may be none
  if (faulty) unreachable();
  faulty = true;
  const what = message === null ? "aborted" : message;
  const where = file === null ? "" : file;
  log(Level.ERROR, what + " (" + where + ":" + line.toString() + ":" + column.toString() + ")");
  unreachable();
}

const RECORD = memory.data(40, 4);

/** An observation as it lies in memory for the host; `kind` and `attributes` are its texts in UTF-8. */
export function record(seen: Observation, kind: ArrayBuffer, attributes: ArrayBuffer): usize {
  store<usize>(RECORD, changetype<usize>(kind), 0);
  store<i32>(RECORD, kind.byteLength, 4);
  store<f32>(RECORD, seen.score, 8);
  store<i32>(RECORD, seen.track, 12);
  store<f32>(RECORD, seen.x, 16);
  store<f32>(RECORD, seen.y, 20);
  store<f32>(RECORD, seen.w, 24);
  store<f32>(RECORD, seen.h, 28);
  store<usize>(RECORD, changetype<usize>(attributes), 32);
  store<i32>(RECORD, attributes.byteLength, 36);
  return RECORD;
}
