//! The first pass: everything of a log that its results may refer to, in whatever order the file has it.
//!
//! Results are passed over. What a run says elsewhere (tool, rules, artifacts, bases, invocations) is kept within the
//! limits; lists keep their numbering, whatever of them could not be read.

use std::collections::HashMap;
use std::io::Read;

use conclave_core::finding::ColumnKind;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::complaint::{Complaints, Fault, Place};
use crate::cwe::Taxonomy;
use crate::frame::{Broken, Frames, MAX_DEPTH, Taken};
use crate::lenient::{Map, Maybe, Text};
use crate::limits::{Limits, MESSAGE_BYTES, NAME_BYTES, cut};
use crate::message::{self, Strings};
use crate::resolve::Base;
use crate::state::Invocations;
use crate::wire;

/// So many bases, message strings, components, taxonomies or invocations are read.
const MAX_KEYS: usize = 1_000;
/// Keys whose repetition adds to what was there, so that nothing is hidden behind it.
const ADDITIVE: [&str; 2] = ["runs", "results"];

/// The fields of the log, of a run and of a component that are read.
const LOG: [&str; 4] = ["version", "$schema", "runs", "inlineExternalProperties"];
const RUN: [&str; 11] = [
    "results",
    "tool",
    "artifacts",
    "originalUriBaseIds",
    "columnKind",
    "logicalLocations",
    "threadFlowLocations",
    "taxonomies",
    "invocations",
    "properties",
    "externalPropertyFileReferences",
];
const COMPONENT: [&str; 7] = ["name", "version", "semanticVersion", "guid", "rules", "taxa", "globalMessageStrings"];

/// What the first pass saw of a file.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) version: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) has_runs: bool,
    pub(crate) runs: Vec<RunSurvey>,
    pub(crate) complaints: Complaints,
    /// Why the file could not be walked to its end.
    pub(crate) broken: Option<Broken>,
    shared_left: usize,
}

/// What the first pass saw of a run.
#[derive(Debug)]
pub(crate) struct RunSurvey {
    /// The driver, then the extensions.
    pub(crate) components: Vec<Component>,
    pub(crate) taxonomies: Vec<Taxonomy>,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) artifact_count: u32,
    pub(crate) bases: HashMap<String, Base>,
    pub(crate) column_kind: Option<ColumnKind>,
    pub(crate) logical_locations: Vec<Option<String>>,
    /// Entries of `threadFlowLocations`, as JSON.
    pub(crate) flow_locations: Vec<Option<Box<str>>>,
    pub(crate) invocations: Invocations,
    /// The run's `properties`, as JSON.
    pub(crate) properties: Option<String>,
    pub(crate) results: Results,
    /// What the run keeps in other files or blocks.
    pub(crate) external: Vec<String>,
    pub(crate) complaints: Complaints,
    /// Whether the run could be walked to its end.
    pub(crate) whole: bool,
}

/// What stands for `results`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Results {
    #[default]
    Absent,
    Null,
    NoList,
    List(u32),
}

/// One `toolComponent`.
#[derive(Debug, Default)]
pub(crate) struct Component {
    pub(crate) name: Option<String>,
    pub(crate) semantic_version: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) guid: Option<String>,
    /// Its rules, as JSON: their taxonomies may come later in the file.
    pub(crate) rules: Vec<Option<Box<str>>>,
    pub(crate) strings: Strings,
    taxa: Vec<String>,
}

/// One artifact, as far as places refer to it.
#[derive(Debug, Default)]
pub(crate) struct Artifact {
    pub(crate) uri: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) nested: bool,
    /// Whether the tool was told to analyse it.
    pub(crate) is_target: bool,
}

impl RunSurvey {
    fn new(limits: &Limits) -> Self {
        Self {
            components: vec![Component::default()],
            taxonomies: Vec::new(),
            artifacts: Vec::new(),
            artifact_count: 0,
            bases: HashMap::new(),
            column_kind: None,
            logical_locations: Vec::new(),
            flow_locations: Vec::new(),
            invocations: Invocations::default(),
            properties: None,
            results: Results::Absent,
            external: Vec::new(),
            complaints: Complaints::new(limits.complaints),
            whole: false,
        }
    }
}

/// Reads one value that was taken.
pub(crate) fn decode<'a, T: Deserialize<'a>>(taken: Taken<'a>, limit: usize) -> Result<T, Fault> {
    serde_json::from_str(text(taken, limit)?).map_err(|error| Fault::of_json(&error))
}

fn text(taken: Taken<'_>, limit: usize) -> Result<&str, Fault> {
    match taken {
        Taken::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8),
        Taken::TooDeep => Err(Fault::TooDeep { limit: MAX_DEPTH }),
        Taken::TooLarge => Err(Fault::TooLarge { limit }),
    }
}

/// Walks the fields of an object that have one of the names `known` and passes the others over.
///
/// A key that stands twice is complained of; its first value counts, unless it is [`ADDITIVE`]. `false` for a value that
/// is no object.
pub(crate) fn fields<R: Read>(
    frames: &mut Frames<R>,
    known: &[&'static str],
    mut twice: impl FnMut(Fault),
    mut field: impl FnMut(&mut Frames<R>, &'static str) -> Result<(), Broken>,
) -> Result<bool, Broken> {
    if !frames.object()? {
        frames.skip()?;
        return Ok(false);
    }
    let mut seen = vec![false; known.len()];
    while let Some(key) = frames.key()? {
        let Some(number) = known.iter().position(|known| *known == key) else {
            frames.skip()?;
            continue;
        };
        if std::mem::replace(&mut seen[number], true) {
            twice(Fault::DuplicateKey { key });
            if !ADDITIVE.contains(&known[number]) {
                frames.skip()?;
                continue;
            }
        }
        field(frames, known[number])?;
    }
    Ok(true)
}

impl Survey {
    /// Walks the log; what breaks the walk is in `broken`, and what came before it is kept.
    pub(crate) fn of<R: Read>(frames: &mut Frames<R>, limits: &Limits) -> Self {
        let mut survey = Self {
            version: None,
            schema: None,
            has_runs: false,
            runs: Vec::new(),
            complaints: Complaints::new(limits.complaints),
            broken: None,
            shared_left: limits.shared_bytes,
        };
        survey.broken = survey.walk(frames, limits).err();
        survey
    }

    fn walk<R: Read>(&mut self, frames: &mut Frames<R>, limits: &Limits) -> Result<(), Broken> {
        let mut twice = Vec::new();
        fields(
            frames,
            &LOG,
            |fault| twice.push(fault),
            |frames, key| match key {
                "version" => string(frames).map(|version| self.version = version),
                "$schema" => string(frames).map(|schema| self.schema = schema),
                "runs" => self.walk_runs(frames, limits),
                "inlineExternalProperties" => {
                    self.complaints.add(Place::Log, Fault::External { what: "`inlineExternalProperties`".to_owned() });
                    frames.skip()
                }
                _ => frames.skip(),
            },
        )?;
        for fault in twice {
            self.complaints.add(Place::Log, fault);
        }
        if frames.peek()?.is_some() {
            self.complaints.add(Place::Log, Fault::Trailing { at: frames.offset() });
        }
        Ok(())
    }

    fn walk_runs<R: Read>(&mut self, frames: &mut Frames<R>, limits: &Limits) -> Result<(), Broken> {
        if !frames.array()? {
            self.complaints.add(Place::Log, Fault::Malformed { detail: "`runs` is no list".to_owned() });
            return frames.skip();
        }
        self.has_runs = true;
        while frames.element()? {
            if self.runs.len() >= limits.runs {
                if self.runs.len() == limits.runs {
                    self.complaints.add(Place::Log, Fault::Limit { name: "runs", limit: limits.runs });
                }
                frames.skip()?;
                continue;
            }
            self.runs.push(RunSurvey::new(limits));
            let Some(run) = self.runs.last_mut() else { continue };
            let mut pass = RunPass { limits, shared_left: &mut self.shared_left };
            let walked = pass.walk(frames, run);
            run.whole = walked.is_ok();
            walked?;
        }
        Ok(())
    }
}

struct RunPass<'a> {
    limits: &'a Limits,
    shared_left: &'a mut usize,
}

impl RunPass<'_> {
    fn walk<R: Read>(&mut self, frames: &mut Frames<R>, run: &mut RunSurvey) -> Result<(), Broken> {
        let mut twice = Vec::new();
        let is_object = fields(frames, &RUN, |fault| twice.push(fault), |frames, key| self.field(frames, run, key))?;
        for fault in twice {
            run.complaints.add(Place::Run, fault);
        }
        if !is_object {
            run.complaints.add(Place::Run, Fault::Malformed { detail: "it is no object".to_owned() });
        }
        Ok(())
    }

    fn field<R: Read>(&mut self, frames: &mut Frames<R>, run: &mut RunSurvey, key: &str) -> Result<(), Broken> {
        let complaints = &mut run.complaints;
        match key {
            "results" => {
                run.results = match (results(frames)?, run.results) {
                    (Results::List(more), Results::List(count)) => Results::List(count.saturating_add(more)),
                    (seen, _) => seen,
                };
            }
            "tool" => self.tool(frames, run)?,
            "artifacts" => {
                let artifacts = &mut run.artifacts;
                run.artifact_count = self.list(frames, "artifacts", self.limits.artifacts, complaints, |json| {
                    push(artifacts, json.map_or(Ok(Artifact::default()), artifact))
                })?;
            }
            "originalUriBaseIds" => {
                let bases = self.value::<R, Map<Maybe<wire::ArtifactLocation<'_>>, MAX_KEYS>, _>(
                    frames,
                    complaints,
                    |bases| {
                        let base = |location: Option<&wire::ArtifactLocation<'_>>| Base {
                            uri: location.and_then(|location| location.uri.owned()),
                            parent: location.and_then(|location| location.uri_base_id.owned()),
                        };
                        bases.0.iter().map(|(id, location)| (cut(id, NAME_BYTES), base(location.get()))).collect()
                    },
                )?;
                run.bases = bases.unwrap_or_default();
            }
            "columnKind" => {
                run.column_kind = match string(frames)?.as_deref() {
                    Some("utf16CodeUnits") => Some(ColumnKind::Utf16),
                    Some("unicodeCodePoints") => Some(ColumnKind::Unicode),
                    // Of the next version of the standard.
                    Some("bytes") => Some(ColumnKind::Byte),
                    _ => None,
                };
            }
            "logicalLocations" => {
                let names = &mut run.logical_locations;
                self.list(frames, "logicalLocations", self.limits.entries, complaints, |json| {
                    let read = json.map_or(Ok(Maybe(None)), of_json::<Maybe<wire::LogicalLocation<'_>>>);
                    push(names, read.map(|location| location.get().and_then(symbol)))
                })?;
            }
            "threadFlowLocations" => {
                let steps = &mut run.flow_locations;
                self.list(frames, "threadFlowLocations", self.limits.entries, complaints, |json| {
                    steps.push(json.map(Into::into));
                    Ok(())
                })?;
            }
            "taxonomies" => {
                if frames.array()? {
                    while frames.element()? {
                        let Component { name, guid, taxa, .. } = self.component(frames, &mut run.complaints)?;
                        run.taxonomies.push(Taxonomy { name: name.unwrap_or_default(), guid, ids: taxa });
                        run.taxonomies.truncate(MAX_KEYS);
                    }
                } else {
                    frames.skip()?;
                }
            }
            "invocations" => {
                let invocations = &mut run.invocations;
                self.list(frames, "invocations", MAX_KEYS, complaints, |json| match json.map(of_json).transpose() {
                    Ok(Some(invocation)) => {
                        invocations.add(invocation);
                        Ok(())
                    }
                    Ok(None) => {
                        invocations.add_unreadable();
                        Ok(())
                    }
                    Err(fault) => {
                        invocations.add_unreadable();
                        Err(fault)
                    }
                })?;
            }
            "properties" => {
                let taken = frames.take(self.limits.entry_bytes)?;
                run.properties = text(taken, self.limits.entry_bytes).ok().map(str::to_owned);
            }
            "externalPropertyFileReferences" => {
                let names = self.value::<R, Map<IgnoredAny, 100>, _>(frames, complaints, |files| {
                    files.0.into_iter().map(|(what, _)| cut(&what, 64)).collect()
                })?;
                run.external = names.unwrap_or_default();
            }
            _ => frames.skip()?,
        }
        Ok(())
    }

    fn tool<R: Read>(&mut self, frames: &mut Frames<R>, run: &mut RunSurvey) -> Result<(), Broken> {
        let (components, complaints) = (&mut run.components, &mut run.complaints);
        let is_object = fields(frames, &["driver", "extensions"], drop, |frames, key| match key {
            "driver" => {
                components[0] = self.component(frames, complaints)?;
                Ok(())
            }
            "extensions" if frames.array()? => {
                while frames.element()? {
                    let extension = self.component(frames, complaints)?;
                    if components.len() < MAX_KEYS {
                        components.push(extension);
                    }
                }
                Ok(())
            }
            _ => frames.skip(),
        })?;
        if !is_object {
            run.complaints.add(Place::Run, Fault::Malformed { detail: "`tool` is no object".to_owned() });
        }
        Ok(())
    }

    fn component<R: Read>(&mut self, frames: &mut Frames<R>, complaints: &mut Complaints) -> Result<Component, Broken> {
        let mut component = Component::default();
        let mut twice = Vec::new();
        fields(
            frames,
            &COMPONENT,
            |fault| twice.push(fault),
            |frames, key| {
                match key {
                    "name" => component.name = string(frames)?,
                    "version" => component.version = string(frames)?,
                    "semanticVersion" => component.semantic_version = string(frames)?,
                    "guid" => component.guid = string(frames)?,
                    "rules" => {
                        let rules = &mut component.rules;
                        self.list(frames, "rules", self.limits.rules, complaints, |json| {
                            rules.push(json.map(Into::into));
                            Ok(())
                        })?;
                    }
                    "taxa" => {
                        let taxa = &mut component.taxa;
                        self.list(frames, "taxa", self.limits.entries, complaints, |json| {
                            let read = json.map_or(Ok(Maybe(None)), of_json::<Maybe<wire::DescriptorReference<'_>>>);
                            push(
                                taxa,
                                read.map(|taxon| taxon.get().and_then(|taxon| taxon.id.owned()).unwrap_or_default()),
                            )
                        })?;
                    }
                    "globalMessageStrings" => {
                        let strings =
                            self.value::<R, Map<wire::Message<'_>, MAX_KEYS>, _>(frames, complaints, |strings| {
                                let owned = |(id, text): &(String, wire::Message<'_>)| {
                                    Some((cut(id, NAME_BYTES), message::string(text, MESSAGE_BYTES)?))
                                };
                                strings.0.iter().filter_map(owned).collect()
                            })?;
                        component.strings = strings.unwrap_or_default();
                    }
                    _ => frames.skip()?,
                }
                Ok(())
            },
        )?;
        for fault in twice {
            complaints.add(Place::Run, fault);
        }
        Ok(component)
    }

    /// Reads the next value as a `T` and keeps what `keep` makes of it.
    fn value<'t, R: Read, T, K>(
        &mut self,
        frames: &'t mut Frames<R>,
        complaints: &mut Complaints,
        keep: impl FnOnce(T) -> K,
    ) -> Result<Option<K>, Broken>
    where
        T: Deserialize<'t>,
    {
        let taken = frames.take(self.limits.entry_bytes)?;
        Ok(match decode(taken, self.limits.entry_bytes) {
            Ok(value) => Some(keep(value)),
            Err(fault) => {
                complaints.add(Place::Run, fault);
                None
            }
        })
    }

    /// Hands each element of a list to `keep` as JSON, `None` for one that cannot be read, and counts them all.
    fn list<R: Read>(
        &mut self,
        frames: &mut Frames<R>,
        name: &'static str,
        most: usize,
        complaints: &mut Complaints,
        mut keep: impl FnMut(Option<&str>) -> Result<(), Fault>,
    ) -> Result<u32, Broken> {
        if !frames.array()? {
            if frames.peek()? != Some(b'n') {
                complaints.add(Place::Run, Fault::Malformed { detail: format!("`{name}` is no list") });
            }
            frames.skip()?;
            return Ok(0);
        }
        let mut count = 0_u32;
        while frames.element()? {
            let index = count;
            count = count.saturating_add(1);
            if index as usize >= most {
                if index as usize == most {
                    complaints.add(Place::Run, Fault::Limit { name, limit: most });
                }
                frames.skip()?;
                continue;
            }
            let place = match name {
                "rules" => Place::Rule(index),
                "artifacts" => Place::Artifact(index),
                _ => Place::Entry(name, index),
            };
            let taken = frames.take(self.limits.entry_bytes)?;
            let kept = match text(taken, self.limits.entry_bytes) {
                Ok(json) if json.len() > *self.shared_left => {
                    *self.shared_left = 0;
                    keep(None).and(Err(Fault::Limit { name: "shared bytes", limit: self.limits.shared_bytes }))
                }
                Ok(json) => {
                    *self.shared_left -= json.len();
                    keep(Some(json))
                }
                Err(fault) => keep(None).and(Err(fault)),
            };
            if let Err(fault) = kept {
                complaints.add(place, fault);
            }
        }
        Ok(count)
    }
}

/// Keeps what was read, or an empty entry so that the list keeps its numbering.
fn push<T: Default>(list: &mut Vec<T>, read: Result<T, Fault>) -> Result<(), Fault> {
    match read {
        Ok(entry) => {
            list.push(entry);
            Ok(())
        }
        Err(fault) => {
            list.push(T::default());
            Err(fault)
        }
    }
}

fn results<R: Read>(frames: &mut Frames<R>) -> Result<Results, Broken> {
    if !frames.array()? {
        let null = frames.peek()? == Some(b'n');
        frames.skip()?;
        return Ok(if null { Results::Null } else { Results::NoList });
    }
    let mut count = 0_u32;
    while frames.element()? {
        frames.skip()?;
        count = count.saturating_add(1);
    }
    Ok(Results::List(count))
}

fn artifact(json: &str) -> Result<Artifact, Fault> {
    let read: Maybe<wire::Artifact<'_>> = of_json(json)?;
    let Some(artifact) = read.get() else { return Ok(Artifact::default()) };
    let location = artifact.location.get();
    Ok(Artifact {
        uri: location.and_then(|location| location.uri.owned()),
        base: location.and_then(|location| location.uri_base_id.owned()),
        nested: artifact.parent_index.index().is_some(),
        is_target: artifact.roles.items.iter().any(|role| role.get() == Some("analysisTarget")),
    })
}

/// The name of a function or class.
pub(crate) fn symbol(location: &wire::LogicalLocation<'_>) -> Option<String> {
    location.fully_qualified_name.get().or(location.name.get()).map(|name| cut(name, NAME_BYTES))
}

fn string<R: Read>(frames: &mut Frames<R>) -> Result<Option<String>, Broken> {
    let taken = frames.take(2 * NAME_BYTES)?;
    let text: Result<Text<'_>, Fault> = decode(taken, 2 * NAME_BYTES);
    Ok(text.ok().and_then(|text| text.get().map(|text| cut(text, NAME_BYTES))))
}

fn of_json<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| Fault::of_json(&error))
}
