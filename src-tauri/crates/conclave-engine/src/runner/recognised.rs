//! Which runners a project has, and which steps a fix needs.

use std::collections::{BTreeMap, BTreeSet};

use conclave_core::path::RelPath;
use conclave_core::settings::ProjectCommands;

use super::folder::ancestors;
use super::{Folder, RUNNERS, Runner, Step, step};
use crate::source::Sources;

/// A step and the folder that it is started in.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub at: String,
    pub step: Step,
}

impl Planned {
    /// The command as a person could repeat it in the project’s folder.
    pub fn shown(&self) -> String {
        let command = self.step.shown();
        if self.at.is_empty() { command } else { format!("(cd {} && {command})", self.at) }
    }
}

/// A runner that a project has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The runner's name.
    pub runner: String,
    /// The folder that it is started in, empty for the project's own.
    pub folder: String,
    /// The words by which a person would start it.
    pub words: Vec<String>,
    /// The command with our arguments.
    pub command: Option<String>,
    /// Why it cannot be run, where it cannot.
    pub trouble: Option<String>,
}

/// The project as runners see it.
struct Project<'a> {
    files: &'a [String],
    sources: &'a Sources,
}

impl Project<'_> {
    fn folder<T>(&self, at: &str, look: impl FnOnce(&Folder<'_>) -> T) -> T {
        let root = self.sources.root();
        let text = |path: &str| Some(self.sources.file(&RelPath::new(path).ok()?).ok()?.text()?.to_owned());
        let installed = |path: &str| root.join(path).exists();
        look(&Folder { at, files: self.files, text: &text, installed: &installed })
    }

    /// Where `runner` is started for a file in the folder `parent`.
    fn place(&self, runner: &Runner, parent: &str) -> String {
        let marked = |at: &&str| self.folder(at, |folder| runner.markers.iter().any(|name| folder.has(name)));
        let mut all = ancestors(parent).filter(marked);
        let found = if runner.outermost { all.last() } else { all.next() };
        found.unwrap_or_default().to_owned()
    }

    /// The runner of the tests of the file at `path`.
    fn runner(&self, path: &RelPath) -> Option<(&'static Runner, String, Vec<String>)> {
        let of_kind = |runner: &&&Runner| runner.extensions.is_empty() || is_of(runner, path);
        RUNNERS.iter().filter(of_kind).find_map(|runner| {
            let at = self.place(runner, path.parent());
            let words = self.folder(&at, |folder| (runner.recognise)(folder))?;
            Some((*runner, at, words))
        })
    }
}

fn is_of(runner: &Runner, path: &RelPath) -> bool {
    let extension = path.file_name().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| runner.extensions.contains(&extension.as_str()))
}

/// The tests of the files that a fix touches, or why there are none for one of them.
pub(crate) fn test_steps<'t>(
    files: &[String],
    sources: &Sources,
    commands: &ProjectCommands,
    touched: impl Iterator<Item = &'t RelPath>,
) -> Vec<Result<Planned, String>> {
    let project = Project { files, sources };
    let planned = |at: String, words: &[String]| {
        let step = project.folder(&at, |folder| step(folder, words));
        step.map(|step| Planned { at, step })
    };
    if let Some(words) = &commands.test {
        return if words.is_empty() { Vec::new() } else { vec![planned(String::new(), words)] };
    }
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for path in touched {
        match project.runner(path) {
            None => all.push(Err(format!("Conclave recognises no tests for `{path}`"))),
            Some((runner, at, words)) => {
                if seen.insert((runner.name, at.clone())) {
                    all.push(planned(at, &words));
                }
            }
        }
    }
    all
}

/// The builds and type checks of the files that a fix touches.
pub(crate) fn build_steps<'t>(
    files: &[String],
    sources: &Sources,
    commands: &ProjectCommands,
    touched: impl Iterator<Item = &'t RelPath>,
) -> Vec<Result<Planned, String>> {
    if let Some(words) = &commands.build {
        let own = || Planned { at: String::new(), step: Step::new(words.iter().cloned()).roomy() };
        return if words.is_empty() { Vec::new() } else { vec![Ok(own())] };
    }
    let project = Project { files, sources };
    let mut groups: BTreeMap<(usize, String), Vec<&RelPath>> = BTreeMap::new();
    let mut all = Vec::new();
    for path in touched {
        // The build of this file alone says whether the runner builds such files there.
        let found = RUNNERS.iter().enumerate().filter(|(_, runner)| is_of(runner, path)).find_map(|(index, runner)| {
            let at = project.place(runner, path.parent());
            let file = below(&at, path);
            project.folder(&at, |folder| (runner.build)(folder, &[file])).map(|_| (index, at))
        });
        match found {
            Some(place) => groups.entry(place).or_default().push(path),
            None => all.push(Err(format!("Conclave recognises no build or type check for `{path}`"))),
        }
    }
    for ((index, at), paths) in groups {
        let paths: Vec<String> = paths.into_iter().map(|path| below(&at, path)).collect();
        let step = RUNNERS.get(index).and_then(|runner| project.folder(&at, |folder| (runner.build)(folder, &paths)));
        all.extend(step.map(|step| Ok(Planned { at, step })));
    }
    all
}

/// `path` as it is called in the folder `at`, which holds it.
fn below(at: &str, path: &RelPath) -> String {
    path.as_str().strip_prefix(at).unwrap_or(path.as_str()).trim_start_matches('/').to_owned()
}

/// The runners of the project’s tests, each once, for people.
pub fn recognised(sources: &Sources) -> Vec<Recognised> {
    let files = sources.tree().walk(&|_| true).files;
    let project = Project { files: &files, sources };
    let mut kinds = BTreeSet::new();
    let mut found: BTreeMap<(&str, String), Recognised> = BTreeMap::new();
    for path in files.iter().filter_map(|file| RelPath::new(file).ok()) {
        let extension = path.file_name().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let known = |runner: &&&Runner| is_of(runner, &path);
        // Files of one kind in one folder are tested alike.
        if !RUNNERS.iter().any(|runner| known(&runner)) || !kinds.insert((extension, path.parent().to_owned())) {
            continue;
        }
        let Some((runner, at, words)) = project.runner(&path) else { continue };
        found.entry((runner.name, at.clone())).or_insert_with(|| {
            let step = project.folder(&at, |folder| step(folder, &words));
            let (command, trouble) = match step {
                Ok(step) => (Some(step.shown()), None),
                Err(why) => (None, Some(why)),
            };
            Recognised { runner: runner.name.to_owned(), folder: at, words, command, trouble }
        });
    }
    found.into_values().collect()
}
