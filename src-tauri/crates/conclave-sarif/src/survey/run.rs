//! The first pass through one run.

use std::io::Read;

use conclave_core::finding::ColumnKind;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Artifact, Component, Results, RunSurvey, fields, of_json, string, symbol, text};
use crate::complaint::{Complaints, Fault, Place};
use crate::cwe::Taxonomy;
use crate::frame::{Broken, Frames};
use crate::lenient::{Map, Maybe};
use crate::limits::{Limits, MESSAGE_BYTES, NAME_BYTES, cut};
use crate::message;
use crate::resolve::Base;
use crate::wire;

/// So many bases, message strings, components, taxonomies or invocations are read.
const MAX_KEYS: usize = 1_000;
/// What one entry of a list takes beside its text, in bytes, roughly.
const ENTRY_OVERHEAD: usize = 256;

/// The fields of a run and of a component that are read.
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

/// Walks one run; what all runs of a file keep together is limited.
pub(super) struct RunWalk<'a> {
    pub(super) limits: &'a Limits,
    pub(super) shared_left: &'a mut usize,
}

impl RunWalk<'_> {
    pub(super) fn walk<R: Read>(&mut self, frames: &mut Frames<R>, run: &mut RunSurvey) -> Result<(), Broken> {
        let mut twice = Vec::new();
        let walked = fields(frames, &RUN, &mut twice, |frames, key| self.field(frames, run, key));
        twice.into_iter().for_each(|fault| run.complaints.add(Place::Run, fault));
        if !walked? {
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
                type Bases<'a> = Map<Maybe<wire::ArtifactLocation<'a>>, MAX_KEYS>;
                let bases = self.value(frames, complaints, |Map(bases): Bases<'_>| {
                    bases.into_iter().map(|(id, location)| (cut(&id, NAME_BYTES), base(&location))).collect()
                })?;
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
                let taxonomy =
                    |Component { name, guid, taxa, .. }| Taxonomy { name: name.unwrap_or_default(), guid, ids: taxa };
                run.taxonomies = self.components(frames, "taxonomies", complaints)?.into_iter().map(taxonomy).collect();
            }
            "invocations" => {
                let invocations = &mut run.invocations;
                self.list(frames, "invocations", MAX_KEYS, complaints, |json| {
                    match json.map_or(Err(None), |json| of_json(json).map_err(Some)) {
                        Ok(invocation) => invocations.add(invocation),
                        Err(fault) => {
                            invocations.add_unreadable();
                            return fault.map_or(Ok(()), Err);
                        }
                    }
                    Ok(())
                })?;
            }
            "properties" => {
                let taken = frames.take(self.limits.entry_bytes)?;
                // Only some dialects need them; without them nothing is known to be missing.
                let json = text(taken, self.limits.entry_bytes).ok();
                run.properties = json.filter(|json| self.charge(json.len()).is_ok()).map(str::to_owned);
            }
            _ => {
                let names = self.value(frames, complaints, |Map(files): Map<IgnoredAny, 100>| {
                    files.into_iter().map(|(what, _)| cut(&what, 64)).collect()
                })?;
                run.external = names.unwrap_or_default();
            }
        }
        Ok(())
    }

    fn tool<R: Read>(&mut self, frames: &mut Frames<R>, run: &mut RunSurvey) -> Result<(), Broken> {
        let (components, complaints) = (&mut run.components, &mut run.complaints);
        let mut twice = Vec::new();
        let walked = fields(frames, &["driver", "extensions"], &mut twice, |frames, key| match key {
            "driver" => self.component(frames, &mut components[0], complaints),
            _ => {
                components.append(&mut self.components(frames, "extensions", complaints)?);
                Ok(())
            }
        });
        twice.into_iter().for_each(|fault| complaints.add(Place::Run, fault));
        if !walked? {
            complaints.add(Place::Run, Fault::Malformed { detail: "`tool` is no object".to_owned() });
        }
        Ok(())
    }

    /// Reads a list of components.
    fn components<R: Read>(
        &mut self,
        frames: &mut Frames<R>,
        name: &'static str,
        complaints: &mut Complaints,
    ) -> Result<Vec<Component>, Broken> {
        let mut components = Vec::new();
        if !frames.array()? {
            frames.skip()?;
            return Ok(components);
        }
        let mut over = false;
        while frames.element()? {
            if components.len() < MAX_KEYS {
                let mut component = Component::default();
                self.component(frames, &mut component, complaints)?;
                components.push(component);
            } else {
                if !std::mem::replace(&mut over, true) {
                    complaints.add(Place::Run, Fault::Limit { name, limit: MAX_KEYS });
                }
                frames.skip()?;
            }
        }
        Ok(components)
    }

    fn component<R: Read>(
        &mut self,
        frames: &mut Frames<R>,
        component: &mut Component,
        complaints: &mut Complaints,
    ) -> Result<(), Broken> {
        let mut twice = Vec::new();
        let walked = fields(frames, &COMPONENT, &mut twice, |frames, key| {
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
                        push(taxa, read.map(|taxon| taxon.get().and_then(|taxon| taxon.id.owned()).unwrap_or_default()))
                    })?;
                }
                _ => {
                    type Strings<'a> = Map<wire::Message<'a>, MAX_KEYS>;
                    let strings = self.value(frames, complaints, |Map(strings): Strings<'_>| {
                        let owned = |(id, text): (String, wire::Message<'_>)| {
                            Some((cut(&id, NAME_BYTES), message::string(&text, MESSAGE_BYTES)?))
                        };
                        strings.into_iter().filter_map(owned).collect()
                    })?;
                    component.strings = strings.unwrap_or_default();
                }
            }
            Ok(())
        });
        twice.into_iter().for_each(|fault| complaints.add(Place::Run, fault));
        walked.map(drop)
    }

    /// Reads the next value as a `T` and keeps what `keep` makes of it.
    fn value<'t, R: Read, T: Deserialize<'t>, K>(
        &mut self,
        frames: &'t mut Frames<R>,
        complaints: &mut Complaints,
        keep: impl FnOnce(T) -> K,
    ) -> Result<Option<K>, Broken> {
        let taken = frames.take(self.limits.entry_bytes)?;
        let json = text(taken, self.limits.entry_bytes);
        let read = json.and_then(|json| self.charge(json.len()).and_then(|()| of_json(json)));
        let kept = read.map(keep).map_err(|fault| complaints.add(Place::Run, fault));
        Ok(kept.ok())
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
        let (mut count, mut most) = (0_u32, most);
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
            let entry = text(frames.take(self.limits.entry_bytes)?, self.limits.entry_bytes);
            if let Err(fault) = self.charge(entry.as_ref().map_or(0, |json| json.len())) {
                complaints.add(Place::Run, fault);
                most = index as usize;
                continue;
            }
            let kept = match entry {
                Ok(json) => keep(Some(json)),
                Err(fault) => keep(None).and(Err(fault)),
            };
            if let Err(fault) = kept {
                let place = match name {
                    "rules" => Place::Rule(index),
                    "artifacts" => Place::Artifact(index),
                    _ => Place::Entry(name, index),
                };
                complaints.add(place, fault);
            }
        }
        Ok(count)
    }

    /// Takes an entry of `bytes` from what all runs of the file may keep together.
    fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.shared_left.checked_sub(bytes + ENTRY_OVERHEAD);
        *self.shared_left = left.ok_or(Fault::Limit { name: "shared bytes", limit: self.limits.shared_bytes })?;
        Ok(())
    }
}

/// Keeps what was read, or an empty entry so that the list keeps its numbering.
fn push<T: Default>(list: &mut Vec<T>, read: Result<T, Fault>) -> Result<(), Fault> {
    let (entry, fault) = match read {
        Ok(entry) => (entry, Ok(())),
        Err(fault) => (T::default(), Err(fault)),
    };
    list.push(entry);
    fault
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

fn base(location: &Maybe<wire::ArtifactLocation<'_>>) -> Base {
    let location = location.get();
    Base {
        uri: location.and_then(|location| location.uri.owned()),
        parent: location.and_then(|location| location.uri_base_id.owned()),
    }
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
