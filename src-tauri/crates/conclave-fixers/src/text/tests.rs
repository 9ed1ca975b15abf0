//! Built texts: reading and rewriting give back every other byte.

use conclave_core::language::Language;
use conclave_core::patch::splice;

use super::*;
use crate::facts::ProjectFacts;
use crate::source::Source;
use crate::syntax::Tree;

const KINDS: [&str; 9] = [
    "binary_operator",
    "binary_expression",
    "string",
    "concatenated_string",
    "template_string",
    "string_literal",
    "call",
    "identifier",
    "parenthesized_expression",
];

/// Reads the expression on the right of `x = …;`, shows values as `<expression>`, then cuts each value out for `?`.
fn check(language: Language, expression: &str, shown: Result<&str, &str>, rewritten: &str) {
    let text = match language {
        Language::Java => format!("class A {{ Object x = {expression}; }}"),
        _ => format!("x = {expression}\n"),
    };
    let (tree, facts) = (Tree::parse(language, &text), ProjectFacts::default());
    assert_eq!(tree.errors(), 0, "{text}");
    let source = Source::new(&tree, &facts);
    let start = text.find(expression).expect("it is there");
    let node = tree.root().walk().find(|node| node.range().start == start && node.is(&KINDS)).expect("an expression");
    let built = match (read(&source, &node), shown) {
        (Ok(built), _) => built,
        (Err(Unread::Odd(reason)), Err(part)) => return assert!(reason.contains(part), "{reason}"),
        (Err(Unread::NotText), Err(part)) => return assert_eq!(part, "no text", "{text}"),
        _ => panic!("`{expression}` is not read"),
    };
    let seen: String = built
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Char { c, .. } => c.to_string(),
            Piece::Value(value) => format!("<{}>", value.node.text()),
        })
        .collect();
    assert_eq!(Ok(seen.as_str()), shown, "{text}");
    let values = built.pieces.iter().enumerate().filter(|(_, piece)| matches!(piece, Piece::Value(_)));
    let cuts: Vec<Cut> = values.map(|(at, _)| Cut { first: at, last: at, with: "?".to_owned() }).collect();
    let edits = built.rewrite(&text, &cuts, PerCent::Single).expect("it can be cut");
    let after = String::from_utf8(splice(text.as_bytes(), &edits).expect("no overlap")).expect("text");
    assert!(after.contains(&format!("= {rewritten}")), "{after}");
}

#[test]
fn python_texts_are_read_however_they_are_built() {
    for (expression, shown, rewritten) in [
        ("'a'", "a", "'a'"),
        ("f'a {b} c'", "a <b> c", "'a ? c'"),
        ("rf\"a {b} {{c}}\"", "a <b> {c}", "r\"a ? {c}\""),
        ("'a ' + b", "a <b>", "'a ?'"),
        ("'a ' + b + ' c'", "a <b> c", "'a ? c'"),
        ("'a ' + b + \" c\"", "a <b> c", "'a ?' + \" c\""),
        ("'a ' + str(b) + f' {c}'", "a <str(b)> <c>", "'a ? ?'"),
        ("'a %s %% %d' % (b, c)", "a <b> % <c>", "'a ? % ?'"),
        ("'a %s' % b", "a <b>", "'a ?'"),
        ("'a {} {x} {{}}'.format(b, x=c)", "a <b> <c> {}", "'a ? ? {}'"),
        ("'a {1} {0}'.format(b, c)", "a <c> <b>", "'a ? ?'"),
        ("('a '\n     f'{b} '\n     'c')", "a <b> c", "('a '\n     '? '\n     'c')"),
        ("'a\\'' + b + '\\''", "a'<b>'", "'a\\'?\\''"),
        ("'a ' + (b + c)", "a <(b + c)>", "'a ?'"),
        ("'a ' + (b + 'c')", "a <(b + 'c')>", "'a ?'"),
        ("'a ' + b + (' c')", "a <b> c", "'a ?' + (' c')"),
        ("(\n    'a ' + b\n)", "a <b>", "(\n    'a ?'\n)"),
    ] {
        check(Language::Python, expression, Ok(shown), rewritten);
    }
}

#[test]
fn what_is_not_followed_says_so() {
    for (expression, reason) in [
        ("f'{b:>5}'", "formats its value"),
        ("f'{b!r}'", "formats its value"),
        ("f'{b=}'", "formats its value"),
        ("'%r' % b", "`%r` formats"),
        ("'%5d' % b", "`%5` formats"),
        ("'%s %s' % b", "from one variable"),
        ("'%(a)s' % {'a': b}", "dictionary"),
        ("'{0.a}'.format(b)", "formats its value"),
        ("'{}'.format(*b)", "from somewhere else"),
        ("'a'.replace('b', c)", "not followed"),
        ("'\\N{BULLET}'", "escape"),
        ("b'a'", "no text"),
        ("a + b", "no text"),
    ] {
        check(Language::Python, expression, Err(reason), "");
    }
}

#[test]
fn javascript_and_java_texts_are_read() {
    for (language, expression, shown, rewritten) in [
        (Language::JavaScript, "`a ${b} c`", "a <b> c", "`a ? c`"),
        (Language::JavaScript, "'a ' + b + ' c'", "a <b> c", "'a ? c'"),
        (Language::TypeScript, "`a ${b as string}`", "a <b as string>", "`a ?`"),
        (Language::JavaScript, "'a' + `${b}`", "a<b>", "'a' + `?`"),
        (Language::Java, "\"a \" + b + \" c\"", "a <b> c", "\"a ? c\""),
        (Language::Java, "\"a \" + b", "a <b>", "\"a ?\""),
        (Language::Java, "\"\"\"\n a \"\"\" + b + \" c\"", "\n a <b> c", "\"\"\"\n a ?\"\"\" + \" c\""),
    ] {
        check(language, expression, Ok(shown), rewritten);
    }
}
