//! Which files a shell text of a call touches.
//!
//! A text that is not understood names none here; that it is not understood is a matter for rules about commands. One
//! more file named than touched only makes a request stricter.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use conclave_policy::command::{self, SimpleCommand, Sweep};
use conclave_policy::{Access, TouchedPath};
use serde_json::Value;

use super::call::{Resolve, expanded};

/// The longest name, in bytes, that a system opens.
const LONGEST_NAME: usize = 4096;

/// What is searched or copied whole, and the folder from which it is named.
pub(super) type Swept = (PathBuf, Sweep);

/// A command as shell text: as it stands, or from a program and its arguments.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().map(Value::as_str).collect::<Option<_>>()?;
            Some(Cow::Owned(command::text_of(&words)))
        }
        _ => None,
    }
}

/// The files that a shell text names: those that the shell opens, the folders it changes to, and every argument that is
/// or may be a file.
pub(super) fn paths(text: &str, folder: &Path, resolve: Resolve<'_>) -> Vec<TouchedPath> {
    let mut paths = Vec::new();
    let mut made = Made::default();
    for command in command::inspect(text).unwrap_or_default() {
        let place = command.directory.as_deref();
        let folder = made.clean(&place.map_or(folder.to_owned(), |place| folder.join(expanded(place))));
        let access = if command::reads_what_it_names(&command) { Access::Read } else { Access::Write };
        if command::read_only(&command) && is_git(&command) && is_taken_for_a_repository(&folder) {
            let given = folder.to_string_lossy().into_owned();
            paths.push(TouchedPath { given, real: None, access: Access::Write });
        }
        let opened = command.redirects.iter().map(|redirect| (redirect.path.as_str(), redirect.access));
        let named = arguments(&command, &folder).into_iter().map(|(name, whole)| match whole {
            true => (name, access),
            false => (name, Access::Read),
        });
        // A command that names no folder may search the one in which it runs.
        let here = place.map(|_| (".", Access::Read));
        for (name, access) in opened.chain(named).chain(here) {
            let from = folder.join(expanded(name));
            let clean = made.clean(&from);
            let touched = match clean == from {
                true => resolve(&expanded(name), &folder, access),
                false => resolve(&clean, &folder, access),
            };
            paths.push(TouchedPath { given: name.to_owned(), ..touched });
        }
        made.note(&command, &folder);
    }
    paths
}

/// What a shell text searches or copies whole.
pub(super) fn sweeps(text: &str, folder: &Path) -> Vec<Swept> {
    let commands = command::inspect(text).unwrap_or_default();
    let from = |place: Option<&str>| place.map_or(folder.to_owned(), |place| folder.join(expanded(place)));
    let named = |sweep: Sweep| Sweep { folder: expanded(&sweep.folder).to_string_lossy().into_owned(), ..sweep };
    command::sweeps(&commands).into_iter().map(|(place, sweep)| (from(place), named(sweep))).collect()
}

/// The folders that the text itself makes with `mkdir`, and that are not there yet.
///
/// A step up out of one leads to where it was made. That holds as long as nothing before may have put a link in its
/// place.
#[derive(Default)]
struct Made {
    folders: Vec<PathBuf>,
    /// Whether something ran that does more than look and make folders.
    other: bool,
}

impl Made {
    fn note(&mut self, command: &SimpleCommand, folder: &Path) {
        if command.program == "mkdir" && !self.other {
            let operands = command.args.iter().filter(|arg| !arg.starts_with('-'));
            let folders = operands.map(|name| self.clean(&folder.join(expanded(name)))).collect::<Vec<_>>();
            self.folders.extend(folders);
        } else if command.program != "cd" && !command::read_only(command) {
            self.other = true;
        }
    }

    /// `path` without the steps up out of folders that are made.
    fn clean(&self, path: &Path) -> PathBuf {
        let mut clean = PathBuf::new();
        for part in path.components() {
            let is_made = || {
                self.folders.iter().any(|folder| folder.starts_with(&clean))
                    && clean.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
            };
            if part == Component::ParentDir && is_made() {
                clean.pop();
            } else {
                clean.push(part);
            }
        }
        clean
    }
}

fn is_git(command: &SimpleCommand) -> bool {
    command.program.ends_with("git")
}

/// Whether git may take `folder`, or one above it before the repository's own, for a repository because of the plain
/// files in it: such a folder can be made by writing files, and git runs programs that its configuration names.
///
/// What else it wants beside a `HEAD` may lie in another folder that this one names.
fn is_taken_for_a_repository(folder: &Path) -> bool {
    let mut within = folder.ancestors().take_while(|folder| !folder.join(".git").exists());
    within.any(|folder| folder.join("HEAD").symlink_metadata().is_ok())
}

/// Programs for which a part of an argument is never a file, though it may look like one.
const PATTERNS_AND_TEXTS: &[&str] = &["awk", "egrep", "fgrep", "gawk", "grep", "jq", "mawk", "rg", "sed"];

/// Programs that take a glob behind these options, and open nothing by it.
const TAKE_GLOBS: &[&str] = &["egrep", "fgrep", "grep", "rg", "rgrep", "rsync", "tar", "tree"];
const GLOB_OPTIONS: &[&str] = &["--exclude=", "--exclude-dir=", "--glob=", "--iglob=", "--include="];

/// Tests of find with a pattern for names.
const FIND_NAMES: &[&str] = &["-iname", "-ipath", "-iregex", "-name", "-path", "-regex", "-wholename"];

/// What may name a file among a command's arguments, and whether it is an argument or the value of an option as a whole.
fn arguments<'a>(command: &'a SimpleCommand, folder: &Path) -> Vec<(&'a str, bool)> {
    let program = command.program.rsplit('/').next().unwrap_or_default();
    let mut found = Vec::new();
    let mut before = "";
    for argument in &command.args {
        let is_pattern = program == "find" && FIND_NAMES.contains(&before)
            || TAKE_GLOBS.contains(&program) && GLOB_OPTIONS.iter().any(|option| argument.starts_with(option));
        before = argument;
        if is_pattern {
            continue;
        }
        let whole = whole(argument, folder);
        let mut inside = match program {
            "git" => in_a_revision(argument),
            _ if PATTERNS_AND_TEXTS.contains(&program) => Vec::new(),
            _ => parts(argument).into_iter().filter(|part| may_be(part, folder)).collect(),
        };
        inside.extend(behind_letters(argument, folder));
        inside.sort_unstable();
        inside.dedup();
        found.extend(whole.map(|name| (name, true)));
        found.extend(inside.into_iter().filter(|part| Some(*part) != whole).map(|name| (name, false)));
    }
    found
}

fn exists(name: &str, folder: &Path) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && folder.join(name).symlink_metadata().is_ok()
}

/// Whether a part of an argument is a file, or begins like the name of one.
fn may_be(name: &str, folder: &Path) -> bool {
    exists(name, folder) || name.starts_with(['/', '~', '.'])
}

/// An argument that may be a file, or the value behind its `=`.
fn whole<'a>(argument: &'a str, folder: &Path) -> Option<&'a str> {
    let value = match argument.strip_prefix('-') {
        None => argument,
        Some(option) => option.split_once('=')?.1,
    };
    (may_be(value, folder) || value.contains('/') && !value.contains("://")).then_some(value)
}

/// Whatever behind letters of options in the same word may be a file: a letter may itself look like the beginning of a
/// name.
fn behind_letters<'a>(argument: &'a str, folder: &Path) -> Vec<&'a str> {
    let Some(option) = argument.strip_prefix('-').filter(|option| !option.starts_with('-')) else { return Vec::new() };
    let values = option.char_indices().skip(1).map(|(at, _)| &option[at..]);
    values.filter(|value| value.len() > 1 && may_be(value, folder)).collect()
}

/// The parts of an argument that programs take for files: behind `@`, `=`, `<`, `:` and `,`, as in `name=@file;type=x` and
/// `host:file`, and what stands before a `:`.
fn parts(argument: &str) -> Vec<&str> {
    let mut found = Vec::new();
    if argument.contains("://") {
        return found;
    }
    found.extend(argument.split_once(':').map(|(before, _)| before));
    let places = argument.match_indices(['@', '=', '<', ':', ',', ';']);
    for rest in places.map(|(at, _)| &argument[at + 1..]) {
        let ends = rest.split([',', ';']).next().unwrap_or_default();
        found.extend([rest, ends].map(|part| part.trim_matches(['"', '\''])));
    }
    found.retain(|part| !part.is_empty());
    found
}

/// The file that an argument of git means: as it stands, in a `revision:file`, behind the signs of a pathspec or the lines
/// of `-L`.
fn in_a_revision(argument: &str) -> Vec<&str> {
    let leaves_out = [":!", ":^", ":(exclude"].iter().any(|sign| argument.starts_with(sign));
    let is_option = argument.starts_with('-');
    if is_option && !argument.starts_with("-L")
        || leaves_out
        || argument.contains("://")
        || argument.contains(char::is_whitespace)
    {
        return Vec::new();
    }
    let behind = |(at, _)| argument[at + 1..].trim_start_matches([':', '0', '1', '2', '3', '/']);
    let parts = argument.match_indices([':', ')']).map(behind);
    std::iter::once(argument).filter(|_| !is_option).chain(parts).filter(|part| !part.is_empty()).collect()
}
