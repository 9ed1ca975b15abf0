//! `conclave demo`.

use conclave_api::Api;
use conclave_api::batch::{Consent, Which};
use conclave_api::error::ApiError;
use conclave_api::view::{Nothing, ProjectView};

use super::call;
use crate::exit::Exit;
use crate::output::progress::Progress;
use crate::output::{Output, Report};

pub(super) async fn run(api: &Api, output: &Output) -> Result<Exit, ApiError> {
    let project: ProjectView = call(api, "open_demo", &Nothing {}).await?;
    let which = Which::Open { project: Some(project.id.clone()), severity: None };
    let progress = Progress::follow(api, output.format());
    let report = api.fix(&which, Consent::Nothing).await;
    progress.stop();
    let mut report = report?;
    report.scans.clone_from(&project.scans);
    output.fixes(Report::Demo { root: &project.root }, &report);
    Ok(if report.scan_failed() || report.failed > 0 { Exit::Unknown } else { Exit::Done })
}
