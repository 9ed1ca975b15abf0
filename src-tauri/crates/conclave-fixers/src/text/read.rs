//! From an expression to a [`Built`] text.

use std::ops::Range;

use conclave_core::language::Language;

use super::decode::{Style, characters};
use super::{Built, Literal, Piece, Slot, Value};
use crate::call::Call;
use crate::source::Source;
use crate::syntax::Node;

/// Why an expression is not read as a built text.
pub(crate) enum Unread {
    /// It holds no literal: a variable, a call, a number.
    NotText,
    /// It builds a text in a way that is not followed; the reason in words.
    Odd(String),
}

/// Reads the text that `node` builds.
pub(crate) fn read<'t>(source: &Source<'t>, node: &Node<'t>) -> Result<Built<'t>, Unread> {
    let mut reader = Reader {
        source,
        built: Built { pieces: Vec::new(), literals: Vec::new(), drops: Vec::new() },
        waiting: Vec::new(),
        fenced: false,
    };
    let mut whole = node.clone();
    while whole.is(&["parenthesized_expression"]) {
        whole = whole.parts().first().cloned().ok_or(Unread::NotText)?;
    }
    reader.sum(&whole)?;
    if reader.built.literals.is_empty() { Err(Unread::NotText) } else { Ok(reader.built) }
}

struct Reader<'s, 't> {
    source: &'s Source<'t>,
    built: Built<'t>,
    /// Values that stand after the last literal and do not know yet which one follows.
    waiting: Vec<usize>,
    /// Whether the last literal stands in parentheses of its own, so that no cut may begin there and end outside.
    fenced: bool,
}

impl<'t> Reader<'_, 't> {
    fn sum(&mut self, node: &Node<'t>) -> Result<(), Unread> {
        let mut open = vec![node.clone()];
        while let Some(next) = open.pop() {
            match operands(&next, "+") {
                Some((left, right)) => open.extend([right, left]),
                None => self.part(&next)?,
            }
        }
        Ok(())
    }

    fn part(&mut self, node: &Node<'t>) -> Result<(), Unread> {
        match node.kind().as_ref() {
            "string" if self.source.language() == Language::Python => return self.python_string(node),
            "string" | "template_string" | "string_literal" => return self.braces_string(node),
            "concatenated_string" => {
                for part in node.parts() {
                    self.part(&part)?;
                }
                return Ok(());
            }
            "parenthesized_expression" if is_text(node, 0) => {
                let Some(inner) = node.parts().into_iter().next() else { return Err(Unread::NotText) };
                self.waiting.clear();
                self.part(&inner)?;
                self.fenced = true;
                return Ok(());
            }
            "binary_operator" => {
                if let Some((left, right)) = operands(node, "%").filter(|(left, _)| is_text(left, 0)) {
                    return self.filled(node, &left, |reader, from| reader.per_cent(from, &right));
                }
            }
            "call" => {
                let function = node.field("function");
                let method = function.as_ref().and_then(|function| function.field("attribute"));
                let object = function.as_ref().and_then(|function| function.field("object"));
                if let Some(object) = object.filter(|object| is_text(object, 0)) {
                    match method.map(|name| name.text()).as_deref() {
                        Some("format") => {
                            let call = Call::at(node).ok_or(Unread::NotText)?;
                            return self.filled(node, &object, |reader, from| reader.format(from, &call));
                        }
                        // A list that becomes one text is a value like any other here.
                        Some("join") => {}
                        _ => {
                            let reason = "the text goes through a method that is not followed";
                            return Err(Unread::Odd(reason.to_owned()));
                        }
                    }
                }
            }
            _ => {}
        }
        self.between(node);
        Ok(())
    }

    /// Reads the text `left` and lets `fill` put values into it; the source after `left` goes with them.
    fn filled(
        &mut self,
        whole: &Node<'t>,
        left: &Node<'t>,
        fill: impl FnOnce(&mut Self, usize) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        let from = self.built.pieces.len();
        self.part(left)?;
        if self.built.pieces[from..].iter().any(|piece| matches!(piece, Piece::Value(_))) {
            return Err(Unread::Odd("the text is filled twice".to_owned()));
        }
        self.built.drops.push(left.range().end..whole.range().end);
        fill(self, from)
    }

    fn between(&mut self, node: &Node<'t>) {
        let before = if self.fenced { None } else { self.built.literals.len().checked_sub(1) };
        self.waiting.push(self.built.pieces.len());
        self.built.pieces.push(Piece::Value(Value {
            node: node.clone(),
            converts: self.source.language() != Language::Python,
            numeric: false,
            slot: Slot::Between { at: node.range(), before, after: None },
        }));
    }

    fn literal(&mut self, literal: Literal) -> usize {
        let index = self.built.literals.len();
        self.fenced = false;
        for waiting in std::mem::take(&mut self.waiting) {
            if let Piece::Value(Value { slot: Slot::Between { after, .. }, .. }) = &mut self.built.pieces[waiting] {
                *after = Some(index);
            }
        }
        self.built.literals.push(literal);
        index
    }

    fn python_string(&mut self, node: &Node<'t>) -> Result<(), Unread> {
        let children = node.children();
        let edge = |kind: &str| children.iter().find(|child| child.is(&[kind])).map(Node::range);
        let (Some(open), Some(close)) = (edge("string_start"), edge("string_end")) else {
            return Err(Unread::NotText);
        };
        let prefix = self.source.text()[open.clone()].trim_end_matches(['"', '\'']).to_ascii_lowercase();
        if prefix.contains(['b', 't']) {
            return Err(Unread::NotText);
        }
        let style = if prefix.contains('r') { Style::Raw } else { Style::Python };
        let formatted = prefix.contains('f');
        let holes: Vec<Node<'t>> = children.into_iter().filter(|child| child.is(&["interpolation"])).collect();
        self.pieces(Literal { content: open.end..close.start, open, close, formatted }, style, &holes)
    }

    fn braces_string(&mut self, node: &Node<'t>) -> Result<(), Unread> {
        let range = node.range();
        let mark = if node.text().starts_with("\"\"\"") { 3 } else { 1 };
        if range.len() < 2 * mark {
            return Err(Unread::NotText);
        }
        let (open, close) = (range.start..range.start + mark, range.end - mark..range.end);
        let holes: Vec<Node<'t>> =
            node.parts().into_iter().filter(|child| child.is(&["template_substitution"])).collect();
        self.pieces(Literal { content: open.end..close.start, open, close, formatted: false }, Style::Braces, &holes)
    }

    fn pieces(&mut self, literal: Literal, style: Style, holes: &[Node<'t>]) -> Result<(), Unread> {
        let (content, formatted) = (literal.content.clone(), literal.formatted);
        let index = self.literal(literal);
        let mut position = content.start;
        for hole in holes {
            self.characters(position..hole.range().start, style, formatted, index)?;
            position = hole.range().end;
            let value = match hole.parts().as_slice() {
                [value] if !hole.children().iter().any(|child| child.text() == "=") => value.clone(),
                _ => return Err(Unread::Odd(format!("`{}` formats its value", hole.text()))),
            };
            self.inside(value, hole.range(), index, false);
        }
        self.characters(position..content.end, style, formatted, index)
    }

    fn characters(&mut self, range: Range<usize>, style: Style, braces: bool, literal: usize) -> Result<(), Unread> {
        let decoded = characters(self.source.text(), range, style, braces)
            .ok_or_else(|| Unread::Odd("the text holds an escape that is not read here".to_owned()))?;
        self.built.pieces.extend(decoded.into_iter().map(|(c, at)| Piece::Char { c, at, literal }));
        Ok(())
    }

    fn inside(&mut self, node: Node<'t>, at: Range<usize>, literal: usize, numeric: bool) {
        let slot = Slot::Inside { at, literal };
        self.built.pieces.push(Piece::Value(Value { node, converts: true, numeric, slot }));
    }

    /// Fills the `%` specifications after piece `from` with `arguments`.
    fn per_cent(&mut self, from: usize, arguments: &Node<'t>) -> Result<(), Unread> {
        let mut given = match arguments.kind().as_ref() {
            "tuple" => arguments.parts(),
            "parenthesized_expression" => arguments.parts(),
            "dictionary" => {
                return Err(Unread::Odd("the text is filled from a dictionary with `%`".to_owned()));
            }
            _ => vec![arguments.clone()],
        }
        .into_iter();
        let mut chars = self.built.pieces.split_off(from).into_iter();
        while let Some(piece) = chars.next() {
            let Piece::Char { c: '%', at, literal } = piece else {
                self.built.pieces.push(piece);
                continue;
            };
            let Some(Piece::Char { c, at: end, .. }) = chars.next() else {
                return Err(Unread::Odd("the text ends in the middle of a `%` mark".to_owned()));
            };
            let at = at.start..end.end;
            match c {
                '%' => self.built.pieces.push(Piece::Char { c: '%', at, literal }),
                's' | 'd' | 'i' => {
                    let value = given.next().filter(|value| !value.is(&["list_splat"]));
                    let value =
                        value.ok_or_else(|| Unread::Odd("`%` takes its values from one variable".to_owned()))?;
                    self.inside(value, at, literal, c != 's');
                }
                _ => return Err(Unread::Odd(format!("`%{c}` formats its value"))),
            }
        }
        if given.next().is_some() { Err(Unread::Odd("`%` has more values than marks".to_owned())) } else { Ok(()) }
    }

    /// Fills the `{}` fields after piece `from` with the arguments of `call`.
    fn format(&mut self, from: usize, call: &Call<'t>) -> Result<(), Unread> {
        let odd = |what: &str| Unread::Odd(format!("`.format` {what}"));
        let mut automatic = 0;
        let mut chars = self.built.pieces.split_off(from).into_iter().peekable();
        while let Some(piece) = chars.next() {
            let Piece::Char { c: mark @ ('{' | '}'), at, literal } = piece else {
                self.built.pieces.push(piece);
                continue;
            };
            if let Some(Piece::Char { at: twin, .. }) =
                chars.next_if(|next| matches!(next, Piece::Char { c, .. } if *c == mark))
            {
                self.built.pieces.push(Piece::Char { c: mark, at: at.start..twin.end, literal });
                continue;
            }
            let mut field = String::new();
            let end = loop {
                match chars.next() {
                    Some(Piece::Char { c: '}', at, .. }) => break at.end,
                    Some(Piece::Char { c, .. }) => field.push(c),
                    _ => return Err(odd("has a field that does not end")),
                }
            };
            let value = if field.is_empty() {
                automatic += 1;
                call.positional.get(automatic - 1)
            } else if let Ok(number) = field.parse::<usize>() {
                call.positional.get(number)
            } else if field.chars().all(|c| c.is_alphanumeric() || c == '_') {
                call.keyword(&field)
            } else {
                return Err(Unread::Odd(format!("`{{{field}}}` formats its value")));
            };
            let value = value.ok_or_else(|| odd("takes its values from somewhere else"))?.clone();
            self.inside(value, at.start..end, literal, false);
        }
        Ok(())
    }
}

/// The two sides of a binary expression with this operator.
fn operands<'t>(node: &Node<'t>, operator: &str) -> Option<(Node<'t>, Node<'t>)> {
    let binary = node.is(&["binary_operator", "binary_expression"]);
    let found = binary && node.field("operator").is_some_and(|found| found.text() == operator);
    if found { Some((node.field("left")?, node.field("right")?)) } else { None }
}

/// Whether `node` is a literal, or one in parentheses.
fn is_text(node: &Node<'_>, depth: usize) -> bool {
    match node.kind().as_ref() {
        "string" | "concatenated_string" | "template_string" | "string_literal" => true,
        "parenthesized_expression" if depth < 4 => node.parts().first().is_some_and(|inner| is_text(inner, depth + 1)),
        _ => false,
    }
}
