//! The arguments of a call: reading them, setting one, taking one out.

use std::ops::Range;

use conclave_core::patch::Edit;

use crate::source::Source;
use crate::syntax::Node;

/// A call with its arguments apart.
pub(crate) struct Call<'t> {
    /// The parentheses with everything between them.
    list: Node<'t>,
    /// The arguments without a name.
    pub positional: Vec<Node<'t>>,
    /// The arguments with a name: name, whole argument, value.
    keywords: Vec<(String, Node<'t>, Node<'t>)>,
    /// `*a`, `**a` or `...a`: more arguments than can be read here.
    pub spread: Option<Node<'t>>,
}

impl<'t> Call<'t> {
    /// The call at `node`; `None` when it is none, or has a bare generator for its argument.
    pub fn at(node: &Node<'t>) -> Option<Self> {
        let list = node.field("arguments").filter(|list| list.is(&["argument_list", "arguments"]))?;
        let mut call = Self { positional: Vec::new(), keywords: Vec::new(), spread: None, list };
        for argument in call.list.parts() {
            match argument.kind().as_ref() {
                "keyword_argument" => {
                    let (name, value) = (argument.field("name")?, argument.field("value")?);
                    call.keywords.push((name.text().into_owned(), argument, value));
                }
                "list_splat" | "dictionary_splat" | "spread_element" => call.spread = Some(argument),
                _ => call.positional.push(argument),
            }
        }
        Some(call)
    }

    /// The value of the argument called `name`.
    pub fn keyword(&self, name: &str) -> Option<&Node<'t>> {
        self.keywords.iter().find(|(keyword, ..)| keyword == name).map(|(_, _, value)| value)
    }

    /// Gives the argument `name` the value `to`, adding it at the end when it is not there.
    ///
    /// # Errors
    /// In words, when `*a` or `**a` may already carry it.
    pub fn set_keyword(&self, source: &Source<'t>, name: &str, to: &str) -> Result<Edit, String> {
        if let Some(value) = self.keyword(name) {
            return Ok(replace(value.range(), to));
        }
        if let Some(spread) = &self.spread {
            return Err(format!("`{}` may already carry `{name}`", spread.text()));
        }
        Ok(self.append(source, &format!("{name}={to}")))
    }

    /// Adds `argument` after the last one, laid out like it.
    pub fn append(&self, source: &Source<'t>, argument: &str) -> Edit {
        let Some(last) = self.list.parts().pop() else {
            return insert(self.list.range().start + 1, argument);
        };
        let start = last.range().start;
        let own_line = source.text()[source.line(start).start..start].trim().is_empty();
        let between = if own_line { format!(",{}{}", source.eol(), source.indent(start)) } else { ", ".to_owned() };
        insert(last.range().end, &format!("{between}{argument}"))
    }

    /// Takes the argument `name` out with its comma; `None` when it is not there.
    pub fn drop_keyword(&self, name: &str) -> Option<Edit> {
        let (_, argument, _) = self.keywords.iter().find(|(keyword, ..)| keyword == name)?;
        Some(replace(self.room_of(argument), ""))
    }

    /// The bytes of an argument with the comma and the blanks that go with it.
    fn room_of(&self, argument: &Node<'t>) -> Range<usize> {
        let own = argument.range();
        let comma_after = argument.next().filter(|next| next.text() == ",");
        let follower = comma_after.as_ref().and_then(Node::next).filter(|next| next.is_named());
        match (&comma_after, follower, argument.previous()) {
            (Some(_), Some(follower), _) if !follower.kind().contains("comment") => own.start..follower.range().start,
            // The comma before it goes, a comma after it stays as the trailing one.
            (_, _, Some(comma)) if comma.text() == "," => match comma_after {
                Some(after) => comma.range().end..after.range().end,
                None => comma.range().start..own.end,
            },
            (Some(after), ..) => own.start..after.range().end,
            _ => own,
        }
    }
}

/// Puts `text` in the place of `range`.
pub(crate) fn replace(range: Range<usize>, text: &str) -> Edit {
    Edit { start: range.start, end: range.end, text: text.to_owned() }
}

/// Puts `text` at byte `at`.
pub(crate) fn insert(at: usize, text: &str) -> Edit {
    replace(at..at, text)
}

#[cfg(test)]
mod tests {
    use conclave_core::language::Language;
    use conclave_core::patch::splice;

    use super::*;
    use crate::facts::ProjectFacts;
    use crate::syntax::Tree;

    fn check(before: &str, edit: impl for<'t> Fn(&Call<'t>, &Source<'t>) -> Edit, after: &str) {
        let (tree, facts) = (Tree::parse(Language::Python, before), ProjectFacts::default());
        let source = Source::new(&tree, &facts);
        let node = tree.root().walk().find(|node| node.is(&["call"])).expect("a call");
        let edit = edit(&Call::at(&node).expect("arguments"), &source);
        let text = splice(before.as_bytes(), &[edit]).expect("one edit");
        assert_eq!(String::from_utf8(text).expect("text"), after);
    }

    #[test]
    fn a_keyword_is_set_in_the_layout_of_the_call() {
        for (before, after) in [
            ("f()\n", "f(k=1)\n"),
            ("f(a)\n", "f(a, k=1)\n"),
            ("f(a, k=0, b=2)\n", "f(a, k=1, b=2)\n"),
            ("f(\n    a,\n    b=2,\n)\n", "f(\n    a,\n    b=2,\n    k=1,\n)\n"),
            ("f(\r\n\ta,\r\n)\r\n", "f(\r\n\ta,\r\n\tk=1,\r\n)\r\n"),
            ("f(a,  # why\n  b)\n", "f(a,  # why\n  b,\n  k=1)\n"),
        ] {
            check(before, |call, source| call.set_keyword(source, "k", "1").expect("no spread"), after);
        }
    }

    #[test]
    fn a_keyword_goes_with_its_comma() {
        for (before, after) in [
            ("f(k=1)\n", "f()\n"),
            ("f(a, k=1)\n", "f(a)\n"),
            ("f(k=1, a=2)\n", "f(a=2)\n"),
            ("f(a, k=1,)\n", "f(a,)\n"),
            ("f(\n    a,\n    k=1,\n    b=2,\n)\n", "f(\n    a,\n    b=2,\n)\n"),
            ("f(\n    a,\n    k=1,\n)\n", "f(\n    a,\n)\n"),
            ("f(\n    a,\n    k=1\n)\n", "f(\n    a\n)\n"),
        ] {
            check(before, |call, _| call.drop_keyword("k").expect("it is there"), after);
        }
    }
}
