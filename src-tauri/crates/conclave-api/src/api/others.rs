//! What other processes write, told to the faces of this one: a hook that asks, an answer given at a terminal.

use std::time::Duration;

use conclave_store::{AskId, DecisionQuery, StoreError};
use tokio::time::{MissedTickBehavior, interval};

use super::Api;
use crate::view::Tag;

/// How often the database is looked at; a look without news takes some microseconds.
const PACE: Duration = Duration::from_millis(200);

/// What a face shows of what other processes do.
#[derive(Default, PartialEq)]
struct Seen {
    asks: Vec<AskId>,
    decision: Option<u64>,
}

impl Api {
    /// Follows the database until Conclave ends.
    pub(super) async fn follow_others(self) {
        let follow = async {
            let mut changes = self.cx().store.changes()?;
            let mut seen = Seen::default();
            let mut pace = interval(PACE);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let now = self.seen()?;
                let asks = (now.asks != seen.asks).then_some(Tag::Asks);
                let ledger = (now.decision != seen.decision).then_some(Tag::Ledger);
                let tags: Vec<Tag> = asks.into_iter().chain(ledger).collect();
                if !tags.is_empty() {
                    self.changed(&tags);
                }
                seen = now;
                pace.tick().await;
                // What waits runs out by itself, without anybody writing.
                while !changes.any()? && seen.asks.is_empty() {
                    pace.tick().await;
                }
            }
        };
        tokio::select! {
            ended = follow => {
                let ended: Result<(), StoreError> = ended;
                if let Err(error) = ended {
                    self.notice(format!("what other processes do is not followed: {error}"));
                }
            }
            () = self.cx().cancel.cancelled() => {}
        }
    }

    fn seen(&self) -> Result<Seen, StoreError> {
        let store = &self.cx().store;
        let asks = store.waiting_asks(self.cx().now_ms())?.iter().map(|ask| ask.id).collect();
        let last = store.decisions(&DecisionQuery { limit: 1, ..DecisionQuery::default() })?;
        Ok(Seen { asks, decision: last.rows.first().map(|row| row.seq) })
    }
}
