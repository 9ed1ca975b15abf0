//! Text that code builds: which characters, which values, and where each stands in the source.
//!
//! Reads literals, `+`, f-strings, `%`, `.format` and template strings into one flat list, so that a rule on SQL or a
//! shell command is written once for all languages and all ways of building. Rewriting goes back through the same
//! list: [`Built::rewrite`] cuts pieces out and leaves every other byte of the source as it was.
//! Deliberately absent: what the text means.

mod decode;
mod read;

use std::ops::Range;

use conclave_core::patch::Edit;

use crate::call::replace;
use crate::syntax::Node;

pub(crate) use read::{Unread, read};

/// A text as code builds it.
pub(crate) struct Built<'t> {
    /// Characters and values in order.
    pub pieces: Vec<Piece<'t>>,
    literals: Vec<Literal>,
    /// Source that goes when no value is left: ` % x`, `.format(x)`.
    drops: Vec<Range<usize>>,
}

/// One character of the text, or one value in it.
pub(crate) enum Piece<'t> {
    /// A character.
    Char {
        /// After decoding.
        c: char,
        /// The bytes that stand for it.
        at: Range<usize>,
        /// Which literal it is in.
        literal: usize,
    },
    /// A value that becomes text.
    Value(Value<'t>),
}

/// A value inside a built text.
pub(crate) struct Value<'t> {
    /// The expression.
    pub node: Node<'t>,
    /// Whether the building turns it into text (`{x}`), so that it need not be text itself (`+ x` in Python).
    pub converts: bool,
    /// Whether only a number passes (`%d`).
    pub numeric: bool,
    slot: Slot,
}

/// How a value stands in the source.
enum Slot {
    /// Inside a literal: `{x}`, `${x}`, `%s`.
    Inside { at: Range<usize>, literal: usize },
    /// Beside literals: `"a" + x + "b"`.
    Between { at: Range<usize>, before: Option<usize>, after: Option<usize> },
}

/// One string literal.
struct Literal {
    open: Range<usize>,
    content: Range<usize>,
    close: Range<usize>,
    /// Whether its opening holds an `f` that goes with the last value.
    formatted: bool,
}

/// One place in the text for a rule to look at: a character, or `None` for a value.
pub(crate) type Unit = Option<char>;

/// A stretch of the text that goes together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Characters.
    Text(String),
    /// The value with this number, from 0.
    Value(usize),
}

/// What a literal per cent sign is written as after a rewrite.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PerCent {
    Single,
    Doubled,
}

/// A stretch of pieces, first and last included, with the text that takes their place.
pub(crate) struct Cut {
    pub first: usize,
    pub last: usize,
    pub with: String,
}

impl<'t> Built<'t> {
    /// The values in order.
    pub fn values(&self) -> impl Iterator<Item = &Value<'t>> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(value) => Some(value),
            Piece::Char { .. } => None,
        })
    }

    /// The text for a rule to look at.
    pub fn units(&self) -> Vec<Unit> {
        let unit = |piece: &Piece<'t>| match piece {
            Piece::Char { c, .. } => Some(*c),
            Piece::Value(_) => None,
        };
        self.pieces.iter().map(unit).collect()
    }

    /// The text, when there is no value in it.
    pub fn plain(&self) -> Option<String> {
        self.units().into_iter().collect()
    }

    /// The mark that the first literal is written with.
    pub fn quote(&self, source: &str) -> Option<char> {
        let first = self.literals.first()?;
        source[first.close.clone()].chars().next().filter(|mark| matches!(mark, '"' | '\''))
    }

    /// The edits that put `cuts` in place, for cuts that take out every value.
    ///
    /// # Errors
    /// In words, when a cut has no literal to begin in, or a comment would be lost.
    pub fn rewrite(&self, source: &str, cuts: &[Cut], per_cent: PerCent) -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        for cut in cuts {
            edits.push(self.cut(source, cut)?);
        }
        let gone: Vec<Range<usize>> = edits.iter().map(|edit| edit.start..edit.end).collect();
        let stays = |range: &Range<usize>| !gone.iter().any(|cut| cut.start < range.end && range.start < cut.end);
        for piece in &self.pieces {
            let Piece::Char { c, at, .. } = piece else { continue };
            let wanted = match (c, per_cent) {
                ('%', PerCent::Doubled) => "%%",
                ('%', PerCent::Single) => "%",
                ('{', _) if &source[at.clone()] == "{{" => "{",
                ('}', _) if &source[at.clone()] == "}}" => "}",
                _ => continue,
            };
            if stays(at) && &source[at.clone()] != wanted {
                edits.push(replace(at.clone(), wanted));
            }
        }
        for literal in self.literals.iter().filter(|literal| literal.formatted && stays(&literal.open)) {
            edits.push(replace(literal.open.clone(), &plain_open(&source[literal.open.clone()])));
        }
        edits.extend(self.drops.iter().filter(|drop| stays(drop)).map(|drop| replace(drop.clone(), "")));
        Ok(edits)
    }

    fn cut(&self, source: &str, cut: &Cut) -> Result<Edit, String> {
        let from = match &self.pieces[cut.first] {
            Piece::Char { at, literal, .. } | Piece::Value(Value { slot: Slot::Inside { at, literal }, .. }) => {
                Some((at.start, *literal))
            }
            Piece::Value(Value { slot: Slot::Between { before, .. }, .. }) => {
                before.map(|literal| (self.literals[literal].content.end, literal))
            }
        };
        let (start, opening) = from.ok_or("no text stands before the value")?;
        let to = match &self.pieces[cut.last] {
            Piece::Char { at, literal, .. } | Piece::Value(Value { slot: Slot::Inside { at, literal }, .. }) => {
                Ok((at.end, *literal))
            }
            Piece::Value(Value { slot: Slot::Between { at, after, .. }, .. }) => match after {
                Some(literal) => Ok((self.literals[*literal].content.start, *literal)),
                None => Err(at.end),
            },
        };
        let literal = |index: usize| &self.literals[index];
        let close = &source[literal(opening).close.clone()];
        let (end, text) = match to {
            Ok((end, closing)) if closing == opening || self.same_quotes(source, opening, closing) => {
                (end, cut.with.clone())
            }
            Ok((end, closing)) => {
                let open = plain_open(&source[literal(closing).open.clone()]);
                (end, format!("{}{close} + {open}", cut.with))
            }
            Err(end) => (end, format!("{}{close}", cut.with)),
        };
        if source[start..end].contains(['#', '/']) && has_comment(&source[start..end]) {
            return Err("a comment stands inside the text".to_owned());
        }
        Ok(Edit { start, end, text })
    }

    fn same_quotes(&self, source: &str, one: usize, other: usize) -> bool {
        let open = |index: usize| plain_open(&source[self.literals[index].open.clone()]);
        open(one) == open(other)
    }
}

/// The opening of a string literal without the `f` that makes it a formatted one.
fn plain_open(open: &str) -> String {
    open.chars().filter(|c| !matches!(c, 'f' | 'F')).collect()
}

/// Whether source that joins two literals holds a comment on a line of its own or at the end of one.
fn has_comment(joint: &str) -> bool {
    joint.lines().any(|line| {
        let line = line.trim_start_matches(['"', '\'', ' ', '\t', '+', '\\']);
        line.starts_with('#') || line.starts_with("//") || line.starts_with("/*")
    })
}

#[cfg(test)]
mod tests;
