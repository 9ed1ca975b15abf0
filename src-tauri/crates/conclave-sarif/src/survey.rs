//! The first pass: everything of a log that its results may refer to, in whatever order the file has it.
//!
//! Results are passed over. What a run says elsewhere (tool, rules, artifacts, bases, invocations) is kept within the
//! limits; lists keep their numbering, whatever of them could not be read.

mod run;

use std::collections::HashMap;
use std::io::Read;

use conclave_core::finding::ColumnKind;
use serde::Deserialize;

use crate::complaint::{Complaints, Fault, Place};
use crate::cwe::Taxonomy;
use crate::frame::{Broken, Frames, MAX_DEPTH, Taken};
use crate::lenient::Text;
use crate::limits::{Limits, NAME_BYTES, cut};
use crate::message::Strings;
use crate::resolve::Base;
use crate::state::Invocations;
use crate::wire;
use run::RunWalk;

/// Keys whose repetition adds to what was there, so that nothing is hidden behind it.
const ADDITIVE: [&str; 2] = ["runs", "results"];

/// The fields of the log that are read.
const LOG: [&str; 4] = ["version", "$schema", "runs", "inlineExternalProperties"];

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
    of_json(text(taken, limit)?)
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
/// A key that stands twice is a fault in `twice`; its first value counts, unless it is [`ADDITIVE`]. `false` for a value
/// that is no object.
pub(crate) fn fields<R: Read>(
    frames: &mut Frames<R>,
    known: &[&'static str],
    twice: &mut Vec<Fault>,
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
            twice.push(Fault::DuplicateKey { key });
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
        };
        survey.broken = survey.walk(frames, limits).err();
        survey
    }

    fn walk<R: Read>(&mut self, frames: &mut Frames<R>, limits: &Limits) -> Result<(), Broken> {
        let mut twice = Vec::new();
        let mut shared_left = limits.shared_bytes;
        let walked = fields(frames, &LOG, &mut twice, |frames, key| match key {
            "version" => string(frames).map(|version| self.version = version),
            "$schema" => string(frames).map(|schema| self.schema = schema),
            "runs" => self.walk_runs(frames, limits, &mut shared_left),
            _ => {
                self.complaints.add(Place::Log, Fault::External { what: format!("`{key}`") });
                frames.skip()
            }
        });
        twice.into_iter().for_each(|fault| self.complaints.add(Place::Log, fault));
        walked?;
        if frames.peek()?.is_some() {
            self.complaints.add(Place::Log, Fault::Trailing { at: frames.offset() });
        }
        Ok(())
    }

    fn walk_runs<R: Read>(
        &mut self,
        frames: &mut Frames<R>,
        limits: &Limits,
        shared_left: &mut usize,
    ) -> Result<(), Broken> {
        if !frames.array()? {
            self.complaints.add(Place::Log, Fault::Malformed { detail: "`runs` is no list".to_owned() });
            return frames.skip();
        }
        self.has_runs = true;
        let mut over = false;
        while frames.element()? {
            if self.runs.len() >= limits.runs {
                if !std::mem::replace(&mut over, true) {
                    self.complaints.add(Place::Log, Fault::Limit { name: "runs", limit: limits.runs });
                }
                frames.skip()?;
                continue;
            }
            let mut run = RunSurvey::new(limits);
            let walked = RunWalk { limits, shared_left }.walk(frames, &mut run);
            run.whole = walked.is_ok();
            self.runs.push(run);
            walked?;
        }
        Ok(())
    }
}

/// Reads one value from its text.
pub(crate) fn of_json<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| Fault::of_json(&error))
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
