//! Every known format in every encoding: found, and gone after redaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::super::format::FORMATS;
use super::super::*;

/// How many samples of each format are tried in each encoding.
const SEEDS: u64 = 2;

#[test]
fn the_shipped_formats_are_sound() {
    assert!(FORMATS.list.len() >= 120, "{}", FORMATS.list.len());
    let ids: BTreeSet<_> = sample::formats().collect();
    assert_eq!(ids.len(), FORMATS.list.len(), "ids are unique");
    for id in sample::formats() {
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        for seed in 0..100 {
            let sample = sample::generate(id, seed).unwrap();
            let secret = sample::secret_of(id, &sample);
            assert!(secret.is_some_and(|secret| secret.len() >= 8), "{id}: {sample:?} {secret:?}");
        }
    }
}

/// A way of writing a text into a body, given a position to cut it at.
pub(super) type Encoding = fn(&str, usize) -> String;

pub(super) const ENCODINGS: &[(&str, Encoding)] = &[
    ("plain", |text, _| format!("see {text} there")),
    ("alone", |text, _| text.into()),
    ("base64", |text, _| format!("data: {} end", base64(text.as_bytes(), b"+/"))),
    ("base64url", |text, _| format!("data={}&end", base64(text.as_bytes(), b"-_"))),
    ("base64 inside of more", |text, _| base64(format!("more before {text} and after").as_bytes(), b"+/")),
    ("base64 twice", |text, _| base64(base64(text.as_bytes(), b"+/").as_bytes(), b"+/")),
    ("base64 over lines", |text, _| lines(&base64(format!("{text}{text}").as_bytes(), b"+/"), 40, "\n    ")),
    ("base64 in a diff", |text, _| lines(&base64(format!("{text}{text}").as_bytes(), b"-_"), 40, "\n+")),
    ("base64 in JSON", |text, _| body(&lines(&base64(text.as_bytes(), b"+/"), 64, "\n"))),
    ("URL", |text, _| format!("https://a.dev/?q={}&r=1", url(text, |byte| !byte.is_ascii_alphanumeric()))),
    ("URL, every byte", |text, _| url(text, |_| true)),
    ("URL twice", |text, _| url(&url(text, |byte| !byte.is_ascii_alphanumeric()), |byte| byte == b'%')),
    ("JSON", |text, _| body(&format!("a line\n{text}\nand more"))),
    ("JSON, in the middle of much", |text, at| {
        let much = "just words, and more of them ".repeat(60);
        body(&format!("{much}\n{}\n{much}\"{much}", cut(text, at, "\n  ")))
    }),
    ("JSON, every character", |text, _| {
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!(r#"{{"a":"{escaped}"}}"#)
    }),
    ("JSON in JSON", |text, _| body(&json!({ "arguments": format!("x\n{text}") }).to_string())),
    ("JSON in JSON in JSON", |text, _| body(&body(&body(text)))),
    ("over lines", |text, at| format!("so\n{}\nthere", cut(text, at, "\n    "))),
    ("over lines, continued", |text, at| cut(text, at, " \\\n  ")),
    ("over lines, in JSON", |text, at| body(&format!("so:\r\n  {}\r\n", cut(text, at, "\r\n\t")))),
    ("in a diff", |text, _| format!("@@ -1 +1 @@\n-old = 1\n+{}\n", text.replace('\n', "\n+"))),
    ("over the lines of a diff", |text, at| body(&format!("-x\n+{}\n y", cut(&text.replace('\n', "\n+"), at, "\n+")))),
    ("over the lines of a comment", |text, at| format!("    // {}\n", cut(text, at, "\n    // "))),
    ("sum of strings", |text, at| format!("x = \"{}\";", cut(text, at, "\" + \""))),
    ("sum of strings over lines", |text, at| body(&format!("x = '{}'", cut(text, at, "' +\n      '")))),
    ("strings side by side", |text, at| body(&format!("x = ('{}')", cut(text, at, "'\n     f'")))),
    ("strings continued", |text, at| format!("x = '{}'", cut(text, at, "' \\\n'"))),
    ("hexadecimal", |text, _| format!("blob {} end", hex(text))),
    ("hexadecimal over lines", |text, _| format!("blob\n{}", lines(&hex(text), 32, "\n"))),
    ("hexadecimal escapes", |text, _| body(&text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>())),
    ("UTF-16", |text, _| text.chars().flat_map(|char| [char, '\0']).collect()),
    ("UTF-16 in base64", |text, _| base64(&text.bytes().flat_map(|byte| [byte, 0]).collect::<Vec<_>>(), b"+/")),
];

/// Those that write any text so that it reads back the same.
pub(super) const TAKES_ANY: &[&str] = &[
    "plain",
    "base64",
    "base64url",
    "base64 inside of more",
    "base64 twice",
    "base64 in JSON",
    "URL",
    "URL, every byte",
    "URL twice",
    "JSON",
    "JSON, every character",
    "JSON in JSON",
    "JSON in JSON in JSON",
    "hexadecimal",
    "hexadecimal over lines",
];

#[test]
fn every_sample_is_found_and_gone_in_every_encoding() {
    let mut tried = 0;
    let mut missed: BTreeMap<(&str, &str), (usize, String)> = BTreeMap::new();
    for (name, encode) in ENCODINGS {
        for id in sample::formats() {
            for seed in 0..SEEDS {
                let text = sample::generate(id, seed).unwrap();
                let secret = sample::secret_of(id, &text).unwrap();
                let at = text.find(secret).unwrap();
                // Somewhere inside, the edges excepted.
                let at = at + 3 + (seed as usize * 7919) % (secret.len() - 6);
                let encoded = encode(&text, at);
                tried += 1;
                if let Err(left) = gone(&encoded, secret) {
                    missed.entry((name, id)).or_insert((0, format!("{encoded}\n   -> {left}"))).0 += 1;
                }
            }
        }
    }
    assert!(tried >= 5_000, "{tried}");
    let list: String =
        missed.iter().map(|((name, id), (count, first))| format!("{name}, {id}: {count}: {first}\n")).collect();
    let count: usize = missed.values().map(|(count, _)| count).sum();
    assert!(missed.is_empty(), "{count} of {tried} samples missed:\n{list}");
}

/// Whether the secret is found in `encoded`, and after redaction in no reading of what is left.
fn gone(encoded: &str, secret: &str) -> Result<(), String> {
    let hits = scan(encoded.as_bytes(), &[]).map_err(|error| error.to_string())?;
    let left = String::from_utf8(redact(encoded.as_bytes(), &hits)).map_err(|error| error.to_string())?;
    // The search for known values reads everything that can be read.
    let secret = secret.replace("\r\n", "\n");
    let pieces = secret.split('\n').filter(|piece| piece.len() >= MIN_KNOWN);
    let again = scan(left.as_bytes(), &pieces.collect::<Vec<_>>()).map_err(|error| error.to_string())?;
    let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    if hits.is_empty() {
        return Err("not found".into());
    }
    if !again.is_empty() || is_json(encoded) && !is_json(&left) {
        return Err(format!("{left}: {again:?}"));
    }
    Ok(())
}

fn body(text: &str) -> String {
    json!({ "model": "m", "messages": [{ "role": "user", "content": text }], "n": 1 }).to_string()
}

fn cut(text: &str, at: usize, with: &str) -> String {
    format!("{}{with}{}", &text[..at], &text[at..])
}

fn lines(text: &str, len: usize, with: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(len).map(|line| str::from_utf8(line).unwrap()).collect();
    lines.join(with)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn url(text: &str, escapes: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if escapes(byte) {
            write!(url, "%{byte:02X}").unwrap()
        } else {
            url.push(char::from(byte))
        }
        url
    })
}

fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    let letter = |value: u32| match value & 63 {
        value @ 0..=25 => char::from(b'A' + value as u8),
        value @ 26..=51 => char::from(b'a' + value as u8 - 26),
        value @ 52..=61 => char::from(b'0' + value as u8 - 52),
        value => char::from(last[value as usize - 62]),
    };
    let groups = bytes.chunks(3).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        (0..=group.len()).map(move |at| letter(bits >> (18 - 6 * at)))
    });
    let mut text: String = groups.collect();
    if last == b"+/" {
        text.push_str(&"=".repeat((3 - bytes.len() % 3) % 3));
    }
    text
}
