//! `docs/tools.md` says what the code does.

use kernel::agent::{Effect, EffectRule, ToolSpec};

use crate::all_specs;

const PAGE: &str = include_str!("../../../../../docs/tools.md");

/// The part of the page about a tool.
fn section(name: &str) -> &'static str {
    let head = format!("\n## `{name}`\n");
    let from = PAGE.find(&head).unwrap_or_else(|| panic!("no section for `{name}`")) + head.len();
    let rest = &PAGE[from..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

fn facts(spec: &ToolSpec) -> String {
    let class = match &spec.effect {
        EffectRule::Always(Effect::Read) => "read".to_owned(),
        EffectRule::Always(Effect::Idempotent) => "idempotent".to_owned(),
        EffectRule::Always(Effect::Effect) => "effect".to_owned(),
        EffectRule::ByField { field, reads } => {
            let reads: Vec<String> = reads.iter().map(|read| format!("`{read}`")).collect();
            format!("effect; read where `{field}` is {}", reads.join(" or "))
        }
    };
    format!(
        "Class: {class}. Deadline: {} ms. Shown at once: {} bytes.",
        spec.deadline_ms, spec.output_bytes_max
    )
}

#[test]
fn every_tool_has_its_section_with_its_true_numbers_and_fields() {
    for spec in all_specs() {
        let section = section(&spec.name);
        let facts = facts(&spec);
        assert!(section.contains(&facts), "`{}` must say: {facts}", spec.name);
        let required: Vec<&str> = spec.input_schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str())
            .collect();
        for field in spec.input_schema["properties"].as_object().unwrap().keys() {
            let mark = if required.contains(&field.as_str()) { "" } else { "?" };
            let row = format!("| `{field}{mark}` |");
            assert!(section.contains(&row), "`{}` must have the row {row}", spec.name);
        }
        let rows = section.lines().filter(|line| line.starts_with("| `")).count();
        let fields = spec.input_schema["properties"].as_object().unwrap().len();
        assert_eq!(rows, fields, "`{}` has rows for fields that are not there", spec.name);
    }
}
