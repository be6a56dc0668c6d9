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
}

impl TenantTools {
    /// Asks every server now.
    pub async fn compose(mcp: Arc<Mcp>, tenant: Tenant) -> Self {
        let composed = mcp.compose(&tenant).await;
        TenantTools { mcp, tenant, composed }
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
        self.composed.offers.iter().map(|offer| offer.spec.clone()).collect()
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
