//! A scanner that did not report the finding looks at the fix: another one of this machine, or Conclave's own detectors.
//!
//! A fix that one tool likes and another does not is worth a look, so what the two do not agree on is listed.
//! Invariant: a look that could not be had is never a pass.

use std::collections::BTreeMap;
use std::time::Instant;

use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::{Detection, Region};
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_effects::sandbox::find_program;
use conclave_fixers::Recipes;

use super::Subject;
use super::moved::Moved;
use crate::project::facts;
use crate::scanner::{self, Report, ScanError, Scanner, Seen};

pub(super) async fn run(subject: &mut Subject<'_>) -> Evidence {
    let begin = Instant::now();
    let mut evidence = look(subject).await;
    evidence.duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    evidence
}

async fn look(subject: &Subject<'_>) -> Evidence {
    let finding = &subject.brief.finding.detection;
    let Some(scanner) = another(subject, finding) else { return own(subject, finding) };
    let (before, after) = match both(subject, scanner).await {
        Ok(reports) => reports,
        // The other scanner is no part of the project's set-up: without it, our own detectors look.
        Err(ScanError::Unavailable(_)) => return own(subject, finding),
        Err(error) => return Evidence::new(Check::SecondScan, CheckOutcome::Error, error.to_string()),
    };
    let (outcome, summary) = judge(&scanner.name, finding, subject, [&before.seen, &after.seen]);
    let mut evidence = Evidence::new(Check::SecondScan, outcome, summary);
    evidence.command = Some(after.command);
    evidence.log_digest = Some(Digest::of(after.log.as_bytes()));
    evidence.log = Some(after.log);
    evidence
}

/// The first scanner of the list that is here, reads every changed file, and is not the one that reported the finding.
fn another(subject: &Subject<'_>, finding: &Detection) -> Option<&'static Scanner> {
    let reporter = Scanner::named(&finding.tool.name).map(|scanner| &scanner.name);
    let root = subject.sources.root();
    Scanner::all().iter().find(|scanner| {
        Some(&scanner.name) != reporter
            && subject.after.keys().all(|path| scanner.reads(path))
            && (!scanner.needs_rules() || subject.cx.settings().semgrep_rules.is_some())
            && find_program(&scanner.program, &root).is_some()
    })
}

async fn both(subject: &Subject<'_>, scanner: &Scanner) -> Result<(Report, Report), ScanError> {
    let mut before = BTreeMap::new();
    for path in subject.after.keys() {
        let source = subject.sources.file(path).map_err(ScanError::Unavailable)?;
        before.insert(path.clone(), source.bytes.clone());
    }
    let root = subject.sources.root();
    let scratch = scanner::scratch(subject.cx, root.clone()).await?;
    let first = scanner::scan_files(subject.cx, subject.plan, scanner, &root, &scratch, &before).await?;
    let second = scanner::scan_files(subject.cx, subject.plan, scanner, &root, &scratch, &subject.after).await?;
    Ok((first, second))
}

/// The look of Conclave's own detectors at what another tool reported.
fn own(subject: &Subject<'_>, finding: &Detection) -> Evidence {
    let none = |why: &str| Evidence::new(Check::SecondScan, CheckOutcome::NotAvailable, why);
    if finding.tool.is_own() {
        return none("no other scanner that reads these files is installed: install one of Bandit, Ruff or Semgrep");
    }
    let facts = facts(subject.sources);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (path, source, text) in subject.texts() {
        let Some(language) = Language::of_path(path) else { continue };
        let seen = |text: &str| {
            let found = Recipes::shipped().detect(path, language, text, &facts);
            found.into_iter().map(|detection| seen(path, detection)).collect::<Vec<_>>()
        };
        before.extend(seen(source.text().unwrap_or_default()));
        after.extend(seen(text));
    }
    if before.is_empty() && after.is_empty() {
        return none("no other scanner is installed, and Conclave\u{2019}s own detectors know nothing of these files");
    }
    let (outcome, summary) = judge("Conclave", finding, subject, [&before, &after]);
    Evidence::new(Check::SecondScan, outcome, summary)
}

fn seen(path: &RelPath, detection: Detection) -> Seen {
    let line = detection.location.and_then(|location| location.region).map_or(0, |region| region.start_line);
    Seen { rule: detection.rule.id, path: path.clone(), line, severity: detection.severity }
}

fn judge(name: &str, finding: &Detection, subject: &Subject<'_>, reports: [&[Seen]; 2]) -> (CheckOutcome, String) {
    let place = finding.location.as_ref();
    let moved = place.map(|place| (subject.moved(&place.path), &place.path, place.region.unwrap_or(Region::line(0))));
    compare(name, finding, moved.as_ref(), &subject.candidate.successors, reports)
}

/// The outcome of two looks of a scanner that is not the finding's own; pure.
fn compare(
    name: &str,
    finding: &Detection,
    place: Option<&(Moved, &RelPath, Region)>,
    successors: &[String],
    [before, after]: [&[Seen]; 2],
) -> (CheckOutcome, String) {
    let count = |list: &[Seen], one: &Seen| list.iter().filter(|s| s.rule == one.rule && s.path == one.path).count();
    let is_new = |seen: &&Seen| count(after, seen) > count(before, seen);
    let new = after.iter().filter(is_new);
    let severe = new.clone().find(|seen| seen.severity.at_least(finding.severity) && !successors.contains(&seen.rule));
    if let Some(new) = severe {
        return (CheckOutcome::Fail, format!("{name} reports `{}` since the fix, in `{}`", new.rule, new.path));
    }
    let mut words = match new.map(|seen| seen.rule.as_str()).next() {
        Some(rule) => format!("{name} reports nothing new as severe, only `{rule}`"),
        None => format!("{name} reports nothing new"),
    };
    if let Some((moved, path, region)) = place {
        let lines = region.start_line..region.end_line.max(region.start_line).saturating_add(1);
        let here = |list: &[Seen], rule: &str| {
            list.iter()
                .filter(|seen| seen.rule == rule && seen.path == **path)
                .map(|seen| seen.line)
                .collect::<Vec<_>>()
        };
        let at_place = before.iter().filter(|seen| seen.path == **path && lines.contains(&seen.line));
        let mut rules: Vec<&str> = at_place.map(|seen| seen.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        let left = |rule: &&str| !moved.gone(&lines, &here(before, rule), &here(after, rule));
        let (stay, gone): (Vec<&str>, Vec<&str>) = rules.iter().partition(|rule| left(rule));
        words.push_str(&match (stay.is_empty(), gone.is_empty()) {
            (true, true) => "; it had nothing to say on this place before either".to_owned(),
            (true, false) => format!("; its `{}` is gone too", gone.join("`, `")),
            (false, _) => format!("; it still reports `{}` at this place", stay.join("`, `")),
        });
    }
    (CheckOutcome::Pass, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use conclave_core::finding::{Rule, Severity, Tool};
    use conclave_core::patch::Edit;

    fn finding() -> Detection {
        Detection {
            tool: Tool { name: "Bandit".to_owned(), version: None },
            rule: Rule {
                id: "B602".to_owned(),
                name: None,
                description: None,
                help: None,
                help_uri: None,
                cwe: vec![78],
            },
            message: String::new(),
            severity: Severity::Medium,
            location: None,
            unresolved: None,
            symbol: None,
            flow: Vec::new(),
            fixes: Vec::new(),
            suppressed: false,
            foreign_fingerprints: Vec::new(),
        }
    }

    #[test]
    fn what_two_scanners_do_not_agree_on_is_said() {
        use CheckOutcome::{Fail, Pass};
        use Severity::{High, Low};
        let path = RelPath::new("a.py").expect("a path");
        let place =
            (Moved::of("1\n2\n3\n", &[Edit { start: 2, end: 3, text: "x".to_owned() }]), &path, Region::line(2));
        let list = |seen: &[(&str, u32, Severity)]| {
            let seen = seen.iter().map(|(rule, line, severity)| Seen {
                rule: (*rule).to_owned(),
                path: path.clone(),
                line: *line,
                severity: *severity,
            });
            seen.collect::<Vec<_>>()
        };
        for (before, after, outcome, words) in [
            (vec![], vec![], Pass, "ruff reports nothing new; it had nothing to say on this place before either"),
            (vec![("S602", 2, High)], vec![], Pass, "ruff reports nothing new; its `S602` is gone too"),
            (
                vec![("S602", 2, High)],
                vec![("S602", 2, High)],
                Pass,
                "ruff reports nothing new; it still reports `S602` at this place",
            ),
            (vec![], vec![("S105", 1, High)], Fail, "ruff reports `S105` since the fix, in `a.py`"),
            (
                vec![("S602", 2, High)],
                vec![("S607", 2, Low)],
                Pass,
                "ruff reports nothing new as severe, only `S607`; its `S602` is gone too",
            ),
            (
                vec![("S602", 2, High)],
                vec![("S603", 2, High)],
                Pass,
                "ruff reports nothing new as severe, only `S603`; its `S602` is gone too",
            ),
            // What goes in one place does not pay for what comes with another rule.
            (vec![("S602", 2, High)], vec![("S604", 2, High)], Fail, "ruff reports `S604` since the fix, in `a.py`"),
        ] {
            let successors = ["S603".to_owned()];
            let found = compare("ruff", &finding(), Some(&place), &successors, [&list(&before), &list(&after)]);
            assert_eq!(found, (outcome, words.to_owned()), "{before:?} {after:?}");
        }
    }
}
