//! How calls to models went, by provider and hour: what health and metrics are made of, also after a restart.
//!
//! Whoever calls counts in memory and adds the counts now and then; several processes add to the same hours. Deliberately
//! absent: single calls, and what they cost, which are in [`spend`](crate::table::spend).

use std::collections::BTreeMap;

use rusqlite::{Rows, params};

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE metric (
    hour INTEGER NOT NULL,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, provider, name)
) STRICT, WITHOUT ROWID;
";

/// What was counted in hours that are forgotten: a total never goes down.
pub(crate) const PAST: &str = "
CREATE TABLE metric_past (
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (provider, name)
) STRICT, WITHOUT ROWID;
";

/// Up to how many milliseconds a call took to be counted in a bucket of [`MetricRow::latency`]; the last one has no end.
pub const LATENCY_MS: [u32; 12] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000];

/// How long hours are kept: 90 days.
const KEEP_HOURS: i64 = 90 * 24;

/// Calls to one provider in one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricRow {
    /// The hour, counted from 1970.
    pub hour: i64,
    /// The provider, by its name in the settings.
    pub provider: String,
    /// How many calls were made.
    pub calls: u64,
    /// How many of them were answered.
    pub succeeded: u64,
    /// How many failed, by the kind of failure.
    pub failed: BTreeMap<String, u64>,
    /// How many more were answered from the cache, without a call.
    pub cache_hits: u64,
    /// How many went on to the next provider.
    pub fallbacks: u64,
    /// How long the calls took together, in milliseconds.
    pub total_ms: u64,
    /// How many calls took how long; see [`LATENCY_MS`].
    pub latency: [u64; LATENCY_MS.len() + 1],
}

impl Store {
    /// Adds `rows` to what is counted already, in one transaction, and keeps of hours that are older than 90 days only
    /// their sum.
    ///
    /// # Errors
    /// A database that cannot be written; then nothing is added.
    pub fn add_metrics(&self, rows: &[MetricRow]) -> Result<()> {
        let Some(newest) = rows.iter().map(|row| row.hour).max() else { return Ok(()) };
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO metric (hour, provider, name, count) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (hour, provider, name) DO UPDATE SET count = count + excluded.count",
            )?;
            for row in rows {
                for (name, count) in row.counts() {
                    statement.execute(params![
                        row.hour,
                        row.provider,
                        name,
                        i64::try_from(count).unwrap_or(i64::MAX)
                    ])?;
                }
            }
            let mut fold = transaction.prepare_cached(
                "INSERT INTO metric_past (provider, name, count)
                 SELECT provider, name, sum(count) FROM metric WHERE hour < ?1 GROUP BY provider, name
                 ON CONFLICT (provider, name) DO UPDATE SET count = count + excluded.count",
            )?;
            fold.execute([newest - KEEP_HOURS])?;
            transaction.prepare_cached("DELETE FROM metric WHERE hour < ?1")?.execute([newest - KEEP_HOURS])?;
            Ok(())
        })
    }

    /// What was counted from `hour` on, by hour and provider.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn metrics(&self, hour: i64) -> Result<Vec<MetricRow>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT hour, provider, name, count FROM metric WHERE hour >= ?1 ORDER BY hour, provider",
            )?;
            read(statement.query([hour])?)
        })
    }

    /// All that was ever counted, by provider, as if it had been in hour 0.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn metrics_ever(&self) -> Result<Vec<MetricRow>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT 0, provider, name, sum(count) FROM
                     (SELECT provider, name, count FROM metric UNION ALL SELECT provider, name, count FROM metric_past)
                 GROUP BY provider, name ORDER BY provider",
            )?;
            read(statement.query([])?)
        })
    }
}

/// Counts by hour, provider and name as rows; those of one hour and provider stand together.
fn read(mut found: Rows<'_>) -> Result<Vec<MetricRow>> {
    let mut rows: Vec<MetricRow> = Vec::new();
    while let Some(row) = found.next()? {
        let (hour, provider): (i64, String) = (row.get(0)?, row.get(1)?);
        if rows.last().is_none_or(|last| (last.hour, &last.provider) != (hour, &provider)) {
            rows.push(MetricRow { hour, provider, ..MetricRow::default() });
        }
        let (name, count): (String, i64) = (row.get(2)?, row.get(3)?);
        if let Some(last) = rows.last_mut() {
            last.add(&name, count.unsigned_abs());
        }
    }
    Ok(rows)
}

impl MetricRow {
    /// All that is not zero, by the name it is stored under.
    fn counts(&self) -> impl Iterator<Item = (String, u64)> {
        let single = [
            ("calls", self.calls),
            ("succeeded", self.succeeded),
            ("cache_hits", self.cache_hits),
            ("fallbacks", self.fallbacks),
            ("total_ms", self.total_ms),
        ];
        let single = single.into_iter().map(|(name, count)| (name.to_owned(), count));
        let failed = self.failed.iter().map(|(kind, count)| (format!("{FAILED}{kind}"), *count));
        let latency = self.latency.iter().zip(bounds()).map(|(count, bound)| (format!("{LATENCY}{bound}"), *count));
        single.chain(failed).chain(latency).filter(|(_, count)| *count > 0)
    }

    /// Puts a stored count in its place; a name of another version has none.
    fn add(&mut self, name: &str, count: u64) {
        if let Some(kind) = name.strip_prefix(FAILED) {
            self.failed.insert(kind.to_owned(), count);
        } else if let Some(bound) = name.strip_prefix(LATENCY) {
            if let Some(bucket) = bounds().position(|known| known == bound) {
                self.latency[bucket] = count;
            }
        } else {
            match name {
                "calls" => self.calls = count,
                "succeeded" => self.succeeded = count,
                "cache_hits" => self.cache_hits = count,
                "fallbacks" => self.fallbacks = count,
                "total_ms" => self.total_ms = count,
                _ => {}
            }
        }
    }
}

/// Before the kind of a failure.
const FAILED: &str = "failed ";

/// Before the upper bound of a bucket.
const LATENCY: &str = "ms ";

/// The buckets' upper bounds, as they are stored: a bucket keeps its meaning when another version has others.
fn bounds() -> impl Iterator<Item = String> {
    LATENCY_MS.iter().map(ToString::to_string).chain(["more".to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{again, fresh};

    fn row(hour: i64, provider: &str, n: u64) -> MetricRow {
        let mut row = MetricRow {
            hour,
            provider: provider.into(),
            calls: n,
            succeeded: n / 2,
            failed: BTreeMap::from([("rate_limited".into(), n - n / 2)]),
            cache_hits: 3,
            fallbacks: 1,
            total_ms: 70 * n,
            ..MetricRow::default()
        };
        row.latency[1] = n - 1;
        row.latency[LATENCY_MS.len()] = 1;
        row
    }

    #[test]
    fn what_several_processes_count_is_added_up() {
        let (folder, store) = fresh();
        let other = again(&folder);
        store.add_metrics(&[row(9, "a", 4), row(9, "b", 2), row(10, "a", 2)]).unwrap();
        other.add_metrics(&[row(9, "a", 2)]).unwrap();
        other.add_metrics(&[]).unwrap();
        let mut both = MetricRow { cache_hits: 6, fallbacks: 2, ..row(9, "a", 6) };
        both.latency[1] = 4;
        both.latency[LATENCY_MS.len()] = 2;
        assert_eq!(store.metrics(0).unwrap(), [both, row(9, "b", 2), row(10, "a", 2)]);
        assert_eq!(store.metrics(10).unwrap(), [row(10, "a", 2)]);
        assert_eq!(store.metrics(11).unwrap(), []);
    }

    #[test]
    fn old_hours_are_forgotten_and_no_total_goes_down() {
        let (_folder, store) = fresh();
        store.add_metrics(&[row(5, "a", 2), row(6, "a", 2), row(5, "b", 2)]).unwrap();
        let calls = |store: &Store| {
            let rows = store.metrics_ever().unwrap();
            rows.into_iter().map(|row| (row.provider, row.calls, row.latency[1])).collect::<Vec<_>>()
        };
        assert_eq!(calls(&store), [("a".into(), 4, 2), ("b".into(), 2, 1)]);
        for n in 1..=2 {
            store.add_metrics(&[row(6 + n * KEEP_HOURS, "a", 2)]).unwrap();
            assert_eq!(calls(&store), [("a".into(), 4 + 2 * n as u64, 2 + n as u64), ("b".into(), 2, 1)]);
            if n == 1 {
                let again = row(6 + KEEP_HOURS, "a", 2);
                assert_eq!(store.metrics(6 + KEEP_HOURS).unwrap(), [again]);
            }
        }
        let (_folder, store) = fresh();
        store.add_metrics(&[row(5, "a", 2), row(6, "a", 2)]).unwrap();
        store.add_metrics(&[row(6 + KEEP_HOURS, "a", 2)]).unwrap();
        let hours: Vec<i64> = store.metrics(0).unwrap().iter().map(|row| row.hour).collect();
        assert_eq!(hours, [6, 6 + KEEP_HOURS]);
    }

    #[test]
    fn names_that_this_version_does_not_know_are_passed_over() {
        let (_folder, store) = fresh();
        store.add_metrics(&[row(5, "a", 2)]).unwrap();
        store
            .write(|transaction| {
                transaction.execute_batch(
                    "INSERT INTO metric VALUES (5, 'a', 'ms 33', 1), (5, 'a', 'hedged', 1), (5, 'a', 'failed new', 4)",
                )?;
                Ok(())
            })
            .unwrap();
        let mut expected = row(5, "a", 2);
        expected.failed.insert("new".into(), 4);
        assert_eq!(store.metrics(0).unwrap(), [expected]);
    }
}
