//! Asks the judges about the best two fixes, where evidence does not tell them apart or the finding is critical.

use conclave_core::brief::Brief;
use conclave_core::id::RunId;
use conclave_core::judgement::Judgement;
use conclave_core::record::Record;
use conclave_core::resolution::{Work, undecided};
use conclave_core::tier::RunPlan;
use serde::{Deserialize, Serialize};

use crate::ctx::Ctx;
use crate::judge::{JUDGES, Pair};
use crate::learn;
use crate::source::Sources;

/// What the conclusion is drawn with, beside the fixes and their evidence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Opinions {
    /// What the judges said.
    pub judgements: Vec<Judgement>,
    /// What was known of earlier fixes at the time, so that the conclusion can be drawn again.
    pub record: Record,
}

/// The judges' words on `work`; none where there is nothing to tell apart.
pub(crate) async fn judge(
    cx: &Ctx,
    run: &RunId,
    brief: &Brief,
    (sources, plan): (&Sources, &RunPlan),
    work: &Work,
) -> Opinions {
    let record = learn::recorded(cx, &sources.root()).await;
    let mut judgements = Vec::new();
    let fixes = if plan.design.is_bare() { None } else { undecided(&brief.finding, work, &record) };
    if let Some(fixes) = fixes {
        let pair = Pair { cx, run, brief, sources, plan, fixes: &fixes };
        for judge in JUDGES {
            judgements.extend(judge(&pair).await);
        }
    }
    Opinions { judgements, record }
}
