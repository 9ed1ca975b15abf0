//! The page's budget: what has to be read before the first paint.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use crate::log::Log;
use crate::place::Place;
use crate::step::Done;

/// The most that the scripts of the first paint may weigh, in bytes after gzip.
const INITIAL_SCRIPT: usize = 350_000;

/// One entry of the list that the build leaves behind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    file: String,
    #[serde(default)]
    is_entry: bool,
    #[serde(default)]
    imports: Vec<String>,
}

/// Weighs the entry and everything that it imports at once.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let dist = place.root.join("ui/dist");
    let manifest = std::fs::read(dist.join(".vite/manifest.json")).context("the page is not built")?;
    let mut total = 0;
    for file in initial(&serde_json::from_slice(&manifest)?) {
        let bytes = std::fs::read(dist.join(&file)).with_context(|| format!("`{file}` is not in the build"))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes)?;
        let size = encoder.finish()?.len();
        log.say(&format!("{size:>8} {file}"))?;
        total += size;
    }
    ensure!(total > 0, "the page has no script");
    ensure!(total <= INITIAL_SCRIPT, "the initial scripts weigh {total} bytes after gzip, of {INITIAL_SCRIPT} at most");
    Ok(Done::Figure(format!("  initial scripts: {} kB of {} after gzip", total / 1000, INITIAL_SCRIPT / 1000)))
}

/// The files of the entries and of what they import, whatever the depth.
fn initial(manifest: &BTreeMap<String, Chunk>) -> BTreeSet<String> {
    let mut open: Vec<&Chunk> = manifest.values().filter(|chunk| chunk.is_entry).collect();
    let mut files = BTreeSet::new();
    while let Some(chunk) = open.pop() {
        if files.insert(chunk.file.clone()) {
            open.extend(chunk.imports.iter().filter_map(|name| manifest.get(name)));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lazy_chunks_do_not_count() {
        let manifest = r#"{
            "index.html": {"file": "a.js", "isEntry": true, "imports": ["_b"], "dynamicImports": ["lazy"]},
            "_b": {"file": "b.js", "imports": ["index.html"]},
            "lazy": {"file": "lazy.js"}
        }"#;
        let files = initial(&serde_json::from_str(manifest).unwrap());
        assert_eq!(files.into_iter().collect::<Vec<_>>(), ["a.js", "b.js"]);
    }
}
