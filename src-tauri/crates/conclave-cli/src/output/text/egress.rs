//! What leaves and what must not, in text: the egress ledger, requests that wait, keys, previews.

use std::fmt::Write as _;

use conclave_api::view::{
    AskAnswer, AskAnswered, AskList, AskView, EgressRow, EgressToday, KeyErased, KeyList, KeySaved, KeySource,
    ModelClass, PreviewView, ReviewView,
};

use super::policy::{effect, layer};
use super::{Style, clean, moment, plural};

pub(in crate::output) fn egress(style: Style, rows: &[EgressRow], today: EgressToday) -> String {
    let mut out = String::new();
    for row in rows {
        let _ = writeln!(
            out,
            "{:>6}  {}  {} {}  {}",
            row.seq,
            style.faint(&moment(row.at)),
            effect(style, row.decision),
            clean(&row.host),
            style.faint(&clean(&row.actor))
        );
        let _ = writeln!(out, "        {}", style.faint(&facts(row)));
        let _ = writeln!(out, "        {}: {}", clean(&row.rule), clean(&row.reason));
        if let Some(review) = &row.review {
            let _ = writeln!(out, "        {}", reviewed(review));
        }
        if let Some(outcome) = &row.outcome {
            let _ = writeln!(out, "        {}", style.faint(&clean(outcome)));
        }
    }
    if rows.is_empty() {
        out.push_str("Nothing matches: no request to a host, or none that the words name.\n");
    }
    let _ = writeln!(
        out,
        "Last 24 hours: {} out in {}, {} denied.",
        bytes(today.bytes),
        plural(today.requests as usize, "request", "requests"),
        today.denied
    );
    out
}

fn facts(row: &EgressRow) -> String {
    let mut facts = vec![clean(&row.purpose)];
    facts.extend(row.model.as_deref().map(clean));
    facts.extend(row.bytes.map(bytes));
    facts.extend(row.redactions.filter(|n| *n > 0).map(|n| format!("{n} redacted")));
    facts.extend(row.digest.as_deref().map(|digest| digest.get(..12).unwrap_or(digest).to_owned()));
    facts.retain(|fact| !fact.is_empty());
    facts.join(", ")
}

fn reviewed(review: &ReviewView) -> String {
    match review {
        ReviewView::Person { justification, .. } if justification.is_empty() => "You answered.".to_owned(),
        ReviewView::Person { justification, .. } => format!("You answered: {}", clean(justification)),
        ReviewView::Model { provider, model, confidence, risk_factors, .. } => {
            let risks = risk_factors.iter().map(|risk| clean(risk)).collect::<Vec<_>>().join("; ");
            let risks = if risks.is_empty() { "no risk named".to_owned() } else { risks };
            format!("Reviewed by {} ({}), confidence {confidence:.2}: {risks}", clean(provider), clean(model))
        }
    }
}

/// A number of bytes for people.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1000 => format!("{n} B"),
        // A display figure: what rounding loses is below its last digit.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        1000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

pub(in crate::output) fn asks(style: Style, list: &AskList) -> String {
    let mut out = String::new();
    for ask in &list.asks {
        out.push_str(&self::ask(style, ask));
        let _ =
            writeln!(out, "  {}\n", style.faint(&format!("denied at {} without an answer", moment(ask.expires_at))));
    }
    out.push_str(match list.asks.as_slice() {
        [] if list.attended => "Nothing waits for you.\n",
        [] => {
            "Nothing waits for you, and nobody would be asked: what needs your word is denied at once.\n\
             Open the window, or run `conclave asks watch` in a terminal.\n"
        }
        _ => "Answer with `conclave asks allow ID` or `conclave asks deny ID`.\n",
    });
    out
}

/// One request whole: nothing of what an answer is good for is left out or shown otherwise than it is.
pub(in crate::output) fn ask(style: Style, ask: &AskView) -> String {
    let mut out = String::new();
    let head = format!("{} wants {} on {}", clean(&ask.actor), ask.action, clean(&ask.resource));
    let _ = writeln!(out, "{}  {}", style.bold(&clean(&ask.id)), head);
    for path in &ask.paths {
        let verb = if path.written { "writes" } else { "reads" };
        let real = path.real.as_deref().map_or_else(|| "a place that cannot be found out".to_owned(), clean);
        let _ = writeln!(out, "  {verb} {real}");
    }
    let place = ask.layer.map_or("", layer);
    let _ = writeln!(out, "  rule {} ({place}): {}", clean(&ask.rule), clean(&ask.reason));
    if let Some(guidance) = &ask.guidance {
        let _ = writeln!(out, "  look at: {}", clean(guidance));
    }
    let _ = writeln!(out, "  exactly:");
    for line in ask.request.lines() {
        let _ = writeln!(out, "    {}", clean(line));
    }
    out
}

pub(in crate::output) fn answered(answer: AskAnswer, view: &AskAnswered) -> String {
    let word = match answer {
        AskAnswer::AllowOnce => "It may happen, once.",
        AskAnswer::DenyOnce => "It does not happen.",
        AskAnswer::Always => "It may happen, and so may what its pattern covers from now on.",
    };
    let rule =
        view.rule.as_deref().map_or_else(String::new, |rule| format!(" Rule {} is in your policy.", clean(rule)));
    format!("{word}{rule}\n")
}

pub(in crate::output) fn keys(style: Style, list: &KeyList) -> String {
    let mut out = String::new();
    let mark = if list.keychain.ok { style.paint("32", "ok     ") } else { style.paint("33", "missing") };
    let _ = writeln!(out, "{mark}  Keychain     {}", clean(&list.keychain.found));
    if let Some(remedy) = &list.keychain.remedy {
        let _ = writeln!(out, "                      {}", style.faint(&clean(remedy)));
    }
    for host in &list.hosts {
        let source = match &host.source {
            KeySource::Keychain => match host.set_at {
                Some(at) => format!("key in the keychain since {}", moment(at)),
                None => "key in the keychain".to_owned(),
            },
            KeySource::Environment { variable, set: true } => format!("key from {}", clean(variable)),
            KeySource::Environment { variable, set: false } => format!("no key: {} is not set", clean(variable)),
            KeySource::None => "no key".to_owned(),
        };
        let _ = writeln!(out, "{:<32} {source}", clean(&host.host));
        if !host.models.is_empty() {
            let models = host.models.iter().map(|model| clean(model)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "  {}", style.faint(&models));
        }
    }
    if list.hosts.is_empty() {
        out.push_str("No host has a key, and no model in the settings needs one.\n");
    }
    out
}

pub(in crate::output) fn key_saved(view: &KeySaved) -> String {
    format!("The key for {} is in the keychain. It is sent to that host only.\n", clean(&view.host))
}

pub(in crate::output) fn key_erased(view: &KeyErased) -> String {
    match view.had_key {
        true => format!("The key for {} is gone from the keychain.\n", clean(&view.host)),
        false => format!("There was no key for {}.\n", clean(&view.host)),
    }
}

pub(in crate::output) fn preview(style: Style, view: &PreviewView) -> String {
    let mut out = String::new();
    for request in &view.requests {
        let class = match request.class {
            ModelClass::Local => "on this machine",
            ModelClass::Hosted => "not known to run on this machine",
        };
        let name = style.bold(&clean(&request.name));
        let _ = writeln!(out, "{name}  {} {}, {class}", clean(&request.model), clean(&request.endpoint));
        let decision = effect(style, request.decision);
        let _ = writeln!(out, "{decision} {}: {}", clean(&request.rule), clean(&request.reason));
        if let Some(remedy) = &request.remedy {
            let _ = writeln!(out, "       {}", clean(remedy));
        }
        let redacted = request.redactions.iter().map(|r| format!("{} {}", r.count, clean(&r.label)));
        let redacted = redacted.collect::<Vec<_>>().join(", ");
        let redacted =
            if redacted.is_empty() { "no secret found in it".to_owned() } else { format!("{redacted} taken out") };
        let _ = writeln!(
            out,
            "{}; exactly this:\n\n{}\n",
            style.faint(&format!("{}, {redacted}", bytes(request.bytes))),
            body(&request.body)
        );
    }
    if let Some(note) = &view.note {
        let _ = writeln!(out, "{}", clean(note));
    }
    if !view.requests.is_empty() {
        out.push_str("Nothing was sent.\n");
    }
    out
}

/// The body line by line, so that nothing in it speaks to the terminal.
pub(super) fn body(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}
