//! The official Python SDK of MCP as a client of `conclave mcp` that offers its model.

use anyhow::{Result, ensure};

use crate::log::Log;
use crate::place::Place;
use crate::python::environment;
use crate::step::Done;
use crate::test::workspace;

/// It speaks both eras of the protocol.
const SDK: &str = "mcp==2.3.0";

/// Runs the tests that want it.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let python = match environment(place, log, &[SDK]) {
        Ok(bin) => bin.join("python"),
        Err(error) => return Ok(Done::Skipped(format!("the SDK cannot be installed: {error:#}"))),
    };
    let said = log.output(
        workspace(place, "test", &["--test", "it", "sampling::", "--", "--nocapture"])
            .env("CONCLAVE_BIN", place.program("conclave")?)
            .env("CONCLAVE_MCP_PYTHON", &python),
    )?;
    ensure!(said.contains("ran with the Python SDK"), "no test found the SDK");
    Ok(Done::Figure(format!("  {SDK}, in both eras")))
}
