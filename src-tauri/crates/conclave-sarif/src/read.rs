//! Reading a log, in two passes.
//!
//! The keys of a JSON object have no order, and most of what a result means is written elsewhere in its run: about half
//! of real logs name the tool, its rules or the meaning of a column only *after* the results. So the first pass
//! ([`crate::survey`]) keeps what results refer to and passes them over; the second reads one result at a time and hands
//! it on at once. Memory is bounded by the limits and does not grow with the number of results.

use std::io::{self, Read, Seek};

use conclave_core::finding::{Detection, Tool};

use crate::complaint::{Complaint, Complaints, Fault, Place};
use crate::frame::{Broken, Frames};
use crate::lenient::Maybe;
use crate::limits::{Limits, cut};
use crate::result::Converter;
use crate::run::{Analysed, Run};
use crate::state::{Facts, RunState, Unread};
use crate::survey::{Results, RunSurvey, Survey, decode, fields};
use crate::wire;

/// The version of SARIF that is read and written.
pub const VERSION: &str = "2.1.0";

/// So many results that say that a file was not read are kept as such.
const MAX_UNREAD: usize = 1_000;

/// What a reading needs to know.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Absolute paths that mean the project's root, as text: its canonical path, and others if a log may spell it so.
    pub roots: Vec<String>,
    /// What is read at most.
    pub limits: Limits,
}

impl ReadOptions {
    /// Options for a project at `root`.
    pub fn at_root(root: impl Into<String>) -> Self {
        Self { roots: vec![root.into()], limits: Limits::default() }
    }
}

/// What a file held, beside the detections that were handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its runs, in file order.
    pub runs: Vec<RunReport>,
    /// Complaints of the file as a whole.
    pub complaints: Vec<Complaint>,
}

/// What one run held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// Who reports.
    pub tool: Tool,
    /// Whether it may be believed when it reports nothing.
    pub state: RunState,
    /// How many detections were handed on.
    pub results: u32,
    /// How many results could not be read; each has a complaint.
    pub malformed: u32,
    /// How many of the detections the tool itself sets aside.
    pub suppressed: u32,
    /// How many rules the tool lists.
    pub rules: u32,
    /// How many artifacts the run lists, analysed or not.
    pub artifacts: u32,
    /// What the tool says it looked at, without what it could not read; `None` when it does not say.
    pub analysed: Option<Analysed>,
    /// What the tool says it could not read.
    pub unread: Vec<Unread>,
    /// What was not read as written; the first 1,000.
    pub complaints: Vec<Complaint>,
    /// How many complaints there were.
    pub complaint_count: u32,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The reader failed.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// The text is UTF-16, and JSON files are UTF-8.
    #[error("the file is UTF-16; save it as UTF-8 and import it again")]
    Utf16,
    /// The file is packed.
    #[error("the file is packed as {format}; unpack it and import what is inside")]
    Compressed {
        /// How.
        format: &'static str,
    },
    /// The file is no SARIF log.
    #[error("the file is no SARIF log: {detail}")]
    NotSarif {
        /// What is wrong.
        detail: String,
    },
    /// The log has another version.
    #[error("the file is SARIF `{found}`, as its `{field}` says; have the tool write {VERSION}")]
    Version {
        /// What it says.
        found: String,
        /// Where it says so.
        field: &'static str,
    },
}

/// Reads the log in `reader`, from its start, and hands each result to `sink` with the number of its run.
///
/// The input is read twice, see the module. Detections are handed on in file order. A result that cannot be read is a
/// complaint; a file that breaks off yields what came before, and its last run has failed.
///
/// # Errors
/// [`Refused`] when nothing of the file can be read; then `sink` was not called.
pub fn read<R: Read + Seek>(
    reader: R,
    options: &ReadOptions,
    sink: &mut dyn FnMut(usize, Detection),
) -> Result<Log, Refused> {
    let mut frames = Frames::new(reader);
    let mark = byte_order_mark(&mut frames)?;
    frames.skip_head(mark);
    let survey = Survey::of(&mut frames, &options.limits);
    refuse(&survey)?;
    let Survey { runs, mut complaints, broken, version, .. } = survey;
    if version.is_none() {
        complaints.add(Place::Log, Fault::NoVersion);
    }
    if let Some(broken) = &broken {
        complaints.add(Place::Log, Fault::Broken { detail: broken.to_string() });
    }

    let mut runs: Vec<Reading> = runs.into_iter().map(|run| Reading::new(run, &options.roots)).collect();
    let second = second_pass(&mut frames, mark, &mut runs, &options.limits, sink);
    // A walk that broke the first time breaks again at the same place; that was said already.
    if let (Err(second), None) = (second, &broken) {
        complaints.add(Place::Log, Fault::Broken { detail: second.to_string() });
        runs.iter_mut().for_each(|run| run.changed |= run.passed < run.expected());
    }
    if runs.iter().any(|run| run.changed) {
        complaints.add(Place::Log, Fault::Changed);
    }
    Ok(Log { runs: runs.into_iter().map(Reading::report).collect(), complaints: complaints.kept })
}

/// The length of a UTF-8 byte order mark; other encodings and packed files are refused by their first bytes.
fn byte_order_mark<R: Read>(frames: &mut Frames<R>) -> Result<usize, Refused> {
    let head = frames.head(4).map_err(io_error)?;
    match head {
        [] => Err(Refused::NotSarif { detail: "it is empty".to_owned() }),
        [0xEF, 0xBB, 0xBF, ..] => Ok(3),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => Err(Refused::Utf16),
        [0x1F, 0x8B, ..] => Err(Refused::Compressed { format: "gzip" }),
        [b'P', b'K', 3 | 5, ..] => Err(Refused::Compressed { format: "zip" }),
        [0x28, 0xB5, 0x2F, 0xFD] => Err(Refused::Compressed { format: "zstd" }),
        _ => Ok(0),
    }
}

fn io_error(broken: Broken) -> Refused {
    match broken {
        Broken::Io { error, .. } => Refused::Io(error),
        other => Refused::NotSarif { detail: other.to_string() },
    }
}

/// Refuses what is no log of the supported version.
fn refuse(survey: &Survey) -> Result<(), Refused> {
    if let Some(found) = survey.version.as_deref().filter(|version| *version != VERSION) {
        return Err(Refused::Version { found: cut(found, 64), field: "version" });
    }
    if survey.version.is_none()
        && let Some(schema) =
            survey.schema.as_deref().filter(|schema| schema.contains("sarif") && !schema.contains(VERSION))
    {
        return Err(Refused::Version { found: cut(schema, 200), field: "$schema" });
    }
    let detail = match &survey.broken {
        Some(broken) if survey.runs.is_empty() => broken.to_string(),
        None if survey.version.is_none() && !survey.has_runs => "it has neither `version` nor `runs`".to_owned(),
        _ => return Ok(()),
    };
    Err(Refused::NotSarif { detail })
}

/// A run that is being read.
struct Reading {
    run: Run,
    complaints: Complaints,
    /// What single results say could not be read.
    unread: Vec<Unread>,
    /// How many results the second pass has seen.
    passed: u32,
    results: u32,
    malformed: u32,
    left_out: u32,
    suppressed: u32,
    changed: bool,
}

impl Reading {
    fn new(survey: RunSurvey, roots: &[String]) -> Self {
        let (run, complaints) = Run::new(survey, roots);
        Self {
            run,
            complaints,
            unread: Vec::new(),
            passed: 0,
            results: 0,
            malformed: 0,
            left_out: 0,
            suppressed: 0,
            changed: false,
        }
    }

    fn expected(&self) -> u32 {
        if let Results::List(count) = self.run.list { count } else { 0 }
    }

    fn report(self) -> RunReport {
        let (run, complaints) = (self.run, self.complaints);
        let unread = [run.unread.clone(), self.unread].concat();
        let facts = Facts {
            whole: run.whole,
            changed: self.changed,
            list: run.list,
            external_results: run.external_results,
            invocations: &run.invocations,
            unread: &unread,
            looked: run.looked(),
            results: self.results,
            malformed: self.malformed,
            left_out: self.left_out,
        };
        RunReport {
            state: facts.state(),
            results: self.results,
            malformed: self.malformed,
            suppressed: self.suppressed,
            rules: u32::try_from(run.rules.len()).unwrap_or(u32::MAX),
            artifacts: run.artifact_count,
            complaint_count: complaints.count,
            complaints: complaints.kept,
            tool: run.tool,
            analysed: run.analysed,
            unread,
        }
    }

    /// Reads the next result of the run.
    fn result<R: Read>(
        &mut self,
        frames: &mut Frames<R>,
        limits: &Limits,
        sink: &mut dyn FnMut(Detection),
    ) -> Result<(), Broken> {
        let index = self.passed;
        self.passed = self.passed.saturating_add(1);
        if index >= limits.results {
            if index == limits.results {
                let limit = limits.results as usize;
                self.complaints.add(Place::Run, Fault::Limit { name: "results", limit });
            }
            self.left_out = self.left_out.saturating_add(1);
            return frames.skip();
        }
        let taken = frames.take(limits.result_bytes)?;
        let result: Result<wire::Result<'_>, Fault> = match decode::<Maybe<_>>(taken, limits.result_bytes) {
            Ok(Maybe(Some(result))) => Ok(result),
            Ok(Maybe(None)) => Err(Fault::Malformed { detail: "it is no object".to_owned() }),
            Err(fault) => Err(fault),
        };
        match result {
            Ok(result) => {
                let mut converter = Converter { run: &self.run, complaints: &mut self.complaints, index };
                converter.convert(&result, |detection| {
                    self.results = self.results.saturating_add(1);
                    self.suppressed = self.suppressed.saturating_add(u32::from(detection.suppressed));
                    if self.unread.len() < MAX_UNREAD && self.run.dialect.means_unread(&detection.rule.id) {
                        let path = detection.location.as_ref().map(|location| location.path.clone());
                        self.unread.push(Unread { path, reason: detection.message.clone() });
                    }
                    sink(detection);
                });
            }
            Err(fault) => {
                self.malformed = self.malformed.saturating_add(1);
                self.complaints.add(Place::Result(index), fault);
            }
        }
        Ok(())
    }
}

fn second_pass<R: Read + Seek>(
    frames: &mut Frames<R>,
    mark: usize,
    runs: &mut [Reading],
    limits: &Limits,
    sink: &mut dyn FnMut(usize, Detection),
) -> Result<(), Broken> {
    frames.rewind()?;
    frames.head(4)?;
    frames.skip_head(mark);
    let mut number = 0;
    fields(frames, &["runs"], &mut Vec::new(), |frames, _| {
        if !frames.array()? {
            return frames.skip();
        }
        while frames.element()? {
            let Some(reading) = runs.get_mut(number) else {
                frames.skip()?;
                continue;
            };
            let mut sink = |detection| sink(number, detection);
            fields(frames, &["results"], &mut Vec::new(), |frames, _| {
                if !frames.array()? {
                    return frames.skip();
                }
                while frames.element()? {
                    reading.result(frames, limits, &mut sink)?;
                }
                Ok(())
            })?;
            reading.changed |= reading.passed != reading.expected();
            number += 1;
        }
        Ok(())
    })
    .map(drop)
}
