//! The one window. Links never open inside it.

use tauri::{App, WebviewUrl, WebviewWindowBuilder};

/// Opens the window on the built page.
pub(crate) fn open(app: &App) -> tauri::Result<()> {
    let config = app.config().app.windows.first().cloned();
    let builder = match config {
        Some(config) => WebviewWindowBuilder::from_config(app.handle(), &config)?,
        None => WebviewWindowBuilder::new(app.handle(), "main", WebviewUrl::default()),
    };
    builder.on_navigation(|url| matches!(url.scheme(), "tauri" | "about") || is_own(url)).build()?;
    Ok(())
}

/// Whether `url` is the page itself: the bundled one, or the development server's.
fn is_own(url: &tauri::Url) -> bool {
    matches!(url.host_str(), Some("tauri.localhost")) || (cfg!(debug_assertions) && url.host_str() == Some("localhost"))
}
