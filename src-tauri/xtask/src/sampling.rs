//! The official Python and TypeScript SDKs of MCP as clients of `conclave mcp` that offer their model.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::clients::packages;
use crate::log::Log;
use crate::place::Place;
use crate::python::environment;
use crate::step::Done;
use crate::test::workspace;

/// It speaks both eras of the protocol.
const PYTHON: &str = "mcp==2.3.0";

/// Where the packages of the TypeScript SDK are pinned, with the client that uses them.
const TYPESCRIPT: &str = "tests/clients/sdk";

/// Runs the tests that want them, with those that can be installed.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let python = environment(place, log, &[PYTHON]).map(|bin| bin.join("python"));
    let sdks =
        [("Python", "CONCLAVE_MCP_PYTHON", python), ("TypeScript", "CONCLAVE_MCP_TYPESCRIPT", typescript(place, log))];
    let mut tests = workspace(place, "test", &["--test", "it", "sampling::", "--", "--nocapture"]);
    tests.env("CONCLAVE_BIN", place.program("conclave")?);
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for (title, variable, client) in sdks {
        match client {
            Ok(client) => {
                tests.env(variable, client);
                there.push(title);
            }
            Err(error) => missing.push(format!("the {title} SDK cannot be installed: {error:#}")),
        }
    }
    if there.is_empty() {
        return Ok(Done::Skipped(missing.join("; ")));
    }
    let said = log.output(&mut tests)?;
    for title in &there {
        ensure!(said.contains(&format!("ran with the {title} SDK")), "no test found the {title} SDK");
    }
    let skipped: String = missing.iter().map(|why| format!("\n  skipped: {why}")).collect();
    Ok(Done::Figure(format!("  {}, in both eras{skipped}", there.join(" and "))))
}

/// The client of the TypeScript SDK beside its packages, where Node finds them.
fn typescript(place: &Place, log: &mut Log) -> Result<PathBuf> {
    let client = packages(place, log, TYPESCRIPT, "sdk")?.join("sampling.mjs");
    let source = place.root.join(TYPESCRIPT).join("sampling.mjs");
    std::fs::copy(&source, &client).with_context(|| format!("cannot copy `{}`", source.display()))?;
    Ok(client)
}
