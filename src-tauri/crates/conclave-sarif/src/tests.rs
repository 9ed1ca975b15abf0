//! Reading as a whole: from the text of a log to detections, reports and complaints.

mod corpus;
mod dialects;
mod hostile;
mod limits;
mod results;
mod states;

use std::io::Cursor;

use conclave_core::finding::Detection;

use crate::{Log, ReadOptions, Refused, read};

/// The project root of all samples.
const ROOT: &str = "/home/dev/shop";

fn read_bytes(bytes: &[u8]) -> (Result<Log, Refused>, Vec<Detection>) {
    read_with(bytes, &ReadOptions::at_root(ROOT))
}

fn read_with(bytes: &[u8], options: &ReadOptions) -> (Result<Log, Refused>, Vec<Detection>) {
    let mut seen = Vec::new();
    let log = read(Cursor::new(bytes), options, &mut |_, detection| seen.push(detection));
    (log, seen)
}

/// A log with one run of the members `run`, which are JSON without their braces.
fn log_of(run: &str) -> String {
    format!(r#"{{"version":"2.1.0","runs":[{{{run}}}]}}"#)
}

fn read_run(run: &str) -> (Log, Vec<Detection>) {
    let (log, seen) = read_bytes(log_of(run).as_bytes());
    (log.unwrap_or_else(|refused| panic!("{refused}: {run}")), seen)
}

/// The complaints of a log as people read them, the file's first.
fn complaints(log: &Log) -> Vec<String> {
    let all = log.complaints.iter().chain(log.runs.iter().flat_map(|run| &run.complaints));
    all.map(ToString::to_string).collect()
}
