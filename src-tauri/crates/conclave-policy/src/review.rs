//! The second look at a sampled request.

use std::future::Future;
use std::pin::Pin;

use crate::ToolRequest;

/// What a reviewer says of a sampled request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Review {
    /// Nothing speaks against it.
    Allow,
    /// It must not happen, for this reason.
    Deny(String),
}

/// Somebody who looks at sampled requests.
///
/// A reviewer only ever narrows: it is asked about nothing that a rule denies, and what it allows was already inside
/// what a rule would let be sampled.
pub trait Reviewer: Send + Sync {
    /// Looks at `request`, which the rule `rule` samples.
    fn review<'a>(
        &'a self,
        request: &'a ToolRequest,
        rule: &'a str,
    ) -> Pin<Box<dyn Future<Output = Review> + Send + 'a>>;
}
