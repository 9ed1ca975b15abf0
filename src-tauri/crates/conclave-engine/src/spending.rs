//! What calls to models may cost and have cost.
//!
//! Before a call its most is set aside in the store, which looks at the limits in the same transaction; after it what it
//! came to takes that place. Deliberately absent: sums and limits in memory, which a second process would not know.
//! Invariant: a call that cannot be paid for inside every limit is not made, and one of unknown price under none.

use conclave_core::finding::Severity;
use conclave_core::id::{FindingId, ProjectId, RunId};
use conclave_core::money::Money;
use conclave_core::settings::{BudgetSetting, ManualCost};
use conclave_core::tier::RunPlan;
use conclave_effects::Clock;
use conclave_inference::money::Setting;
use conclave_inference::{AskError, Hold, Purse, Spent};
use conclave_store::{Cap, Caps, NewSpend, OverCap, Reservation, Reserving, Settlement, Store, StoreError, Tokens};
use tokio::sync::oneshot;

use crate::advise::install::quoted;
use crate::ctx::Ctx;

/// What a person would have cost in place of the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// Critical findings that are fixed now.
    pub critical: u32,
    /// High ones.
    pub high: u32,
    /// Medium ones.
    pub medium: u32,
    /// What fixing them by hand would have cost, by the settings; `None` where that is more than can be counted.
    pub cost: Option<Money>,
}

/// What fixing by hand what is fixed now would have cost. A fix that nobody has applied has saved nobody anything.
///
/// # Errors
/// The store fails.
pub fn fixed_by_hand(cx: &Ctx) -> Result<ByHand, StoreError> {
    let fixed = cx.store.fixed_by_severity()?;
    let count = |severity| fixed.get(&severity).copied().unwrap_or(0);
    let each = &cx.settings().manual_cost;
    let cost = fixed.iter().try_fold(Money::ZERO, |sum, (severity, count)| {
        let each = by_hand(each, *severity).unwrap_or_default().micros();
        each.checked_mul(u64::from(*count)).and_then(|all| sum.checked_add(Money::from_micros(all)))
    });
    let (critical, high, medium) = (count(Severity::Critical), count(Severity::High), count(Severity::Medium));
    Ok(ByHand { critical, high, medium, cost })
}

/// What fixing a finding of `severity` costs by hand; `None` where no cost is set for it.
pub fn by_hand(cost: &ManualCost, severity: Severity) -> Option<Money> {
    match severity {
        Severity::Critical => Some(cost.critical),
        Severity::High => Some(cost.high),
        Severity::Medium => Some(cost.medium),
        Severity::Low | Severity::Note => None,
    }
}

/// The most that a run about a finding of one severity may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierCap {
    /// The severity.
    pub severity: Severity,
    /// The most.
    pub most: Money,
}

impl TierCap {
    /// That of `plan`, where it sets one.
    pub fn of(plan: &RunPlan) -> Option<Self> {
        plan.tier.cap.map(|most| Self { severity: plan.severity, most })
    }
}

/// The purse of one question: the store, the limits of the settings, and what the question belongs to.
pub(crate) struct StorePurse {
    pub store: Store,
    pub clock: Clock,
    pub budget: BudgetSetting,
    /// The most that the run may cost; it says nothing where a price is not known.
    pub cap: Option<TierCap>,
    /// The folder of the project whose own tier sets that, where it is not the one that holds everywhere.
    pub cap_of: Option<String>,
    pub project: Option<ProjectId>,
    pub finding: Option<FindingId>,
    pub run: Option<RunId>,
    pub purpose: &'static str,
    /// The day that the price of the one who is asked is known from.
    pub price_date: Option<String>,
}

impl Purse for StorePurse {
    fn reserve<'a>(&'a self, provider: &'a str, model: &'a str, most: Option<Money>) -> Setting<'a> {
        Box::pin(async move {
            let spend = NewSpend {
                at_ms: self.clock.now_ms(),
                day: self.clock.today(),
                project: self.project.clone(),
                finding: self.finding.clone(),
                run: self.run.clone(),
                provider: provider.to_owned(),
                model: model.to_owned(),
                purpose: self.purpose.to_owned(),
                most,
                price_date: self.price_date.clone(),
            };
            let BudgetSetting { per_call, per_finding, per_run, per_day, per_project } = self.budget;
            // The tier's limit binds only where it is the smaller one.
            let is_smaller = |cap: &TierCap| per_run.is_none_or(|per_run| cap.most < per_run);
            let tier = self.cap.filter(|_| most.is_some()).filter(is_smaller);
            let per_run = tier.map(|cap| cap.most).or(per_run);
            let caps = Caps {
                call: per_call,
                finding: per_finding,
                run: per_run,
                day: per_day,
                project: per_project,
                all: None,
            };
            let (done, told) = oneshot::channel();
            self.store.reserve(spend, caps, move |reserved| drop(done.send(reserved)));
            // A task of its own: what is set aside for somebody who does not wait for it any more is given back.
            let store = self.store.clone();
            let reserved = tokio::spawn(async move {
                let reserved = told.await.ok()?;
                Some(reserved.map(|reserved| match reserved {
                    Reserving::Held(reservation) => {
                        Ok(StoreHold { store, reservation: Some(reservation), is_asked: false })
                    }
                    Reserving::Over(over) => Err(Some(over)),
                    Reserving::Unpriced => Err(None),
                }))
            });
            let lost = || AskError::OverBudget("what it costs could not be set aside, so it is not asked".to_owned());
            match reserved.await.ok().flatten().ok_or_else(lost)? {
                Ok(Ok(mut hold)) => {
                    hold.is_asked = true;
                    Ok(Box::new(hold) as Box<dyn Hold>)
                }
                Ok(Err(Some(over))) => Err(AskError::OverBudget(too_much(&over, tier, self.cap_of.as_deref()))),
                Ok(Err(None)) => Err(AskError::OverBudget(unpriced(provider, &self.budget))),
                Err(error) => {
                    let why = format!("what it costs cannot be set aside, so it is not asked: {error}");
                    Err(AskError::OverBudget(why))
                }
            }
        })
    }
}

/// The settings of `budget` that are limits.
fn limits(budget: &BudgetSetting) -> Vec<String> {
    let BudgetSetting { per_call, per_finding, per_run, per_day, per_project } = budget;
    let limits = [
        ("per_call", per_call),
        ("per_finding", per_finding),
        ("per_run", per_run),
        ("per_day", per_day),
        ("per_project", per_project),
    ];
    let set = limits.into_iter().filter_map(|(name, limit)| Some(format!("`{name}` of {}", limit.as_ref()?)));
    set.collect()
}

fn unpriced(provider: &str, budget: &BudgetSetting) -> String {
    let limits = limits(budget).join(", ");
    format!(
        "what `{provider}` costs is not known, and there is a limit ({limits}); \
         set its `price` in the settings, or take the limit away"
    )
}

/// What is said of a call that would pass a limit; `tier` is what limits its run where no setting of the budget does, in
/// the project in `folder` alone where there is one.
fn too_much(over: &OverCap, tier: Option<TierCap>, folder: Option<&str>) -> String {
    if let (Cap::Run, Some(TierCap { severity, .. })) = (over.cap, tier) {
        let OverCap { limit, spent, reserved, wanted, .. } = over;
        let severity = severity.label().to_lowercase();
        let raise = match folder {
            Some(folder) => {
                format!("raise it with `conclave tiers set {severity} --project {} --cap`", quoted(folder))
            }
            None => format!("raise `tiers.{severity}.cap` in the settings"),
        };
        return format!(
            "{wanted} more would pass the limit of {limit} for a finding of this severity: {spent} is spent and \
             {reserved} is set aside; {raise}, or choose a cheaper model"
        );
    }
    let (name, otherwise) = match over.cap {
        Cap::Call => ("`budget.per_call`", "choose a cheaper model"),
        Cap::Finding => ("`budget.per_finding`", "choose a cheaper model"),
        Cap::Run => ("`budget.per_run`", "choose a cheaper model"),
        Cap::Day => ("`budget.per_day`", "go on tomorrow"),
        Cap::Project => ("`budget.per_project`", "choose a model on this machine"),
        Cap::All => ("the limit", "choose a model on this machine"),
    };
    format!("{over}; raise {name} in the settings, or {otherwise}")
}

/// Money that is set aside in the store. Dropped, it counts as spent, unless nobody waited for it.
struct StoreHold {
    store: Store,
    reservation: Option<Reservation>,
    is_asked: bool,
}

impl StoreHold {
    fn put(&mut self, settlement: Settlement) {
        let Some(reservation) = self.reservation.take() else { return };
        self.store.settle(reservation, settlement, |settled| {
            if let Err(error) = settled {
                tracing::warn!(%error, "what a call came to is not kept; what was set aside counts as spent");
            }
        });
    }
}

impl StoreHold {
    fn return_it(&mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        self.store.give_back(reservation, |given| {
            if let Err(error) = given {
                tracing::warn!(%error, "what was set aside for no call is not given back, and counts as spent");
            }
        });
    }
}

impl Hold for StoreHold {
    fn settle(mut self: Box<Self>, spent: Spent) {
        let tokens = spent.usage.map(|usage| Tokens {
            input: usage.input_tokens,
            cached: usage.cached_tokens,
            output: usage.output_tokens,
            reasoning: usage.reasoning_tokens,
        });
        self.put(Settlement { actual: spent.cost, tokens, outcome: spent.outcome.to_owned() });
    }

    fn give_back(mut self: Box<Self>) {
        self.return_it();
    }
}

impl Drop for StoreHold {
    fn drop(&mut self) {
        match self.is_asked {
            true => self.put(Settlement { actual: None, tokens: None, outcome: "cancelled".to_owned() }),
            false => self.return_it(),
        }
    }
}

#[cfg(test)]
mod tests;
