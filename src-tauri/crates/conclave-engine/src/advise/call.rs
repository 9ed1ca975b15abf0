//! From an agent's call to the request that a policy judges.
//!
//! The parameters go into the request as they came; what else the request says is read off them and never put back.
//! Invariants: what cannot be read makes the request stricter (a path that is nowhere, a host that is none), never
//! smaller.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conclave_policy::{Access, Action, Actor, ToolCall, ToolRequest, TouchedPath, digest_parts, keys};
use serde_json::Value;
use url::Url;

use super::client::Client;
use super::shell::{self, Swept};
use super::tools::{self, Names};

/// The most different hosts that one call may name.
const MOST_HOSTS: usize = 16;

/// The most files that one call may name.
const MOST_PATHS: usize = 4096;

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

    /// Whether somebody at the client can be asked about this call.
    pub fn can_ask(&self) -> bool {
        let can_ask = self.client.parse().is_ok_and(Client::can_ask);
        can_ask && !matches!(self.mode.as_deref(), Some("dontAsk" | "bypassPermissions"))
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
        if let Some(lack) = tools::known(&self.tool).and_then(|tool| tools::lacks(tool, &self.parameters)) {
            request = request.with(keys::MALFORMED, lack);
        }
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

    /// The files whose content the call may show without naming them.
    pub(super) fn sweeps(&self) -> Vec<Swept> {
        let here = self.here();
        let Some(tool) = tools::known(&self.tool) else { return Vec::new() };
        match tool.names {
            Names::Search(names) => {
                let mut folders = self.named(names);
                if folders.is_empty() {
                    folders.push(".");
                }
                let folders = folders.iter().map(|folder| expanded(folder.trim()).to_string_lossy().into_owned());
                folders.map(|folder| (here.clone(), tools::searched(tool, &self.parameters, &folder))).collect()
            }
            Names::Shell(names) => {
                let texts = names.iter().filter_map(|name| shell::text(self.parameters.get(name)?));
                texts.flat_map(|text| shell::sweeps(&text, &self.folder())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn here(&self) -> PathBuf {
        PathBuf::from(self.cwd.as_deref().unwrap_or_default())
    }

    /// The folder in which a shell tool is told to run.
    fn folder(&self) -> PathBuf {
        let here = self.here();
        self.named(tools::FOLDERS).first().map_or(here.clone(), |folder| here.join(folder))
    }

    fn named(&self, names: &[&str]) -> Vec<&str> {
        names.iter().flat_map(|name| texts(self.parameters.get(name))).collect()
    }

    fn paths(&self, resolve: Resolve<'_>) -> Vec<TouchedPath> {
        let here = &self.here();
        match tools::known(&self.tool) {
            Some(tool) => match tool.names {
                Names::Files(names) => files(&self.named(names), here, tool.access, resolve),
                Names::FilesOrHere(names) | Names::Search(names) => {
                    let mut found = self.named(names);
                    if found.is_empty() {
                        found.push(".");
                    }
                    files(&found, here, tool.access, resolve)
                }
                Names::Patch(names) => {
                    let patches = self.named(names);
                    let found: Vec<&str> = patches.iter().flat_map(|patch| tools::patched_files(patch)).collect();
                    files(&found, here, tool.access, resolve)
                }
                Names::Shell(names) => {
                    let folders = self.named(tools::FOLDERS);
                    // A search that names no folder searches the one in which it runs.
                    let mut found = files(&folders, here, Access::Read, resolve);
                    for text in names.iter().filter_map(|name| shell::text(self.parameters.get(name)?)) {
                        found.extend(shell::paths(&text, &self.folder(), resolve));
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

/// A name with `~` in front as a shell takes it.
pub(super) fn expanded(name: &str) -> PathBuf {
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
pub(super) fn texts(value: Option<&Value>) -> Vec<&str> {
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
