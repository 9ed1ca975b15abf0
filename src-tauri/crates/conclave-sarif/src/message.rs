//! Messages: look-up by id, arguments, embedded links.

use std::borrow::Cow;

use crate::limits::{MESSAGE_BYTES, cut};
use crate::wire;

/// Message strings of a rule or component by their ids.
pub(crate) type Strings = Vec<(String, String)>;

/// The words of `message`, looked up in `strings` one after the other; `None` when there are none.
///
/// Plain text is preferred to Markdown, which is shown as it is written. Placeholders are replaced where there are
/// arguments; one without an argument stays.
pub(crate) fn resolve<'s>(
    message: &wire::Message<'_>,
    strings: impl IntoIterator<Item = &'s Strings>,
) -> Option<String> {
    let by_id = || {
        let id = message.id.get()?;
        strings.into_iter().flatten().find(|(known, _)| known == id).map(|(_, text)| text.as_str())
    };
    let text = message.text.get().or_else(by_id).or(message.markdown.get())?;
    let text = if message.arguments.items.is_empty() { Cow::Borrowed(text) } else { fill(text, message) };
    Some(cut(unlink(&text).trim_end(), MESSAGE_BYTES))
}

/// The string that a rule or component defines: its text, else its Markdown.
pub(crate) fn string(message: &wire::Message<'_>, limit: usize) -> Option<String> {
    message.text.get().or(message.markdown.get()).map(|text| cut(text, limit))
}

/// Replaces `{0}` by the first argument and so on, and `{{` and `}}` by one brace.
fn fill<'a>(text: &'a str, message: &wire::Message<'_>) -> Cow<'a, str> {
    if !text.contains(['{', '}']) {
        return Cow::Borrowed(text);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let argument = rest[1..].find('}').and_then(|end| {
            let index: usize = rest.strip_prefix('{')?[..end].parse().ok()?;
            Some((message.arguments.items.get(index)?.get().unwrap_or_default(), end + 2))
        });
        let (piece, used) = match argument {
            Some((argument, used)) => (argument, used),
            None if rest.starts_with("{{") || rest.starts_with("}}") => (&rest[..1], 2),
            None => (&rest[..1], 1),
        };
        filled.push_str(piece);
        rest = &rest[used..];
        if filled.len() > 2 * MESSAGE_BYTES {
            break;
        }
    }
    filled.push_str(rest);
    Cow::Owned(filled)
}

/// Turns links to other locations of the result, `[text](1)`, into their text.
fn unlink(text: &str) -> Cow<'_, str> {
    if !text.contains("](") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (before, after) = (&rest[..middle], &rest[middle + 2..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        match before.rfind('[') {
            Some(open) if digits > 0 && after[digits..].starts_with(')') => {
                plain.push_str(&before[..open]);
                plain.push_str(&before[open + 1..]);
                rest = &after[digits + 1..];
            }
            _ => {
                plain.push_str(&rest[..middle + 2]);
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: Option<&str>) {
        let message: wire::Message<'_> = serde_json::from_str(json).expect(json);
        let rule =
            vec![("default".to_owned(), "{0} flows to {1}".to_owned()), ("braces".to_owned(), "{{{0}}}".to_owned())];
        let global = vec![("default".to_owned(), "never".to_owned()), ("shared".to_owned(), "from all".to_owned())];
        assert_eq!(resolve(&message, [&rule, &global]).as_deref(), expect, "{json}");
    }

    #[test]
    fn words_are_looked_up_and_filled() {
        check(r#"{"text":"plain"}"#, Some("plain"));
        check(r#""bare""#, Some("bare"));
        check(r#"{"markdown":"**bold**"}"#, Some("**bold**"));
        check(r#"{"text":"plain","markdown":"**bold**","id":"default"}"#, Some("plain"));
        check(r#"{"id":"default","arguments":["a","b"]}"#, Some("a flows to b"));
        check(r#"{"id":"default","arguments":["{1}","b"]}"#, Some("{1} flows to b"));
        check(r#"{"id":"default","arguments":["a"]}"#, Some("a flows to {1}"));
        check(r#"{"id":"braces","arguments":["a"]}"#, Some("{a}"));
        check(r#"{"id":"shared"}"#, Some("from all"));
        check(r#"{"id":"nowhere"}"#, None);
        check(r#"{"text":"a {0} b","arguments":["x"]}"#, Some("a x b"));
        check(r#"{"text":"f(){ {0} }"}"#, Some("f(){ {0} }"));
        check(r#"{"text":"{ {99999999999999999999} {é} }","arguments":["x"]}"#, Some("{ {99999999999999999999} {é} }"));
        check(r#"{"text":"{","arguments":["x"]}"#, Some("{"));
        check(
            r#"{"text":"[user input](1) reaches [it](https://a.b) [x](2)."}"#,
            Some("user input reaches [it](https://a.b) x."),
        );
        check(r#"{"text":"](1) [a](b"}"#, Some("](1) [a](b"));
        check(r"{}", None);
        check(r"[1]", None);
        check(r"7", None);
    }

    #[test]
    fn a_long_message_is_cut() {
        let json = format!(r#"{{"text":"{}{{0}}","arguments":["{}"]}}"#, "é{0}".repeat(9_000), "long ".repeat(90));
        let message: wire::Message<'_> = serde_json::from_str(&json).expect("a message");
        let text = resolve(&message, []).expect("a text");
        assert!(text.len() <= MESSAGE_BYTES && text.ends_with('\u{2026}'));
    }
}
