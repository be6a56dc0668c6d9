//! A log without what may differ between a struck run and an undisturbed one: ids, times,
//! owners, and the facts that tell of the strike itself.

use serde_json::Value;

use crate::place::Place;

/// The facts that must be the same.
#[derive(Debug, PartialEq)]
pub(crate) struct Trace(Vec<Value>);

/// Facts about a strike and its repair.
const REPAIRS: [&str; 4] = ["model_lost", "model_failed", "run_parked", "run_woken"];

impl Trace {
    pub(crate) fn of(place: &Place) -> Self {
        let events = place.events().expect("there is a session");
        let facts = events.lines().map(|line| {
            let event: Value = serde_json::from_str(line).expect("each line is JSON");
            event["fact"].clone()
        });
        let mut trace: Vec<Value> = Vec::new();
        for mut fact in facts {
            if REPAIRS.iter().any(|repair| fact.get(repair).is_some()) {
                continue;
            }
            scrub(&mut fact);
            // A call that is begun again after a strike is one call.
            let begun = fact.get("model_begun").is_some() || fact.get("tool_begun").is_some();
            if begun && trace.last() == Some(&fact) {
                continue;
            }
            trace.push(fact);
        }
        Trace(trace)
    }

    /// How many calls ended like this.
    pub(crate) fn outcomes(&self, outcome: &str) -> usize {
        self.0.iter().filter(|fact| fact["tool_returned"]["outcome"] == outcome).count()
    }
}

/// Takes out ids, times, owners and folders.
fn scrub(fact: &mut Value) {
    for (kind, field) in [
        ("session_opened", "workdir"),
        ("model_begun", "epoch"),
        ("model_begun", "hold"),
        ("tool_begun", "epoch"),
        ("tool_returned", "took_ms"),
    ] {
        if let Some(fields) = fact.get_mut(kind).and_then(Value::as_object_mut) {
            fields.remove(field);
        }
    }
    let rulings = fact.pointer_mut("/tools_judged/rulings").and_then(Value::as_array_mut);
    for ask in rulings.into_iter().flatten().filter_map(|ruling| ruling.get_mut("ask")) {
        ask.as_object_mut().map(|ask| ask.remove("expires"));
    }
}
