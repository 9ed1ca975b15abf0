//! `conclave fix`.

use conclave_api::Api;
use conclave_api::batch::{Consent, FixReport, Which};
use conclave_api::error::{ApiError, ErrorCode};

use crate::args::{Fix, Format};
use crate::exit::Exit;
use crate::output::{Output, Report};

pub(super) async fn run(api: &Api, output: &Output, fix: &Fix) -> Result<Exit, ApiError> {
    let consent = match (fix.apply, fix.safe_only) {
        (false, _) => Consent::Nothing,
        (true, true) => Consent::SafeOnly,
        (true, false) => Consent::Recommended,
    };
    let report = match (&fix.sarif, &fix.project) {
        (Some(log), Some(project)) => api.fix_log(log.clone(), project, consent).await?,
        _ => api.fix(&which(api, fix)?, consent).await?,
    };
    if output.format() == Format::Sarif {
        let ids: Vec<String> = report.resolutions.iter().map(|item| item.finding.id.clone()).collect();
        output.raw(&api.sarif(&ids, &report.failures())?);
    } else {
        output.fixes(Report::Fix { consent }, &report);
    }
    Ok(exit(fix, &report))
}

fn which(api: &Api, fix: &Fix) -> Result<Which, ApiError> {
    let project = fix.project.as_deref().map(|root| api.project_at(root)).transpose()?;
    match &fix.id {
        Some(id) => Ok(Which::Named(vec![id.clone()])),
        None if fix.all || fix.severity.is_some() => {
            Ok(Which::Open { project: project.map(|id| id.to_string()), severity: fix.severity })
        }
        None => Err(ApiError::new(ErrorCode::BadRequest, "nothing to fix was named")
            .with_hint("give an id, `--all` or `--severity`")),
    }
}

fn exit(fix: &Fix, report: &FixReport) -> Exit {
    let counts = |severity| fix.severity.is_none_or(|least| conclave_api::Severity::at_least(severity, least));
    let left = report.resolutions.iter().any(|item| item.applied.is_empty() && counts(item.finding.severity));
    if report.scan_failed() || report.failed > 0 {
        Exit::Unknown
    } else if fix.check && left {
        Exit::Findings
    } else {
        Exit::Done
    }
}
