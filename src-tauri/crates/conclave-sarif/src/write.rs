//! Writing findings with their fixes as one SARIF run.
//!
//! Columns count UTF-16 code units, a byte order mark is not counted, and every place is relative to `%SRCROOT%`, whose
//! absolute path is not told. A region whose columns count something else is written with its lines only, unless the
//! text is at hand.

mod region;

use std::collections::HashMap;
use std::io;

use conclave_core::confidence::Confidence;
use conclave_core::finding::{ColumnKind, Detection, Finding, FlowStep, Location, Region, Severity, Status, Tool};
use conclave_core::patch::Edit;
use conclave_core::path::RelPath;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::read::VERSION;
use region::Lines;

/// The name of Conclave's own fingerprint among `partialFingerprints`.
pub const FINGERPRINT: &str = "conclaveFingerprint/v1";
/// Where the official schema is.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The base of all places.
const BASE: &str = "%SRCROOT%";

/// What is escaped in the path of a URI (RFC 3986, section 3.3), and the colon, which could be read as the end of a scheme.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// One run to be written.
#[derive(Clone, Copy, Debug)]
pub struct OutRun<'a> {
    /// Who writes.
    pub tool: &'a Tool,
    /// What was found.
    pub results: &'a [OutResult<'a>],
    /// Why this is not all there is, in words; a run with a failure is not successful, so that it never reads as clean.
    pub failures: &'a [String],
}

/// One finding to be written.
#[derive(Clone, Debug)]
pub struct OutResult<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Where it stands.
    pub status: Status,
    /// How sure the fix is; `None` without one.
    pub confidence: Option<&'a Confidence>,
    /// The chosen fix.
    pub fix: Option<OutFix<'a>>,
}

/// A fix to be written.
#[derive(Clone, Debug)]
pub struct OutFix<'a> {
    /// What it does, in one line.
    pub description: &'a str,
    /// The files that it changes.
    pub files: Vec<OutFile<'a>>,
}

/// The edits of one file.
#[derive(Clone, Copy, Debug)]
pub struct OutFile<'a> {
    /// The file.
    pub path: &'a RelPath,
    /// Its text as the edits were written against.
    pub before: &'a str,
    /// The edits, in order and not overlapping.
    pub edits: &'a [Edit],
}

/// Writes `run` as a SARIF 2.1.0 log, indented.
///
/// # Errors
/// Those of `out`, and `InvalidInput` for an edit that is not inside its text.
pub fn write<W: io::Write>(mut out: W, run: &OutRun<'_>) -> io::Result<()> {
    let rules = Rules::of(run.results);
    let mut results = run.results.iter().map(|result| result_of(result, &rules)).collect::<io::Result<Vec<_>>>()?;
    // The standard wants the list on all results or on none.
    let suppressed = |result: &OutResult<'_>| result.finding.detection.suppressed || result.status == Status::Dismissed;
    if run.results.iter().any(suppressed) {
        for (written, result) in results.iter_mut().zip(run.results) {
            written["suppressions"] = match suppressed(result) {
                true => json!([{ "kind": "external", "status": "accepted" }]),
                false => json!([]),
            };
        }
    }
    let log = json!({
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [{
            "tool": { "driver": Driver::of(run.tool, &rules) },
            "invocations": [invocation(run.failures)],
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": { BASE: { "description": { "text": "The root of the project." } } },
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut out, &log)?;
    out.write_all(b"\n")
}

fn invocation(failures: &[String]) -> Value {
    let notice = |text: &String| json!({ "level": "error", "message": { "text": text } });
    match failures {
        [] => json!({ "executionSuccessful": true }),
        _ => json!({
            "executionSuccessful": false,
            "toolExecutionNotifications": failures.iter().map(notice).collect::<Vec<_>>(),
        }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    rules: Vec<Value>,
}

impl<'a> Driver<'a> {
    fn of(tool: &'a Tool, rules: &Rules<'_>) -> Self {
        Self { name: &tool.name, version: tool.version.as_deref(), rules: rules.list.iter().map(rule).collect() }
    }
}

/// The rules of all results, each tool's own, with the highest severity of their results.
struct Rules<'a> {
    list: Vec<(&'a Detection, Severity)>,
    numbers: HashMap<(&'a str, &'a str), usize>,
}

impl<'a> Rules<'a> {
    fn of(results: &[OutResult<'a>]) -> Self {
        let mut rules = Self { list: Vec::new(), numbers: HashMap::new() };
        for result in results {
            let detection = &result.finding.detection;
            let number = *rules.numbers.entry(key(detection)).or_insert(rules.list.len());
            match rules.list.get_mut(number) {
                Some((_, highest)) => *highest = (*highest).min(detection.severity),
                None => rules.list.push((detection, detection.severity)),
            }
        }
        rules
    }
}

fn key(detection: &Detection) -> (&str, &str) {
    (&detection.tool.name, &detection.rule.id)
}

fn rule((detection, severity): &(&Detection, Severity)) -> Value {
    let rule = &detection.rule;
    let text = |text: &String| json!({ "text": text });
    let mut tags = vec!["security".to_owned()];
    tags.extend(rule.cwe.iter().map(|number| format!("external/cwe/cwe-{number:03}")));
    let mut properties = json!({ "tags": tags, "conclave/tool": detection.tool.name });
    if let Some(score) = score(*severity) {
        properties["security-severity"] = score.into();
    }
    let mut written = json!({
        "id": rule.id,
        "defaultConfiguration": { "level": level(*severity) },
        "properties": properties,
    });
    set(&mut written, "name", rule.name.as_ref().map(|name| json!(name)));
    set(&mut written, "shortDescription", rule.description.as_ref().map(text));
    set(&mut written, "help", rule.help.as_ref().map(text));
    set(&mut written, "helpUri", rule.help_uri.as_ref().filter(|uri| is_link(uri)).map(|uri| json!(uri)));
    written
}

fn result_of(result: &OutResult<'_>, rules: &Rules<'_>) -> io::Result<Value> {
    let OutResult { finding, status, confidence, fix } = result;
    let detection = &finding.detection;
    let mut fingerprints: serde_json::Map<String, Value> =
        detection.foreign_fingerprints.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    fingerprints.insert(FINGERPRINT.to_owned(), json!(finding.fingerprint));
    let mut properties = json!({
        "security-severity": score(detection.severity).unwrap_or("none"),
        "conclave/id": finding.id,
        "conclave/severity": detection.severity,
        "conclave/status": status,
    });
    set(&mut properties, "conclave/unresolvedPlace", detection.unresolved.as_ref().map(|place| json!(place)));
    set(
        &mut properties,
        "conclave/confidence",
        confidence.map(|c| json!({ "p": c.p, "low": c.low, "high": c.high, "cap": c.cap, "word": c.word, "n": c.n })),
    );
    let mut written = json!({
        "ruleId": detection.rule.id,
        "ruleIndex": rules.numbers.get(&key(detection)),
        "level": level(detection.severity),
        "message": { "text": detection.message },
        "partialFingerprints": fingerprints,
        "properties": properties,
    });
    let texts = fix.as_ref().map_or(&[][..], |fix| &fix.files);
    let mut location = detection.location.as_ref().map(|location| location_of(location, texts));
    if let Some(symbol) = &detection.symbol {
        let location = location.get_or_insert_with(|| json!({}));
        location["logicalLocations"] = json!([{ "fullyQualifiedName": symbol }]);
    }
    set(&mut written, "locations", location.map(|location| json!([location])));
    if !detection.flow.is_empty() {
        let steps: Vec<Value> = detection.flow.iter().map(|step| step_of(step, texts)).collect();
        written["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
    }
    if let Some(fix) = fix {
        written["fixes"] = json!([fix_of(fix)?]);
    }
    Ok(written)
}

fn step_of(step: &FlowStep, texts: &[OutFile<'_>]) -> Value {
    let mut location = location_of(&step.location, texts);
    set(&mut location, "message", step.message.as_ref().map(|text| json!({ "text": text })));
    json!({ "location": location })
}

fn location_of(location: &Location, texts: &[OutFile<'_>]) -> Value {
    let mut physical = json!({ "artifactLocation": artifact(&location.path) });
    let text = texts.iter().find(|file| *file.path == location.path).map(|file| file.before);
    set(&mut physical, "region", location.region.as_ref().map(|region| region_of(region, text)));
    json!({ "physicalLocation": physical })
}

fn region_of(region: &Region, text: Option<&str>) -> Value {
    if region.column_kind == ColumnKind::Utf16 {
        let mut written = json!({ "startLine": region.start_line, "endLine": region.end_line });
        set(&mut written, "startColumn", region.start_column.map(Value::from));
        set(&mut written, "endColumn", region.end_column.map(Value::from));
        return written;
    }
    match text.and_then(|text| Some((text, region.byte_range(text)?))) {
        Some((text, range)) => Lines::of(text).region(range.start, range.end),
        None => json!({ "startLine": region.start_line, "endLine": region.end_line }),
    }
}

fn fix_of(fix: &OutFix<'_>) -> io::Result<Value> {
    let changes = fix.files.iter().map(|file| {
        let lines = Lines::of(file.before);
        let replacements = file.edits.iter().map(|edit| lines.replacement(edit)).collect::<Option<Vec<_>>>();
        let replacements = replacements.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("an edit reaches outside `{}`", file.path))
        })?;
        Ok(json!({ "artifactLocation": artifact(file.path), "replacements": replacements }))
    });
    Ok(json!({
        "description": { "text": fix.description },
        "artifactChanges": changes.collect::<io::Result<Vec<_>>>()?,
    }))
}

fn artifact(path: &RelPath) -> Value {
    let uri = utf8_percent_encode(path.as_str(), ESCAPED).to_string();
    json!({ "uri": uri, "uriBaseId": BASE })
}

fn set(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[key] = value;
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
        Severity::Note => "none",
    }
}

/// The lowest `security-severity` that stands for `severity`; a note has none.
fn score(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.0"),
        Severity::High => Some("7.0"),
        Severity::Medium => Some("4.0"),
        Severity::Low => Some("0.1"),
        Severity::Note => None,
    }
}

/// Whether `uri` is a web address that every reader takes for one.
fn is_link(uri: &str) -> bool {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}[]".contains(&b))
    })
}

#[cfg(test)]
mod tests;
