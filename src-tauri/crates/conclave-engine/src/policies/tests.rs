//! Policies in a real data folder and real projects, as people write them and break them.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::PathBuf;

use conclave_policy::{
    Access, Action, Actor, EntryKind, Ledger as _, Matched, NewEntry, ToolCall, ToolRequest, TouchedPath,
};
use conclave_policy::{Decision, Effective};
use conclave_store::{Ask, NewAsk};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::open::{Options, open};
use crate::project;

struct Ground {
    folder: TempDir,
    cx: Ctx,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cx = open(&Options { data_dir: folder.path().join("data"), offline: false }).unwrap().0;
        fs::create_dir(folder.path().join("shop")).unwrap();
        project::add(&cx, &folder.path().join("shop"), false).unwrap();
        Self { folder, cx }
    }

    /// One whose settings name models so.
    fn with_models(names: &[&str]) -> Self {
        let ground = Self::new();
        let models: Vec<_> = names
            .iter()
            .map(|name| json!({ "name": name, "base_url": "http://127.0.0.1:9/v1", "model": "m" }))
            .collect();
        fs::write(ground.folder.path().join("data/settings.json"), json!({ "models": models }).to_string()).unwrap();
        let cx = open(&Options { data_dir: ground.folder.path().join("data"), offline: false }).unwrap().0;
        Self { cx, ..ground }
    }

    fn shop(&self) -> String {
        self.folder.path().join("shop").canonicalize().unwrap().display().to_string()
    }

    fn user_file(&self) -> PathBuf {
        self.cx.data.policy_path()
    }

    fn write_user(&self, text: &str) {
        fs::write(self.user_file(), text).unwrap();
        reload(&self.cx).unwrap();
    }

    fn write_project(&self, text: &str) {
        let folder = self.folder.path().join("shop/.conclave");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("policy.yaml"), text).unwrap();
        reload(&self.cx).unwrap();
    }

    fn decide(&self, request: &ToolRequest) -> Decision {
        self.cx.gate.policies().current().evaluate(request, 0)
    }
}

fn read_project(root: &str) -> ToolRequest {
    ToolRequest::new(Actor::Engine, Action::ReadProject, root).with(conclave_policy::keys::PROJECT, root)
}

fn call(tool: &str, path: &str) -> ToolRequest {
    let call = ToolCall {
        tool: tool.to_owned(),
        server: None,
        session: None,
        cwd: Some("/home/ada".to_owned()),
        parameters: json!({ "file_path": path, "limit": 7 }),
    };
    let touched = TouchedPath { given: path.to_owned(), real: Some(path.to_owned()), access: Access::Read };
    let request = ToolRequest::new(Actor::Agent("claude-code".to_owned()), Action::CallTool, tool);
    ToolRequest { call: Some(Box::new(call)), ..request }.touching(touched)
}

const SAMPLING: &str = "\
# Mine.
version: 1
extends: none   # nothing else
rules:
    - id: look-at-frobs
      priority: 500
      action: sample
      reason: frobs are looked at   # always
      conditions: { action: call_tool, tool: Frob }
";

#[test]
fn the_files_in_effect_are_named_and_a_missing_one_is_the_shipped_policy() {
    let ground = Ground::new();
    let names = |ground: &Ground| {
        let files = ground.cx.policy.files();
        files.into_iter().map(|file| (file.layer, file.path.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(names(&ground), [(Layer::Floor, false), (Layer::User, false)]);
    assert_eq!(ground.decide(&read_project(&ground.shop())).effect, Effective::Allow);
    ground.write_user(SAMPLING);
    ground.write_project("version: 1\nrules: []\n");
    assert_eq!(names(&ground), [(Layer::Floor, false), (Layer::User, true), (Layer::Project, true)]);
    assert_eq!(ground.decide(&call("Frob", "/home/ada/a")).rule, "look-at-frobs");
    assert_eq!(ground.cx.policy.banner(), None);
}

#[test]
fn a_broken_file_refuses_all_in_its_scope_and_the_banner_says_so() {
    let ground = Ground::new();
    let (here, elsewhere) = (read_project(&ground.shop()), read_project("/home/ada/other"));
    ground.write_project("version: 1\nrules: [{ id: x }]\n");
    assert_eq!(ground.decide(&here).effect, Effective::Deny);
    assert_eq!(ground.decide(&elsewhere).effect, Effective::Allow);
    let banner = ground.cx.policy.banner().unwrap();
    assert!(banner.contains("shop") && banner.contains("policy.yaml"), "{banner}");

    ground.write_user("rules: [");
    assert_eq!(ground.decide(&elsewhere).effect, Effective::Deny);
    assert!(ground.cx.policy.banner().unwrap().contains("and 1 more"));

    ground.write_user(SAMPLING.replace("extends: none", "extends: default").as_str());
    ground.write_project("version: 1\nrules: []\n");
    assert_eq!(ground.cx.policy.banner(), None);
    assert_eq!(ground.decide(&here).effect, Effective::Allow);
}

#[test]
fn a_project_can_only_make_it_stricter_and_only_for_itself() {
    let ground = Ground::new();
    ground.write_project(
        "version: 1\nrules:\n  - { id: mine, priority: 1, action: allow, reason: r }\n  - { id: no, priority: 2, action: deny, reason: r, conditions: { action: read_project } }\n",
    );
    assert_eq!(ground.decide(&read_project(&ground.shop())).rule, "no");
    assert_eq!(ground.decide(&read_project("/home/ada/other")).effect, Effective::Allow);
    let write = ToolRequest::new(Actor::Engine, Action::WriteProject, ground.shop());
    assert_eq!(ground.decide(&write).effect, Effective::Deny);
}

#[test]
fn a_rule_of_yours_that_names_an_unknown_reviewer_is_an_error_and_one_of_a_project_a_warning() {
    let ground = Ground::with_models(&["Local Qwen", "Hosted"]);
    let named = |name: &str| format!("{SAMPLING}      inference_provider: {name}\n");
    let file = |ground: &Ground| ground.cx.policy.files().pop().unwrap();
    for known in ["person", "Local Qwen", "Hosted"] {
        ground.write_user(&named(known));
        assert_eq!((file(&ground).fault, file(&ground).warnings), (None, vec![]), "{known}");
    }
    for (name, meant) in [("Lokal Qwen", "did you mean `Local Qwen`?"), ("Nobody", "known are `Hosted`")] {
        ground.write_user(&named(name));
        let fault = file(&ground).fault.unwrap();
        let told = [&format!("`{name}`")[..], meant, "`look-at-frobs`", "policy.yaml"];
        assert!(told.iter().all(|words| fault.contains(words)), "{fault}");
        assert!(ground.cx.policy.banner().is_some());
        assert_eq!(ground.decide(&read_project("/home/ada/other")).effect, Effective::Deny, "as with any bad file");
        let refused = check(&ground.cx, &named(name)).unwrap_err();
        assert!(refused.to_string().contains(meant), "{refused}");
        let saved = save_user_policy(&ground.cx, &named(name), Some(&digest(named(name).as_bytes())));
        assert!(matches!(saved, Err(PolicyError::Load(_))), "{saved:?}");
    }
    ground.write_user("version: 1\nrules: []\n");
    ground.write_project(&named("Nobody").replace("extends: none   # nothing else\n", ""));
    assert_eq!((file(&ground).fault, file(&ground).warnings.len()), (None, 1));
    assert!(file(&ground).warnings[0].contains("`Nobody`"), "{:?}", file(&ground).warnings);
}

#[tokio::test]
async fn a_change_on_disk_is_in_force_whole_and_faces_hear_of_it() {
    let ground = Ground::new();
    let mut events = ground.cx.events.subscribe();
    // Before or after the following begins: either way it is seen.
    fs::write(ground.user_file(), SAMPLING).unwrap();
    tokio::select! {
        ended = follow(&ground.cx) => panic!("it follows until it is cancelled: {ended:?}"),
        event = events.recv() => assert_eq!(event.unwrap(), Event::Changed(vec![Topic::Policy])),
    }
    let project = ground.folder.path().join("shop/.conclave/policy.yaml");
    let change = async {
        // What is told first is that the following has begun and found nothing new.
        tokio::task::yield_now().await;
        fs::create_dir(project.parent().unwrap()).unwrap();
        fs::write(&project, "version: 1\nrules: []\n").unwrap();
        events.recv().await.unwrap()
    };
    tokio::select! {
        ended = follow(&ground.cx) => panic!("it follows until it is cancelled: {ended:?}"),
        event = change => assert_eq!(event, Event::Changed(vec![Topic::Policy])),
    }
    assert_eq!(ground.decide(&call("Frob", "/home/ada/a")).rule, "look-at-frobs");
    assert!(!reload(&ground.cx).unwrap(), "nothing changed since");
}

#[test]
fn a_policy_is_saved_only_when_it_loads_and_is_the_one_that_was_edited() {
    let ground = Ground::new();
    let wrong = save_user_policy(&ground.cx, "version: 2\nrules: []\n", None).unwrap_err();
    assert!(matches!(wrong, PolicyError::Load(_)), "{wrong}");
    assert!(!ground.user_file().exists());

    let rows = ground.cx.store.verify_ledger().unwrap().rows;
    let saved = save_user_policy(&ground.cx, SAMPLING, None).unwrap();
    assert_eq!(fs::read_to_string(&saved.path).unwrap(), SAMPLING);
    assert_eq!(ground.cx.store.verify_ledger().unwrap().rows, rows + 1);
    assert_eq!(ground.decide(&call("Frob", "/home/ada/a")).rule, "look-at-frobs");

    let edited = SAMPLING.replace("500", "400");
    let stale = save_user_policy(&ground.cx, &edited, None).unwrap_err();
    assert!(matches!(stale, PolicyError::Changed(_)), "{stale}");
    save_user_policy(&ground.cx, &edited, Some(&saved.digest)).unwrap();
    assert_eq!(user_policy(&ground.cx).unwrap().as_deref(), Some(edited.as_str()));

    // A file that refuses everything can still be corrected.
    ground.write_user("nonsense");
    let broken = digest(b"nonsense");
    save_user_policy(&ground.cx, SAMPLING, Some(&broken)).unwrap();
    assert_eq!(ground.cx.policy.banner(), None);
}

fn ask(ground: &Ground, request: &ToolRequest) -> Ask {
    let decision = ground.decide(request);
    let new = NewAsk {
        at_ms: 0,
        expires_at_ms: 1,
        request: request.clone(),
        rule: decision.rule,
        layer: decision.layer,
        reason: decision.reason,
        guidance: None,
    };
    let id = ground.cx.store.put_ask(&new).unwrap();
    ground.cx.store.asks(1).unwrap().into_iter().find(|ask| ask.id == id).unwrap()
}

#[test]
fn always_adds_one_narrow_rule_and_leaves_the_rest_to_the_byte() {
    let ground = Ground::new();
    let request = call("Frob", "/home/ada/a \"b\" #c: d.txt");
    for text in [
        SAMPLING.to_owned(),
        SAMPLING.trim_end().to_owned(),
        SAMPLING.replace("    -", "-").replace("\n      ", "\n  "),
    ] {
        ground.write_user(&text);
        assert_eq!(ground.decide(&request).effect, Effective::Sample);
        let ask = ask(&ground, &request);
        let shown = always_rule(&ground.cx, &ask).unwrap();
        let (id, _) = always_allow(&ground.cx, &ask).unwrap();
        let after = user_policy(&ground.cx).unwrap().unwrap();
        assert!(after.starts_with(&text), "{after}");
        assert!(shown.starts_with(&format!("- id: {id}\n")), "{shown}");
        let decision = ground.decide(&request);
        assert_eq!((decision.effect, decision.rule.as_str()), (Effective::Allow, id.as_str()));
        let mut other_cwd = request.clone();
        other_cwd.call.as_mut().unwrap().cwd = Some("/tmp".to_owned());
        let mut more = request.clone();
        more.call.as_mut().unwrap().parameters["file_path"] = json!("/home/ada/b");
        let two = request.clone().touching(TouchedPath {
            given: "x".to_owned(),
            real: Some("/home/ada/x".to_owned()),
            access: Access::Read,
        });
        let other_actor = ToolRequest { actor: Actor::Agent("codex".to_owned()), ..request.clone() };
        for near in [other_cwd, more, two, other_actor, call("Frob", "/home/ada/b")] {
            assert_eq!(ground.decide(&near).effect, Effective::Sample, "{near:?}");
        }
    }
}

#[test]
fn always_is_not_offered_where_no_rule_of_the_persons_counts() {
    let ground = Ground::new();
    ground.write_project(
        "version: 1\nrules: [{ id: look, priority: 1, action: sample, reason: r, conditions: { action: read_project } }]\n",
    );
    let by_project = ask(&ground, &read_project(&ground.shop()));
    assert_eq!(by_project.ask.layer, Some(Layer::Project));
    assert_eq!(always_rule(&ground.cx, &by_project), None);
    assert!(matches!(always_allow(&ground.cx, &by_project), Err(PolicyError::NoRule(_))));
    assert!(!ground.user_file().exists());
}

#[test]
fn a_file_whose_rules_cannot_be_extended_in_place_is_left_as_it_is() {
    let rule = "- id: new\n  priority: 1\n";
    for (text, fits) in [
        (None, true),
        (Some(""), true),
        (Some("version: 1\nrules: []\n"), true),
        (Some("rules:\n- id: a\nversion: 1\n"), false),
        (Some("version: 1\nrules: [{ id: a }]\n"), false),
        (Some("version: 1\nrules:\n  - id: a\n...\n"), false),
        (Some("version: 1\nrules:\n  - id: a\n# end"), true),
    ] {
        assert_eq!(always::with_rule(text, rule).is_some(), fits, "{text:?}");
    }
}

#[test]
fn a_request_is_explained_and_nothing_is_recorded() {
    let ground = Ground::new();
    ground.write_user(SAMPLING);
    let rows = ground.cx.store.verify_ledger().unwrap().rows;
    let text = r#"{"actor":"agent:claude-code","action":"call_tool","tool":"Frob"}"#;
    let (request, explanation) = explain(&ground.cx, text).unwrap();
    assert_eq!(request.resource, "Frob");
    assert_eq!(explanation.decision.rule, "look-at-frobs");
    let step = explanation.steps.iter().find(|step| step.rule == "look-at-frobs").unwrap();
    assert_eq!(step.matched, Matched::Matched);
    assert!(explain(&ground.cx, "{\"actor\":\"person\",\"actor\":\"engine\"}").is_err());
    assert_eq!(ground.cx.store.verify_ledger().unwrap().rows, rows);
}

#[test]
fn a_simulation_says_what_would_have_been_decided_otherwise() {
    let ground = Ground::new();
    for (at_ms, path) in [(1, "/home/ada/a"), (2, "/home/ada/b")] {
        let request = call("Frob", path);
        let decision = ground.decide(&request);
        ground.cx.store.append(&NewEntry { at_ms, kind: EntryKind::Decision { request, decision } }).unwrap();
    }
    let allow_a =
        "version: 1\nrules: [{ id: a, priority: 1, action: allow, reason: r, conditions: { path: /home/ada/a } }]\n";
    let seen = simulate(&ground.cx, allow_a, 100).unwrap();
    let [changed] = seen.changed.as_slice() else { panic!("{seen:?}") };
    assert_eq!((changed.request.paths[0].given.as_str(), changed.at_ms), ("/home/ada/a", 1));
    assert_eq!((changed.before.effect, changed.after.effect), (Effective::Deny, Effective::Allow));
    assert_eq!(simulate(&ground.cx, allow_a, 1).unwrap().checked, 1);
    assert!(simulate(&ground.cx, "rules: 7", 100).is_err());
    assert_eq!(ground.decide(&call("Frob", "/home/ada/a")).effect, Effective::Deny, "nothing is in force");
}
