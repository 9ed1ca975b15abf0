//! Whether a model lives, by the list and by its host's own word, and what is to be said of it.

use std::collections::BTreeSet;

use conclave_policy::suggest;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Date, End, host_at, model, models};

/// How things stand with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is offered, and nothing else is announced.
    Living,
    /// It will not be offered any more.
    Retires {
        /// From this day on.
        on: Date,
        /// What takes its place.
        successor: Option<&'static str>,
    },
    /// It is not offered any more.
    Retired {
        /// Since when.
        end: End,
        /// What takes its place.
        successor: Option<&'static str>,
    },
    /// The list does not have it.
    Unknown {
        /// The living one with the most similar name.
        nearest: Option<&'static str>,
    },
}

/// What a host's own list of models says of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It is there.
    Listed,
    /// It is not.
    Missing {
        /// What takes its place, or has the most similar name, among those that are there.
        nearest: Option<String>,
    },
    /// The host lists nothing.
    Silent,
}

/// How things stand on the day `today` with the model called `id`.
pub fn state(id: &str, today: Date) -> State {
    let Some(entry) = model(id) else { return State::Unknown { nearest: nearest(id) } };
    let successor = entry.successor.as_deref();
    match entry.end {
        None => State::Living,
        Some(End::On(on)) if today < on => State::Retires { on, successor },
        Some(end) => State::Retired { end, successor },
    }
}

/// The living model whose name is most like `id`, if any is like it.
pub fn nearest(id: &str) -> Option<&'static str> {
    let living: Vec<&'static str> =
        models().iter().filter(|entry| entry.end.is_none()).map(|entry| entry.id.as_str()).collect();
    most_like(id, &living)
}

/// What the host's own list `listed` says of the model called `id`.
pub fn against(id: &str, listed: &[String]) -> Listing {
    let known = model(id);
    // Ollama lists `qwen2.5-coder:latest` where people write `qwen2.5-coder`; others list `big` and take `big:variant`,
    // or list a model by another of its names.
    let plain = id.split_once(':').map_or(id, |(plain, _)| plain);
    let is_it = |name: &String| {
        name == id
            || name == plain
            || name.strip_suffix(":latest") == Some(id)
            || known.is_some_and(|entry| entry.is_called(name))
    };
    if listed.is_empty() {
        return Listing::Silent;
    }
    if listed.iter().any(is_it) {
        return Listing::Listed;
    }
    let successor = known.and_then(|entry| entry.successor.as_deref());
    let names: Vec<&str> = listed.iter().map(String::as_str).collect();
    let nearest = successor.filter(|next| names.contains(next)).or_else(|| most_like(id, &names));
    Listing::Missing { nearest: nearest.map(str::to_owned) }
}

/// What is to be said of the model `id` that is asked at `base_url`, loudly, in sentences: that it retires, that it is
/// gone, that its host does not list it, that it is not known.
///
/// `listed` is what the host lists, where it was asked.
pub fn remarks(id: &str, base_url: &str, listed: &[String], today: Date) -> Vec<String> {
    // Of a host that has none in the list nothing can be missed.
    let own_host = host_at(base_url).filter(|host| models().iter().any(|entry| entry.host.id == host.id));
    let is_of_it = own_host.is_some_and(|host| model(id).is_none_or(|entry| entry.host.id == host.id));
    let by_list = is_of_it.then(|| state(id, today)).and_then(|state| state.words(id));
    let by_host = match against(id, listed) {
        Listing::Missing { nearest } => Some(match nearest {
            Some(near) => format!("it does not list the model `{id}`; the nearest that it lists is `{near}`"),
            None => format!("it does not list the model `{id}`"),
        }),
        Listing::Listed | Listing::Silent => None,
    };
    by_list.into_iter().chain(by_host).collect()
}

impl State {
    /// What is to be said of the model `id`, if anything.
    pub fn words(&self, id: &str) -> Option<String> {
        let instead = |successor: &Option<&str>| match successor {
            Some(next) => format!("; take `{next}` in its place"),
            None => String::new(),
        };
        match self {
            Self::Living => None,
            Self::Retires { on, successor } => {
                Some(format!("the model `{id}` is retired on {on}{}", instead(successor)))
            }
            Self::Retired { end: End::On(on), successor } => {
                Some(format!("the model `{id}` was retired on {on} and answers no more{}", instead(successor)))
            }
            Self::Retired { end: End::Before(seen), successor } => Some(format!(
                "the model `{id}` is retired and answers no more: its host did not offer it on {seen}{}",
                instead(successor)
            )),
            Self::Unknown { nearest } => Some(match nearest {
                Some(near) => {
                    format!("Conclave does not know the model `{id}` and what it costs; did you mean `{near}`?")
                }
                None => format!("Conclave does not know the model `{id}` and what it costs"),
            }),
        }
    }
}

/// The UTC day of a time in milliseconds since 1970-01-01.
pub fn day(at_ms: i64) -> Date {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).date()
}

/// The name that is most like `id`: a slip of the pen away, else the one with the most words of it, the first of them
/// among them, which is the family.
fn most_like<'a>(id: &str, names: &[&'a str]) -> Option<&'a str> {
    let words = |name: &str| -> Vec<String> {
        name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase).collect()
    };
    let wanted = words(id);
    let shared = |name: &str| {
        let words = words(name);
        let own: BTreeSet<&String> = words.iter().collect();
        let same_family = words.first() == wanted.first() && !wanted[0].is_empty();
        if same_family { wanted.iter().collect::<BTreeSet<_>>().intersection(&own).count() } else { 0 }
    };
    suggest::nearest(id, names).or_else(|| {
        // The first of the best, so that the order of the list decides.
        let best = names.iter().map(|name| shared(name)).max().filter(|most| *most > 0)?;
        names.iter().copied().find(|name| shared(name) == best)
    })
}
