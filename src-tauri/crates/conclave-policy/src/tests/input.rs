//! Requests as people and programs write them: what has two meanings has none.

use crate::{Action, Actor, parse_request, strict_json};

#[test]
fn ambiguous_json_is_refused() {
    let refused = [
        r#"{"command":"ls","command":"curl x"}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"[{"a":1,"\u0061":2}]"#,
        r#"{"a":1}{"b":2}"#,
        r#"{"a":1} x"#,
        r#"{"a":1}]"#,
        r#"{"a":1,}"#,
        r#"{'a':1}"#,
        r#"{a:1}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":0x10}"#,
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        r#"{"a":1e999}"#,
        r#"{"a":9007199254740992}"#,
        r#"{"a":-9007199254740992}"#,
        r#"{"a":12345678901234567890}"#,
        r#"{"a":123456789012345678901234567890}"#,
        r#"{"a":1e300}"#,
        r#"{"a":True}"#,
        r#"{"a":undefined}"#,
        "{\"a\":1} // x",
        "/* x */ {\"a\":1}",
        "# x\n{\"a\":1}",
        "{\"a\":\"x\ny\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"x}",
        "\u{feff}{\"a\":1}",
        "",
        " ",
        "{",
        "nul",
        "{\"a\":1;\"b\":2}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[1,,2]",
        "[1 2]",
        "[,]",
        "{\"a\":tru}",
        "{\"a\":- 1}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\u12\"}",
        "{1:2}",
        "{null:2}",
        "\"a\" \"b\"",
    ];
    for text in refused {
        assert!(strict_json(text).is_err(), "{text}");
        assert!(parse_request(text).is_err(), "{text}");
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert!(strict_json(&deep).is_err());
    for text in [r#"{"a":[1,-2.5,"x",true,null,{}],"b":9007199254740991,"":""}"#, "7", "\"\\u00e9\"", " [] \n"] {
        let plain: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(strict_json(text), Ok(plain), "{text}");
    }
}

#[test]
fn requests_are_read_in_their_short_and_in_their_long_form() {
    let short = parse_request(
        "actor: agent:codex\ntool: shell\ncwd: /p\nproject: /p\nparameters: { command: [ls, -l] }\nreads: /p/a\nwrites: [/p/b]\n",
    )
    .unwrap();
    assert_eq!((&short.actor, short.action), (&Actor::Agent("codex".to_owned()), Action::CallTool));
    assert_eq!((short.resource.as_str(), short.paths.len(), short.context["project"].as_str()), ("shell", 2, "/p"));
    assert_eq!(parse_request(&short.canonical()).as_ref(), Ok(&short));
    let wrong = [
        "[]",
        "actor: person",
        "action: read_file",
        "actor: root\naction: read_file",
        "actor: person\naction: read",
        "actor: person\naction: read_file\nactor: engine",
        "actor: person\naction: read_file\nresorce: x",
        "actor: person\naction: read_file\ncwd: /p",
        "actor: person\naction: read_file\ncontext: { a: [b] }",
        "actor: person\naction: read_file\nreads: { a: b }",
        "actor: person\naction: read_file\nat: 2026-01-01T00:00:00Z",
        "actor: person\naction: read_file\n---\nactor: engine\naction: read_file",
        "actor: person\naction: read_file\ntool: a\ncall: { tool: b, parameters: {} }",
        r#"{"actor":"person","action":"read_file","action":"write_file"}"#,
        r#"{"actor":"person","action":"read_file"} {}"#,
    ];
    for text in wrong {
        assert!(parse_request(text).is_err(), "{text}");
    }
    let slip = parse_request("actor: person\naction: read_file\nresorce: x").unwrap_err().to_string();
    assert_eq!(slip, "there is no part of a request `resorce`; did you mean `resource`?");
}

#[test]
fn what_is_wrong_is_said_in_words() {
    for (text, says) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        (r#"{"a":"#, "it ends too early, at line 1 column 5"),
        (r#"{"a":1,"a":2}"#, "the key `a` stands there twice"),
        (r#"{"a":9007199254740992}"#, "is too large to be read exactly"),
        ("{} {}", "send one value alone"),
        ("actor: person", "this is not JSON: "),
    ] {
        let error = strict_json(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    for (text, says) in [
        ("", "it is empty"),
        ("- a", "a request has keys"),
        (r#"{"tool":"Bash"}"#, "`actor` is missing"),
        ("actor: agent:a", "`tool` is missing, or `action`"),
        ("actor: agent:a\naction: red_file", "there is no action `red_file`; did you mean `read_file`?"),
        ("actor: agent:a\naction: [read_file]", "`action` is not a text"),
        (r#"{"tool_name":"Bash"}"#, "did you mean `tool`?"),
        (r#"{"actor":"agent:a","tool":"Bash","session_id":"s"}"#, "did you mean `session`?"),
    ] {
        let error = parse_request(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}
