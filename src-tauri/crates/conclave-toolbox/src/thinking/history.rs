//! What was thought, by run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use conclave_core::id::RunId;
use conclave_core::synthesis::{Branch, Thought};
use serde_json::{Value, json};

use super::step::{Step, invalid};

/// Most steps of one run.
const MOST_STEPS: usize = 200;

/// Most bytes of one step, and of all steps of one run.
const MOST_STEP_BYTES: usize = 16 * 1024;
const MOST_BYTES: usize = 512 * 1024;

/// Most characters in the name of a branch.
const MOST_NAME: usize = 80;

/// How many runs are remembered; the one that began first is forgotten first.
const MOST_RUNS: usize = 64;

/// The thoughts of all runs under way; clones share them.
#[derive(Clone, Default)]
pub struct Thoughts(Arc<Mutex<Vec<History>>>);

struct History {
    run: RunId,
    thoughts: Vec<Thought>,
}

impl Thoughts {
    /// The chain of `run`, in the order in which it was thought.
    pub fn of(&self, run: &RunId) -> Vec<Thought> {
        let histories = self.histories();
        histories.iter().find(|history| history.run == *run).map_or_else(Vec::new, |history| history.thoughts.clone())
    }

    /// Forgets the chain of `run`, so that it can begin anew.
    pub fn forget(&self, run: &RunId) {
        self.histories().retain(|history| history.run != *run);
    }

    /// Adds the step in `arguments` to the chain of `run` and answers as the server does.
    ///
    /// # Errors
    /// What is wrong with the step, for the model; then nothing is added.
    pub(super) fn add(&self, run: &RunId, arguments: &Value) -> Result<Value, String> {
        let step = Step::read(arguments)?;
        let mut histories = self.histories();
        let index = histories.iter().position(|history| history.run == *run).unwrap_or_else(|| {
            if histories.len() >= MOST_RUNS {
                histories.remove(0);
            }
            histories.push(History { run: run.clone(), thoughts: Vec::new() });
            histories.len() - 1
        });
        let thoughts = &mut histories[index].thoughts;
        fits(thoughts, &step)?;
        let branch = step.branch_from.zip(step.branch).map(|(from, id)| Branch { id, from });
        thoughts.push(Thought {
            number: step.number,
            total: step.total,
            text: step.text,
            revises: step.revises,
            branch,
            sources: Vec::new(),
        });
        let mut branches: Vec<&str> = Vec::new();
        for branch in thoughts.iter().filter_map(|thought| thought.branch.as_ref()) {
            if !branches.contains(&branch.id.as_str()) {
                branches.push(&branch.id);
            }
        }
        Ok(json!({
            "thoughtNumber": step.number,
            "totalThoughts": step.total,
            "nextThoughtNeeded": step.goes_on,
            "branches": branches,
            "thoughtHistoryLength": thoughts.len(),
        }))
    }

    // A panic elsewhere leaves whole steps behind, because each is added at once.
    fn histories(&self) -> MutexGuard<'_, Vec<History>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `step` can follow `thoughts`.
fn fits(thoughts: &[Thought], step: &Step) -> Result<(), String> {
    let is_there = |number: u32| thoughts.iter().any(|thought| thought.number == number);
    for (number, at) in [(step.revises, "revisesThought"), (step.branch_from, "branchFromThought")] {
        if let Some(number) = number.filter(|number| !is_there(*number)) {
            return Err(invalid(&format!("There is no thought {number}"), at));
        }
    }
    if step.branch.as_ref().is_some_and(|id| id.chars().count() > MOST_NAME || id.chars().any(char::is_control)) {
        return Err(invalid(&format!("Too big: expected at most {MOST_NAME} plain characters"), "branchId"));
    }
    let bytes: usize = thoughts.iter().map(|thought| thought.text.len()).sum();
    if step.text.len() > MOST_STEP_BYTES || bytes + step.text.len() > MOST_BYTES {
        return Err(invalid("Too big: the thoughts are too long; be brief", "thought"));
    }
    if thoughts.len() >= MOST_STEPS {
        return Err(invalid(&format!("Too big: a chain has at most {MOST_STEPS} thoughts; come to an end"), "thought"));
    }
    Ok(())
}
