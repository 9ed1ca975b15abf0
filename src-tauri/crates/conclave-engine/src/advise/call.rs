//! From an agent's call to the request that a policy judges.
//!
//! The parameters go into the request as they came; what else the request says is read off them and never put back.
//! Invariants: what cannot be read makes the request stricter (a path that is nowhere, a host that is none), never
//! smaller.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conclave_policy::{Access, Action, Actor, ToolCall, ToolRequest, TouchedPath, command, digest_parts, keys};
use serde_json::Value;
use url::Url;

use super::tools::{self, Names};

/// The most different hosts that one call may name.
const MOST_HOSTS: usize = 16;

/// The most files that one call may name.
const MOST_PATHS: usize = 4096;

/// The most letters of options before a value in the same word.
const LETTERS: usize = 16;

/// Stands for an address whose host cannot be told; no host on earth has this name.
const NO_HOST: &str = "unreadable.invalid";

/// The key in a request's context for the client's own permission mode.
pub const MODE: &str = "mode";

/// What an agent is about to do, or has done, in the client's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCall {
    /// The program that runs the agent: `claude-code`, `codex`, `gemini`, or what an MCP client calls itself.
    pub client: String,
    /// The tool's name; any text.
    pub tool: String,
    /// The MCP server that offers the tool, where it is one.
    pub server: Option<String>,
    /// The client's session.
    pub session: Option<String>,
    /// What the client calls this call.
    pub call_id: Option<String>,
    /// The folder in which it is made.
    pub cwd: Option<String>,
    /// The client's permission mode.
    pub mode: Option<String>,
    /// What is passed to the tool, as it came.
    pub parameters: Value,
}

/// What a name, seen from a folder, really touches.
pub(super) type Resolve<'a> = &'a dyn Fn(&Path, &Path, Access) -> TouchedPath;

/// A call about too much to judge it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call names more than {most} {what}; split it")]
pub struct TooMuch {
    most: usize,
    what: &'static str,
}

impl AgentCall {
    /// A call of which only tool and parameters are known yet.
    pub fn new(client: impl Into<String>, tool: impl Into<String>, parameters: Value) -> Self {
        Self {
            client: client.into(),
            tool: tool.into(),
            server: None,
            session: None,
            call_id: None,
            cwd: None,
            mode: None,
            parameters,
        }
    }

    /// What the tool gets, as one digest: tool and parameters, whatever happens around them. The order of keys means
    /// nothing.
    pub fn digest(&self) -> String {
        let mut parameters = self.parameters.clone();
        parameters.sort_all_objects();
        let parameters = parameters.to_string();
        digest_parts(["conclave-call-1", &self.tool, &parameters].map(str::as_bytes))
    }

    /// The requests that this call amounts to: one, and one more for each further host that it names.
    ///
    /// `resolve` says what a name, seen from a folder, really touches.
    pub(super) fn requests(&self, resolve: Resolve<'_>) -> Result<(ToolRequest, Vec<ToolRequest>), TooMuch> {
        let mut request = ToolRequest::new(Actor::Agent(self.client.clone()), Action::CallTool, &self.tool);
        request.paths = self.paths(resolve);
        if request.paths.len() > MOST_PATHS {
            return Err(TooMuch { most: MOST_PATHS, what: "files" });
        }
        if let Some(mode) = &self.mode {
            request = request.with(MODE, mode);
        }
        if let Some(project) = self.project() {
            request = request.with(keys::PROJECT, project.to_string_lossy());
        }
        request.call = Some(Box::new(ToolCall {
            tool: self.tool.clone(),
            server: self.server.clone().or_else(|| server_of(&self.tool)),
            session: self.session.clone(),
            cwd: self.cwd.clone(),
            parameters: self.parameters.clone(),
        }));
        let mut hosts = self.hosts().into_iter();
        if hosts.len() > MOST_HOSTS {
            return Err(TooMuch { most: MOST_HOSTS, what: "hosts" });
        }
        let Some(first) = hosts.next() else { return Ok((request, Vec::new())) };
        let others = hosts.map(|host| request.clone().with(keys::HOST, host)).collect();
        Ok((request.with(keys::HOST, first), others))
    }

    /// The folder of the project around this call: the nearest one above it that is a repository or has project rules.
    pub fn project(&self) -> Option<PathBuf> {
        let here = Path::new(self.cwd.as_deref()?);
        // Only links are followed; nothing is read.
        let here = conclave_effects::resolve(here).ok()?;
        let marked = |folder: &&Path| [".git", ".conclave"].iter().any(|name| folder.join(name).exists());
        here.ancestors().find(marked).map(Path::to_path_buf)
    }

    fn paths(&self, resolve: Resolve<'_>) -> Vec<TouchedPath> {
        let here = Path::new(self.cwd.as_deref().unwrap_or_default());
        let named = |names: &[&str]| names.iter().flat_map(|name| texts(self.parameters.get(name))).collect::<Vec<_>>();
        match tools::known(&self.tool) {
            Some(tool) => match tool.names {
                Names::Files(names) => files(&named(names), here, tool.access, resolve),
                Names::FilesOrHere(names) => {
                    let mut found = named(names);
                    if found.is_empty() {
                        found.push(".");
                    }
                    files(&found, here, tool.access, resolve)
                }
                Names::Patch(names) => {
                    let patches = named(names);
                    let found: Vec<&str> = patches.iter().flat_map(|patch| tools::patched_files(patch)).collect();
                    files(&found, here, tool.access, resolve)
                }
                Names::Shell(names) => {
                    let folders = named(tools::FOLDERS);
                    let folder = folders.first().map_or(here.to_owned(), |folder| here.join(folder));
                    // A search that names no folder searches the one in which it runs.
                    let mut found = files(&folders, here, Access::Read, resolve);
                    for text in names.iter().filter_map(|name| shell_text(self.parameters.get(name)?)) {
                        found.extend(shell_paths(&text, &folder, resolve));
                    }
                    found
                }
                Names::Addresses(_) => Vec::new(),
            },
            None => {
                let mut found = Vec::new();
                usual_names(&self.parameters, false, &mut found);
                files(&found.iter().map(String::as_str).collect::<Vec<_>>(), here, Access::Write, resolve)
            }
        }
    }

    /// Every host that the call names, sorted.
    fn hosts(&self) -> BTreeSet<String> {
        let mut hosts = BTreeSet::new();
        match tools::known(&self.tool).map(|tool| tool.names) {
            // A text in which addresses stand, each beginning where its scheme does.
            Some(Names::Addresses(names) | Names::Shell(names)) => {
                for text in names.iter().flat_map(|name| texts(self.parameters.get(name))) {
                    hosts.extend(addresses(text).map(host_of));
                }
            }
            Some(_) => {}
            None => whole_addresses(&self.parameters, &mut hosts),
        }
        hosts
    }
}

/// What the files in `names` touch, each as it stands and, where that differs, as clients take it that trim a name and
/// put the home folder in the place of `~`.
fn files(names: &[&str], here: &Path, access: Access, resolve: Resolve<'_>) -> Vec<TouchedPath> {
    let mut found = Vec::new();
    for name in names {
        found.push(resolve(Path::new(name), here, access));
        let taken = expanded(name.trim());
        if taken != Path::new(name) {
            found.push(TouchedPath { given: (*name).to_owned(), ..resolve(&taken, here, access) });
        }
    }
    found
}

/// A command as shell text: as it stands, or from a program and its arguments.
fn shell_text(value: &Value) -> Option<Cow<'_, str>> {
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
///
/// A text that is not understood names none here; that it is not understood is a matter for rules about commands.
fn shell_paths(text: &str, folder: &Path, resolve: Resolve<'_>) -> Vec<TouchedPath> {
    let mut paths = Vec::new();
    for command in command::inspect(text).unwrap_or_default() {
        let read_only = command::read_only(&command);
        let directory = command.directory.as_deref();
        let folder = directory.map_or(folder.to_owned(), |directory| folder.join(expanded(directory)));
        let access = if read_only { Access::Read } else { Access::Write };
        let opened = command.redirects.iter().map(|redirect| (redirect.path.as_str(), redirect.access));
        let named = command.args.iter().flat_map(|argument| file_arguments(argument, &folder, read_only));
        // A command that names no folder may search the one in which it runs.
        let place = directory.map(|_| (".", Access::Read));
        if read_only && command.program.ends_with("git") && is_taken_for_a_repository(&folder) {
            let given = folder.to_string_lossy().into_owned();
            paths.push(TouchedPath { given, real: None, access: Access::Write });
        }
        for (name, access) in opened.chain(named.map(|name| (name, access))).chain(place) {
            paths.push(TouchedPath { given: name.to_owned(), ..resolve(&expanded(name), &folder, access) });
        }
    }
    paths
}

/// Whether git would take `folder`, or one above it before the repository's own, for a repository because of the plain
/// files in it: such a folder can be made by writing files, and git runs programs that its configuration names.
fn is_taken_for_a_repository(folder: &Path) -> bool {
    let within = folder.ancestors().take_while(|folder| !folder.join(".git").exists());
    within.into_iter().any(|folder| ["HEAD", "objects", "refs"].iter().all(|name| folder.join(name).exists()))
}

/// The parts of an argument that name a file, if any does: all of it, or what stands behind `--option=`.
///
/// Of a command that `looks` only, also what stands behind letters of options, and the file in `revision:file`: one more
/// file only makes a command stricter that would be allowed.
fn file_arguments<'a>(argument: &'a str, folder: &Path, looks: bool) -> Vec<&'a str> {
    let exists = |value: &str| !value.is_empty() && folder.join(value).symlink_metadata().is_ok();
    let begins = |value: &str| value.starts_with(['/', '~', '.']);
    let is = |value: &str| exists(value) || (begins(value) || value.contains('/')) && !value.contains("://");
    let (whole, inside) = match argument.strip_prefix('-') {
        None => (
            Some(argument),
            argument.split_once(':').map(|(_, file)| file.trim_start_matches([':', '0', '1', '2', '3'])),
        ),
        Some(option) => {
            let behind =
                |(at, _)| Some(&option[at..]).filter(|value| value.len() > 1 && (exists(value) || begins(value)));
            let letters = !option.starts_with('-');
            let behind = option.char_indices().skip(1).take(LETTERS).find_map(behind).filter(|_| letters);
            (option.split_once('=').map(|(_, value)| value), behind)
        }
    };
    let inside = inside.filter(|value| looks && (exists(value) || begins(value)));
    whole.filter(|value| is(value)).into_iter().chain(inside).collect()
}

/// A name with `~` in front as a shell takes it.
fn expanded(name: &str) -> PathBuf {
    let rest = name.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match (rest, std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(name),
    }
}

/// The MCP server in a tool's full name, `mcp__server__tool`.
fn server_of(tool: &str) -> Option<String> {
    let (server, _) = tool.strip_prefix("mcp__")?.split_once("__")?;
    Some(server.to_owned())
}

/// A text, or the texts of a list.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The files that an unlisted tool names, at any depth: texts under the `usual` names, and addresses of files anywhere.
fn usual_names(value: &Value, usual: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key: String = key.chars().filter(|c| *c != '_' && *c != '-').collect();
                let is_usual = |name: &&str| name.replace('_', "").eq_ignore_ascii_case(&key);
                usual_names(value, tools::USUAL.iter().any(is_usual), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| usual_names(item, usual, found)),
        Value::String(text) => match Url::parse(text).ok().filter(|url| text.contains("://") && url.host().is_none()) {
            Some(url) if url.scheme() == "file" => found.extend(url.to_file_path().ok().map(lossy)),
            _ if usual && !text.contains("://") => found.push(text.clone()),
            _ => {}
        },
        _ => {}
    }
}

fn lossy(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

/// The hosts of all texts that are addresses as a whole, at any depth.
fn whole_addresses(value: &Value, hosts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if addresses(text).next() == Some(text.trim()) && !text.trim().starts_with("file:///") => {
            hosts.insert(host_of(text.trim()));
        }
        Value::Array(items) => items.iter().for_each(|item| whole_addresses(item, hosts)),
        Value::Object(map) => map.values().for_each(|value| whole_addresses(value, hosts)),
        _ => {}
    }
}

/// The addresses with a scheme in a text, each up to the next white space or quote.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(|(at, _)| {
        let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let start = text[..at].trim_end_matches(scheme).len();
        let end = text[at..].find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>'));
        (start < at).then(|| &text[start..end.map_or(text.len(), |end| at + end)])
    })
}

/// The host that `address` leads to, lower case.
fn host_of(address: &str) -> String {
    let host = Url::parse(address).ok();
    let host = host.and_then(|url| url.host_str().map(|host| host.trim_end_matches('.').to_lowercase()));
    host.filter(|host| !host.is_empty()).unwrap_or_else(|| NO_HOST.to_owned())
}

#[cfg(test)]
mod tests;
