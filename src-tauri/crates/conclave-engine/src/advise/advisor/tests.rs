//! The quick way to an answer, on a real data folder.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person\u{2019}s editor")]

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::open::{Options, open};

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        open(&Options { data_dir: home.data(), offline: false }).expect("opened once");
        std::fs::create_dir_all(home.path("app/.git")).expect("a project");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().expect("a path").join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn advisor(&self) -> Advisor {
        Advisor::open(&self.data(), false).expect("opened")
    }

    fn call(&self, id: &str, tool: &str, parameters: Value) -> AgentCall {
        AgentCall {
            client: "claude-code".to_owned(),
            tool: tool.to_owned(),
            server: None,
            session: Some("s".to_owned()),
            call_id: Some(id.to_owned()),
            cwd: Some(self.path("app").display().to_string()),
            mode: Some("default".to_owned()),
            parameters,
        }
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    }

    fn last_outcome(&self) -> Option<String> {
        let store = Store::open_existing(&self.data().join("conclave.db"), BUSY).expect("opened");
        let query = DecisionQuery { limit: 1, ..DecisionQuery::default() };
        store.decisions(&query).expect("read").rows[0].outcome.clone()
    }
}

const ECHO: &str = "version: 1
rules:
  - id: echo
    priority: 10
    action: allow
    reason: it only says something
    conditions: { tool: Echo }
  - id: look-first
    priority: 10
    action: sample
    reason: it may shout
    conditions: { tool: Shout }
";

#[test]
fn a_folder_that_was_never_used_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().to_owned(), folder.path().join("missing")] {
        assert!(matches!(Advisor::open(&path, false), Err(AdviseError::NoData(_))), "{path:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn the_persons_own_rules_decide_and_what_no_rule_knows_is_refused() {
    let home = Home::new();
    let refused = home.advisor().judge(&home.call("1", "Echo", json!({}))).expect("judged");
    assert_eq!(refused.decision.effect, Effective::Deny);
    assert!(refused.remedy.contains("policy.yaml"), "{}", refused.remedy);
    home.write("data/policy.yaml", ECHO);
    for (tool, expect) in [
        ("Echo", Effective::Allow),
        ("Shout", Effective::Sample),
        ("echo", Effective::Deny),
        ("Echo ", Effective::Deny),
    ] {
        let advice = home.advisor().judge(&home.call("2", tool, json!({}))).expect("judged");
        assert_eq!(advice.decision.effect, expect, "{tool}: {:?}", advice.decision);
    }
}

#[test]
fn a_project_makes_it_stricter_for_all_that_touches_it_and_a_broken_file_refuses() {
    let home = Home::new();
    home.write("data/policy.yaml", ECHO);
    home.write(
        "app/inner/.conclave/policy.yaml",
        "version: 1\nrules:\n  - { id: quiet, priority: 1, action: deny, reason: quiet here, conditions: { tool: Echo } }\n",
    );
    let judge = |parameters| home.advisor().judge(&home.call("1", "Echo", parameters)).expect("judged").decision;
    assert_eq!(judge(json!({})).effect, Effective::Allow);
    let inside = home.path("app/inner/deep/file").display().to_string();
    assert_eq!(judge(json!({ "path": inside })).rule, "quiet");
    home.write("data/policy.yaml", "version: 1\nrules: [");
    assert_eq!(judge(json!({})).effect, Effective::Deny);
}

#[test]
fn an_agent_never_writes_the_policy() {
    let home = Home::new();
    let policy = home.data().join("policy.yaml");
    std::os::unix::fs::symlink(home.data(), home.path("app/innocent")).expect("a link");
    for (tool, parameters) in [
        ("Write", json!({ "file_path": policy, "content": "" })),
        ("Edit", json!({ "file_path": "innocent/policy.yaml" })),
        ("Bash", json!({ "command": format!("echo > {}", policy.display()) })),
        ("apply_patch", json!({ "command": format!("*** Add File: {}\n", policy.display()) })),
        ("mcp__files__write", json!({ "path": policy })),
    ] {
        let advice = home.advisor().judge(&home.call("1", tool, parameters)).expect("judged");
        assert_eq!(advice.decision.effect, Effective::Deny, "{tool}");
    }
}

#[test]
fn what_was_done_is_compared_with_what_was_decided() {
    let home = Home::new();
    home.write("data/policy.yaml", ECHO);
    let (decided, changed) = (json!({ "text": "hello" }), json!({ "text": "other" }));
    for (tool, executed, expect, words) in [
        ("Echo", &decided, Compared::Same, "as decided"),
        ("Echo", &changed, Compared::Differs, "alarm"),
        ("Nothing", &decided, Compared::Refused, "alarm"),
    ] {
        home.advisor().judge(&home.call("1", tool, decided.clone())).expect("judged");
        let compared = home.advisor().after(&home.call("1", tool, executed.clone())).expect("compared");
        assert_eq!(compared, expect, "{tool}");
        let outcome = home.last_outcome().unwrap_or_default();
        assert!(outcome.contains(words), "{outcome}");
    }
    let unknown = home.advisor().after(&home.call("2", "Echo", decided.clone())).expect("compared");
    assert_eq!(unknown, Compared::Unknown);
    let other_session = AgentCall { session: None, ..home.call("1", "Echo", decided) };
    assert_eq!(home.advisor().after(&other_session).expect("compared"), Compared::Unknown);
}

#[test]
fn a_call_that_a_person_had_to_allow_is_not_done_as_decided_where_nobody_was_asked() {
    let home = Home::new();
    home.write("data/policy.yaml", &ECHO.replace("allow", "sample"));
    for (client, expect) in
        [("claude-code", Compared::Same), ("codex", Compared::Refused), ("gemini", Compared::Refused)]
    {
        let call = AgentCall { client: client.to_owned(), ..home.call("1", "Echo", json!({ "text": "hello" })) };
        let advice = home.advisor().judge(&call).expect("judged");
        assert_eq!(advice.decision.effect, Effective::Sample, "{client}");
        assert_eq!(home.advisor().after(&call).expect("compared"), expect, "{client}");
    }
}

#[test]
fn no_name_that_only_looks_like_a_tools_inherits_what_that_may() {
    let home = Home::new();
    let advisor = home.advisor();
    let parameters =
        json!({ "file_path": "a", "path": "a", "paths": ["a"], "command": "ls", "url": "https://a.example" });
    let judge = |tool: &str| {
        let requests = home.call("1", tool, parameters.clone()).requests(&resolve_touched).expect("not too much");
        let policy =
            policy_for(&advisor.store, &advisor.data, &advisor.settings, false, &requests.0).expect("a policy");
        strictest(&policy, requests, 0).1.effect
    };
    let swapped = |name: &str| -> String {
        let swap = |c: char| if c.is_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
        name.chars().map(swap).collect()
    };
    let mut allowed = 0;
    for tool in crate::advise::tools::KNOWN {
        let name = tool.name;
        allowed += usize::from(judge(name) == Effective::Allow);
        let homoglyph = name.replacen('a', "\u{430}", 1).replacen('e', "\u{435}", 1).replacen('o', "\u{43e}", 1);
        let mutations = [
            swapped(name),
            format!("{name} "),
            format!(" {name}"),
            format!("{name}\0"),
            format!("{name}\n"),
            format!("{name}\u{200b}"),
            format!("{name}s"),
            format!("mcp__{name}"),
            homoglyph,
        ];
        for mutation in mutations.iter().filter(|mutation| crate::advise::tools::known(mutation).is_none()) {
            assert_eq!(judge(mutation), Effective::Deny, "{mutation:?} for {name}");
        }
    }
    assert!(allowed > 0, "the shipped policy allows some of them");
}

#[test]
fn what_is_searched_or_copied_is_touched() {
    let home = Home::new();
    for name in [".env", "src/a.py", "config/secrets.yml", "made/server.pem"] {
        home.write(&format!("app/{name}"), "KEY=1\n");
    }
    let shell = |command: &str| ("Bash", json!({ "command": command }));
    let cases = [
        (shell("grep -rn KEY"), Some(".env")),
        (shell("grep -rn KEY src"), None),
        (shell("grep -rn --exclude=.env --exclude-dir=made --exclude=secrets.yml KEY ."), None),
        (shell("cd config && grep -r KEY"), Some("secrets.yml")),
        (shell("rg KEY src"), None),
        (shell("rg KEY made"), Some("made/server.pem")),
        (shell("rg -uu KEY"), Some(".env")),
        (shell("find . -name '*.pem' -exec cat {} +"), Some("made/server.pem")),
        (shell("find . -type f | xargs cat"), Some(".env")),
        (shell("cat config/*"), Some("config/secrets.yml")),
        (shell("tar czf x.tgz ."), Some(".env")),
        (shell("cp -r config copy"), Some("config/secrets.yml")),
        (("Grep", json!({ "pattern": "KEY", "output_mode": "content" })), Some(".env")),
        (("Grep", json!({ "pattern": "KEY", "path": "src" })), None),
        (("Grep", json!({ "pattern": "KEY", "glob": "src/*.py" })), None),
        (("Grep", json!({ "pattern": "KEY", "glob": "*.{py,yml}" })), Some(".env")),
        (("Grep", json!({ "pattern": "KEY", "glob": "config/*.yml" })), Some("config/secrets.yml")),
        (("search_file_content", json!({ "pattern": "KEY" })), Some(".env")),
    ];
    for ((tool, parameters), expect) in cases {
        let advice = home.advisor().judge(&home.call("1", tool, parameters.clone())).expect("judged");
        match expect {
            None => assert_ne!(advice.decision.effect, Effective::Deny, "{parameters}: {}", advice.decision.reason),
            Some(file) => {
                assert_eq!(advice.decision.rule, "secret-files", "{parameters}");
                assert!(advice.remedy.contains(&format!("`{file}`")), "{parameters}: {}", advice.remedy);
            }
        }
    }
    // `git` shows nothing of what is ignored, and nobody but its own settings what is in them.
    home.write("app/.git/HEAD", "");
    home.write("app/.git/config", "");
    for (command, expect) in [
        ("git diff", Effective::Deny),
        ("git diff --stat", Effective::Allow),
        ("git diff -- src", Effective::Allow),
        ("git grep KEY", Effective::Deny),
        ("diff made src", Effective::Deny),
    ] {
        let advice = home.advisor().judge(&home.call("1", "Bash", json!({ "command": command }))).expect("judged");
        assert_eq!(advice.decision.effect, expect, "{command}: {}", advice.decision.reason);
    }
    // What an ignore file leaves out, Claude Code's search leaves out unless it is named.
    home.write("app/.gitignore", ".env\n/config\nmade\n");
    let judge = |parameters| home.advisor().judge(&home.call("1", "Grep", parameters)).expect("judged").decision.effect;
    assert_eq!(judge(json!({ "pattern": "KEY" })), Effective::Allow);
    assert_eq!(judge(json!({ "pattern": "KEY", "glob": ".env" })), Effective::Deny);
    for (tool, parameters, expect) in [
        ("Bash", json!({ "command": "git diff" }), Effective::Allow),
        ("Bash", json!({ "command": "rg KEY" }), Effective::Allow),
        ("Bash", json!({ "command": "grep -r KEY src" }), Effective::Allow),
        (
            "Bash",
            json!({ "command": "grep -r --exclude-dir=.git --exclude=.env --exclude=secrets.yml '--exclude=*.pem' KEY" }),
            Effective::Allow,
        ),
        (
            "Bash",
            json!({ "command": "grep -r --exclude=.env --exclude=secrets.yml '--exclude=*.pem' KEY" }),
            Effective::Sample,
        ),
        ("Bash", json!({ "command": "cat .git/config" }), Effective::Sample),
        ("Bash", json!({ "command": "grep -r KEY" }), Effective::Deny),
        ("Grep", json!({ "pattern": "KEY", "path": ".git" }), Effective::Sample),
    ] {
        let advice = home.advisor().judge(&home.call("1", tool, parameters.clone())).expect("judged");
        assert_eq!(advice.decision.effect, expect, "{parameters}: {}", advice.decision.reason);
    }
}

#[test]
fn what_is_denied_is_told_before_what_is_asked_about() {
    let home = Home::new();
    home.write(
        "data/policy.yaml",
        "version: 1
extends: default
rules:
  - { id: private, priority: 50, action: sample, reason: private, conditions: { path: { glob: '**/a/*' } } }
",
    );
    for n in 0..20 {
        home.write(&format!("app/a/{n}"), "");
    }
    let judge =
        |command: &str| home.advisor().judge(&home.call("1", "Bash", json!({ "command": command }))).expect("judged");
    let advice = judge("grep -r KEY .");
    assert_eq!(advice.decision.rule, "private");
    assert!(advice.remedy.contains("`a/0`"), "{}", advice.remedy);
    home.write("app/b/.env", "");
    let advice = judge("grep -r KEY .; grep -r KEY .");
    assert_eq!(advice.decision.rule, "secret-files");
    assert!(advice.remedy.contains("`b/.env`"), "{}", advice.remedy);
}
