//! The real window, driven through WebDriver on a display of its own.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::log::Log;
use crate::place::{Place, on_path};
use crate::step::Done;
use crate::test::limited;
use crate::trace;

/// Everything that it takes, from the bus to the driver.
const PROGRAMS: &[&str] = &["dbus-run-session", "xvfb-run", "WebKitWebDriver", "node"];

/// Opens the demo, waits for the inbox, opens a finding, applies and undoes a fix, and keeps the pictures.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    if let Some(missing) = PROGRAMS.iter().find(|program| on_path(program).is_none()) {
        return Ok(Done::Skipped(format!("there is no `{missing}`")));
    }
    let program = place.program("conclave-app")?;
    let scratch = place.scratch("window")?;
    let record = scratch.join("attempts.trace");
    let (program, traced) = match on_path("strace") {
        Some(_) => (wrapped(&scratch, &program, &record)?, true),
        None => (program, false),
    };
    log.run(
        limited(300, "dbus-run-session")
            .args(["--", "xvfb-run", "-a", "-s", "-screen 0 1280x860x24", "node"])
            .arg(place.root.join("tests/e2e/real-window.mjs"))
            .args([&program, &scratch])
            // Harmless insurance against a blank window on some versions of WebKitGTK.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("NO_AT_BRIDGE", "1"),
    )?;
    if !traced {
        return Ok(Done::Figure(format!("  pictures: {}; attempts not recorded without strace", scratch.display())));
    }
    // The driver steers the page through an address of its own, which is not the window's doing.
    let driver = std::fs::read_to_string(record.with_extension("driver"))?;
    let port = driver.trim().rsplit(':').next().filter(|port| !port.is_empty()).map(|port| format!("htons({port})"));
    let steered = |line: &String| line.contains("127.0.0.1") && port.as_ref().is_some_and(|port| line.contains(port));
    let mut attempts = trace::attempts(&record)?;
    attempts.retain(|line| !steered(line));
    attempts.iter().take(20).try_for_each(|line| log.say(line))?;
    ensure!(attempts.is_empty(), "the window attempted {} connections although it is offline", attempts.len());
    Ok(Done::Figure(format!(
        "  0 connection attempts by the window and its web processes; pictures: {}",
        scratch.display()
    )))
}

/// A program that starts `program` and records what it attempts into `record`.
fn wrapped(folder: &Path, program: &Path, record: &Path) -> Result<PathBuf> {
    let path = folder.join("conclave-app-recorded");
    std::fs::write(&path, trace::script(program, record))?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    Ok(path)
}
