//! Whether a project’s own code may run, and by which commands: the person’s word, kept in their settings.
//!
//! Invariant: no file of a project is asked. The bundled sample needs no word: Conclave wrote it.

use std::path::Path;

use conclave_core::settings::ProjectCommands;
use serde_json::json;

use crate::ctx::Ctx;
use crate::demo;
use crate::model_edit::{EditError, edit};
use crate::source::Sources;

/// The commands of the project in the folder `root`: absolute, links resolved.
pub fn commands(cx: &Ctx, root: &Path) -> ProjectCommands {
    let known = cx.settings().commands.get(&root.display().to_string()).cloned();
    known.unwrap_or_else(|| ProjectCommands { agreed: is_sample(cx, root), ..ProjectCommands::default() })
}

/// Whether `root` is the bundled sample project.
fn is_sample(cx: &Ctx, root: &Path) -> bool {
    cx.data.path().join(demo::FOLDER).canonicalize().is_ok_and(|sample| sample == root)
}

/// Whether code of the project may run; the person’s word, where there is one, goes before that it is the sample.
pub(crate) fn agreed(cx: &Ctx, sources: &Sources) -> bool {
    let root = sources.root();
    match cx.settings().commands.get(&root.display().to_string()) {
        Some(commands) => commands.agreed,
        None => is_sample(cx, &root) || demo::is_sample(sources),
    }
}

/// Why nothing of the project runs, in words; `None` where it may.
pub(crate) fn refusal(cx: &Ctx, sources: &Sources, what: &str) -> Option<String> {
    (!agreed(cx, sources)).then(|| {
        format!(
            "not run: you have not agreed that {what} may run; `conclave project commands {} --agree` lets them, in the \
             sandbox and without a network",
            sources.root().display()
        )
    })
}

/// What the person says anew; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Whether the commands may run.
    pub agreed: Option<bool>,
    /// The build; `Some(None)` goes back to the recognised one.
    pub build: Option<Option<Vec<String>>>,
    /// The tests, likewise.
    pub test: Option<Option<Vec<String>>>,
}

/// Keeps the person’s word about the project in the folder `root`: absolute, links resolved.
///
/// # Errors
/// See [`EditError`]; then the settings are as they were.
pub async fn save(cx: &Ctx, root: &Path, word: &Word) -> Result<ProjectCommands, EditError> {
    let name = root.display().to_string();
    let mut new = commands(cx, root);
    new.agreed = word.agreed.unwrap_or(new.agreed);
    if let Some(build) = &word.build {
        new.build.clone_from(build);
    }
    if let Some(test) = &word.test {
        new.test.clone_from(test);
    }
    for word in new.build.iter().chain(&new.test).flatten() {
        if word.contains('\0') {
            return Err(EditError::Wrong("a word of a command holds a character that no command can have".to_owned()));
        }
    }
    let kept = new.clone();
    edit(cx, move |_, root| {
        let all = root.entry("commands").or_insert_with(|| json!({}));
        let mut entry = json!({ "agreed": new.agreed });
        if let Some(build) = new.build {
            entry["build"] = json!(build);
        }
        if let Some(test) = new.test {
            entry["test"] = json!(test);
        }
        if !all.is_object() {
            *all = json!({});
        }
        all[name] = entry;
        Ok(())
    })
    .await?;
    Ok(kept)
}

/// Words as one line that splits into them again.
pub fn join(words: &[String]) -> String {
    let quoted = |word: &String| shlex::try_quote(word).map_or_else(|_| word.clone(), |word| word.into_owned());
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Splits a line into words as a shell would, without one: nothing in it is replaced or carried out.
///
/// # Errors
/// A quotation mark that is never closed.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    shlex::split(line).ok_or_else(|| format!("`{line}` has a quotation mark that is never closed"))
}
