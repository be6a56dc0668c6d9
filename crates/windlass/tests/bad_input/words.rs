//! Wrong words: whole messages as a person reads them, golden.

use crate::place::{BROKEN, FINISHED, Place, REFUSED, USAGE};

/// The arguments, the exit code, and all of standard error.
const GOLDEN: [(&[&str], i32, &str); 24] = [
    (&["run", ""], REFUSED, "error: the task is empty\nsay in words what is to be done\n"),
    (&["run", " \n "], REFUSED, "error: the task is empty\nsay in words what is to be done\n"),
    (
        &["run", "--workdir", "nowhere", "x"],
        USAGE,
        "error: cannot work in `nowhere`: No such file or directory (os error 2)\n\
         give a folder that exists\n",
    ),
    (&["run", "--workdir", "a_file", "x"], USAGE, "error: `a_file` is not a folder\n"),
    (
        &["run", "--agent", "nowhere.yaml", "x"],
        USAGE,
        "error: cannot read `nowhere.yaml`: No such file or directory (os error 2)\n\
         give the path of an agent's YAML file, like `examples/reference.yaml`\n",
    ),
    (
        &["run", "--agent", "broken.yaml", "x"],
        USAGE,
        "error: broken.yaml:3:17: there is no tool `calculater`\n  did you mean `calculator`?\n",
    ),
    (
        &["run", "--model", "gpt-9", "x"],
        USAGE,
        "error: nobody here answers for the model `gpt-9`\n\
         say who does in an agent's file: `provider: {kind: openai, base_url: …}`\n",
    ),
    (
        &["run", "--model", "script:nowhere.yaml", "x"],
        USAGE,
        "error: cannot read the script `nowhere.yaml`: No such file or directory (os error 2)\n",
    ),
    (
        &["run", "--agent", "unpriced.yaml", "x"],
        REFUSED,
        "error: model `acme-1` has no price, and the run has a money cap\n\
         give its price in the configuration, or take the cap away\n\
         an agent's file has `price` for the one and `budget_usd: none` for the other\n",
    ),
    (
        &["config", "check", "unpriced.yaml"],
        USAGE,
        "error: `unpriced.yaml`: model `acme-1` has no price, and its runs have a budget\n\
         give its `price`, or take the cap away with `budget_usd: none`\n",
    ),
    (
        &["run", "--agent", "keyless.yaml", "x"],
        USAGE,
        "error: the environment variable `NO_SUCH_KEY` is not set\n\
         set it to the provider's key\n",
    ),
    (
        &["log", "zzz"],
        USAGE,
        "error: there is no session `zzz`\n\
         `windlass sessions list` shows those that there are\n",
    ),
    (
        &["log", "0"],
        USAGE,
        "error: several sessions begin with `0`\n\
         give more of the id; `windlass sessions list` shows them\n",
    ),
    (
        &["sessions", "show", "00000000-0000-7000-8000-000000000000"],
        USAGE,
        "error: there is no session 00000000-0000-7000-8000-000000000000\n\
         `windlass sessions list` shows what there is\n",
    ),
    (
        &["sessions", "list", "--status", "bogus"],
        USAGE,
        "error: there is no status `bogus`; there are: idle, running, parked, finished, failed, \
         cancelled\n",
    ),
    (
        &["--store", "empty", "log", "last"],
        USAGE,
        "error: there is no store in `empty`\n\
         `windlass run \"…\"` makes one; `--store DIR` names another\n",
    ),
    (
        &["--store", "a_file", "run", "x"],
        BROKEN,
        "error: cannot make the folder `a_file`: File exists (os error 17)\n\
         hint: choose another place for the store\n",
    ),
    (
        &["--store", "newer", "run", "x"],
        BROKEN,
        "error: `newer/windlass.db` has version 99 and this program knows versions up to 6\n\
         hint: use the newer program that wrote it; the file was left as it is\n",
    ),
    (
        &["--store", "foreign", "sessions", "list"],
        BROKEN,
        "error: `foreign/windlass.db` is a database of another program\n\
         hint: choose another file for the store; this one was left as it is\n",
    ),
    (
        &["simulate", "--faults", "bogus"],
        USAGE,
        "error: `bogus` is not a fault\n\
         hint: use ok, 429, 529, 500, cut, malformed, drip, refused\n",
    ),
    (
        &["simulate", "--faults", "429:2"],
        USAGE,
        "error: `2` is not a rate\n\
         hint: write a part of one with at most six decimals, like `cut:0.05`\n",
    ),
    (
        &["simulate", "--brain", "clever"],
        USAGE,
        "error: there is no brain `clever`; there are: planner, script:FILE\n",
    ),
    (
        &["resume", "last"],
        REFUSED,
        "error: this session has no parked run\n\
         nothing is left to resume; `windlass run --session SESSION \"…\"` gives it another task\n",
    ),
    (
        &["sessions", "fork", "last", "--at", "99"],
        USAGE,
        "error: there is no event 99 in session ID: its events are 1 to 11\n\
         `windlass sessions list` shows what there is\n",
    ),
];

#[test]
fn every_mistake_is_told_with_what_to_do_next() {
    let place = Place::new();
    prepare(&place);
    let listed = place.run(&["sessions", "list", "--json"]).code(FINISHED).json();
    let last = listed[0]["session"].as_str().expect("it has an id").to_owned();
    let mut others = String::new();
    for (arguments, code, words) in GOLDEN {
        let ended = place.run(arguments);
        if ended.code != Some(code) || ended.err.replace(&last, "ID") != words {
            others.push_str(&format!("{ended}--- expected {code}\n{words}\n"));
        }
        assert_eq!(ended.out, "", "{ended}");
    }
    assert!(others.is_empty(), "{others}");
    let after = place.run(&["sessions", "list", "--json"]).code(FINISHED).json();
    assert_eq!(after, listed, "no mistake left anything behind");
}

fn prepare(place: &Place) {
    place.run(&["run", "What is 2 + 2?"]).code(FINISHED);
    place.run(&["run", "What is 2 + 3?"]).code(FINISHED);
    place.write("a_file", "");
    let head = "agent_id: x\nsystem_prompt: Hi.\n";
    place.write("broken.yaml", format!("{head}allowed_tools: [calculater]\nmodel: planner\n"));
    let remote = format!("{head}allowed_tools: [end_task]\nmodel: acme-1\n");
    let provider = "provider: {kind: openai, base_url: \"http://127.0.0.1:1\"";
    place.write("unpriced.yaml", format!("{remote}{provider}}}\n"));
    place.write("keyless.yaml", format!("{remote}{provider}, key_env: NO_SUCH_KEY}}\n"));
    let label = |store: &str, words: &str| {
        std::fs::create_dir(place.path(store)).expect("it can be made");
        let path = place.path(store).join("windlass.db");
        let db = rusqlite::Connection::open(path).expect("a database");
        db.execute_batch(words).expect("it takes a label");
    };
    label("newer", "PRAGMA application_id = 0x576e646c; PRAGMA user_version = 99;");
    label("foreign", "CREATE TABLE cake (slices INTEGER);");
}
