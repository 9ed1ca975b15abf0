//! What is written into the settings, and what is said of a slip in them.

use serde_json::json;

use super::*;

const EXAMPLE: &str = include_str!("../../../../../tests/fixtures/config/example.yaml");

fn brought(yaml: &str, text: &str) -> (String, Vec<Change>) {
    let today = "2026-11-27".parse().expect("a day");
    let old = if text.trim().is_empty() { Settings::default() } else { read(text).expect("settings") };
    let mut new = old.clone();
    config::read(yaml, today).expect("a configuration").parts.put_into(&mut new);
    edit::edited(text, &old, &new).expect("an edit")
}

#[test]
fn a_new_file_says_what_was_brought_and_no_more() {
    let (text, changes) = brought(EXAMPLE, "");
    let expect = r#"{
  "sampling": {
    "enabled": true
  },
  "preference": [
    "claude_cli",
    "mcp_sampling",
    "claude"
  ],
  "models": [
    {
      "name": "claude",
      "base_url": "https://api.anthropic.com",
      "model": "claude-sonnet-5-5",
      "key_env": "ANTHROPIC_API_KEY",
      "dialect": "anthropic"
    }
  ],
  "cli_models": [
    {
      "name": "claude_cli",
      "type": "claude",
      "model": "claude-3-sonnet-20240229"
    }
  ]
}
"#;
    assert_eq!(text, expect);
    let settings: Vec<&str> = changes.iter().map(|change| change.setting.as_str()).collect();
    assert_eq!(settings, ["sampling.enabled", "preference", "models: claude", "cli_models: claude_cli"]);
    assert_eq!(brought(EXAMPLE, &text), (text.clone(), Vec::new()), "a second time there is nothing to do");
}

#[test]
fn what_is_not_brought_keeps_its_bytes() {
    let text = "{\n\t\"check_timeout_s\":  7,\n\t\"models\": [ { \"name\":\"own\", \"base_url\":\"http://127.0.0.1:1/v1\" ,\"model\":\"m\" },\n\t\t{ \"name\": \"claude\", \"base_url\": \"https://api.anthropic.com\", \"model\": \"old\" } ],\n\t\"sampling\": { \"may_send_code\": true },\n\t\"review\": { \"models\":[\"own\"] }\n}";
    let (after, changes) = brought(EXAMPLE, text);
    for kept in [
        "\t\"check_timeout_s\":  7,\n",
        "{ \"name\":\"own\", \"base_url\":\"http://127.0.0.1:1/v1\" ,\"model\":\"m\" }",
        "\"sampling\": { \"may_send_code\": true, \"enabled\": true }",
        "\"review\": { \"models\":[\"own\"] }",
    ] {
        assert!(after.contains(kept), "{kept}\n{after}");
    }
    assert!(!after.contains("\"old\"") && !after.ends_with('\n'), "{after}");
    let claude = changes.iter().find(|change| change.setting == "models: claude").expect("a change");
    assert!(claude.before.as_deref().is_some_and(|before| before.contains("\"old\"")), "{claude:?}");
}

#[test]
fn what_says_the_same_keeps_its_bytes_whatever_it_looks_like() {
    let cases = [
        ("", json!({ "a": 1 }), "{\n  \"a\": 1\n}\n"),
        ("{ \"a\" : 1 , \"b\":2 }", json!({ "a": 1, "b": 3 }), "{ \"a\" : 1 , \"b\":3 }"),
        (
            "{\n\t\"a\": [ 1,2 ]\n}",
            json!({ "a": [1, 2], "b": { "c": 1 } }),
            "{\n\t\"a\": [ 1,2 ],\n\t\"b\": {\n\t\t\"c\": 1\n\t}\n}",
        ),
        ("{ \"a\": {\"x\":1, \"y\" : 2} }", json!({ "a": { "y": 2 } }), "{ \"a\": { \"y\" : 2} }"),
        ("[ 1 ]", json!({}), ""),
        // A list: a new order, another entry at its end, one less, the same entry under another name.
        ("{\"p\":[ \"x\" , \"y\" ]}", json!({ "p": ["y", "x"] }), "{\"p\":[ \"y\" , \"x\" ]}"),
        ("{\"p\":[\"x\"]}", json!({ "p": ["y", "x"] }), "{\"p\":[\"y\", \"x\"]}"),
        ("{\"p\":[\"x\", \"y\", \"z\"]}", json!({ "p": ["x", "z"] }), "{\"p\":[\"x\", \"z\"]}"),
        ("{\"p\":[\"x\", \"x\"]}", json!({ "p": ["x"] }), "{\"p\":[\"x\"]}"),
        (
            "{\"m\":[ {\"name\":\"a\",\"k\":1},\n {\"name\":\"b\" , \"k\": 2} ]}",
            json!({ "m": [{ "name": "b", "k": 2 }] }),
            "{\"m\":[\n {\"name\":\"b\" , \"k\": 2} ]}",
        ),
        (
            "{\"m\":[ {\"name\":\"a\" , \"k\":1} ]}",
            json!({ "m": [{ "name": "b", "k": 1 }] }),
            "{\"m\":[ {\"name\":\"b\" , \"k\":1} ]}",
        ),
        ("{\r\n  \"a\": 1\r\n}\r\n", json!({ "a": 1, "b": 2 }), "{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n"),
    ];
    for (text, wanted, expect) in cases {
        let wanted = wanted.as_object().expect("an object");
        assert_eq!(rewritten(text, wanted).unwrap_or_default(), expect, "{text}");
    }
}

#[test]
fn a_slip_in_the_settings_is_told_with_the_nearest_word() {
    for (text, expect) in [
        (r#"{ "budgets": {} }"#, "line 1, column 11: there is no setting `budgets`; did you mean `budget`?"),
        ("{\n \"budget\": { \"per_days\": 1 } }", "did you mean `per_day`?"),
        (
            r#"{ "cli_models": [{ "name": "a", "type": "cloude" }] }"#,
            "there is no value `cloude`; did you mean `claude`?",
        ),
        (r#"{ "preference": ["a"] }"#, "`preference`: there is no model `a`; known are `mcp_sampling`"),
        (r#"{ "preference": ["mcp_samplin"] }"#, "did you mean `mcp_sampling`?"),
        (r#"{ "preference": ["mcp_sampling", "mcp_sampling"] }"#, "twice"),
        (
            r#"{ "cli_models": [{ "name": "a", "type": "claude" }], "local_models": [{ "name": "a", "file": "/m" }] }"#,
            "two models are called `a`",
        ),
        (r#"{ "local_models": [{ "name": "person", "file": "/m" }] }"#, "no model can be called `person`"),
        (r#"{ "answer_timeout_s": "x" }"#, "invalid type"),
        (r#"{ "modles": [] }"#, "did you mean `models`?"),
        ("[]", "the settings are a list; allowed is one object"),
        (r#"{ "budget": [1] }"#, "`budget` is a list; allowed is one object with `per_call`, `per_finding`"),
        (r#"{ "tiers": { "high": [["logic"], 60, null] } }"#, "`tiers.high` is a list"),
        (r#"{ "models": [["a", "http://127.0.0.1:1/v1", "m"]] }"#, "`models[0]` is a list"),
        (
            r#"{ "models": [{ "name": "a", "base_url": "http://127.0.0.1:1/v1", "model": "m", "price": [4, 20] }] }"#,
            "`models[0].price` is a list; allowed is one object with `input`, `output`, `cached`",
        ),
        (r#"{ "commands": { "/shop": [true] } }"#, "`commands./shop` is a list"),
        (r#"{ "answer_timeout_s": 0 }"#, "`answer_timeout_s` is 0"),
        (r#"{ "check_timeout_s": 0 }"#, "`check_timeout_s` is 0"),
        (r#"{ "review": { "timeout_s": 0 } }"#, "`review.timeout_s` is 0"),
        (r#"{ "max_file_bytes": 0 }"#, "1 byte or more"),
        (r#"{ "tiers": { "high": { "seats": ["logic"], "analysis_s": 0 } } }"#, "`tiers.high`: in 0 seconds"),
        (
            r#"{ "project_tiers": { "/shop": { "low": { "seats": [], "analysis_s": 3601 } } } }"#,
            "`project_tiers./shop.low`: 3601 seconds",
        ),
        (r#"{ "review": { "min_confidence": 101 } }"#, "allowed is 0 to 100"),
        (r#"{ "proxy": "proxy" }"#, "`proxy`: "),
        (r#"{ "cli_models": [{ "name": "a", "type": "generic", "command": "a" }] }"#, "`cli_models[0].base_url`"),
        (r#"{ "cli_models": [{ "name": "a", "type": "claude", "key_env": "a-b" }] }"#, "`cli_models[0].key_env`"),
        (
            r#"{ "models": [{ "name": "a", "base_url": "https://one.example/v1", "model": "m", "headers": { "Authorization": "Bearer k" } }] }"#,
            "`conclave keys set one.example`",
        ),
        ("{", "EOF"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(expect), "{text}: {error}");
    }
    assert!(read(r#"{ "preference": ["mcp_sampling"] }"#).is_ok());
}

#[test]
fn a_retired_model_of_the_settings_is_named_loudly_with_what_takes_its_place() {
    const NOVEMBER_2026: i64 = 1_795_737_600_000;
    let text = r#"{
        "models": [
            { "name": "old", "base_url": "https://api.anthropic.com", "model": "claude-opus-4" },
            { "name": "soon", "base_url": "https://api.openai.com/v1", "model": "gpt-4o" },
            { "name": "new", "base_url": "https://api.openai.com/v1", "model": "gpt-6-sol" },
            { "name": "elsewhere", "base_url": "http://127.0.0.1:8080/v1", "model": "gpt-4o" },
            { "name": "off", "base_url": "https://api.openai.com/v1", "model": "gpt-4o", "enabled": false }
        ],
        "cli_models": [
            { "name": "claude_cli", "type": "claude", "model": "claude-3-sonnet-20240229" },
            { "name": "alias", "type": "claude", "model": "opus" }
        ]
    }"#;
    let said = retired(&read(text).expect("settings"), NOVEMBER_2026);
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let [old, soon, cli] = said.as_slice() else { panic!("{said:#?}") };
    assert!(old.starts_with("`old`: ") && old.contains("was retired on 2026-06-15"), "{old}");
    assert!(soon.starts_with("`soon`: ") && soon.contains("take `gpt-6-sol` in its place"), "{soon}");
    assert!(cli.starts_with("`claude_cli`: ") && cli.contains("take `claude-sonnet-5-5` in its place"), "{cli}");
}
