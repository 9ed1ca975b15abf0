//! The dialects against recorded answers, against every way to split or cut them, and against nonsense.
#![allow(clippy::disallowed_methods, reason = "recorded answers are read from the folder of fixtures")]

mod chat;
mod odd;
mod tools;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, json};

use super::*;
use crate::answer::{Answer, Usage};
use crate::dialect::openai_chat::PROFILES;

/// One line of `cases.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    status: u16,
    text: Option<String>,
    #[serde(default)]
    reasoning: String,
    refusal: Option<String>,
    usage: Option<[u64; 3]>,
    #[serde(default)]
    reasoning_tokens: u64,
    model: Option<String>,
    error: Option<String>,
    /// The calls that it wants: what the server calls each by, the tool, and the arguments or why there are none.
    calls: Option<Vec<(String, String, Value)>>,
    /// Its thoughts as the server wants to see them again.
    #[serde(default)]
    thoughts: Vec<Value>,
    signature: Option<String>,
    /// What it said beside its calls.
    #[serde(default)]
    beside: String,
    without: Option<String>,
}

fn name(dialect: &Dialect) -> String {
    serde_json::to_value(dialect.name).expect("a name").as_str().expect("a name").to_owned()
}

fn folder(dialect: &Dialect) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/cassettes").join(name(dialect))
}

/// Every recorded answer, with its dialect and a name for messages.
fn cassettes() -> Vec<(&'static Dialect, Case, Vec<u8>)> {
    let of = |dialect: &'static Dialect| {
        let folder = folder(dialect);
        let list = std::fs::read(folder.join("cases.json")).expect("cases.json");
        let cases: Vec<Case> = serde_json::from_slice(&list).expect("cases.json");
        cases.into_iter().map(move |mut case| {
            let body = std::fs::read(folder.join(&case.file)).expect("cassette");
            case.file = format!("{}/{}", name(dialect), case.file);
            (dialect, case, body)
        })
    };
    DIALECTS.into_iter().flat_map(of).collect()
}

/// Everything a decoder has to say, comparable.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    text: String,
    reasoning: String,
    refusal: String,
    result: Result<Reply, String>,
}

fn decode<'a>(dialect: &Dialect, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = dialect.decoder("asked-for", Form::Free);
    let (mut text, mut reasoning, mut refusal) = (String::new(), String::new(), String::new());
    for piece in pieces {
        for item in decoder.push(piece) {
            match item {
                Item::Text(piece) => text += &piece,
                Item::Reasoning(piece) => reasoning += &piece,
                Item::Refusal(piece) => refusal += &piece,
            }
        }
    }
    let result = decoder.reply().map_err(|error| error.tidy(None).to_string());
    Decoded { text, reasoning, refusal, result }
}

fn expected(case: &Case) -> Result<Reply, String> {
    let usage = case.usage.map(|[input, output, cached]| Usage {
        input_tokens: input,
        output_tokens: output,
        cached_tokens: cached,
        reasoning_tokens: case.reasoning_tokens,
    });
    let model = || case.model.clone().expect("a case with an answer names its model");
    let call = |(id, name, arguments): &(String, String, Value)| ToolCall {
        id: id.clone(),
        name: name.clone(),
        arguments: match arguments {
            Value::Object(arguments) => Ok(arguments.clone()),
            why => Err(why.as_str().expect("an object or why there is none").to_owned()),
        },
        signature: case.signature.clone(),
    };
    match (&case.text, &case.refusal, &case.error, &case.calls) {
        (Some(text), None, None, None) => {
            Ok(Reply::Answer(Answer::Text { text: text.clone(), form: Form::Free, usage, model: model() }))
        }
        (None, Some(reason), None, None) => {
            Ok(Reply::Answer(Answer::Refusal { reason: reason.clone(), usage, model: model() }))
        }
        (None, None, Some(error), None) => Err(error.clone()),
        (None, None, None, Some(calls)) => {
            let (calls, thoughts) = (calls.iter().map(call).collect(), case.thoughts.clone());
            Ok(Reply::Calls(Calls { calls, text: case.beside.clone(), thoughts, usage, model: model() }))
        }
        _ => panic!("{} wants exactly one of text, refusal, error and calls", case.file),
    }
}

#[test]
fn every_cassette_has_a_case_and_every_dialect_cassettes() {
    let named: BTreeSet<String> = cassettes().into_iter().map(|(_, case, _)| case.file).collect();
    let mut present = BTreeSet::new();
    for dialect in DIALECTS {
        for entry in std::fs::read_dir(folder(dialect)).expect("folder of cassettes") {
            let file = entry.expect("entry").file_name().into_string().expect("name");
            if file != "cases.json" && file != "README.md" {
                present.insert(format!("{}/{file}", name(dialect)));
            }
        }
        assert!(named.iter().any(|file| file.starts_with(&format!("{}/", name(dialect)))), "{}", name(dialect));
    }
    assert_eq!(named, present);
}

#[test]
fn recorded_answers_decode_whatever_the_split_and_the_line_ends() {
    let mut splits = 0;
    for (dialect, case, body) in cassettes().into_iter().filter(|(_, case, _)| case.status == 200) {
        let whole = decode(dialect, [body.as_slice()]);
        assert_eq!(whole.result, expected(&case), "{}", case.file);
        assert_eq!(whole.reasoning, case.reasoning, "{}", case.file);
        if let (false, Some(text)) = (case.file.ends_with(".json"), &case.text) {
            assert_eq!(&whole.text, text, "{}: the pieces are not the answer", case.file);
        }
        for at in 0..=body.len() {
            let (head, tail) = body.split_at(at);
            assert_eq!(decode(dialect, [head, tail]), whole, "{} split at {at}", case.file);
            splits += 1;
        }
        assert_eq!(decode(dialect, body.chunks(1)), whole, "{} byte by byte", case.file);
        let ends: &[&str] = match case.file.rsplit_once('.') {
            Some((_, "sse")) => &["\n", "\r\n", "\r"],
            Some((_, "ndjson")) => &["\n", "\r\n"],
            _ => &[],
        };
        let lines = String::from_utf8(body).expect("UTF-8").replace("\r\n", "\n");
        for end in ends {
            let body = lines.replace('\n', end).into_bytes();
            assert_eq!(decode(dialect, [body.as_slice()]), whole, "{} with {end:?}", case.file);
            assert_eq!(decode(dialect, body.chunks(1)), whole, "{} with {end:?}, byte by byte", case.file);
        }
    }
    println!("{} cassettes, {splits} splits", cassettes().len());
    assert!(splits > 50_000, "only {splits} splits");
}

#[test]
fn an_answer_that_is_cut_anywhere_is_never_complete() {
    let mut cuts = 0;
    let whole = |case: &Case| case.status == 200 && case.error.is_none();
    for (dialect, case, body) in cassettes().into_iter().filter(|(_, case, _)| whole(case)) {
        let end = match find(&body, b"[DONE]") {
            Some(at) => at + b"[DONE]".len(),
            None => body.trim_ascii_end().len(),
        };
        for at in 0..end {
            let result = decode(dialect, [&body[..at]]).result;
            assert_eq!(result, Err(AskError::Cut.to_string()), "{} cut at {at}", case.file);
            cuts += 1;
        }
        assert!(decode(dialect, [&body[..end]]).result.is_ok(), "{}", case.file);
    }
    println!("{cuts} cuts");
    assert!(cuts > 25_000, "only {cuts} cuts");
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[test]
fn recorded_refusals_mean_what_they_say() {
    let asked = request(true, true);
    for (dialect, case, body) in cassettes().into_iter().filter(|(_, case, _)| case.status != 200) {
        let error = error_of(case.status, &body, "asked-for", None);
        let fewer = dialect.without(&question(&asked, Extras::ALL), &error);
        let without = fewer.map(|extras| match extras {
            Extras { schema: false, usage: true, thinking: true, tools: true } => "schema".to_owned(),
            Extras { schema: true, usage: false, thinking: true, tools: true } => "usage".to_owned(),
            Extras { schema: true, usage: true, thinking: false, tools: true } => "thinking".to_owned(),
            other => panic!("{}: {other:?}", case.file),
        });
        assert_eq!(without, case.without, "{}", case.file);
        assert_eq!(Some(error.tidy(None).to_string()), case.error, "{}", case.file);
    }
}

#[test]
fn an_extra_is_left_out_once_and_only_where_it_was_sent() {
    let rejected = |message: &str| AskError::Rejected { status: 400, message: message.to_owned() };
    let schema = rejected("Invalid schema for response_format");
    let usage = rejected("stream_options: extra inputs");
    let (with, bare) = (request(true, true), request(true, false));
    for dialect in DIALECTS {
        let left = dialect.without(&question(&with, Extras::ALL), &schema);
        assert_eq!(left, Some(Extras { schema: false, ..Extras::ALL }), "{}", name(dialect));
        assert_eq!(dialect.without(&question(&with, Extras { schema: false, ..Extras::ALL }), &schema), None);
        assert_eq!(dialect.without(&question(&bare, Extras::ALL), &schema), None, "{}", name(dialect));
        assert_eq!(dialect.without(&question(&with, Extras::ALL), &AskError::Unauthorised), None);
        let counted = dialect.without(&question(&with, Extras::ALL), &usage);
        assert_eq!(counted.is_some(), dialect.name == DialectName::OpenaiChat, "{}", name(dialect));
    }
}

#[test]
fn a_status_means_one_thing_whatever_the_body() {
    let bodies: [&[u8]; 7] =
        [b"", b"<html>", b"{}", b"[]", b"null", br#"{"error":null}"#, br#"{"error":{"message":null,"type":7}}"#];
    let cases = [
        (301, "redirected"),
        (400, "rejected"),
        (401, "unauthorised"),
        (402, "no_money"),
        (403, "unauthorised"),
        (404, "not_found"),
        (408, "server"),
        (413, "too_long"),
        (418, "rejected"),
        (422, "rejected"),
        (429, "rate_limited"),
        (500, "server"),
        (503, "overloaded"),
        (529, "overloaded"),
    ];
    for (status, kind) in cases {
        for body in bodies {
            let error = error_of(status, body, "m", Some(Duration::from_secs(3)));
            assert_eq!(error.kind(), kind, "{status} with {:?}", String::from_utf8_lossy(body));
        }
    }
}

#[test]
fn a_message_is_found_wherever_servers_put_it() {
    let bodies = [
        r#"{"error":{"message":"why"}}"#,
        r#"{"error":"why"}"#,
        r#"{"message":"why"}"#,
        r#"{"error":null,"message":"why"}"#,
        r#"{"detail":"why"}"#,
        r#"{"error":{"msg":"why","type":[]}}"#,
        "why",
    ];
    for body in bodies {
        let AskError::Rejected { message, .. } = error_of(400, body.as_bytes(), "m", None) else { panic!("{body}") };
        assert_eq!(message, "why", "{body}");
    }
}

fn request(system: bool, schema: bool) -> ModelRequest {
    ModelRequest {
        system: if system { "You fix one finding. Answer in JSON.".to_owned() } else { String::new() },
        user: "Fix `a` in <code>b</code>.".to_owned(),
        max_tokens: 900,
        schema: schema.then(|| {
            json!({
                "type": "object",
                "properties": { "note": { "type": "string", "maxLength": 40 } },
                "required": ["note"],
                "additionalProperties": false,
            })
        }),
        schema_name: "fix".to_owned(),
        sample: 0,
    }
}

fn question(request: &ModelRequest, extras: Extras) -> Question<'_> {
    Question { request, model: "m-1", profile: &PROFILES[0], extras, context_tokens: None, tooling: Tooling::default() }
}

#[test]
fn request_bodies_are_as_agreed() {
    for dialect in DIALECTS {
        let mut bodies = Map::new();
        for (name, system, schema) in [
            ("system and schema", true, true),
            ("system", true, false),
            ("schema", false, true),
            ("neither", false, false),
        ] {
            let asked = request(system, schema);
            bodies.insert(name.to_owned(), dialect.body(&question(&asked, Extras::ALL)));
        }
        let (asked, none) =
            (request(true, true), Extras { schema: false, usage: false, thinking: false, tools: false });
        bodies.insert("all refused".to_owned(), dialect.body(&question(&asked, none)));
        insta::assert_json_snapshot!(name(dialect), bodies);
    }
}

#[test]
fn what_each_kind_of_server_wants_is_sent() {
    let asked = request(true, true);
    let of = |profile: &'static Profile| {
        let body = DIALECTS[0].body(&Question { profile, ..question(&asked, Extras::ALL) });
        let Value::Object(body) = body else { panic!("{body}") };
        let differs = body.into_iter().filter(|(key, _)| !["model", "messages", "stream"].contains(&key.as_str()));
        (profile.name.to_owned(), Value::Object(differs.collect()))
    };
    insta::assert_json_snapshot!("profiles", PROFILES.iter().map(of).collect::<Map<_, _>>());
}

#[test]
fn no_dialect_sends_a_sampling_parameter() {
    let asked = request(true, true);
    for dialect in DIALECTS {
        let body = dialect.body(&question(&asked, Extras::ALL)).to_string();
        for parameter in ["temperature", "top_p", "topP", "top_k", "topK", "seed", "penalty"] {
            assert!(!body.contains(&format!("\"{parameter}")), "{}: {parameter}", name(dialect));
        }
    }
}

#[test]
fn a_form_is_held_to_only_where_the_server_takes_a_schema() {
    let (with, bare) = (request(true, true), request(true, false));
    let of = |request, extras, host| Question { profile: Profile::of(host), ..question(request, extras) }.form();
    assert_eq!(of(&with, Extras::ALL, ""), Form::Schema);
    assert_eq!(of(&bare, Extras::ALL, ""), Form::Free);
    assert_eq!(of(&with, Extras { schema: false, ..Extras::ALL }, ""), Form::Free);
    assert_eq!(of(&with, Extras::ALL, "api.deepseek.com"), Form::Free);
}

#[test]
fn json_of_any_form_is_not_asked_for_where_nobody_speaks_of_json() {
    let profile = Profile::of("api.deepseek.com");
    for (system, expect) in [(true, json!({ "type": "json_object" })), (false, Value::Null)] {
        let asked = request(system, true);
        let body = DIALECTS[0].body(&Question { profile, ..question(&asked, Extras::ALL) });
        assert_eq!(body["response_format"], expect);
    }
}

#[test]
fn a_dialect_is_told_by_the_settings_or_the_host_and_knows_its_addresses() {
    use DialectName::{Anthropic, Gemini, Ollama, OpenaiChat, OpenaiResponses};
    for (setting, base, expect, url) in [
        (None, "https://api.anthropic.com", Anthropic, "https://api.anthropic.com/v1/messages"),
        (None, "https://api.anthropic.com/v1/", Anthropic, "https://api.anthropic.com/v1/messages"),
        (None, "https://api.openai.com/v1", OpenaiResponses, "https://api.openai.com/v1/responses"),
        (Some(OpenaiChat), "https://api.openai.com/v1", OpenaiChat, "https://api.openai.com/v1/chat/completions"),
        (None, "https://api.deepseek.com", OpenaiChat, "https://api.deepseek.com/chat/completions"),
        (None, "http://127.0.0.1:8080/v1", OpenaiChat, "http://127.0.0.1:8080/v1/chat/completions"),
        (None, "http://localhost:11434", Ollama, "http://localhost:11434/api/chat"),
        (None, "http://127.0.0.1:11434/v1", Ollama, "http://127.0.0.1:11434/api/chat"),
        (Some(Ollama), "https://gateway.example/ollama/api", Ollama, "https://gateway.example/ollama/api/chat"),
        (
            None,
            "https://generativelanguage.googleapis.com/v1beta",
            Gemini,
            "https://generativelanguage.googleapis.com/v1beta/models/m%2F1:streamGenerateContent?alt=sse",
        ),
    ] {
        let host = conclave_effects::host_of(base).expect("an address");
        let dialect = Dialect::of(setting, &host);
        let model = if expect == Gemini { "models/m/1" } else { "m" };
        assert_eq!((dialect.name, dialect.url(base, model)), (expect, url.to_owned()));
    }
}

#[test]
fn a_list_of_models_is_read_in_every_dialect() {
    use DialectName::{Anthropic, Gemini, Ollama, OpenaiChat, OpenaiResponses};
    for (name, url, list) in [
        (
            OpenaiChat,
            "https://a.example/v1/models",
            json!({ "object": "list", "data": [{ "id": "m-1" }, { "id": 7 }] }),
        ),
        (OpenaiResponses, "https://a.example/v1/models", json!({ "data": [{ "id": "m-1" }] })),
        (Anthropic, "https://a.example/v1/models?limit=1000", json!({ "data": [{ "type": "model", "id": "m-1" }] })),
        (Gemini, "https://a.example/v1beta/models?pageSize=1000", json!({ "models": [{ "name": "models/m-1" }] })),
        (Ollama, "https://a.example/api/tags", json!({ "models": [{ "name": "m-1", "size": 7 }] })),
    ] {
        let dialect = Dialect::of(Some(name), "");
        assert_eq!(dialect.models(&list), ["m-1"], "{name:?}");
        assert_eq!(dialect.models_url("https://a.example/v1"), url, "{name:?}");
        for none in [json!(null), json!([]), json!({ "data": 7, "models": {} })] {
            assert!(dialect.models(&none).is_empty(), "{name:?}: {none}");
        }
    }
}
