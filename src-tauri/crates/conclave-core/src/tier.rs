//! How much effort a finding gets.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};
use crate::settings::Settings;

/// The plan of one run, from severity and settings alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The severity that it was made for.
    pub severity: Severity,
    /// How many models may be asked at most.
    pub models: usize,
    /// Time for proposing, in seconds; checks have their own clock.
    pub analysis_s: u64,
    /// Time for one checking command, in seconds.
    pub check_s: u64,
}

impl RunPlan {
    /// The plan for `finding`. Time limits and panel sizes are the seed's: 120/60/30 s and 5/3/2 models.
    pub fn for_finding(finding: &Finding, settings: &Settings) -> Self {
        let severity = finding.detection.severity;
        let (models, analysis_s) = match severity {
            Severity::Critical => (5, 120),
            Severity::High => (3, 60),
            Severity::Medium => (2, 30),
            Severity::Low | Severity::Note => (1, 30),
        };
        Self { severity, models: models.min(settings.models.len()), analysis_s, check_s: settings.check_timeout_s }
    }
}
