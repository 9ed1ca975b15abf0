//! Comparisons, for people.

use std::fmt::Write as _;

use conclave_api::Preference;
use conclave_api::view::{
    ArmView, ComparisonList, ComparisonPlan, ComparisonReport, ConfigurationView, FileDiff, FixComparisonView,
    NextPair, PairRevealed, PlannedArm, RevealedSide,
};

use super::plan::cost;
use super::{Style, clean, diff, moment, plural};

pub(in crate::output) fn comparison_plan(style: Style, view: &ComparisonPlan) -> String {
    let mut out = String::new();
    let findings = plural(view.findings as usize, "finding", "findings");
    let _ = writeln!(out, "{}, each run by both.\n", style.bold(&findings));
    for PlannedArm { configuration, cost: planned } in [&view.a, &view.b] {
        let _ = writeln!(out, "  {:<14} {}", clean(&configuration.name), described(configuration));
        let _ = writeln!(out, "  {:<14} {}", "", style.faint(&cost(planned)));
    }
    for one in &view.deferred {
        let _ = writeln!(out, "\n  left out: {}: {}", clean(&one.finding.title), clean(&one.why));
    }
    out.push_str("\nNothing was sent. The same with `--yes` begins it.\n");
    out
}

fn described(configuration: &ConfigurationView) -> String {
    let models: Vec<String> = configuration.models.iter().map(|name| clean(name)).collect();
    match models.is_empty() {
        true => configuration.label.clone(),
        false => format!("{}; only {}", configuration.label, models.join(", ")),
    }
}

pub(in crate::output) fn comparison(view: &FixComparisonView) -> String {
    let of = view.client.as_deref().map(|client| format!(" --client {}", clean(client))).unwrap_or_default();
    let next = match (view.pending, view.waiting) {
        (0, 0) => format!("Nothing waits for a choice; `conclave compare report {}{of}` says what came out.", view.id),
        (0, n) => format!(
            "{} for your choice: `conclave compare next {}{of}`.",
            if n == 1 { "1 pair waits".to_owned() } else { format!("{n} pairs wait") },
            view.id
        ),
        (n, _) => {
            format!("{n} of {} are not run yet; `conclave compare resume {}{of}` goes on.", view.findings, view.id)
        }
    };
    format!("Comparison {}: {}. {next}\n", view.id, line(view))
}

fn line(view: &FixComparisonView) -> String {
    let findings = plural(view.findings as usize, "finding", "findings");
    format!("{} and {} on {findings}", clean(&view.a.name), clean(&view.b.name))
}

pub(in crate::output) fn comparisons(style: Style, view: &ComparisonList) -> String {
    if view.items.is_empty() {
        return "There is no comparison yet; `conclave compare new single panel` says what one would take.\n"
            .to_owned();
    }
    let mut out = String::new();
    for one in &view.items {
        let _ = writeln!(
            out,
            "{:>4}  {}  {}",
            one.id,
            line(one),
            style.faint(&format!("{}, {} not run, {} to choose", moment(one.at), one.pending, one.waiting))
        );
    }
    out
}

pub(in crate::output) fn next_pair(style: Style, view: &NextPair) -> String {
    let Some(pair) = &view.pair else { return "Nothing waits for a choice.\n".to_owned() };
    let mut out = String::new();
    let place = match (&pair.path, pair.line) {
        (Some(path), Some(line)) => format!("{}:{line}", clean(path)),
        (path, _) => path.as_deref().map(clean).unwrap_or_default(),
    };
    let _ = writeln!(out, "{} {}", style.severity(pair.severity), style.bold(&clean(&pair.title)));
    let _ = writeln!(out, "{}", style.faint(&format!("{place}  {} {}", clean(&pair.tool), clean(&pair.rule))));
    let _ = writeln!(out, "{}\n", clean(&pair.message));
    for (name, side) in [("Left", &pair.left), ("Right", &pair.right)] {
        let _ = writeln!(out, "{}", style.bold(name));
        side_of(&mut out, style, side.as_deref());
    }
    let _ = writeln!(
        out,
        "Pair {}, {} left. `conclave compare choose {} left|right|both|neither`",
        pair.id, pair.waiting, pair.id
    );
    out
}

fn side_of(out: &mut String, style: Style, side: Option<&[FileDiff]>) {
    match side {
        None => out.push_str("  no fix\n\n"),
        Some(files) => files.iter().for_each(|file| diff(out, style, file)),
    }
}

pub(in crate::output) fn pair_revealed(style: Style, view: &PairRevealed) -> String {
    let chosen = match view.preference {
        Preference::Left => "the left one",
        Preference::Right => "the right one",
        Preference::Both => "both alike",
        Preference::Neither => "none of them",
    };
    let mut out = format!("Kept: you chose {chosen}.\n\n");
    for (name, side) in [("Left", &view.left), ("Right", &view.right)] {
        let _ = writeln!(out, "  {name:<6} {}", style.bold(&clean(&side.configuration)));
        revealed(&mut out, side);
    }
    out
}

fn revealed(out: &mut String, side: &RevealedSide) {
    let origin = side.origin.as_deref().map_or_else(|| "no fix".to_owned(), clean);
    let _ = writeln!(out, "         {origin}");
    if let Some(confidence) = &side.confidence {
        let votes = if side.by_votes { ", chosen by votes and not by evidence" } else { "" };
        let _ = writeln!(out, "         confidence {:.2}, {}{votes}", confidence.p, confidence.word);
    }
    let _ = writeln!(out, "         {}", spent(side.calls, side.cost, side.unknown));
}

fn spent(calls: u32, cost: conclave_api::Money, unknown: u32) -> String {
    let calls = plural(calls as usize, "question", "questions");
    match unknown {
        0 => format!("{calls}, {cost}"),
        n => format!("{calls}, {cost} and the cost of {n} that is not known"),
    }
}

pub(in crate::output) fn comparison_report(style: Style, view: &ComparisonReport) -> String {
    let (a, b) = (clean(&view.a.configuration.name), clean(&view.b.configuration.name));
    let mut out = String::new();
    let _ = writeln!(out, "{}", style.bold(&format!("Comparison {}: {a} and {b}", view.comparison.id)));
    let _ = writeln!(out, "{}\n", style.faint(&format!("{}, settings {:.16}", moment(view.at), view.settings)));
    let preferred = match &view.preference {
        None => "no choice between the two yet".to_owned(),
        Some(share) => {
            format!("{a} in {:.2} ({:.2} to {:.2}), n {}; {}", share.p, share.low, share.high, share.n, view.interval)
        }
    };
    let _ = writeln!(out, "{:<14} {preferred}", "Preferred");
    let _ = writeln!(
        out,
        "{:<14} {a} {}, {b} {}, both alike {}, neither {}",
        "Choices", view.chose_a, view.chose_b, view.chose_both, view.chose_neither
    );
    let _ = writeln!(
        out,
        "{:<14} {} in all: the same fix from both {}, a fix from none {}, broke off {}, not settled {}",
        "Findings", view.findings, view.same, view.no_fix, view.failed, view.open
    );
    for arm in [&view.a, &view.b] {
        reached(&mut out, style, arm);
    }
    out
}

fn reached(out: &mut String, style: Style, arm: &ArmView) {
    let _ = writeln!(out, "\n{}  {}", style.bold(&clean(&arm.configuration.name)), described(&arm.configuration));
    if arm.configuration.by_votes {
        let _ = writeln!(out, "  {}", style.faint("chosen by votes; each confidence is still that of the evidence"));
    }
    let _ = writeln!(out, "  {:<20} {} of {}", "Fixes", arm.fixes, arm.n);
    for rung in arm.rungs.iter().filter(|rung| rung.passed + rung.failed > 0) {
        let _ = writeln!(
            out,
            "  {:<20} passed {}, failed {}, not run {}",
            rung.label, rung.passed, rung.failed, rung.not_run
        );
    }
    let _ = writeln!(out, "  {:<20} {}", "Cost", spent(arm.calls, arm.cost, arm.unknown));
    let seconds =
        |ms: Option<u64>| ms.map_or_else(|| "not known".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1000.0));
    let _ = writeln!(
        out,
        "  {:<20} answers {}, checks {} in the middle, n {}",
        "Time",
        seconds(arm.analysis_ms),
        seconds(arm.verification_ms),
        arm.n
    );
}
