//! From the YAML of a rule's conditions to [`Condition`].
//!
//! Two dialects share one set of keys. They differ in what patterns mean where nothing else is said: in a file in
//! Superego's format a `*` of a refusing rule crosses `/`, a regular expression of a refusing rule ignores case, and
//! texts that its authors wrote without effect load with a warning.

mod value;

use serde_json::{Map, Value};

use super::{ActorPattern, CommandCondition, Condition, Place};
use crate::condition::command::CommandPart;
use crate::facts::Field;
use crate::predicate::Reach;
use crate::request::keys;
use crate::suggest::unknown;
use crate::time_range::TimeRange;
use crate::{Access, Action};
use value::Kind;

/// How deep conditions may stand in each other.
const DEEPEST: usize = 16;

/// The keys of a condition. `access` belongs to `path` where both are given.
const KEYS: &[&str] = &[
    "action",
    "actor",
    "tool",
    "tool_name",
    "server",
    "agent",
    "resource",
    "parameters",
    "cwd",
    "cwd_pattern",
    "path",
    "access",
    "host",
    "domain",
    "model",
    "model_class",
    "data",
    "tier",
    "cost",
    "environment",
    "context",
    "command",
    "time_range",
    "all",
    "AND",
    "any",
    "OR",
    "not",
    "NOT",
];

/// In whose words a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Native,
    Superego,
}

/// Reads the conditions of one rule.
pub(crate) struct Reader<'a> {
    dialect: Dialect,
    reach: Reach,
    depth: usize,
    warnings: &'a mut Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader for a rule whose action gives it `reach`; what it notices goes to `warnings`.
    pub(crate) fn new(dialect: Dialect, reach: Reach, warnings: &'a mut Vec<String>) -> Self {
        Self { dialect, reach, depth: 0, warnings }
    }

    /// Reads an object of conditions, all of which have to hold.
    pub(crate) fn conditions(&mut self, value: &Value) -> Result<Condition, String> {
        let object = value.as_object().ok_or("conditions are an object of keys and what is wanted of them")?;
        let mut parts = Vec::with_capacity(object.len());
        for (key, value) in object {
            if let Some(part) = self.condition(key, value, object).map_err(|why| within(key, why))? {
                parts.push(part);
            }
        }
        Ok(Condition::all_of(parts))
    }

    /// `None` for a key that another one already covers.
    fn condition(
        &mut self,
        key: &str,
        value: &Value,
        object: &Map<String, Value>,
    ) -> Result<Option<Condition>, String> {
        let context = |key: &str| Field::Context(key.to_owned());
        Ok(Some(match key {
            "all" | "AND" => Condition::all_of(self.list(value)?),
            "any" | "OR" => Condition::Any(self.list(value)?),
            "not" | "NOT" => Condition::Not(Box::new(self.flipped(|reader| reader.nested(value))?)),
            "action" => Condition::Action(texts(value)?.into_iter().map(Action::named).collect::<Result<_, _>>()?),
            "actor" => Condition::Actor(texts(value)?.into_iter().map(actor).collect::<Result<_, _>>()?),
            "tool" | "tool_name" => {
                self.warn_of_odd_tools(value);
                Condition::Field(Field::Tool, self.predicate(value, Kind::Text)?)
            }
            "server" => Condition::Field(Field::Server, self.predicate(value, Kind::Text)?),
            "agent" => Condition::Field(Field::Agent, self.predicate(value, Kind::Text)?),
            "resource" => Condition::Field(Field::Resource, self.predicate(value, Kind::Path)?),
            "cwd" => Condition::Field(Field::Cwd, self.predicate(value, Kind::Path)?),
            "cwd_pattern" => {
                let pattern = value.as_str().ok_or("a regular expression is a text")?;
                Condition::Field(Field::Cwd, self.regex(pattern, None, Kind::Path)?)
            }
            "host" => Condition::Field(Field::Host, self.predicate(value, Kind::Host)?),
            "domain" => Condition::Domain(texts(value)?.into_iter().map(domain).collect::<Result<_, _>>()?),
            "model" => Condition::Field(context(keys::MODEL), self.predicate(value, Kind::Text)?),
            "model_class" => {
                one_of(value, "model class", &["local", "hosted"])?;
                Condition::Field(context(keys::MODEL_CLASS), self.predicate(value, Kind::Text)?)
            }
            "tier" => {
                one_of(value, "tier", &["critical", "high", "medium", "low", "note"])?;
                Condition::Field(context(keys::TIER), self.predicate(value, Kind::Text)?)
            }
            "cost" => Condition::Field(context(keys::COST), self.predicate(value, Kind::Text)?),
            "data" => {
                one_of(value, "kind of data", &["source", "finding", "secret", "metadata"])?;
                self.words(keys::DATA, value)?
            }
            "environment" => self.words(keys::ENVIRONMENT, value)?,
            "context" => self.each(value, |reader, key, value| {
                Ok(Condition::Field(context(key), reader.predicate(value, Kind::Text)?))
            })?,
            "parameters" => self.parameters(value)?,
            "path" => self.paths(Some(value), object.get("access"))?,
            "access" if object.contains_key("path") => return Ok(None),
            "access" => self.paths(None, Some(value))?,
            "command" => Condition::Command(self.command(value)?),
            "time_range" => Condition::Time(time_range(value)?),
            _ => return Err(unknown("condition", key, KEYS)),
        }))
    }

    fn list(&mut self, value: &Value) -> Result<Vec<Condition>, String> {
        let list = value.as_array().filter(|list| !list.is_empty()).ok_or("a list of conditions is needed here")?;
        list.iter().map(|one| self.nested(one)).collect()
    }

    fn nested(&mut self, value: &Value) -> Result<Condition, String> {
        self.deeper(|reader| match value {
            Value::Object(object) if object.is_empty() => Err("an empty condition says nothing".to_owned()),
            _ => reader.conditions(value),
        })
    }

    /// Reads one level further down.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err(format!("conditions stand more than {DEEPEST} deep in each other"));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    /// Reads what stands under `not`.
    fn flipped<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.reach = self.reach.flipped();
        let found = read(self);
        self.reach = self.reach.flipped();
        found
    }

    /// Reads an object of names and what is wanted of each.
    fn each(
        &mut self,
        value: &Value,
        read: impl Fn(&mut Self, &str, &Value) -> Result<Condition, String>,
    ) -> Result<Condition, String> {
        let object =
            value.as_object().filter(|object| !object.is_empty()).ok_or("an object of names is needed here")?;
        let parts: Result<Vec<_>, String> =
            object.iter().map(|(key, value)| read(self, key, value).map_err(|why| within(key, why))).collect();
        Ok(Condition::all_of(parts?))
    }

    fn words(&mut self, key: &str, value: &Value) -> Result<Condition, String> {
        Ok(Condition::Words(key.to_owned(), self.reach, self.predicate(value, Kind::Text)?))
    }

    fn paths(&mut self, path: Option<&Value>, access: Option<&Value>) -> Result<Condition, String> {
        let path = path.map(|path| self.predicate(path, Kind::Path)).transpose()?;
        let one = |text: &str| match text {
            "read" => Ok(Access::Read),
            "write" => Ok(Access::Write),
            _ => Err(unknown("kind of access", text, &["read", "write"])),
        };
        let access = access.map(|access| texts(access)?.into_iter().map(one).collect::<Result<_, String>>());
        Ok(Condition::Paths { reach: self.reach, path, access: access.transpose()? })
    }

    fn parameters(&mut self, value: &Value) -> Result<Condition, String> {
        match value {
            Value::Object(object)
                if object.get("type").is_some_and(Value::is_string) && object.contains_key("pattern") =>
            {
                Ok(Condition::Parameter(Place::Whole, self.predicate(value, Kind::Value)?))
            }
            Value::Object(_) => self.each(value, |reader, key, value| {
                let predicate = |reader: &mut Self| reader.predicate(value, Kind::Value);
                if key.starts_with('$') {
                    let predicate = predicate(reader)?;
                    return Ok(Condition::Parameter(Place::Whole, reader.at(key, predicate)?));
                }
                let place = match key.strip_prefix('/') {
                    Some(_) => Place::Pointer(key.to_owned()),
                    None => Place::Name(key.to_owned()),
                };
                Ok(Condition::Parameter(place, predicate(reader)?))
            }),
            Value::String(text) if self.dialect == Dialect::Superego => {
                self.warnings.push(format!(
                    "`parameters` is the text `{text}`, which no call matches; name a parameter, as in \
                     `parameters: {{ command: {{ … }} }}`"
                ));
                Ok(Condition::Any(Vec::new()))
            }
            _ => Err("name the parameters, as in `parameters: { command: … }`".to_owned()),
        }
    }

    fn command(&mut self, value: &Value) -> Result<CommandCondition, String> {
        const KNOWN: &[&str] = &["words", "program", "arguments", "read_only", "escapes", "inspectable"];
        let mut condition = CommandCondition { reach: self.reach, inspectable: None, each: Vec::new() };
        let Some(object) = value.as_object() else {
            condition.each.push(CommandPart::Words(command_words(value)?));
            return Ok(condition);
        };
        for (key, value) in object {
            match key.as_str() {
                "words" => condition.each.push(CommandPart::Words(command_words(value)?)),
                "program" => condition.each.push(CommandPart::Program(self.predicate(value, Kind::Text)?)),
                "arguments" => condition.each.push(CommandPart::Arguments(self.predicate(value, Kind::Argument)?)),
                "read_only" => condition.each.push(CommandPart::ReadOnly(truth(value)?)),
                "escapes" => condition.each.push(CommandPart::Escapes(truth(value)?)),
                "inspectable" => condition.inspectable = Some(truth(value)?),
                _ => return Err(unknown("part of `command`", key, KNOWN)),
            }
        }
        if object.is_empty() {
            return Err("say which command, as in `command: [ls, \"git status\"]`".to_owned());
        }
        Ok(condition)
    }

    /// Names that no client gives to a tool.
    fn warn_of_odd_tools(&mut self, value: &Value) {
        const PROGRAMS: &[&str] = &[
            "rm", "sudo", "ls", "cat", "git", "curl", "wget", "chmod", "chown", "dd", "mkfs", "mv", "cp", "kill",
            "ssh", "python", "node", "npm", "docker", "sh", "bash",
        ];
        for name in texts(value).unwrap_or_default() {
            if name.contains(['|', ',', '*', ' ', '^', '$']) {
                self.warnings.push(format!(
                    "no tool is called `{name}`: a plain name is compared letter by letter; write a list of names, \
                     `glob:` or `regex:`"
                ));
            } else if PROGRAMS.contains(&name) {
                self.warnings.push(format!(
                    "`{name}` is a program, and clients run programs with a tool such as `Bash`; write \
                     `tool: Bash` and `command: {name}`"
                ));
            }
        }
    }
}

/// `why`, with the key in which it stands.
fn within(key: &str, why: String) -> String {
    if why.starts_with("there is no condition") { why } else { format!("`{key}`: {why}") }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Result<Vec<&str>, String> {
    let list: Option<Vec<&str>> = match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    };
    list.filter(|list| !list.is_empty()).ok_or_else(|| "a text or a list of texts is needed here".to_owned())
}

fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "`true` or `false` is needed here".to_owned())
}

/// Refuses a plain word that can never be there.
fn one_of(value: &Value, what: &str, known: &[&str]) -> Result<(), String> {
    match texts(value).unwrap_or_default().into_iter().find(|word| !known.contains(word)) {
        Some(word) => Err(unknown(what, word, known)),
        None => Ok(()),
    }
}

fn actor(name: &str) -> Result<ActorPattern, String> {
    match name {
        "analyst:*" => Ok(ActorPattern::AnyAnalyst),
        "agent:*" => Ok(ActorPattern::AnyAgent),
        _ => name.parse().map(ActorPattern::Exactly).map_err(|error: crate::UnknownActor| error.to_string()),
    }
}

fn domain(name: &str) -> Result<String, String> {
    let plain = name.trim_end_matches('.').to_lowercase();
    if plain.is_empty() || plain.starts_with('.') || plain.contains([':', '/', '*', ' ']) {
        return Err(format!("`{name}` is not a domain; write it as in `example.com`, which covers what lies in it"));
    }
    Ok(plain)
}

/// Program names with the words that follow them.
fn command_words(value: &Value) -> Result<Vec<Vec<String>>, String> {
    texts(value)?
        .into_iter()
        .map(|text| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            if words.is_empty() { Err("an empty command says nothing".to_owned()) } else { Ok(words) }
        })
        .collect()
}

fn time_range(value: &Value) -> Result<TimeRange, String> {
    const KNOWN: &[&str] = &["start", "end", "timezone"];
    let object = value.as_object().ok_or("a time range has `start`, `end` and `timezone`")?;
    if let Some(key) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(unknown("part of a time range", key, KNOWN));
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let need = |key: &str| text(key).ok_or_else(|| format!("`{key}` is missing; write a time of day as `\"HH:MM\"`"));
    let zone = match object.get("timezone") {
        None => "UTC",
        Some(zone) => zone.as_str().ok_or("a time zone is a name, as in `Europe/Berlin`")?,
    };
    TimeRange::new(need("start")?, need("end")?, zone)
}
