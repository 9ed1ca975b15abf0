//! Replacement text with metavariables in it.
//!
//! What a metavariable holds is copied byte for byte. Deliberately absent: layout; an edit that opens a new line does
//! that itself.

use crate::syntax::Match;

/// A parsed template.
#[derive(Debug, PartialEq)]
pub(crate) struct Template(Vec<Segment>);

#[derive(Debug, PartialEq)]
enum Segment {
    Text(String),
    /// `$NAME`
    One(String),
    /// `$$$NAME`
    Many(String),
}

impl Template {
    /// Reads `text`; `$NAME` and `$$$NAME` in capitals are metavariables, every other `$` is itself.
    pub fn new(text: &str) -> Self {
        let (mut segments, mut rest) = (Vec::new(), text);
        while let Some(dollar) = rest.find('$') {
            let marks = rest[dollar..].len() - rest[dollar..].trim_start_matches('$').len();
            let name = &rest[dollar + marks..];
            let end = name.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(name.len());
            let segment = match (marks, &name[..end]) {
                (1, name) if !name.is_empty() => Segment::One(name.to_owned()),
                (3, name) if !name.is_empty() => Segment::Many(name.to_owned()),
                _ => Segment::Text("$".repeat(marks) + &name[..end]),
            };
            segments.push(Segment::Text(rest[..dollar].to_owned()));
            segments.push(segment);
            rest = &name[end..];
        }
        segments.push(Segment::Text(rest.to_owned()));
        Self(segments)
    }

    /// The text for one match; a metavariable that holds nothing is empty.
    pub fn render(&self, found: &Match<'_>, source: &str) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::One(name) => found.var(name).map(|node| node.text().into_owned()).unwrap_or_default(),
            Segment::Many(name) => found.vars(name).map(|range| source[range].to_owned()).unwrap_or_default(),
        };
        self.0.iter().map(segment).collect()
    }
}

#[cfg(test)]
mod tests {
    use conclave_core::language::Language;

    use super::*;
    use crate::syntax::{Matcher, Tree, from_yaml};

    #[test]
    fn metavariables_are_copied_byte_for_byte() {
        let text = "f(a,  g(\r\n\tb))";
        let tree = Tree::parse(Language::JavaScript, text);
        let rule = from_yaml("rule: {pattern: '$F($A, $$$B)'}").expect("a rule");
        let matcher = Matcher::compile(&rule, Language::JavaScript).expect("it compiles");
        let found = tree.root().walk().find_map(|node| matcher.at(&node)).expect("a match");
        for (template, expect) in
            [("$F[$A]", "f[a]"), ("h($$$B)", "h(g(\r\n\tb))"), ("`${a} $1 $$ $`", "`${a} $1 $$ $`"), ("$NONE;", ";")]
        {
            assert_eq!(Template::new(template).render(&found, text), expect, "{template}");
        }
    }
}
