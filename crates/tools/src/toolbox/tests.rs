//! The toolbox as the engine sees it: real folders, real attacks, real HTTP.

mod attacks;
mod docs;
mod fetch;
mod files;
mod notes;
mod web;

use std::fs;
use std::path::{Path, PathBuf};

use kernel::agent::DELEGATE;
use kernel::json::RawJson;
use kernel::units::{SessionId, Tenant};
use serde_json::json;

use super::*;

/// A working directory, something outside of it, and a toolbox.
pub(super) struct Ground {
    dir: tempfile::TempDir,
    pub(super) toolbox: Builtin,
}

impl Ground {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        fs::write(dir.path().join("secret.txt"), "the secret").unwrap();
        let mut settings =
            Settings { state_dir: dir.path().join("work/.windlass"), ..Settings::default() };
        change(&mut settings);
        Ground { dir, toolbox: Builtin::new(settings) }
    }

    pub(super) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub(super) fn outside(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn call(&self, name: &str, key: &str, input: Value) -> ToolCall {
        let spec = builtin::all_specs().into_iter().find(|spec| spec.name == name).unwrap();
        ToolCall {
            tenant: Tenant("t".to_owned()),
            session: "01890000-0000-7000-8000-000000000001".parse::<SessionId>().unwrap(),
            spec,
            arguments: RawJson::of(&input),
            workdir: Some(self.work()),
            key: key.to_owned(),
        }
    }

    /// Runs a call with a key of its own; `Err` holds the words of a failure.
    pub(super) async fn run(&self, name: &str, input: Value) -> Result<String, String> {
        let key = format!("{name} {input}");
        let call = self.call(name, &key, input);
        // A call that hangs fails here and not at the end of the test machine's patience.
        let run = tokio::time::timeout(std::time::Duration::from_secs(60), self.toolbox.run(&call));
        match run.await.expect("no call hangs") {
            Ok(ToolOutput { content, is_error: false, .. }) => Ok(content),
            Ok(ToolOutput { content, is_error: true, .. }) => Err(content),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) async fn good(&self, name: &str, input: Value) -> String {
        let told = input.to_string();
        self.run(name, input).await.unwrap_or_else(|words| panic!("{name} {told}: {words}"))
    }

    pub(super) async fn bad(&self, name: &str, input: Value) -> String {
        let told = input.to_string();
        self.run(name, input).await.expect_err(&told)
    }
}

#[test]
fn what_a_shell_with_a_network_brings_is_a_strangers_word() {
    let untrusted = |network| {
        let ground = Ground::with(|settings| settings.bash.network = network);
        let specs = ground.toolbox.specs();
        specs.iter().any(|spec| spec.name == "bash" && spec.untrusted)
    };
    assert!(!untrusted(None));
    assert!(untrusted(Some(guard::url::Policy::default())));
}

#[test]
fn every_spec_is_fit_to_be_frozen_and_shown() {
    let specs = builtin::all_specs();
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "calculator",
            "notes",
            "weather",
            "web_search",
            "web_fetch",
            "read",
            "write",
            "edit",
            "glob",
            "grep",
            "bash",
            "end_task",
            "more",
            "delegate"
        ]
    );
    for spec in specs {
        let schema = &spec.input_schema;
        assert_eq!(schema["additionalProperties"], json!(false), "{}", spec.name);
        for (field, said) in schema["properties"].as_object().unwrap() {
            assert!(said["description"].is_string(), "{}.{field}", spec.name);
            assert!(said["type"].is_string() || said["type"].is_array(), "{}.{field}", spec.name);
        }
        // A child is ended by its turns, its budget and its patience.
        assert!(spec.deadline_ms >= 1_000 || spec.name == DELEGATE, "{}", spec.name);
        assert!(spec.output_bytes_max >= 1_024, "{}", spec.name);
        jsonschema::meta::validate(schema).unwrap();
        let again: ToolSpec = serde_json::from_str(&serde_json::to_string(&spec).unwrap()).unwrap();
        assert_eq!(again, spec);
    }
}

#[tokio::test]
async fn a_tool_that_is_not_here_is_gone_and_more_is_the_engines() {
    let ground = Ground::new();
    for name in ["teleport", "more"] {
        let mut call = ground.call("more", "k", json!({"handle": "h"}));
        call.spec.name = name.to_owned();
        let end = ground.toolbox.run(&call).await;
        assert!(matches!(end, Err(ToolError::Gone(gone)) if gone == name));
    }
}

#[tokio::test]
async fn input_is_checked_against_the_frozen_schema() {
    let ground = Ground::new();
    let mut call = ground.call("calculator", "k", json!({"expression": "1+1"}));
    assert_eq!(ground.toolbox.run(&call).await.unwrap(), ToolOutput::ok("2"));
    call.spec.input_schema = json!({"type": "object", "required": ["sum"]});
    let output = ground.toolbox.run(&call).await.unwrap();
    assert!(output.is_error && output.content.contains("`sum` is missing"), "{output:?}");
    // A schema of other days lets through what the tool does not know.
    call.spec.input_schema = json!({});
    call.arguments = RawJson::of(&json!({"sum": "1+1"}));
    let output = ground.toolbox.run(&call).await.unwrap();
    assert!(output.is_error && output.content.contains("does not fit"), "{output:?}");
}

#[tokio::test]
async fn deep_arguments_are_told_briefly() {
    let ground = Ground::new();
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let words = ground.bad("calculator", json!({"expression": deep})).await;
    assert!(words.contains("`expression` must be of type string") && words.len() < 300, "{words}");
}

#[tokio::test]
async fn the_end_of_a_task_is_only_checked() {
    let ground = Ground::new();
    ground.good("end_task", json!({"result": "409.5"})).await;
    let mut call = ground.call("end_task", "k", json!({"result": {"sum": "x"}}));
    call.spec = crate::end_task_spec(Some(&json!({
        "type": "object",
        "properties": {"sum": {"type": "number"}},
        "required": ["sum"],
    })));
    let output = ground.toolbox.run(&call).await.unwrap();
    assert!(output.is_error && output.content.contains("`result.sum` must be of type number"));
    call.arguments = RawJson::of(&json!({"result": {"sum": 1}}));
    assert!(!ground.toolbox.run(&call).await.unwrap().is_error);
}

#[test]
fn making_the_toolbox_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { state_dir: dir.path().join("state"), ..Settings::default() };
    let toolbox = Builtin::new(settings);
    assert_eq!(toolbox.specs().len(), 14);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn keys_are_never_shown() {
    let key = crate::Secret::new("hunter2");
    let search = Some(crate::SearchEngine::Brave { key, base_url: None });
    let toolbox = Builtin::new(Settings { search, ..Settings::default() });
    assert!(!format!("{toolbox:?}").contains("hunter2"));
}
