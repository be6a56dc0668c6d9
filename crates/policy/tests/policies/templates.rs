//! The templates load, and keep what they promise.

use policy::{PolicySet, TEMPLATES, laws};

#[track_caller]
fn good(set: &PolicySet) {
    let results = set.test();
    assert!(results.len() >= 15, "{} has few examples", set.name());
    for result in results {
        assert_eq!(result.failure, None, "{result}");
    }
    assert_eq!(set.warnings(), []);
}

#[test]
fn every_template_holds_by_its_own_examples() {
    for template in TEMPLATES {
        match PolicySet::load(template.text, template.name) {
            Ok(set) => good(&set),
            Err(problems) => {
                let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
                panic!("{}", told.join("\n"));
            }
        }
    }
}

#[test]
fn the_laws_hold_by_their_own_examples() {
    good(laws());
}
