//! One accepted fix as an example: the functions it changed, before and after, without the secrets that stood in them.
//!
//! Each text is looked through as a whole before a piece is cut out of it, so that a secret whose beginning is elsewhere
//! is found too. Deliberately absent: names of clients, projects and people; a path, and a rule's id in full where it may
//! hold one, stands there only on request.

use std::ops::Range;

use conclave_core::evidence::Check;
use conclave_core::finding::{Finding, Region};
use conclave_core::label::Label;
use conclave_core::language::Language;
use conclave_core::patch::{Edit, FilePatch, splice};
use conclave_core::path::RelPath;
use conclave_core::resolution::Verdict;
use conclave_effects::Secret;
use conclave_fixers::Recipes;
use conclave_policy::secret::{Hit, redact, scan};

use super::LeftOut;
use crate::ctx::Ctx;
use crate::learn::attempt::is_full_pass;
use crate::stage::unit;

/// Most bytes of code in one example, before and after together.
const LARGEST: usize = 256 * 1024;

/// Longest end of a name that is taken for a kind of file, in bytes.
const LONGEST_EXTENSION: usize = 8;

/// An accepted fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The numbers of the weakness, as the scanner names them.
    pub cwe: Vec<u32>,
    /// The rule that reported it.
    pub rule: String,
    /// The language of the reported file.
    pub language: Option<Language>,
    /// What was changed.
    pub pieces: Vec<Piece>,
    /// The checks that passed in full, in ladder order.
    pub passed: Vec<Check>,
    /// Whether it was right, and how much that says.
    pub label: Label,
    /// How many secrets were taken out.
    pub redactions: usize,
}

/// A function that was changed, or the lines around a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What the file's name ends in.
    pub extension: Option<String>,
    /// Where the file is in its project, on request.
    pub path: Option<String>,
    /// The number of the first line, from 1.
    pub first_line: u32,
    /// The code as it was.
    pub before: String,
    /// The code with the fix.
    pub after: String,
    /// What makes the one of the other: bytes of `before`.
    pub edits: Vec<Edit>,
}

/// The fix of a finding as an example.
pub(super) fn made(
    cx: &Ctx,
    (finding, verdict): (&Finding, &Verdict),
    label: Label,
    keys: &[Secret],
    paths: bool,
) -> Result<Example, LeftOut> {
    let known: Vec<&str> = keys.iter().map(Secret::expose).collect();
    let mut example = Example {
        cwe: finding.detection.rule.cwe.clone(),
        rule: if paths { finding.detection.rule.id.clone() } else { public(&finding.detection.rule.id) },
        language: finding.detection.location.as_ref().and_then(|location| Language::of_path(&location.path)),
        pieces: Vec::new(),
        passed: verdict.judged.evidence.iter().filter(|one| is_full_pass(one)).map(|one| one.check).collect(),
        label,
        redactions: 0,
    };
    for file in &verdict.judged.candidate.patch.files {
        let before = cx.data.blob(file.base.as_str()).map_err(|_| LeftOut::Gone)?;
        let after = file.apply(&before).map_err(|_| LeftOut::NotText)?;
        let text = |bytes| String::from_utf8(bytes).map_err(|_| LeftOut::NotText);
        let (pieces, redactions) = pieces(file, &text(before)?, &text(after)?, &known)?;
        example.redactions += redactions;
        let path = |piece: Piece| Piece { path: paths.then(|| file.path.to_string()), ..piece };
        example.pieces.extend(pieces.into_iter().map(path));
    }
    let size = example.pieces.iter().map(|piece| piece.before.len() + piece.after.len()).sum::<usize>();
    if size <= LARGEST { Ok(example) } else { Err(LeftOut::Large) }
}

/// The pieces of one file, and how many secrets were taken out of them.
fn pieces(file: &FilePatch, before: &str, after: &str, known: &[&str]) -> Result<(Vec<Piece>, usize), LeftOut> {
    let look = |text: &str| scan(text.as_bytes(), known).map_err(|_| LeftOut::Unscannable);
    let (secrets_before, secrets_after) = (look(before)?, look(after)?);
    let (mut pieces, mut redactions, mut shift) = (Vec::new(), 0, 0_isize);
    for range in units(Language::of_path(&file.path), before, &file.edits) {
        let inside = file.edits.iter().filter(|edit| range.start <= edit.start && edit.end <= range.end);
        let moved = |edit: &Edit| Edit { start: edit.start - range.start, end: edit.end - range.start, ..edit.clone() };
        let mut edits: Vec<Edit> = inside.map(moved).collect();
        let fixed = before.get(range.clone()).and_then(|text| splice(text.as_bytes(), &edits).ok());
        let length = fixed.ok_or(LeftOut::NotText)?.len();
        let start = range.start.checked_add_signed(shift).ok_or(LeftOut::NotText)?;
        shift += length as isize - range.len() as isize;
        let (old, taken) = clean(before, &range, &secrets_before)?;
        let (new, taken_after) = clean(after, &(start..start + length), &secrets_after)?;
        if taken + taken_after > 0 {
            // Bytes have moved, and an edit may have brought what was taken out.
            edits = FilePatch::between(file.path.clone(), &old, &new).edits;
        }
        redactions += taken + taken_after;
        let (extension, first_line) = (extension(&file.path), line_of(before, range.start));
        pieces.push(Piece { extension, path: None, first_line, before: old, after: new, edits });
    }
    Ok((pieces, redactions))
}

/// The functions that hold the edits, or the lines around them: in order and apart.
fn units(language: Option<Language>, text: &str, edits: &[Edit]) -> Vec<Range<usize>> {
    let around = |edit: &Edit| {
        let last = edit.end.saturating_sub(1).max(edit.start);
        let region = Region { end_line: line_of(text, last), ..Region::line(line_of(text, edit.start)) };
        let (_, unit) = unit(language, text, &region);
        unit.start.min(edit.start)..unit.end.max(edit.end)
    };
    let mut all: Vec<Range<usize>> = edits.iter().map(around).collect();
    all.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in all {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The number of the line in which the byte `at` is, from 1.
fn line_of(text: &str, at: usize) -> u32 {
    let before = &text.as_bytes()[..at.min(text.len())];
    u32::try_from(before.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX - 1) + 1
}

/// The part `range` of `text` without `secrets`, and how many of them there were in it.
fn clean(text: &str, range: &Range<usize>, secrets: &[Hit]) -> Result<(String, usize), LeftOut> {
    let inside = |hit: &Hit| {
        let (start, end) = (hit.range.start.max(range.start), hit.range.end.min(range.end));
        (start < end).then(|| Hit { label: hit.label.clone(), range: start - range.start..end - range.start })
    };
    let hits: Vec<Hit> = secrets.iter().filter_map(inside).collect();
    let part = text.get(range.clone()).ok_or(LeftOut::NotText)?;
    let clean = String::from_utf8(redact(part.as_bytes(), &hits)).map_err(|_| LeftOut::Entangled)?;
    Ok((clean, hits.len()))
}

/// What of a rule's id says nothing of whose rule it is: the whole of one that is ours, else its last part. Some scanners
/// put the folder in front in which the rule lies.
fn public(rule: &str) -> String {
    let is_ours = Recipes::shipped().iter().any(|recipe| recipe.id() == rule);
    let last = rule.rsplit(['.', '/']).next().unwrap_or_default();
    if is_ours { rule } else { last }.to_owned()
}

/// What the name of `path` ends in, where that is short enough to be a kind of file.
fn extension(path: &RelPath) -> Option<String> {
    let name = path.as_str().rsplit('/').next().unwrap_or_default();
    // What begins with a dot has a name and no ending.
    let (stem, extension) = name.rsplit_once('.')?;
    let is_kind =
        (1..=LONGEST_EXTENSION).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    (!stem.is_empty() && is_kind).then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ghp_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5";

    fn patch(before: &str, edits: &[(&str, &str)]) -> FilePatch {
        let edit = |(old, new): &(&str, &str)| {
            let start = before.find(old).expect("the old text is there");
            Edit { start, end: start + old.len(), text: (*new).to_owned() }
        };
        let path = RelPath::new("src/a.py").expect("a path");
        let base = conclave_core::digest::Digest::of(before.as_bytes());
        FilePatch { path, base, edits: edits.iter().map(edit).collect() }
    }

    fn made(before: &str, edits: &[(&str, &str)]) -> Result<(Vec<Piece>, usize), LeftOut> {
        let file = patch(before, edits);
        let after = String::from_utf8(file.apply(before.as_bytes()).expect("they fit")).expect("text");
        pieces(&file, before, &after, &[])
    }

    #[test]
    fn a_piece_is_the_function_around_each_edit_and_its_edits_make_the_one_of_the_other() {
        let filler = "x = 1\n".repeat(40);
        let before = format!(
            "import yaml\n{filler}\ndef one(s):\n    return yaml.load(s)\n\n\ndef two(s):\n    return yaml.load_all(s)\n{filler}"
        );
        let edits = [
            ("import yaml\n", "import yaml\nimport os\n"),
            ("yaml.load(s)", "yaml.safe_load(s)"),
            ("load_all", "safe_load_all"),
        ];
        let (pieces, redactions) = made(&before, &edits).unwrap();
        let shown: Vec<(u32, &str)> = pieces.iter().map(|piece| (piece.first_line, piece.after.as_str())).collect();
        assert_eq!(
            shown[1..],
            [(43, "def one(s):\n    return yaml.safe_load(s)"), (47, "def two(s):\n    return yaml.safe_load_all(s)")]
        );
        assert!(shown[0].1.starts_with("import yaml\nimport os\n"), "{shown:?}");
        assert_eq!((pieces.len(), redactions, pieces[0].extension.as_deref()), (3, 0, Some("py")));
        for piece in &pieces {
            assert_eq!(splice(piece.before.as_bytes(), &piece.edits).unwrap(), piece.after.as_bytes());
        }
    }

    #[test]
    fn a_secret_is_taken_out_of_both_sides_and_the_edits_still_fit() {
        let before = format!("def one(s):\n    key = '{KEY}'\n    return yaml.load(s)\n");
        let (pieces, redactions) = made(&before, &[("yaml.load", "yaml.safe_load")]).unwrap();
        let [piece] = pieces.as_slice() else { panic!("{pieces:?}") };
        assert_eq!(redactions, 2, "{piece:?}");
        assert!(!format!("{piece:?}").contains(&KEY[4..]) && piece.before.contains("[redacted: "), "{piece:?}");
        assert_eq!(splice(piece.before.as_bytes(), &piece.edits).unwrap(), piece.after.as_bytes());
        // A key that begins above the piece is still a key inside it.
        let lines = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(30);
        let before =
            format!("KEY = '''-----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----'''\nyaml.load(s)\n");
        let (pieces, redactions) = made(&before, &[("yaml.load", "yaml.safe_load")]).unwrap();
        assert!(redactions > 0 && !format!("{pieces:?}").contains("MIIEvQ"), "{pieces:?}");
    }

    #[test]
    fn what_is_too_large_to_be_looked_through_is_left_out() {
        let before = format!("yaml.load(s)\n{}", "# words and words\n".repeat(1_000_000));
        assert_eq!(made(&before, &[("yaml.load", "yaml.safe_load")]), Err(LeftOut::Unscannable));
    }

    #[test]
    fn only_the_end_of_a_name_is_its_extension() {
        for (path, expect) in
            [("a/b.Py", Some("py")), ("a.b/c", None), (".env", None), ("x/Makefile", None), ("a.tar.gz", Some("gz"))]
        {
            assert_eq!(extension(&RelPath::new(path).unwrap()).as_deref(), expect, "{path}");
        }
        for name in ["orders.acme-billing", "notes.acmebilling", "a.gl\u{fc}ck", "a.b_c"] {
            assert_eq!(extension(&RelPath::new(name).unwrap()), None, "{name}");
        }
    }

    #[test]
    fn a_rule_of_somebodys_own_does_not_say_whose_it_is() {
        for (rule, expect) in [
            ("B602", "B602"),
            ("py/sql-injection", "sql-injection"),
            ("home.ada.acme.rules.no-raw-sql", "no-raw-sql"),
            ("acme/billing.rules/no-raw-sql", "no-raw-sql"),
            ("acme.", ""),
        ] {
            assert_eq!(public(rule), expect, "{rule}");
        }
        for recipe in Recipes::shipped().iter() {
            assert_eq!(public(recipe.id()), recipe.id());
        }
    }
}
