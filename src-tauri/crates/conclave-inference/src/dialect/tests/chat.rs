//! OpenAI's chat against streams and bodies that no good server sends.

use super::{DIALECTS, Decoded, decode};
use crate::answer::{Answer, Form};
use crate::dialect::openai_chat::DIALECT;

fn decode_chat(body: &[u8]) -> Decoded {
    decode(DIALECTS[0], [body])
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
        (&[hi, r#"data: {"error":{"code":"insufficient_quota","message":"x"}}"#, done], "no_money"),
        (&[hi, r#"data: {"error":{"code":402,"message":"x"}}"#, done], "no_money"),
        (&["event: error", r#"data: {"type":"error","error":{"code":429}}"#], "rate_limited"),
    ];
    for (events, kind) in cases {
        let separator = if events.first() == Some(&"event: error") { "\n" } else { "\n\n" };
        let body = events.iter().map(|event| format!("{event}{separator}")).collect::<String>() + "\n";
        let mut decoder = DIALECT.decoder("m", Form::Free);
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
        let mut decoder = DIALECT.decoder("m", Form::Free);
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
        let answer = decode_chat(body.as_bytes()).result;
        let hi = Answer::Text { text: "hi".to_owned(), form: Form::Free, usage: None, model: "asked-for".to_owned() };
        assert_eq!(answer, Ok(crate::dialect::Reply::Answer(hi)), "{body}");
    }
}

#[test]
fn an_endless_answer_stops_at_the_limit() {
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "x".repeat(4000));
    let mut decoder = DIALECT.decoder("m", Form::Free);
    let mut pushes = 0;
    while !decoder.is_over() {
        decoder.push(event.as_bytes());
        pushes += 1;
        assert!(pushes < 3000, "no limit");
    }
    assert_eq!(decoder.finish().expect_err("too large").kind(), "too_large");

    let mut decoder = DIALECT.decoder("m", Form::Free);
    decoder.push(b"data: ");
    while !decoder.is_over() {
        decoder.push(&[b'x'; 4096]);
    }
    assert_eq!(decoder.finish().expect_err("too large").kind(), "too_large");
}
