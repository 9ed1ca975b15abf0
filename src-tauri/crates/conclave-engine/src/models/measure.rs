//! How the models are and how their calls went: looked at on request, counted in memory, kept in the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use conclave_inference::{About, Carrier, Counts, Health, ModelRequest, Priority, prometheus};
use conclave_policy::Actor;
use conclave_store::{MetricRow, StoreError};

use super::{Carry, Errand, Models, Set};
use crate::ctx::Ctx;

/// How long a look at a model may take.
const LOOK: Duration = Duration::from_secs(5);

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// How every model is, in order of preference; all are looked at at once, and none with a question that costs money.
pub async fn health(cx: &Ctx) -> Vec<Health> {
    let set = cx.models.current();
    let carrier: Arc<dyn Carrier> = Arc::new(looking(cx, &set));
    set.strategy.health(&carrier, LOOK, cx.now_ms()).await
}

/// How the model `name` is, as [`health`]; `None` where the settings turn none on that is called so.
pub async fn check(cx: &Ctx, name: &str) -> Option<Health> {
    let set = cx.models.current();
    set.strategy.look(name, &looking(cx, &set), LOOK, cx.now_ms()).await
}

/// How the models are that were looked at before, by that look and by their calls until now; nobody is asked.
pub fn seen(cx: &Ctx) -> Vec<Health> {
    cx.models.current().strategy.seen()
}

/// Carries looks, which ask nothing of a model.
pub(super) fn looking(cx: &Ctx, set: &Arc<Set>) -> Carry {
    let nothing = ModelRequest {
        system: String::new(),
        user: String::new(),
        max_tokens: 0,
        schema: None,
        schema_name: String::new(),
        sample: 0,
    };
    let errand = Errand {
        gate: cx.gate.clone(),
        actor: |_| Actor::Engine,
        request: Arc::new(nothing),
        about: About::default(),
        priority: Priority::Low,
        deadline: LOOK,
        purpose: "health",
        finding: None,
        run: None,
        cap: None,
        may_be_kept: false,
        agrees: None,
        client: None,
        live: None,
        cancel: cx.cancel.clone(),
    };
    Carry { set: Arc::clone(set), means: Arc::clone(&cx.models.means), errand, tools: None }
}

/// How the calls to each provider went from `since_ms` on, in milliseconds since 1970, to the full hour; by name.
///
/// # Errors
/// The store fails.
pub fn counts(cx: &Ctx, since_ms: i64) -> Result<BTreeMap<String, Counts>, StoreError> {
    cx.models.save_counts(cx.now_ms());
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for row in cx.store.metrics(since_ms.div_euclid(HOUR_MS))? {
        let (provider, row) = of_row(row);
        counts.entry(provider).or_default().add(&row);
    }
    Ok(counts)
}

fn of_row(row: MetricRow) -> (String, Counts) {
    let MetricRow { provider, calls, succeeded, failed, cache_hits, fallbacks, total_ms, latency, hour: _ } = row;
    (provider, Counts { calls, succeeded, failed, cache_hits, fallbacks, total_ms, latency })
}

/// How the calls to each provider went, ever, as Prometheus reads it: its counters never go down.
///
/// # Errors
/// The store fails.
pub fn metrics_text(cx: &Ctx) -> Result<String, StoreError> {
    cx.models.save_counts(cx.now_ms());
    let ever = cx.store.metrics_ever()?;
    Ok(prometheus(&ever.into_iter().map(of_row).collect::<Vec<_>>()))
}

impl Models {
    /// Puts into the store what was counted since it was last done. What cannot be kept now is another time.
    pub(crate) fn save_counts(&self, now_ms: i64) {
        self.save_counts_of(&self.current(), now_ms);
    }

    pub(super) fn save_counts_of(&self, set: &Set, now_ms: i64) {
        let taken = set.strategy.take_counts();
        let hour = now_ms.div_euclid(HOUR_MS);
        let row = |(provider, counts): &(String, Counts)| {
            let Counts { calls, succeeded, failed, cache_hits, fallbacks, total_ms, latency } = counts.clone();
            let provider = provider.clone();
            MetricRow { hour, provider, calls, succeeded, failed, cache_hits, fallbacks, total_ms, latency }
        };
        let rows: Vec<MetricRow> = taken.iter().map(row).collect();
        if let Err(error) = self.means.store.add_metrics(&rows) {
            tracing::warn!(%error, "the counts of calls to models are not kept yet");
            set.strategy.give_back_counts(&taken);
        }
    }
}
