//! What a rule wants of one value.
//!
//! Judging is three-valued: a value matches, does not match, or cannot be judged, which is [`Unjudgeable`] and reaches the
//! decision as a refusal unless something else settles the matter first. A value of the wrong kind cannot be judged; a
//! value that is not there does not match.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::pattern::{Pattern, Text, Unjudgeable, folded};

/// Whether something matches, as far as it can be judged.
pub(crate) type Truth = Result<bool, Unjudgeable>;

/// Which way a condition errs, and so what it takes of things of which a request has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It refuses: one of them is enough, and names are compared as the most forgiving file system does.
    Wide,
    /// It permits: all of them, and to the letter.
    Narrow,
}

impl Reach {
    /// The reach of what stands under `not`.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Wide => Self::Narrow,
            Self::Narrow => Self::Wide,
        }
    }

    /// Whether `each` of several holds as this reach wants it; of none, it does not.
    pub(crate) fn over(self, mut truths: impl Iterator<Item = Truth>) -> Truth {
        match self {
            Self::Wide => any(truths),
            Self::Narrow => match truths.next() {
                None => Ok(false),
                Some(first) => all(std::iter::once(first).chain(truths)),
            },
        }
    }
}

/// Whether all hold: false beats what cannot be judged, which beats true.
pub(crate) fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut held = Ok(true);
    for truth in truths {
        match truth {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(why) => held = held.and(Err(why)),
        }
    }
    held
}

/// Whether one holds: true beats what cannot be judged, which beats false.
pub(crate) fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut held = Ok(false);
    for truth in truths {
        match truth {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => held = held.and(Err(why)),
        }
    }
    held
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A text of the request's own.
    Text(&'a Text<'a>),
    /// A part of a call's parameters.
    Json(&'a Value),
    /// Nothing is there.
    Absent,
}

/// What is wanted of it.
#[derive(Debug)]
pub(crate) enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// The same value; two texts are folded before they are compared where `folds` says so.
    Equal {
        wanted: Value,
        folds: bool,
    },
    /// A number that compares in one of these ways.
    Compare {
        wanted: f64,
        ways: &'static [Ordering],
    },
    Exists(bool),
    /// A text with this in it, a list with this element, or an object with this key.
    Contains {
        wanted: Value,
        folds: bool,
    },
    /// The number of characters, elements or keys.
    Size(Box<Predicate>),
    Matches(Box<Pattern>),
    /// What a JSONPath finds, as the reach wants it.
    At(JsonPath, Reach, Box<Predicate>),
    /// A path that is this folder or beneath it; the folder is the request's, by its name in the context.
    Within(String),
}

impl Predicate {
    /// Whether it is about nothing but whether there is something.
    pub(crate) fn is_about_existence(&self) -> bool {
        match self {
            Self::Exists(_) => true,
            Self::All(parts) | Self::Any(parts) => !parts.is_empty() && parts.iter().all(Self::is_about_existence),
            Self::Not(part) => part.is_about_existence(),
            _ => false,
        }
    }

    /// Whether the subject is as wanted. `folder` looks up a folder for [`Predicate::Within`].
    pub(crate) fn judge(&self, subject: Subject<'_>, folder: &dyn Fn(&str) -> Option<String>) -> Truth {
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.judge(subject, folder))),
            Self::Any(parts) => any(parts.iter().map(|part| part.judge(subject, folder))),
            Self::Not(part) => part.judge(subject, folder).map(|held| !held),
            Self::Exists(wanted) => Ok(subject.is_there() == *wanted),
            Self::Equal { wanted, folds } => Ok(subject.equals(wanted, *folds)),
            Self::Compare { wanted, ways } => {
                let found = subject.number()?;
                Ok(found.and_then(|found| found.partial_cmp(wanted)).is_some_and(|way| ways.contains(&way)))
            }
            Self::Contains { wanted, folds } => subject.contains(wanted, *folds),
            Self::Size(part) => match subject.size()? {
                Some(size) => part.judge(Subject::Json(&Value::from(size)), folder),
                None => Ok(false),
            },
            Self::Matches(pattern) => match subject {
                Subject::Text(text) => pattern.is_match(text),
                Subject::Json(value) => match text_of(value)? {
                    Some(text) => pattern.is_match(&Text::new(text)),
                    None => Ok(false),
                },
                Subject::Absent => Ok(false),
            },
            Self::At(path, reach, part) => match subject {
                Subject::Json(value) => {
                    let found = path.query(value).all();
                    if found.is_empty() {
                        return part.judge(Subject::Absent, folder);
                    }
                    reach.over(found.into_iter().map(|value| part.judge(Subject::Json(value), folder)))
                }
                Subject::Text(_) => Err(Unjudgeable("a JSONPath needs an object or a list".to_owned())),
                Subject::Absent => part.judge(Subject::Absent, folder),
            },
            Self::Within(name) => match (subject, folder(name)) {
                (Subject::Text(path), Some(folder)) => Ok(is_within(path.get(false), &folder)),
                _ => Ok(false),
            },
        }
    }
}

impl<'a> Subject<'a> {
    fn is_there(self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn equals(self, wanted: &Value, folds: bool) -> bool {
        let same = |text: &Text<'_>, wanted: &Value| match wanted {
            Value::String(wanted) => text.get(folds) == if folds { folded(wanted) } else { Cow::Borrowed(&**wanted) },
            // What a request says of itself is text; a number or a truth value in a rule means its text.
            Value::Number(wanted) => text.get(false).parse().ok() == wanted.as_f64(),
            Value::Bool(wanted) => text.get(false).parse() == Ok(*wanted),
            _ => false,
        };
        match self {
            Self::Absent => false,
            Self::Text(text) => same(text, wanted),
            Self::Json(Value::String(text)) => same(&Text::new(text.as_str()), wanted),
            Self::Json(Value::Number(found)) => match wanted {
                Value::Number(wanted) => found == wanted || found.as_f64() == wanted.as_f64(),
                _ => false,
            },
            Self::Json(value) => value == wanted,
        }
    }

    fn number(self) -> Result<Option<f64>, Unjudgeable> {
        let parse = |text: &str| match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(Unjudgeable(format!("`{}` is compared like a number but is none", shortened(text)))),
        };
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => parse(text.get(false)),
            Self::Json(Value::String(text)) => parse(text),
            Self::Json(Value::Number(number)) => Ok(number.as_f64()),
            Self::Json(value) => Err(Unjudgeable(format!("{} is compared like a number", kind(value)))),
        }
    }

    fn size(self) -> Result<Option<usize>, Unjudgeable> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text.get(false).chars().count())),
            Self::Json(Value::String(text)) => Ok(Some(text.chars().count())),
            Self::Json(Value::Array(list)) => Ok(Some(list.len())),
            Self::Json(Value::Object(object)) => Ok(Some(object.len())),
            Self::Json(value) => Err(Unjudgeable(format!("{} has no size", kind(value)))),
        }
    }

    fn contains(self, wanted: &Value, folds: bool) -> Truth {
        let holds = |text: &Text<'_>| match wanted {
            Value::String(wanted) if folds => Ok(text.get(true).contains(&*folded(wanted))),
            Value::String(wanted) => Ok(text.get(false).contains(&**wanted)),
            other => Ok(text.get(false).contains(&other.to_string())),
        };
        match self {
            Self::Absent => Ok(false),
            Self::Text(text) => holds(text),
            Self::Json(Value::String(text)) => holds(&Text::new(text.as_str())),
            Self::Json(Value::Array(list)) => Ok(list.iter().any(|one| Subject::Json(one).equals(wanted, folds))),
            Self::Json(Value::Object(object)) => Ok(wanted.as_str().is_some_and(|key| object.contains_key(key))),
            Self::Json(value) => Err(Unjudgeable(format!("{} contains nothing", kind(value)))),
        }
    }
}

/// Whether the absolute `path` is `folder` or lies in it, both without `..`.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let beneath = path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    beneath && path.starts_with('/') && !path.split('/').any(|component| component == "..")
}

/// The text of a value that has one; `None` for null.
fn text_of(value: &Value) -> Result<Option<Cow<'_, str>>, Unjudgeable> {
    match value {
        Value::String(text) => Ok(Some(Cow::Borrowed(text))),
        Value::Number(_) | Value::Bool(_) => Ok(Some(Cow::Owned(value.to_string()))),
        Value::Null => Ok(None),
        Value::Array(_) | Value::Object(_) => {
            Err(Unjudgeable(format!("{} stands where a text is needed", kind(value))))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
