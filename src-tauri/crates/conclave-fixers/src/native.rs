//! Rewrites that need code: each is a function from a match to edits, or to a refusal in words.

mod argument_list;
mod bind_sql;
mod exec_file;
mod prepare_statement;

use conclave_core::patch::Edit;
use std::collections::BTreeMap;

use crate::source::Source;
use crate::syntax::{Match, Node};
use crate::text::{Built, Unread, read};

/// A rewrite by name, with the metavariables that it works on.
#[derive(Debug)]
pub(crate) enum Native {
    /// Python: a shell command becomes a list of arguments, and `shell` goes.
    ArgumentList { command: String },
    /// JavaScript: `exec` of a command becomes `execFile` of a program with a list of arguments.
    ExecFile { function: String, command: String },
    /// Python and JavaScript: values in a SQL text become placeholders and bound parameters.
    BindSql { query: String },
    /// Java: a `Statement` that runs a built text becomes a `PreparedStatement`.
    PrepareStatement { statement: String, query: String },
}

/// What a rewrite changes.
#[derive(Default)]
pub(crate) struct Rewrite {
    pub edits: Vec<Edit>,
    /// Why a person should look more closely than the case alone asks for.
    pub review: Option<String>,
}

impl Native {
    /// The rewrite called `name`.
    ///
    /// # Errors
    /// In words, for an unknown name or a wrong set of arguments.
    pub fn new(name: &str, args: &BTreeMap<String, String>) -> Result<Self, String> {
        let given: Vec<&str> = args.keys().map(String::as_str).collect();
        let var = |key: &str| args[key].trim_start_matches('$').to_owned();
        match (name, given.as_slice()) {
            ("argument_list", ["command"]) => Ok(Self::ArgumentList { command: var("command") }),
            ("exec_file", ["command", "function"]) => {
                Ok(Self::ExecFile { function: var("function"), command: var("command") })
            }
            ("bind_sql", ["query"]) => Ok(Self::BindSql { query: var("query") }),
            ("prepare_statement", ["query", "statement"]) => {
                Ok(Self::PrepareStatement { statement: var("statement"), query: var("query") })
            }
            _ => Err(format!("there is no rewrite `{name}` with the arguments {given:?}")),
        }
    }

    /// Where the text is built that the rewrite takes apart: at the match, or where a variable is given it.
    pub fn built_at<'t>(&self, source: &Source<'t>, found: &Match<'t>) -> Option<Node<'t>> {
        let (Self::ArgumentList { command: text }
        | Self::ExecFile { command: text, .. }
        | Self::BindSql { query: text }
        | Self::PrepareStatement { query: text, .. }) = self;
        found.var(text).map(|node| followed(source, &node))
    }

    /// Carries it out for one match.
    ///
    /// # Errors
    /// In words, why it must not.
    pub fn run<'t>(&self, source: &Source<'t>, found: &Match<'t>) -> Result<Rewrite, String> {
        let var = |name: &str| found.var(name).ok_or("a part of the code is missing");
        let node = found.node();
        match self {
            Self::ArgumentList { command } => argument_list::run(source, &node, &var(command)?),
            Self::ExecFile { function, command } => exec_file::run(source, &node, &var(function)?, &var(command)?),
            Self::BindSql { query } => bind_sql::run(source, &node, &var(query)?),
            Self::PrepareStatement { statement, query } => {
                prepare_statement::run(source, &node, &var(statement)?, &var(query)?)
            }
        }
    }
}

/// The expression behind `node`: for a variable that is assigned exactly once, what is assigned to it.
pub(crate) fn followed<'t>(source: &Source<'t>, node: &Node<'t>) -> Node<'t> {
    let value = node.is(&["identifier"]).then(|| source.names().only_value(&node.text(), node.range().start)).flatten();
    value.unwrap_or_else(|| node.clone())
}

/// Reads the text at `node`, through a variable that is assigned and read once; with the expression that builds it.
fn text<'t>(source: &Source<'t>, node: &Node<'t>, what: &str) -> Result<(Node<'t>, Built<'t>), String> {
    let value = followed(source, node);
    if value != *node && source.reads(&node.text(), node.range().start) != 1 {
        return Err(format!("the variable `{}` is read in more than one place", node.text()));
    }
    match read(source, &value) {
        Ok(text) => Ok((value, text)),
        Err(Unread::Odd(reason)) => Err(reason),
        Err(Unread::NotText) => Err(format!("{what} is built elsewhere, out of sight of this recipe")),
    }
}

/// Checks that every value of `text`, built at `value`, still means the same at `user`.
///
/// # Errors
/// In words, for the first that may not.
fn movable<'t>(source: &Source<'t>, value: &Node<'t>, user: &Node<'t>, text: &Built<'t>) -> Result<(), String> {
    let Some(statement) = source.statement(value).filter(|statement| source.follows(user, statement)) else {
        return Err("the text is built on another path through the code than the call".to_owned());
    };
    // Nothing runs in between, so nothing can differ.
    if source.statement(user).is_some_and(|user| statement.next() == Some(user)) {
        return Ok(());
    }
    for part in text.values() {
        if !part.node.walk().filter(Node::is_named).all(|node| is_steady(&node)) {
            return Err(format!("`{}` would be evaluated later than now", part.node.text()));
        }
        for name in part.node.walk().filter(|node| node.is(&["identifier"])) {
            let scope = source.names().scope(&name.text(), name.range().start);
            let changes = scope.map(|scope| source.names().assignments(&name.text(), &scope)).unwrap_or_default();
            if changes.iter().any(|at| *at > value.range().start) {
                return Err(format!("`{}` changes after the text is built", name.text()));
            }
        }
    }
    Ok(())
}

/// Whether a node gives the same value later, as long as no name in it is assigned.
fn is_steady(node: &Node<'_>) -> bool {
    const STEADY: [&str; 18] = [
        "identifier",
        "property_identifier",
        "attribute",
        "member_expression",
        "field_access",
        "subscript",
        "subscript_expression",
        "array_access",
        "this",
        "self",
        "string",
        "string_start",
        "string_content",
        "string_end",
        "string_fragment",
        "integer",
        "number",
        "decimal_integer_literal",
    ];
    let conversion = |call: &Node<'_>| {
        call.field("function").is_some_and(|function| matches!(function.text().as_ref(), "str" | "int" | "String"))
    };
    match node.kind().as_ref() {
        "call" | "call_expression" => conversion(node),
        "argument_list" | "arguments" => node.parent().is_some_and(|call| conversion(&call)),
        _ => node.is(&STEADY),
    }
}

/// Why a value that a shell would split at blanks is more than one argument; `None` when nothing says so.
fn several_words(expression: &str) -> Option<String> {
    if expression.contains("join(") {
        return Some("the value is a list in one text; its items have to be arguments of their own".to_owned());
    }
    let name = expression.trim_end_matches(['"', '\'', ']', ')']);
    let name = name.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(name);
    let last = name.rsplit('_').next().unwrap_or(name).to_lowercase();
    let plural = [
        "args",
        "argv",
        "arguments",
        "options",
        "opts",
        "flags",
        "params",
        "parameters",
        "files",
        "paths",
        "cmd",
        "command",
        "extra",
    ];
    plural.iter().any(|word| last.ends_with(word)).then(|| format!("by its name `{name}` holds several words"))
}

/// `text` as a string literal between `mark`s, for Python, JavaScript and Java.
fn quoted(text: &str, mark: char) -> String {
    let mut out = String::from(mark);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark || c == '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push(mark);
    out
}

/// Whether an expression may stand between the braces of an f-string or a template string.
fn embeddable(expression: &str) -> bool {
    expression.chars().all(|c| c.is_alphanumeric() || "_.()[], +-*/".contains(c))
}
