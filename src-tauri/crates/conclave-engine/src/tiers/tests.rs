//! Tiers as a person sets them, in a real settings file.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_core::money::Money;
use conclave_core::tier::{Mode, Role};
use tempfile::TempDir;

use super::*;
use crate::open::{Options, open};

fn ground(settings: &str) -> (TempDir, Ctx) {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    fs::write(data_dir.join("settings.json"), settings).unwrap();
    let cx = open(&Options { data_dir, offline: true }).unwrap().0;
    (folder, cx)
}

fn text(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("data/settings.json")).unwrap()
}

fn tier(analysis_s: u64) -> Tier {
    let cap = Some(Money::from_micros(250_000));
    Tier { seats: vec![Role::Logic, Role::Fast], analysis_s, cap, mode: Mode::Staged, on_demand: true }
}

fn own(cx: &Ctx, project: Option<&str>) -> Vec<(Severity, u64)> {
    let all = standing(&cx.settings(), project).into_iter();
    all.filter(|one| one.is_own).map(|one| (one.severity, one.tier.analysis_s)).collect()
}

#[tokio::test]
async fn a_project_inherits_what_it_does_not_say_itself_and_gives_it_back() {
    const BEFORE: &str = "{\n  \"check_timeout_s\":   60\n}\n";
    let (folder, cx) = ground(BEFORE);
    let shop = Some("/srv/shop");
    save(&cx, None, Severity::High, &tier(40)).await.unwrap();
    save(&cx, shop, Severity::Critical, &tier(200)).await.unwrap();
    assert_eq!(own(&cx, None), [(Severity::High, 40)]);
    assert_eq!(own(&cx, shop), [(Severity::Critical, 200)]);
    assert_eq!(cx.settings().tiers_of("/srv/shop").critical, tier(200));
    assert_eq!(cx.settings().tiers_of("/srv/shop").high, tier(40), "what is set everywhere holds in the project too");
    assert_eq!(cx.settings().tiers_of("/srv/other").critical, Tiers::default().critical);
    let critical = standing(&cx.settings(), shop).remove(0);
    assert_eq!((critical.severity, critical.inherited), (Severity::Critical, Tiers::default().critical));

    reset(&cx, shop, Some(Severity::Critical)).await.unwrap();
    reset(&cx, None, None).await.unwrap();
    assert_eq!(cx.settings().tiers_of("/srv/shop"), Tiers::default());
    let left: Value = serde_json::from_str(&text(&folder)).unwrap();
    assert_eq!(left, json!({ "check_timeout_s": 60 }));
    assert!(text(&folder).contains("\"check_timeout_s\":   60"), "what nobody touched keeps its bytes");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_is_written() {
    let (folder, cx) = ground("{}");
    for (wrong, fault) in [
        (tier(0), TierFault::NoTime),
        (tier(3601), TierFault::TooLong(3601)),
        (Tier { seats: vec![Role::Fast; 17], ..tier(1) }, TierFault::TooManySeats(17)),
    ] {
        for project in [None, Some("/srv/shop")] {
            let refused = save(&cx, project, Severity::Low, &wrong).await;
            assert!(matches!(refused, Err(TierError::Fault(found)) if found == fault), "{refused:?}");
        }
    }
    for (project, severity) in [(None, None), (Some("/srv/shop"), None), (Some("/srv/shop"), Some(Severity::Low))] {
        assert!(matches!(reset(&cx, project, severity).await, Err(TierError::NotSet(_))), "{project:?} {severity:?}");
    }
    assert_eq!(text(&folder), "{}");
}

#[tokio::test]
async fn a_project_changes_nothing_of_how_much_is_done_for_it() {
    let (folder, cx) = ground("{}");
    let root = folder.path().join("shop");
    let said = r#"{ "tiers": { "critical": { "seats": [], "analysis_s": 1 } } }"#;
    for name in ["settings.json", ".conclave/settings.json", "conclave.json", "data/settings.json"] {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), said).unwrap();
    }
    crate::project::add(&cx, &root, false).unwrap();
    crate::models::reload(&cx);
    let root = root.canonicalize().unwrap().display().to_string();
    assert_eq!(cx.settings().tiers_of(&root), Tiers::default());
    assert_eq!(own(&cx, Some(&root)), []);
}
