//! Text for people: quiet, aligned, readable without colour.

mod clients;
mod commands;
mod compare;
mod config;
mod edit;
mod egress;
mod exchange;
mod hook;
mod known;
mod learning;
mod memory;
mod models;
mod patterns;
mod plan;
mod policy;
mod synthesis;
mod tiers;
mod tools;

use std::fmt::Write as _;

use conclave_api::batch::{Consent, FixItem, FixReport};
use conclave_api::error::ApiError;
use conclave_api::view::{
    AppliedView, ConfidenceView, DecidedView, DoctorView, Ending, FileDiff, FindingRow, FindingView, FixView,
    LedgerView, LineKind, ReplayView, ScanState, ScanView, SeatState, UndoneView,
};
use conclave_api::{CheckOutcome, FixClass, Severity, Status};

use super::Report;

pub(super) use clients::clients;
pub(super) use commands::commands;
pub(super) use compare::{comparison, comparison_plan, comparison_report, comparisons, next_pair, pair_revealed};
pub(super) use config::{config_check, config_imported};
pub(super) use edit::edited;
pub(super) use egress::{answered, ask, asks, egress, key_erased, key_saved, keys, preview};
pub(super) use exchange::{exchange, exchanges, exchanges_erased};
pub(super) use hook::{advice, hook_added, hook_removed, hooks};
pub(super) use known::known_models;
pub(super) use learning::{insights, learning_reset, rated, training_exported};
pub(super) use memory::{memory_exported, memory_imported};
pub(super) use models::{discovered, model_health, model_removed, model_saved, models, models_health, spending};
pub(super) use patterns::{elsewhere, patterns};
pub(super) use plan::plan;
pub(super) use policy::{check, explanation, files, simulation, test};
pub(super) use tiers::tiers;
pub(super) use tools::{tool_server, tool_server_checked, tool_server_removed, tool_servers, tool_servers_imported};

/// Whether and how colours are used; every colour has a word beside it.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub coloured: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn severity(self, severity: Severity) -> String {
        let code = match severity {
            Severity::Critical | Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low | Severity::Note => "2",
        };
        self.paint(code, &format!("{:<8}", severity.label()))
    }
}

/// Untrusted text on one line: control characters are blanks, and characters that reorder or hide text are spelled out.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A moment in UTC, to the second.
fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| "at an unknown time".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn place(row: &FindingRow) -> String {
    match (&row.path, row.line) {
        (Some(path), Some(line)) => format!("{}:{line}", clean(path)),
        (Some(path), None) => clean(path),
        (None, _) => "no usable place".to_owned(),
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Running => "running",
        Status::FixReady => "fix ready",
        Status::Disagreement => "two fixes, pick one",
        Status::NoSafeFix => "no safe fix",
        Status::SuspectedFalsePositive => "suspected false positive",
        Status::Fixed => "fixed",
        Status::Suppressed => "suppressed by the tool",
        Status::Dismissed => "dismissed",
    }
}

pub(super) fn error(error: &ApiError) -> String {
    let mut out = format!("conclave: {}\n", clean(&error.message));
    for line in error.hint.iter().flat_map(|hint| hint.lines()) {
        let _ = writeln!(out, "  {}", clean(line));
    }
    if let Some(details) = &error.details {
        let _ = writeln!(out, "  ({})", clean(details));
    }
    out
}

pub(super) fn scans(style: Style, scans: &[ScanView]) -> String {
    let mut out = String::new();
    for scan in scans {
        let tool = style.bold(&clean(&scan.tool));
        match (&scan.state, &scan.reason) {
            (ScanState::Failed, reason) => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                let _ = writeln!(
                    out,
                    "{tool}  failed: {}. Nothing is known about the code it did not read.",
                    clean(reason)
                );
            }
            (ScanState::Complete, _) => {
                let results = plural(scan.results as usize, "finding", "findings");
                let _ = writeln!(out, "{tool}  {results}, {} new", scan.new_findings);
            }
        }
        for complaint in &scan.complaints {
            let _ = writeln!(out, "  {}", style.faint(&clean(complaint)));
        }
        let more = scan.complaint_count as usize - scan.complaints.len().min(scan.complaint_count as usize);
        if more > 0 {
            let _ = writeln!(out, "  {}", style.faint(&format!("and {more} more")));
        }
    }
    if scans.is_empty() {
        out.push_str("The file holds no scan.\n");
    }
    out
}

pub(super) fn findings(style: Style, rows: &[FindingRow], filtered: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let stale = if row.stale { ", the file changed since" } else { "" };
        let _ =
            writeln!(out, "{}  {} {}", style.faint(short(&row.id)), style.severity(row.severity), clean(&row.title));
        let facts = format!("{}  {} {}  {}{stale}", place(row), clean(&row.tool), clean(&row.rule), status(row.status));
        let _ = writeln!(out, "          {}", style.faint(&facts));
    }
    match (rows.len(), filtered) {
        (0, true) => out.push_str("No finding matches.\n"),
        (0, false) => {
            out.push_str(
                "No findings. `conclave scan DIR` looks for some; `conclave import` takes a scanner\u{2019}s file.\n",
            );
        }
        (n, _) => {
            let _ = writeln!(out, "{}", plural(n, "finding", "findings"));
        }
    }
    out
}

pub(super) fn fixes(style: Style, kind: Report<'_>, report: &FixReport) -> String {
    let mut out = String::new();
    if let Report::Demo { root } = kind {
        let _ = writeln!(out, "The sample project is in {root}\n");
    }
    if !report.scans.is_empty() {
        out.push_str(&scans(style, &report.scans));
        out.push('\n');
    }
    for item in &report.resolutions {
        item_lines(&mut out, style, item);
    }
    let total = report.resolutions.len();
    let mut parts = vec![
        plural(report.recommended as usize, "with a recommended fix", "with a recommended fix"),
        format!("{} without a safe one", report.no_safe_fix),
    ];
    if report.failed > 0 {
        parts.push(format!("{} could not be looked at", report.failed));
    }
    let _ = writeln!(out, "{}: {}.", style.bold(&plural(total, "finding", "findings")), parts.join(", "));
    if report.applied > 0 {
        let written = plural(report.applied as usize, "fix", "fixes");
        let _ = writeln!(out, "{written} written; `conclave undo ID` takes one back.");
    } else if matches!(kind, Report::Demo { .. } | Report::Fix { consent: Consent::Nothing }) {
        out.push_str("Nothing was written. Read a fix with `conclave show ID`, write it with `conclave apply ID`.\n");
    }
    let unwritten = report.resolutions.iter().filter(|item| item.not_applied.is_some()).count();
    if unwritten > 0 {
        let _ = writeln!(out, "{} could not be written.", plural(unwritten, "fix", "fixes"));
    }
    out.push_str(&unanswered(&report.resolutions));
    let _ = match report.left_machine {
        0 => writeln!(out, "Nothing was sent to another machine."),
        n => writeln!(out, "{} sent to another machine.", plural(n as usize, "request", "requests")),
    };
    if report.passed_on > 0 {
        let sent = plural(report.passed_on as usize, "request", "requests");
        let _ = writeln!(out, "{sent} sent to servers on this machine, which may pass on what they get.");
    }
    out
}

/// Which models gave nothing that can be used, and why each did not the first time; empty where all did.
fn unanswered(items: &[FixItem]) -> String {
    let seats = items.iter().filter_map(|item| item.resolution.as_ref()).flat_map(|resolution| &resolution.seats);
    let mut failed: Vec<(&str, &str)> = Vec::new();
    for seat in seats.filter(|seat| seat.role.is_some() && seat.state == SeatState::Failed) {
        if !failed.iter().any(|(name, _)| *name == seat.name) {
            failed.push((&seat.name, seat.note.split("; ").next().unwrap_or_default()));
        }
    }
    if failed.is_empty() {
        return String::new();
    }
    let said: Vec<String> = failed.iter().map(|(name, why)| format!("{} ({})", clean(name), clean(why))).collect();
    format!(
        "{} gave no answer that can be used: {}; `conclave show ID` tells more.\n",
        plural(failed.len(), "model", "models"),
        said.join(", ")
    )
}

fn item_lines(out: &mut String, style: Style, item: &FixItem) {
    let row = &item.finding;
    let _ = writeln!(
        out,
        "{}  {} {}",
        style.faint(short(&row.id)),
        style.severity(row.severity),
        style.bold(&clean(&row.title))
    );
    let _ = writeln!(
        out,
        "          {}",
        style.faint(&format!("{}  {} {}", place(row), clean(&row.tool), clean(&row.rule)))
    );
    let recommended =
        item.resolution.as_ref().and_then(|r| r.fixes.iter().find(|fix| Some(&fix.id) == r.recommended.as_ref()));
    match (&item.error, &item.resolution, recommended) {
        (Some(error), ..) => {
            let _ = writeln!(out, "          could not be looked at: {}", clean(error));
        }
        (None, _, Some(fix)) => {
            let word = &fix.confidence.summary.word;
            let _ =
                writeln!(out, "          fix: {} ({}, {})", clean(&fix.title), clean(&fix.origin), class(fix.class));
            let _ = writeln!(
                out,
                "          {word}: at most {:.2}, because {}",
                fix.confidence.summary.cap, fix.confidence.cap_reason
            );
            let passed = passed(fix).join(", ");
            if !passed.is_empty() {
                let _ = writeln!(out, "          {}", style.faint(&format!("passed: {passed}")));
            }
        }
        (None, Some(resolution), None) => {
            let reason = resolution.reason.as_deref().unwrap_or_default();
            let head = ending(resolution.ending).to_lowercase();
            let _ = writeln!(out, "          {head}: {}", clean(reason));
        }
        (None, None, None) => {}
    }
    if !item.applied.is_empty() {
        let _ = writeln!(out, "          written to {}", item.applied.join(", "));
    }
    if let Some(why) = &item.not_applied {
        let _ = writeln!(out, "          not written: {}", clean(why));
    }
}

/// What the fix passed beyond the gates, which every fix that is shown passes.
fn passed(fix: &FixView) -> Vec<&str> {
    let beyond = fix.evidence.iter().filter(|item| item.outcome == CheckOutcome::Pass && !item.check.is_gate());
    beyond.map(|item| item.label.as_str()).collect()
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Recommended => "Recommended",
        Ending::Disagreement => "Disagreement",
        Ending::SuspectedFalsePositive => "Suspected false positive",
        Ending::NoSafeFix => "No safe fix",
    }
}

fn class(class: FixClass) -> &'static str {
    match class {
        FixClass::SafeAuto => "keeps behaviour for honest input",
        FixClass::Review => "wants to be read",
    }
}

pub(super) fn finding(style: Style, view: &FindingView, thoughts: bool) -> String {
    let row = &view.row;
    let mut out = format!("{} {}\n", style.severity(row.severity), style.bold(&clean(&row.title)));
    let cwe: Vec<String> = row.cwe.iter().map(|n| format!("CWE-{n}")).collect();
    let _ = writeln!(out, "{}  {} {}  {}", place(row), clean(&row.tool), clean(&row.rule), cwe.join(", "));
    let _ = writeln!(out, "{}, id {}\n", status(row.status), row.id);
    let _ = writeln!(out, "{}\n", clean(&view.problem));
    if let Some(reason) = &view.unresolved {
        let _ = writeln!(out, "The code cannot be shown: {}\n", clean(reason));
    }
    if let Some(excerpt) = &view.excerpt {
        for (index, line) in (excerpt.first_line..).zip(&excerpt.lines) {
            let mark = if excerpt.marks.iter().any(|mark| mark.line == index) { ">" } else { " " };
            let _ = writeln!(out, "{mark} {index:>5}  {}", clean(line));
        }
        out.push('\n');
    }
    if let Some(resolution) = &view.resolution {
        for fix in resolution.fixes.iter().filter(|fix| fix.stopped.is_none()) {
            let head = match (Some(&fix.id) == resolution.recommended.as_ref(), resolution.ending) {
                (true, _) => "Recommended fix",
                (false, Ending::Disagreement) => "One of the fixes",
                (false, _) => "Alternative",
            };
            fix_lines(&mut out, style, fix, head);
        }
        for (what, why) in [("alternative", &resolution.no_alternative), ("edge case", &resolution.no_edge_case)] {
            if let Some(why) = why {
                let _ = writeln!(out, "No {what}: {}\n", clean(why));
            }
        }
        if let (Some(reason), Some(next)) = (&resolution.reason, &resolution.next) {
            let head = style.bold(ending(resolution.ending));
            let _ = writeln!(out, "{head}: {}\nNext: {}\n", clean(reason), clean(next));
        }
        for fix in resolution.fixes.iter().filter(|fix| fix.stopped.is_some()) {
            let why = fix.stopped.as_deref().unwrap_or_default();
            let _ = writeln!(out, "Stopped: {} ({}): {}", clean(&fix.title), clean(&fix.origin), clean(why));
        }
        if let Some(made) = &resolution.synthesis {
            synthesis::lines(&mut out, style, made, thoughts);
        }
        synthesis::took(&mut out, resolution);
        let _ = writeln!(out, "{}", style.bold("Panel"));
        for seat in &resolution.seats {
            let state = match seat.state {
                SeatState::Proposed => "proposed",
                SeatState::Refused => "refused",
                SeatState::Doubted => "would change nothing",
                SeatState::Silent => "silent",
                SeatState::Failed => "failed",
                SeatState::Empty => "empty seat",
            };
            let _ = writeln!(out, "  {:<20} {state}: {}", clean(&seat.name), clean(&seat.note));
        }
    } else {
        let _ = writeln!(out, "No fix has been looked for yet: `conclave fix {}`", short(&row.id));
    }
    if let Some(applied) = &view.applied {
        let _ = writeln!(
            out,
            "\nA fix is applied in {}; `conclave undo {}` takes it back.",
            applied.files.join(", "),
            short(&row.id)
        );
    }
    for link in &view.references {
        let _ = writeln!(out, "{}", style.faint(&clean(link)));
    }
    out
}

fn fix_lines(out: &mut String, style: Style, fix: &FixView, head: &str) {
    let _ = writeln!(out, "{}: {}", style.bold(head), clean(&fix.title));
    let _ = writeln!(out, "{}, {}, id {}", clean(&fix.origin), class(fix.class), fix.id);
    let _ = writeln!(out, "{}\n", clean(&fix.rationale));
    for file in &fix.files {
        diff(out, style, file);
    }
    if let Some(trade_off) = &fix.trade_off {
        let _ = writeln!(out, "  Against the first: {}", clean(trade_off));
    }
    for smell in &fix.smells {
        let _ = writeln!(out, "  Suspicious: {}", clean(smell));
    }
    for case in &fix.edge_cases {
        let _ = writeln!(out, "  Behaviour changes: {}", clean(case));
    }
    let confidence = &fix.confidence;
    let _ = writeln!(
        out,
        "{}: at most {:.2}, because {}",
        style.bold(&confidence.summary.word),
        confidence.summary.cap,
        confidence.cap_reason
    );
    if let Some(raise) = &confidence.raise {
        let _ = writeln!(out, "Would raise it: {raise}");
    }
    why(out, confidence);
    for evidence in &fix.evidence {
        let word = match evidence.outcome {
            CheckOutcome::Pass => style.paint("32", "pass"),
            CheckOutcome::Fail => style.paint("31", "fail"),
            CheckOutcome::NotAvailable => "not available".to_owned(),
            CheckOutcome::NotRun => "not run".to_owned(),
            CheckOutcome::Flaky => "flaky".to_owned(),
            CheckOutcome::Error => style.paint("31", "error"),
        };
        let _ = writeln!(out, "  {:<17} {word}: {}", evidence.label, clean(&evidence.summary));
    }
    out.push('\n');
}

fn diff(out: &mut String, style: Style, file: &FileDiff) {
    let _ = writeln!(out, "{}  +{} -{}", style.bold(&clean(&file.path)), file.added, file.removed);
    for hunk in &file.hunks {
        for line in &hunk.lines {
            let text: String = line.pieces.iter().map(|piece| clean(&piece.text)).collect();
            let line = match line.kind {
                LineKind::Same => format!("    {text}"),
                LineKind::Added => style.paint("32", &format!("  + {text}")),
                LineKind::Removed => style.paint("31", &format!("  - {text}")),
            };
            let _ = writeln!(out, "{line}");
        }
        out.push('\n');
    }
}

pub(super) fn applied(view: &AppliedView) -> String {
    format!("Written to {}. `conclave undo {}` takes it back.\n", view.files.join(", "), short(&view.finding))
}

pub(super) fn undone(view: &UndoneView) -> String {
    let with = match view.with.len() {
        0 => String::new(),
        1 => " With it went the fix of 1 other finding, which was part of the same change.".to_owned(),
        n => format!(" With it went the fixes of {n} other findings, which were part of the same change."),
    };
    format!("Taken back in {}: the bytes are as they were.{with}\n", view.files.join(", "))
}

pub(super) fn dismissed(view: &DecidedView) -> String {
    let ids: Vec<&str> = view.findings.iter().map(|id| short(id)).collect();
    format!("Dismissed: {}. `conclave reopen ID` opens one again.\n", ids.join(", "))
}

pub(super) fn reopened(view: &DecidedView) -> String {
    let ids: Vec<&str> = view.findings.iter().map(|id| short(id)).collect();
    format!("Open again: {}.\n", ids.join(", "))
}

pub(super) fn replayed(view: &ReplayView) -> String {
    let mut out = match view.same {
        true => format!("Run {}: the same conclusion, to the byte.\n", clean(&view.run)),
        false => {
            format!("Run {}: another conclusion than the stored one. Rely on neither; run it anew.\n", clean(&view.run))
        }
    };
    let _ = writeln!(out, "{}", ending(view.ending));
    if let Some(confidence) = &view.confidence {
        why(&mut out, confidence);
    }
    out
}

/// Every addend of a reading.
fn why(out: &mut String, confidence: &ConfidenceView) {
    let _ = writeln!(out, "Why {:.2}, in log-odds:", confidence.summary.p);
    for term in &confidence.terms {
        let _ = writeln!(out, "  {:+.2}  {}", term.value, clean(&term.label));
    }
}

pub(super) fn ledger(view: &LedgerView) -> String {
    match &view.fault {
        None => format!(
            "The ledger is whole: {} rows, last digest {}.\nKeep the digest elsewhere to notice a cut-off end.\n",
            view.rows, view.head
        ),
        Some(fault) => format!("The ledger was changed: {fault}\n"),
    }
}

pub(super) fn doctor(style: Style, view: &DoctorView) -> String {
    let mut out = String::new();
    for item in &view.items {
        let mark = match (item.ok, item.wrong) {
            (true, _) => style.paint("32", "ok     "),
            (false, false) => style.paint("33", "missing"),
            (false, true) => style.paint("31", "wrong  "),
        };
        let _ = writeln!(out, "{mark}  {:<12} {}", item.name, clean(&item.found));
        if let Some(hint) = &item.hint {
            let _ = writeln!(out, "                      {}", style.faint(hint));
        }
    }
    out
}
