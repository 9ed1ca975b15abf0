//! `conclave plan`.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{PlanRuns, PlanView};

use super::call;
use crate::args::Plan;
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, plan: &Plan) -> Result<Exit, ApiError> {
    let request = PlanRuns {
        findings: plan.ids.clone(),
        project: plan.project.as_ref().map(|root| api.project_at(root)).transpose()?.map(|id| id.to_string()),
        severity: plan.severity,
        budget: plan.budget,
        most: plan.most,
    };
    let view: PlanView = call(api, "plan_runs", &request).await?;
    output.plan(&view);
    Ok(Exit::Done)
}
