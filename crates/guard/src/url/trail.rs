//! A request with its redirects: how many, and whether they come back to where they were.

use std::collections::BTreeSet;

use kernel::verdict::Judgement;
use url::Url;

use super::{Policy, REDIRECTS_MAX, Target, denied};

/// Where a request has been.
#[derive(Clone, Debug)]
pub struct Trail {
    seen: BTreeSet<String>,
    hops: usize,
}

impl Trail {
    /// A request that begins at a target.
    #[must_use]
    pub fn new(first: &Target) -> Self {
        Trail { seen: BTreeSet::from([page(first.url())]), hops: 0 }
    }

    /// Follows a redirect from `here`. The target that it leads to has to be resolved and
    /// checked like the first one.
    ///
    /// # Errors
    /// The denial with its reason: too many redirects, a circle, or a target that is not
    /// allowed.
    pub fn follow(
        &mut self,
        here: &Target,
        location: &str,
        policy: &Policy,
    ) -> Result<Target, Judgement> {
        if self.hops == REDIRECTS_MAX {
            return Err(denied(format!("more than {REDIRECTS_MAX} redirects")));
        }
        self.hops += 1;
        let next = here.redirected(location, policy)?;
        if !self.seen.insert(page(next.url())) {
            return Err(denied(format!("the redirects go round in circles at {}", next.url())));
        }
        Ok(next)
    }
}

/// What a server sees of a URL.
fn page(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.into()
}
