//! Turns the place that a log names into a path inside the project, or into words.
//!
//! A log is written by somebody else. Whatever it names, the outcome is a [`RelPath`] or a reason; nothing is ever
//! opened here, and nothing is guessed. A URI is decoded exactly once; what still holds an escaped dot, separator or
//! NUL afterwards is refused. `#` and `?` are taken as parts of a file name, because tools write names unescaped far
//! more often than they write fragments.
//!
//! A run's *source root* is the base under which it was scanned, often on another machine: the base with one of the
//! names in [`SOURCE_ROOTS`], else the only base that is absolute. It stands for the project root.
//!
//! Invariants: no result leaves the project; cycles and long chains of bases end.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use conclave_core::path::{PathError, RelPath};
use percent_encoding::percent_decode_str;

/// So many bases may build on each other.
pub(crate) const MAX_CHAIN: usize = 16;
/// The longest place that is read, in bytes.
const MAX_PLACE: usize = 8 * 1024;
/// So many components a place or base may have.
const MAX_COMPONENTS: usize = 256;
/// Names that tools give to the root of the sources, the widest first; compared without `%`, `_` and case.
const SOURCE_ROOTS: [&str; 7] =
    ["REPOROOT", "PROJECTROOT", "ROOTPATH", "SRCROOT", "SOURCEROOT", "BASEDIR", "WORKSPACE"];

/// Why a place is not one of the project's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unresolved {
    #[error("it names no file")]
    Empty,
    #[error("it names the project itself")]
    ProjectItself,
    #[error("it is too long")]
    TooLong,
    #[error("it holds a control character")]
    Control,
    #[error("it names a share on a network")]
    Share,
    #[error("it names the machine `{0}`")]
    Host(String),
    #[error("it is a `{0}:` address, not a file")]
    Scheme(String),
    #[error("it is an absolute path without its drive")]
    Drive,
    #[error("it is outside the project")]
    Outside,
    #[error("it leaves the project")]
    Traversal,
    #[error("it hides a separator or dots behind escapes")]
    Hidden,
    #[error("it is escaped twice")]
    EscapedTwice,
    #[error("its escapes are not UTF-8")]
    NotUtf8,
    #[error("it mixes a URI with backslashes")]
    Backslash,
    #[error("{0}")]
    Path(#[from] PathError),
    #[error("its base `{0}` builds on itself")]
    Cycle(String),
    #[error("its base `{0}` builds on too many others")]
    Chain(String),
    #[error("it names artifact {0}, which the run does not list")]
    NoArtifact(usize),
    #[error("it lies inside another file")]
    Nested,
}

/// What a log names, as components that may still hold `..`.
#[derive(Debug)]
enum Place<'a> {
    Relative(Vec<Cow<'a, str>>),
    /// With the drive letter, where there is one.
    Absolute(Option<char>, Vec<Cow<'a, str>>),
}

/// A folder somewhere on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Folder {
    drive: Option<char>,
    parts: Vec<String>,
}

/// One entry of `originalUriBaseIds`, as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    pub(crate) uri: Option<String>,
    pub(crate) parent: Option<String>,
}

/// Where a base lies.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Anchor {
    /// So many components below the project root.
    Project(Vec<String>),
    /// Somewhere on a machine.
    Folder(Folder),
}

/// Resolves the places of one run.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    roots: Vec<Folder>,
    source_root: Option<Folder>,
    anchors: HashMap<String, Result<Anchor, Unresolved>>,
}

impl Resolver {
    /// A resolver for a project whose root is spelt as any of `roots`, and a run with these bases.
    pub(crate) fn new(roots: &[String], bases: &HashMap<String, Base>) -> Self {
        let roots: Vec<Folder> = roots.iter().filter_map(|root| plain_folder(root)).collect();
        let mut source = source_base(bases);
        let mut source_root = source.and_then(|id| match parse(bases.get(id)?.uri.as_deref()?.trim()) {
            Ok(Place::Absolute(drive, parts)) => {
                Some(Folder { drive, parts: owned(&normalise(parts.iter().map(AsRef::as_ref)).ok()?) })
            }
            _ => None,
        });
        // A folder above the project on this machine is what it says, not another spelling of the project.
        let above = |source: &Folder| roots.iter().any(|root| below(source, root.drive, &root.parts).is_some());
        if source_root.as_ref().is_some_and(|source| !source.parts.is_empty() && above(source)) {
            (source, source_root) = (None, None);
        }
        let mut resolver = Self { roots, source_root, anchors: HashMap::new() };
        let anchors: Vec<_> = bases.keys().map(|id| (id.clone(), resolver.anchor(id, bases, source))).collect();
        resolver.anchors.extend(anchors);
        resolver
    }

    /// The file that `uri` names, relative to base `base` where one is given.
    pub(crate) fn resolve(&self, uri: &str, base: Option<&str>) -> Result<RelPath, Unresolved> {
        let place = parse(uri)?;
        let parts = match &place {
            Place::Absolute(drive, parts) => self.inside(*drive, parts.iter().map(AsRef::as_ref))?,
            Place::Relative(parts) => {
                let parts = parts.iter().map(AsRef::as_ref);
                // A base that the run does not define is the root of whoever reads the log.
                match base.and_then(|base| self.anchors.get(base)) {
                    None => normalise(parts)?,
                    Some(Ok(Anchor::Project(base))) => normalise(base.iter().map(String::as_str).chain(parts))?,
                    Some(Ok(Anchor::Folder(folder))) => {
                        self.inside(folder.drive, folder.parts.iter().map(String::as_str).chain(parts))?
                    }
                    Some(Err(reason)) => return Err(reason.clone()),
                }
            }
        };
        if parts.is_empty() {
            return Err(Unresolved::ProjectItself);
        }
        Ok(RelPath::new(&parts.join("/"))?)
    }

    /// The components of an absolute place below the project root.
    fn inside<'p>(
        &self,
        drive: Option<char>,
        parts: impl Iterator<Item = &'p str>,
    ) -> Result<Vec<&'p str>, Unresolved> {
        let parts = normalise(parts).map_err(|_| Unresolved::Outside)?;
        let mut roots = self.roots.iter().chain(&self.source_root);
        roots.find_map(|root| below(root, drive, &parts)).map(<[&str]>::to_vec).ok_or(Unresolved::Outside)
    }

    fn anchor(&self, id: &str, bases: &HashMap<String, Base>, source: Option<&str>) -> Result<Anchor, Unresolved> {
        let mut seen = HashSet::new();
        let mut under: Vec<String> = Vec::new();
        let mut at = id;
        loop {
            if !seen.insert(at) {
                return Err(Unresolved::Cycle(id.to_owned()));
            }
            if seen.len() > MAX_CHAIN {
                return Err(Unresolved::Chain(id.to_owned()));
            }
            if under.len() > MAX_COMPONENTS {
                return Err(Unresolved::TooLong);
            }
            let Some(base) = bases.get(at) else { return Ok(Anchor::Project(under)) };
            if let Some(uri) = base.uri.as_deref().map(str::trim).filter(|uri| !uri.is_empty()) {
                match parse(uri) {
                    Ok(Place::Relative(parts)) => under = [owned(&parts), under].concat(),
                    Ok(Place::Absolute(drive, parts)) => {
                        let whole = [owned(&parts), under.clone()].concat();
                        let inside = self.inside(drive, whole.iter().map(String::as_str));
                        return Ok(match inside {
                            Ok(parts) => Anchor::Project(owned(&parts)),
                            Err(_) if source == Some(at) => Anchor::Project(under),
                            Err(_) => Anchor::Folder(Folder { drive, parts: whole }),
                        });
                    }
                    Err(_) if source == Some(at) => return Ok(Anchor::Project(under)),
                    Err(reason) => return Err(reason),
                }
            }
            match &base.parent {
                Some(parent) => at = parent,
                None => return Ok(Anchor::Project(under)),
            }
        }
    }
}

/// The id of the run's source root.
fn source_base(bases: &HashMap<String, Base>) -> Option<&str> {
    let is_relative = |uri: &str| matches!(parse(uri.trim()), Ok(Place::Relative(_)) | Err(Unresolved::Empty));
    let absolute: Vec<&str> = bases
        .iter()
        .filter(|(_, base)| base.uri.as_deref().is_some_and(|uri| !is_relative(uri)))
        .map(|(id, _)| id.as_str())
        .collect();
    let plain = |id: &str| id.replace(['%', '_'], "").to_ascii_uppercase();
    SOURCE_ROOTS
        .iter()
        .find_map(|name| absolute.iter().find(|id| plain(id) == *name).copied())
        .or_else(|| if let [only] = absolute[..] { Some(only) } else { None })
}

/// `parts` without the components of `root`, if it starts with them; drives and what is on them compare without case.
fn below<'a, T: AsRef<str>>(root: &Folder, drive: Option<char>, parts: &'a [T]) -> Option<&'a [T]> {
    let same = |a: &str, b: &str| if drive.is_some() { a.eq_ignore_ascii_case(b) } else { a == b };
    let fits = root.drive == drive
        && root.parts.len() <= parts.len()
        && root.parts.iter().zip(parts).all(|(root, part)| same(root, part.as_ref()));
    fits.then(|| &parts[root.parts.len()..])
}

/// Drops `.` and empty components and lets `..` take back the one before it, never one above the first.
fn normalise<'p>(parts: impl Iterator<Item = &'p str>) -> Result<Vec<&'p str>, Unresolved> {
    let mut plain = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            ".." => {
                plain.pop().ok_or(Unresolved::Traversal)?;
            }
            _ => plain.push(part),
        }
    }
    Ok(plain)
}

fn owned<T: AsRef<str>>(parts: &[T]) -> Vec<String> {
    parts.iter().map(|part| part.as_ref().to_owned()).collect()
}

/// Reads what a log names, as a URI or as a path of any system.
fn parse(text: &str) -> Result<Place<'_>, Unresolved> {
    if text.is_empty() {
        return Err(Unresolved::Empty);
    }
    if text.len() > MAX_PLACE || text.split(['/', '\\']).count() > MAX_COMPONENTS {
        return Err(Unresolved::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(Unresolved::Control);
    }
    let is_separator = |c: char| matches!(c, '/' | '\\');
    if text.starts_with(is_separator) && text[1..].starts_with(is_separator) {
        return Err(Unresolved::Share);
    }
    if let Some((drive, rest)) = split_drive(text) {
        if !rest.starts_with(is_separator) {
            return Err(Unresolved::Drive);
        }
        return Ok(Place::Absolute(Some(drive), split_path(rest)?));
    }
    if let Some((scheme, rest)) = split_scheme(text) {
        if !scheme.eq_ignore_ascii_case("file") {
            return Err(Unresolved::Scheme(scheme.to_ascii_lowercase()));
        }
        return file_uri(rest);
    }
    if text.starts_with('\\') {
        return Err(Unresolved::Drive);
    }
    if text.starts_with('/') {
        return Ok(Place::Absolute(None, split_uri(text)?));
    }
    // A backslash outside a URI is a separator: some tools on Windows write paths where a URI belongs.
    let parts = if text.contains('\\') { split_path(text)? } else { split_uri(text)? };
    Ok(Place::Relative(parts))
}

/// What follows `file:`.
fn file_uri(rest: &str) -> Result<Place<'_>, Unresolved> {
    let path = match rest.strip_prefix("//") {
        Some(after) => {
            let (host, path) = after.split_at(after.find('/').unwrap_or(after.len()));
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                return Err(Unresolved::Host(host.to_owned()));
            }
            path
        }
        None => rest,
    };
    if path.starts_with("//") {
        return Err(Unresolved::Share);
    }
    let Some(inner) = path.strip_prefix('/') else { return Err(Unresolved::Scheme("file".to_owned())) };
    if let Some((drive, rest)) = split_drive(inner) {
        let parts = if rest.contains('\\') { split_path(rest)? } else { split_uri(rest)? };
        return Ok(Place::Absolute(Some(drive), parts));
    }
    Ok(Place::Absolute(None, split_uri(path)?))
}

/// The spelling of a project root as a folder; it is a path, so nothing in it is decoded.
fn plain_folder(path: &str) -> Option<Folder> {
    let (drive, rest, separators): (_, _, &[char]) = match split_drive(path) {
        Some((drive, rest)) => (Some(drive), rest, &['/', '\\']),
        None => (None, path, &['/']),
    };
    if !rest.starts_with(separators) || rest.starts_with("//") {
        return None;
    }
    Some(Folder { drive, parts: owned(&normalise(rest.split(separators)).ok()?) })
}

fn split_drive(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?;
    (chars.next()? == ':').then(|| (letter.to_ascii_uppercase(), &text[2..]))
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    fits.then_some((scheme, rest))
}

/// The components of a path that is no URI; nothing is decoded.
fn split_path(path: &str) -> Result<Vec<Cow<'_, str>>, Unresolved> {
    path.split(['/', '\\']).map(|part| refuse_escapes(part).map(|()| part.into())).collect()
}

/// The components of a URI's path, decoded once.
fn split_uri(path: &str) -> Result<Vec<Cow<'_, str>>, Unresolved> {
    if path.contains('\\') {
        return Err(Unresolved::Backslash);
    }
    path.split('/').map(decode).collect()
}

fn decode(part: &str) -> Result<Cow<'_, str>, Unresolved> {
    if !part.contains('%') {
        return Ok(part.into());
    }
    // A `%` that begins no escape stays: it is a character of the name, because not every tool escapes.
    let decoded = percent_decode_str(part).decode_utf8().map_err(|_| Unresolved::NotUtf8)?;
    let hides = decoded.chars().any(|c| matches!(c, '/' | '\\') || c.is_control());
    if hides || decoded.chars().all(|c| matches!(c, '.' | ' ')) {
        return Err(Unresolved::Hidden);
    }
    refuse_escapes(&decoded)?;
    Ok(decoded)
}

/// Refuses an escape that would be a dot, a separator, a NUL or another escape to whoever decodes once more.
fn refuse_escapes(part: &str) -> Result<(), Unresolved> {
    if !part.contains('%') {
        return Ok(());
    }
    let lower = part.to_ascii_lowercase();
    let again = ["%2e", "%2f", "%5c", "%00", "%25"].iter().any(|escape| lower.contains(escape));
    if again { Err(Unresolved::EscapedTwice) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
