//! What people say of fixes, and what was learned.

use conclave_core::id::CandidateId;
use conclave_core::money::Money;
use conclave_engine::learn::insights::{self, Approval, Insights, Reliability};
use conclave_engine::learn::{self, Client};
use conclave_store::Rating;

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    AcceptedView, ApprovalView, CalibrationView, FixCostView, GetFinding, GetInsights, InsightsView, LearnedView,
    LearningReset, ManualCostView, PatternView, RateFix, RatingList, RatingView, ReliabilityBin, ResetLearning,
    ShareView, TimeToFix,
};

/// The longest note of a person, in bytes.
const LONGEST_NOTE: usize = 4096;

pub(crate) async fn rate_fix(api: &Api, request: RateFix) -> Result<RatingView, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    if request.note.len() > LONGEST_NOTE {
        return Err(ApiError::new(ErrorCode::BadRequest, format!("the note is longer than {LONGEST_NOTE} bytes"))
            .with_hint("say it in fewer words"));
    }
    let RateFix { fix, thumb, mut reasons, note, .. } = request;
    reasons.sort_unstable();
    reasons.dedup();
    let rating = Rating { thumb, reasons, note };
    let fix = learn::rate(api.cx(), &finding, fix.map(CandidateId::new).as_ref(), &rating)?;
    Ok(view(finding.as_str(), &fix, rating))
}

pub(crate) async fn list_ratings(api: &Api, request: GetFinding) -> Result<RatingList, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let ratings = learn::ratings(api.cx(), &finding)?;
    Ok(RatingList { ratings: ratings.into_iter().map(|(fix, rating)| view(finding.as_str(), &fix, rating)).collect() })
}

fn view(finding: &str, fix: &CandidateId, rating: Rating) -> RatingView {
    let Rating { thumb, reasons, note } = rating;
    RatingView { finding: finding.to_owned(), fix: fix.to_string(), thumb, reasons, note }
}

pub(crate) async fn get_insights(api: &Api, request: GetInsights) -> Result<InsightsView, ApiError> {
    let settings = api.cx().settings();
    let name = request.client.unwrap_or_default();
    let client = Client::named(&settings, &name).ok_or_else(|| no_client(&name))?;
    let found = insights::insights(api.cx(), &name).await?;
    let accepted: u32 = found.accepted.values().sum();
    let each = &settings.manual_cost;
    Ok(InsightsView {
        client: Some(name).filter(|name| !name.is_empty()),
        clients: settings.clients.keys().cloned().collect(),
        refused: client.refused,
        fixes: found.fixes,
        labelled: found.labelled,
        calibration: calibration(&found),
        time_to_fix: found.time_to_fix.map(|(n, median_ms)| TimeToFix { n, median_ms }),
        cost: FixCostView {
            accepted: found.accepted.into_iter().map(|(severity, n)| AcceptedView { severity, n }).collect(),
            spent: found.spent,
            per_fix: found.spent.micros().checked_div(accepted.into()).map(Money::from_micros),
            by_hand: found.by_hand,
            manual: ManualCostView { critical: each.critical, high: each.high, medium: each.medium },
        },
        approval: approval(found.approval),
        rules: found.rules.into_iter().map(approval).collect(),
        authors: found.authors.into_iter().map(approval).collect(),
        reliability: found.reliability.into_iter().map(bin).collect(),
        learned: found
            .learned
            .into_iter()
            .map(|one| LearnedView {
                author: one.author,
                family: one.family,
                label: one.family.label().to_owned(),
                n: one.n,
                right: one.right,
                said: one.said,
                mean: one.mean,
                start: one.start,
            })
            .collect(),
        patterns: found
            .patterns
            .into_iter()
            .map(|one| PatternView {
                weakness: one.vulnerability_type,
                signature: one.signature,
                consensus: one.consensus,
                used: one.times_used,
                success: one.success_rate,
                last_used_at: one.last_used,
            })
            .collect(),
        edge_cases: found.edge_cases,
        fault: found.fault,
    })
}

pub(crate) async fn reset_learning(api: &Api, request: ResetLearning) -> Result<LearningReset, ApiError> {
    let client = match request {
        ResetLearning::Everybody => None,
        ResetLearning::Nobody => Some(String::new()),
        // A client that the settings no longer name may have left rows behind.
        ResetLearning::Client { name } => Some(name),
    };
    Ok(LearningReset { rows: learn::reset(api.cx(), client.as_deref())? })
}

pub(super) fn no_client(name: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no client `{name}`"))
        .with_hint("`clients` in the settings names them")
}

fn calibration(found: &Insights) -> Option<CalibrationView> {
    Some(CalibrationView { n: found.labelled, brier: found.brier?, ece: found.ece? })
}

fn approval(one: Approval) -> ApprovalView {
    let Approval { name, accepted, rejected, share } = one;
    ApprovalView { name, accepted, rejected, share: share.map(self::share) }
}

fn bin(one: Reliability) -> ReliabilityBin {
    ReliabilityBin { n: one.n, said: one.said, was: share(one.was) }
}

fn share((p, low, high): (f64, f64, f64)) -> ShareView {
    ShareView { p, low, high }
}
