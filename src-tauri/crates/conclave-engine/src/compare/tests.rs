//! Comparisons without any model: what is the same, whose they are, and under which settings they go on.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::Path;

use conclave_core::configuration::Design;
use conclave_core::finding::{Severity, Status};
use conclave_core::project::Project;
use conclave_core::tier::{Role, Tier};
use tempfile::TempDir;

use super::*;
use crate::models;
use crate::open::{Options, open};
use crate::scan;

const VULNERABLE: &str = "import subprocess\n\n\ndef f():\n    subprocess.run('ls -l', shell=True)\n";

/// A project with one finding below a folder, of the client that `settings` name for it.
async fn ground(settings: impl Fn(&str) -> String) -> (TempDir, Ctx, FindingId) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("project");
    fs::create_dir(&root).expect("a folder");
    let root = root.canonicalize().expect("it is there").display().to_string();
    fs::write(Path::new(&root).join("a.py"), VULNERABLE).expect("written");
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).expect("a folder");
    fs::write(data_dir.join("settings.json"), settings(&root)).expect("written");
    let (cx, _) = open(&Options { data_dir, offline: true }).expect("it opens");
    let project = Project { id: ProjectId::of_root(&root), root, name: "p".to_owned(), watched: false, listed: true };
    cx.store.save_project(&project, 0).expect("saved");
    let found = scan::scan(&cx, &project, None).await.expect("scanned");
    let [id] = found.findings.as_slice() else { panic!("{found:?}") };
    (folder, cx, id.clone())
}

/// The panel, and the same with less time for models that are not there.
fn wish(finding: &FindingId) -> Wish {
    let tier = Tier { seats: vec![Role::Fast], analysis_s: 1, cap: None, mode: Default::default(), on_demand: false };
    let tiers = Severity::ALL.into_iter().map(|severity| (severity, tier.clone())).collect();
    let hasty = Configuration { name: "hasty".to_owned(), tiers, ..Configuration::default() };
    Wish { arms: [Design::Panel.into(), hasty], findings: vec![finding.clone()], most: None, seed: Some(7) }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn the_same_fix_from_both_is_counted_apart_and_the_finding_stays_as_it_stands() {
    run(async {
        let (_folder, cx, finding) = ground(|_| "{}".to_owned()).await;
        let (client, id) = begin(&cx, &wish(&finding)).await.expect("begun");
        go_on(&cx, &client, id).await.expect("it goes on");
        assert_eq!(next(&cx, &client, Some(id)).expect("read"), None, "there is nothing to choose");

        let (comparison, came_out) = report(&cx, &client, id).expect("a report");
        assert_eq!((came_out.findings, came_out.same, came_out.open, came_out.preference), (1, 1, 0, None));
        assert_eq!(comparison.settings, came_out.settings);
        let fixes = came_out.arms.each_ref().map(|arm| (arm.n, arm.fixes, arm.cost.calls));
        assert_eq!(fixes, [(1, 1, 0); 2]);
        let pair = cx.store.comparison_pairs(&client, id).expect("read").remove(0);
        let refused = choose(&cx, &client, pair.id, Preference::Left).expect_err("there is nothing to choose");
        assert!(refused.to_string().contains("the same fix"), "{refused}");

        // It was kept, with its date.
        let kept = cx.store.comparisons(&client).expect("read").remove(0).report;
        assert_eq!(kept, Some(came_out));
        let stored = cx.store.finding(&finding).expect("read").expect("it is there");
        assert_eq!((stored.status, cx.store.resolution(&finding).expect("read")), (Status::Open, None));
    });
}

#[test]
fn what_cannot_be_compared_is_refused_in_words() {
    run(async {
        let (_folder, cx, finding) = ground(|_| "{}".to_owned()).await;
        let unknown = Configuration { models: vec!["oracle".to_owned()], ..Design::Panel.into() };
        let [_, mut timeless] = wish(&finding).arms;
        timeless.tiers.values_mut().for_each(|tier| tier.analysis_s = 0);
        for (other, words) in [
            (Configuration::from(Design::Panel), "in the same way"),
            (Configuration::from(Design::Chain), "none of the settings can be asked"),
            (unknown, "there is no model `oracle` to be asked"),
            (timeless, "in 0 seconds nobody can answer"),
        ] {
            let arms = [Design::Panel.into(), other];
            let refused = plan(&cx, &Wish { arms, ..wish(&finding) }).await.expect_err("it is refused");
            assert!(refused.to_string().contains(words), "{refused}");
        }
        let twice = Wish { findings: vec![finding.clone(), finding.clone()], ..wish(&finding) };
        assert_eq!(plan(&cx, &twice).await.expect("a plan").chosen.len(), 1, "a finding that is named twice is one");
    });
}

#[test]
fn a_model_that_is_kept_out_is_no_outcome() {
    run(async {
        let model = r#"{ "models": [{ "name": "far", "base_url": "http://127.0.0.1:1/v1", "model": "m" }] }"#;
        let (_folder, cx, finding) = ground(|_| model.to_owned()).await;
        let (client, id) = begin(&cx, &wish(&finding)).await.expect("begun");
        let refused = go_on(&cx, &client, id).await.expect_err("offline, nobody is asked");
        assert!(matches!(&refused, CompareError::NotAsked { name, .. } if name == "far"), "{refused}");
        let pair = cx.store.comparison_pairs(&client, id).expect("read").remove(0);
        assert_eq!((pair.standing(), pair.outcomes), (Standing::Pending, [None, None]));
    });
}

#[test]
fn fixes_of_two_texts_are_no_pair() {
    run(async {
        let (folder, cx, finding) = ground(|_| "{}".to_owned()).await;
        let (client, id) = begin(&cx, &wish(&finding)).await.expect("begun");
        let pair = cx.store.comparison_pairs(&client, id).expect("read").remove(0);
        let first = Arm::first(7, &finding);
        let configuration = Configuration::from(Design::Panel);
        let before = outcome(&cx, &pair, first, &configuration).await.expect("it runs");
        assert!(before.fix().is_some());
        cx.store.save_outcome(pair.id, first, pair.run(first), &before).expect("kept");
        let file = folder.path().join("project/a.py");
        fs::write(&file, VULNERABLE.replace("'ls -l'", "'ls -a'")).expect("written");
        go_on(&cx, &client, id).await.expect("it goes on");
        let pair = cx.store.comparison_pairs(&client, id).expect("read").remove(0);
        assert_eq!(pair.standing(), Standing::Failed, "{:?}", pair.outcome(first.other()));
    });
}

#[test]
fn a_comparison_goes_on_only_under_the_settings_that_it_began_with() {
    run(async {
        let (folder, cx, finding) = ground(|_| "{}".to_owned()).await;
        let (client, id) = begin(&cx, &wish(&finding)).await.expect("begun");
        fs::write(folder.path().join("data/settings.json"), r#"{ "check_timeout_s": 60 }"#).expect("written");
        assert!(models::reload(&cx), "other settings are in force");
        assert!(matches!(go_on(&cx, &client, id).await, Err(CompareError::Settings(_))));
    });
}

#[test]
fn two_clients_do_not_see_each_others_comparisons() {
    run(async {
        let settings =
            |root: &str| format!(r#"{{ "clients": {{ "acme": {{ "projects": ["{root}"] }}, "other": {{}} }} }}"#);
        let (_folder, cx, finding) = ground(settings).await;
        let (client, id) = begin(&cx, &wish(&finding)).await.expect("begun");
        assert_eq!((client.as_str(), list(&cx, "acme").expect("read").len()), ("acme", 1));
        let pair = cx.store.comparison_pairs("acme", id).expect("read").remove(0).id;
        for other in ["other", ""] {
            assert!(list(&cx, other).expect("read").is_empty());
            assert!(matches!(next(&cx, other, Some(id)), Err(CompareError::Unknown(_))));
            assert!(matches!(go_on(&cx, other, id).await, Err(CompareError::Unknown(_))));
            assert!(matches!(report(&cx, other, id), Err(CompareError::Unknown(_))));
            assert!(matches!(choose(&cx, other, pair, Preference::Both), Err(CompareError::NoPair(_))));
        }
    });
}
