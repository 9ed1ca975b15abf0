//! Lines that change in their white space alone: they hide what a fix does and belong to an editor, not to a repair.

use std::collections::HashMap;

use super::Added;

/// So many lines at least; one or two that move with an edit are nobody's churn.
const LEAST: usize = 4;
/// The share of the changed lines from which on it is too much, in per cent.
const SHARE: usize = 20;

/// More than a fifth of the changed lines differ in white space only.
pub(super) fn white_space(added: &Added<'_>) -> Option<String> {
    let (removed, new) =
        (only_in(added.change.before, added.change.after), only_in(added.change.after, added.change.before));
    let mut by_code: HashMap<String, Vec<&str>> = HashMap::new();
    for line in &removed {
        by_code.entry(squeezed(line)).or_default().push(line);
    }
    // Code that moves into or out of a block is indented by that block.
    let moved: Vec<String> = new.iter().map(|line| squeezed(line)).collect();
    let block = new.iter().filter(|line| !by_code.contains_key(&squeezed(line))).any(|line| is_edge(line))
        || removed.iter().filter(|line| !moved.contains(&squeezed(line))).any(|line| is_edge(line));
    let mut churn = 0;
    for line in &new {
        let Some(old) = by_code.get_mut(&squeezed(line)).and_then(Vec::pop) else { continue };
        churn += usize::from(!(block && only_deeper(old, line)));
    }
    let changed = new.len().max(removed.len());
    (churn >= LEAST && churn * 100 > changed * SHARE)
        .then(|| format!("changes {churn} of {changed} lines in their white space only"))
}

/// The lines that `text` has and `other` has not, with all their white space, line endings included.
fn only_in<'t>(text: &'t str, other: &str) -> Vec<&'t str> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for line in other.split('\n') {
        *left.entry(line).or_default() += 1;
    }
    let mut found = Vec::new();
    for line in text.split('\n') {
        match left.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => found.push(line),
        }
    }
    found
}

/// Whether a block begins or ends on the line.
fn is_edge(line: &str) -> bool {
    line.trim_end().ends_with([':', '{', '(', '[']) || line.trim_start().starts_with(['}', ')'])
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect()
}

/// Whether two lines differ in the depth of their indentation alone, made of the same characters.
fn only_deeper(old: &str, new: &str) -> bool {
    let (old_code, new_code) = (old.trim_start(), new.trim_start());
    let (old_indent, new_indent) = (&old[..old.len() - old_code.len()], &new[..new.len() - new_code.len()]);
    old_code == new_code && (old_indent.starts_with(new_indent) || new_indent.starts_with(old_indent))
}
