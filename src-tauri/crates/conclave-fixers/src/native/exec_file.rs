//! JavaScript: `exec("ls " + x, done)` becomes `execFile("ls", [x], done)`.

use conclave_core::patch::Edit;

use super::{Rewrite, followed, quoted, several_words, text};
use crate::call::{Call, insert, replace};
use crate::imports::Import;
use crate::shell;
use crate::source::Source;
use crate::syntax::Node;
use crate::text::{Part, Value};

pub(super) fn run<'t>(
    source: &Source<'t>,
    node: &Node<'t>,
    function: &Node<'t>,
    command: &Node<'t>,
) -> Result<Rewrite, String> {
    let call = Call::at(node).ok_or("the arguments of the call are not read here")?;
    if let Some(spread) = &call.spread {
        return Err(format!("`{}` may carry options that concern the shell", spread.text()));
    }
    let review = call.positional.get(1).map_or(Ok(None), |options| check_options(source, options))?;
    let (value, text) = text(source, command, "the command")?;
    let shell_command = shell::words(&text.units())?;
    let mark = text.quote(source.text()).unwrap_or_else(|| source.quote());
    let values: Vec<&Value<'t>> = text.values().collect();
    let mut arguments: Vec<String> = shell_command.words.iter().map(|word| argument(word, &values, mark)).collect();
    if let Some(reason) = shell_command.bare.iter().find_map(|index| several_words(&values[*index].node.text())) {
        return Err(reason);
    }
    let program = arguments.remove(0);
    let batch = shell::is_batch_on_windows(program.trim_matches(['"', '\'']));
    let review =
        review.or_else(|| batch.then(|| format!("{program} is a batch file on Windows, which only a shell starts")));
    let list = format!("[{}]", arguments.join(", "));
    let mut edits = Vec::new();
    if value != *command {
        edits.push(replace(value.range(), &list));
        edits.push(insert(command.range().start, &format!("{program}, ")));
    } else if arguments.is_empty() {
        edits.push(replace(value.range(), &program));
    } else {
        edits.push(replace(value.range(), &format!("{program}, {list}")));
    }
    edits.extend(rename(source, function)?);
    Ok(Rewrite { edits, review })
}

/// Whether the second argument leaves the shell alone; with a reason to look where it cannot be read.
fn check_options<'t>(source: &Source<'t>, options: &Node<'t>) -> Result<Option<String>, String> {
    let value = followed(source, options);
    match value.kind().as_ref() {
        "object" if value.parts().iter().any(|part| part.is(&["spread_element"])) => {
            Ok(Some("the options are put together elsewhere".to_owned()))
        }
        "object" => {
            let shell = value.parts().iter().any(|pair| pair.field("key").is_some_and(|key| key.text() == "shell"));
            if shell { Err("the options name the shell to use".to_owned()) } else { Ok(None) }
        }
        "arrow_function" | "function_expression" => Ok(None),
        _ => Ok(Some("the second argument may be options that name a shell".to_owned())),
    }
}

/// One argument as JavaScript source; every argument must be text.
fn argument(word: &[Part], values: &[&Value<'_>], mark: char) -> String {
    match word {
        [] => quoted("", mark),
        [Part::Text(text)] => quoted(text, mark),
        [Part::Value(index)] => {
            let node = &values[*index].node;
            let text = node.is(&["string", "template_string"]) || node.text().starts_with("String(");
            if text { node.text().into_owned() } else { format!("String({})", node.text()) }
        }
        parts => {
            let part = |part: &Part| match part {
                Part::Text(text) => {
                    let literal = quoted(text, '`');
                    literal[1..literal.len() - 1].replace("${", "\\${")
                }
                Part::Value(index) => format!("${{{}}}", values[*index].node.text()),
            };
            format!("`{}`", parts.iter().map(part).collect::<String>())
        }
    }
}

/// The edits that make the call one of `execFile` or `execFileSync`.
fn rename<'t>(source: &Source<'t>, function: &Node<'t>) -> Result<Vec<Edit>, String> {
    let names = source.names().full_names(function);
    let wanted = if names.iter().any(|name| name.ends_with("Sync")) { "execFileSync" } else { "execFile" };
    if let Some(property) = function.field("property") {
        return Ok(vec![replace(property.range(), wanted)]);
    }
    let mut edits = vec![replace(function.range(), wanted)];
    let full = format!("child_process.{wanted}");
    let here = source.names().meanings(wanted, function.range().start);
    if here.contains(&full) {
        return Ok(edits);
    }
    if !source.names().lookup(wanted, function.range().start).is_empty() {
        return Err(format!("the name `{wanted}` already means something else in this file"));
    }
    let local = function.text();
    let bound = source.names().assignments(&local, &(0..source.text().len()));
    let root = source.root();
    let entry =
        root.walk().filter(|node| bound.contains(&node.range().start) && node.text() == local).find_map(|name| {
            match name.kind().as_ref() {
                "shorthand_property_identifier_pattern" => Some(name),
                _ => name.parent().filter(|parent| parent.is(&["import_specifier", "pair_pattern"])),
            }
        });
    match entry {
        Some(entry) if source.reads(&local, function.range().start) == 1 => edits.push(replace(entry.range(), wanted)),
        Some(entry) => edits.push(insert(entry.range().end, &format!(", {wanted}"))),
        None => {
            let line = format!("import {{ {wanted} }} from 'node:child_process';");
            edits.extend(Import::parse(source.language(), &line)?.edit(source, function)?);
        }
    }
    Ok(edits)
}
