//! Bandit, the security linter for Python (seen in 1.9.4).
//!
//! - Columns are those of Python's `ast` plus one, and those count UTF-8 bytes; the run does not say so.
//! - The end line of a longer statement is its second line, while the end column belongs to its last one.
//! - The run's `properties.metrics` has one entry for each file that was opened; a file that does not parse has one too,
//!   and an error-level notification beside it.

use std::fmt;

use conclave_core::finding::{ColumnKind, Region};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Dialect;

pub(super) struct Bandit;

impl Dialect for Bandit {
    fn speaks(&self, tool: &str) -> bool {
        tool.eq_ignore_ascii_case("bandit")
    }

    fn column_kind(&self) -> ColumnKind {
        ColumnKind::Byte
    }

    fn region(&self, region: Region) -> Region {
        if region.end_line > region.start_line { Region { end_column: None, ..region } } else { region }
    }

    fn analysed(&self, properties: &str) -> Option<Vec<String>> {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Properties {
            metrics: Option<Keys>,
        }
        let properties: Properties = serde_json::from_str(properties).ok()?;
        let Keys(mut names) = properties.metrics?;
        names.retain(|name| name != "_totals");
        Some(names)
    }
}

/// The keys of an object.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Keys(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
