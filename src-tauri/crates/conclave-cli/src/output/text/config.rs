//! What a configuration makes of the settings.

use std::fmt::Write as _;

use conclave_api::view::{ConfigChange, ConfigCheck, ConfigImported, ConfigRemark};

use super::{Style, clean, plural};

pub(in crate::output) fn config_check(style: Style, view: &ConfigCheck, importing: bool) -> String {
    let mut out = String::new();
    if !view.faults.is_empty() {
        let _ = writeln!(out, "{}", style.bold("Not a configuration that can be used"));
        view.faults.iter().for_each(|fault| remark(&mut out, style, fault));
        return out;
    }
    let path = clean(view.path.as_deref().unwrap_or_default());
    if view.changes.is_empty() {
        let _ = writeln!(out, "{path} says all of it already.");
    } else {
        let _ = writeln!(out, "{} in {path}:", style.bold("It would set"));
        changes(&mut out, style, &view.changes);
    }
    view.notes.iter().for_each(|note| remark(&mut out, style, note));
    match (importing, view.changes.is_empty()) {
        (_, true) => {}
        (true, false) => out.push_str("Nothing was written. The same with `--yes` writes it.\n"),
        (false, false) => out.push_str("Nothing was written; `conclave config import FILE --yes` writes it.\n"),
    }
    out
}

pub(in crate::output) fn config_imported(style: Style, view: &ConfigImported) -> String {
    let path = clean(&view.path);
    let mut out = String::new();
    if view.changes.is_empty() {
        let _ = writeln!(out, "{path} says all of it already. Nothing was written.");
    } else {
        let _ = writeln!(out, "{} set in {path}:", plural(view.changes.len(), "setting", "settings"));
        changes(&mut out, style, &view.changes);
    }
    view.notes.iter().for_each(|note| remark(&mut out, style, note));
    if let Some(backup) = &view.backup {
        let _ = writeln!(out, "The settings from before are in {}.", clean(backup));
    }
    out
}

fn changes(out: &mut String, style: Style, changes: &[ConfigChange]) {
    for change in changes {
        let _ = writeln!(out, "  {} = {}", clean(&change.setting), clean(&change.after));
        if let Some(before) = &change.before {
            let _ = writeln!(out, "    {}", style.faint(&format!("was {}", clean(before))));
        }
    }
}

fn remark(out: &mut String, style: Style, remark: &ConfigRemark) {
    let place = remark.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let word = if remark.loud { style.paint("33", "warning: ") } else { String::new() };
    let _ = writeln!(out, "  {word}{place}{}", clean(&remark.text));
}
