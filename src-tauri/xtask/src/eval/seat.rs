//! The sample project with a local model as one seat beside the recipes: what its fixes come to on each rung.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::bench::{build_release, median};
use crate::log::Log;
use crate::place::{Place, copy_tree};
use crate::step::Done;
use crate::{llama, local};

/// The name of the model in the settings.
const MODEL: &str = "coder";
/// How long it may take for one finding, in seconds: a machine of two cores is slow.
const PATIENCE: u32 = 600;

/// Asks it for a fix of every finding of the sample, in one run of the command line without a connection.
pub fn evaluate(place: &Place, log: &mut Log) -> Result<Done> {
    build_release(place, log)?;
    let worker = local::program(place)?;
    let model = match llama::coder(place, log) {
        Ok(model) => model,
        Err(error) => return Ok(Done::Skipped(format!("the model cannot be fetched: {error:#}"))),
    };
    let folder = place.scratch("eval-seat")?;
    let project = folder.join("corner-shop");
    copy_tree(&place.sample(), &project)?;
    let conclave = Conclave { program: place.target.join("release/conclave"), data: folder.join("data"), worker };
    conclave.run(log, &["scan", &project.to_string_lossy(), "--format", "json"])?;
    std::fs::write(conclave.data.join("settings.json"), settings(&model).to_string())?;
    let report = conclave.run(log, &["fix", "--all", "--offline", "--format", "json"])?;
    let report: Value = serde_json::from_str(&report)?;
    let tried: Vec<&Value> = report["resolutions"].as_array().context("the report has no results")?.iter().collect();
    ensure!(!tried.is_empty(), "the sample has no findings");
    Ok(Done::Figure(table(&tried, &model)?))
}

struct Conclave {
    program: std::path::PathBuf,
    data: std::path::PathBuf,
    worker: std::path::PathBuf,
}

impl Conclave {
    fn run(&self, log: &mut Log, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        log.output(command.args(arguments).env("CONCLAVE_HOME", &self.data).env("CONCLAVE_LOCAL", &self.worker))
    }
}

/// One seat for every severity, and nobody who thinks it over: the figure is the model's own.
fn settings(model: &Path) -> Value {
    let tier = json!({ "seats": ["fast"], "analysis_s": PATIENCE, "cap": null, "mode": "panel" });
    let tiers: serde_json::Map<_, _> =
        ["critical", "high", "medium", "low", "note"].iter().map(|name| ((*name).to_owned(), tier.clone())).collect();
    json!({ "local_models": [{ "name": MODEL, "file": model }], "tiers": tiers, "deliberation": { "on": false } })
}

fn table(tried: &[&Value], model: &Path) -> Result<String> {
    let file = model.file_name().context("the model has no name")?.to_string_lossy();
    let (mut states, mut seconds, mut fixes) = (Vec::new(), Vec::new(), Vec::new());
    for item in tried {
        let resolution = &item["resolution"];
        let seats = resolution["seats"].as_array().context("a result has no seats")?;
        let seat = seats.iter().find(|seat| seat["name"] == MODEL).context("the model has no seat")?;
        states.push(seat["state"].as_str().unwrap_or_default());
        seconds.push(resolution["analysis_ms"].as_f64().unwrap_or_default() / 1000.0);
        let is_its = |origin: &Value| origin.as_str().is_some_and(|origin| origin.contains(file.as_ref()));
        let also_its = |fix: &Value| fix["also_by"].as_array().is_some_and(|others| others.iter().any(is_its));
        let all = resolution["fixes"].as_array().into_iter().flatten();
        fixes.extend(all.filter(|fix| is_its(&fix["origin"]) || also_its(fix)));
    }
    seconds.sort_by(f64::total_cmp);
    let proposed = states.iter().filter(|state| **state == "proposed").count();
    let mut table = format!(
        "{} findings, {proposed} answered in the form, {} fixes; one answer {:.0} s median, {:.0} s slowest\n\n\
         | rung | pass | fail | not available | not reached |\n| --- | ---: | ---: | ---: | ---: |",
        tried.len(),
        fixes.len(),
        median(&seconds),
        seconds[seconds.len() - 1],
    );
    let rungs = fixes.first().and_then(|fix| fix["evidence"].as_array());
    for rung in rungs.into_iter().flatten() {
        let of = |outcome: &str| {
            let all = fixes.iter().filter_map(|fix| fix["evidence"].as_array()).flatten();
            all.filter(|seen| seen["check"] == rung["check"] && seen["outcome"] == outcome).count()
        };
        let label = rung["label"].as_str().unwrap_or_default();
        let (pass, fail, absent, unseen) = (of("pass"), of("fail"), of("not_available"), of("not_run"));
        // Writing to a string cannot fail.
        let _ = write!(table, "\n| {label} | {pass} | {fail} | {absent} | {unseen} |");
    }
    let best = tried.iter().filter(|item| item["resolution"]["recommended"].is_string()).count();
    let its =
        fixes.iter().filter(|fix| tried.iter().any(|item| item["resolution"]["recommended"] == fix["id"])).count();
    let _ = write!(table, "\n\n{best} findings have a recommended fix; {its} of them are, or equal, the model's.");
    Ok(table)
}
