//! Starts the window.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    conclave_app::run(&conclave_app::Arguments::parse(std::env::args().skip(1))?)
}
