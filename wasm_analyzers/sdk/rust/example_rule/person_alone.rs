//! A rule module: a person in zone A while there is no forklift in zone B, on weekdays.
//!
//! It sees no pixels. For each analysed frame the host hands it a batch: what the camera's modules observed, with the
//! zones that each thing stands in. As long as the rule holds, it raises an event of kind `person_alone`: the first
//! call opens it, those that follow keep it open, and it closes when there were none for `quiet_s` seconds.
//!
//! A forklift is an observation of kind `forklift`, or a `vehicle` with the attribute `"class": "forklift"`.
//!
//! The examples of all SDKs give the same answers.

use camera_edge::{attributes_say, param_number, param_text, raise, rule, Batch, Observation, Outcome, Rule, Seen};

const ZONES: usize = 32;
const MINUTES_A_DAY: i32 = 24 * 60;
const WORKDAYS: i32 = 5;

struct PersonAlone {
    /// one bit each
    zone_a: u32,
    zone_b: u32,
    from_hour: f64,
    to_hour: f64,
}

impl Rule for PersonAlone {
    fn open() -> Outcome<Self> {
        Ok(PersonAlone {
            zone_a: zone_of("zone_a")?,
            zone_b: zone_of("zone_b")?,
            from_hour: param_number("from_hour", 6.0),
            to_hour: param_number("to_hour", 22.0),
        })
    }

    fn observe(&mut self, batch: &Batch) -> Outcome {
        if !self.is_due(batch.week_minute) {
            return Ok(());
        }
        let seen = batch.observations();
        if seen.iter().any(|each| each.zones & self.zone_b != 0 && is_forklift(each)) {
            return Ok(());
        }
        let persons = seen.iter().filter(|each| each.zones & self.zone_a != 0 && each.kind.as_str() == "person");
        // of equals the first
        match persons.reduce(|best, other| if other.score > best.score { other } else { best }) {
            Some(person) => report(person),
            None => Ok(()),
        }
    }
}

impl PersonAlone {
    /// An unknown time does not silence the rule.
    fn is_due(&self, week_minute: i32) -> bool {
        if week_minute < 0 {
            return true;
        }
        let (day, hour) = (week_minute / MINUTES_A_DAY, f64::from(week_minute % MINUTES_A_DAY) / 60.0);
        let hours = if self.from_hour <= self.to_hour {
            self.from_hour <= hour && hour < self.to_hour
        } else {
            self.from_hour <= hour || hour < self.to_hour
        };
        day < WORKDAYS && hours
    }
}

/// The bit of the zone that the parameter names.
fn zone_of(param: &str) -> Outcome<u32> {
    // a camera without zones has no such parameter
    let zones = param_text("camera.zones").unwrap_or_default();
    let name = param_text(param)?;
    match zones.lines().take(ZONES).position(|zone| zone == name) {
        Some(bit) => Ok(1 << bit),
        None => Err(format!("{} is not a zone of this camera", param).into()),
    }
}

fn is_forklift(seen: &Seen) -> bool {
    match seen.kind.as_str() {
        "forklift" => true,
        "vehicle" => attributes_say(seen.attributes.as_str(), "class", "forklift"),
        _ => false,
    }
}

fn report(person: &Seen) -> Outcome {
    Ok(raise(&Observation {
        kind: "person_alone",
        score: person.score,
        track: Some(person.track),
        x: person.x,
        y: person.y,
        w: person.w,
        h: person.h,
        attributes: "",
    })?)
}

rule!(PersonAlone);
