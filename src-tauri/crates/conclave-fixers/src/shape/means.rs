//! By what means a fix removes a weakness, as far as the words that it takes out and puts in show it.
//!
//! A guess that only tells fixes apart and puts a word to the difference; no check and no reading depends on it.

use conclave_core::cluster::Mitigation;

/// Words, or parts of them, by which a means is known; the first row that fits counts.
const WORDS: [(Mitigation, &[&str]); 5] = [
    (
        Mitigation::Parameterise,
        &["preparestatement", "setstring", "setint", "setobject", "execfile", "bindparam", "bindvalue"],
    ),
    (
        Mitigation::Encode,
        &["escape", "encode", "quote", "sanitize", "sanitise", "textcontent", "bleach", "htmlspecialchars", "purify"],
    ),
    (
        Mitigation::Authorise,
        &["authori", "permission", "login_required", "has_role", "hasrole", "is_admin", "isadmin", "owner"],
    ),
    (Mitigation::Bound, &["timeout", "limit", "max_", "max", "maxlength", "truncate"]),
    (
        Mitigation::Validate,
        &["realpath", "normalize", "commonpath", "is_relative_to", "startswith", "allowed", "fullmatch", "isdigit"],
    ),
];

/// The means of a fix that takes out `removed`, puts in `added` and adds `imports`.
pub(super) fn of(removed: &[String], added: &[String], imports: &[String]) -> Option<Mitigation> {
    let new: Vec<String> = only_in(added, removed);
    let gone: Vec<String> = only_in(removed, added);
    let has = |list: &[String], word: &str| list.iter().any(|token| token == word);
    if new.is_empty() && gone.is_empty() {
        return None;
    }
    let says_nothing = |token: &String| matches!(token.as_str(), "pass" | "return" | "None" | "null" | "{" | "}");
    if new.iter().all(says_nothing) {
        return Some(Mitigation::Remove);
    }
    let list_for_shell = has(&gone, "shell") || (has(&new, "[") && has(&gone, "+"));
    let placeholder = new.iter().any(|token| is_placeholder(token)) && !gone.iter().any(|token| is_placeholder(token));
    if list_for_shell || placeholder {
        return Some(Mitigation::Parameterise);
    }
    let words = || new.iter().chain(imports).filter(|token| token.starts_with(|c: char| c.is_alphabetic()));
    let says = |parts: &[&str]| words().any(|word| parts.iter().any(|part| word.to_lowercase().contains(part)));
    if let Some((mitigation, _)) = WORDS.iter().find(|(_, parts)| says(parts)) {
        return Some(*mitigation);
    }
    if ["if", "raise", "throw", "assert"].iter().any(|word| has(&new, word)) {
        return Some(Mitigation::Validate);
    }
    let is_value = |token: &String| {
        matches!(token.as_str(), "True" | "False" | "true" | "false" | "None" | "null" | "=" | "," | ":")
            || token.starts_with(|c: char| c.is_ascii_digit())
    };
    if new.iter().all(is_value) {
        return Some(Mitigation::Configure);
    }
    let names = |list: &[String]| list.iter().any(|token| token.starts_with(|c: char| c.is_alphabetic()));
    (names(&new) && names(&gone)).then_some(Mitigation::ReplaceApi)
}

/// The tokens of `list` that `other` has not as often.
fn only_in(list: &[String], other: &[String]) -> Vec<String> {
    let mut rest: Vec<&String> = other.iter().collect();
    let mut found = Vec::new();
    for token in list {
        match rest.iter().position(|other| *other == token) {
            Some(at) => {
                rest.swap_remove(at);
            }
            None => found.push(token.clone()),
        }
    }
    found
}

/// Whether a piece of a string holds a place for a value.
fn is_placeholder(token: &str) -> bool {
    let spaced = token.contains(' ') || token == "?";
    spaced && (token.contains('?') || token.contains("%s") || token.contains(" = :") || token.contains("=:"))
}
