//! Learned patterns, and places with the same code, as text.

use conclave_api::view::{ElsewhereView, PatternList};

use super::{clean, plural};

pub(in crate::output) fn patterns(view: &PatternList) -> String {
    if view.items.is_empty() {
        return "Nothing learned yet: apply a fix of a model or a scanner, and its rewrite is proposed for its like.\n"
            .to_owned();
    }
    let mut out = String::new();
    for pattern in &view.items {
        let fixes = plural(pattern.from.len(), "fix", "fixes");
        out.push_str(&format!("{}  {}, {}, from {fixes}\n", pattern.id, clean(&pattern.kind), pattern.language));
        out.push_str(&format!("    - {}\n    + {}\n", clean(&pattern.before), clean(&pattern.after)));
    }
    out
}

pub(in crate::output) fn elsewhere(view: &ElsewhereView) -> String {
    if view.items.is_empty() {
        return "The same code stands nowhere else in this project.\n".to_owned();
    }
    let mut out = "The same code stands here too. These are hints, and no findings:\n".to_owned();
    for hint in &view.items {
        out.push_str(&format!("  {}:{}  {}\n", clean(&hint.path), hint.line, clean(&hint.text)));
    }
    out
}
