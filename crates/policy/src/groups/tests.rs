//! What patterns mean.

use super::*;

#[track_caller]
fn check(fit: impl Fn(&str, &str) -> bool, pattern: &str, yes: &[&str], no: &[&str]) {
    for item in yes {
        assert!(fit(pattern, item), "`{pattern}` does not fit `{item}`");
    }
    for item in no {
        assert!(!fit(pattern, item), "`{pattern}` fits `{item}`");
    }
}

#[test]
fn stars_in_names_stand_for_any_letters() {
    check(fits, "write", &["write"], &["writer", "Write", ""]);
    check(fits, "github__*", &["github__", "github__list"], &["github", "my_github__list"]);
    check(fits, "*_read", &["a_read", "_read"], &["a_read_all"]);
    check(fits, "a*b*c", &["abc", "axbxc", "abbcc"], &["ab", "ac", "acb", "bc"]);
    check(fits, "*", &["", "anything"], &[]);
    check(fits, "ab*ba", &["abba", "abxba"], &["aba"]);
}

#[test]
fn a_star_before_a_host_means_those_below_it() {
    let fit = |pattern: &str, host: &str| host::Pattern::read(pattern).unwrap().fits(host);
    check(fit, "example.com", &["example.com", "EXAMPLE.com."], &["a.example.com", "example.co"]);
    check(
        fit,
        "*.example.com",
        &["a.example.com", "a.b.Example.com"],
        &["example.com", "notexample.com", ".example.com"],
    );
    for wrong in ["", "*example.com", "a.*", "https://a", "a b", "*.", "*..a"] {
        assert!(host::Pattern::read(wrong).is_err(), "`{wrong}` is taken");
    }
}

#[test]
fn a_pattern_of_a_folder_fits_what_is_in_it() {
    let fit = |pattern: &str, path: &str| path::Pattern::read(pattern).unwrap().fits(path);
    check(fit, "src", &["src", "src/a.rs", "./src/a", "x/../src/b"], &["source", "a/src"]);
    check(fit, "**/.env", &[".env", "a/.env", "a/.env/b"], &[".envrc", "a.env"]);
    check(fit, "docs/*.md", &["docs/a.md"], &["docs/a/b.md", "docs/a.txt"]);
    check(fit, "/etc", &["/etc/passwd", "/usr/../etc/x"], &["etc/passwd"]);
    for wrong in ["", "../a", "a/../b", "[", "{a"] {
        assert!(path::Pattern::read(wrong).is_err(), "`{wrong}` is taken");
    }
}

#[test]
fn paths_that_climb_are_outside() {
    for path in ["/etc", "../a", "a/../../b", "~/x", "..", "~root"] {
        assert!(is_outside(path), "`{path}` is inside");
    }
    for path in ["a", "a/../b", ".", "", "..a", "a/.."] {
        assert!(!is_outside(path), "`{path}` is outside");
    }
}

#[test]
fn every_item_of_none_is_in_no_group() {
    let mut problems = Problems::new("test");
    let written = crate::yaml::read("hosts: {ours: ['*.example.com']}", &mut problems).unwrap();
    let groups = Groups::read(written, None, &mut problems);
    assert!(problems.is_empty());
    assert_eq!(groups.of_hosts([]), Membership::default());
    let some = groups.of_hosts(["a.example.com", "other.org"]);
    assert!(some.any.contains("ours") && some.all.is_empty());
    assert!(groups.of_hosts(["a.example.com"]).all.contains("ours"));
}
