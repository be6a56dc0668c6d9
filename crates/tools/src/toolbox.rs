//! The toolbox: names to tools, and the check that stands before each of them.

use std::sync::Arc;

use async_trait::async_trait;
use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox};
use kernel::agent::ToolSpec;
use kernel::verdict::Examined;
use serde_json::Value;

use crate::builtin::{self, Machine, Parts, Tool};
use crate::effects::{Effects, OnStep};
use crate::http::Http;
use crate::schema::Schemas;
use crate::settings::Settings;

/// The built-in tools. Cheap to make: nothing is opened, compiled or connected before a
/// call needs it.
#[derive(Debug)]
pub struct Builtin {
    parts: Arc<Parts>,
    schemas: Schemas,
}

impl Builtin {
    /// The tools with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::watched(settings, Arc::new(|_| Ok(())))
    }

    /// The same, told of each step of an effect.
    pub(crate) fn watched(settings: Settings, on_step: OnStep) -> Self {
        let effects = Effects::new(&settings.state_dir, on_step);
        let http = Http::new(settings.http);
        let machine = Machine::default();
        Builtin {
            parts: Arc::new(Parts { settings, http, effects, machine }),
            schemas: Schemas::default(),
        }
    }

    /// The input as a tree, where it fits the schema; words for the model otherwise.
    fn checked(&self, call: &ToolCall) -> Result<Value, String> {
        let input: Value = call
            .arguments
            .read()
            .map_err(|error| format!("the input cannot be read as JSON: {error}"))?;
        self.schemas.check(&call.spec.name, &call.spec.input_schema, &input)?;
        Ok(input)
    }
}

#[async_trait]
impl Toolbox for Builtin {
    fn specs(&self) -> Vec<ToolSpec> {
        builtin::specs_with(&self.parts.settings.bash)
    }

    async fn examine(&self, call: &ToolCall) -> Examined {
        match (Tool::named(&call.spec.name), self.checked(call)) {
            (Some(tool), Ok(input)) => tool.examine(&self.parts, call, &input),
            // It will not run: the answer is that there is no such tool, or the schema's.
            (_, _) => Examined::nothing(),
        }
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        let Some(tool) = Tool::named(&call.spec.name) else {
            return Err(ToolError::Gone(call.spec.name.clone()));
        };
        match self.checked(call) {
            Ok(input) => tool.run(&self.parts, call, input).await,
            Err(words) => Ok(ToolOutput::error(words)),
        }
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        let Some(tool) = Tool::named(&call.spec.name) else {
            return Reconciled::Unknown(format!("there is no tool `{}` here", call.spec.name));
        };
        match self.checked(call) {
            Ok(input) => tool.reconcile(&self.parts, call, input).await,
            // What does not fit the schema never ran.
            Err(_) => Reconciled::NotDone,
        }
    }
}

#[cfg(test)]
mod tests;
