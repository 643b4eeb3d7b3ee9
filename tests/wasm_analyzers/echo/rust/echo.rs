//! See README.md beside this folder.

use camera_edge::{log, raise, relabel, rule, veto, Batch, Event, Level, Observation, Outcome, Rule, CHANGED, OPENS};

struct Echo;

impl Rule for Echo {
    fn open() -> Outcome<Self> {
        Ok(Echo)
    }

    fn observe(&mut self, batch: &Batch) -> Outcome {
        let (week_minute, left_out) = (batch.week_minute + 1, batch.left_out);
        say(format!("batch {} {} {} {} {}", batch.sequence, batch.media_us, batch.utc_us, week_minute, left_out));
        for seen in batch.observations() {
            say(format!("seen {} {} {}", seen.analyzer.as_str(), seen.kind.as_str(), seen.zones));
            raise(&Observation {
                kind: "echo",
                score: seen.score,
                track: Some(seen.track),
                x: seen.x,
                y: seen.y,
                w: seen.w,
                h: seen.h,
                attributes: seen.attributes.as_str(),
            })?;
        }
        for (event, number) in batch.events().iter().zip(0..) {
            answer(event, number)?;
        }
        Ok(())
    }
}

fn answer(event: &Event, number: u32) -> Outcome {
    let (id, rule, kind) = (event.id.as_str(), event.rule.as_str(), event.kind.as_str());
    let (analyzer, closed_us) = (event.analyzer.as_str(), event.closed_us + 1);
    say(format!(
        "event {} {} {} {} {} {} {} {}",
        event.phase, id, rule, kind, analyzer, event.opened_us, closed_us, event.zones
    ));
    if rule == "unwanted" {
        veto(number)?;
    }
    match event.phase {
        OPENS => relabel(number, "renamed", Some(0.25))?,
        CHANGED => relabel(number, "renamed", None)?,
        _ => (),
    }
    Ok(())
}

fn say(line: String) {
    log(Level::Info, &line);
}

rule!(Echo);
