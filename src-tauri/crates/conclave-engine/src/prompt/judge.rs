//! What a judge is shown: the weakness and two changes in one form, without a word on who wrote them.

use conclave_core::brief::Brief;
use conclave_core::digest::Digest;
use conclave_core::path::RelPath;
use conclave_inference::ModelRequest;
use similar::TextDiff;

use super::{filled, visible};

const JUDGE: &str = include_str!("../../prompt/judge.md");
const SCHEMA: &str = include_str!("../../prompt/judge.schema.json");
/// Room for an answer, in tokens; a model that thinks first needs most of it for that.
const MAX_TOKENS: u32 = 4096;
/// The largest question, in bytes. It is never cut: who sees half of a change cannot compare it.
const LARGEST: usize = 64 * 1024;
/// Lines around a change.
const AROUND: usize = 5;

/// Asks which of two changes is the better repair, in the order in which they stand; `None` when they are too large.
pub(crate) fn judge_request(brief: &Brief, fixes: [&String; 2]) -> Option<ModelRequest> {
    let detection = &brief.finding.detection;
    let cwe = detection.rule.cwe.iter().map(|n| format!("CWE-{n}")).collect::<Vec<_>>().join(", ");
    let report = [detection.rule.id.as_str(), cwe.as_str(), detection.message.as_str()].map(visible);
    let mut data =
        format!("[[what the scanner reports]]\nrule: {}\nweakness: {}\nmessage: {}\n", report[0], report[1], report[2]);
    if let Some(file) = &brief.file {
        data.push_str(&format!("[[the reported code, from line {}]]\n{}", file.first_line, plain(&file.excerpt)));
    }
    for (name, text) in ["a", "b"].into_iter().zip(fixes) {
        data.push_str(&format!("[[change {name}]]\n{text}"));
    }
    let fence = format!("----- data {} -----", Digest::of(data.as_bytes()).short());
    let system = filled(JUDGE, &[("{fence}", fence.as_str())]);
    let user = format!("{fence}\n{data}{fence}\n");
    (system.len() + user.len() <= LARGEST).then(|| ModelRequest {
        system,
        user,
        max_tokens: MAX_TOKENS,
        // INVARIANT: the schema is part of the program and a test parses it.
        schema: serde_json::from_str(SCHEMA).ok(),
        schema_name: "judge".to_owned(),
        sample: 0,
    })
}

/// The change of one file: what tells authors apart by habit, such as tabs and blanks at the end, is gone.
pub(crate) fn change(path: &RelPath, before: &str, after: &str) -> String {
    let (before, after) = (plain(before), plain(after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut text = format!("file: {}\n", visible(path.as_str()));
    for hunk in diff.unified_diff().context_radius(AROUND).iter_hunks() {
        text.push_str("...\n");
        for change in hunk.iter_changes() {
            text.push_str(&format!("{}{}\n", change.tag(), change.value().trim_end_matches('\n')));
        }
    }
    text
}

/// `text` line by line: one kind of line end and of indentation, and every character that is not seen as an escape.
fn plain(text: &str) -> String {
    text.lines().map(|line| visible(line.replace('\t', "    ").trim_end()) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_of_an_author_are_not_seen_and_comments_are() {
        let path = RelPath::new("a.py").expect("a path");
        let one = change(&path, "a = 1\r\nb = 2\r\n", "a = 1\r\n\tb = 3  # why\t\r\n");
        let other = change(&path, "a = 1\nb = 2\n", "a = 1\n    b = 3  # why\n");
        assert_eq!(one, other);
        assert_eq!(one, "file: a.py\n...\n a = 1\n-b = 2\n+    b = 3  # why\n");
        let hidden = change(&path, "a\n", "b \u{202e}\n");
        assert!(hidden.contains("+b \\u202e"), "{hidden}");
    }

    #[test]
    fn the_schema_is_json_and_names_what_is_read() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("a schema");
        for field in schema["required"].as_array().expect("a list") {
            assert!(JUDGE.contains(&format!("`{}`", field.as_str().expect("a name"))), "{field}");
        }
        for name in schema["properties"]["faults_a"]["items"]["enum"].as_array().expect("a list") {
            let text = name.to_string();
            let fault: conclave_core::judgement::Fault = serde_json::from_str(&text).expect("a fault");
            assert!(JUDGE.contains(&format!("`{}`", name.as_str().expect("a name"))), "{fault:?}");
        }
    }
}
