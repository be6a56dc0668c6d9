//! Comparing with a file that can be blessed.

use std::path::Path;

/// Fails where the file of that name holds something else.
#[track_caller]
pub(crate) fn check(name: &str, told: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies/files").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, told).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((line, (is, not))) =
        (1..).zip(told.lines().zip(expected.lines())).find(|(_, (is, not))| is != not)
    {
        panic!("{name}:{line}: `{is}`, not `{not}`");
    }
    assert_eq!(told.len(), expected.len(), "{name} has another length");
}
