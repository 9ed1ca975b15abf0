//! The settings editor on files as people have them.

use jsonc_parser::ParseOptions;
use serde_json::{Value, json};

use super::{Client, Hook, SettingsError, Switch, add, of_ours, remove, switch};

fn hook() -> Hook {
    Hook { command: "/opt/conclave/bin/conclave hook claude-code".to_owned(), blocks_on_failure: true }
}

const FILES: &[&str] = &[
    "{}",
    "{}\n",
    "{\n  \"model\": \"opus\"\n}\n",
    "{\n  \"model\": \"opus\"\n}",
    "{\r\n\t\"model\": \"opus\",\r\n\t\"n\": 1.0e2\r\n}\r\n",
    "{\"model\":\"opus\",\"permissions\":{\"deny\":[\"Read(./.env)\"]}}",
    "{\n    // mine\n    \"model\": \"opus\", /* why */\n    \"env\": {\n        \"A\": \"\\u00e9\"\n    },\n}\n",
    "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\n        \"matcher\": \"Bash\",\n        \"hooks\": [\n          { \"type\": \"command\", \"command\": \"./check.sh\" }\n        ]\n      }\n    ],\n    \"Stop\": []\n  },\n  \"model\": \"opus\"\n}\n",
    "{\n  \"hooks\": { \"PreToolUse\": [{ \"hooks\": [{ \"type\": \"command\", \"command\": \"echo conclave\" }] }] }\n}\n",
];

/// The file as the client reads it.
fn meaning(text: &str) -> Value {
    jsonc_parser::parse_to_serde_value(text, &ParseOptions::default()).expect("settings")
}

#[test]
fn what_is_added_can_be_taken_out_again_to_the_byte() {
    for text in FILES {
        let added = add(text, Client::ClaudeCode, &hook()).expect("added");
        assert_eq!(add(&added, Client::ClaudeCode, &hook()).as_ref(), Ok(&added), "twice is once: {text}");
        let removed = remove(&added, Client::ClaudeCode).expect("removed");
        assert_eq!(&removed, text, "{added}");
    }
}

#[test]
fn nothing_else_changes_and_the_client_finds_the_hook() {
    for text in FILES {
        let added = add(text, Client::ClaudeCode, &hook()).expect("added");
        let mut after = meaning(&added);
        let entry = json!({ "hooks": [{
            "type": "command", "command": hook().command, "timeout": 15, "onFailure": "block" }] });
        for event in ["PreToolUse", "PostToolUse"] {
            let groups = after["hooks"][event].as_array_mut().expect("a list");
            assert_eq!(groups.pop(), Some(entry.clone()), "{added}");
        }
        let mut before = meaning(text);
        for value in [&mut before, &mut after] {
            let hooks = value.as_object_mut().and_then(|value| value.remove("hooks")).unwrap_or(json!({}));
            let hooks = hooks.as_object().cloned().unwrap_or_default();
            let kept: Vec<_> = hooks.into_iter().filter(|(_, list)| *list != json!([])).collect();
            value["kept"] = json!(kept.into_iter().collect::<serde_json::Map<_, _>>());
        }
        assert_eq!(before, after, "{added}");
        // Every byte of the old file is still there, in its order.
        let mut bytes = added.bytes();
        assert!(text.bytes().all(|old| bytes.any(|new| new == old)), "{added}");
    }
}

#[test]
fn another_command_replaces_the_one_before() {
    let old = add("{}", Client::Codex, &Hook { command: "/old/conclave hook codex".to_owned(), ..hook() });
    let hook = Hook { command: "'/new place/conclave' hook codex".to_owned(), blocks_on_failure: false };
    let new = add(&old.expect("added"), Client::Codex, &hook).expect("added");
    let expect = [("PreToolUse", hook.clone()), ("PostToolUse", hook)];
    assert_eq!(of_ours(&new, Client::Codex), Ok(expect.to_vec()), "{new}");
    assert!(!new.contains("/old/"), "{new}");
    assert_eq!(of_ours(&new, Client::ClaudeCode), Ok(Vec::new()), "a hook for another client is not this one\u{2019}s");
}

#[test]
fn each_client_gets_its_own_events_and_unit_of_time() {
    for (client, before, after, timeout) in [
        (Client::ClaudeCode, "PreToolUse", "PostToolUse", 15),
        (Client::Codex, "PreToolUse", "PostToolUse", 15),
        (Client::Gemini, "BeforeTool", "AfterTool", 15_000),
    ] {
        let text = add("", client, &hook()).expect("added");
        for event in [before, after] {
            assert_eq!(meaning(&text)["hooks"][event][0]["hooks"][0]["timeout"], json!(timeout), "{text}");
        }
    }
}

#[test]
fn a_file_that_may_be_read_in_two_ways_is_left_alone() {
    let texts = [
        "{",
        "[]",
        "\"text\"",
        "{'a': 1}",
        "{a: 1}",
        "{\"a\": 1 \"b\": 2}",
        "{\"hooks\": []}",
        "{\"hooks\": {\"PreToolUse\": {}}}",
        "{\"hooks\": {}, \"hooks\": {}}",
        "{\"hooks\": {\"PreToolUse\": [], \"PreToolUse\": []}}",
        "{\"env\": {\"A\": 1, \"A\": 2}}",
    ];
    for text in texts {
        assert!(add(text, Client::ClaudeCode, &hook()).is_err(), "{text}");
    }
}

#[test]
fn whether_hooks_are_started_is_read_where_it_counts() {
    let off = |key| Some(Switch { key, off: true });
    let on = Some(Switch { key: "disableAllHooks", off: false });
    for (text, own, managed) in [
        ("", None, None),
        ("{}", None, None),
        ("{\"disableAllHooks\": true, // for now\n}", off("disableAllHooks"), off("disableAllHooks")),
        ("{\"disableAllHooks\": false}", on, on),
        ("{\"disableAllHooks\": \"true\"}", None, None),
        ("{\"hooks\": {\"disableAllHooks\": true}}", None, None),
        ("{\"allowManagedHooksOnly\": true}", None, off("allowManagedHooksOnly")),
        ("{\"allowManagedHooksOnly\": false, \"disableAllHooks\": false}", on, on),
    ] {
        let says = |is_managed| switch(text, Client::ClaudeCode, is_managed);
        assert_eq!((says(false), says(true)), (Ok(own), Ok(managed)), "{text}");
    }
    assert!(switch("[]", Client::ClaudeCode, false).is_err());
    for (client, text, expect) in [
        (Client::Codex, "", None),
        (Client::Codex, "model = \"m\"\n[features]\nhooks = false\n", Some(true)),
        (Client::Codex, "features.hooks = true", Some(false)),
        (Client::Codex, "hooks = false", None),
        (Client::Gemini, "{\"hooksConfig\": {\"enabled\": false}}", Some(true)),
        (Client::Gemini, "{\"hooksConfig\": {\"enabled\": true}, \"disableAllHooks\": true}", Some(false)),
        (Client::Gemini, "{\"enabled\": false}", None),
    ] {
        let found = switch(text, client, false).map(|switch| switch.map(|switch| switch.off));
        assert_eq!(found, Ok(expect), "{client} {text}");
    }
    let broken = switch("model = \"m\"\n[features", Client::Codex, false);
    assert!(matches!(&broken, Err(SettingsError::Toml { line: 2, .. })), "{broken:?}");
    assert!(switch("features.hooks = 0", Client::Codex, false).is_err());
}

#[test]
fn a_hook_is_found_again_whatever_its_program_is_called() {
    let renamed =
        Hook { command: "sh -c 'echo \"Conclave gave no answer\"' /opt/guard hook codex".to_owned(), ..hook() };
    let added = add("{}", Client::Codex, &renamed).expect("added");
    assert_eq!(add(&added, Client::Codex, &renamed).as_ref(), Ok(&added), "twice is once");
    assert_eq!(remove(&added, Client::Codex).as_deref(), Ok("{}"));
}
