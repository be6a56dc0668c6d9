//! The outside of the crate, for tests: secrets in a map, pins in memory, calls by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::ports::{ToolCall, ToolError, ToolOutput};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use kernel::json::RawJson;
use kernel::units::Tenant;
use mcp::{
    Child, Credentials, Launch, Mcp, MemoryPins, NoCredential, NotStarted, Outside, Servers, Spawn,
};
use serde_json::{Value, json};

/// What was asked of the secrets: tenant, handle, fresh.
pub(crate) type Asked = Arc<Mutex<Vec<(String, String, bool)>>>;

/// Secrets that say whose they are and how often they were renewed.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    pub(crate) asked: Asked,
}

#[async_trait]
impl Credentials for Secrets {
    async fn resolve(
        &self,
        tenant: &Tenant,
        handle: &str,
        fresh: bool,
    ) -> Result<secrecy::SecretString, NoCredential> {
        if handle == "missing" {
            return Err(NoCredential {
                handle: handle.to_owned(),
                why: "nobody set it".to_owned(),
            });
        }
        let mut asked = self.asked.lock().unwrap();
        asked.push((tenant.0.clone(), handle.to_owned(), fresh));
        let renewed = asked.iter().filter(|(whose, _, fresh)| *whose == tenant.0 && *fresh).count();
        Ok(format!("{handle}-of-{}-{renewed}", tenant.0).into())
    }
}

/// For servers that are not started here.
pub(crate) struct NoSpawn;

#[async_trait]
impl Spawn for NoSpawn {
    async fn spawn(&self, launch: Launch) -> Result<Child, NotStarted> {
        Err(NotStarted(format!("nothing starts `{}` here", launch.command)))
    }
}

/// The outside, with this way to start processes.
pub(crate) fn outside(spawn: impl Spawn + 'static) -> Outside {
    Outside {
        spawn: Arc::new(spawn),
        credentials: Arc::new(Secrets::default()),
        pins: Arc::new(MemoryPins::default()),
        check_address: Arc::new(|_| Ok(())),
        resolver: None,
        on_stderr: Arc::new(|_, _, _| ()),
    }
}

/// The servers of a configuration, given as JSON.
pub(crate) fn mcp(servers: Value, outside: Outside) -> Arc<Mcp> {
    let servers: Servers = serde_json::from_value(servers).unwrap();
    Arc::new(Mcp::new(&servers, outside).unwrap())
}

pub(crate) fn tenant(name: &str) -> Tenant {
    Tenant(name.to_owned())
}

/// A call of a tool as a session would have frozen it.
pub(crate) fn call_as(tenant: &str, name: &str, effect: Effect, arguments: &Value) -> ToolCall {
    static KEYS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = KEYS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    ToolCall {
        tenant: Tenant(tenant.to_owned()),
        session: serde_json::from_value(json!("00000000-0000-7000-8000-000000000001")).unwrap(),
        spec: ToolSpec {
            name: name.to_owned(),
            description: String::new(),
            input_schema: json!({"type": "object"}),
            effect: EffectRule::Always(effect),
            deadline_ms: 60_000,
            output_bytes_max: 32_768,
            untrusted: true,
            sensitive: false,
        },
        arguments: RawJson::of(arguments),
        workdir: None,
        key: format!("key-{number}"),
    }
}

/// A call of an effect by the tenant `ada`.
pub(crate) fn call(name: &str, arguments: &Value) -> ToolCall {
    call_as("ada", name, Effect::Effect, arguments)
}

/// Runs an effect of `ada` that must give a good result.
pub(crate) async fn good(mcp: &Mcp, name: &str, arguments: Value) -> String {
    let output = mcp.run(&call(name, &arguments)).await.unwrap();
    assert!(!output.is_error, "{}", output.content);
    output.content
}

/// How a call ended, in one line.
pub(crate) fn end(result: Result<ToolOutput, ToolError>) -> String {
    match result {
        Ok(output) if output.is_error => format!("error: {}", output.content),
        Ok(output) => format!("ok: {}", output.content),
        Err(ToolError::OutcomeUnknown(why)) => format!("unknown: {why}"),
        Err(ToolError::Unavailable(why)) => format!("unavailable: {why}"),
        Err(ToolError::Gone(name)) => format!("gone: {name}"),
    }
}

/// How a call of this class by `ada` ends.
pub(crate) async fn end_of(mcp: &Mcp, name: &str, effect: Effect) -> String {
    end(mcp.run(&call_as("ada", name, effect, &json!({}))).await)
}

/// The names of the offered tools, and of those held back with the reasons.
pub(crate) async fn composed(mcp: &Mcp) -> (Vec<String>, BTreeMap<String, String>) {
    let composed = mcp.compose(&tenant("ada")).await;
    assert_eq!(composed.down, []);
    let names = composed.offers.iter().map(|offer| offer.spec.name.clone()).collect();
    let held = composed.held_back.iter().map(|held| (held.tool.clone(), held.why.clone()));
    (names, held.collect())
}

/// Why the only server is down.
pub(crate) async fn down(mcp: &Mcp) -> String {
    let composed = mcp.compose(&tenant("ada")).await;
    let [(_, why)] = &composed.down[..] else { panic!("{composed:?}") };
    why.clone()
}

/// Waits until something is so, which is soon or never.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let came = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(came.is_ok(), "{what} did not come");
}

pub(crate) fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}
