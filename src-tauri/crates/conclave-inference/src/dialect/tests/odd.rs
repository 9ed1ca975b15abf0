//! The dialects beside OpenAI's chat against streams and bodies that no good server sends.

use super::{Dialect, Form};
use crate::dialect::{DIALECTS, MAX_ANSWER_BYTES};
use conclave_core::settings::DialectName::{self, Anthropic, Gemini, Ollama, OpenaiResponses};

fn kind(name: DialectName, body: &str) -> &'static str {
    let mut decoder = Dialect::of(Some(name), "").decoder("m", Form::Free);
    decoder.push(body.as_bytes());
    match decoder.finish() {
        Ok(_) => "answered",
        Err(error) => error.kind(),
    }
}

#[test]
fn odd_things_are_errors_of_their_kind() {
    for name in [Anthropic, OpenaiResponses, Gemini] {
        for (body, expect) in [
            ("", "cut"),
            ("\n\n\n", "cut"),
            (": keep-alive\n\n", "cut"),
            ("data: {\n\n", "malformed"),
            ("data: \u{1}\n\n", "malformed"),
            ("data: 7\n\n", "malformed"),
            ("<html>Sign in</html>", "cut"),
            ("{", "cut"),
            ("{]", "malformed"),
            ("{} trailing", "malformed"),
            ("{}", "malformed"),
            ("data: [DONE]\n\n", "cut"),
            ("data: {\"error\":{\"code\":429,\"message\":\"x\"}}\n\n", "rate_limited"),
            ("{\"error\":{\"message\":\"x\"}}", "server"),
        ] {
            assert_eq!(kind(name, body), expect, "{name:?}: {body}");
        }
    }
    for (body, expect) in [
        ("", "cut"),
        ("\n\n", "cut"),
        ("{", "cut"),
        ("{}\n", "cut"),
        ("7\n", "malformed"),
        ("<html>Sign in</html>\n", "malformed"),
        ("{\"message\":{\"content\":\"hi\"},\"done\":false}\n", "cut"),
        ("{\"message\":{\"content\":\"hi\"},\"done\":true}\n", "malformed"),
        ("{\"error\":\"broken\"}\n", "server"),
    ] {
        assert_eq!(kind(Ollama, body), expect, "{body}");
    }
}

#[test]
fn an_end_that_is_not_the_dialects_own_is_none() {
    let anthropic = "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n\
                     data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
    assert_eq!(kind(Anthropic, anthropic), "cut");
    assert_eq!(kind(Anthropic, &format!("{anthropic}data: [DONE]\n\n")), "cut");
    assert_eq!(kind(Anthropic, &format!("{anthropic}data: {{\"type\":\"message_stop\"}}")), "answered");
    let gemini = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]},\"finishReason\":\"STOP\"}]}";
    assert_eq!(kind(Gemini, gemini), "answered");
    assert_eq!(kind(Gemini, &format!("{gemini}\n\ndata: [DONE]\n\n")), "answered");
    assert_eq!(kind(Gemini, &gemini.replace(",\"finishReason\":\"STOP\"", "")), "cut");
}

#[test]
fn what_is_not_utf8_is_no_answer() {
    for dialect in DIALECTS {
        for body in [&b"data: {\"a\":\"\xff\"}\n\n"[..], b"{\"a\":\"\xff\"}\n", b"\xff\xfe\n"] {
            let mut decoder = dialect.decoder("m", Form::Free);
            decoder.push(body);
            let error = decoder.finish().expect_err("bytes that are no text");
            assert!(["malformed", "cut"].contains(&error.kind()), "{:?}: {error}", dialect.name);
        }
    }
}

#[test]
fn every_dialect_stops_at_the_limit() {
    for dialect in DIALECTS {
        for endless in [b"\n".as_slice(), b": x\n\n", b"data: ", b"x", b"{\"a\":\""] {
            let mut decoder = dialect.decoder("m", Form::Free);
            let piece = endless.repeat(100_000);
            let mut pushed = 0;
            while !decoder.is_over() {
                decoder.push(&piece);
                pushed += piece.len() as u64;
                assert!(pushed <= MAX_ANSWER_BYTES + piece.len() as u64, "{:?}: no limit", dialect.name);
            }
            let kind = decoder.finish().expect_err("no end").kind();
            assert!(["too_large", "malformed"].contains(&kind), "{:?}: {kind}", dialect.name);
        }
    }
}
