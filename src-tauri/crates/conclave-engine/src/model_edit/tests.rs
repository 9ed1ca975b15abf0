//! Edits of a real settings file, as a person and other programs have left it.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::PathBuf;

use conclave_core::money::Money;
use conclave_core::settings::{LocalSetting, ModelSetting, SamplingSetting};
use conclave_effects::fs::backup;
use tempfile::TempDir;

use super::*;
use crate::open::{Options, open};
use crate::policies;

struct Ground {
    folder: TempDir,
    cx: Ctx,
}

impl Ground {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        fs::create_dir(&data_dir).unwrap();
        fs::write(data_dir.join("settings.json"), settings).unwrap();
        let cx = open(&Options { data_dir, offline: false }).unwrap().0;
        Self { folder, cx }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("data/settings.json")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }
}

const BEFORE: &str = r#"{
  "check_timeout_s": 60,
  "models": [
    { "name": "a", "base_url": "http://127.0.0.1:1/v1", "model": "m" },
    { "name": "b", "base_url": "https://one.example/v1", "model": "m", "may_send_code": true }
  ],
  "preference": ["b", "a"],
  "review": { "models": ["b"] },
  "roles": { "fast": [{ "model": "b" }, { "model": "a" }], "logic": [{ "model": "a" }] }
}"#;

fn api(name: &str) -> OneModel {
    OneModel::Api(ModelSetting::new(name, "https://two.example/v1", "big"))
}

#[tokio::test]
async fn a_model_is_added_and_everything_else_stays_as_it_is() {
    let ground = Ground::new(BEFORE);
    save(&ground.cx, &api("c"), None).await.unwrap();
    let local = LocalSetting {
        name: "file".into(),
        file: "/m/a.gguf".into(),
        context_tokens: None,
        threads: Some(2),
        enabled: true,
        trial: false,
    };
    save(&ground.cx, &OneModel::Local(local), None).await.unwrap();
    let sampling = SamplingSetting { enabled: true, ..SamplingSetting::default() };
    save(&ground.cx, &OneModel::McpSampling(sampling), None).await.unwrap();
    let before: Value = serde_json::from_str(BEFORE).unwrap();
    let after = ground.json();
    for kept in ["check_timeout_s", "preference", "review"] {
        assert_eq!(after[kept], before[kept]);
    }
    assert_eq!(after["models"][0], before["models"][0]);
    assert_eq!(after["models"][1], before["models"][1]);
    assert_eq!(after["models"][2]["base_url"], "https://two.example/v1");
    assert_eq!(after["models"][2].get("key_env"), None);
    assert_eq!((&after["local_models"][0]["threads"], &after["sampling"]["enabled"]), (&json!(2), &json!(true)));
}

#[tokio::test]
async fn what_names_a_model_follows_it_when_it_is_renamed_and_when_it_goes() {
    let ground = Ground::new(BEFORE);
    save(&ground.cx, &api("c"), Some("b")).await.unwrap();
    let after = ground.json();
    assert_eq!((&after["models"][1]["name"], after["models"].as_array().unwrap().len()), (&json!("c"), 2));
    assert_eq!((&after["preference"], &after["review"]["models"]), (&json!(["c", "a"]), &json!(["c"])));
    assert_eq!(after["roles"]["fast"], json!([{ "model": "c" }, { "model": "a" }]));
    assert_eq!(remove(&ground.cx, "c").await.unwrap(), ["preference", "review.models", "roles.fast"]);
    let after = ground.json();
    assert_eq!((after.get("cli_models"), after.get("local_models")), (None, None), "no list is made");
    assert_eq!(after["models"].as_array().unwrap().len(), 1);
    assert_eq!((&after["preference"], &after["review"]["models"]), (&json!(["a"]), &json!([])));
    assert_eq!(after["roles"], json!({ "fast": [{ "model": "a" }], "logic": [{ "model": "a" }] }));
}

#[tokio::test]
async fn an_order_and_a_budget_are_kept() {
    let ground = Ground::new(BEFORE);
    order(&ground.cx, &["a".to_owned()]).await.unwrap();
    assert_eq!(ground.json()["preference"], json!(["a", "b"]));
    let caps = BudgetSetting { per_day: Some(Money::from_micros(1_500_000)), ..BudgetSetting::default() };
    budget(&ground.cx, &caps, &ManualCost::default()).await.unwrap();
    let after = ground.json();
    assert_eq!((&after["budget"], &after["manual_cost"]["high"]), (&json!({ "per_day": 1.5 }), &json!(100)));
}

/// A file as a person writes it: with tabs, an amount as text, a default that is said, and no line at its end.
const BY_HAND: &str = "{\n\t\"models\": [\n\t\t{ \"name\":\"a\", \"base_url\":\"https://one.example/v1\",\n\t\t  \"model\":\"m\", \"enabled\": true, \"price\": { \"input\": \"4\", \"output\": \"20.50\" } },\n\t\t{\"name\":\"b\",\"base_url\":\"http://127.0.0.1:1/v1\",\"model\":\"m\"}\n\t],\n\t\"preference\" : [ \"b\",\"a\" ],\n\t\"check_timeout_s\":  60\n}";

#[tokio::test]
async fn an_edit_touches_what_it_changes_and_no_other_byte() {
    let ground = Ground::new(BY_HAND);
    let mut model = ModelSetting::new("a", "https://one.example/v1", "m");
    model.price = ground.cx.settings().models[0].price;
    model.may_send_code = true;
    save(&ground.cx, &OneModel::Api(model.clone()), Some("a")).await.unwrap();
    let with_leave = BY_HAND.replace("\"20.50\" } }", "\"20.50\" },\n\t\t  \"may_send_code\": true }");
    assert_eq!(ground.text(), with_leave);
    model.may_send_code = false;
    save(&ground.cx, &OneModel::Api(model), Some("a")).await.unwrap();
    order(&ground.cx, &["a".to_owned(), "b".to_owned()]).await.unwrap();
    let text = ground.text();
    assert!(text.contains("\"preference\" : [ \"a\",\"b\" ],\n\t\"check_timeout_s\":  60\n}"), "{text}");
    // A switch that was said stays said.
    let back = text.replace("[ \"a\",\"b\" ]", "[ \"b\",\"a\" ]").replace(",\n\t\t  \"may_send_code\": false", "");
    assert_eq!(back, BY_HAND);
    remove(&ground.cx, "b").await.unwrap();
    assert!(ground.text().contains("\"may_send_code\": false }\n\t],"), "{}", ground.text());
}

#[tokio::test]
async fn what_somebody_else_wrote_is_kept_beside_the_file_once() {
    let ground = Ground::new(BEFORE);
    let kept = |number| fs::read_to_string(backup(&ground.file(), number)).ok();
    order(&ground.cx, &["a".to_owned()]).await.unwrap();
    order(&ground.cx, &["b".to_owned()]).await.unwrap();
    assert_eq!((kept(1).as_deref(), kept(2)), (Some(BEFORE), None), "of its own text there is no copy");
    let by_hand = ground.text().replace("60", "61");
    fs::write(ground.file(), &by_hand).unwrap();
    order(&ground.cx, &["a".to_owned()]).await.unwrap();
    assert_eq!((kept(1).as_deref(), kept(2)), (Some(BEFORE), Some(by_hand)));
    let same = ground.text();
    order(&ground.cx, &["a".to_owned()]).await.unwrap();
    assert_eq!((ground.text(), kept(3)), (same, None), "nothing is different, so nothing is written");
    let again = open(&Options { data_dir: ground.folder.path().join("data"), offline: false }).unwrap().0;
    order(&again, &["b".to_owned()]).await.unwrap();
    assert_eq!(kept(3), None, "what another process of its own wrote needs no copy");
}

#[tokio::test]
async fn a_threshold_is_kept_and_one_that_makes_no_sense_is_not() {
    let ground = Ground::new(BEFORE);
    let at =
        |slow_percent, degraded_percent, down_percent| HealthSetting { slow_percent, degraded_percent, down_percent };
    for (wrong, words) in
        [(at(99, 10, 50), "100 percent"), (at(200, 10, 101), "a hundred"), (at(200, 60, 50), "before")]
    {
        let error = thresholds(&ground.cx, &wrong).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(ground.text(), BEFORE);
    thresholds(&ground.cx, &at(300, 10, 50)).await.unwrap();
    assert_eq!(ground.json()["health"], json!({ "slow_percent": 300 }));
    assert_eq!(ground.cx.settings().health, at(300, 10, 50));
    thresholds(&ground.cx, &at(200, 5, 50)).await.unwrap();
    assert_eq!(ground.json()["health"], json!({ "slow_percent": 200, "degraded_percent": 5 }));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_the_file_is_as_it_was() {
    let ground = Ground::new(BEFORE);
    let with = |change: &dyn Fn(&mut ModelSetting)| {
        let mut setting = ModelSetting::new("c", "https://two.example/v1", "big");
        change(&mut setting);
        OneModel::Api(setting)
    };
    let cases: [(OneModel, Option<&str>, &str); 17] = [
        (api("a"), None, "there is a model `a` already"),
        (api("a"), Some("b"), "there is a model `a` already"),
        (api("person"), None, "the name of something else"),
        (api("mcp_sampling"), None, "the name of something else"),
        (api(""), None, "one line"),
        (api(" x"), None, "one line"),
        (api("x\ny"), None, "one line"),
        (api("c"), Some("bb"), "did you mean `b`?"),
        (with(&|c| c.base_url = "two.example".into()), None, "cannot be reached"),
        (with(&|c| c.model = " ".into()), None, "names no model"),
        (with(&|c| c.key_env = Some("sk-1 2".into())), None, "one word"),
        (with(&|c| c.key_env = Some("sk-12345".into())), None, "one word"),
        (with(&|c| c.base_url = "https://sk-1:x@two.example/v1".into()), None, "`conclave keys set two.example`"),
        (
            with(&|c| c.base_url = "https://two.example:81/v1?key=sk-1".into()),
            None,
            "`conclave keys set two.example:81`",
        ),
        (with(&|c| c.base_url = "https://two.example/#sk-1".into()), None, "after `?` or `#`"),
        (with(&|c| drop(c.headers.insert("X-Api-Key".into(), "k".into()))), None, "holds a key"),
        (with(&|c| c.max_concurrent = Some(0)), None, "turn it off instead"),
    ];
    for (model, replaces, words) in cases {
        let error = save(&ground.cx, &model, replaces).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}: {words}");
        assert!(!error.contains("sk-1"), "a key is not repeated: {error}");
    }
    for (names, words) in [(vec!["a", "a"], "twice"), (vec!["aa"], "did you mean `a`?")] {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let error = order(&ground.cx, &names).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(remove(&ground.cx, "gone").await.is_err());
    assert_eq!(ground.text(), BEFORE);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_left_alone() {
    let ground = Ground::new(BEFORE);
    let broken = "{ \"modells\": [] }";
    fs::write(ground.file(), broken).unwrap();
    let error = save(&ground.cx, &api("c"), None).await.unwrap_err();
    assert!(matches!(&error, EditError::Unreadable { detail, .. } if detail.contains("modells")), "{error:?}");
    assert_eq!(ground.text(), broken);
}

#[tokio::test]
async fn a_model_that_a_rule_asks_stays_under_its_name() {
    let ground = Ground::new(BEFORE);
    let rule = "version: 1\nrules:\n  - { id: look, priority: 5, action: sample, reason: r, inference_provider: b,\n      \
                conditions: { tool: Bash }, match: [{ actor: agent:claude-code, tool: Bash, parameters: {} }],\n      \
                no_match: [{ actor: agent:claude-code, tool: Read, parameters: {} }] }\n";
    policies::save_user_policy(&ground.cx, rule, None).unwrap();
    for error in [remove(&ground.cx, "b").await.map(drop), save(&ground.cx, &api("c"), Some("b")).await] {
        assert!(matches!(error, Err(EditError::InUse { rule, .. }) if rule == "look"));
    }
    let same =
        OneModel::Api(ModelSetting { may_send_code: false, ..ModelSetting::new("b", "https://one.example/v1", "m") });
    save(&ground.cx, &same, Some("b")).await.unwrap();
}

#[tokio::test]
async fn an_edit_is_in_the_ledger_before_it_is_made() {
    let ground = Ground::new(BEFORE);
    let rows = ground.cx.store.verify_ledger().unwrap().rows;
    remove(&ground.cx, "a").await.unwrap();
    assert_eq!(ground.cx.store.verify_ledger().unwrap().rows, rows + 1);
}
