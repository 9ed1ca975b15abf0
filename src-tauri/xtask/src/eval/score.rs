//! What a re-scan says about fixes, counted so that silence alone is not success.
//!
//! - *fixed*: the scanner reports it no more, in a file that was changed, still parses and lost nothing;
//! - *new*: reported after and not before; lines that only moved are neither;
//! - *harmful*: new, and not less severe than the worst finding fixed in that file, unless it is a known successor of one
//!   fixed there (an argument list without a shell is still a process that is started);
//! - *clean*: fixed, in a file without anything harmful;
//! - *broken*: a file that parsed before and does not now;
//! - *silenced*: a file that gained a comment which quiets a scanner, or lost a definition or a statement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// A rule fixed in a file, and one that may fire there instead.
const SUCCESSORS: &[(&str, &str)] =
    &[("B602", "B603"), ("B602", "B607"), ("B605", "B603"), ("B605", "B607"), ("B605", "B404")];

/// What comments that quiet a scanner say, in lower case.
const MARKS: &[&str] = &[
    "nosec",
    "nosemgrep",
    "noqa",
    "nosonar",
    "eslint-disable",
    "codeql[",
    "lgtm[",
    "type: ignore",
    "pragma: allowlist",
];

/// SARIF's levels, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    None,
    Note,
    Warning,
    Error,
}

#[derive(Clone, Debug)]
struct Finding {
    rule: String,
    file: String,
    /// The flagged line with blanks squeezed, by which it is told again after it moved.
    line: String,
    level: Level,
}

impl Finding {
    fn key(&self) -> (&str, &str) {
        (&self.rule, &self.file)
    }
}

/// What the syntax tree of a file says.
#[derive(Clone, Debug, Deserialize)]
struct Outline {
    parses: bool,
    /// Of functions and classes.
    names: BTreeSet<String>,
    /// All but imports.
    statements: usize,
}

/// One state of the corpus.
pub struct Tree {
    findings: Vec<Finding>,
    sources: BTreeMap<String, String>,
    outlines: BTreeMap<String, Outline>,
}

/// The counts.
#[derive(Debug, Default, PartialEq)]
pub struct Score {
    /// Files in the corpus that Python could have.
    pub files: usize,
    /// Findings before.
    pub findings: usize,
    /// See above, as the others.
    pub fixed: usize,
    pub clean: usize,
    pub new: usize,
    pub harmful: usize,
    pub broken: usize,
    pub silenced: usize,
    /// Fixed and new ones by rule, broken and silenced files by name.
    by_rule: BTreeMap<String, (usize, usize)>,
    suspects: Vec<String>,
}

impl Score {
    /// `count` as a share of the findings.
    pub fn share(&self, count: usize) -> f64 {
        if self.findings == 0 { 0.0 } else { count as f64 / self.findings as f64 }
    }

    /// The counts by rule, for the log.
    pub fn details(&self) -> String {
        let mut lines: Vec<String> =
            self.by_rule.iter().map(|(rule, (fixed, new))| format!("{rule}: {fixed} fixed, {new} new")).collect();
        lines.extend(self.suspects.iter().cloned());
        lines.join("\n")
    }
}

#[derive(Deserialize)]
struct Sarif {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    results: Vec<SarifResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: String,
    level: Option<Level>,
    locations: Vec<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Deserialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

impl Tree {
    /// Reads the folder `root`, what the scanner wrote about it, and what `python` makes of its files.
    pub fn read(root: &Path, sarif: &Path, python: &Path) -> Result<Self> {
        let output = Command::new(python).args(["-c", include_str!("outline.py")]).arg(root).output();
        let output = output.with_context(|| format!("cannot run `{}`", python.display()))?;
        ensure!(output.status.success(), "outline: {}", String::from_utf8_lossy(&output.stderr));
        let outlines: BTreeMap<String, Outline> = serde_json::from_slice(&output.stdout)?;
        let mut sources = BTreeMap::new();
        for file in outlines.keys() {
            let bytes = std::fs::read(root.join(file)).with_context(|| format!("cannot read `{file}`"))?;
            sources.insert(file.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
        let text = std::fs::read(sarif).with_context(|| format!("cannot read `{}`", sarif.display()))?;
        let findings = findings(serde_json::from_slice(&text)?, &sources);
        Ok(Self { findings, sources, outlines })
    }
}

fn findings(sarif: Sarif, sources: &BTreeMap<String, String>) -> Vec<Finding> {
    let results = sarif.runs.into_iter().flat_map(|run| run.results);
    let read = results.filter_map(|result| {
        let place = result.locations.into_iter().next()?.physical_location;
        let file = place.artifact_location.uri.trim_start_matches("./").to_owned();
        let line = sources.get(&file).and_then(|text| text.lines().nth(place.region.start_line.checked_sub(1)?));
        let line = line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        Some(Finding { rule: result.rule_id, file, line, level: result.level.unwrap_or(Level::Warning) })
    });
    read.collect()
}

/// Compares two states of the same corpus.
pub fn score(before: &Tree, after: &Tree) -> Score {
    let (gone, new) = difference(&before.findings, &after.findings);
    let changed: BTreeSet<&str> = before
        .sources
        .iter()
        .filter(|(file, text)| after.sources.get(*file) != Some(*text))
        .map(|(file, _)| file.as_str())
        .collect();
    let broken: BTreeSet<&str> = changed.iter().copied().filter(|file| is_broken(before, after, file)).collect();
    let silenced: BTreeSet<&str> =
        changed.iter().copied().filter(|file| !broken.contains(file) && is_silenced(before, after, file)).collect();

    let honest = |file: &str| changed.contains(file) && !broken.contains(file) && !silenced.contains(file);
    let fixed: Vec<&Finding> = gone.into_iter().filter(|finding| honest(&finding.file)).collect();
    let harmful: Vec<&Finding> = new.iter().copied().filter(|finding| is_harmful(finding, &fixed)).collect();
    let dirty: BTreeSet<&str> = harmful.iter().map(|finding| finding.file.as_str()).collect();
    let clean = fixed.iter().filter(|finding| !dirty.contains(finding.file.as_str())).count();

    let mut by_rule: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for finding in &fixed {
        by_rule.entry(finding.rule.clone()).or_default().0 += 1;
    }
    for finding in &new {
        by_rule.entry(finding.rule.clone()).or_default().1 += 1;
    }
    let suspects = broken.iter().map(|file| format!("broken: {file}"));
    let suspects = suspects.chain(silenced.iter().map(|file| format!("silenced: {file}")));
    let suspects = suspects.chain(harmful.iter().map(|finding| format!("harmful: {} {}", finding.rule, finding.file)));
    Score {
        files: before.outlines.len(),
        findings: before.findings.len(),
        fixed: fixed.len(),
        clean,
        new: new.len(),
        harmful: harmful.len(),
        broken: broken.len(),
        silenced: silenced.len(),
        by_rule,
        suspects: suspects.collect(),
    }
}

/// The findings that only `before` has, and those that only `after` has.
///
/// Within one rule and file they are matched by their line first, then by count, so that an edit which leaves the rule
/// firing on the edited line is neither.
fn difference<'a>(before: &'a [Finding], after: &'a [Finding]) -> (Vec<&'a Finding>, Vec<&'a Finding>) {
    let keys: BTreeSet<(&str, &str)> = before.iter().chain(after).map(Finding::key).collect();
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for key in keys {
        let mut old: Vec<&Finding> = before.iter().filter(|finding| finding.key() == key).collect();
        let mut fresh: Vec<&Finding> = after.iter().filter(|finding| finding.key() == key).collect();
        old.retain(|finding| match fresh.iter().position(|other| other.line == finding.line) {
            Some(same) => {
                fresh.remove(same);
                false
            }
            None => true,
        });
        let moved = old.len().min(fresh.len());
        gone.extend(old.drain(moved..));
        new.extend(fresh.drain(moved..));
    }
    (gone, new)
}

fn is_harmful(finding: &Finding, fixed: &[&Finding]) -> bool {
    let here = || fixed.iter().filter(|other| other.file == finding.file);
    let expected = here().any(|other| SUCCESSORS.contains(&(other.rule.as_str(), finding.rule.as_str())));
    !expected && here().map(|other| other.level).max().is_none_or(|worst| finding.level >= worst)
}

fn is_broken(before: &Tree, after: &Tree, file: &str) -> bool {
    let parses = |tree: &Tree| tree.outlines.get(file).is_some_and(|outline| outline.parses);
    parses(before) && !parses(after)
}

fn is_silenced(before: &Tree, after: &Tree, file: &str) -> bool {
    let marks = |tree: &Tree| tree.sources.get(file).map_or(0, |text| suppressions(text));
    let lost = match (before.outlines.get(file), after.outlines.get(file)) {
        (Some(old), Some(new)) => !old.names.is_subset(&new.names) || new.statements < old.statements,
        _ => true,
    };
    marks(after) > marks(before) || lost
}

/// How many comments there are that quiet a scanner.
fn suppressions(text: &str) -> usize {
    let text = text.to_ascii_lowercase();
    MARKS.iter().map(|mark| text.matches(mark).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of one file, with findings as `rule level line`.
    fn tree(source: &str, names: &[&str], statements: usize, findings: &[(&str, Level, &str)]) -> Tree {
        let file = "a.py".to_owned();
        let outline = Outline {
            parses: !source.contains("<<"),
            names: names.iter().map(ToString::to_string).collect(),
            statements,
        };
        Tree {
            findings: findings
                .iter()
                .map(|(rule, level, line)| Finding {
                    rule: (*rule).to_owned(),
                    file: file.clone(),
                    line: (*line).to_owned(),
                    level: *level,
                })
                .collect(),
            sources: BTreeMap::from([(file.clone(), source.to_owned())]),
            outlines: BTreeMap::from([(file, outline)]),
        }
    }

    /// fixed, clean, new, harmful, broken, silenced
    #[track_caller]
    fn check(before: &Tree, after: &Tree, expect: [usize; 6]) {
        let s = score(before, after);
        assert_eq!([s.fixed, s.clean, s.new, s.harmful, s.broken, s.silenced], expect, "{s:?}");
    }

    #[test]
    fn what_is_gone_from_a_changed_file_is_fixed_and_clean() {
        let before = tree("x", &["f"], 3, &[("B602", Level::Error, "x"), ("B101", Level::Note, "y")]);
        check(&before, &tree("z", &["f"], 3, &[("B101", Level::Note, "y")]), [1, 1, 0, 0, 0, 0]);
        check(&before, &tree("z", &["f", "g"], 4, &[]), [2, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn what_is_gone_from_an_unchanged_file_is_not_fixed() {
        let before = tree("x", &[], 1, &[("B602", Level::Error, "x")]);
        check(&before, &tree("x", &[], 1, &[]), [0; 6]);
    }

    #[test]
    fn a_rule_that_fires_on_the_edited_line_is_not_fixed() {
        let before = tree("x", &[], 1, &[("B602", Level::Error, "x")]);
        check(&before, &tree("z", &[], 1, &[("B602", Level::Error, "z")]), [0; 6]);
    }

    #[test]
    fn a_new_finding_is_harmful_unless_less_severe_or_a_successor() {
        let before = tree("x", &[], 1, &[("B602", Level::Note, "x"), ("B324", Level::Warning, "y")]);
        let with = |rule, level| tree("z", &[], 1, &[(rule, level, "z")]);
        check(&before, &with("B603", Level::Error), [2, 2, 1, 0, 0, 0]);
        check(&before, &with("B999", Level::Note), [2, 2, 1, 0, 0, 0]);
        check(&before, &with("B999", Level::Warning), [2, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_new_finding_where_nothing_was_fixed_is_harmful() {
        check(&tree("x", &[], 1, &[]), &tree("z", &[], 1, &[("B999", Level::Note, "z")]), [0, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_file_that_no_longer_parses_has_no_fixes() {
        let before = tree("x", &[], 1, &[("B602", Level::Error, "x")]);
        check(&before, &tree("<<", &[], 0, &[]), [0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn silence_is_not_a_fix() {
        let before = tree("x", &["f"], 3, &[("B602", Level::Error, "x")]);
        for (after, why) in [
            (tree("x # nosec", &["f"], 3, &[]), "a comment"),
            (tree("y", &[], 3, &[]), "a lost function"),
            (tree("y", &["f"], 2, &[]), "a lost statement"),
        ] {
            assert_eq!((score(&before, &after).fixed, score(&before, &after).silenced), (0, 1), "{why}");
        }
    }

    #[test]
    fn bandits_log_is_read_with_the_flagged_line() {
        let sarif = r#"{"runs": [{"results": [{"ruleId": "B602", "level": "error", "message": {"text": "m"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "./a.py"}, "region": {"startLine": 2}}}]}]}]}"#;
        let sources = BTreeMap::from([("a.py".to_owned(), "import os\n  os.system(  'ls')\n".to_owned())]);
        let read = findings(serde_json::from_str(sarif).unwrap(), &sources);
        assert_eq!(
            (read[0].rule.as_str(), read[0].line.as_str(), read[0].level),
            ("B602", "os.system( 'ls')", Level::Error)
        );
    }
}
