//! Plain requests to the planner: each calls real tools and ends with their answer.

use kernel::event::chain_root;

use crate::place::{FINISHED, Place, nobody};

/// What is asked, what standard output holds, and which calls standard error shows.
const REQUESTS: [(&str, &str, &[&str]); 10] = [
    (
        "What is 17.5% of 2340? Save the result as a note called tip.",
        "409.5",
        &["✓ calculator  17.5% of 2340  → 409.5", "✓ notes  save tip 409.5"],
    ),
    ("What is 2+2, 3*7 and 10/4?", "10 / 4 = 2.5", &["2 + 2  → 4", "3 * 7  → 21", "10 / 4  → 2.5"]),
    ("list my notes", "- tip", &["✓ notes  list"]),
    ("find the word mango in these files", "tree.txt:1: the mango tree", &["✓ grep  mango"]),
    ("read tree.txt", "the mango tree", &["✓ read  tree.txt"]),
    ("write hello world into out.txt", "Wrote `out.txt`", &["✓ write  out.txt hello world"]),
    ("replace mango with apple in tree.txt", "Replaced `mango`", &["✓ edit  tree.txt mango apple"]),
    ("list all txt files", "out.txt", &["✓ glob"]),
    ("search the web for rust", "web search is not configured", &["✗ web_search  rust"]),
    ("fhqwhgads", "I did not understand", &[]),
];

#[test]
fn plain_requests_call_the_tools_and_answer() {
    let place = Place::new();
    place.write("tree.txt", "the mango tree\n");
    for (request, answer, calls) in REQUESTS {
        let mut ended = place.run(&["run", request]).code(FINISHED).says("simulated:");
        assert!(ended.out.contains(answer), "no `{answer}` on standard output: {ended}");
        for call in calls {
            ended = ended.says(call);
        }
    }
    assert_eq!(place.read("notes/tip.md").trim_end(), "409.5");
    assert_eq!(place.read("out.txt").trim_end(), "hello world");
    assert_eq!(place.read("tree.txt"), "the apple tree\n");
}

#[test]
fn the_weather_without_a_network_is_told_and_the_run_finishes() {
    let place = Place::new();
    let weather = nobody();
    let text = format!(
        "agent_id: sailor\nmodel: planner\nsystem_prompt: You sail.\n\
         allowed_tools: [weather, end_task]\n\
         tools:\n  weather:\n    base_url: http://{weather}\n    geocoding_url: http://{weather}\n"
    );
    place.write("sailor.yaml", text);
    let asked = ["run", "--agent", "sailor.yaml", "What is the weather in Paris?"];
    place.run(&asked).code(FINISHED).says("✗ weather  Paris").says("Paris");
}

#[test]
fn a_task_comes_from_standard_input_as_well() {
    let place = Place::new();
    place.feed(&["run", "-"], "What is 3 + 4?\n").code(FINISHED).answers("3 + 4 = 7");
}

#[test]
fn json_lines_are_chained_events_and_a_result() {
    let place = Place::new();
    let ended = place.run(&["run", "--json", "What is 3 + 4?"]).code(FINISHED);
    let lines = ended.json();
    let (result, events) = lines.split_last().expect("there are lines");
    assert_eq!(result["type"], "result", "{ended}");
    assert_eq!(result["status"], "finished", "{ended}");
    assert_eq!(result["result"], "3 + 4 = 7", "{ended}");
    let session = result["session"].as_str().expect("it is named").parse().expect("it is an id");
    let mut head = chain_root(session).to_string();
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], place + 1, "{ended}");
        assert_eq!(event["prev"], head.as_str(), "event {} of {ended}", place + 1);
        head = event["hash"].as_str().expect("it has one").to_owned();
    }
    let logged = place.run(&["log", "last", "--json"]).code(FINISHED).json();
    assert_eq!(logged, events, "what was shown is what was stored");
}
