//! Secrets from the command line: set, listed, rotated and removed, never shown, always in
//! the audit.

use crate::place::{BROKEN, FINISHED, Place, REFUSED, USAGE};

const HOUSE: &str = "secrets:
  sources:
    - encrypted: {path: kept.enc, key: {file: key/secrets.key}}
  grants: {smtp: [acme]}
";

fn place() -> Place {
    let place = Place::new();
    place.write("windlass.yaml", HOUSE);
    place
}

#[test]
fn secrets_come_and_go_unseen_and_the_audit_knows() {
    let place = place();
    let set = place.feed(&["secrets", "set", "stripe-key"], "hunter2-one\n").code(FINISHED);
    set.says("set: stripe-key of local, version 1").says("secret://stripe-key");
    place.feed(&["secrets", "set", "--installation", "smtp"], "hunter2-two").code(FINISHED);
    let acme = ["--tenant", "acme", "secrets", "set", "stripe-key"];
    place.feed(&acme, "hunter2-three\n").code(FINISHED).says("of acme");
    place.run(&["secrets", "list"]).code(FINISHED).says("stripe-key").does_not_say("acme");
    let all = place.run(&["secrets", "list", "--all", "--json"]).code(FINISHED);
    assert_eq!(all.json().len(), 3, "{all}");

    let rotate = ["secrets", "rotate", "stripe-key", "--overlap", "1h"];
    place.feed(&rotate, "hunter2-four\n").code(FINISHED).says("the former value stays good until");
    place.run(&["secrets", "rotate"]).code(FINISHED).says("3 secrets were encrypted anew");
    place.run(&["secrets", "remove", "stripe-key"]).code(FINISHED).says("removed: stripe-key");
    place.run(&["secrets", "remove", "stripe-key"]).code(USAGE).says("there is no secret");
    place.run(&["secrets", "list"]).code(FINISHED).says("there is no secret of local");

    let told = place.run(&["audit", "search", "--json"]).code(FINISHED);
    let told: Vec<String> = told
        .json()
        .iter()
        .map(|one| format!("{} {}", one["action"], one["subject"]).replace('"', ""))
        .collect();
    let expected = [
        "secret.set stripe-key",
        "secret.set installation:smtp",
        "secret.rotate stripe-key",
        "secret.rotate_key kept.enc",
        "secret.remove stripe-key",
    ];
    assert_eq!(told, expected);
    let export = place.run(&["audit", "export"]).code(FINISHED);
    export.does_not_say("hunter2");
    let kept = std::fs::read(place.path("kept.enc")).expect("it was made");
    assert!(!String::from_utf8_lossy(&kept).contains("hunter2"));
    assert!(place.path("key/secrets.key").exists(), "the key lies where it was told to");
}

#[test]
fn who_may_not_is_refused_before_a_value_is_read() {
    let place = place();
    place.write("windlass.yaml", format!("{HOUSE}people: {{roles: {{ann: admin}}}}\n"));
    let refused = place.feed(&["secrets", "set", "a"], "hunter2").code(REFUSED);
    refused.says("no policy permits `secret.set` of `a`").says("role `member`");
    place.run(&["secrets", "list"]).code(REFUSED);
    assert!(!place.path("kept.enc").exists());
    place.feed(&["--user", "ann", "secrets", "set", "a"], "hunter2").code(FINISHED);
}

#[test]
fn wrong_values_names_and_files_are_told_so() {
    let place = place();
    place.feed(&["secrets", "set", "a"], "").code(USAGE).says("the value is empty");
    place
        .feed(&["secrets", "set", "a"], vec![b'x'; 70_000])
        .code(USAGE)
        .says("longer than 65536 bytes");
    place.feed(&["secrets", "set", "../a"], "x").code(USAGE).says("is not a name of a secret");
    place.run(&["secrets", "rotate", "--overlap", "1h"]).code(USAGE);
    place.feed(&["secrets", "set", "a", "hunter2"], "x").code(USAGE);
    place.feed(&["secrets", "set", "a"], "x").code(FINISHED);
    let mut kept = std::fs::read(place.path("kept.enc")).expect("it is there");
    let last = kept.len() - 20;
    kept[last] ^= 1;
    std::fs::write(place.path("kept.enc"), kept).expect("it is ours");
    place.run(&["secrets", "list"]).code(BROKEN).says("is damaged").says("kept.enc");
}
