//! How much effort findings get, as text.

use std::fmt::Write as _;

use conclave_api::Mode;
use conclave_api::view::{TierList, TierRow, TierView};

use super::{Style, clean, plural};

pub(in crate::output) fn tiers(style: Style, view: &TierList) -> String {
    let mut out = String::new();
    let place = view.root.as_deref().map_or_else(|| "Everywhere".to_owned(), clean);
    let _ = writeln!(out, "{}", style.bold(&place));
    for row in &view.tiers {
        tier(&mut out, style, row, view.root.is_some());
    }
    let others: Vec<String> =
        view.projects.iter().filter(|root| Some(*root) != view.root.as_ref()).map(|r| clean(r)).collect();
    if !others.is_empty() {
        let _ = writeln!(out, "\nOtherwise in {}", others.join(", "));
    }
    out
}

fn tier(out: &mut String, style: Style, row: &TierRow, in_project: bool) {
    let TierRow { severity, tier, own, inherited } = row;
    let from = match (own, in_project) {
        (true, true) => "set for this project",
        (true, false) => "set by you",
        (false, true) => "as everywhere",
        (false, false) => "as shipped",
    };
    let severity = style.severity(*severity);
    let _ = writeln!(out, "{severity}  {}  {}", effort(tier), style.faint(from));
    let _ = writeln!(out, "          {}", seats(tier));
    if *own && tier != inherited {
        let whose = if in_project { "everywhere" } else { "as shipped" };
        let was = format!("{whose}: {}; {}", effort(inherited), seats(inherited));
        let _ = writeln!(out, "          {}", style.faint(&was));
    }
}

/// Time, money, and how seats are asked.
fn effort(tier: &TierView) -> String {
    let cap = tier.cap.map_or_else(|| "no limit of its own".to_owned(), |cap| format!("at most {cap}"));
    let mode = match tier.mode {
        Mode::Panel => "",
        Mode::Samples => ", one model for all seats",
        Mode::Staged => ", three first",
        Mode::Chain => ", one after another",
    };
    let demand = if tier.on_demand { ", only when you ask" } else { "" };
    format!("{} s, {cap}{mode}{demand}", tier.analysis_s)
}

fn seats(tier: &TierView) -> String {
    if tier.seats.is_empty() {
        return "no model is asked".to_owned();
    }
    let names: Vec<String> = tier.seats.iter().map(|role| role.label().to_lowercase()).collect();
    format!("{}: {}", plural(names.len(), "seat", "seats"), names.join(", "))
}
