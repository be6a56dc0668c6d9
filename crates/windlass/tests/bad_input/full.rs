//! A disk without room: what was committed stays, and once there is room the run goes on.

use std::process::Command;

use crate::place::{BROKEN, FINISHED, Place, Running};

/// Blocks of 512 bytes that no file may outgrow: room to begin, and not to end.
const BLOCKS_MAX: [u32; 4] = [8, 300, 500, 800];

#[test]
fn without_room_nothing_is_lost_and_with_room_it_goes_on() {
    for blocks_max in BLOCKS_MAX {
        let place = Place::new();
        place.write("script.yaml", script());
        let mut shell = Command::new("sh");
        let limited = format!("trap '' XFSZ; ulimit -f {blocks_max}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_windlass")]);
        shell.args(["run", "--model", "script:script.yaml", "say it all"]);
        let ended = Running::of(place.clean(shell), Vec::new()).end().code(BROKEN);
        let ended = ended.says("no room").says("free some space");

        let begun = place.run(&["sessions", "list", "--json"]);
        if begun.out.is_empty() {
            assert!(blocks_max < 300, "it had room to begin: {ended}");
            continue;
        }
        place.run(&["log", "last", "--verify"]).code(FINISHED).says("intact");
        let resumed = place.run(&["resume", "last"]).code(FINISHED).answers("all is said");
        let facts = place.facts();
        let replied = facts.iter().filter(|fact| *fact == "model_replied").count();
        assert_eq!(replied, TURNS + 1, "{blocks_max} blocks: {resumed}");
        place.run(&["log", "last", "--verify"]).code(FINISHED).says("intact");
    }
}

const TURNS: usize = 20;

/// Turns with 30 kB each, as no two of which are alike.
fn script() -> String {
    let mut script = "turns:\n".to_owned();
    for turn in 0..TURNS {
        let words = format!("{turn} ").repeat(10_000);
        let call = format!("{{name: calculator, input: {{expression: {turn} + 1}}}}");
        script.push_str(&format!("  - text: \"{words}\"\n    tools: [{call}]\n"));
    }
    script.push_str("  - tools: [{name: end_task, input: {result: all is said}}]\n");
    script
}
