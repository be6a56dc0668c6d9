//! A policy for tests and benches that are not about policies: everything is allowed.

use kernel::verdict::Judgement;

use crate::ports::{Policy, Question};

/// Allows everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Permissive;

impl Policy for Permissive {
    fn judge(&self, _question: &Question<'_>) -> Judgement {
        Judgement::allow()
    }
}
