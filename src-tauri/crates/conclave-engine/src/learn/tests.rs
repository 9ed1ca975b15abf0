//! What becomes of fixes in real projects, and what is learnt from it.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor and their git")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use conclave_core::finding::Severity;
use conclave_core::label::{Reason, Thumb};
use conclave_core::project::Project;
use conclave_core::tier::RunPlan;
use conclave_core::weakness::Family;
use conclave_effects::gate::Gate;
use conclave_effects::sandbox::probe;
use conclave_effects::{Clock, Policies};
use conclave_policy::{Mode, Nobody, Policy};
use conclave_store::{EdgeCaseOf, NewFix};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::batch::{Consent, fix};
use crate::open::{Options, open};
use crate::prompt::{Form, fix_request};
use crate::source::Sources;
use crate::{decide, project, scan, stage};

pub(super) const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

pub(super) struct Ground {
    pub folder: TempDir,
    pub cx: Ctx,
    pub project: Project,
    pub found: Vec<FindingId>,
}

impl Ground {
    /// Conclave over a project with one weakness in each of `names`; `settings` may name `{root}`.
    pub async fn new(names: &[&str], settings: &str) -> Self {
        Self::with(&names.iter().map(|name| (*name, WEAK)).collect::<Vec<_>>(), settings).await
    }

    /// The same with these files.
    pub async fn with(files: &[(&str, &str)], settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        fs::create_dir(&root).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let settings = settings.replace("{root}", &root.canonicalize().unwrap().display().to_string());
        fs::write(folder.path().join("data/settings.json"), settings).unwrap();
        for (name, text) in files {
            fs::write(root.join(name), text).unwrap();
        }
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
        let project = project::add(&cx, &root, false).unwrap();
        let found = scan::scan(&cx, &project, None).await.unwrap().findings;
        Self { folder, cx, project, found }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("shop").join(name)
    }

    pub async fn fix(&self) {
        let treated = fix(&self.cx, &self.found, Consent::Recommended, 1).await.unwrap();
        assert!(treated.iter().all(|one| matches!(one.applied, Some(Ok(_)))), "{treated:?}");
    }

    /// The same so many days later.
    fn later(&self, days: i64) -> Ctx {
        let now = self.cx.now_ms() + days * DAY_MS;
        let policies = Policies::new(Policy::shipped(Mode::Default));
        let gate = Gate::new(policies, Arc::new(self.cx.store.clone()), Arc::new(Nobody), Clock::fixed(now));
        Ctx { gate, ..self.cx.clone() }
    }

    async fn look(&self, cx: &Ctx) {
        let sources = Sources::open(cx, self.project.root.as_ref()).await.unwrap();
        look_back(cx, &self.project.id, &sources).await;
    }

    /// How the fix of the `nth` finding stands.
    fn standing(&self, nth: usize) -> Standing {
        let fixes = self.cx.store.known_fixes_in(&self.project.id).unwrap();
        let fix = fixes.iter().find(|fix| fix.finding == self.found[nth]).unwrap();
        Standing::of(fix.events.iter().map(|(_, event)| event))
    }

    fn git(&self, arguments: &[&str]) {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(self.folder.path().join("shop"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

fn prior(record: &Record, known: &KnownFix) -> f64 {
    let attempt = &known.attempts[0];
    record.prior(&attempt.origin, attempt.family, attempt.language).p
}

#[tokio::test]
async fn what_became_of_a_fix_is_learnt_from_the_project_and_its_history() {
    let ground = Ground::new(&["a.py", "b.py", "c.py"], "{}").await;
    ground.git(&["init", "-q"]);
    ground.git(&["add", "."]);
    ground.git(&["commit", "-qm", "weak"]);
    ground.fix().await;
    let right = |weight| Some(conclave_core::label::Label { right: true, weight });
    assert_eq!((ground.standing(0).place, ground.standing(0).label()), (Place::Applied, right(0.5)));

    // Nothing is on the default branch, nothing is old, one is back as it was.
    fs::write(ground.file("c.py"), WEAK).unwrap();
    ground.look(&ground.later(2)).await;
    assert_eq!(
        (ground.standing(0).merged, ground.standing(0).kept, ground.standing(2).place),
        (false, false, Place::Reverted)
    );

    // The project's own configuration must not be read: this one would start a program.
    let marker = ground.folder.path().join("started");
    ground.git(&["config", "core.fsmonitor", &format!("touch {}", marker.display())]);
    ground.git(&["add", "a.py"]);
    ground.git(&["commit", "-qm", "fix"]);
    let _ = fs::remove_file(&marker);
    ground.look(&ground.later(20)).await;
    assert!(!marker.exists());
    // Git is asked in the sandbox or not at all.
    let seen = probe().inspect_err(|error| println!("the history is not looked at: {error}")).is_ok();
    assert_eq!((ground.standing(0).merged, ground.standing(0).kept), (seen, true));
    assert_eq!((ground.standing(1).merged, ground.standing(1).kept), (false, true));

    let known = ground.cx.store.known_fixes("").unwrap();
    let before = prior(&record(&ground.cx, &ground.project.root), &known[0]);
    assert!(before > prior(&Record::default(), &known[0]), "{before}");
    // Taken back after it was merged.
    fs::write(ground.file("a.py"), WEAK).unwrap();
    ground.look(&ground.later(30)).await;
    assert_eq!(ground.standing(0).label().map(|label| label.right), Some(false));
    assert!(prior(&record(&ground.cx, &ground.project.root), &known[0]) < before);
}

#[tokio::test]
async fn another_branch_that_is_checked_out_says_nothing_of_a_fix() {
    let ground = Ground::new(&["a.py", "b.py"], "{}").await;
    ground.git(&["init", "-q"]);
    ground.git(&["add", "."]);
    ground.git(&["commit", "-qm", "weak"]);
    ground.git(&["checkout", "-qb", "feature"]);
    ground.fix().await;
    ground.git(&["add", "."]);
    ground.git(&["commit", "-qm", "fix"]);
    ground.git(&["checkout", "-q", "main"]);
    assert_eq!(fs::read_to_string(ground.file("a.py")).unwrap(), WEAK);
    fs::write(ground.file("b.py"), "# somebody else works on this one\n").unwrap();
    ground.look(&ground.later(20)).await;
    for number in 0..2 {
        let standing = ground.standing(number);
        assert_eq!((standing.place, standing.kept, standing.merged), (Place::Applied, false, false), "{number}");
    }
    // It was checked out while they were looked for: the head is from before, the files are from after.
    let sources = Sources::open(&ground.cx, ground.project.root.as_ref()).await.unwrap();
    let before = Some("refs/heads/feature".to_owned());
    look::look(&ground.later(21), &ground.project.id, &sources, before).await.unwrap();
    assert_eq!((ground.standing(0).place, ground.standing(1).place), (Place::Applied, Place::Applied));
    ground.git(&["checkout", "-q", "--force", "feature"]);
    ground.look(&ground.later(22)).await;
    assert!(ground.standing(0).kept && ground.standing(1).kept, "it stands where it was written");
    fs::write(ground.file("a.py"), WEAK).unwrap();
    ground.look(&ground.later(24)).await;
    assert_eq!((ground.standing(0).place, ground.standing(1).place), (Place::Reverted, Place::Applied));
}

#[tokio::test]
async fn a_persons_judgement_counts_with_its_reason_and_an_undone_fix_is_wrong() {
    let ground = Ground::new(&["a.py", "b.py"], "{}").await;
    ground.fix().await;
    decide::undo_fix(&ground.cx, &ground.found[1]).await.unwrap();
    assert_eq!(ground.standing(1).label().map(|label| label.right), Some(false));
    let rating = |reasons: &[Reason]| Rating { thumb: Thumb::Down, reasons: reasons.to_vec(), note: String::new() };
    let fix = rate(&ground.cx, &ground.found[1], None, &rating(&[Reason::BadStyle])).unwrap();
    assert_eq!(ground.standing(1).label(), None);
    rate(&ground.cx, &ground.found[0], None, &rating(&[Reason::NotFixed])).unwrap();
    assert_eq!(ground.standing(0).label().map(|label| (label.right, label.weight)), Some((false, 1.0)));
    assert_eq!(ratings(&ground.cx, &ground.found[1]).unwrap(), [(fix, rating(&[Reason::BadStyle]))]);
    let nowhere = rate(&ground.cx, &FindingId::new("x"), None, &rating(&[]));
    assert!(matches!(nowhere, Err(LearnError::NoFinding(_))), "{nowhere:?}");
    let other = rate(&ground.cx, &ground.found[0], Some(&CandidateId::new("x")), &rating(&[]));
    assert!(matches!(other, Err(LearnError::NoFix(_))), "{other:?}");

    let found = insights::insights(&ground.cx, "").await.unwrap();
    assert_eq!((found.fixes, found.labelled, found.approval.accepted, found.approval.rejected), (2, 1, 1, 1));
    assert_eq!((found.rules.len(), found.authors.len(), found.reliability[0].n), (1, 1, 1));
    assert!(found.brier.is_some() && found.time_to_fix.is_some_and(|(n, _)| n == 2), "{found:?}");
    assert_eq!(found.learned.iter().map(|one| (one.family, one.n)).collect::<Vec<_>>(), [(Family::Deserialisation, 1)]);
    assert!(found.learned[0].mean < found.learned[0].start);
}

#[tokio::test]
async fn an_authors_record_per_kind_of_weakness_says_how_often_it_was_right_and_how_sure_conclave_was() {
    let ground = Ground::new(&["a.py", "b.py", "c.py"], "{}").await;
    ground.fix().await;
    decide::undo_fix(&ground.cx, &ground.found[1]).await.unwrap();
    let known = ground.cx.store.known_fixes("").unwrap();
    let sure: Vec<f64> = known.iter().map(|fix| fix.attempts[0].p).collect();
    let found = insights::insights(&ground.cx, "").await.unwrap();
    let [one] = found.learned.as_slice() else { panic!("{:?}", found.learned) };
    assert_eq!((one.family, one.n, one.right), (Family::Deserialisation, 3, 2));
    assert!(one.said > 0.0 && (one.said - sure.iter().sum::<f64>() / 3.0).abs() < 1e-9, "{one:?} {sure:?}");
}

#[tokio::test]
async fn nothing_is_learnt_of_who_is_excluded_and_nothing_crosses() {
    let client = |more: &str| format!(r#"{{"clients": {{"acme": {{"projects": ["{{root}}"]{more}}}}}}}"#);
    for (settings, rows) in
        [(client(r#", "excluded": true"#), 0), (r#"{"learning": {"on": false}}"#.to_owned(), 0), (client(""), 1)]
    {
        let ground = Ground::new(&["a.py"], &settings).await;
        ground.fix().await;
        assert_eq!(ground.cx.store.known_fixes("acme").unwrap().len(), rows, "{settings}");
        assert_eq!(ground.cx.store.known_fixes("").unwrap().len(), 0, "{settings}");
        let rating = Rating { thumb: Thumb::Up, reasons: Vec::new(), note: String::new() };
        let rated = rate(&ground.cx, &ground.found[0], None, &rating);
        assert_eq!(rated.is_ok(), rows == 1, "{rated:?}");
        let own = record(&ground.cx, &ground.project.root);
        assert_eq!(own != Record::default(), rows == 1);
        assert_eq!(record(&ground.cx, "/elsewhere"), Record::default());
        assert_eq!(reset(&ground.cx, Some("")).unwrap(), 0);
        assert_eq!(reset(&ground.cx, Some("acme")).unwrap() > 0, rows == 1);
        assert_eq!(record(&ground.cx, &ground.project.root), Record::default());
    }
}

fn model(name: &str) -> Origin {
    Origin::Model { model: name.into(), endpoint: "mine".into(), local: false, family: family_of(name) }
}

fn known(origin: Origin, events: &[Event]) -> KnownFix {
    let attempt = Attempt {
        origin,
        family: Family::Injection,
        language: None,
        severity: Severity::High,
        rule: "r".into(),
        rung: None,
        p: 0.5,
        log_odds: 0.0,
        cap: 0.55,
    };
    KnownFix {
        client: String::new(),
        project: ProjectId::new("p"),
        finding: FindingId::new("f"),
        fix: CandidateId::new("c"),
        vulnerability_type: "CWE-78".into(),
        created_at: 0,
        looked_at: 0,
        attempts: vec![attempt],
        events: events.iter().map(|event| (0, event.clone())).collect(),
    }
}

#[test]
fn another_version_of_a_model_keeps_half_of_what_was_known() {
    let fixes = vec![known(model("claude-opus-4"), &[Event::Applied { tests: false, head: None }, Event::Merged]); 8];
    let n = |now: &str, asked: &str| {
        let current = Current(BTreeMap::from([("mine".to_owned(), now.to_owned())]));
        build(&fixes, &current, 0).prior(&model(asked), Family::Injection, None).n
    };
    assert_eq!(n("claude-opus-4", "claude-opus-4"), 8.0);
    assert_eq!((n("claude-opus-5", "claude-opus-5"), n("claude-opus-5", "claude-opus-4")), (4.0, 0.0));
    // Another family is somebody else.
    assert_eq!((n("gpt-6", "gpt-6"), n("gpt-6", "claude-opus-4")), (0.0, 8.0));
}

#[tokio::test]
async fn outcomes_change_who_is_asked_unless_the_person_has_said_so() {
    let setting =
        |name: &str| json!({ "name": name, "base_url": "http://127.0.0.1:1/v1", "model": format!("{name}-1") });
    let models = json!([setting("first"), setting("second")]);
    for (preference, expect) in [(json!([]), "second"), (json!(["first", "second"]), "first")] {
        let settings = json!({ "models": models, "preference": preference });
        let ground = Ground::new(&["a.py"], &settings.to_string()).await;
        let finding = ground.cx.store.finding(&ground.found[0]).unwrap().unwrap().finding;
        let sources = Sources::open(&ground.cx, ground.project.root.as_ref()).await.unwrap();
        let brief = stage::gather(&finding, &sources, &ground.cx.settings());
        let mut plan = RunPlan::for_severity(Severity::Medium, &ground.cx.settings());
        plan.tier.seats.truncate(1);
        let asked = || {
            let record = record(&ground.cx, &ground.project.root);
            let (all, sitting) = stage::seated(&ground.cx.models, &plan, Some(&brief), &record);
            all[sitting[0].member.unwrap()].name().to_owned()
        };
        assert_eq!(asked(), "first", "nothing is known");
        let (mut begun, mut later) = (stage::Panel::default(), stage::Panel::default());
        let seated = async |panel: &mut stage::Panel| {
            let (all, sitting) = panel.seated(&ground.cx, &sources, &plan, &brief).await;
            all[sitting[0].member.unwrap()].name().to_owned()
        };
        assert_eq!(seated(&mut begun).await, "first");
        for (name, event) in [("first", Event::Reverted), ("second", Event::Merged)] {
            for n in 0..12 {
                let (model, endpoint) = (format!("{name}-1"), name.to_owned());
                let origin = Origin::Model { family: family_of(&model), model, endpoint, local: false };
                let attempt = known(origin, &[]).attempts.remove(0);
                let family = Family::of(&finding.detection.rule.cwe);
                let new = NewFix {
                    client: String::new(),
                    project: ground.project.id.clone(),
                    finding: FindingId::new(format!("{name}{n}")),
                    fix: CandidateId::new("c"),
                    vulnerability_type: "CWE-502".into(),
                    signature: "s".into(),
                    consensus: Vec::new(),
                    edge_cases: 0,
                    attempts: vec![(name.into(), Attempt { family, ..attempt })],
                };
                ground.cx.store.know_fix(&new, ground.cx.now_ms()).unwrap();
                for event in [&Event::Applied { tests: true, head: None }, &event] {
                    ground.cx.store.add_fix_event("", &new.finding, &new.fix, event, ground.cx.now_ms()).unwrap();
                }
            }
        }
        assert_eq!(asked(), expect, "{preference}");
        assert_eq!((seated(&mut begun).await, seated(&mut later).await), ("first".to_owned(), expect.to_owned()));
    }
}

#[test]
fn acceptance_alone_lifts_no_cap_and_opens_no_gate() {
    let current = Current(BTreeMap::new());
    let allowed = |events: &[Event]| {
        let fixes = vec![known(model("m"), events); 60];
        build(&fixes, &current, 0).allowed(0.55)
    };
    let applied = Event::Applied { tests: true, head: None };
    assert_eq!(allowed(std::slice::from_ref(&applied)), (0.55, None));
    assert!(allowed(&[applied, Event::Merged]).0 > 0.9);
}

#[tokio::test]
async fn rows_that_make_no_sense_leave_start_values_and_say_so() {
    let ground = Ground::new(&["a.py"], "{}").await;
    let attempt = known(model("m"), &[]).attempts.remove(0);
    let new = NewFix {
        client: String::new(),
        project: ground.project.id.clone(),
        finding: ground.found[0].clone(),
        fix: CandidateId::new("c"),
        vulnerability_type: "CWE-502".into(),
        signature: "s".into(),
        consensus: Vec::new(),
        edge_cases: 0,
        // What is no number is written as nothing.
        attempts: vec![("m".into(), Attempt { log_odds: f64::NAN, ..attempt })],
    };
    ground.cx.store.know_fix(&new, 0).unwrap();
    let record = record(&ground.cx, &ground.project.root);
    assert!(record.fault().is_some());
    assert_eq!(record.prior(&model("m"), Family::Injection, None).p, 0.35);
    assert!(insights::insights(&ground.cx, "").await.unwrap().fault.is_some());
}

#[tokio::test]
async fn edge_cases_reach_the_question_about_a_like_finding_under_their_id() {
    let ground = Ground::new(&["a.py"], "{}").await;
    let finding = ground.cx.store.finding(&ground.found[0]).unwrap().unwrap().finding;
    let cwe = finding.detection.rule.cwe.first().copied();
    let keep = |client: &str, text: &str| {
        let family = Family::of(&finding.detection.rule.cwe);
        let (client, finding) = (client.to_owned(), FindingId::new("earlier"));
        let of = EdgeCaseOf { client, cwe, family, framework: None, language: None, finding };
        ground.cx.store.keep_edge_cases(&of, &[(text.to_owned(), "Recipes".to_owned())], 0).unwrap();
    };
    keep("", "documents with tags of their own");
    keep("acme", "only acme knows");
    let sources = Sources::open(&ground.cx, ground.project.root.as_ref()).await.unwrap();
    let brief = recall(&ground.cx, &ground.project.root, stage::gather(&finding, &sources, &ground.cx.settings()));
    let file = brief.file.as_ref().unwrap();
    let asked = fix_request(&brief, file, Form::Full, None, None).user;
    assert!(
        asked.contains("[[remembered of an earlier finding as `edge-1`]]\ndocuments with tags of their own"),
        "{asked}"
    );
    assert!(!asked.contains("acme"), "{asked}");
}

#[tokio::test]
async fn tests_that_turn_red_afterwards_take_away_and_those_that_never_pass_do_not() {
    let ground = Ground::new(&["a.py"], "{}").await;
    ground.fix().await;
    let between = |heads, passed| tests_after(&ground.cx, &ground.project.root, heads, passed);
    let tell = |passed| between([None, None], passed);
    for heads in [[Some("refs/heads/a"), Some("refs/heads/b")], [None, Some("refs/heads/a")]] {
        between(heads, true);
        assert_eq!(ground.standing(0).label().map(|label| label.weight), Some(0.5), "something else was checked out");
    }
    tell(false);
    assert_eq!(ground.standing(0).label().map(|label| label.weight), Some(0.5));
    tell(true);
    tell(true);
    assert_eq!(ground.standing(0).label().map(|label| label.weight), Some(0.7));
    tell(false);
    assert_eq!(ground.standing(0).label(), None);
    assert_eq!(ground.cx.store.known_fixes("").unwrap()[0].events.len(), 3);
}
