//! Eight processes at once on one store: they wait for each other, and nothing is lost.

use crate::place::{FINISHED, Place};

const CROWD: usize = 8;

#[test]
fn eight_processes_on_one_new_store_all_succeed() {
    let place = Place::new();
    let running: Vec<_> = (0..CROWD)
        .map(|n| {
            let ask = format!("What is {n} + 100? Save the result as a note called sum{n}.");
            place.start(&["run", "--json", &ask])
        })
        .collect();
    for (n, running) in running.into_iter().enumerate() {
        let ended = running.end().code(FINISHED);
        let result = ended.json().pop().expect("there is a result");
        let session = result["session"].as_str().expect("it is named").to_owned();
        place.run(&["log", &session, "--verify"]).code(FINISHED).says("intact");
        assert_eq!(place.read(&format!("notes/sum{n}.md")).trim_end(), (n + 100).to_string());
    }
    let listed = place.run(&["sessions", "list", "--status", "finished", "--json"]).code(FINISHED);
    assert_eq!(listed.json().len(), CROWD, "{listed}");
    let spend = place.run(&["spend", "--json"]).code(FINISHED).json();
    assert_eq!(spend[0]["calls"], CROWD * 3, "every call is in the books: {spend:?}");
}
