//! What is blanked before anything leaves this process, as the engine asks for it.

use std::sync::Arc;

use engine::audit::Redact;
use kernel::units::Tenant;
use redact::Redactor;

use crate::config::Redaction;

/// Blanks texts by tenant and environment. The rules are compiled when the first text
/// comes, and shared from then on.
pub(super) fn redactor(redaction: &Redaction) -> Arc<Redact> {
    let redaction = redaction.clone();
    Arc::new(move |tenant: &Tenant, environment: &str, text: &str| {
        Redactor::new(&redaction.classes(&tenant.0, environment)).text(text).into_owned()
    })
}
