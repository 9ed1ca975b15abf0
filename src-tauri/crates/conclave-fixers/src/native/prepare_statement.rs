//! Java: a `Statement` that runs a built text becomes a `PreparedStatement` with its values set.

use conclave_core::patch::{Edit, splice};

use super::bind_sql::holes;
use super::{Rewrite, movable, quoted, text};
use crate::call::{Call, insert, replace};
use crate::imports::Import;
use crate::source::Source;
use crate::sql::Hole;
use crate::syntax::Node;
use crate::text::{Cut, Part, PerCent, Value};

/// Methods that give text, whatever they are called on.
const GIVES_TEXT: [&str; 15] = [
    "getParameter",
    "getHeader",
    "getQueryString",
    "getRemoteUser",
    "toString",
    "trim",
    "strip",
    "substring",
    "toLowerCase",
    "toUpperCase",
    "concat",
    "replace",
    "format",
    "nextLine",
    "readLine",
];

pub(super) fn run<'t>(
    source: &Source<'t>,
    call: &Node<'t>,
    statement: &Node<'t>,
    query: &Node<'t>,
) -> Result<Rewrite, String> {
    let (value, text) = text(source, query, "the statement")?;
    let holes = holes(&text)?;
    let cut = |hole: &Hole| Cut { first: hole.first, last: hole.last, with: "?".to_owned() };
    let cuts: Vec<Cut> = holes.iter().map(cut).collect();
    let sql = text.rewrite(source.text(), &cuts, PerCent::Single)?;
    let maker = Maker::of(source, statement, call)?;
    let user = source.statement(call).filter(|user| !user.is(&["while_statement", "for_statement", "do_statement"]));
    let user = user.ok_or("the query runs in a place where no setter can stand before it")?;
    if user.contains(&maker.declaration) {
        return Err("the statement is opened and used in one `try (…)`, where no setter can stand".to_owned());
    }
    if value != *query {
        movable(source, &value, call, &text)?;
    }
    let (setters, review) = setters(source, &holes, &text.values().collect::<Vec<_>>(), &statement.text());
    let call_arguments = Call::at(call).ok_or("the arguments of the call are not read here")?;
    let more: Vec<String> = call_arguments.positional.iter().skip(1).map(|node| node.text().into_owned()).collect();
    let mut edits = maker.edits();
    let lines: String =
        setters.iter().map(|setter| format!("{setter}\n{}", source.indent(user.range().start))).collect();
    edits.push(insert(user.range().start, &lines));
    if let (Some(first), Some(last)) = (call_arguments.positional.first(), call_arguments.positional.last()) {
        edits.push(replace(first.range().start..last.range().end, ""));
    }
    // The text is a constant now, so it may stand where the statement is opened, however early that is.
    let built_in = source.statement(&value).filter(|_| value != *query);
    match built_in {
        Some(built_in) if built_in.range().end <= maker.declaration.range().start => {
            edits.extend(sql);
            edits.push(maker.arguments(&query.text(), &more)?);
        }
        other => {
            edits.push(maker.arguments(&inline(source, &value, &sql)?, &more)?);
            edits.extend(other.map(|statement| replace(source.room_of(&statement), "")));
        }
    }
    if !maker.kind.text().contains('.') {
        edits.extend(Import::parse(source.language(), "import java.sql.PreparedStatement;")?.edit(source, call)?);
    }
    Ok(Rewrite { edits, review })
}

/// The source of `value` with `edits` carried out.
fn inline(source: &Source<'_>, value: &Node<'_>, edits: &[Edit]) -> Result<String, String> {
    let range = value.range();
    let shifted = edits.iter().map(|edit| Edit {
        start: edit.start - range.start,
        end: edit.end - range.start,
        text: edit.text.clone(),
    });
    let bytes = splice(source.text()[range.clone()].as_bytes(), &shifted.collect::<Vec<_>>());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| "the values in the text overlap".to_owned())
}

/// Where the statement is opened.
struct Maker<'t> {
    /// `Statement s = …` as a declaration or a resource.
    declaration: Node<'t>,
    kind: Node<'t>,
    create: Call<'t>,
    /// `createStatement`.
    method: Node<'t>,
    /// Its arguments with the parentheses.
    list: Node<'t>,
}

impl<'t> Maker<'t> {
    fn of(source: &Source<'t>, statement: &Node<'t>, call: &Node<'t>) -> Result<Self, String> {
        let (name, at) = (statement.text(), statement.range().start);
        let value = source.names().only_value(&name, at);
        let value = value.ok_or_else(|| format!("`{name}` is not opened in this method, or more than once"))?;
        let method = value.field("name").filter(|method| method.text() == "createStatement");
        let method = method.ok_or_else(|| format!("`{name}` is opened in a way that is not read here"))?;
        let declared = ["local_variable_declaration", "resource"];
        let declaration = value.ancestors().find(|around| around.is(&declared));
        let declaration = declaration.ok_or_else(|| format!("`{name}` is kept in a field"))?;
        let (kind, list) = match (declaration.field("type"), value.field("arguments")) {
            (Some(kind), Some(list)) => (kind, list),
            _ => return Err(format!("`{name}` is opened in a way that is not read here")),
        };
        if declaration.parts().iter().filter(|part| part.is(&["variable_declarator"])).count() > 1 {
            return Err(format!("`{name}` is declared together with other variables"));
        }
        let maker =
            Self { declaration, kind, create: Call::at(&value).ok_or("a call without arguments")?, method, list };
        maker.check_uses(source, &name, at, call)?;
        Ok(maker)
    }

    /// A prepared statement runs one text, so every other use must be harmless.
    fn check_uses(&self, source: &Source<'t>, name: &str, at: usize, call: &Node<'t>) -> Result<(), String> {
        let scope = source.names().scope(name, at).unwrap_or(at..at);
        let declared = source.names().assignments(name, &scope);
        let root = source.root();
        for node in root.walk().filter(|node| node.is(&["identifier"]) && node.text() == name) {
            let start = node.range().start;
            if !scope.contains(&start) || declared.contains(&start) {
                continue;
            }
            let parent = node.parent().filter(|parent| parent.is(&["method_invocation"]));
            let parent = parent.filter(|parent| parent.field("object").is_some_and(|object| object == node));
            let method =
                parent.as_ref().and_then(|parent| parent.field("name")).map(|method| method.text().into_owned());
            let harmless = ["close", "set", "get", "is", "cancel", "clear"];
            match (parent, method) {
                (Some(parent), _) if parent == *call => {}
                (Some(_), Some(method)) if harmless.iter().any(|start| method.starts_with(start)) => {}
                (Some(_), Some(method)) => return Err(format!("`{name}` also runs `{method}`")),
                _ => return Err(format!("`{name}` is handed to other code")),
            }
        }
        Ok(())
    }

    /// The edits of the declaration except for its arguments.
    fn edits(&self) -> Vec<Edit> {
        let at = self.kind.text().len() - "Statement".len();
        vec![insert(self.kind.range().start + at, "Prepared"), replace(self.method.range(), "prepareStatement")]
    }

    /// Hands `sql` to the call as its first argument; `options` are those that the query's call had.
    fn arguments(&self, sql: &str, options: &[String]) -> Result<Edit, String> {
        let text = match (self.create.positional.is_empty(), options) {
            (true, []) => sql.to_owned(),
            (true, options) => format!("{sql}, {}", options.join(", ")),
            (false, []) => format!("{sql}, "),
            (false, _) => return Err("both the statement and the call carry options".to_owned()),
        };
        Ok(insert(self.list.range().start + 1, &text))
    }
}

/// The lines that set the values, and why a person should look.
fn setters<'t>(
    source: &Source<'t>,
    holes: &[Hole],
    values: &[&Value<'t>],
    statement: &str,
) -> (Vec<String>, Option<String>) {
    let mut review = None;
    let mut lines = Vec::new();
    for (index, hole) in holes.iter().enumerate() {
        let (setter, value) = match hole.parts.as_slice() {
            [Part::Value(number)] => {
                let node = &values[*number].node;
                let expression = node.text().into_owned();
                match (setter(&kind(source, node)), hole.quoted) {
                    (Some("setString"), true) => ("setString", expression),
                    (_, true) => ("setString", format!("String.valueOf({expression})")),
                    (Some("setString"), false) => {
                        review =
                            Some("text is bound where a number stood; some databases do not convert it".to_owned());
                        ("setString", expression)
                    }
                    (Some(setter), false) => (setter, expression),
                    (None, false) => {
                        review = Some("the type of the value is not known here, so the driver chooses".to_owned());
                        ("setObject", expression)
                    }
                }
            }
            parts => {
                let part = |part: &Part| match part {
                    Part::Text(text) => quoted(text, '"'),
                    Part::Value(number) => values[*number].node.text().into_owned(),
                };
                let mut sum: Vec<String> = parts.iter().map(part).collect();
                if matches!(parts.first(), Some(Part::Value(_))) && !matches!(parts.get(1), Some(Part::Text(_))) {
                    sum.insert(0, "\"\"".to_owned());
                }
                ("setString", sum.join(" + "))
            }
        };
        if hole.row_count {
            review = Some("some databases take only numbers as a row count".to_owned());
        }
        lines.push(format!("{statement}.{setter}({}, {value});", index + 1));
    }
    (lines, review)
}

/// The type of an expression as far as one file tells; empty when it does not.
fn kind<'t>(source: &Source<'t>, node: &Node<'t>) -> String {
    let declared = |name: &Node<'t>| {
        let kind = source.names().declared_type(&name.text(), name.range().start);
        kind.map(|kind| kind.text().into_owned()).unwrap_or_default()
    };
    match node.kind().as_ref() {
        "identifier" => declared(node),
        "array_access" => {
            let array = node.field("array").map(|array| declared(&array)).unwrap_or_default();
            array.strip_suffix("[]").unwrap_or_default().to_owned()
        }
        "string_literal" => "String".to_owned(),
        "decimal_integer_literal" => "int".to_owned(),
        "method_invocation" => {
            let name = node.field("name").map(|name| name.text().into_owned()).unwrap_or_default();
            let object = node.field("object").map(|object| object.text().into_owned()).unwrap_or_default();
            match (object.as_str(), name.as_str()) {
                ("Integer", "parseInt") => "int".to_owned(),
                ("Long", "parseLong") => "long".to_owned(),
                ("String", "valueOf") => "String".to_owned(),
                (_, name) if GIVES_TEXT.contains(&name) => "String".to_owned(),
                _ => String::new(),
            }
        }
        _ => String::new(),
    }
}

/// The setter for a type; boxed numbers may be null, which only `setObject` takes.
fn setter(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "String" | "java.lang.String" => "setString",
        "int" | "short" | "byte" => "setInt",
        "long" => "setLong",
        "double" => "setDouble",
        "float" => "setFloat",
        "boolean" => "setBoolean",
        "BigDecimal" => "setBigDecimal",
        "Timestamp" => "setTimestamp",
        "Integer" | "Long" | "Short" | "Double" | "Float" | "Boolean" | "UUID" => "setObject",
        _ => return None,
    })
}
