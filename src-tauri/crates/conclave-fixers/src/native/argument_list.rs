//! Python: `run("ls " + x, shell=True)` becomes `run(["ls", x])`.

use super::{Rewrite, embeddable, quoted, several_words, text};
use crate::call::{Call, replace};
use crate::shell;
use crate::source::Source;
use crate::syntax::Node;
use crate::text::{Part, Value};

pub(super) fn run<'t>(source: &Source<'t>, call: &Node<'t>, command: &Node<'t>) -> Result<Rewrite, String> {
    let call = Call::at(call).ok_or("the arguments of the call are not read here")?;
    if let Some(spread) = &call.spread {
        return Err(format!("`{}` may carry more arguments that concern the shell", spread.text()));
    }
    if call.positional.iter().any(|argument| argument != command) {
        return Err("the call passes further arguments by position".to_owned());
    }
    if call.keyword("executable").is_some() {
        return Err("`executable` names the shell to use".to_owned());
    }
    let (value, text) = text(source, command, "the command")?;
    let command = shell::words(&text.units())?;
    let mark = text.quote(source.text()).unwrap_or('"');
    let values: Vec<&Value<'t>> = text.values().collect();
    for bare in command.bare.iter().map(|index| values[*index]) {
        let quoted = is_quoted(source, bare);
        if let Some(reason) = several_words(&bare.node.text()).filter(|_| !quoted) {
            return Err(reason);
        }
    }
    let mut arguments = Vec::new();
    for word in &command.words {
        arguments.push(argument(source, word, &values, mark)?);
    }
    let mut edits = vec![replace(value.range(), &format!("[{}]", arguments.join(", ")))];
    edits.extend(call.drop_keyword("shell"));
    Ok(Rewrite { edits, review: None })
}

/// One argument as Python source.
fn argument<'t>(source: &Source<'t>, word: &[Part], values: &[&Value<'t>], mark: char) -> Result<String, String> {
    match word {
        [] => Ok(quoted("", mark)),
        [Part::Text(text)] => Ok(quoted(text, mark)),
        [Part::Value(index)] => {
            let value = values[*index];
            let expression = unquoted(source, value)?;
            let text = !value.converts || value.node.is(&["string"]) || expression.starts_with("str(");
            Ok(match (value.numeric, text) {
                (true, _) => format!("{} % {expression}", quoted("%d", mark)),
                (false, true) => expression,
                (false, false) => format!("str({expression})"),
            })
        }
        parts => joined(source, parts, values, mark),
    }
}

/// Text and values in one argument: an f-string where that can be read, else a sum.
fn joined<'t>(source: &Source<'t>, parts: &[Part], values: &[&Value<'t>], mark: char) -> Result<String, String> {
    let (mut formatted, mut sum, mut simple) = (String::new(), Vec::new(), true);
    for part in parts {
        match part {
            Part::Text(text) => {
                let literal = quoted(text, mark);
                formatted += &literal[1..literal.len() - 1].replace('{', "{{").replace('}', "}}");
                sum.push(literal);
            }
            Part::Value(index) => {
                let expression = unquoted(source, values[*index])?;
                simple &= embeddable(&expression);
                let number = if values[*index].numeric { ":d" } else { "" };
                formatted += &format!("{{{expression}{number}}}");
                sum.push(argument(source, std::slice::from_ref(part), values, mark)?);
            }
        }
    }
    Ok(if simple { format!("f{mark}{formatted}{mark}") } else { sum.join(" + ") })
}

/// Whether the value goes through a function that quotes it for a shell.
fn is_quoted<'t>(source: &Source<'t>, value: &Value<'t>) -> bool {
    let quoters = ["shlex.quote".to_owned(), "pipes.quote".to_owned()];
    value.node.field("function").is_some_and(|function| source.names().refers(&function, &quoters))
}

/// The expression of a value without the quoting for a shell, which a list of arguments does not want.
fn unquoted<'t>(source: &Source<'t>, value: &Value<'t>) -> Result<String, String> {
    match value.node.field("function").filter(|_| value.node.is(&["call"])) {
        Some(_) if is_quoted(source, value) => {
            let inner = Call::at(&value.node).and_then(|call| call.positional.first().cloned());
            Ok(inner.ok_or("the quoted value is not read here")?.text().into_owned())
        }
        Some(function) if ["quote", "escape"].iter().any(|part| function.text().to_lowercase().contains(part)) => {
            Err(format!("`{}` may already quote the value for a shell", function.text()))
        }
        _ => Ok(value.node.text().into_owned()),
    }
}
