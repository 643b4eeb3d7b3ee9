/**
 * A rule module: a person in zone A while there is no forklift in zone B, on weekdays.
 *
 * It sees no pixels. For each analysed frame the host hands it a batch: what the camera's modules observed, with the
 * zones that each thing stands in. As long as the rule holds, it raises an event of kind `person_alone`: the first call
 * opens it, those that follow keep it open, and it closes when there were none for `quiet_s` seconds.
 *
 * A forklift is an observation of kind `forklift`, or a `vehicle` with the attribute `"class": "forklift"`.
 *
 * The examples of all SDKs give the same answers.
 */
import { Level, Observation, log, paramNumber, paramText } from "camera_edge";
import { attributesSay } from "camera_edge/attributes";
import { Batch, Seen, raise } from "camera_edge/rule";
export { camera_edge_abi, camera_edge_ring } from "camera_edge";

const ZONES: i32 = 32;
const MINUTES_A_DAY: i32 = 24 * 60;
const WORKDAYS: i32 = 5;

/** One bit each. */
let zoneA: u32 = 0;
let zoneB: u32 = 0;
let fromHour: f64 = 0;
let toHour: f64 = 0;

export function open(): i32 {
  fromHour = paramNumber("from_hour", 6);
  toHour = paramNumber("to_hour", 22);
  zoneA = zoneOf("zone_a");
  if (zoneA == 0) return refuse("zone_a is not a zone of this camera");
  zoneB = zoneOf("zone_b");
  if (zoneB == 0) return refuse("zone_b is not a zone of this camera");
  return 0;
}

function refuse(why: string): i32 {
  log(Level.ERROR, why);
  return -1;
}

/** The bit of the zone that the parameter names, 0: the camera has no such zone. */
function zoneOf(param: string): u32 {
  const name = paramText(param);
  const list = paramText("camera.zones");
  if (name === null || name == "" || list === null) return 0;
  const bit = list.split("\n").indexOf(name);
  return bit >= 0 && bit < ZONES ? 1 << bit : 0;
}

export function observe(batch: Batch, len: i32): i32 {
  if (!isDue(batch.week_minute)) return 0;
  let person: Seen | null = null;
  for (let i: u32 = 0; i < batch.observation_count; i++) {
    const seen = batch.observation(i);
    if ((seen.zones & zoneB) != 0 && isForklift(seen)) return 0;
    if ((seen.zones & zoneA) == 0 || seen.kind != "person") continue;
    if (!person || seen.score > person.score) person = seen;
  }
  return person ? report(person) : 0;
}

/** An unknown time does not silence the rule. */
function isDue(weekMinute: i32): bool {
  if (weekMinute < 0) return true;
  if (weekMinute / MINUTES_A_DAY >= WORKDAYS) return false;
  const hour = <f64>(weekMinute % MINUTES_A_DAY) / 60;
  if (fromHour <= toHour) return fromHour <= hour && hour < toHour;
  return fromHour <= hour || hour < toHour;
}

function isForklift(seen: Seen): bool {
  if (seen.kind == "forklift") return true;
  return seen.kind == "vehicle" && attributesSay(seen.attributes, "class", "forklift");
}

function report(person: Seen): i32 {
  const alone = new Observation();
  alone.kind = "person_alone";
  alone.score = person.score;
  alone.track = person.track;
  alone.x = person.x;
  alone.y = person.y;
  alone.w = person.w;
  alone.h = person.h;
  return raise(alone);
}
