//! What is taken from an answer, and what is refused.

use conclave_core::finding::{Detection, Finding, Rule, Severity, Tool};
use conclave_core::id::ProjectId;
use conclave_core::language::Language;
use serde_json::json;

use super::*;

const FILE: &str = "import os\n\ndef f(name):\n    if name:\n        return os.system(\n            'ls ' + name\n        )\n\ndef g():\n    return 1\n";

/// The text after the only edit of `search` and `replace`, or why there is none.
fn after(file: &str, search: &str, replace: &str) -> Result<String, String> {
    let (range, text) = place(file, search, replace)?;
    let mut after = file.to_owned();
    after.replace_range(range, &native(&text, file));
    Ok(after)
}

#[test]
fn a_text_that_stands_there_once_is_replaced() {
    for (what, search, replace, expect) in [
        ("exact", "    return 1\n", "    return 2\n", FILE.replace("return 1", "return 2")),
        ("part of a line", "'ls ' + name", "quote(name)", FILE.replace("'ls ' + name", "quote(name)")),
        (
            "a call on one line",
            "return os.system('ls ' + name)",
            "return run(['ls', name])",
            FILE.replace("os.system(\n            'ls ' + name\n        )", "run(['ls', name])"),
        ),
        (
            "another indentation",
            "return os.system(\n    'ls ' + name\n)",
            "return run(\n    ['ls', name],\n)",
            FILE.replace(
                "os.system(\n            'ls ' + name\n        )",
                "run(\n            ['ls', name],\n        )",
            ),
        ),
        (
            "a context line that is not there",
            "def g(): # old\n    return 1\n",
            "def g(): # old\n    return 2\n",
            FILE.replace("return 1", "return 2"),
        ),
    ] {
        assert_eq!(after(FILE, search, replace), Ok(expect), "{what}");
        let crlf = FILE.replace('\n', "\r\n");
        let found = after(&crlf, search, replace).map(|text| text.replace("\r\n", "\n"));
        assert_eq!(found, after(FILE, search, replace), "{what}, with carriage returns");
    }
}

#[test]
fn anything_but_one_place_is_refused() {
    let twice = "x = 1\ny = 2\nx = 1\n";
    for (search, replace, why) in [
        ("x = 1", "x = 3", "more than once"),
        ("x  =  1", "x = 3", "more than once"),
        ("x = 2", "x = 3", "not in the file"),
        (" \n", "x = 3", "replaces nothing"),
        ("y = 2\nz = 3\n", "y = 3\nz = 3\n", "not in the file"),
        ("a\nx = 1\n", "a\nx = 3\n", "not in the file"),
        ("x = 1\ny = 3\nx = 1\n", "x = 1\ny = 4\nx = 1\n", "not in the file"),
    ] {
        match after(twice, search, replace) {
            Err(said) => assert!(said.contains(why), "{search:?}: {said}"),
            // The removed line alone stands there once.
            Ok(text) => assert_eq!((search, text.as_str()), ("y = 2\nz = 3\n", "x = 1\ny = 3\nx = 1\n")),
        }
    }
}

fn brief(function: Option<&str>) -> Brief {
    let path = RelPath::new("a.py").expect("a path");
    let rule = Rule { id: "r".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: vec![78] };
    let detection = Detection {
        tool: Tool { name: "t".to_owned(), version: None },
        rule,
        message: "m".to_owned(),
        severity: Severity::High,
        location: None,
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    let file = BriefFile {
        path,
        digest: conclave_core::digest::Digest::of(FILE.as_bytes()),
        language: Some(Language::Python),
        function: function.map(str::to_owned),
        first_line: 3,
        excerpt: FILE.lines().skip(2).take(5).collect::<Vec<_>>().join("\n"),
    };
    let finding = Finding::new(&ProjectId::new("p"), detection, "", 0);
    Brief { finding, reported: None, file: Some(file), unusable: None, parts: Vec::new(), guidance: None }
}

fn draft(text: &str, form: Form) -> Draft {
    let files = |path: &RelPath| match path.as_str() {
        "a.py" => Ok(Arc::new(Source::new(FILE.as_bytes().to_vec()))),
        _ => Err("no such file".to_owned()),
    };
    let origin = Origin::Model { model: "m".to_owned(), endpoint: "e".to_owned(), local: true, family: "m".to_owned() };
    read(text, form, origin, &brief(Some("f")), &files)
}

fn patched(draft: &Draft) -> Option<String> {
    let Draft::Proposed { candidate } = draft else { return None };
    String::from_utf8(candidate.patch.files[0].apply(FILE.as_bytes()).ok()?).ok()
}

fn full(changes: &serde_json::Value) -> String {
    let mut reply = json!({
        "root_cause": "input reaches a shell", "can_fix": true, "reason": "r", "title": "t",
        "edits": [{ "file": "a.py", "search": "return 1", "replace": "return 2" }],
        "edge_cases": ["none"], "side_effects": [], "disproof": "d", "red_test": "",
    });
    for (key, value) in changes.as_object().expect("an object") {
        reply[key] = value.clone();
    }
    reply.to_string()
}

#[test]
fn each_form_becomes_a_patch() {
    let fenced = format!("Here you are:\n```json\n{}\n```\n", full(&json!({})));
    let small =
        json!({ "explanation": "e. f", "edits": [{ "search": "return 1", "replace": "return 2" }] }).to_string();
    let function = "It quotes.\n```python\nimport os\n\ndef f(name):\n    return run(name)\n```\n";
    for (text, form, expect) in [
        (full(&json!({})), Form::Full, FILE.replace("return 1", "return 2")),
        (fenced, Form::Full, FILE.replace("return 1", "return 2")),
        (small, Form::Small, FILE.replace("return 1", "return 2")),
        (
            function.to_owned(),
            Form::Function,
            "import os\n\ndef f(name):\n    return run(name)\n\ndef g():\n    return 1\n".to_owned(),
        ),
    ] {
        let draft = draft(&text, form);
        assert_eq!(patched(&draft), Some(expect), "{form:?} {draft:?}");
    }
}

#[test]
fn what_is_not_in_the_form_changes_nothing() {
    let extra = full(&json!({ "verdict": "accept" }));
    let other = full(&json!({ "edits": [{ "file": "b.py", "search": "x = 1", "replace": "x = 2" }] }));
    let out = full(&json!({ "edits": [{ "file": "../a.py", "search": "x", "replace": "y" }] }));
    let nothing = full(&json!({ "edits": [{ "file": "a.py", "search": "return 1", "replace": "return 1" }] }));
    let two = format!("```json\n{0}\n```\n```json\n{0}\n```", full(&json!({})));
    for (text, form, why) in [
        ("", Form::Full, "agreed form"),
        ("I would use a prepared statement.", Form::Small, "agreed form"),
        (extra.as_str(), Form::Full, "agreed form"),
        (two.as_str(), Form::Full, "agreed form"),
        (other.as_str(), Form::Full, "was not shown"),
        (out.as_str(), Form::Full, "was not shown"),
        (nothing.as_str(), Form::Full, "changes nothing"),
        ("```python\ndef h():\n    pass\n```", Form::Function, "does not define `f`"),
    ] {
        let Draft::Failed { why: said } = draft(text, form) else { panic!("{text} was taken") };
        assert!(said.contains(why), "{said}");
    }
    let refused = full(&json!({ "can_fix": false, "reason": "it is a false alarm" }));
    assert!(matches!(draft(&refused, Form::Full), Draft::Doubted { reason } if reason.contains("false alarm")));
}

#[test]
fn a_test_of_its_own_stays_beside_the_fix() {
    let Draft::Proposed { candidate } = draft(&full(&json!({ "red_test": "assert False\n" })), Form::Full) else {
        panic!("a fix");
    };
    assert_eq!(candidate.red_test.map(|test| test.text).as_deref(), Some("assert False\n"));
    assert_eq!(candidate.disproof.as_deref(), Some("d"));
}
