//! What a person would have cost, beside what models do.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_core::finding::Status;
use serde_json::json;

use super::*;
use crate::open::{Options, open};
use crate::{project, scan};

#[tokio::test]
async fn the_cost_by_hand_is_that_of_the_settings_for_each_finding_that_is_fixed() {
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

    let cost = || fixed_by_hand(&cx).unwrap().cost;
    for (status, expect) in [
        (Status::Open, Some(Money::ZERO)),
        (Status::FixReady, Some(Money::ZERO)),
        (Status::Fixed, each),
        (Status::Suppressed, Some(Money::ZERO)),
    ] {
        cx.store.set_status(&found[0], status, "", None).unwrap();
        assert_eq!(cost(), expect, "{status:?}");
    }
    cx.store.set_status(&found[0], Status::Fixed, "", None).unwrap();
    let ByHand { critical, high, medium, .. } = fixed_by_hand(&cx).unwrap();
    assert_eq!(
        [critical, high, medium],
        [Severity::Critical, Severity::High, Severity::Medium].map(|one| u32::from(one == severity))
    );
}

#[test]
fn small_findings_have_no_cost_by_hand() {
    let cost = ManualCost::default();
    let dollars = |severity| by_hand(&cost, severity).map(|money| money.micros() / 1_000_000);
    let all = Severity::ALL.map(dollars);
    assert_eq!(all, [Some(200), Some(100), Some(50), None, None]);
}

#[test]
fn who_is_over_a_limit_is_told_the_one_that_binds() {
    let dollars = |cents: u64| Money::from_micros(cents * 10_000);
    let over =
        |cap| OverCap { cap, limit: dollars(75), spent: dollars(70), reserved: Money::ZERO, wanted: dollars(10) };
    let tier = Some(TierCap { severity: Severity::High, most: dollars(75) });
    let own = Some("/srv/shop");
    for (cap, tier, folder, setting) in [
        (Cap::Run, tier, None, "`tiers.high.cap`"),
        (Cap::Run, tier, own, "it with `conclave tiers set high --project /srv/shop --cap`"),
        (Cap::Run, None, own, "`budget.per_run`"),
        (Cap::Day, tier, own, "`budget.per_day`"),
    ] {
        let words = too_much(&over(cap), tier, folder);
        assert!(words.contains(&format!("raise {setting}")), "{words}");
        assert_eq!(words.contains("for a finding of this severity"), setting.contains("tiers"), "{words}");
    }
}
