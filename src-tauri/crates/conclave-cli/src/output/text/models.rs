//! Models, how they are, and what they cost, for people.

use std::fmt::Write as _;

use conclave_api::Severity;
use conclave_api::view::{
    BreakerView, DiscoveredList, HealthList, HealthState, KeySource, ModelClass, ModelHealth, ModelKind, ModelList,
    ModelRemoved, ModelRow, ModelSaved, ServerKind, SpendSum, SpendingView,
};

use super::{Style, clean};

/// How far details stand in from the left.
const INDENT: &str = "    ";

pub(in crate::output) fn models(style: Style, list: &ModelList) -> String {
    let mut out = String::new();
    let shown = list.models.iter().filter(|row| row.kind != ModelKind::McpSampling || row.enabled);
    for row in shown {
        let place = row.position.map_or_else(|| "  -".to_owned(), |place| format!("{place:>3}"));
        let model = if row.model.is_empty() { String::new() } else { format!("{} at ", clean(&row.model)) };
        let _ = writeln!(out, "{place} {:<24} {model}{}", style.bold(&clean(&row.name)), clean(&row.place));
        let _ = writeln!(out, "{INDENT}{}", style.faint(&facts(row)));
        for warning in &row.warnings {
            let _ = writeln!(out, "{INDENT}{}", style.paint("33", &clean(warning)));
        }
        if let Some(health) = row.health.as_ref().filter(|health| health.state != HealthState::Ok) {
            let _ = writeln!(out, "{INDENT}{}: {}", state(style, health.state).trim_end(), clean(&health.message));
        }
    }
    if out.is_empty() {
        out.push_str("No model is named in the settings.\n");
        let hint = "`conclave models discover` looks for servers on this machine; `conclave models add` names one";
        let _ = writeln!(out, "{}", style.faint(hint));
    }
    for notice in &list.notices {
        let _ = writeln!(out, "{}", style.paint("33", &clean(notice)));
    }
    if list.offline {
        out.push_str("Conclave is offline: no model is asked, on this machine neither.\n");
    }
    out
}

/// What is to be known of a model, in one line.
fn facts(row: &ModelRow) -> String {
    let mut facts = vec![match (row.enabled, row.trial) {
        (false, _) => "off".to_owned(),
        (true, true) => "only tried out".to_owned(),
        (true, false) => {
            let severities: Vec<String> = row.tiers.iter().map(|severity| severity.label().to_lowercase()).collect();
            match severities.len() {
                0 => "asked about nothing yet".to_owned(),
                all if all == Severity::ALL.len() => "asked about every finding".to_owned(),
                _ => format!("asked about findings that are {}", severities.join(", ")),
            }
        }
    }];
    facts.push(match (row.class, row.class_known) {
        (ModelClass::Local, _) => "runs on this machine".to_owned(),
        (ModelClass::Hosted, true) => "runs elsewhere".to_owned(),
        (ModelClass::Hosted, false) => "not known where it runs".to_owned(),
    });
    if row.class == ModelClass::Hosted && !row.may_send_code {
        facts.push("gets no code".to_owned());
    }
    match &row.key {
        KeySource::Keychain => facts.push("key in the keychain".to_owned()),
        KeySource::Environment { variable, set: true } => facts.push(format!("key from {}", clean(variable))),
        KeySource::Environment { variable, set: false } => {
            facts.push(format!("no key: {} is not set", clean(variable)));
        }
        KeySource::None => {}
    }
    match &row.price {
        Some(price) if price.input.micros() == 0 && price.output.micros() == 0 => facts.push("free".to_owned()),
        Some(price) => facts.push(format!("{} in, {} out for a million tokens", price.input, price.output)),
        None => facts.push("price unknown".to_owned()),
    }
    if row.calls > 0 {
        facts.push(format!("{}, {} so far", counted(row.calls, "call"), row.spent));
    }
    facts.join(" · ")
}

pub(in crate::output) fn models_health(style: Style, list: &HealthList) -> String {
    if list.models.is_empty() {
        return "No model is turned on in the settings.\n".to_owned();
    }
    list.models.iter().map(|health| model_health(style, health)).collect()
}

pub(in crate::output) fn model_health(style: Style, health: &ModelHealth) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} {:<24} {}", state(style, health.state), clean(&health.model), clean(&health.message));
    let mut facts = Vec::new();
    if let (Some(latest), Some(usual)) = (health.latest_ms, health.usual_ms) {
        facts.push(format!("{latest} ms, usually {usual} ms"));
    }
    if let Some(percent) = health.error_percent {
        facts.push(format!("{percent} % of its last calls failed"));
    }
    match health.breaker {
        BreakerView::Closed => {}
        BreakerView::Open => {
            facts.push(match health.rests_until.map(|until| until.saturating_sub(health.checked_at)) {
                Some(left) if left > 0 => format!("rests for {} s", left.div_euclid(1000) + 1),
                _ => "left alone for a while".to_owned(),
            })
        }
        BreakerView::HalfOpen => facts.push("the next call decides".to_owned()),
    }
    let can = [
        (health.can.schema, "holds to a schema", "holds to no schema"),
        (health.can.log_probabilities, "says how sure it is", "does not say how sure it is"),
    ];
    facts.extend(can.iter().filter_map(|(can, yes, no)| can.map(|can| if can { yes } else { no }.to_string())));
    facts.extend(health.can.context_tokens.map(|tokens| format!("context {tokens}")));
    if let Some(trial) = health.trial {
        facts.push(format!(
            "tried out: {} of {} answered, {} of {} said the same",
            trial.answered, trial.asked, trial.agreed, trial.compared
        ));
    }
    if !facts.is_empty() {
        let _ = writeln!(out, "         {}", style.faint(&facts.join(" · ")));
    }
    for warning in health.warnings.iter().filter(|warning| **warning != health.message) {
        let _ = writeln!(out, "         {}", style.paint("33", &clean(warning)));
    }
    out
}

fn state(style: Style, state: HealthState) -> String {
    match state {
        HealthState::Ok => style.paint("32", "ok      "),
        HealthState::Degraded => style.paint("33", "degraded"),
        HealthState::Down => style.paint("31", "down    "),
    }
}

pub(in crate::output) fn discovered(style: Style, list: &DiscoveredList) -> String {
    let mut out = String::new();
    for look in &list.looked_at {
        let _ = writeln!(out, "{:<28} {}", clean(&look.origin), clean(&look.found));
        let servers = list.servers.iter().filter(|server| server.origin == look.origin);
        for server in servers {
            if server.wants_key {
                let _ = writeln!(out, "{INDENT}{}", style.faint("it says more to whoever has its key"));
            }
            for model in &server.models {
                let place = match model.class {
                    ModelClass::Local => "runs on this machine",
                    ModelClass::Hosted => "not known to run on this machine",
                };
                let context = model.can.context_tokens.map(|tokens| format!(" · context {tokens}"));
                let known = model.setting.as_ref().map(|name| format!(" · {} in the settings", clean(name)));
                let facts = [place.to_owned(), context.unwrap_or_default(), known.unwrap_or_default()].concat();
                let _ = writeln!(out, "{INDENT}{:<32} {}", clean(&model.id), style.faint(&facts));
            }
            if let Some(model) = server.models.iter().find(|model| model.setting.is_none()) {
                let url = &server.base_url;
                let dialect = if server.kind == ServerKind::Ollama { " --dialect ollama" } else { "" };
                let hint = format!("conclave models add NAME --url {url} --model {}{dialect}", clean(&model.id));
                let _ = writeln!(out, "{INDENT}{}", style.faint(&hint));
            }
        }
    }
    if let Some(remedy) = &list.remedy {
        let _ = writeln!(out, "{}", style.faint(&clean(remedy)));
    }
    out
}

pub(in crate::output) fn model_saved(view: &ModelSaved) -> String {
    let name = clean(&view.model);
    format!("`{name}` is in the settings. `conclave models check` looks whether it can be asked.\n")
}

pub(in crate::output) fn model_removed(view: &ModelRemoved) -> String {
    let also: Vec<String> = view.also.iter().map(|setting| format!("`{setting}`")).collect();
    let also = if also.is_empty() { String::new() } else { format!(", and {} names it no more", also.join(" and ")) };
    format!(
        "`{}` is no longer in the settings{also}. Its key, if it had one, is still in the keychain.\n",
        clean(&view.model)
    )
}

pub(in crate::output) fn spending(style: Style, view: &SpendingView) -> String {
    let mut out = String::new();
    for (when, sum, limit) in
        [("Today", &view.today, view.budget.per_day), ("This month", &view.month, None), ("Ever", &view.total, None)]
    {
        let limit = limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        let _ = writeln!(out, "{when:<12} {}{limit}   {}", sum.spent, style.faint(&calls(sum)));
    }
    if let Some(finding) = &view.finding {
        let name: String = finding.finding.chars().take(8).collect();
        let _ = writeln!(out, "{:<12} {}   {}", name, finding.total.spent, style.faint(&calls(&finding.total)));
        if let Some(run) = &finding.run {
            let _ = writeln!(out, "{:<12} {}   {}", "its last run", run.spent, style.faint(&calls(run)));
        }
        if let Some(manual) = finding.manual {
            let _ = writeln!(out, "{:<12} {manual}", "by hand");
        }
    }
    for (title, list) in [("By model", &view.models), ("By project", &view.projects)] {
        if !list.is_empty() {
            let _ = writeln!(out, "\n{}", style.bold(title));
        }
        for one in list {
            let _ = writeln!(out, "  {:<24} {}   {}", clean(&one.name), one.sum.spent, style.faint(&calls(&one.sum)));
        }
    }
    let budget = &view.budget;
    let limits = [
        ("a call", budget.per_call),
        ("a run", budget.per_run),
        ("a finding", budget.per_finding),
        ("a day", budget.per_day),
        ("a project", budget.per_project),
    ];
    let limits: Vec<String> =
        limits.iter().filter_map(|(what, limit)| limit.map(|limit| format!("{limit} for {what}"))).collect();
    let limits = if limits.is_empty() { "none is set".to_owned() } else { limits.join(", ") };
    let _ = writeln!(out, "\n{:<12} {limits}", "Limits");
    let tiers = view.tiers.iter().filter_map(|tier| Some((tier.severity.label().to_lowercase(), tier.most?)));
    let tiers: Vec<String> = tiers.map(|(severity, most)| format!("{severity} {most}")).collect();
    if !tiers.is_empty() {
        let _ = writeln!(out, "{:<12} {}", "For one run", tiers.join(", "));
    }
    let fixed = view.comparison.critical + view.comparison.high + view.comparison.medium;
    if let (Some(manual), true) = (view.comparison.manual, fixed > 0) {
        let least = if view.total.unknown > 0 { "at least " } else { "" };
        let fixed = counted(fixed.into(), "finding");
        let words = format!("{fixed} fixed; by hand {manual}, models {least}{}", view.comparison.spent);
        let _ = writeln!(out, "{:<12} {words}", "Compared");
    }
    out
}

/// How many calls a sum is of, and what is not certain about it.
fn calls(sum: &SpendSum) -> String {
    let mut facts = vec![counted(sum.calls, "call")];
    if sum.reserved.micros() > 0 {
        facts.push(format!("{} set aside", sum.reserved));
    }
    if sum.unknown > 0 {
        facts.push(format!("{} of unknown cost", sum.unknown));
    }
    if sum.assumed.micros() > 0 {
        facts.push(format!("{} assumed", sum.assumed));
    }
    facts.join(", ")
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
