//! What is known of agents' tools: which parameters name files, how those are touched, and what a call cannot lack.
//!
//! A tool that is not listed is judged by its parameters all the same; a parameter with one of the usual names counts
//! as a file that is written, because nobody has said that it is only read.

use conclave_policy::Access;
use conclave_policy::command::Sweep;
use serde_json::Value;

use super::call::texts;

/// How a tool names what it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// These parameters, a text or a list of texts each, name files or folders.
    Files(&'static [&'static str]),
    /// As [`Self::Files`]; without any of them it is the folder in which the call is made.
    FilesOrHere(&'static [&'static str]),
    /// As [`Self::FilesOrHere`]; lines of files that lie there are shown.
    Search(&'static [&'static str]),
    /// A text with the headers of `apply_patch` in one of these parameters.
    Patch(&'static [&'static str]),
    /// A shell command in one of these parameters.
    Shell(&'static [&'static str]),
    /// Addresses anywhere in these parameters.
    Addresses(&'static [&'static str]),
}

/// One known tool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Its exact name.
    pub name: &'static str,
    /// How it names what it touches.
    pub names: Names,
    /// How it touches that.
    pub access: Access,
}

/// The tools of the three clients, by their exact names.
pub(super) const KNOWN: &[Known] = &[
    // Claude Code
    files("Read", Access::Read, &["file_path"]),
    files("Write", Access::Write, &["file_path"]),
    files("Edit", Access::Write, &["file_path"]),
    files("MultiEdit", Access::Write, &["file_path"]),
    files("NotebookRead", Access::Read, &["notebook_path"]),
    files("NotebookEdit", Access::Write, &["notebook_path"]),
    here("Glob", &["path"]),
    search("Grep", &["path"]),
    here("LS", &["path"]),
    shell("Bash", &["command"]),
    shell("PowerShell", &["command"]),
    shell("Monitor", &["command"]),
    addresses("WebFetch", &["url"]),
    // Codex
    Known { name: "apply_patch", names: Names::Patch(&["command", "input", "patch"]), access: Access::Write },
    shell("shell", &["command"]),
    shell("shell_command", &["command"]),
    shell("local_shell", &["command"]),
    shell("exec_command", &["cmd", "command"]),
    files("view_image", Access::Read, &["path"]),
    // Gemini
    files("read_file", Access::Read, &["file_path", "absolute_path", "path"]),
    files("read_many_files", Access::Read, &["paths", "include"]),
    files("write_file", Access::Write, &["file_path", "path"]),
    files("replace", Access::Write, &["file_path"]),
    here("list_directory", &["dir_path", "path"]),
    here("glob", &["dir_path", "path"]),
    search("grep_search", &["dir_path", "path"]),
    search("search_file_content", &["dir_path", "path"]),
    shell("run_shell_command", &["command"]),
    addresses("web_fetch", &["prompt", "url"]),
];

/// Parameters that name a file in tools that are not listed.
pub(super) const USUAL: &[&str] = &[
    "file_path",
    "filepath",
    "file",
    "filename",
    "path",
    "paths",
    "notebook_path",
    "absolute_path",
    "dir_path",
    "directory",
    "folder",
    "source",
    "destination",
];

/// Parameters in which a listed shell tool is told where to run.
pub(super) const FOLDERS: &[&str] = &["workdir", "cwd", "directory", "dir_path"];

const fn files(name: &'static str, access: Access, parameters: &'static [&'static str]) -> Known {
    Known { name, names: Names::Files(parameters), access }
}

const fn here(name: &'static str, parameters: &'static [&'static str]) -> Known {
    Known { name, names: Names::FilesOrHere(parameters), access: Access::Read }
}

const fn search(name: &'static str, parameters: &'static [&'static str]) -> Known {
    Known { name, names: Names::Search(parameters), access: Access::Read }
}

const fn shell(name: &'static str, parameters: &'static [&'static str]) -> Known {
    Known { name, names: Names::Shell(parameters), access: Access::Write }
}

const fn addresses(name: &'static str, parameters: &'static [&'static str]) -> Known {
    Known { name, names: Names::Addresses(parameters), access: Access::Read }
}

/// The tool with exactly this name.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// What a call of `tool` lacks without which nobody can say what it touches, in words.
///
/// Only the parameters that are judged are looked at: what else a tool needs is its client's affair.
pub(super) fn lacks(tool: &Known, parameters: &Value) -> Option<String> {
    let Some(parameters) = parameters.as_object() else { return Some("its parameters are no object".to_owned()) };
    let (names, is_needed) = match tool.names {
        Names::Files(names) | Names::Patch(names) | Names::Shell(names) | Names::Addresses(names) => (names, true),
        Names::FilesOrHere(names) | Names::Search(names) => (names, false),
    };
    let given = |name: &str| parameters.get(name).filter(|value| !value.is_null());
    let is_texts = |value: &Value| match value {
        Value::String(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_string),
        _ => false,
    };
    if let Some(name) = names.iter().find(|name| given(name).is_some_and(|value| !is_texts(value))) {
        return Some(format!("`{name}` is no text"));
    }
    if is_needed && !names.iter().any(|name| given(name).is_some()) {
        return Some(format!("it has no `{}`", names.first()?));
    }
    match tool.names {
        Names::Search(_) if !given("pattern").is_some_and(Value::is_string) => Some("it has no `pattern`".to_owned()),
        Names::Patch(names) => names.iter().flat_map(|name| texts(parameters.get(*name))).find_map(unclear_header),
        _ => None,
    }
}

/// What a search with `tool` reads beneath `folder`.
///
/// Claude Code searches with ripgrep, hidden files included and ignored ones left out unless its `glob` names them; of the
/// others nothing is taken for left out but what all of them leave out: git's own folder, unless a glob may mean it.
pub(super) fn searched(tool: &Known, parameters: &Value, folder: &str) -> Sweep {
    let given = |name: &str| parameters.get(name).filter(|value| !value.is_null());
    let may_mean_git = |value: &Value| value.as_str().is_none_or(|glob| glob.to_ascii_lowercase().contains("git"));
    let opened = ["glob", "include", "include_pattern"].iter().filter_map(|name| given(name)).any(may_mean_git);
    let closed = if opened { Vec::new() } else { vec![".git".to_owned()] };
    match (tool.name, given("glob")) {
        ("Grep", None) => Sweep { folder: folder.to_owned(), hidden: true, closed, ..Sweep::default() },
        // The client splits several globs in a way of its own.
        ("Grep", Some(Value::String(glob))) if !glob.contains([' ', ',']) => {
            Sweep { folder: folder.to_owned(), hidden: true, globs: vec![glob.clone()], closed, ..Sweep::default() }
        }
        _ => Sweep { closed, ..Sweep::everything(folder) },
    }
}

/// The files that a text for `apply_patch` adds, updates, moves or deletes.
pub(super) fn patched_files(patch: &str) -> impl Iterator<Item = &str> {
    patch.lines().filter_map(patched_file)
}

/// The file that one line of a patch names as a header.
///
/// A header may be indented where the patch is; one more file named than touched only makes it stricter.
fn patched_file(line: &str) -> Option<&str> {
    const HEADERS: [&str; 4] = ["*** Add File:", "*** Update File:", "*** Delete File:", "*** Move to:"];
    let line = line.trim();
    HEADERS.iter().find_map(|header| line.strip_prefix(header)).map(str::trim).filter(|name| !name.is_empty())
}

/// Complains of the first line that another reader of patches may take for a header although it is not spelt as one.
fn unclear_header(patch: &str) -> Option<String> {
    const VERBS: [&str; 6] = ["add", "create", "update", "delete", "move", "rename"];
    let is_like_one = |line: &str| {
        let words = line.trim().strip_prefix("***").unwrap_or_default().to_ascii_lowercase();
        VERBS.iter().any(|verb| words.trim_start_matches(['*', ' ', '\t', '\u{a0}']).starts_with(verb))
    };
    let line = patch.lines().find(|line| is_like_one(line) && patched_file(line).is_none())?;
    Some(format!("`{}` is no header of a patch", line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert!(known("Bash").is_some() && known("bash").is_none() && known("Bash ").is_none());
        let twins = KNOWN.iter().filter(|tool| KNOWN.iter().filter(|other| other.name == tool.name).count() > 1);
        assert_eq!(twins.count(), 0);
    }

    #[test]
    fn a_search_leaves_out_what_its_client_does() {
        let grep = |tool: &str, parameters| searched(known(tool).unwrap(), &parameters, ".").closed;
        for tool in ["Grep", "grep_search"] {
            assert_eq!(grep(tool, serde_json::json!({ "pattern": "x", "glob": "*.{rs,ts}" })), [".git"], "{tool}");
            assert_eq!(grep(tool, serde_json::json!({ "pattern": "x", "glob": "{*.GIT,config}" })), [""; 0], "{tool}");
            assert_eq!(grep(tool, serde_json::json!({ "pattern": "x", "include": [".git"] })), [""; 0], "{tool}");
        }
    }

    #[test]
    fn a_patch_names_its_files() {
        let patch = "*** Begin Patch\n*** Add File: a b.txt\n+x\n  *** Update File: src/c.rs\n*** Move to: d.rs\n@@\n-*** \
                     not one\n*** Delete File: e\n*** End Patch";
        assert_eq!(patched_files(patch).collect::<Vec<_>>(), ["a b.txt", "src/c.rs", "d.rs", "e"]);
        assert_eq!(unclear_header(patch), None);
    }

    #[test]
    fn a_header_that_is_misspelt_is_not_passed_over() {
        for line in [
            "***  Add File: .git/hooks/x",
            "***Add File: x",
            "*** add file: x",
            "*** Move  to: x",
            "\t*** Delete File:",
        ] {
            let patch = format!("*** Begin Patch\n*** Add File: a\n+x\n{line}\n+x\n*** End Patch");
            assert_eq!(unclear_header(&patch), Some(format!("`{}` is no header of a patch", line.trim())));
        }
        for line in [" *** a ruler", "-*** Add a file", "***", "*** End of File"] {
            assert_eq!(unclear_header(line), None, "{line}");
        }
    }
}
