//! What the command line does in one go and the window does in steps: look for fixes, wait, apply.

use std::path::{Path, PathBuf};

use conclave_core::finding::{Severity, Status};
use conclave_core::id::{FindingId, ProjectId};
use conclave_core::project::Project;
pub use conclave_engine::batch::Consent;
use conclave_engine::batch::{self, Treated};
use conclave_engine::{export, ingest, project, scan};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Api, parallel};
use crate::error::{ApiError, ErrorCode};
use crate::handler;
use crate::view::{FindingRow, GetFinding, ResolutionView, RunFix, ScanState, ScanView};

/// What to fix.
#[derive(Clone, Debug)]
pub enum Which {
    /// These, by id or its first digits.
    Named(Vec<String>),
    /// All that are open, of one project or of all, this severe or more.
    Open {
        /// The project's id.
        project: Option<String>,
        /// The least severity.
        severity: Option<Severity>,
    },
}

/// One finding and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FixItem {
    /// The finding as it stands now.
    pub finding: FindingRow,
    /// The result of its run; `null` when the run failed.
    pub resolution: Option<ResolutionView>,
    /// Why the run failed.
    pub error: Option<String>,
    /// The files that were written; empty when nothing was.
    pub applied: Vec<String>,
    /// Why the recommended fix was not written although it was asked for.
    pub not_applied: Option<String>,
}

/// What a batch did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct FixReport {
    /// The scans that came before, if any.
    pub scans: Vec<ScanView>,
    /// In the order of the findings.
    pub resolutions: Vec<FixItem>,
    /// So many have a recommended fix.
    pub recommended: u32,
    /// So many ended without a safe fix.
    pub no_safe_fix: u32,
    /// So many runs failed.
    pub failed: u32,
    /// So many fixes were written.
    pub applied: u32,
    /// So many requests went to another machine meanwhile.
    pub left_machine: u32,
    /// So many more went to servers on this machine that may pass them on.
    pub passed_on: u32,
}

impl FixReport {
    /// Whether a scan that came before failed.
    pub fn scan_failed(&self) -> bool {
        self.scans.iter().any(|scan| scan.state == ScanState::Failed)
    }

    /// What kept the report from being all there is, in words.
    pub fn failures(&self) -> Vec<String> {
        let scans = self.scans.iter().filter(|scan| scan.state == ScanState::Failed);
        let runs =
            self.resolutions.iter().filter_map(|item| Some(format!("{}: {}", item.finding.id, item.error.as_ref()?)));
        scans.map(|scan| format!("{}: {}", scan.tool, scan.reason.clone().unwrap_or_default())).chain(runs).collect()
    }
}

impl Api {
    /// Looks for fixes of `which`, waits for all, and applies what `consent` covers.
    ///
    /// # Errors
    /// An id names nothing, or the store fails. A run that fails is an item of the report.
    pub async fn fix(&self, which: &Which, consent: Consent) -> Result<FixReport, ApiError> {
        self.may_change()?;
        let request = match which {
            Which::Named(findings) => RunFix { findings: findings.clone(), ..RunFix::default() },
            Which::Open { project, severity } => {
                RunFix { project: project.clone(), severity: *severity, ..RunFix::default() }
            }
        };
        let waiting: Vec<Status> = Status::STANDING.into_iter().filter(|status| *status != Status::Running).collect();
        let findings = handler::chosen(self, &request, &waiting)?;
        let scans = match which {
            Which::Named(_) => Vec::new(),
            Which::Open { project, .. } => self.failed_scans(project.as_deref())?,
        };
        Ok(FixReport { scans, ..self.treat(&findings, consent).await? })
    }

    /// The last scans that failed, of one project or of all in the list: their silence is no answer.
    fn failed_scans(&self, project: Option<&str>) -> Result<Vec<ScanView>, ApiError> {
        let chosen = |known: &Project| project.map_or(known.listed, |id| known.id.as_str() == id);
        let mut failed = Vec::new();
        for known in self.cx().store.projects()?.iter().filter(|known| chosen(known)) {
            let scans = self.cx().store.last_scans(&known.id)?;
            let views = scans.iter().map(|(record, at, new)| crate::show::scan(record, *new, *at));
            failed.extend(views.filter(|scan| scan.state == ScanState::Failed));
        }
        Ok(failed)
    }

    /// Fixes what the SARIF file at `log` reports in the folder `root`, this severe or more, without putting the folder
    /// in the list. What the tool itself suppresses, and what is fixed already, is left alone.
    ///
    /// # Errors
    /// The file or the folder cannot be read, the file holds no scan, or the store fails.
    pub async fn fix_log(
        &self,
        log: PathBuf,
        root: &Path,
        severity: Option<Severity>,
        consent: Consent,
    ) -> Result<FixReport, ApiError> {
        self.may_change()?;
        let project = self.unlisted(root)?;
        let scans = ingest::import(self.cx(), &project, log).await?;
        let mut findings = Vec::new();
        for id in scans.iter().flat_map(|scan| &scan.findings) {
            let Some(stored) = self.cx().store.finding(id)? else { continue };
            let severe = severity.is_none_or(|least| stored.finding.detection.severity.at_least(least));
            if severe && !matches!(stored.status, Status::Suppressed | Status::Fixed | Status::Dismissed) {
                findings.push(id.clone());
            }
        }
        let now = self.cx().now_ms();
        let scans = scans.iter().map(|scan| crate::show::scan(&scan.record, scan.saved.new, now)).collect();
        Ok(FixReport { scans, ..self.treat(&findings, consent).await? })
    }

    /// The project at `root` as it is known, or as one that is not in the list.
    fn unlisted(&self, root: &Path) -> Result<Project, ApiError> {
        let project = project::at(root, false, false)?;
        if let Some(known) = self.cx().store.project(&project.id)? {
            return Ok(known);
        }
        self.cx().store.save_project(&project, self.cx().now_ms())?;
        Ok(project)
    }

    async fn treat(&self, findings: &[FindingId], consent: Consent) -> Result<FixReport, ApiError> {
        let before = self.sent()?;
        let mut report = FixReport::default();
        for treated in batch::fix(&self.run_cx(), findings, consent, parallel()).await? {
            let item = self.item(treated).await?;
            match &item.resolution {
                Some(resolution) if resolution.recommended.is_some() => report.recommended += 1,
                Some(_) => report.no_safe_fix += 1,
                None => report.failed += 1,
            }
            report.applied += u32::from(!item.applied.is_empty());
            report.resolutions.push(item);
        }
        let after = self.sent()?;
        let meanwhile = |before: u64, after: u64| u32::try_from(after.saturating_sub(before)).unwrap_or(u32::MAX);
        report.left_machine = meanwhile(before.0, after.0);
        report.passed_on = meanwhile(before.1, after.1);
        Ok(report)
    }

    /// How many requests ever went to other machines, and how many to servers here that may pass them on.
    fn sent(&self) -> Result<(u64, u64), ApiError> {
        let passed_on = self.cx().store.passed_on_count()?;
        Ok((self.cx().store.egress_count()?.saturating_sub(passed_on), passed_on))
    }

    async fn item(&self, treated: Treated) -> Result<FixItem, ApiError> {
        let view = handler::get_finding(self, GetFinding { finding: treated.finding.to_string() }).await?;
        let (applied, not_applied) = match treated.applied {
            Some(Ok(applied)) => (applied.files, None),
            Some(Err(error)) => (Vec::new(), Some(error.to_string())),
            None => (Vec::new(), None),
        };
        Ok(FixItem {
            finding: view.row,
            resolution: treated.resolution.is_ok().then_some(view.resolution).flatten(),
            error: treated.resolution.err().map(|error| error.to_string()),
            applied,
            not_applied,
        })
    }

    /// Registers the folder at `root` and scans it with the built-in detectors.
    ///
    /// # Errors
    /// The folder cannot be read, or the store fails.
    pub async fn scan_folder(&self, root: &Path) -> Result<(String, Vec<ScanView>), ApiError> {
        self.may_change()?;
        let project = self.listed(root)?;
        let scanned = scan::scan(self.cx(), &project, None).await?;
        let scan = crate::show::scan(&scanned.record, scanned.saved.new, self.cx().now_ms());
        Ok((project.id.to_string(), vec![scan]))
    }

    /// Registers the folder at `root` and imports the SARIF file at `log` into it.
    ///
    /// # Errors
    /// The file or the folder cannot be read, or the store fails.
    pub async fn import_folder(&self, log: PathBuf, root: &Path) -> Result<(String, Vec<ScanView>), ApiError> {
        self.may_change()?;
        let project = self.listed(root)?;
        let scans = ingest::import(self.cx(), &project, log).await?;
        let now = self.cx().now_ms();
        let scans = scans.iter().map(|scan| crate::show::scan(&scan.record, scan.saved.new, now)).collect();
        Ok((project.id.to_string(), scans))
    }

    fn listed(&self, root: &Path) -> Result<Project, ApiError> {
        let watched = self.cx().store.project(&project::at(root, false, true)?.id)?.is_some_and(|known| known.watched);
        Ok(project::add(self.cx(), root, watched)?)
    }

    /// The project that the folder at `root` is.
    ///
    /// # Errors
    /// It is not a folder that can be read, or nothing is known of it.
    pub fn project_at(&self, root: &Path) -> Result<ProjectId, ApiError> {
        let id = project::at(root, false, false)?.id;
        match self.cx().store.project(&id)? {
            Some(_) => Ok(id),
            None => Err(ApiError::new(ErrorCode::NotFound, format!("nothing is known of `{}`", root.display()))
                .with_hint("scan it, or import a scanner\u{2019}s file for it")),
        }
    }

    /// `findings` as a SARIF 2.1.0 log, each with its recommended fix; `failures` say why it is not all there is.
    ///
    /// # Errors
    /// The store fails.
    pub fn sarif(&self, findings: &[String], failures: &[String]) -> Result<String, ApiError> {
        let ids: Vec<FindingId> = findings.iter().map(FindingId::new).collect();
        Ok(export::sarif(self.cx(), &ids, failures)?)
    }

    /// What kept the last scans of `project`, or of all in the list, from being all there is, in words.
    ///
    /// # Errors
    /// The store fails.
    pub fn scan_failures(&self, project: Option<&str>) -> Result<Vec<String>, ApiError> {
        Ok(FixReport { scans: self.failed_scans(project)?, ..FixReport::default() }.failures())
    }

    /// The projects in the list: id and folder, by name.
    ///
    /// # Errors
    /// The store fails.
    pub fn listed_projects(&self) -> Result<Vec<(String, String)>, ApiError> {
        let listed = self.cx().store.projects()?.into_iter().filter(|project| project.listed);
        Ok(listed.map(|project| (project.id.to_string(), project.root)).collect())
    }
}
