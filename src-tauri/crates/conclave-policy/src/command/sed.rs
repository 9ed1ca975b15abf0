//! Scripts for sed that only print: sed can also write files and start programs, from its script.

use super::options::{Line, Order, read};

/// A command line of sed, with the options that are known; none may stand after an operand, because programs differ on
/// what it is there.
pub(super) fn of(args: &[String]) -> Option<Line<'_>> {
    let known = "-Enrsuz -i? -e: --expression: --in-place? --quiet --regexp-extended --silent";
    let line = read(args, known, Order::Mixed).ok()?;
    (read(args, known, Order::OptionsFirst).as_ref() == Ok(&line)).then_some(line)
}

/// Whether a command line changes no file but, with `-i`, those that it names.
pub(super) fn only_edits(line: &Line<'_>) -> bool {
    scripts(line).is_some_and(|scripts| scripts.iter().all(|script| only_prints(script)))
}

/// The scripts of a sed command line.
pub(super) fn scripts<'a>(line: &Line<'a>) -> Option<Vec<&'a str>> {
    let given: Option<Vec<&str>> = line
        .options
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "-e" | "--expression"))
        .map(|(_, script)| *script)
        .collect();
    match given? {
        // Some sed take the word after `-i` as an ending for a copy; an empty one is that and no script.
        none if none.is_empty() => line.operands.iter().find(|word| !word.is_empty()).map(|script| vec![*script]),
        given => Some(given),
    }
}

/// Whether `script` does no more than select, delete, substitute and print lines.
pub(super) fn only_prints(script: &str) -> bool {
    let mut rest = script;
    loop {
        rest = rest.trim_start_matches([' ', ';']);
        if rest.is_empty() {
            return true;
        }
        let Some(after) = address(rest).and_then(command) else {
            return false;
        };
        rest = after.trim_start_matches(' ');
        if !rest.is_empty() && !rest.starts_with(';') {
            return false;
        }
    }
}

/// Passes over an address or a range: `3`, `$`, `/text/`, `3,+2`, `/from/,$`, each perhaps with `!`.
fn address(mut rest: &str) -> Option<&str> {
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '$' | '+' | '~' | ' '));
        if let Some(inside) = rest.strip_prefix('/') {
            rest = part(inside, '/')?.1;
            rest = rest.strip_prefix('I').unwrap_or(rest);
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Some(rest.trim_start_matches(['!', ' '])),
        }
    }
}

/// Passes over one command that prints, deletes, ends or substitutes.
fn command(rest: &str) -> Option<&str> {
    if let Some(after) = rest.strip_prefix(['=', 'd', 'p', 'q']) {
        return Some(after);
    }
    let rest = rest.strip_prefix('s')?;
    let mark = rest.chars().next().filter(|mark| matches!(mark, '/' | '|' | '#' | ',' | ':' | '@'))?;
    let (_, rest) = part(&rest[1..], mark)?;
    let (_, rest) = part(rest, mark)?;
    Some(rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, 'g' | 'p' | 'i' | 'I')))
}

/// The text up to an unescaped `mark`, and what follows it.
///
/// Programs differ on whether a mark between brackets ends the text, and on where brackets end, so only brackets are
/// taken that leave no doubt.
fn part(text: &str, mark: char) -> Option<(&str, &str)> {
    let mut rest = text.char_indices().peekable();
    let mut bracket = false;
    while let Some((at, c)) = rest.next() {
        match c {
            '\n' => return None,
            '\\' if !bracket => {
                rest.next();
            }
            '[' if !bracket => {
                bracket = true;
                rest.next_if(|&(_, c)| c == '^');
                if rest.peek().is_some_and(|&(_, c)| c == ']') {
                    return None;
                }
            }
            '[' | '\\' => return None,
            ']' => bracket = false,
            _ if c == mark && bracket => return None,
            _ if c == mark => return Some((&text[..at], &text[at + c.len_utf8()..])),
            _ => {}
        }
    }
    None
}
