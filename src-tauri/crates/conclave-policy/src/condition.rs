//! What a rule is about: conditions and how they are judged.
//!
//! Judging is three-valued ([`Truth`]). A condition knows from the outset on which side it stands ([`Reach`]): about
//! things of which a request has several, what permits wants all of them and what refuses is content with one. A new
//! condition is one variant, its arm here and its key in the [reader](read).

mod command;
pub(crate) mod read;

use serde_json::Value;

pub(crate) use command::CommandCondition;

use crate::facts::{Facts, Field};
use crate::pattern::{Text, Unjudgeable};
use crate::predicate::{Predicate, Reach, Subject, Truth, all, any};
use crate::time_range::TimeRange;
use crate::{Access, Action, Actor};

/// Something that is true of a request, false of it, or cannot be judged.
#[derive(Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Action(Vec<Action>),
    Actor(Vec<ActorPattern>),
    Field(Field, Predicate),
    /// The other side is one of these domains or lies in one.
    Domain(Vec<String>),
    /// A parameter of a call.
    Parameter(Place, Predicate),
    /// The words of a context value: separated by spaces, or a JSON list of texts.
    Words(String, Reach, Predicate),
    /// Each touched path, where it lies and how it is touched; one that is not known exists for no rule.
    Paths {
        reach: Reach,
        path: Option<Predicate>,
        access: Option<Vec<Access>>,
    },
    Command(CommandCondition),
    Time(TimeRange),
}

/// Who a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActorPattern {
    Exactly(Actor),
    AnyAnalyst,
    AnyAgent,
}

/// Where in a call's parameters to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// All of them together.
    Whole,
    /// One parameter by its name.
    Name(String),
    /// A JSON pointer, as in RFC 6901.
    Pointer(String),
}

impl Condition {
    /// Whether the condition holds.
    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Truth {
        let folder = |key: &str| facts.context(key).map(str::to_owned);
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.judge(facts))),
            Self::Any(parts) => any(parts.iter().map(|part| part.judge(facts))),
            Self::Not(part) => part.judge(facts).map(|held| !held),
            Self::Action(actions) => Ok(actions.contains(&facts.request.action)),
            Self::Actor(actors) => Ok(actors.iter().any(|actor| actor.matches(&facts.request.actor))),
            Self::Field(field, predicate) => {
                facts.field(field, |text| predicate.judge(text.map_or(Subject::Absent, Subject::Text), &folder))
            }
            Self::Domain(domains) => Ok(facts.host().is_some_and(|host| {
                let host = host.get(true);
                domains.iter().any(|domain| {
                    host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                })
            })),
            Self::Parameter(place, predicate) => {
                let found = facts.parameters().and_then(|parameters| place.find(parameters));
                predicate.judge(found.map_or(Subject::Absent, Subject::Json), &folder)
            }
            Self::Words(key, reach, predicate) => match facts.context(key) {
                None => Ok(false),
                Some(text) => {
                    let words = words(text)?;
                    reach.over(words.into_iter().map(|word| predicate.judge(Subject::Text(&Text::new(word)), &folder)))
                }
            },
            Self::Paths { reach, path, access } => reach.over(facts.paths().iter().map(|(how, real)| {
                if access.as_ref().is_some_and(|wanted| !wanted.contains(how)) {
                    return Ok(false);
                }
                match (path, real) {
                    (None, _) => Ok(true),
                    (Some(path), None) if path.is_about_existence() => path.judge(Subject::Absent, &folder),
                    (Some(path), Some(real)) => path.judge(Subject::Text(real), &folder),
                    (Some(_), None) => Err(Unjudgeable("it is not known which file is meant".to_owned())),
                }
            })),
            Self::Command(command) => command.judge(facts),
            Self::Time(range) => range.contains(facts.at_ms),
        }
    }

    /// How much work judging is, so that what is quickly settled is judged first.
    fn cost(&self) -> usize {
        match self {
            Self::Action(_) | Self::Actor(_) => 0,
            Self::Field(..) | Self::Domain(_) | Self::Words(..) | Self::Time(_) => 1,
            Self::Parameter(..) | Self::Paths { .. } => 2,
            Self::Command(_) => 3,
            Self::Not(part) => 1 + part.cost(),
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::cost).sum::<usize>(),
        }
    }

    /// All of `parts`, the cheapest first.
    pub(crate) fn all_of(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::cost);
        Self::All(parts)
    }

    /// The actions outside of which the condition is false; `None` where there is no such list.
    pub(crate) fn only_actions(&self) -> Option<&[Action]> {
        match self {
            Self::Action(actions) => Some(actions),
            Self::All(parts) => parts.iter().find_map(Self::only_actions),
            _ => None,
        }
    }

    /// The tools outside of which the condition is false; `None` where there is no such list.
    pub(crate) fn only_tools(&self) -> Option<Vec<Name<'_>>> {
        match self {
            Self::Field(Field::Tool, predicate) => only_names(predicate),
            Self::All(parts) => parts.iter().find_map(Self::only_tools),
            Self::Any(parts) => union(parts.iter().map(Self::only_tools)),
            _ => None,
        }
    }
}

/// What a name has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name<'a> {
    Exactly(&'a str),
    Beginning(&'a str),
}

/// The names outside of which the predicate is false.
fn only_names(predicate: &Predicate) -> Option<Vec<Name<'_>>> {
    match predicate {
        Predicate::Equal { wanted: Value::String(text), folds: false } => Some(vec![Name::Exactly(text)]),
        Predicate::Matches(pattern) => Some(vec![Name::Beginning(pattern.prefix()?)]),
        Predicate::Any(parts) => union(parts.iter().map(only_names)),
        Predicate::All(parts) => parts.iter().find_map(only_names),
        _ => None,
    }
}

fn union<'a>(parts: impl Iterator<Item = Option<Vec<Name<'a>>>>) -> Option<Vec<Name<'a>>> {
    parts.collect::<Option<Vec<_>>>().map(|names| names.into_iter().flatten().collect())
}

impl ActorPattern {
    fn matches(&self, actor: &Actor) -> bool {
        match self {
            Self::Exactly(one) => one == actor,
            Self::AnyAnalyst => matches!(actor, Actor::Analyst(_)),
            Self::AnyAgent => matches!(actor, Actor::Agent(_)),
        }
    }
}

impl Place {
    fn find<'a>(&self, parameters: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Whole => Some(parameters),
            Self::Name(name) => parameters.get(name),
            Self::Pointer(pointer) => parameters.pointer(pointer),
        }
    }
}

fn words(text: &str) -> Result<Vec<String>, Unjudgeable> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|_| Unjudgeable("a list of texts cannot be read".to_owned()));
    }
    Ok(text.split_whitespace().map(str::to_owned).collect())
}
