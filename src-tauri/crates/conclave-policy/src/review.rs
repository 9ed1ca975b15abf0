//! The second look at a sampled request.

use std::future::Future;
use std::pin::Pin;

use crate::{Decision, Reviewed, ToolRequest};

/// What a reviewer says of a sampled request.
#[derive(Clone, Debug, PartialEq)]
pub enum Review {
    /// Nothing speaks against it. A model's word holds only [inside the envelope](crate::inside_envelope); the gate sees
    /// to that.
    Allow {
        /// Who says so.
        by: Reviewed,
        /// The [digest](ToolRequest::digest) of the request that was looked at: an approval is good for that one only.
        digest: String,
    },
    /// It must not happen.
    Deny {
        /// Why, in words for people.
        reason: String,
        /// Who says so; `None` when nobody could be asked.
        by: Option<Reviewed>,
    },
}

/// What a reviewer is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What somebody wants done.
    pub request: &'a ToolRequest,
    /// The decision *sample*, with the rule and the reason.
    pub decision: &'a Decision,
    /// What the rule's author wants looked at.
    pub guidance: Option<&'a str>,
    /// The reviewer that the rule's author named: an endpoint of the settings, or `person`.
    pub provider: Option<&'a str>,
    /// Changes whenever anything about the rule changes.
    pub rule_digest: &'a str,
}

/// Where nobody is there to look: whatever is sampled is refused.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Reviewer for Nobody {
    fn review<'a>(&'a self, _: Question<'a>) -> Pin<Box<dyn Future<Output = Review> + Send + 'a>> {
        Box::pin(async { Review::Deny { reason: "nobody is there to review it".to_owned(), by: None } })
    }
}

/// Somebody who looks at sampled requests.
///
/// A reviewer only ever narrows: it is asked about nothing that a rule denies, and what it allows was already inside
/// what a rule would let be sampled.
pub trait Reviewer: Send + Sync {
    /// Looks at a request that a rule samples.
    fn review<'a>(&'a self, question: Question<'a>) -> Pin<Box<dyn Future<Output = Review> + Send + 'a>>;
}
