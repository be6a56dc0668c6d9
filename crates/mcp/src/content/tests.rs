//! Results and the text that a model sees, from `tests/results`: `NAME.json` to `NAME.txt`.

use std::path::Path;

use super::*;

#[test]
fn results_are_shown_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/results");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "json") {
            let result = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let shown = output("srv", &result);
            let shown =
                format!("{}\n{}\n", if shown.is_error { "error" } else { "ok" }, shown.content);
            let golden = path.with_extension("txt");
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&golden, &shown).unwrap();
            }
            let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(shown, wanted, "{}\nrun with BLESS=1 to take it over", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 12, "only {seen} cases in {}", folder.display());
}

#[test]
fn long_results_end() {
    let long = "ż".repeat(TEXT_BYTES_MAX);
    let result = serde_json::json!({"content": [{"type": "text", "text": long}]});
    let shown = output("srv", &result).content;
    assert!(shown.len() < TEXT_BYTES_MAX + 100, "{}", shown.len());
    assert!(shown.ends_with("more bytes, not shown]"));

    let many = vec![serde_json::json!({"type": "text", "text": "x"}); BLOCKS_MAX + 5];
    let shown = output("srv", &serde_json::json!({ "content": many })).content;
    assert!(shown.ends_with("[5 more blocks, not shown]"), "{}", &shown[shown.len() - 60..]);
}

#[test]
fn sizes_of_base64_are_those_of_its_bytes() {
    for (text, bytes) in [("", 0), ("QQ==", 1), ("QUI=", 2), ("QUJD", 3), ("QUJDRA", 4)] {
        assert_eq!(decoded_bytes(text), bytes, "{text}");
    }
}
