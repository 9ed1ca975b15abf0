//! What became of fixes and what was learned, for people.

use std::fmt::Write as _;

use conclave_api::Thumb;
use conclave_api::view::{ApprovalView, InsightsView, LearningReset, RatingView, ShareView, TrainingExported};

use super::{Style, clean, plural};

/// Lists are cut after so many lines.
const MOST: usize = 12;

pub(in crate::output) fn rated(view: &RatingView) -> String {
    let thumb = match view.thumb {
        Thumb::Up => "good",
        Thumb::Down => "not good",
    };
    let reasons: Vec<String> = view.reasons.iter().map(|reason| reason.label().to_lowercase()).collect();
    let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    format!("Fix `{}` is {thumb}{why}. It is kept.\n", clean(&view.fix))
}

pub(in crate::output) fn learning_reset(view: &LearningReset) -> String {
    match view.rows {
        0 => "There was nothing to forget.\n".to_owned(),
        1 => "Forgotten: 1 row. Every reading begins at its start value again.\n".to_owned(),
        rows => format!("Forgotten: {rows} rows. Every reading begins at its start value again.\n"),
    }
}

pub(in crate::output) fn training_exported(view: &TrainingExported) -> String {
    let mut out = match view.rows {
        0 => "Nothing was written: there is no accepted fix that may be in it.\n".to_owned(),
        rows => format!("Wrote {} to {}.\n", plural(count(rows), "fix", "fixes"), clean(&view.path)),
    };
    if view.redactions > 0 {
        let _ = writeln!(out, "{} taken out.", plural(count(view.redactions), "secret was", "secrets were"));
    }
    for left_out in &view.left_out {
        let _ = writeln!(out, "Left out: {} {}.", plural(count(left_out.rows), "fix", "fixes"), clean(&left_out.why));
    }
    out
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

pub(in crate::output) fn insights(style: Style, view: &InsightsView) -> String {
    let mut out = String::new();
    for words in [&view.fault, &view.refused].into_iter().flatten() {
        let _ = writeln!(out, "{}\n", clean(words));
    }
    let whose = view.client.as_deref().map(|client| format!(" of {}", clean(client))).unwrap_or_default();
    let _ = writeln!(
        out,
        "{:<14} {}{whose}, of {} it is known whether they were right",
        "Fixes", view.fixes, view.labelled
    );
    let _ = writeln!(out, "{:<14} {}", "Approved", taken(&view.approval));
    let calibration = view.calibration.as_ref();
    let calibration = calibration.map(|c| format!("Brier {:.3}, calibration error {:.3}, n {}", c.brier, c.ece, c.n));
    let _ = writeln!(out, "{:<14} {}", "Sureness", calibration.unwrap_or_else(|| "no outcomes yet".to_owned()));
    let time = view.time_to_fix.as_ref().map(|time| format!("{} in the middle, n {}", span(time.median_ms), time.n));
    let _ = writeln!(out, "{:<14} {}", "Time to fix", time.unwrap_or_else(|| "no fix yet".to_owned()));
    let cost = &view.cost;
    let accepted: u32 = cost.accepted.iter().map(|one| one.n).sum();
    let each = cost.per_fix.map(|each| format!(", {each} for each of {accepted}")).unwrap_or_default();
    let _ = writeln!(out, "{:<14} {}{each}; by hand {}", "Models cost", cost.spent, cost.by_hand);
    let _ = writeln!(out, "{:<14} {}", "Edge cases", view.edge_cases);
    for (title, list) in [("By rule", &view.rules), ("By author", &view.authors)] {
        if !list.is_empty() {
            let _ = writeln!(out, "\n{}", style.bold(title));
        }
        for one in list.iter().take(MOST) {
            let _ = writeln!(out, "  {:<32} {}", clean(&one.name), taken(one));
        }
        more(&mut out, style, list.len());
    }
    if !view.reliability.is_empty() {
        let _ = writeln!(out, "\n{}", style.bold("Said and was"));
    }
    for bin in &view.reliability {
        let _ = writeln!(out, "  said {:.2}  was {}  n {}", bin.said, share(&bin.was), bin.n);
    }
    if !view.learned.is_empty() {
        let _ = writeln!(out, "\n{}", style.bold("Learned"));
    }
    for one in view.learned.iter().take(MOST) {
        let (author, start) = (clean(&one.author), style.faint(&format!("began at {:.2}", one.start)));
        let was = format!("right {} of {}, said {:.2}", one.right, one.n, one.said);
        let _ = writeln!(out, "  {author:<32} {:<24} {was}   next {:.2}  {start}", one.label, one.mean);
    }
    more(&mut out, style, view.learned.len());
    if !view.patterns.is_empty() {
        let _ = writeln!(out, "\n{}", style.bold("Patterns that were used"));
    }
    for one in view.patterns.iter().take(MOST) {
        let success = one.success.map_or("not known yet".to_owned(), |share| format!("right {share:.2}"));
        let by: Vec<String> = one.consensus.iter().map(|name| clean(name)).collect();
        let _ = writeln!(
            out,
            "  {:<10} {}  used {}, {success}   {}",
            clean(&one.weakness),
            one.signature,
            one.used,
            style.faint(&by.join(", "))
        );
    }
    more(&mut out, style, view.patterns.len());
    out
}

fn more(out: &mut String, style: Style, count: usize) {
    if let Some(rest) = count.checked_sub(MOST).filter(|rest| *rest > 0) {
        let _ = writeln!(out, "  {}", style.faint(&format!("and {rest} more")));
    }
}

fn taken(one: &ApprovalView) -> String {
    let n = one.accepted + one.rejected;
    match &one.share {
        Some(found) => format!("{} of {n}, {}", one.accepted, share(found)),
        None => "no decision yet".to_owned(),
    }
}

/// A share with its interval, in hundredths.
fn share(found: &ShareView) -> String {
    format!("{:.2} ({:.2} to {:.2})", found.p, found.low, found.high)
}

/// A time in its largest unit.
fn span(ms: i64) -> String {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match ms {
        ms if ms >= 2 * DAY => format!("{} days", ms / DAY),
        ms if ms >= 2 * HOUR => format!("{} hours", ms / HOUR),
        ms if ms >= 2 * MINUTE => format!("{} minutes", ms / MINUTE),
        ms => format!("{} seconds", ms / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_largest_unit() {
        for (ms, expect) in [
            (900, "0 seconds"),
            (90_000, "90 seconds"),
            (600_000, "10 minutes"),
            (8_000_000, "2 hours"),
            (900_000_000, "10 days"),
        ] {
            assert_eq!(span(ms), expect);
        }
    }
}
