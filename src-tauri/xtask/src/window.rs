//! The real window, driven through WebDriver on a display of its own.

use anyhow::Result;

use crate::log::Log;
use crate::place::{Place, on_path};
use crate::step::Done;
use crate::test::limited;

/// Everything that it takes, from the bus to the driver.
const PROGRAMS: &[&str] = &["dbus-run-session", "xvfb-run", "WebKitWebDriver", "node"];

/// Opens the demo, waits for the inbox, opens a finding, applies and undoes a fix, and keeps the pictures.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    if let Some(missing) = PROGRAMS.iter().find(|program| on_path(program).is_none()) {
        return Ok(Done::Skipped(format!("there is no `{missing}`")));
    }
    let program = place.program("conclave-app")?;
    let scratch = place.scratch("window")?;
    log.run(
        limited(300, "dbus-run-session")
            .args(["--", "xvfb-run", "-a", "-s", "-screen 0 1280x860x24", "node"])
            .arg(place.root.join("tests/e2e/real-window.mjs"))
            .args([&program, &scratch])
            // Harmless insurance against a blank window on some versions of WebKitGTK.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("NO_AT_BRIDGE", "1"),
    )?;
    Ok(Done::Figure(format!("  pictures: {}", scratch.display())))
}
