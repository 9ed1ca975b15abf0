//! `conclave fix`.

use conclave_api::Api;
use conclave_api::batch::{Consent, FixReport, Which};
use conclave_api::error::{ApiError, ErrorCode};

use crate::args::{Fix, Format};
use crate::exit::Exit;
use crate::output::progress::Progress;
use crate::output::{Output, Report};

pub(super) async fn run(api: &Api, output: &Output, fix: &Fix) -> Result<Exit, ApiError> {
    let consent = match (fix.apply, fix.safe_only) {
        (false, _) => Consent::Nothing,
        (true, true) => Consent::SafeOnly,
        (true, false) => Consent::Recommended,
    };
    let progress = Progress::follow(api, output.format());
    let report = match (&fix.sarif, &fix.project) {
        (Some(log), Some(project)) => api.fix_log(log.clone(), project, fix.severity, consent).await,
        _ => match which(api, fix) {
            Ok(which) => api.fix(&which, consent).await,
            Err(error) => Err(error),
        },
    };
    progress.stop();
    let report = report?;
    if output.format() == Format::Sarif {
        let ids: Vec<String> = report.resolutions.iter().map(|item| item.finding.id.clone()).collect();
        output.raw(&api.sarif(&ids, &report.failures())?);
    } else {
        output.fixes(Report::Fix { consent }, &report);
    }
    Ok(exit(fix, &report))
}

fn which(api: &Api, fix: &Fix) -> Result<Which, ApiError> {
    if let Some(id) = &fix.id {
        return Ok(Which::Named(vec![id.clone()]));
    }
    let project = match &fix.project {
        Some(root) => Some(api.project_at(root)?.to_string()),
        None => only_project(api)?,
    };
    Ok(Which::Open { project, severity: fix.severity })
}

/// The one project in the list, or of several the one around the current folder: consent has to say which is meant.
fn only_project(api: &Api) -> Result<Option<String>, ApiError> {
    match api.listed_projects()?.as_slice() {
        [] => Ok(None),
        [(id, _)] => Ok(Some(id.clone())),
        projects => {
            // Whoever stands in one of them means it.
            let here = std::env::current_dir().unwrap_or_default();
            if let Some((id, _)) = projects.iter().find(|(_, root)| here.starts_with(root)) {
                return Ok(Some(id.clone()));
            }
            let roots: Vec<String> = projects.iter().map(|(_, root)| format!("`--project {root}`")).collect();
            Err(ApiError::new(ErrorCode::BadRequest, "more than one project is in the list")
                .with_hint(format!("say which, with {}, or stand in it", roots.join(" or "))))
        }
    }
}

fn exit(fix: &Fix, report: &FixReport) -> Exit {
    let counts = |severity| fix.severity.is_none_or(|least| conclave_api::Severity::at_least(severity, least));
    let left = report.resolutions.iter().any(|item| item.applied.is_empty() && counts(item.finding.severity));
    let unwritten = report.resolutions.iter().any(|item| item.not_applied.is_some());
    if report.scan_failed() || report.failed > 0 || unwritten {
        Exit::Unknown
    } else if fix.check && left {
        Exit::Findings
    } else {
        Exit::Done
    }
}
