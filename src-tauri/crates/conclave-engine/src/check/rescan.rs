//! The tool that reported the finding looks again, on copies of the touched files before and after the fix.
//!
//! Both looks use the same program, rules and options on this machine, so that a difference comes from the fix alone.
//! Invariant: a scanner that is missing, fails or does not read a file is never a pass.

use std::collections::BTreeMap;
use std::time::Instant;

use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::Detection;
use conclave_core::path::RelPath;

use super::Subject;
use crate::scanner::{self, Report, ScanError, Scanner, Seen};

pub(super) async fn run(subject: &mut Subject<'_>) -> Evidence {
    let begin = Instant::now();
    let mut evidence = look(subject).await;
    evidence.duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    evidence
}

async fn look(subject: &Subject<'_>) -> Evidence {
    let detection = &subject.brief.finding.detection;
    let none = |summary: String| Evidence::new(Check::Rescan, CheckOutcome::NotAvailable, summary);
    if detection.tool.is_own() {
        return none("no outside scanner reported this".to_owned());
    }
    let Some(scanner) = Scanner::named(&detection.tool.name) else {
        return none(format!("Conclave does not know how to run {}", detection.tool.name));
    };
    let mut before = BTreeMap::new();
    for path in subject.after.keys() {
        match subject.sources.file(path) {
            Ok(source) => before.insert(path.clone(), source.bytes.clone()),
            Err(why) => return none(why),
        };
    }
    let (first, second) = match both(subject, scanner, &before).await {
        Ok(reports) => reports,
        Err(error) => return failed(&error),
    };
    let (outcome, summary) = compare(scanner, detection, &subject.candidate.successors, &first, &second);
    let mut evidence = Evidence::new(Check::Rescan, outcome, summary);
    evidence.command = Some(second.command);
    evidence.log_digest = Some(Digest::of(second.log.as_bytes()));
    evidence.log = Some(second.log);
    evidence
}

async fn both(
    subject: &Subject<'_>,
    scanner: &Scanner,
    before: &BTreeMap<RelPath, Vec<u8>>,
) -> Result<(Report, Report), ScanError> {
    let root = subject.sources.root();
    let scratch = scanner::scratch(subject.cx, root.clone()).await?;
    let first = scanner::scan_files(subject.cx, subject.plan, scanner, &root, &scratch, before).await?;
    let second = scanner::scan_files(subject.cx, subject.plan, scanner, &root, &scratch, &subject.after).await?;
    Ok((first, second))
}

fn failed(error: &ScanError) -> Evidence {
    let outcome =
        if matches!(error, ScanError::Unavailable(_)) { CheckOutcome::NotAvailable } else { CheckOutcome::Error };
    Evidence::new(Check::Rescan, outcome, error.to_string())
}

/// The outcome of two looks at the same files; pure.
fn compare(
    scanner: &Scanner,
    finding: &Detection,
    successors: &[String],
    before: &Report,
    after: &Report,
) -> (CheckOutcome, String) {
    let name = &scanner.name;
    let rule = &finding.rule.id;
    let place = finding.location.as_ref();
    let line = place.and_then(|l| l.region).map_or(0, |r| r.start_line);
    let reported = |seen: &&Seen| seen.rule == *rule && place.is_none_or(|l| l.path == seen.path);
    let near = before.seen.iter().filter(reported).min_by_key(|seen| seen.line.abs_diff(line));
    let Some(found) = near else {
        let why = format!("{name} here does not report `{rule}` before the fix either");
        return (CheckOutcome::NotAvailable, why);
    };
    let count = |report: &Report, rule: &str| report.seen.iter().filter(|seen| seen.rule == rule).count();
    if count(after, rule) >= count(before, rule) {
        return (CheckOutcome::Fail, format!("{name} still reports `{rule}`"));
    }
    let new = after.seen.iter().find(|seen| {
        seen.severity.at_least(found.severity)
            && !successors.contains(&seen.rule)
            && count(after, &seen.rule) > count(before, &seen.rule)
    });
    if let Some(new) = new {
        return (CheckOutcome::Fail, format!("{name} reports `{}` instead, no less severe", new.rule));
    }
    let successor = successors.iter().find(|rule| count(after, rule) > count(before, rule));
    let rest = successor
        .map_or_else(|| "nothing new".to_owned(), |rule| format!("the weaker `{rule}` stands instead, as expected"));
    (CheckOutcome::Pass, format!("{name} no longer reports `{rule}`, {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use conclave_core::finding::{Location, Region, Rule, Severity, Tool};
    use conclave_core::path::RelPath;

    fn path() -> RelPath {
        RelPath::new("a.py").expect("a path")
    }

    fn report(seen: &[(&str, u32, Severity)]) -> Report {
        let seen = seen
            .iter()
            .map(|(rule, line, severity)| Seen {
                rule: (*rule).to_owned(),
                path: path(),
                line: *line,
                severity: *severity,
            })
            .collect();
        Report { seen, command: String::new(), log: String::new() }
    }

    #[test]
    fn only_gone_and_nothing_as_severe_in_its_place_is_a_pass() {
        use CheckOutcome::{Fail, NotAvailable, Pass};
        use Severity::{High, Low, Medium};
        let cases = [
            (vec![("B602", 3, High)], vec![], Pass),
            (vec![("B602", 3, High)], vec![("B603", 3, Low)], Pass),
            (vec![("B602", 3, High)], vec![("B603", 3, High)], Pass),
            (vec![("B602", 3, High)], vec![("B607", 3, Low)], Pass),
            (vec![("B602", 3, High)], vec![("B604", 3, High)], Fail),
            (vec![("B602", 3, Medium)], vec![("B604", 3, High)], Fail),
            (vec![("B602", 3, High)], vec![("B602", 4, High)], Fail),
            (vec![("B602", 3, High), ("B602", 9, High)], vec![("B602", 9, High)], Pass),
            (vec![("B404", 1, Low)], vec![], NotAvailable),
            (vec![], vec![], NotAvailable),
        ];
        let finding = Detection {
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
            severity: High,
            location: Some(Location { path: path(), region: Some(Region::line(3)) }),
            unresolved: None,
            symbol: None,
            flow: Vec::new(),
            fixes: Vec::new(),
            suppressed: false,
            foreign_fingerprints: Vec::new(),
        };
        let bandit = Scanner::named("Bandit").expect("a known scanner");
        for (before, after, outcome) in cases {
            let seen = compare(bandit, &finding, &["B603".to_owned()], &report(&before), &report(&after));
            assert_eq!(seen.0, outcome, "{before:?} to {after:?}: {}", seen.1);
        }
    }
}
