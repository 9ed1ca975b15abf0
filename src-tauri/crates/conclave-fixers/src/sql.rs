//! Where in a SQL statement a value stands, and whether a placeholder may take its place.
//!
//! A reader of tokens, not a parser of a dialect: it knows just enough to tell a value from a name, a condition or a
//! list, and refuses in words where it cannot. Deliberately absent: drivers and programming languages.

mod position;
mod token;

use crate::text::{Part, Unit};

/// A place that one placeholder fills.
#[derive(Debug, PartialEq)]
pub(crate) struct Hole {
    /// First unit that goes: the value, or the quotation mark before it.
    pub first: usize,
    /// Last unit that goes.
    pub last: usize,
    /// What is bound: the value alone, or text and values that stood between quotation marks.
    pub parts: Vec<Part>,
    /// Whether it stood between quotation marks, and so was text.
    pub quoted: bool,
    /// Whether it counts rows (`LIMIT`, `OFFSET`), where some databases take numbers only.
    pub row_count: bool,
}

/// Why values cannot be bound.
#[derive(Debug, PartialEq)]
pub(crate) enum Unbindable {
    /// The text is no SQL statement.
    NotSql,
    /// The reason in words.
    Refused(String),
}

/// Words that begin a statement whose values can be bound.
const BINDABLE: [&str; 9] = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "MERGE", "CALL", "EXPLAIN"];
/// Words that begin other statements.
const OTHER: [&str; 16] = [
    "CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE", "PRAGMA", "SET", "USE", "ATTACH", "COPY", "LOCK", "SHOW",
    "VACUUM", "ANALYZE", "LISTEN",
];

/// The places of the values in a statement, in order.
///
/// # Errors
/// See [`Unbindable`].
pub(crate) fn holes(units: &[Unit]) -> Result<Vec<Hole>, Unbindable> {
    let tokens = token::tokens(units).map_err(|reason| match begins_like_sql(units) {
        true => Unbindable::Refused(reason),
        false => Unbindable::NotSql,
    })?;
    let Some(first) = tokens.iter().find_map(token::Token::word) else { return Err(Unbindable::NotSql) };
    if !begins_like_sql(units) {
        return Err(Unbindable::NotSql);
    }
    if !BINDABLE.contains(&first) {
        return Err(Unbindable::Refused(format!("a `{first}` statement takes no placeholders")));
    }
    position::holes(&tokens).map_err(Unbindable::Refused)
}

/// Whether source that is not read as a text still looks like a statement: for saying that it is left alone, no more.
pub(crate) fn seems_sql(code: &str) -> bool {
    let marks = ['"', '\'', '`'];
    let text = code.find(marks).map_or(code, |mark| code[mark..].trim_start_matches(marks));
    begins_like_sql(&text.chars().map(Some).collect::<Vec<Unit>>())
}

/// Whether the first word is one that begins a statement, and more follows.
fn begins_like_sql(units: &[Unit]) -> bool {
    let text: String = units.iter().map(|unit| unit.unwrap_or('?')).collect();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = text[..end].to_ascii_uppercase();
    let more = text[end..].starts_with(|c: char| c.is_whitespace());
    more && (BINDABLE.contains(&word.as_str()) || OTHER.contains(&word.as_str()))
}

#[cfg(test)]
mod tests;
