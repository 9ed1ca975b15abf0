//! What a person would have cost, beside what models do.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use serde_json::json;

use super::*;
use crate::open::{Options, open};
use crate::{project, scan};

#[tokio::test]
async fn the_cost_by_hand_is_that_of_the_settings_for_each_finding_with_a_fix() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { data_dir: folder.path().join("data"), offline: false };
    let data = open(&options).unwrap().0.data;
    let settings = json!({ "manual_cost": { "critical": 7, "high": 5, "medium": 3 } });
    fs::write(data.path().join("settings.json"), settings.to_string()).unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/a.py"), "import yaml\n\n\ndef read(s):\n    return yaml.load(s)\n").unwrap();
    let cx = open(&options).unwrap().0;
    let project = project::add(&cx, &folder.path().join("shop"), false).unwrap();
    let found = scan::scan(&cx, &project, None).await.unwrap().findings;
    let severity = cx.store.finding(&found[0]).unwrap().unwrap().finding.detection.severity;
    let each = by_hand(&cx.settings().manual_cost, severity);
    assert!(each.is_some(), "{severity:?}");

    let of = |of: SpendOf| spending(&cx, &of).unwrap().by_hand;
    assert_eq!(of(SpendOf::Run(RunId::nth(&found[0], 2))), each);
    assert_eq!(of(SpendOf::Finding(found[0].clone())), each);
    assert_eq!(of(SpendOf::All), Some(Money::ZERO), "nothing has a fix yet");
    cx.store.set_status(&found[0], conclave_core::finding::Status::FixReady, "", None).unwrap();
    assert_eq!((of(SpendOf::All), of(SpendOf::Project(project.id.clone()))), (each, each));
    assert_eq!(of(SpendOf::Project(ProjectId::of_root("/elsewhere"))), Some(Money::ZERO));
    assert_eq!((of(SpendOf::Day(0)), of(SpendOf::Provider("A".to_owned()))), (None, None));
}

#[test]
fn small_findings_have_no_cost_by_hand() {
    let cost = ManualCost::default();
    let dollars = |severity| by_hand(&cost, severity).map(|money| money.micros() / 1_000_000);
    let all = Severity::ALL.map(dollars);
    assert_eq!(all, [Some(200), Some(100), Some(50), None, None]);
}
