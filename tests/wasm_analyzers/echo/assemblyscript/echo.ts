/** See README.md beside this folder. */
import { Level, Observation, log } from "camera_edge";
import { Batch, Event, Phase, raise, relabel, veto } from "camera_edge/rule";
export { camera_edge_abi, camera_edge_ring } from "camera_edge";

export function observe(batch: Batch, len: i32): i32 {
  const week_minute = batch.week_minute + 1;
  say(`batch ${batch.sequence} ${batch.media_us} ${batch.utc_us} ${week_minute} ${batch.left_out}`);
  for (let i: u32 = 0; i < batch.observation_count; i++) {
    const seen = batch.observation(i);
    say(`seen ${seen.analyzer} ${seen.kind} ${seen.zones}`);
    const again = new Observation();
    again.kind = "echo";
    again.score = seen.score;
    again.track = seen.track;
    again.x = seen.x;
    again.y = seen.y;
    again.w = seen.w;
    again.h = seen.h;
    again.attributes = seen.attributes;
    raise(again);
  }
  for (let i: u32 = 0; i < batch.event_count; i++) answer(batch.event(i), i);
  return 0;
}

function answer(event: Event, number: u32): void {
  const names = `${event.id} ${event.rule} ${event.kind} ${event.analyzer}`;
  say(`event ${event.phase} ${names} ${event.opened_us} ${event.closed_us + 1} ${event.zones}`);
  if (event.rule == "unwanted") veto(number);
  if (event.phase == Phase.OPENS) relabel(number, "renamed", 0.25);
  if (event.phase == Phase.CHANGED) relabel(number, "renamed");
}

function say(line: string): void {
  log(Level.INFO, line);
}
