//! Stand-ins for tests and benches that are not about policies or redaction: everything is
//! allowed, and nothing is blanked.

use std::sync::Arc;

use kernel::verdict::Judgement;

use crate::audit::Redact;
use crate::ports::{Policy, Question};

/// Redacts nothing.
#[must_use]
pub fn plain() -> Arc<Redact> {
    Arc::new(|_, _, text| text.to_owned())
}

/// Allows everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Permissive;

impl Policy for Permissive {
    fn judge(&self, _question: &Question<'_>) -> Judgement {
        Judgement::allow()
    }
}
