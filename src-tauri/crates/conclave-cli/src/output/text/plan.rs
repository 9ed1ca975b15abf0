//! What runs would take, for people.

use std::fmt::Write as _;

use conclave_api::view::{DeferredRun, FindingRow, MoneyRange, PlanView, PlannedCost, PlannedRun, PlannedSeat};

use super::{Style, clean, place, plural, short};

pub(in crate::output) fn plan(style: Style, view: &PlanView) -> String {
    let mut out = String::new();
    for run in &view.chosen {
        chosen(&mut out, style, run);
    }
    if !view.deferred.is_empty() {
        let _ = writeln!(out, "{}", style.bold("Left for later"));
        for DeferredRun { finding, why } in &view.deferred {
            head(&mut out, style, finding);
            let _ = writeln!(out, "          {}", clean(why));
        }
        out.push('\n');
    }
    let total = plural(view.chosen.len(), "finding", "findings");
    let _ = writeln!(out, "{} to run, {} left for later.", style.bold(&total), view.deferred.len());
    if !view.chosen.is_empty() {
        let _ = writeln!(out, "{}; {}.", cost(&view.cost), time(view.analysis_s));
    }
    out.push_str("Nothing was sent.\n");
    out
}

fn head(out: &mut String, style: Style, row: &FindingRow) {
    let id = style.faint(short(&row.id));
    let _ = writeln!(out, "{id}  {} {}", style.severity(row.severity), clean(&row.title));
    let facts = format!("{}  {} {}", place(row), clean(&row.tool), clean(&row.rule));
    let _ = writeln!(out, "          {}", style.faint(&facts));
}

fn chosen(out: &mut String, style: Style, run: &PlannedRun) {
    head(out, style, &run.finding);
    let _ = writeln!(out, "          {} of {} taken", run.filled, plural(run.seats.len(), "seat", "seats"));
    for seat in &run.seats {
        let _ = writeln!(out, "            {:<20} {}", seat.label, taken(style, seat));
    }
    let unpaid = run.unpaid.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "          at no cost: {unpaid}");
    // A limit says nothing of what has no known price.
    let cap = run.cap.filter(|_| run.cost.unknown == 0).map(|cap| format!(", never over {cap}")).unwrap_or_default();
    let _ = writeln!(out, "          {}{cap}; {}\n", cost(&run.cost), time(run.analysis_s));
}

fn taken(style: Style, seat: &PlannedSeat) -> String {
    let Some(model) = &seat.model else {
        return style.faint(&format!("nobody: {}", clean(seat.fill.as_deref().unwrap_or_default())));
    };
    let cost = seat.cost.as_ref().map_or_else(|| "cost not known".to_owned(), range);
    let waits = if seat.waits { ", only if the first do not settle it" } else { "" };
    format!("{}  {}", clean(model), style.faint(&format!("{cost}{waits}")))
}

fn range(range: &MoneyRange) -> String {
    match range.low == range.high {
        true => range.high.to_string(),
        false => format!("{} to {}", range.low, range.high),
    }
}

/// What is known of a cost, and that it is not all where that is so.
pub(super) fn cost(cost: &PlannedCost) -> String {
    match cost.unknown {
        0 => range(&cost.known),
        n => {
            format!("{} and the cost of {} that is not known", range(&cost.known), plural(n as usize, "seat", "seats"))
        }
    }
}

fn time(seconds: u64) -> String {
    match seconds {
        0 => "no time for models".to_owned(),
        n if n < 120 => format!("answers within {n} s, then the checks"),
        n => format!("answers within {} min, then the checks", n.div_ceil(60)),
    }
}
