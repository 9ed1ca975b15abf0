//! Configurations of another program, taken over into the settings.

use serde_json::{Value, json};

use crate::cli::check;
use crate::program::{Home, text};
use crate::tree::root;

fn fixture(name: &str) -> String {
    let path = root().join("tests/fixtures/config").join(name);
    path.to_str().expect("text").to_owned()
}

fn settings(home: &Home) -> Value {
    serde_json::from_str(&std::fs::read_to_string(home.path("data/settings.json")).expect("settings")).expect("JSON")
}

#[test]
fn both_documented_configurations_load_unchanged_and_say_what_they_would_set() {
    let home = Home::new();
    for name in ["schema.yaml", "example.yaml", "server.yaml"] {
        let view = home.json(&["config", "check", &fixture(name)], 0);
        check("config-check", &view);
        assert_eq!(view["faults"], json!([]), "{view:#}");
        let changes = view["changes"].as_array().expect("changes");
        assert!(changes.iter().any(|change| change["setting"] == "models: claude"), "{view:#}");
        let words = text(&home.run(&["config", "check", &fixture(name)]));
        assert!(words.contains("warning: line ") && words.contains("`claude-3-sonnet-20240229` is retired"), "{words}");
        assert!(words.contains("take `claude-sonnet-5-5` in its place"), "{words}");
    }
    assert!(!home.path("data/settings.json").exists(), "looking writes nothing");
}

#[test]
fn a_configuration_is_seen_first_and_written_with_consent_and_a_copy() {
    let home = Home::new();
    let before = "{ \"check_timeout_s\":   7,\n  \"models\": [] }\n";
    home.write("data/settings.json", before);
    let looked = home.run(&["config", "import", &fixture("example.yaml")]);
    assert_eq!(looked.status.code(), Some(0), "{}", text(&looked));
    assert!(text(&looked).contains("Nothing was written. The same with `--yes` writes it."), "{}", text(&looked));
    let read = || std::fs::read_to_string(home.path("data/settings.json")).expect("settings");
    assert_eq!(read(), before, "looking writes nothing");

    let written = home.json(&["config", "import", &fixture("example.yaml"), "--yes"], 0);
    check("config-import", &written);
    let backup = written["backup"].as_str().expect("a copy");
    assert_eq!(std::fs::read_to_string(backup).expect("the copy"), before);
    assert!(read().starts_with("{ \"check_timeout_s\":   7,\n"), "{}", read());
    assert_eq!(settings(&home)["preference"], json!(["claude_cli", "mcp_sampling", "claude"]));
    assert_eq!(settings(&home)["models"][0]["key_env"], "ANTHROPIC_API_KEY");

    // The program starts with them, a second time there is nothing to do, and the write is in the ledger.
    let again = home.json(&["config", "import", &fixture("example.yaml"), "--yes"], 0);
    assert_eq!((&again["changes"], &again["backup"]), (&json!([]), &Value::Null), "{again:#}");
    let said = text(&home.run(&["doctor"]));
    assert!(said.contains("`claude_cli`: the model `claude-3-sonnet-20240229` is retired"), "{said}");
    let ledger = text(&home.run(&["audit", "export"]));
    assert!(ledger.contains("settings.json"), "{ledger}");
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_with_its_line_and_nothing_is_written() {
    let home = Home::new();
    let wrong = "inference:\n  timeout_second: 10\n  provider_preference: [claude_cli]\n";
    let file = home.write("wrong.yaml", wrong).display().to_string();
    for words in [&["config", "check", &file][..], &["config", "import", &file, "--yes"]] {
        let view = home.json(words, 2);
        check("config-check", &view);
        let faults: Vec<_> = view["faults"].as_array().expect("faults").iter().map(|fault| &fault["line"]).collect();
        assert_eq!(faults, [&json!(2), &json!(3)], "{view:#}");
        assert!(view["faults"][0]["text"].as_str().is_some_and(|text| text.contains("`timeout_seconds`")), "{view:#}");
    }
    assert!(!home.path("data/settings.json").exists());
    check("error", &home.json(&["config", "check", "missing.yaml"], 2));
    // A name that the settings have for another kind of model already.
    home.write("data/settings.json", r#"{ "local_models": [{ "name": "claude", "file": "/m.gguf" }] }"#);
    let view = home.json(&["config", "check", &fixture("example.yaml")], 2);
    assert!(view["faults"][0]["text"].as_str().is_some_and(|text| text.contains("called `claude`")), "{view:#}");
}

#[test]
fn a_slip_in_the_settings_stops_the_program_and_names_the_nearest_word() {
    let home = Home::new();
    for (settings, expect) in [
        (r#"{ "answer_timeout": 5 }"#, "did you mean `answer_timeout_s`?"),
        (r#"{ "preference": ["claude_cli"] }"#, "there is no model `claude_cli`"),
    ] {
        home.write("data/settings.json", settings);
        let output = home.run(&["findings"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(expect), "{}", text(&output));
    }
}
