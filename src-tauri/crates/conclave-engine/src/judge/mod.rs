//! Judges: who is asked when evidence does not tell two fixes apart. One file each, one line in the registry.
//!
//! A judge's word is an opinion with a bounded weight (`conclave_core::judgement`). Invariant: a judge sees code and
//! never authors, votes, checks or what an author says of its own fix.

mod model;

use std::pin::Pin;

use conclave_core::brief::Brief;
use conclave_core::id::RunId;
use conclave_core::judgement::Judgement;
use conclave_core::resolution::Judged;
use conclave_core::tier::RunPlan;

use crate::ctx::Ctx;
use crate::source::Sources;

/// Two fixes to be told apart.
pub(crate) struct Pair<'a> {
    pub(crate) cx: &'a Ctx,
    pub(crate) run: &'a RunId,
    pub(crate) brief: &'a Brief,
    pub(crate) sources: &'a Sources,
    pub(crate) plan: &'a RunPlan,
    pub(crate) fixes: &'a [Judged; 2],
}

pub(crate) use model::changes;

type Judge = for<'a> fn(&'a Pair<'a>) -> Pin<Box<dyn Future<Output = Option<Judgement>> + Send + 'a>>;

/// All judges.
pub(crate) const JUDGES: &[Judge] = &[|pair| Box::pin(model::judge(pair))];
