//! The dialect against recorded answers, against every way to split or cut them, and against nonsense.
#![allow(clippy::disallowed_methods, reason = "recorded answers are read from the folder of fixtures")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::answer::{Answer, Form, Usage};

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
    without: Option<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/cassettes/openai_chat")
}

fn cases() -> Vec<(Case, Vec<u8>)> {
    let list = std::fs::read(folder().join("cases.json")).expect("cases.json");
    let cases: Vec<Case> = serde_json::from_slice(&list).expect("cases.json");
    let body = |case: &Case| std::fs::read(folder().join(&case.file)).expect("cassette");
    cases
        .into_iter()
        .map(|case| {
            let body = body(&case);
            (case, body)
        })
        .collect()
}

/// Everything a decoder has to say, comparable.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    text: String,
    reasoning: String,
    refusal: String,
    result: Result<Answer, String>,
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new("asked-for", Form::Free);
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
    let result = decoder.finish().map_err(|error| error.tidy(None).to_string());
    Decoded { text, reasoning, refusal, result }
}

fn expected(case: &Case) -> Result<Answer, String> {
    let usage = case.usage.map(|[input, output, cached]| Usage {
        input_tokens: input,
        output_tokens: output,
        cached_tokens: cached,
        reasoning_tokens: case.reasoning_tokens,
    });
    let model = || case.model.clone().expect("a case with an answer names its model");
    match (&case.text, &case.refusal, &case.error) {
        (Some(text), None, None) => Ok(Answer::Text { text: text.clone(), form: Form::Free, usage, model: model() }),
        (None, Some(reason), None) => Ok(Answer::Refusal { reason: reason.clone(), usage, model: model() }),
        (None, None, Some(error)) => Err(error.clone()),
        _ => panic!("{} wants exactly one of text, refusal and error", case.file),
    }
}

#[test]
fn every_cassette_has_a_case() {
    let named: BTreeSet<String> = cases().into_iter().map(|(case, _)| case.file).collect();
    let present: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("folder of cassettes")
        .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
        .filter(|name| name != "cases.json" && name != "README.md")
        .collect();
    assert_eq!(named, present);
}

#[test]
fn recorded_answers_decode_whatever_the_split_and_the_line_ends() {
    for (case, body) in cases().into_iter().filter(|(case, _)| case.status == 200) {
        let whole = decode([body.as_slice()]);
        assert_eq!(whole.result, expected(&case), "{}", case.file);
        assert_eq!(whole.reasoning, case.reasoning, "{}", case.file);
        if let (true, Some(text)) = (case.file.ends_with(".sse"), &case.text) {
            assert_eq!(&whole.text, text, "{}: the pieces are not the answer", case.file);
        }
        for at in 0..=body.len() {
            let (head, tail) = body.split_at(at);
            assert_eq!(decode([head, tail]), whole, "{} split at {at}", case.file);
        }
        assert_eq!(decode(body.chunks(1)), whole, "{} byte by byte", case.file);
        if case.file.ends_with(".sse") {
            let lines = String::from_utf8(body).expect("UTF-8");
            for end in ["\r\n", "\r"] {
                let body = lines.replace('\n', end).into_bytes();
                assert_eq!(decode([body.as_slice()]), whole, "{} with {end:?}", case.file);
                assert_eq!(decode(body.chunks(1)), whole, "{} with {end:?}, byte by byte", case.file);
            }
        }
    }
}

#[test]
fn an_answer_that_is_cut_anywhere_is_never_complete() {
    let mut cuts = 0;
    for (case, body) in cases().into_iter().filter(|(case, _)| case.status == 200 && case.error.is_none()) {
        let end = match find(&body, b"[DONE]") {
            Some(at) => at + b"[DONE]".len(),
            None => body.trim_ascii_end().len(),
        };
        for at in 0..end {
            let result = decode([&body[..at]]).result;
            assert_eq!(result, Err(AskError::Cut.to_string()), "{} cut at {at}", case.file);
            cuts += 1;
        }
        assert!(decode([&body[..end]]).result.is_ok(), "{}", case.file);
    }
    assert!(cuts > 10_000, "only {cuts} cuts");
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[test]
fn recorded_refusals_mean_what_they_say() {
    for (case, body) in cases().into_iter().filter(|(case, _)| case.status != 200) {
        let error = error_of(case.status, &body, "asked-for", None);
        let left = Extras { schema: true, usage: true }.after(&error);
        let without = match left {
            None => None,
            Some(Extras { schema: false, usage: true }) => Some("schema".to_owned()),
            Some(Extras { schema: true, usage: false }) => Some("usage".to_owned()),
            Some(other) => panic!("{}: {other:?}", case.file),
        };
        assert_eq!(without, case.without, "{}", case.file);
        assert_eq!(Some(error.tidy(None).to_string()), case.error, "{}", case.file);
    }
}

#[test]
fn an_extra_is_left_out_once() {
    let schema = AskError::Rejected { status: 400, message: "Invalid schema for response_format".to_owned() };
    let none = Extras { schema: false, usage: false };
    assert_eq!(Extras { schema: true, usage: false }.after(&schema), Some(none));
    assert_eq!(none.after(&schema), None);
    let usage = AskError::Rejected { status: 422, message: "stream_options: extra inputs".to_owned() };
    assert_eq!(Extras { schema: true, usage: true }.after(&usage), Some(Extras { schema: true, usage: false }));
    assert_eq!(Extras { schema: true, usage: false }.after(&usage), None);
    assert_eq!(Extras { schema: true, usage: true }.after(&AskError::Unauthorised), None);
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
        (529, "server"),
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

#[test]
fn a_stream_of_odd_things_is_an_error_of_its_kind() {
    let hi = r#"data: {"choices":[{"delta":{"content":"hi"}}]}"#;
    let stop = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let done = "data: [DONE]";
    let cases: [(&[&str], &str); 22] = [
        (&[], "cut"),
        (&["", "", ""], "cut"),
        (&[done], "malformed"),
        (&[hi, done], "malformed"),
        (&[hi, stop], "cut"),
        (&[stop, done], "empty"),
        (&["data: {\"choices\":[{\"delta\":{\"content\":\" \\n \"}}]}", stop, done], "empty"),
        (&["data: {", stop, done], "malformed"),
        (&["data: 7", stop, done], "malformed"),
        (&["data: \"text\"", stop, done], "malformed"),
        (&["data: \u{1}", stop, done], "malformed"),
        (&["<html><body>Sign in</body></html>"], "cut"),
        (&[r#"data: {"choices":{}}"#, stop, done], "malformed"),
        (&[r#"data: {"choices":[{"delta":{"content":7}}]}"#, stop, done], "malformed"),
        (&[r#"data: {"choices":[{"delta":"hi"}]}"#, stop, done], "malformed"),
        (&[hi, r#"data: {"choices":[{"finish_reason":"tool_calls"}]}"#, done], "malformed"),
        (&[hi, r#"data: {"choices":[{"finish_reason":"because"}]}"#, done], "malformed"),
        (&[hi, r#"data: {"choices":[{"finish_reason":"length"}]}"#, done], "truncated"),
        (&[hi, r#"data: {"error":"broken"}"#, stop, done], "server"),
        (&[hi, r#"data: {"error":{"code":"insufficient_quota","message":"x"}}"#, done], "server"),
        (&[hi, r#"data: {"error":{"code":402,"message":"x"}}"#, done], "no_money"),
        (&["event: error", r#"data: {"type":"error","error":{"code":429}}"#], "rate_limited"),
    ];
    for (events, kind) in cases {
        let separator = if events.first() == Some(&"event: error") { "\n" } else { "\n\n" };
        let body = events.iter().map(|event| format!("{event}{separator}")).collect::<String>() + "\n";
        let mut decoder = Decoder::new("m", Form::Free);
        decoder.push(body.as_bytes());
        let error = decoder.finish().expect_err(&body);
        assert_eq!(error.kind(), kind, "{body}: {error}");
    }
}

#[test]
fn a_whole_body_of_odd_things_is_an_error_of_its_kind() {
    let cases = [
        ("{}", "malformed"),
        ("{", "cut"),
        ("{]", "malformed"),
        ("{} trailing", "malformed"),
        (r#"{"choices":[]}"#, "malformed"),
        (r#"{"choices":null}"#, "malformed"),
        (r#"{"choices":[{"message":{"content":"hi"}}]}"#, "malformed"),
        (r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#, "empty"),
        (r#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#, "empty"),
        (r#"{"choices":[{"message":{"content":["hi"]},"finish_reason":"stop"}]}"#, "malformed"),
        (r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"length"}]}"#, "truncated"),
        (r#"{"choices":[{"index":1,"message":{"content":"hi"},"finish_reason":"stop"}]}"#, "malformed"),
        (r#"{"error":{"message":"no"}}"#, "server"),
        (r#"{"object":"error","message":"no","code":404}"#, "not_found"),
    ];
    for (body, kind) in cases {
        let mut decoder = Decoder::new("m", Form::Free);
        decoder.push(body.as_bytes());
        let error = decoder.finish().expect_err(body);
        assert_eq!(error.kind(), kind, "{body}: {error}");
    }
}

#[test]
fn harmless_oddities_do_not_lose_an_answer() {
    let bodies = [
        r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":[]}"#,
        r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":-1}}"#,
        r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"error":null}"#,
        r#"{"choices":[{"message":{"content":"hi","tool_calls":null},"finish_reason":"stop"}],"model":""}"#,
        r#"{"choices":[{"message":{"content":[{"type":"text","text":"hi"},{"type":"x","y":1}]},"finish_reason":"stop"}]}"#,
        "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: {}\n\ndata: [DONE]",
        "\u{feff}data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\ndata: {",
    ];
    for body in bodies {
        let answer = decode([body.as_bytes()]).result;
        let hi = Answer::Text { text: "hi".to_owned(), form: Form::Free, usage: None, model: "asked-for".to_owned() };
        assert_eq!(answer, Ok(hi), "{body}");
    }
}

#[test]
fn an_endless_answer_stops_at_the_limit() {
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "x".repeat(4000));
    let mut decoder = Decoder::new("m", Form::Free);
    let mut pushes = 0;
    while !decoder.is_over() {
        decoder.push(event.as_bytes());
        pushes += 1;
        assert!(pushes < 3000, "no limit");
    }
    assert_eq!(decoder.finish().expect_err("too large").kind(), "too_large");

    let mut decoder = Decoder::new("m", Form::Free);
    decoder.push(b"data: ");
    while !decoder.is_over() {
        decoder.push(&[b'x'; 4096]);
    }
    assert_eq!(decoder.finish().expect_err("too large").kind(), "too_large");
}

fn request(schema: bool) -> ModelRequest {
    ModelRequest {
        system: "You fix one finding.".to_owned(),
        user: "Fix `a` in <code>b</code>.".to_owned(),
        max_tokens: 900,
        schema: schema.then(|| json!({ "type": "object", "properties": { "note": { "type": "string" } } })),
        schema_name: "fix".to_owned(),
    }
}

#[test]
fn request_bodies_are_as_agreed() {
    let asked = request(true);
    insta::assert_json_snapshot!("everything", request_body(&asked, "m-1", Extras::for_request(&asked)));
    insta::assert_json_snapshot!("without_extras", request_body(&asked, "m-1", Extras { schema: false, usage: false }));
    let mut bare = request(false);
    bare.system.clear();
    insta::assert_json_snapshot!("no_schema_no_system", request_body(&bare, "m-1", Extras::for_request(&bare)));
}
