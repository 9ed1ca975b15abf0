//! What runs would take; nothing is sent.

use conclave_core::finding::Status;
use conclave_engine::plan::{self, Cost, Planned, Range, Taken, Wish};

use crate::api::{Api, parallel};
use crate::error::ApiError;
use crate::show;
use crate::view::{DeferredRun, MoneyRange, PlanRuns, PlanView, PlannedCost, PlannedRun, PlannedSeat, RunFix};

pub(crate) async fn plan_runs(api: &Api, request: PlanRuns) -> Result<PlanView, ApiError> {
    let findings = if request.findings.is_empty() {
        let open = RunFix { project: request.project, severity: request.severity, ..RunFix::default() };
        super::chosen(api, &open, &Status::STANDING)?
    } else {
        request.findings.iter().map(|text| api.finding_id(text)).collect::<Result<_, _>>()?
    };
    let most = request.most.map(|most| most as usize);
    let wish = Wish { findings, budget: request.budget, most, parallel: parallel() };
    let plan = plan::plan(api.cx(), &wish).await?;
    let deferred = plan.deferred.into_iter();
    Ok(PlanView {
        chosen: plan.chosen.iter().map(run).collect(),
        deferred: deferred.map(|one| DeferredRun { finding: show::row(&one.finding), why: one.why }).collect(),
        cost: cost(&plan.cost),
        analysis_s: plan.analysis_s,
        parallel: count(wish.parallel),
    })
}

fn run(planned: &Planned) -> PlannedRun {
    let seats = planned.seats.iter().map(|seat| {
        let (model, fill, cost) = match &seat.taken {
            Taken::By(model, cost) => (Some(model.clone()), None, cost.map(range)),
            Taken::Nobody(fill) => (None, Some(fill.clone()), None),
        };
        PlannedSeat { role: seat.role, label: seat.role.label().to_owned(), model, fill, cost, waits: seat.waits }
    });
    let seats: Vec<PlannedSeat> = seats.collect();
    PlannedRun {
        finding: show::row(&planned.finding),
        filled: count(seats.iter().filter(|seat| seat.model.is_some()).count()),
        seats,
        unpaid: planned.unpaid.clone(),
        cost: cost(&planned.cost),
        cap: planned.cap,
        analysis_s: planned.analysis_s,
    }
}

pub(super) fn cost(cost: &Cost) -> PlannedCost {
    PlannedCost { known: range(cost.known), unknown: cost.unknown }
}

fn range(range: Range) -> MoneyRange {
    MoneyRange { low: range.low, high: range.high }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
