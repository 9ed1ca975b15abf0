//! What is known of one request, worked out when a condition first asks and kept for the next one.

use std::cell::OnceCell;

use serde_json::Value;

use crate::command::{self, SimpleCommand};
use crate::pattern::Text;
use crate::request::keys;
use crate::{Access, Action, Actor, ToolRequest};

/// The parameters under which clients pass shell text or a program with its arguments.
const COMMAND_PARAMETERS: [&str; 2] = ["command", "cmd"];

/// The tools that take something else under these names: a patch is no shell text.
const NO_COMMANDS: [&str; 1] = ["apply_patch"];

/// A request as conditions see it.
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a ToolRequest,
    pub(crate) at_ms: i64,
    tool: Option<Text<'a>>,
    cwd: Option<Text<'a>>,
    resource: Text<'a>,
    host: OnceCell<Option<Text<'a>>>,
    paths: OnceCell<Vec<(Access, Option<Text<'a>>)>>,
    commands: OnceCell<Option<Result<Vec<SimpleCommand>, String>>>,
}

/// Something that a request has at most one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Tool,
    Server,
    Agent,
    Resource,
    Cwd,
    Host,
    /// A context value by its key.
    Context(String),
}

impl<'a> Facts<'a> {
    pub(crate) fn new(request: &'a ToolRequest, at_ms: i64) -> Self {
        let call = request.call.as_deref();
        Self {
            request,
            at_ms,
            tool: call.map(|call| Text::new(call.tool.as_str())),
            cwd: call.and_then(|call| call.cwd.as_deref()).map(Text::new),
            resource: Text::new(request.resource.as_str()),
            host: OnceCell::new(),
            paths: OnceCell::new(),
            commands: OnceCell::new(),
        }
    }

    /// Gives the field's text to `judge`, if the request has it.
    pub(crate) fn field<T>(&self, field: &Field, judge: impl FnOnce(Option<&Text<'_>>) -> T) -> T {
        match field {
            Field::Tool => judge(self.tool.as_ref()),
            Field::Cwd => judge(self.cwd.as_ref()),
            Field::Resource => judge(Some(&self.resource)),
            Field::Host => judge(self.host()),
            Field::Server => {
                let server = self.request.call.as_ref().and_then(|call| call.server.as_deref());
                judge(server.map(Text::new).as_ref())
            }
            Field::Agent => match &self.request.actor {
                Actor::Agent(name) => judge(Some(&Text::new(name.as_str()))),
                _ => judge(None),
            },
            Field::Context(key) => judge(self.context(key).map(Text::new).as_ref()),
        }
    }

    pub(crate) fn context(&self, key: &str) -> Option<&'a str> {
        self.request.context.get(key).map(String::as_str)
    }

    pub(crate) fn parameters(&self) -> Option<&'a Value> {
        self.request.call.as_ref().map(|call| &call.parameters)
    }

    /// The other side, without the dot that may end a host's name.
    pub(crate) fn host(&self) -> Option<&Text<'a>> {
        let host = || Some(Text::new(self.context(keys::HOST)?.trim_end_matches('.')));
        self.host.get_or_init(host).as_ref()
    }

    /// What is touched, each with its real path where that is known.
    pub(crate) fn paths(&self) -> &[(Access, Option<Text<'a>>)] {
        self.paths.get_or_init(|| {
            let real = |path: &'a crate::TouchedPath| (path.access, path.real.as_deref().map(Text::new));
            self.request.paths.iter().map(real).collect()
        })
    }

    /// The commands that are run, an explanation where they are not understood, or nothing where none is run.
    pub(crate) fn commands(&self) -> Option<&Result<Vec<SimpleCommand>, String>> {
        self.commands.get_or_init(|| commands(self.request)).as_ref()
    }
}

fn commands(request: &ToolRequest) -> Option<Result<Vec<SimpleCommand>, String>> {
    if request.action == Action::RunCommand {
        let argv = request.context.get(keys::ARGV)?;
        return Some(serde_json::from_str(argv).map_err(|error| error.to_string()).and_then(|value| read(&value)));
    }
    let call = request.call.as_ref().filter(|call| !NO_COMMANDS.contains(&call.tool.as_str()))?;
    let parameters = &call.parameters;
    let given = COMMAND_PARAMETERS.iter().filter_map(|name| parameters.get(name));
    given.map(read).reduce(|held, next| {
        let mut held = held?;
        held.extend(next?);
        Ok(held)
    })
}

/// Reads shell text, or a program and its arguments.
fn read(value: &Value) -> Result<Vec<SimpleCommand>, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(words) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            command::text_of(&words.ok_or("an argument is not a text")?)
        }
        _ => return Err("the command is neither a text nor a list of texts".to_owned()),
    };
    command::inspect(&text).map_err(|why| why.0)
}
