//! Telling a value's place: bindable, or a name, a condition, a list.

use super::Hole;
use super::token::{Kind, Token};
use crate::text::Part;

/// What a pair of parentheses holds.
#[derive(Clone, Copy, PartialEq)]
enum Group {
    /// `VALUES (…)`, the arguments of a function: values.
    Values,
    /// `IN (…)`
    In,
    /// `INSERT INTO t (…)`: names of columns.
    Columns,
    /// Anything else.
    Plain,
}

/// Words after which a value may stand.
const BEFORE_VALUE: [&str; 13] =
    ["LIKE", "ILIKE", "GLOB", "REGEXP", "RLIKE", "MATCH", "BETWEEN", "LIMIT", "OFFSET", "THEN", "ELSE", "ESCAPE", "TO"];
/// Words that turn the quoted text after them into a literal of another type.
const TYPED: [&str; 6] = ["DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "DATETIME"];
/// Words that end with a name, not a function, before an opening parenthesis.
const NOT_FUNCTIONS: [&str; 26] = [
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "ON",
    "USING",
    "AS",
    "JOIN",
    "SET",
    "BY",
    "HAVING",
    "UNION",
    "ALL",
    "ANY",
    "SOME",
    "EXISTS",
    "WHEN",
    "THEN",
    "ELSE",
    "CASE",
    "DISTINCT",
    "RETURNING",
    "WITH",
    "OVER",
];

/// The bindable places of all values.
///
/// # Errors
/// In words, for the first value that stands where no placeholder may.
pub(super) fn holes(tokens: &[Token]) -> Result<Vec<Hole>, String> {
    let mut reader = Reader { tokens, clause: "", groups: Vec::new(), between: false, range_end: None };
    let mut holes = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Word(word) => reader.word(word, index),
            Kind::Mark(mark) if mark == "(" => {
                let group = reader.group(index);
                reader.groups.push((group, reader.clause));
            }
            Kind::Mark(mark) if mark == ")" => {
                reader.clause = reader.groups.pop().map_or("", |(_, clause)| clause);
            }
            Kind::Mark(mark) if mark == ";" && index + 1 < tokens.len() => {
                return Err("the text holds several statements".to_owned());
            }
            Kind::Bound => return Err("the statement already binds values; mixing both is left to a person".to_owned()),
            Kind::Value(number) => {
                reader.check_value(index)?;
                let row_count = reader.groups.is_empty() && matches!(reader.clause, "LIMIT" | "OFFSET");
                holes.push(Hole {
                    first: token.first,
                    last: token.last,
                    parts: vec![Part::Value(*number)],
                    quoted: false,
                    row_count,
                });
            }
            Kind::Text(parts) if parts.iter().any(|part| matches!(part, Part::Value(_))) => {
                reader.check_text(index)?;
                holes.push(Hole {
                    first: token.first,
                    last: token.last,
                    parts: parts.clone(),
                    quoted: true,
                    row_count: false,
                });
            }
            _ => {}
        }
    }
    Ok(holes)
}

struct Reader<'s> {
    tokens: &'s [Token],
    /// The keyword that the innermost open clause began with.
    clause: &'s str,
    /// The open parentheses, each with the clause that it interrupts.
    groups: Vec<(Group, &'s str)>,
    /// Whether a `BETWEEN` waits for its `AND`.
    between: bool,
    /// The `AND` of the last `BETWEEN`.
    range_end: Option<usize>,
}

impl<'s> Reader<'s> {
    fn word(&mut self, word: &'s str, index: usize) {
        match word {
            "SELECT" | "FROM" | "WHERE" | "SET" | "VALUES" | "GROUP" | "ORDER" | "HAVING" | "LIMIT" | "OFFSET"
            | "INTO" | "UPDATE" | "JOIN" | "ON" | "RETURNING" | "TABLE" => self.clause = word,
            "BETWEEN" => self.between = true,
            "AND" if self.between => {
                self.between = false;
                self.range_end = Some(index);
            }
            _ => {}
        }
    }

    fn before(&self, index: usize) -> Option<&'s Token> {
        self.tokens.get(index.checked_sub(1)?)
    }

    /// What the parenthesis at `index` opens.
    fn group(&self, index: usize) -> Group {
        let Some(before) = self.before(index) else { return Group::Plain };
        match before.word() {
            Some("VALUES") => Group::Values,
            Some("IN") => Group::In,
            Some(word) if NOT_FUNCTIONS.contains(&word) => Group::Plain,
            _ if self.clause == "INTO" && self.groups.is_empty() => Group::Columns,
            Some(_) => Group::Values,
            // The next row of the same list.
            None if before.is_mark(",") && self.clause == "VALUES" && self.groups.is_empty() => Group::Values,
            None => Group::Plain,
        }
    }

    /// Whether the value at `index` may be bound.
    fn check_value(&self, index: usize) -> Result<(), String> {
        let (token, next) = (&self.tokens[index], self.tokens.get(index + 1));
        let before = self.before(index).ok_or("the statement begins with a value")?;
        let part_of_name = |mark: &Token| mark.is_mark(".");
        let glued = |other: &Token| matches!(other.kind, Kind::Word(_) | Kind::Number | Kind::Name | Kind::Value(_));
        if (before.touches(token) && (glued(before) || part_of_name(before)))
            || next.is_some_and(|next| token.touches(next) && (glued(next) || part_of_name(next) || next.is_mark("(")))
        {
            return Err("the value is part of a name; a placeholder cannot be used there".to_owned());
        }
        match &before.kind {
            Kind::Word(_) if self.range_end == Some(index - 1) => Ok(()),
            Kind::Word(word) => check_after_word(word, next),
            Kind::Mark(mark) if mark == "," || mark == "(" => self.check_in_list(mark == "(", next),
            Kind::Mark(mark) if mark == ")" => Err(unclear()),
            Kind::Mark(_) => Ok(()),
            _ => Err(unclear()),
        }
    }

    fn check_in_list(&self, first: bool, next: Option<&Token>) -> Result<(), String> {
        let alone = first && next.is_some_and(|next| next.is_mark(")"));
        match (self.groups.last().map(|(group, _)| *group), self.clause) {
            (Some(Group::In), _) if alone => Err(list()),
            (Some(Group::In | Group::Values), _) => Ok(()),
            (Some(Group::Columns), _) => {
                Err("the value stands where a column name goes; a placeholder cannot be used there".to_owned())
            }
            (None, "LIMIT") => Ok(()),
            (None, "SELECT" | "SET" | "ORDER" | "GROUP" | "RETURNING") => {
                Err("the value stands where a column name goes; a placeholder cannot be used there".to_owned())
            }
            (None, "FROM" | "JOIN" | "UPDATE" | "INTO") => {
                Err("the value stands where a table name goes; a placeholder cannot be used there".to_owned())
            }
            _ => Err(unclear()),
        }
    }

    /// Whether the quoted text at `index` may be bound.
    fn check_text(&self, index: usize) -> Result<(), String> {
        let token = &self.tokens[index];
        let Some(before) = self.before(index) else { return Err(unclear()) };
        match before.word() {
            Some(word) if before.touches(token) || TYPED.contains(&word) => {
                Err(format!("the value is part of a `{word}` literal; a placeholder cannot be used there"))
            }
            Some("AS" | "FROM" | "JOIN" | "INTO" | "UPDATE" | "TABLE" | "BY") => {
                Err("the value stands where a name goes; a placeholder cannot be used there".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a value may follow this word.
fn check_after_word(word: &str, next: Option<&Token>) -> Result<(), String> {
    let place = match word {
        word if BEFORE_VALUE.contains(&word) => return Ok(()),
        "FROM" | "JOIN" | "INTO" | "UPDATE" | "TABLE" | "IGNORE" | "ONLY" => "where a table name goes",
        "SELECT" | "DISTINCT" | "BY" | "SET" | "RETURNING" => "where a column name goes",
        "ORDER" | "ASC" | "DESC" => "where the order is given",
        "WHERE" | "AND" | "OR" | "NOT" | "ON" | "HAVING" | "WHEN" => {
            let compared = |next: &Token| match &next.kind {
                Kind::Mark(mark) => mark.starts_with(['=', '<', '>', '!']),
                Kind::Word(word) => matches!(word.as_str(), "IN" | "IS" | "LIKE" | "BETWEEN"),
                _ => false,
            };
            if next.is_some_and(compared) {
                return Err("the value stands where a column name goes; a placeholder cannot be used there".to_owned());
            }
            return Err("the value is a whole condition, not one value; a placeholder cannot hold it".to_owned());
        }
        "IN" => return Err(list()),
        "VALUES" => return Err("the value is a whole row; each column needs its own placeholder".to_owned()),
        _ => return Err(unclear()),
    };
    Err(format!("the value stands {place}; a placeholder cannot be used there"))
}

fn unclear() -> String {
    "it is not clear that a value, and not a name or a keyword, stands there".to_owned()
}

fn list() -> String {
    "a list goes into `IN (…)`; each item needs its own placeholder".to_owned()
}
