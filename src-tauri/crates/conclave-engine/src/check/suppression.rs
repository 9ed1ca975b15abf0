//! Nothing is added that makes a scanner look away, or that makes a person read something else than the machine does.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    for (path, before, after) in subject.texts() {
        if let Some(marker) = conclave_fixers::adds_suppression(before.text().unwrap_or_default(), after) {
            let why = format!("it silences the scanner with `{marker}` in `{path}` instead of fixing");
            return Evidence::new(Check::Suppression, CheckOutcome::Fail, why);
        }
    }
    for file in &subject.candidate.patch.files {
        let before = subject.sources.file(&file.path).ok();
        let known = before.as_deref().and_then(|source| source.text()).unwrap_or_default();
        let new = |c: &char| is_hidden(*c) && !known.contains(*c);
        if let Some(c) = file.edits.iter().flat_map(|edit| edit.text.chars()).find(new) {
            let why = format!("it adds the hidden character {} to `{}`", c.escape_unicode(), file.path);
            return Evidence::new(Check::Suppression, CheckOutcome::Fail, why);
        }
    }
    Evidence::new(Check::Suppression, CheckOutcome::Pass, "no marker added")
}

/// Characters that reorder, join or hide text (Unicode's bidirectional controls, zero-width and tag characters).
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
