//! Tools that an operator declares: a request to one address, described for a model.
//!
//! The host is the operator's and never the model's: fields of the input come into the
//! path, the query and the body, each as one value. A secret is resolved when the request
//! is sent and blanked out of what comes back. Where a place for it is declared, the key of
//! the call goes along, so that a request that is sent twice acts once; without a place no
//! tool is idempotent. After a crash a reconcile address tells what became of a call.

mod exchange;
mod request;
mod template;

pub use template::{BadTemplate, IDEMPOTENCY_KEY, Template};

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox};
use guard::url::{Policy, Target, check};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use kernel::units::UnixMs;
use kernel::verdict::{Examined, Judgement, Verdict};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use secrets::{Handle, Secrets};
use serde_json::Value;

use crate::outward::Resolve;
use crate::schema::Schemas;

/// The name under which these tools decide.
const BY: &str = "http_tools";

/// What the deadline of a call is longer than the tool's own time limit, in milliseconds:
/// a second try after a refused secret, and the question what became of it.
const DEADLINE_SLACK_MS: u64 = 5_000;

/// One declared tool.
#[derive(Clone, Debug)]
pub struct HttpTool {
    /// The name that models use.
    pub name: String,
    /// What it is for, to models.
    pub description: String,
    /// JSON Schema of its input: an object.
    pub input: Value,
    /// The request's method.
    pub method: Method,
    /// Where the request goes.
    pub url: Template,
    /// Headers sent with each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body: JSON in which a text `{field}` stands for a field of the input. `None`:
    /// for methods that have a body, the fields that the address does not use.
    pub body: Option<Value>,
    /// What running a call twice would mean, as it was declared.
    pub effect: Effect,
    /// A secret that goes into a header.
    pub secret: Option<SecretHeader>,
    /// The header that takes the key of a call.
    pub idempotency_header: Option<HeaderName>,
    /// Where to ask what became of a call: 200 with its result, or 404.
    pub reconcile_url: Option<Template>,
    /// Time for one exchange, in milliseconds.
    pub timeout_ms: u64,
    /// Whether the host may have a private address.
    pub allow_private: bool,
    /// Whether what comes back are words of people whom nobody vouches for.
    pub untrusted: bool,
    /// Whether it must not run on untrusted words without somebody's consent.
    pub sensitive: bool,
    /// The longest result shown to a model, in bytes.
    pub output_bytes_max: u64,
}

/// A secret in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHeader {
    /// Which one.
    pub handle: Handle,
    /// The header.
    pub header: HeaderName,
    /// What stands before it: `Bearer `, for example.
    pub prefix: String,
}

/// What declared tools need from outside.
#[derive(Clone, Debug)]
pub struct HttpOutside {
    /// Where secrets are.
    pub secrets: Secrets,
    /// Turns names into addresses.
    pub resolver: Arc<dyn Resolve>,
    /// The time.
    pub now: fn() -> UnixMs,
}

/// The declared tools.
#[derive(Debug)]
pub struct HttpTools {
    tools: BTreeMap<String, HttpTool>,
    outside: HttpOutside,
    schemas: Schemas,
}

impl HttpTools {
    /// The tools by their names. Nothing is connected.
    #[must_use]
    pub fn new(tools: Vec<HttpTool>, outside: HttpOutside) -> Self {
        let tools = tools.into_iter().map(|tool| (tool.name.clone(), tool)).collect();
        HttpTools { tools, outside, schemas: Schemas::default() }
    }

    /// The tool and its input, where that fits; words for the model otherwise.
    fn checked(&self, tool: &HttpTool, call: &ToolCall) -> Result<Value, String> {
        let input: Value = call
            .arguments
            .read()
            .map_err(|error| format!("the input cannot be read as JSON: {error}"))?;
        self.schemas.check(&tool.name, &call.spec.input_schema, &input)?;
        Ok(input)
    }
}

impl HttpTool {
    /// The tool as a session freezes it.
    #[must_use]
    pub fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.clone(),
            description: self.description.clone(),
            input_schema: self.input.clone(),
            effect: EffectRule::Always(self.class()),
            deadline_ms: 2 * self.timeout_ms + DEADLINE_SLACK_MS,
            output_bytes_max: self.output_bytes_max,
            untrusted: self.untrusted,
            sensitive: self.sensitive,
        }
    }

    /// The class that it really has: where the key of a call goes nowhere, nobody could
    /// tell that a request came before.
    #[must_use]
    pub fn class(&self) -> Effect {
        match self.effect {
            Effect::Idempotent if !self.takes_key() => Effect::Effect,
            declared @ (Effect::Read | Effect::Idempotent | Effect::Effect) => declared,
        }
    }

    fn takes_key(&self) -> bool {
        self.idempotency_header.is_some() || self.url.has(IDEMPOTENCY_KEY)
    }

    /// Only where the operator said, and nowhere else.
    fn policy(&self, template: &Template) -> Policy {
        Policy {
            allow_hosts: vec![template.host().to_owned()],
            allow_schemes: vec![template.scheme().to_owned()],
            allow_ports: vec![template.port()],
            deny_private: !self.allow_private,
        }
    }

    /// The place that a call goes to, judged. No name is resolved.
    fn target(
        &self,
        template: &Template,
        input: &Value,
        key: &str,
    ) -> Result<(Target, Policy), Judgement> {
        let denied = |words: String| Judgement::new(Verdict::Deny, BY, words);
        let url = template.fill(input, key).map_err(denied)?;
        let policy = self.policy(template);
        Ok((check(&url, &policy)?, policy))
    }
}

#[async_trait]
impl Toolbox for HttpTools {
    fn specs(&self) -> Vec<ToolSpec> {
        self.tools.values().map(HttpTool::spec).collect()
    }

    async fn examine(&self, call: &ToolCall) -> Examined {
        let Some(tool) = self.tools.get(&call.spec.name) else {
            return Examined::nothing();
        };
        let Ok(input) = self.checked(tool, call) else {
            // It will not run: the model is told what does not fit.
            return Examined::nothing();
        };
        let judgement = match tool.target(&tool.url, &input, &call.key) {
            Ok(_) => Judgement::allow(),
            Err(refused) => refused,
        };
        let mut examined = Examined::judged(judgement);
        examined.hosts.insert(tool.url.host().to_owned());
        examined
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        let Some(tool) = self.tools.get(&call.spec.name) else {
            return Err(ToolError::Gone(call.spec.name.clone()));
        };
        match self.checked(tool, call) {
            Ok(input) => exchange::run(tool, &self.outside, call, &input).await,
            Err(words) => Ok(ToolOutput::error(words)),
        }
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        let Some(tool) = self.tools.get(&call.spec.name) else {
            return Reconciled::Unknown(format!("there is no tool `{}` here", call.spec.name));
        };
        match self.checked(tool, call) {
            Ok(input) => exchange::reconcile(tool, &self.outside, call, &input).await,
            // What does not fit the schema was never sent.
            Err(_) => Reconciled::NotDone,
        }
    }
}

#[cfg(test)]
mod tests;
