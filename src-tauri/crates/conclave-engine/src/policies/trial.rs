//! What the policy says of a request, and what another one would have said of those on record. Nothing is recorded.

use conclave_policy::{AmbiguousInput, Decision, Explanation, LoadError, ToolRequest, parse_request};
use conclave_store::{DecisionQuery, StoreError};

use super::{check, roots};
use crate::ctx::Ctx;

/// Entries that are read at a time.
const PAGE: u32 = 1000;

/// What another policy would have decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// How many recorded requests were judged again.
    pub checked: u32,
    /// Those on which the two policies differ, newest first.
    pub changed: Vec<Changed>,
}

/// A recorded request on which another policy says something else.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// Its entry in the ledger.
    pub seq: u64,
    /// When it was asked, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What was asked.
    pub request: ToolRequest,
    /// What the rules in force say of it.
    pub before: Decision,
    /// What the other rules say.
    pub after: Decision,
}

/// Why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The text is no policy.
    #[error(transparent)]
    Policy(#[from] LoadError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the policy in force says of the request in `text`, rule by rule.
///
/// # Errors
/// The text is no request, or can be read in more than one way.
pub fn explain(cx: &Ctx, text: &str) -> Result<(ToolRequest, Explanation), AmbiguousInput> {
    let request = parse_request(text)?;
    let explanation = cx.gate.policies().current().explain(&request, cx.now_ms());
    Ok((request, explanation))
}

/// What `user` in the place of the person's own file would decide otherwise on the last `limit` recorded requests.
///
/// # Errors
/// See [`TrialError`].
pub fn simulate(cx: &Ctx, user: &str, limit: u32) -> Result<Simulation, TrialError> {
    check(cx, user)?;
    let other = cx.policy.with(&roots(cx)?, Some(user)).policy;
    let current = cx.gate.policies().current();
    let mut simulation = Simulation { checked: 0, changed: Vec::new() };
    let mut before = None;
    while simulation.checked < limit {
        let query = DecisionQuery { before, limit: PAGE.min(limit - simulation.checked), ..DecisionQuery::default() };
        let page = cx.store.decisions(&query)?;
        for row in page.rows {
            simulation.checked += 1;
            let [now, then] = [&*current, &other].map(|policy| policy.evaluate(&row.request, row.at_ms));
            if now.effect != then.effect {
                let (seq, at_ms, request) = (row.seq, row.at_ms, row.request);
                simulation.changed.push(Changed { seq, at_ms, request, before: now, after: then });
            }
        }
        let Some(next) = page.next else { break };
        before = Some(next);
    }
    Ok(simulation)
}
