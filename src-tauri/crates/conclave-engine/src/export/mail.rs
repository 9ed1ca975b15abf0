//! One fix as a mail that `git am` takes: a commit message and a diff.
//!
//! What it writes it also takes apart again, for a patch comes back as it left. Invariant: nothing in a message is taken for a part of the diff, and a diff has the bytes of the files, whatever ends
//! their lines.

use std::borrow::Cow;

use conclave_core::evidence::CheckOutcome;
use jiff::Timestamp;
use similar::TextDiff;

use super::Subject;

/// The length of a line of the message.
const WIDTH: usize = 72;
/// The longest line of a mail, its end included.
const ENCODED_WIDTH: usize = 76;

/// The mail, dated `now_ms`; `files` are paths with what they were and are.
pub(super) fn written(subject: &Subject<'_>, files: &[(&str, String, String)], now_ms: i64) -> String {
    let mut body = message(subject);
    body.push_str("---\n\n");
    for (path, before, after) in files {
        let [old, new] = ["a", "b"].map(|side| quoted(&format!("{side}/{path}")));
        body.push_str(&format!("diff --git {old} {new}\n"));
        body.push_str(&TextDiff::from_lines(before, after).unified_diff().header(&old, &new).to_string());
    }
    body.push_str("-- \nconclave\n");
    // What ends lines is rewritten on the way, unless it is encoded.
    let is_encoded = body.contains('\r');
    let encoding = if is_encoded { "quoted-printable" } else { "8bit" };
    let date = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    format!(
        "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: Conclave <conclave@localhost>\n\
         Date: {}\nSubject: [PATCH] {}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
         Content-Transfer-Encoding: {encoding}\n\n{}",
        date.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        line(&subject.verdict.judged.candidate.title),
        if is_encoded { encoded(&body) } else { body }
    )
}

/// What the change is for, how it was checked and what that leaves open.
fn message(subject: &Subject<'_>) -> String {
    let Subject { finding, resolution, verdict, is_recommended } = subject;
    let candidate = &verdict.judged.candidate;
    let explanation = &resolution.explanation;
    let cause = resolution.synthesis.as_ref().map_or(&explanation.problem, |made| &made.root_cause);
    let mut text = wrapped(cause);
    text.push_str(&format!("\n{}", wrapped(&candidate.rationale)));
    let passed = verdict.judged.evidence.iter().filter(|e| e.outcome == CheckOutcome::Pass && !e.check.is_gate());
    let passed: Vec<String> = passed.map(|e| wrapped(&format!("- {}: {}", e.check.label(), e.summary))).collect();
    if !passed.is_empty() {
        text.push_str(&format!("\nChecked:\n{}", passed.concat()));
    }
    if *is_recommended && !explanation.not_covered.is_empty() {
        let open: Vec<String> = explanation.not_covered.iter().map(|open| wrapped(&format!("- {open}"))).collect();
        text.push_str(&format!("\nNot covered:\n{}", open.concat()));
    }
    let cwe = finding.detection.rule.cwe.iter().map(|n| format!(", CWE-{n}")).collect::<String>();
    let place = finding.detection.location.as_ref().map(|place| format!(", {}", place.path)).unwrap_or_default();
    let (tool, rule) = (&finding.detection.tool.name, &finding.detection.rule.id);
    format!(
        "{text}\n{}",
        wrapped(&format!("Reported by {tool} {rule}{cwe}{place}. Fix of {}.", candidate.origin.label()))
    )
}

/// `text` on one line, without what is not seen.
fn line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` in lines of [`WIDTH`], none of which begins a diff or another mail.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in line(text).split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= WIDTH => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let starts = ["---", "diff -", "Index: ", "From ", ">From ", "-- "];
    let safe = |line: String| match starts.iter().any(|start| line.starts_with(start)) || line == "--" {
        true => format!(" {line}\n"),
        false => format!("{line}\n"),
    };
    lines.into_iter().map(safe).collect()
}

/// A path as git writes it: in quotes where it has to be.
fn quoted(path: &str) -> String {
    if path.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
        return path.to_owned();
    }
    let mut text = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text + "\""
}

/// The path that git wrote in quotes; `None` where it did not.
pub(crate) fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let (mut bytes, mut at) = (Vec::with_capacity(inner.len()), 0);
    while let Some(byte) = inner.get(at) {
        at += 1;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let escape = *inner.get(at)?;
        let length = if escape.is_ascii_digit() { 3 } else { 1 };
        bytes.push(match escape {
            b'a' => 0x07,
            b'b' => 0x08,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'r' => b'\r',
            b'"' | b'\\' => escape,
            _ => u8::from_str_radix(std::str::from_utf8(inner.get(at..at + length)?).ok()?, 8).ok()?,
        });
        at += length;
    }
    String::from_utf8(bytes).ok()
}

/// The mail `text` with a body that is not encoded; what is no mail, or was not encoded, stays as it is.
///
/// # Errors
/// What is encoded is no text.
pub(crate) fn decoded(text: &str) -> Result<Cow<'_, str>, String> {
    let mut at = 0;
    let mut is_encoded = false;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let (name, value) = line.split_once(':').unwrap_or_default();
        is_encoded |= name.eq_ignore_ascii_case("content-transfer-encoding")
            && value.trim().eq_ignore_ascii_case("quoted-printable");
        if line.trim_end().is_empty() {
            break;
        }
    }
    if !is_encoded {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = text.as_bytes()[..at].to_vec();
    for line in text[at..].lines() {
        let line = line.trim_end();
        let (line, end) = line.strip_suffix('=').map_or((line, "\n"), |line| (line, ""));
        let mut pieces = line.split('=');
        bytes.extend(pieces.next().unwrap_or_default().bytes());
        for piece in pieces {
            let byte = piece.get(..2).and_then(|byte| u8::from_str_radix(byte, 16).ok());
            bytes
                .push(byte.ok_or_else(|| format!("`{line}` is not as the head of the patch says that it is encoded"))?);
            bytes.extend(piece[2..].bytes());
        }
        bytes.extend(end.bytes());
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| "what is encoded in the patch is no text".to_owned())
}

/// `text` in quoted-printable form.
fn encoded(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let mut width = 0;
        for (at, byte) in line.bytes().enumerate() {
            let is_last = at + 1 == line.len();
            let plain = (b'!'..=b'~').contains(&byte) && byte != b'=' || (byte == b' ' && !is_last);
            let piece = if plain { char::from(byte).to_string() } else { format!("={byte:02X}") };
            if width + piece.len() >= ENCODED_WIDTH {
                all.push_str("=\n");
                width = 0;
            }
            width += piece.len();
            all.push_str(&piece);
        }
        all.push_str(end);
    }
    all
}
