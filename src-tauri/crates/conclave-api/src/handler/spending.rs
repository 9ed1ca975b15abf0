//! What was spent on models, and what may be.

use std::collections::HashMap;

use conclave_core::finding::Severity;
use conclave_core::id::RunId;
use conclave_core::money::Money;
use conclave_core::settings::{BudgetSetting, ManualCost};
use conclave_engine::spending::{self, ByHand};
use conclave_engine::{day, model_edit};
use conclave_store::{SpendBy, SpendTotal};

use crate::api::Api;
use crate::error::ApiError;
use crate::view::{
    BudgetView, ComparisonView, FindingSpending, GetSpending, ManualCostView, SpendOf, SpendSum, SpendingView,
    TierLimit,
};

/// More models and projects than anybody has.
const MOST: u32 = 10_000;

pub(crate) async fn get_spending(api: &Api, request: GetSpending) -> Result<SpendingView, ApiError> {
    let (store, settings) = (&api.cx().store, api.cx().settings());
    let today = api.cx().gate.clock().today();
    let days = store.spend_totals(SpendBy::Day, 31)?;
    let since = |first: i64| {
        let days = days.iter().filter(|(day, _)| day.parse::<i64>().is_ok_and(|day| day >= first));
        days.fold(SpendSum::default(), |sum, (_, day)| plus(sum, show(day)))
    };
    let total = store.spend_total(&conclave_store::SpendOf::All)?;
    let projects: HashMap<String, String> =
        store.projects()?.into_iter().map(|project| (project.id.to_string(), project.name)).collect();
    let named = |(id, total): (String, SpendTotal)| {
        let name = projects.get(&id).unwrap_or(&id).clone();
        SpendOf { name, id, sum: show(&total) }
    };
    let ByHand { critical, high, medium, cost } = spending::fixed_by_hand(api.cx())?;
    Ok(SpendingView {
        today: since(today),
        month: since(day::month(today)),
        total: show(&total),
        models: store.spend_totals(SpendBy::Provider, MOST)?.into_iter().map(named).collect(),
        models_this_month: store.spend_since(day::month(today))?.into_iter().map(named).collect(),
        projects: store.spend_totals(SpendBy::Project, MOST)?.into_iter().map(named).collect(),
        budget: budget(&settings.budget, &settings.manual_cost),
        tiers: Severity::ALL.map(|severity| TierLimit { severity, most: settings.tiers.of(severity).cap }).to_vec(),
        comparison: ComparisonView { critical, high, medium, manual: cost, spent: total.spent },
        finding: request.finding.map(|finding| of_finding(api, &finding)).transpose()?,
    })
}

pub(crate) async fn save_budget(api: &Api, request: BudgetView) -> Result<SpendingView, ApiError> {
    let BudgetView { per_call, per_finding, per_run, per_day, per_project, manual } = request;
    let caps = BudgetSetting { per_call, per_finding, per_run, per_day, per_project };
    let ManualCostView { critical, high, medium } = manual;
    model_edit::budget(api.cx(), &caps, &ManualCost { critical, high, medium }).await?;
    get_spending(api, GetSpending::default()).await
}

fn of_finding(api: &Api, finding: &str) -> Result<FindingSpending, ApiError> {
    let store = &api.cx().store;
    let id = api.finding_id(finding)?;
    let run = store.resolution(&id)?.map(|resolution| of_run(api, &resolution.run));
    let manual = &api.cx().settings().manual_cost;
    let severity = store.finding(&id)?.map(|stored| stored.finding.detection.severity);
    Ok(FindingSpending {
        finding: id.to_string(),
        total: show(&store.spend_total(&conclave_store::SpendOf::Finding(id))?),
        run: run.transpose()?,
        manual: severity.and_then(|severity| spending::by_hand(manual, severity)),
    })
}

/// What the calls of `run` cost together.
pub(super) fn of_run(api: &Api, run: &RunId) -> Result<SpendSum, ApiError> {
    Ok(show(&api.cx().store.spend_total(&conclave_store::SpendOf::Run(run.clone()))?))
}

fn budget(caps: &BudgetSetting, manual: &ManualCost) -> BudgetView {
    BudgetView {
        per_call: caps.per_call,
        per_finding: caps.per_finding,
        per_run: caps.per_run,
        per_day: caps.per_day,
        per_project: caps.per_project,
        manual: ManualCostView { critical: manual.critical, high: manual.high, medium: manual.medium },
    }
}

fn show(total: &SpendTotal) -> SpendSum {
    SpendSum {
        calls: total.calls,
        open: total.open,
        unknown: total.unknown,
        estimated: total.estimated,
        reserved: total.reserved,
        spent: total.spent,
        assumed: total.assumed,
        input_tokens: total.tokens.input,
        cached_tokens: total.tokens.cached,
        output_tokens: total.tokens.output,
        reasoning_tokens: total.tokens.reasoning,
    }
}

/// Both together. The store counts the same calls in one sum that it keeps, so it fits.
fn plus(one: SpendSum, other: SpendSum) -> SpendSum {
    let money = |one: Money, other: Money| Money::from_micros(one.micros().saturating_add(other.micros()));
    SpendSum {
        calls: one.calls + other.calls,
        open: one.open + other.open,
        unknown: one.unknown + other.unknown,
        estimated: money(one.estimated, other.estimated),
        reserved: money(one.reserved, other.reserved),
        spent: money(one.spent, other.spent),
        assumed: money(one.assumed, other.assumed),
        input_tokens: one.input_tokens + other.input_tokens,
        cached_tokens: one.cached_tokens + other.cached_tokens,
        output_tokens: one.output_tokens + other.output_tokens,
        reasoning_tokens: one.reasoning_tokens + other.reasoning_tokens,
    }
}
