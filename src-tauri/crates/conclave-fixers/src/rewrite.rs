//! Carrying out a case for one match: its steps, its imports, and the checks that every rewrite must pass.

use conclave_core::candidate::FixClass;
use conclave_core::patch::{Edit, splice};

use crate::call::{Call, insert, replace};
use crate::native::Rewrite;
use crate::recipe::{Action, Case, Step};
use crate::source::Source;
use crate::syntax::{Match, Node, Tree};

/// A finished rewrite.
pub(crate) struct Fix {
    pub edits: Vec<Edit>,
    pub class: FixClass,
    /// Why a person should look more closely than the case alone asks for.
    pub review: Option<String>,
}

/// The places that belong to a match: itself, and where a text is built that it uses.
pub(crate) fn sites<'t>(case: &Case, source: &Source<'t>, found: &Match<'t>) -> Vec<Node<'t>> {
    let mut sites = vec![found.node()];
    if let Action::Fix { steps, .. } = &case.action {
        sites.extend(steps.iter().filter_map(|step| match step {
            Step::Native(native) => native.built_at(source, found),
            _ => None,
        }));
    }
    sites
}

/// The rewrite of `case` for one match.
///
/// # Errors
/// The reason why there is none.
pub(crate) fn fix<'t>(case: &Case, source: &Source<'t>, found: &Match<'t>) -> Result<Fix, String> {
    let (class, imports, steps) = match &case.action {
        Action::Advise { reason } => return Err(reason.clone()),
        Action::Fix { class, imports, steps } => (*class, imports, steps),
    };
    let mut whole = Rewrite::default();
    for step in steps {
        let part = run(step, source, found)?;
        whole.edits.extend(part.edits);
        whole.review = whole.review.or(part.review);
    }
    for import in imports {
        whole.edits.extend(import.edit(source, &found.node())?);
    }
    let edits = self::whole(whole.edits, source)?;
    let class = if whole.review.is_some() { FixClass::Review } else { class };
    Ok(Fix { edits, class, review: whole.review })
}

/// `edits` in order and in the line ending of the file, where together they change it and leave it as readable as it was.
///
/// # Errors
/// Why they do not.
pub(crate) fn whole(edits: Vec<Edit>, source: &Source<'_>) -> Result<Vec<Edit>, String> {
    let edits = in_line_ending(edits, source);
    let after = splice(source.text().as_bytes(), &edits).map_err(|_| "the parts of the fix overlap")?;
    let after = String::from_utf8(after).map_err(|_| "the fix would split a character")?;
    if after == source.text() {
        return Err("the fix would change nothing".to_owned());
    }
    let errors = |text: &str| Tree::parse(source.language(), text).errors();
    if errors(&after) > errors(source.text()) {
        return Err("the file would no longer parse".to_owned());
    }
    Ok(edits)
}

fn run<'t>(step: &Step, source: &Source<'t>, found: &Match<'t>) -> Result<Rewrite, String> {
    let node = found.node();
    let edit = match step {
        Step::Replace { at, with } => {
            let place = match at {
                Some(name) => found.var(name).ok_or("a part of the code is missing")?,
                None => node,
            };
            replace(place.range(), &with.render(found, source.text()))
        }
        Step::SetKeyword { name, to } => {
            let call = Call::at(&node).ok_or("the arguments of the call are not read here")?;
            call.set_keyword(source, name, &to.render(found, source.text()))?
        }
        Step::InsertAfter(template) => {
            let statement = source.statement(&node).ok_or("no statement can be added there")?;
            let indent = source.indent(statement.range().start);
            let lines = template.render(found, source.text());
            let text: String = lines.lines().map(|line| format!("\n{indent}{line}")).collect();
            insert(statement.range().end, &text)
        }
        Step::RemoveStatement => {
            let statement = source.statement(&node).ok_or("the statement cannot be taken out there")?;
            replace(source.room_of(&statement), "")
        }
        Step::Native(native) => return native.run(source, found),
    };
    Ok(Rewrite { edits: vec![edit], ..Rewrite::default() })
}

/// The edits in order, each once, with the line ending of the file.
fn in_line_ending(mut edits: Vec<Edit>, source: &Source<'_>) -> Vec<Edit> {
    if source.eol() == "\r\n" {
        for edit in &mut edits {
            edit.text = edit.text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
    }
    edits.sort();
    edits.dedup();
    edits.retain(|edit| source.text()[edit.start..edit.end] != edit.text);
    edits
}
