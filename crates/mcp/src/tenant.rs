//! One tenant's tools behind the engine's port.

use std::sync::Arc;

use async_trait::async_trait;
use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox};
use kernel::agent::ToolSpec;
use kernel::units::Tenant;
use kernel::verdict::{Examined, Judgement, Verdict};

use crate::mcp::{Composed, Mcp};

/// The tools of one tenant, as they were composed.
#[derive(Clone, Debug)]
pub struct TenantTools {
    mcp: Arc<Mcp>,
    tenant: Tenant,
    composed: Composed,
    /// Tools of running sessions that are not offered to new ones.
    frozen: Vec<ToolSpec>,
}

impl TenantTools {
    /// Asks every server now.
    pub async fn compose(mcp: Arc<Mcp>, tenant: Tenant) -> Self {
        let composed = mcp.compose(&tenant).await;
        TenantTools { mcp, tenant, composed, frozen: Vec::new() }
    }

    /// The same, answering for the tools of a session that began earlier as well, offered
    /// or not: a tool that changed since asks, and one that is gone says so.
    #[must_use]
    pub fn with_frozen(mut self, tools: &[ToolSpec]) -> Self {
        let offered = |name: &str| self.composed.offers.iter().any(|one| one.spec.name == name);
        let missing = tools.iter().filter(|spec| self.mcp.has(&spec.name) && !offered(&spec.name));
        self.frozen = missing.cloned().collect();
        self
    }

    /// What the servers offered.
    #[must_use]
    pub fn composed(&self) -> &Composed {
        &self.composed
    }
}

#[async_trait]
impl Toolbox for TenantTools {
    fn specs(&self) -> Vec<ToolSpec> {
        let offered = self.composed.offers.iter().map(|offer| offer.spec.clone());
        offered.chain(self.frozen.iter().cloned()).collect()
    }

    async fn examine(&self, call: &ToolCall) -> Examined {
        if call.tenant != self.tenant {
            let words = "these tools belong to another tenant";
            return Examined::judged(Judgement::new(Verdict::Deny, "mcp", words));
        }
        self.mcp.examine(call).await
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        if call.tenant != self.tenant {
            return Err(ToolError::Gone(call.spec.name.clone()));
        }
        self.mcp.run(call).await
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        self.mcp.reconcile(call).await
    }
}
