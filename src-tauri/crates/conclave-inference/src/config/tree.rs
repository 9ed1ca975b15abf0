//! YAML with its lines, and the reading of fields out of it.
//!
//! Every complaint is collected, so that a person corrects a file once. Spellings that other programs read differently,
//! such as `yes` for `true`, are texts; a key that stands twice is an error; the parser bounds what a file unfolds to.

use std::fmt;
use std::ops::RangeInclusive;

use conclave_policy::suggest;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::Remark;

/// A value and its line.
pub(super) struct Node {
    pub line: u64,
    pub value: Value,
}

/// A YAML value.
pub(super) enum Value {
    Null,
    Flag(bool),
    Whole(i128),
    Decimal(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, u64, Node)>),
}

impl Value {
    /// What it is, for people.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "`true` or `false`",
            Self::Whole(_) | Self::Decimal(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "keys",
        }
    }
}

impl From<Spanned<Value>> for Node {
    fn from(Spanned { value, referenced, .. }: Spanned<Value>) -> Self {
        Self { line: referenced.line(), value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Decimal(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element::<Spanned<Value>>()? {
            nodes.push(node.into());
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, node)) = map.next_entry::<Spanned<String>, Spanned<Value>>()? {
            fields.push((key.value, key.referenced.line(), node.into()));
        }
        Ok(Value::Map(fields))
    }
}

/// How the parser begins what it says of a key that stands twice, behind the place.
const DOUBLED: &str = "duplicate mapping key: ";

/// The file as a tree.
pub(super) fn parse(yaml: &str) -> Result<Node, Remark> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options::<Spanned<Value>>(yaml, options).map(Node::from).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let words = error.to_string();
        // The first line says what and where; the rest draws it.
        let words = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let text = match words.split_once(DOUBLED) {
            Some((_, key)) => {
                let key = key.split(',').next().unwrap_or_default();
                format!("the key `{key}` stands there twice; keep one of them")
            }
            None => format!("this is not YAML: {words}"),
        };
        Remark { line, text, loud: true }
    })
}

/// What is read, and what is to be said about it.
#[derive(Default)]
pub(super) struct Reader {
    pub problems: Vec<Remark>,
    pub notes: Vec<Remark>,
    /// Every model that is named, with its line.
    pub models: Vec<(u64, String)>,
    /// Every provider that is named, with its line.
    pub names: Vec<(u64, String)>,
}

/// The keys of one object.
pub(super) struct Fields<'n> {
    pub line: u64,
    what: String,
    fields: Vec<(&'n str, &'n Node)>,
    unused: Vec<(&'n str, u64, &'static str)>,
}

impl<'n> Fields<'n> {
    /// The value under a key; what is written as nothing is not there.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        let found = self.fields.iter().find(|(known, _)| *known == key).map(|(_, node)| *node);
        found.filter(|node| !matches!(node.value, Value::Null))
    }

    /// The line of a key's value, else that of the object.
    pub fn line_of(&self, key: &str) -> u64 {
        self.get(key).map_or(self.line, |node| node.line)
    }

    /// Keys that are known and mean nothing here, with their line and why.
    pub fn unused(&self) -> Vec<(&'n str, u64, &'static str)> {
        self.unused.clone()
    }
}

impl Reader {
    /// What keeps the file from being used.
    pub fn problem(&mut self, line: u64, text: impl Into<String>) {
        self.problems.push(Remark { line, text: text.into(), loud: true });
    }

    /// What the person should know.
    pub fn note(&mut self, line: u64, text: impl Into<String>) {
        self.notes.push(Remark { line, text: text.into(), loud: false });
    }

    /// What the person should act on.
    pub fn warn(&mut self, line: u64, text: impl Into<String>) {
        self.notes.push(Remark { line, text: text.into(), loud: true });
    }

    /// The line of the last provider called `name`.
    pub fn line_of(&self, name: &str) -> u64 {
        self.names.iter().rev().find(|(_, known)| known == name).map_or(0, |(line, _)| *line)
    }

    /// The keys of `node`, which is `what`. A key that is neither `known` nor, by `unused`, without meaning is an error.
    pub fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
        unused: impl Fn(&str) -> Option<&'static str>,
    ) -> Option<Fields<'n>> {
        let Value::Map(map) = &node.value else {
            self.problem(node.line, format!("{what} holds {} where keys are wanted", node.value.kind()));
            return None;
        };
        let mut found = Fields { line: node.line, what: what.to_owned(), fields: Vec::new(), unused: Vec::new() };
        for (key, line, value) in map {
            match unused(key) {
                Some(why) => found.unused.push((key, *line, why)),
                None if known.contains(&key.as_str()) => found.fields.push((key, value)),
                None => self.problem(*line, format!("{what}: {}", suggest::unknown("key", key, known))),
            }
        }
        Some(found)
    }

    fn wrong(&mut self, fields: &Fields<'_>, key: &str, node: &Node, wanted: &str) {
        let what = &fields.what;
        self.problem(node.line, format!("{what}: `{key}` is {}, and {wanted} is wanted", node.value.kind()));
    }

    /// The text under a key.
    pub fn text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Text(_) => {
                self.problem(node.line, format!("{}: `{key}` is empty; fill it or leave it out", fields.what));
                None
            }
            _ => {
                self.wrong(fields, key, node, "a text");
                None
            }
        }
    }

    /// The text under a key that must be there.
    pub fn needed(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        if fields.get(key).is_none() {
            self.problem(fields.line, format!("{}: `{key}` is missing", fields.what));
        }
        self.text(fields, key)
    }

    /// The flag under a key.
    pub fn flag(&mut self, fields: &Fields<'_>, key: &str) -> Option<bool> {
        let node = fields.get(key)?;
        match node.value {
            Value::Flag(flag) => Some(flag),
            _ => {
                self.wrong(fields, key, node, "`true` or `false`");
                None
            }
        }
    }

    /// The whole number under a key, if it is in `range`.
    pub fn whole(&mut self, fields: &Fields<'_>, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let node = fields.get(key)?;
        let number = match node.value {
            Value::Whole(number) => u64::try_from(number).ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.wrong(fields, key, node, &format!("a whole number from {least} to {most}"));
        }
        number
    }

    /// The texts under a key, each with its line.
    pub fn texts(&mut self, fields: &Fields<'_>, key: &str) -> Option<Vec<(u64, String)>> {
        let node = fields.get(key)?;
        let Value::List(list) = &node.value else {
            self.wrong(fields, key, node, "a list");
            return None;
        };
        let mut texts = Vec::new();
        for item in list {
            match &item.value {
                Value::Text(text) => texts.push((item.line, text.clone())),
                _ => self.wrong(fields, key, item, "a list of texts"),
            }
        }
        Some(texts)
    }

    /// The amount of dollars under a key.
    pub fn money(&mut self, fields: &Fields<'_>, key: &str) -> Option<conclave_core::money::Money> {
        let node = fields.get(key)?;
        let text = match &node.value {
            Value::Whole(number) => number.to_string(),
            Value::Decimal(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            _ => {
                self.wrong(fields, key, node, "an amount of dollars");
                return None;
            }
        };
        match text.parse() {
            Ok(money) => Some(money),
            Err(error) => {
                self.problem(node.line, format!("{}: `{key}` is no amount of dollars: {error}", fields.what));
                None
            }
        }
    }
}
