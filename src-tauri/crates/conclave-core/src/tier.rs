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
        Self::for_severity(finding.detection.severity, settings)
    }

    /// The plan for findings that are this severe.
    pub fn for_severity(severity: Severity, settings: &Settings) -> Self {
        let (models, analysis_s) = match severity {
            Severity::Critical => (5, 120),
            Severity::High => (3, 60),
            Severity::Medium => (2, 30),
            Severity::Low | Severity::Note => (1, 30),
        };
        Self { severity, models: models.min(settings.order().len()), analysis_s, check_s: settings.check_timeout_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Detection, Rule, Tool};
    use crate::id::ProjectId;
    use crate::settings::ModelSetting;

    fn finding(severity: Severity) -> Finding {
        let rule = Rule { id: "r".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: vec![] };
        let detection = Detection {
            tool: Tool { name: "t".to_owned(), version: None },
            rule,
            message: "m".to_owned(),
            severity,
            location: None,
            unresolved: None,
            symbol: None,
            flow: Vec::new(),
            fixes: Vec::new(),
            suppressed: false,
            foreign_fingerprints: Vec::new(),
        };
        Finding::new(&ProjectId::new("p"), detection, "", 0)
    }

    fn settings(models: usize) -> Settings {
        let model = |n| ModelSetting::new(&format!("m{n}"), "http://127.0.0.1/v1", "m");
        Settings { models: (0..models).map(model).collect(), ..Settings::default() }
    }

    #[test]
    fn severity_decides_the_panel_and_the_time() {
        let cases = [
            (Severity::Critical, 5, 120),
            (Severity::High, 3, 60),
            (Severity::Medium, 2, 30),
            (Severity::Low, 1, 30),
            (Severity::Note, 1, 30),
        ];
        for (severity, models, analysis_s) in cases {
            let plan = RunPlan::for_finding(&finding(severity), &settings(9));
            assert_eq!((plan.severity, plan.models, plan.analysis_s), (severity, models, analysis_s));
        }
        assert_eq!(
            RunPlan::for_finding(&finding(Severity::Critical), &settings(2)).models,
            2,
            "no more than there are"
        );
    }
}
