//! The tool that reported the finding looks again, on copies of the touched files before and after the fix.
//!
//! Both looks use the same program, rules and options on this machine, so that a difference comes from the fix alone.
//! Invariant: a scanner that is missing, fails or does not read a file is never a pass.

use std::collections::BTreeMap;
use std::time::Instant;

use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::{Detection, Location, Region};
use conclave_core::path::RelPath;

use super::Subject;
use super::moved::Moved;
use crate::scanner::{self, Report, ScanError, Scanner, Seen};

/// A scanner of another version may name a line this far from the reported ones; further away it is another report.
const NEAR: u32 = 10;

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
    let Some(place) = &detection.location else {
        return none("the scanner names no file in this project".to_owned());
    };
    let moved = subject.moved(&place.path);
    let (outcome, summary) =
        compare(scanner, detection, place, &moved, &subject.candidate.successors, [&first, &second]);
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
    place: &Location,
    moved: &Moved,
    successors: &[String],
    [before, after]: [&Report; 2],
) -> (CheckOutcome, String) {
    let name = &scanner.name;
    let rule = &finding.rule.id;
    let region = place.region.unwrap_or(Region::line(0));
    let away = |line: u32| line.clamp(region.start_line, region.end_line.max(region.start_line)).abs_diff(line);
    let reported = |seen: &&Seen| scanner.same_rule(&seen.rule, rule) && seen.path == place.path;
    let near = before.seen.iter().filter(reported).min_by_key(|seen| (away(seen.line), seen.line));
    let Some(found) = near.filter(|seen| away(seen.line) <= NEAR) else {
        let why = format!("{name} here does not report `{rule}` before the fix either");
        return (CheckOutcome::NotAvailable, why);
    };
    // A scanner may name any line of a statement of several lines.
    let lines = match away(found.line) {
        0 => region.start_line..region.end_line.max(region.start_line).saturating_add(1),
        _ => found.line..found.line.saturating_add(1),
    };
    let lines_of = |report: &Report| report.seen.iter().filter(reported).map(|seen| seen.line).collect::<Vec<_>>();
    if !moved.gone(&lines, &lines_of(before), &lines_of(after)) {
        return (CheckOutcome::Fail, format!("{name} still reports `{rule}`"));
    }
    let count = |report: &Report, seen: &Seen| {
        report.seen.iter().filter(|other| other.rule == seen.rule && other.path == seen.path).count()
    };
    let is_new = |seen: &&Seen| count(after, seen) > count(before, seen);
    let new = after
        .seen
        .iter()
        .find(|seen| seen.severity.at_least(found.severity) && !successors.contains(&seen.rule) && is_new(seen));
    if let Some(new) = new {
        return (CheckOutcome::Fail, format!("{name} reports `{}` instead, no less severe", new.rule));
    }
    let successor = after.seen.iter().find(|seen| successors.contains(&seen.rule) && is_new(seen));
    let rest = successor
        .map_or_else(|| "nothing new".to_owned(), |s| format!("the weaker `{}` stands instead, as expected", s.rule));
    (CheckOutcome::Pass, format!("{name} no longer reports `{rule}`, {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use conclave_core::finding::{Rule, Severity, Tool};
    use conclave_core::patch::Edit;

    fn path(name: &str) -> RelPath {
        RelPath::new(name).expect("a path")
    }

    /// Results of `a.py`, or of another file where the rule has its name before a colon.
    fn report(seen: &[(&str, u32, Severity)]) -> Report {
        let seen = seen.iter().map(|(rule, line, severity)| {
            let (file, rule) = rule.split_once(':').unwrap_or(("a.py", rule));
            Seen { rule: rule.to_owned(), path: path(file), line: *line, severity: *severity }
        });
        Report { seen: seen.collect(), command: String::new(), log: String::new() }
    }

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
            severity: Severity::High,
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
            // The same statement, another of its lines.
            (vec![("B602", 4, High), ("B602", 9, High)], vec![("B602", 9, High)], Pass),
            (vec![("B602", 3, High), ("B602", 9, High)], vec![("B602", 4, High)], Fail),
            (vec![("B602", 3, High), ("B602", 9, High)], vec![("B602", 9, High)], Pass),
            (vec![("B602", 3, High), ("B602", 9, High)], vec![("B602", 3, High)], Fail),
            // What vanished in one file does not pay for what is new in another.
            (vec![("B602", 3, High), ("B604", 9, High)], vec![("b.py:B604", 1, High)], Fail),
            (vec![("B602", 3, High), ("b.py:B602", 1, High)], vec![("B602", 3, High)], Fail),
            (vec![("B602", 3, High), ("b.py:B602", 1, High)], vec![("b.py:B602", 2, High)], Pass),
            (vec![("B602", 40, High)], vec![], NotAvailable),
            (vec![("B404", 1, Low)], vec![], NotAvailable),
            (vec![], vec![], NotAvailable),
        ];
        let place = Location { path: path("a.py"), region: Some(Region { end_line: 4, ..Region::line(3) }) };
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let moved = Moved::of(text, &[Edit { start: 4, end: 5, text: "x".to_owned() }]);
        let bandit = Scanner::named("Bandit").expect("a known scanner");
        let successors = ["B603".to_owned()];
        for (before, after, outcome) in cases {
            let reports = [&report(&before), &report(&after)];
            let seen = compare(bandit, &finding(), &place, &moved, &successors, reports);
            assert_eq!(seen.0, outcome, "{before:?} to {after:?}: {}", seen.1);
        }
    }
}
