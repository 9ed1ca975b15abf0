//! What is said of tools, and how servers that take none are understood.

use super::*;
use crate::dialect::tooling::MOST_AT_ONCE;
use crate::tools::ToolResult;

fn offers() -> Vec<ToolOffer> {
    let schema = json!({ "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] });
    vec![ToolOffer { name: "cwe".to_owned(), description: "Looks a weakness up.".to_owned(), schema }]
}

/// A turn with a call that was made and one whose arguments are none, after some thinking.
fn turn(id: &str, thoughts: Vec<Value>) -> Turn {
    let call = |id: &str, arguments: Result<Value, &str>| ToolCall {
        id: id.to_owned(),
        name: "cwe".to_owned(),
        arguments: arguments.map(|it| it.as_object().expect("an object").clone()).map_err(str::to_owned),
        signature: Some("sig".to_owned()),
    };
    let said = Calls {
        calls: vec![call(id, Ok(json!({ "id": "CWE-89" }))), call("", Err("no JSON"))],
        text: "I look it up.".to_owned(),
        thoughts,
        usage: None,
        model: "m-1".to_owned(),
    };
    let result = |text: &str, is_error| ToolResult { text: text.to_owned(), is_error };
    Turn { said, results: vec![result("SQL injection", false), result("this was not done", true)] }
}

#[test]
fn bodies_with_tools_are_as_agreed() {
    let (offers, asked) = (offers(), request(true, true));
    for dialect in DIALECTS {
        let thoughts = match dialect.name {
            DialectName::Anthropic => vec![json!({ "type": "thinking", "thinking": "Hm.", "signature": "s" })],
            DialectName::OpenaiResponses => vec![json!({ "type": "reasoning", "id": "r", "encrypted_content": "e" })],
            _ => vec![json!("Hm.")],
        };
        let turns = [turn("id-1", thoughts)];
        let mut bodies = Map::new();
        for (name, turns, is_spent) in
            [("offered", &turns[..0], false), ("used", &turns[..], false), ("spent", &turns[..], true)]
        {
            let tooling = Tooling { offers: &offers, turns, is_spent };
            bodies.insert(name.to_owned(), dialect.body(&Question { tooling, ..question(&asked, Extras::ALL) }));
        }
        insta::assert_json_snapshot!(format!("{}_tools", name(dialect)), bodies);
    }
}

#[test]
fn a_server_that_wants_its_thoughts_again_gets_them() {
    let (offers, asked) = (offers(), request(false, false));
    let turns = [turn("id-1", vec![json!("Hm.")]), turn("id-2", Vec::new())];
    for (host, expect) in [("api.deepseek.com", [json!("Hm."), json!("")]), ("", [Value::Null, Value::Null])] {
        let tooling = Tooling { offers: &offers, turns: &turns, is_spent: false };
        let question = Question { profile: Profile::of(host), tooling, ..question(&asked, Extras::ALL) };
        let body = DIALECTS[0].body(&question);
        let said = body["messages"].as_array().expect("messages").iter().filter(|it| it["role"] == "assistant");
        assert_eq!(said.map(|it| it["reasoning_content"].clone()).collect::<Vec<_>>(), expect, "{host}");
    }
}

#[test]
fn tools_that_a_server_refuses_are_left_out_unless_they_were_used() {
    let (offers, asked, turns) = (offers(), request(true, false), [turn("id-1", Vec::new())]);
    let refused: [(u16, &str); 5] = [
        (400, r#"{"error":"registry.ollama.ai/library/gemma:2b does not support tools"}"#),
        (
            400,
            r#"{"error":{"message":"Function calling is not enabled for models/gemma","status":"INVALID_ARGUMENT"}}"#,
        ),
        (404, r#"{"error":{"message":"No endpoints found that support tool use.","code":404}}"#),
        (422, r#"{"detail":[{"type":"extra_forbidden","loc":["body","tools"],"msg":"Extra inputs"}]}"#),
        (500, r#"{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}"#),
    ];
    for dialect in DIALECTS {
        for (status, body) in refused {
            let error = error_of(status, body.as_bytes(), "m", None);
            let of = |turns, extras| {
                let tooling = Tooling { offers: &offers, turns, is_spent: false };
                dialect.without(&Question { tooling, ..question(&asked, extras) }, &error)
            };
            let without = Extras { tools: false, ..Extras::ALL };
            assert_eq!(of(&[], Extras::ALL), Some(without), "{}: {body}", name(dialect));
            assert_eq!(of(&[], without), None, "{}: {body}", name(dialect));
            assert_eq!(of(&turns, Extras::ALL), None, "{}: {body}", name(dialect));
            assert_eq!(dialect.without(&question(&asked, Extras::ALL), &error), None, "{}: {body}", name(dialect));
        }
        let keeps = AskError::Rejected { status: 400, message: "Encrypted content is not supported".to_owned() };
        let tooling = Tooling { offers: &offers, ..Tooling::default() };
        let fewer = dialect.without(&Question { tooling, ..question(&asked, Extras::ALL) }, &keeps);
        assert_eq!(fewer.is_some(), dialect.name == DialectName::OpenaiResponses, "{}", name(dialect));
    }
}

#[test]
fn a_call_where_nothing_is_offered_or_where_there_are_too_many_is_an_error() {
    for (dialect, case, body) in cassettes().into_iter().filter(|(_, case, _)| case.calls.is_some()) {
        let mut decoder = dialect.decoder("m", Form::Free);
        decoder.push(&body);
        let error = decoder.finish().expect_err(&case.file).to_string();
        assert!(error.contains("a tool that nobody offered"), "{}: {error}", case.file);
    }
    let call = json!({ "function": { "name": "cwe", "arguments": {} } });
    let many = json!({ "message": { "tool_calls": vec![call; 10_000] }, "done": true, "done_reason": "stop" });
    let mut decoder = Dialect::of(Some(DialectName::Ollama), "").decoder("m", Form::Free);
    decoder.push(many.to_string().as_bytes());
    let error = decoder.reply().expect_err("too many").to_string();
    assert!(error.contains(&format!("more than {MOST_AT_ONCE} calls")), "{error}");
}
