/**
 * Rule modules: they get what other modules saw, and the events made of it, and no pixels.
 *
 * Their manifest asks for the capability `observations`; they export `observe(batch: Batch, len: i32): i32`.
 */
import { Observation, record } from "./index";

// @ts-ignore: decorator
@external("camera_edge", "raise")
declare function hostRaise(record: usize): i32;
// @ts-ignore: decorator
@external("camera_edge", "veto")
declare function hostVeto(event: i32): i32;
// @ts-ignore: decorator
@external("camera_edge", "relabel")
declare function hostRelabel(event: i32, kind: usize, kindLen: i32, score: f32): i32;

/** What the modules of a camera said about one frame. */
@unmanaged
export class Batch {
  abi: u32;
  observation_count: u32;
  sequence: u64;
  media_us: i64;
  utc_us: i64;
  /** local time, minutes since Monday 00:00; -1: not known */
  week_minute: i32;
  observations_offset: u32;
  event_count: u32;
  events_offset: u32;
  /** how many observations and events found no room */
  left_out: u32;

  /** The observation with this index, below `observation_count`. */
  observation(index: u32): Seen {
    return changetype<Seen>(changetype<usize>(this) + this.observations_offset + index * SEEN_BYTES);
  }

  /** The event with this index, below `event_count`. */
  event(index: u32): Event {
    return changetype<Event>(changetype<usize>(this) + this.events_offset + index * EVENT_BYTES);
  }
}

const SEEN_BYTES: u32 = 64;
const EVENT_BYTES: u32 = 80;

/** One observation of another module. */
@unmanaged
export class Seen {
  private analyzer_ptr: usize;
  private analyzer_len: u32;
  private kind_ptr: usize;
  private kind_len: u32;
  score: f32;
  /** -1: it has none */
  track: i32;
  x: f32;
  y: f32;
  w: f32;
  h: f32;
  /** bit n: it lies in the camera's n-th zone, in the order of the parameter `camera.zones` */
  zones: u32;
  private attributes_ptr: usize;
  private attributes_len: u32;

  get analyzer(): string {
    return String.UTF8.decodeUnsafe(this.analyzer_ptr, this.analyzer_len);
  }

  get kind(): string {
    return String.UTF8.decodeUnsafe(this.kind_ptr, this.kind_len);
  }

  /** A flat JSON object, or nothing. */
  get attributes(): string {
    return String.UTF8.decodeUnsafe(this.attributes_ptr, this.attributes_len);
  }
}

export namespace Phase {
  export const GOES_ON: u32 = 0;
  export const OPENS: u32 = 1;
  export const CHANGED: u32 = 2;
  export const CLOSES: u32 = 3;
}

/** One event of this camera. */
@unmanaged
export class Event {
  phase: u32;
  private id_ptr: usize;
  private id_len: u32;
  private rule_ptr: usize;
  private rule_len: u32;
  private kind_ptr: usize;
  private kind_len: u32;
  private analyzer_ptr: usize;
  private analyzer_len: u32;
  score: f32;
  opened_us: i64;
  /** -1 while it is open */
  closed_us: i64;
  zones: u32;

  /** Empty while it opens. */
  get id(): string {
    return String.UTF8.decodeUnsafe(this.id_ptr, this.id_len);
  }

  get rule(): string {
    return String.UTF8.decodeUnsafe(this.rule_ptr, this.rule_len);
  }

  get kind(): string {
    return String.UTF8.decodeUnsafe(this.kind_ptr, this.kind_len);
  }

  get analyzer(): string {
    return String.UTF8.decodeUnsafe(this.analyzer_ptr, this.analyzer_len);
  }
}

/** Opens an event of one of the manifest's kinds, or keeps it open. */
export function raise(seen: Observation): i32 {
  const kind = String.UTF8.encode(seen.kind);
  const attributes = String.UTF8.encode(seen.attributes);
  return hostRaise(record(seen, kind, attributes));
}

/** The event with this index in the batch does not open, or closes. */
export function veto(event: u32): i32 {
  return hostVeto(event);
}

/** Another of the manifest's kinds for this event; a score below 0 keeps the one it has. */
export function relabel(event: u32, kind: string, score: f32 = -1): i32 {
  const bytes = String.UTF8.encode(kind);
  return hostRelabel(event, changetype<usize>(bytes), bytes.byteLength, score);
}
