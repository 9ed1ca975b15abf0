//! The policy in text: files, rules, what they say of a request.

use std::fmt::Write as _;

use conclave_api::view::{
    Effect, ExplanationView, PolicyCheck, PolicyFileState, PolicyFileView, PolicyView, RuleLayer, SimulationView,
    StepOutcome,
};

use super::{Style, clean, moment, plural};

/// `allow`, `sample` or `deny`, in a column of its own.
pub(in crate::output) fn effect(style: Style, effect: Effect) -> String {
    let (code, word) = match effect {
        Effect::Allow => ("32", "allow"),
        Effect::Sample => ("33", "sample"),
        Effect::Deny => ("31", "deny"),
    };
    style.paint(code, &format!("{word:<6}"))
}

pub(in crate::output) fn layer(layer: RuleLayer) -> &'static str {
    match layer {
        RuleLayer::Floor => "floor",
        RuleLayer::Admin => "admin",
        RuleLayer::User => "user",
        RuleLayer::Project => "project",
    }
}

pub(in crate::output) fn check(style: Style, view: &PolicyCheck) -> String {
    let mut out = String::new();
    match &view.fault {
        Some(fault) => {
            let _ = writeln!(out, "{}: {}", style.bold("Not a policy"), clean(fault));
        }
        None => {
            let _ = writeln!(out, "{}, {} held.", counted(view.rules, "rule"), counted(view.examples, "example"));
        }
    }
    warnings(&mut out, &view.warnings);
    out
}

fn counted(n: u32, what: &str) -> String {
    plural(n as usize, what, &format!("{what}s"))
}

fn warnings(out: &mut String, warnings: &[String]) {
    for warning in warnings {
        let _ = writeln!(out, "  warning: {}", clean(warning));
    }
}

pub(in crate::output) fn test(style: Style, view: &PolicyView) -> String {
    let mut out = String::new();
    let (mut rules, mut examples) = (0, 0);
    for rule in &view.rules {
        (rules, examples) = (rules + 1, examples + rule.examples.len());
        let held = match rule.examples.len() {
            0 => style.faint("no example"),
            n => format!("{} held", plural(n, "example", "examples")),
        };
        let _ = writeln!(out, "{:<8} {:<32} {held}", layer(rule.layer), clean(&rule.id));
    }
    let _ = writeln!(out, "{}, {} held.", plural(rules, "rule", "rules"), plural(examples, "example", "examples"));
    for file in view.files.iter().filter(|file| file.fault.is_some()) {
        self::file(&mut out, style, file);
    }
    out
}

pub(in crate::output) fn files(style: Style, view: &PolicyView) -> String {
    let mut out = String::new();
    for file in &view.files {
        self::file(&mut out, style, file);
    }
    let rules = plural(view.rules.len(), "rule", "rules");
    let _ = writeln!(out, "{rules} in all. The strictest layer decides; no match is deny.");
    out
}

fn file(out: &mut String, style: Style, file: &PolicyFileView) {
    let path = file.path.as_deref().unwrap_or("built in");
    let _ = writeln!(out, "{:<8} {}", layer(file.layer), clean(path));
    let rules = match file.own_rules {
        own if own == file.rules => counted(own, "rule"),
        own => format!("{}, {own} of them in this file", counted(file.rules, "rule")),
    };
    let state = match (file.state, file.path.is_some()) {
        (PolicyFileState::BuiltIn, false) => format!("in force: {}", counted(file.rules, "rule")),
        (PolicyFileState::BuiltIn, true) => {
            format!("no such file, so the shipped rules are in force: {}", counted(file.rules, "rule"))
        }
        (PolicyFileState::Loaded, _) => format!("in force: {rules}"),
        (PolicyFileState::Refused, _) => {
            style.bold("not in force: everything in its scope is refused until it is corrected")
        }
        (PolicyFileState::Missing, _) => "no such file".to_owned(),
    };
    let _ = writeln!(out, "         {state}");
    if let Some(fault) = &file.fault {
        let fault = fault.strip_prefix(&format!("`{path}`: ")).unwrap_or(fault);
        let _ = writeln!(out, "         {}", clean(fault));
    }
    if let Some(digest) = &file.digest {
        let _ = writeln!(out, "         {}", style.faint(&format!("digest {digest}")));
    }
    for warning in &file.warnings {
        let _ = writeln!(out, "         warning: {}", clean(warning));
    }
}

pub(in crate::output) fn explanation(style: Style, view: &ExplanationView) -> String {
    let mut out = String::new();
    for step in &view.steps {
        let outcome = match step.outcome {
            StepOutcome::Match => "match",
            StepOutcome::NoMatch => "no match",
            StepOutcome::Error => "cannot be judged",
        };
        let line = format!("{:<8} {:<32} {outcome}", layer(step.layer), clean(&step.rule));
        let why = step.why.as_deref().map_or_else(String::new, |why| format!(": {}", clean(why)));
        let line = format!("{} {line}{why}", effect(style, step.action));
        let _ = writeln!(out, "{}", if step.outcome == StepOutcome::NoMatch { style.faint(&line) } else { line });
    }
    let place = view.layer.map_or_else(String::new, |at| format!(" ({})", layer(at)));
    let word = style.bold(effect(Style { coloured: false }, view.decision).trim_end());
    let _ = writeln!(out, "\n{word}: {}\nRule: {}{place}", clean(&view.reason), clean(&view.rule));
    if let Some(remedy) = &view.remedy {
        let _ = writeln!(out, "Next: {}", clean(remedy));
    }
    if let Some(note) = &view.note {
        let _ = writeln!(out, "Note: {}", clean(note));
    }
    out
}

pub(in crate::output) fn simulation(style: Style, view: &SimulationView) -> String {
    let mut out = String::new();
    if let Some(fault) = &view.fault {
        let _ = writeln!(out, "{}: {}", style.bold("Not a policy"), clean(fault));
        return out;
    }
    for change in &view.changed {
        let _ = writeln!(
            out,
            "{:>6}  {}  {} -> {}  {}  {}",
            change.seq,
            moment(change.at),
            effect(style, change.before),
            effect(style, change.after),
            clean(&change.who),
            clean(&change.what)
        );
        let _ = writeln!(
            out,
            "        {}",
            style.faint(&format!("{} -> {}", clean(&change.before_rule), clean(&change.after_rule)))
        );
    }
    let more = (view.changed_count as usize).saturating_sub(view.changed.len());
    if more > 0 {
        let _ = writeln!(out, "and {more} more");
    }
    let _ = writeln!(out, "{} judged again: {} otherwise.", counted(view.checked, "request"), view.changed_count);
    warnings(&mut out, &view.warnings);
    out
}
