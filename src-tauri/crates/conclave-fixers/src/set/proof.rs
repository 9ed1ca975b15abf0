//! Which proof belongs to a finding, and which function it has to call.

use conclave_core::finding::Detection;
use conclave_core::language::Language;

use super::Recipes;
use crate::facts::ProjectFacts;
use crate::recipe::proof::Proof;
use crate::signature::{self, Callee};

/// A recipe's proof at a finding.
#[derive(Debug, PartialEq)]
pub struct ProofAt<'a> {
    /// The recipe's id.
    pub recipe: &'a str,
    /// What to try and what to look at.
    pub proof: &'a Proof,
    /// What to call.
    pub callee: Callee,
}

impl Recipes {
    /// The proof of the recipe that knows the finding best, whether it has a fix for it or not.
    pub fn proof(
        &self,
        detection: &Detection,
        language: Language,
        text: &str,
        facts: &ProjectFacts,
    ) -> Option<ProofAt<'_>> {
        let region = detection.location.as_ref()?.region?;
        let (recipe, case, callee) = self.with_hits(
            language,
            text,
            facts,
            |recipe| recipe.takes(detection) && !recipe.proofs.is_empty(),
            |source, hits| {
                let known = hits.iter().filter(|hit| hit.recipe.proof(&hit.case.id).is_some());
                let near = known.filter_map(|hit| Some((hit.distance(&region, source)?, hit)));
                let (_, hit) = near.min_by_key(|(distance, _)| *distance)?;
                Some((hit.recipe.id.clone(), hit.case.id.clone(), signature::callee(&hit.found.node())))
            },
        )?;
        let recipe = self.recipes.iter().find(|other| other.id == recipe)?;
        Some(ProofAt { recipe: &recipe.id, proof: recipe.proof(&case)?, callee })
    }
}
