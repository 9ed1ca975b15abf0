//! How calls to providers went, in numbers, and as Prometheus reads them.
//!
//! Calls, times, successes, failures by kind, answers from the cache, and calls that went on to the next provider.
//! Deliberately absent: what calls cost, which whoever keeps the purse knows, and keeping the numbers, which the engine
//! does: it takes what was counted since it last did.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Up to how many milliseconds a call took to be counted in a bucket of [`Counts::latency`]; the last one has no end.
pub const LATENCY_MS: [u32; 12] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000];

/// The kind under which a model that declined is counted among [`Counts::failed`].
pub const DECLINED: &str = "declined";

/// Calls to one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were made.
    pub calls: u64,
    /// How many of them were answered.
    pub succeeded: u64,
    /// How many were not, by the kind of failure; a model that declined is [`DECLINED`].
    pub failed: BTreeMap<String, u64>,
    /// How many more were answered from the cache, without a call.
    pub cache_hits: u64,
    /// How often the next provider was asked because this one gave no answer.
    pub fallbacks: u64,
    /// How long the calls took together, in milliseconds.
    pub total_ms: u64,
    /// How many calls took how long; see [`LATENCY_MS`].
    pub latency: [u64; LATENCY_MS.len() + 1],
}

impl Counts {
    /// Counts a call that took `took` and ended in a failure of the kind `failure`, if in any.
    pub fn add_call(&mut self, took: Duration, failure: Option<&str>) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.calls += 1;
        self.total_ms = self.total_ms.saturating_add(ms);
        let bucket = LATENCY_MS.iter().position(|bound| ms <= u64::from(*bound)).unwrap_or(LATENCY_MS.len());
        self.latency[bucket] += 1;
        match failure {
            None => self.succeeded += 1,
            Some(kind) => *self.failed.entry(kind.to_owned()).or_default() += 1,
        }
    }

    /// Adds what was counted in `other`.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.succeeded += other.succeeded;
        for (kind, count) in &other.failed {
            *self.failed.entry(kind.clone()).or_default() += count;
        }
        self.cache_hits += other.cache_hits;
        self.fallbacks += other.fallbacks;
        self.total_ms = self.total_ms.saturating_add(other.total_ms);
        for (bucket, count) in self.latency.iter_mut().zip(other.latency) {
            *bucket += count;
        }
    }

    /// Whole percent of the calls that were answered; `None` without a call.
    pub fn success_percent(&self) -> Option<u8> {
        percent(self.succeeded, self.calls)
    }

    /// Whole percent of the answers that came from the cache; `None` without an answer.
    pub fn cache_hit_percent(&self) -> Option<u8> {
        percent(self.cache_hits, self.cache_hits + self.succeeded)
    }

    /// Whole percent of the calls after which the next provider was asked; `None` without a call.
    pub fn fallback_percent(&self) -> Option<u8> {
        percent(self.fallbacks, self.calls.max(self.fallbacks))
    }

    /// The time of a call on average, in milliseconds; `None` without a call.
    pub fn average_ms(&self) -> Option<u64> {
        self.total_ms.checked_div(self.calls)
    }
}

fn percent(part: u64, whole: u64) -> Option<u8> {
    let percent = u128::from(part) * 100 / u128::from((whole > 0).then_some(whole)?);
    u8::try_from(percent).ok()
}

/// What was counted since it was last taken.
#[derive(Default)]
pub(crate) struct Meter(Mutex<Counts>);

impl Meter {
    pub fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was counted, which is forgotten; `None` if that is nothing.
    pub fn take(&self) -> Option<Counts> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        (counts != Counts::default()).then_some(counts)
    }
}

/// `rows`, one a provider, in the text exposition format 0.0.4 of Prometheus.
pub fn prometheus(rows: &[(String, Counts)]) -> String {
    let mut text = String::new();
    let labelled = |(name, counts)| (format!("provider=\"{}\"", escaped(name)), counts);
    let rows: Vec<(String, &Counts)> = rows.iter().map(|(name, counts)| labelled((name, counts))).collect();

    family(&mut text, "conclave_model_calls_total", "counter", "Calls to models, by how they ended.");
    for (provider, counts) in &rows {
        let failed = counts.failed.iter().map(|(kind, count)| (kind.as_str(), *count));
        for (outcome, count) in [("answered", counts.succeeded)].into_iter().chain(failed) {
            let outcome = escaped(outcome);
            line(&mut text, format_args!("conclave_model_calls_total{{{provider},outcome=\"{outcome}\"}} {count}"));
        }
    }
    for (name, help, of) in [
        (
            "conclave_model_cache_hits_total",
            "Answers from the cache, without a call.",
            (|counts| counts.cache_hits) as fn(&Counts) -> u64,
        ),
        ("conclave_model_fallbacks_total", "Questions that went on to the next provider.", |counts| counts.fallbacks),
    ] {
        family(&mut text, name, "counter", help);
        for (provider, counts) in &rows {
            line(&mut text, format_args!("{name}{{{provider}}} {}", of(counts)));
        }
    }
    let name = "conclave_model_call_duration_seconds";
    family(&mut text, name, "histogram", "How long calls to models took.");
    for (provider, counts) in &rows {
        let mut sum = 0;
        let bounds = LATENCY_MS.iter().map(|ms| (f64::from(*ms) / 1000.0).to_string()).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(counts.latency) {
            sum += count;
            line(&mut text, format_args!("{name}_bucket{{{provider},le=\"{bound}\"}} {sum}"));
        }
        let (seconds, rest) = (counts.total_ms / 1000, counts.total_ms % 1000);
        line(&mut text, format_args!("{name}_sum{{{provider}}} {seconds}.{rest:03}"));
        line(&mut text, format_args!("{name}_count{{{provider}}} {sum}"));
    }
    text
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, format_args!("# HELP {name} {help}"));
    line(text, format_args!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// `value` as it stands between the quotation marks of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        let mut counts = Counts { cache_hits: 3, fallbacks: 1, ..Counts::default() };
        for (ms, failure) in [(50, None), (51, None), (120_000, Some("timeout")), (120_001, Some("timeout"))] {
            counts.add_call(Duration::from_millis(ms), failure);
        }
        counts.add_call(Duration::from_millis(700), Some("server"));
        counts
    }

    #[test]
    fn calls_are_counted_by_how_they_ended_and_how_long_they_took() {
        let counts = counts();
        assert_eq!((counts.calls, counts.succeeded, counts.total_ms), (5, 2, 240_802));
        assert_eq!(counts.failed, BTreeMap::from([("timeout".to_owned(), 2), ("server".to_owned(), 1)]));
        assert_eq!(counts.latency, [1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
        let rates = (counts.success_percent(), counts.cache_hit_percent(), counts.fallback_percent());
        assert_eq!((rates, counts.average_ms()), ((Some(40), Some(60), Some(20)), Some(48_160)));
    }

    #[test]
    fn nothing_has_no_rate() {
        let none = Counts::default();
        assert_eq!((none.success_percent(), none.cache_hit_percent(), none.average_ms()), (None, None, None));
        assert_eq!(none.fallback_percent(), None);
    }

    #[test]
    fn what_was_counted_is_taken_once_and_adds_up() {
        let meter = Meter::default();
        assert_eq!(meter.take(), None);
        meter.count(|all| all.add(&counts()));
        meter.count(|all| all.add(&counts()));
        let taken = meter.take().unwrap();
        assert_eq!((taken.calls, taken.failed["timeout"], taken.latency[12], taken.cache_hits), (10, 4, 2, 6));
        assert_eq!(meter.take(), None);
    }

    #[test]
    fn prometheus_reads_them() {
        let rows = [("Qwen \"fast\" \\ 7\nB".to_owned(), counts()), ("claude".to_owned(), Counts::default())];
        insta::assert_snapshot!(prometheus(&rows));
    }
}
