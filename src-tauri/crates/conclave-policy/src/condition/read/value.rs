//! From the YAML of what is wanted of one value to [`Predicate`].

use std::cmp::Ordering;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::{Dialect, Reader, truth, within};
use crate::pattern::Pattern;
use crate::predicate::{Predicate, Reach};
use crate::suggest::unknown;

/// Longest JSONPath in bytes.
const LONGEST_JSON_PATH: usize = 200;
/// How often a JSONPath may look at all depths.
const MOST_DESCENTS: usize = 2;

const OPERATORS: &[&str] = &[
    "eq",
    "neq",
    "in",
    "gt",
    "gte",
    "lt",
    "lte",
    "exists",
    "contains",
    "size",
    "glob",
    "regex",
    "within",
    "not",
    "case_sensitive",
];
const TYPED: &[&str] = &["type", "pattern", "case_sensitive", "comparison", "threshold"];
const TYPES: &[&str] = &["string", "regex", "glob", "jsonpath"];
const COMPARISONS: &[&str] = &["exists", "eq", "neq", "gt", "gte", "lt", "lte", "contains"];

/// What kind of value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a word.
    Text,
    /// A host's name: case and a dot at its end mean nothing.
    Host,
    /// A path or an address: `*` stays between two `/`.
    Path,
    /// An argument of a command, which may be a path: `*` crosses `/`, and case is ignored by what refuses.
    Argument,
    /// Any part of a call's parameters.
    Value,
}

impl Reader<'_> {
    /// Reads what is wanted of one value: a plain value, a list of values, or an object of operators.
    pub(super) fn predicate(&mut self, value: &Value, kind: Kind) -> Result<Predicate, String> {
        match value {
            Value::Array(list) if list.is_empty() => Err("an empty list matches nothing".to_owned()),
            Value::Array(list) => {
                Ok(Predicate::Any(list.iter().map(|one| self.element(one, kind)).collect::<Result<_, _>>()?))
            }
            Value::Object(object) if object.contains_key("type") && object.contains_key("pattern") => {
                self.typed(object, kind)
            }
            Value::Object(object) => self.deeper(|reader| reader.operators(object, kind)),
            plain => {
                let glob = |text: &str| text.contains('*') && matches!(kind, Kind::Path | Kind::Argument | Kind::Host);
                if let Some(text) = plain.as_str().filter(|text| glob(text)) {
                    self.warnings.push(format!("`{text}` is compared letter by letter; for a pattern write `glob:`"));
                }
                Ok(self.equal(plain, None, kind))
            }
        }
    }

    /// An element of a list: a plain value or a pattern with its type.
    fn element(&mut self, value: &Value, kind: Kind) -> Result<Predicate, String> {
        match value {
            Value::Array(_) => Err("a list stands in a list".to_owned()),
            _ => self.predicate(value, kind),
        }
    }

    fn operators(&mut self, object: &Map<String, Value>, kind: Kind) -> Result<Predicate, String> {
        let case = object.get("case_sensitive").map(truth).transpose()?;
        let mut parts = Vec::new();
        for (key, value) in object.iter().filter(|(key, _)| *key != "case_sensitive") {
            let part = self.operator(key, value, case, kind);
            parts.push(part.map_err(|why| if OPERATORS.contains(&key.as_str()) { within(key, why) } else { why })?);
        }
        if parts.is_empty() {
            return Err("it says nothing of what is wanted".to_owned());
        }
        Ok(Predicate::All(parts))
    }

    fn operator(&mut self, key: &str, value: &Value, case: Option<bool>, kind: Kind) -> Result<Predicate, String> {
        Ok(match key {
            "eq" => self.equal(plain(value)?, case, kind),
            "neq" => Predicate::Not(Box::new(self.flipped(|reader| Ok(reader.equal(plain(value)?, case, kind)))?)),
            "in" => self.several(value, |reader, one| Ok(reader.equal(plain(one)?, case, kind)))?,
            "gt" | "gte" | "lt" | "lte" => compare(key, value)?,
            "exists" => Predicate::Exists(truth(value)?),
            "contains" => self.several(value, |reader, one| {
                Ok(Predicate::Contains { wanted: plain(one)?.clone(), folds: reader.folds(case, kind) })
            })?,
            "size" => Predicate::Size(Box::new(self.predicate(value, Kind::Value)?)),
            "glob" => self.several(value, |reader, one| reader.glob(text(one)?, case, kind))?,
            "regex" => self.several(value, |reader, one| reader.regex(text(one)?, case, kind))?,
            "within" if kind == Kind::Path => Predicate::Within(text(value)?.to_owned()),
            "within" => return Err("only a path or a folder lies within another".to_owned()),
            "not" => Predicate::Not(Box::new(self.flipped(|reader| reader.predicate(value, kind))?)),
            _ => return Err(unknown("operator", key, OPERATORS)),
        })
    }

    /// One of several, where a list is given.
    fn several(
        &mut self,
        value: &Value,
        read: impl Fn(&mut Self, &Value) -> Result<Predicate, String>,
    ) -> Result<Predicate, String> {
        match value {
            Value::Array(list) if list.is_empty() => Err("an empty list matches nothing".to_owned()),
            Value::Array(list) => Ok(Predicate::Any(list.iter().map(|one| read(self, one)).collect::<Result<_, _>>()?)),
            one => read(self, one),
        }
    }

    /// A pattern that names its type.
    fn typed(&mut self, object: &Map<String, Value>, kind: Kind) -> Result<Predicate, String> {
        if let Some(key) = object.keys().find(|key| !TYPED.contains(&key.as_str())) {
            return Err(unknown("part of a pattern", key, TYPED));
        }
        let case = object.get("case_sensitive").map(truth).transpose()?;
        let pattern = &object["pattern"];
        let name = text(&object["type"])?;
        if name != "jsonpath" && (object.contains_key("comparison") || object.contains_key("threshold")) {
            return Err("`comparison` and `threshold` belong to the type `jsonpath`".to_owned());
        }
        match name {
            "string" => Ok(self.equal(plain(pattern)?, case, kind)),
            "glob" => self.glob(text(pattern)?, case, kind),
            "regex" => self.regex(text(pattern)?, case, kind),
            "jsonpath" if kind == Kind::Value => {
                let predicate = match object.get("comparison").map(text).transpose()? {
                    None | Some("exists") => Predicate::Exists(true),
                    Some(comparison) if COMPARISONS.contains(&comparison) => {
                        let threshold = object.get("threshold").ok_or("`threshold` is missing")?;
                        self.operator(comparison, threshold, case, kind)?
                    }
                    Some(comparison) => return Err(unknown("comparison", comparison, COMPARISONS)),
                };
                self.at(text(pattern)?, predicate)
            }
            "jsonpath" => Err("a JSONPath looks into `parameters`".to_owned()),
            _ => Err(unknown("type of pattern", name, TYPES)),
        }
    }

    /// What a JSONPath finds is as `predicate` wants it.
    pub(super) fn at(&self, path: &str, predicate: Predicate) -> Result<Predicate, String> {
        if path.len() > LONGEST_JSON_PATH || path.matches("..").count() > MOST_DESCENTS {
            return Err(format!("a JSONPath has at most {LONGEST_JSON_PATH} bytes and {MOST_DESCENTS} times `..`"));
        }
        let parsed = JsonPath::parse(path).map_err(|error| format!("the JSONPath `{path}` cannot be read: {error}"))?;
        Ok(Predicate::At(parsed, self.reach, Box::new(predicate)))
    }

    fn equal(&self, wanted: &Value, case: Option<bool>, kind: Kind) -> Predicate {
        let wanted = match wanted {
            Value::String(host) if kind == Kind::Host => Value::from(host.trim_end_matches('.')),
            other => other.clone(),
        };
        Predicate::Equal { wanted, folds: self.folds(case, kind) }
    }

    fn glob(&mut self, text: &str, case: Option<bool>, kind: Kind) -> Result<Predicate, String> {
        let wide = self.reach == Reach::Wide;
        let crosses = wide && (kind != Kind::Path || self.dialect == Dialect::Superego);
        let folds = self.folds(case, kind);
        let glob = Predicate::Matches(Box::new(Pattern::glob(text, crosses, folds)?));
        // What refuses all that a folder holds refuses the folder.
        match text.strip_suffix("/**").filter(|folder| wide && kind == Kind::Path && !folder.is_empty()) {
            Some(folder) => {
                Ok(Predicate::Any(vec![glob, Predicate::Matches(Box::new(Pattern::glob(folder, crosses, folds)?))]))
            }
            None => Ok(glob),
        }
    }

    pub(super) fn regex(&mut self, text: &str, case: Option<bool>, kind: Kind) -> Result<Predicate, String> {
        if let Some((literal, rest)) = begins_with_other_than(text) {
            let not = self.flipped(|reader| reader.plain_regex(&format!("^(?:{literal})"), case, kind))?;
            let mut parts = vec![Predicate::Not(Box::new(not))];
            // Something has to be there: a pattern is not found in nothing.
            parts.push(Predicate::Exists(true));
            if !rest.is_empty() {
                parts.push(self.plain_regex(&format!("^(?:{rest})"), case, kind)?);
            }
            return Ok(Predicate::All(parts));
        }
        self.plain_regex(text, case, kind)
    }

    fn plain_regex(&self, text: &str, case: Option<bool>, kind: Kind) -> Result<Predicate, String> {
        let forgiving = self.dialect == Dialect::Superego && self.reach == Reach::Wide;
        let folds = self.folds(case, kind) || case.is_none() && forgiving;
        Pattern::regex(text, folds).map(|pattern| Predicate::Matches(Box::new(pattern)))
    }

    /// Whether texts are folded before they are compared.
    fn folds(&self, case: Option<bool>, kind: Kind) -> bool {
        let by_itself = kind == Kind::Host || self.reach == Reach::Wide && matches!(kind, Kind::Path | Kind::Argument);
        case.map_or(by_itself, |sensitive| !sensitive)
    }
}

/// Takes `^(?!literal)rest` apart, which says that a text does not begin with the literal.
fn begins_with_other_than(regex: &str) -> Option<(&str, &str)> {
    let rest = regex.strip_prefix("^(?!")?;
    let mut escaped = false;
    let end = rest.find(|character: char| {
        let special = !escaped && r".^$*+?()[]{}|".contains(character);
        escaped = !escaped && character == '\\';
        special
    })?;
    let (literal, rest) = (&rest[..end], rest[end..].strip_prefix(')')?);
    // A class such as `\d` is no literal, and an alternative beside the look-ahead would not be bound by it.
    let is_class = regex_syntax::Parser::new().parse(literal).is_ok_and(|hir| !is_literal(&hir));
    (!literal.is_empty() && !is_class && !rest.contains('|')).then_some((literal, rest))
}

fn is_literal(hir: &regex_syntax::hir::Hir) -> bool {
    matches!(hir.kind(), regex_syntax::hir::HirKind::Literal(_))
}

fn compare(operator: &str, value: &Value) -> Result<Predicate, String> {
    let wanted = value.as_f64().ok_or("a number is needed here")?;
    let ways: &[Ordering] = match operator {
        "gt" => &[Ordering::Greater],
        "gte" => &[Ordering::Greater, Ordering::Equal],
        "lt" => &[Ordering::Less],
        _ => &[Ordering::Less, Ordering::Equal],
    };
    Ok(Predicate::Compare { wanted, ways })
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "a text is needed here".to_owned())
}

/// A value that is neither a list nor an object.
fn plain(value: &Value) -> Result<&Value, String> {
    match value {
        Value::Array(_) | Value::Object(_) => Err("a single value is needed here".to_owned()),
        plain => Ok(plain),
    }
}
