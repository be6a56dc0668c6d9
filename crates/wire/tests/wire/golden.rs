//! Golden files: an input beside its expected outputs.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// A file or folder under `tests/golden`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The inputs in a folder: the files with this ending and no further dot in their name.
pub(crate) fn inputs(folder: &str, ending: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.contains('.')) {
            let bytes = std::fs::read(path(&format!("{folder}/{name}"))).unwrap();
            found.push((stem.to_owned(), bytes));
        }
    }
    assert!(!found.is_empty(), "no inputs in {folder}");
    found.sort();
    found
}

/// Compares with the expected output, or writes it when blessing.
pub(crate) fn check(file: &str, actual: &impl Serialize) {
    let actual = serde_json::to_string_pretty(actual).unwrap() + "\n";
    let file = path(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&file)
        .unwrap_or_else(|why| panic!("{}: {why}\nrun the tests once with BLESS=1", file.display()));
    assert_eq!(actual, expected, "{}", file.display());
}
