//! All recipes together: detecting, answering findings, counting what is left.
//!
//! One parse and one walk serve all recipes of a file. Invariant: the same text gives the same result, whatever the
//! order of the calls.

mod proof;

use std::collections::HashMap;
use std::sync::OnceLock;

use conclave_core::candidate::FixClass;
use conclave_core::finding::{ColumnKind, Detection, Location, OWN_TOOL, Region, Rule, Tool};
use conclave_core::language::Language;
use conclave_core::patch::Edit;
use conclave_core::path::RelPath;

use crate::call::Call;
use crate::facts::ProjectFacts;
use crate::guard;
use crate::outline::Outline;
use crate::recipe::load::{self, LoadError};
use crate::recipe::{Case, Recipe};
use crate::rewrite::{self, Fix};
use crate::source::Source;
use crate::syntax::{Match, Matcher, Node, Tree};

pub use proof::ProofAt;

/// Nested deeper than this, a file is not looked at: no person wrote it, and every look around a node costs its depth.
pub(crate) const MAX_DEPTH: usize = 2_000;

/// A compiled set of recipes.
pub struct Recipes {
    recipes: Vec<Recipe>,
    python: OnceLock<Dispatch>,
    javascript: OnceLock<Dispatch>,
    typescript: OnceLock<Dispatch>,
    tsx: OnceLock<Dispatch>,
    java: OnceLock<Dispatch>,
}

/// The cases of one language by the kind of node that they can match.
#[derive(Default)]
struct Dispatch {
    cases: Vec<CompiledCase>,
    by_kind: HashMap<u16, Vec<usize>>,
}

struct CompiledCase {
    recipe: usize,
    case: usize,
    matcher: Matcher,
}

/// What recipes say to a finding.
#[derive(Debug, Default, PartialEq)]
pub enum Answer {
    /// One fix or more.
    Fixes(Vec<RecipeFix>),
    /// A recipe knows the place and must not touch it.
    Refused {
        /// The recipe's id.
        recipe: String,
        /// Why, in words for the screen.
        reason: String,
    },
    /// No recipe knows it.
    #[default]
    None,
}

/// A fix that a recipe proposes.
#[derive(Debug, PartialEq)]
pub struct RecipeFix {
    /// The recipe's id.
    pub recipe: String,
    /// What it does, in one line.
    pub title: String,
    /// Why that removes the weakness.
    pub rationale: String,
    /// Inputs or situations in which behaviour changes.
    pub edge_cases: Vec<String>,
    /// How much a person has to look at it.
    pub class: FixClass,
    /// In order, imports included. Two fixes of one file may share an equal edit that adds an import: it counts once.
    pub edits: Vec<Edit>,
    /// Weaker rules that a re-scan may report instead.
    pub successors: Vec<String>,
}

struct Hit<'a, 't> {
    recipe: &'a Recipe,
    case: &'a Case,
    found: Match<'t>,
}

impl Recipes {
    /// Builds a set from recipe files, each a name and its text.
    ///
    /// # Errors
    /// The first mistake in a file, or an id that two files share.
    pub(crate) fn load(files: &[(&str, &str)]) -> Result<Self, LoadError> {
        let mut recipes: Vec<Recipe> = Vec::new();
        for (name, text) in files {
            let recipe = load::build(load::parse(name, text)?)?;
            if recipes.iter().any(|other| other.id == recipe.id) {
                let reason = format!("`{name}` has an id that another file has");
                return Err(LoadError::Part { recipe: recipe.id, place: "id".to_owned(), reason });
            }
            recipes.push(recipe);
        }
        let lock = OnceLock::new;
        Ok(Self { recipes, python: lock(), javascript: lock(), typescript: lock(), tsx: lock(), java: lock() })
    }

    /// The recipes in the order of their files.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.recipes.iter()
    }

    /// What our own detectors find in a file; also what they have no fix for.
    pub fn detect(&self, path: &RelPath, language: Language, text: &str, facts: &ProjectFacts) -> Vec<Detection> {
        let wanted = |recipe: &Recipe| recipe.cases.iter().any(|case| case.report);
        self.with_hits(language, text, facts, wanted, |source, hits| {
            let reported: Vec<_> = hits.iter().filter(|hit| hit.case.report).collect();
            if reported.is_empty() {
                return Vec::new();
            }
            let outline = Outline::of(&source.root());
            reported.into_iter().map(|hit| hit.detection(path, source, &outline)).collect()
        })
    }

    /// What recipes answer to a finding in this text.
    ///
    /// A recipe takes a finding by its rule or its weakness, and only if a case matches where the finding is: lines
    /// first, columns where several match on those lines.
    pub fn answer(&self, detection: &Detection, language: Language, text: &str, facts: &ProjectFacts) -> Answer {
        let Some(region) = detection.location.as_ref().and_then(|location| location.region) else {
            return Answer::None;
        };
        let wanted = |recipe: &Recipe| recipe.takes(detection);
        self.with_hits(language, text, facts, wanted, |source, hits| {
            let mut nearest: Vec<(&Hit<'_, '_>, usize)> = Vec::new();
            for hit in &hits {
                let Some(distance) = hit.distance(&region, source) else { continue };
                match nearest.iter_mut().find(|(other, _)| other.recipe.id == hit.recipe.id) {
                    Some((_, best)) if *best <= distance => {}
                    Some(other) => *other = (hit, distance),
                    None => nearest.push((hit, distance)),
                }
            }
            let mut fixes = Vec::new();
            let mut refused = None;
            for (hit, _) in nearest {
                match rewrite::fix(hit.case, source, &hit.found) {
                    Ok(fix) => fixes.push(hit.recipe_fix(fix)),
                    Err(reason) => {
                        let recipe = hit.recipe.id.clone();
                        refused = refused.or(Some(Answer::Refused { recipe, reason }));
                    }
                }
            }
            if fixes.is_empty() { refused.unwrap_or(Answer::None) } else { Answer::Fixes(fixes) }
        })
    }

    /// First and last line of each place that the recipe's own detector still matches, reported or not.
    pub fn still_reports(&self, recipe: &str, language: Language, text: &str, facts: &ProjectFacts) -> Vec<(u32, u32)> {
        let lines = |hits: Vec<Hit<'_, '_>>| hits.iter().map(|hit| hit.found.node().lines()).collect();
        self.with_hits(language, text, facts, |other| other.id == recipe, |_, hits| lines(hits))
    }

    /// Runs the wanted recipes over a text and hands on what they match.
    fn with_hits<R: Default>(
        &self,
        language: Language,
        text: &str,
        facts: &ProjectFacts,
        wanted: impl Fn(&Recipe) -> bool,
        then: impl for<'a, 't> FnOnce(&Source<'t>, Vec<Hit<'a, 't>>) -> R,
    ) -> R {
        let active: Vec<bool> = self
            .recipes
            .iter()
            .map(|recipe| recipe.languages.contains(&language) && wanted(recipe) && recipe.concerns(text))
            .collect();
        if !active.contains(&true) {
            return R::default();
        }
        let tree = Tree::parse(language, text);
        if tree.deeper_than(MAX_DEPTH) {
            return R::default();
        }
        let source = Source::new(&tree, facts);
        let dispatch = self.dispatch(language);
        let mut hits: Vec<Hit<'_, '_>> = Vec::new();
        for node in tree.root().walk() {
            let mut matched = None;
            for &index in dispatch.by_kind.get(&node.kind_id()).into_iter().flatten() {
                let compiled = &dispatch.cases[index];
                if !active[compiled.recipe] || matched == Some(compiled.recipe) {
                    continue;
                }
                let recipe = &self.recipes[compiled.recipe];
                let case = &recipe.cases[compiled.case];
                if let Some(found) = compiled.matcher.at(&node).and_then(|found| bound(case, &source, found)) {
                    matched = Some(compiled.recipe);
                    hits.push(Hit { recipe, case, found });
                }
            }
        }
        then(&source, hits)
    }

    fn dispatch(&self, language: Language) -> &Dispatch {
        let cell = match language {
            Language::Python => &self.python,
            Language::JavaScript => &self.javascript,
            Language::TypeScript => &self.typescript,
            Language::Tsx => &self.tsx,
            Language::Java => &self.java,
        };
        cell.get_or_init(|| {
            // INVARIANT: a test compiles every shipped recipe for each of its languages.
            #[allow(clippy::expect_used)]
            let dispatch = Dispatch::compile(&self.recipes, language).expect("shipped recipes compile");
            dispatch
        })
    }
}

impl Dispatch {
    fn compile(recipes: &[Recipe], language: Language) -> Result<Self, LoadError> {
        let mut dispatch = Self::default();
        for (index, recipe) in recipes.iter().enumerate() {
            if !recipe.languages.contains(&language) {
                continue;
            }
            for (nth, case) in recipe.cases.iter().enumerate() {
                let matcher = Matcher::compile(&case.rule, language).map_err(|reason| LoadError::Part {
                    recipe: recipe.id.clone(),
                    place: format!("case `{}`", case.id),
                    reason,
                })?;
                for kind in matcher.kinds() {
                    dispatch.by_kind.entry(kind).or_default().push(dispatch.cases.len());
                }
                dispatch.cases.push(CompiledCase { recipe: index, case: nth, matcher });
            }
        }
        Ok(dispatch)
    }
}

/// The match with the case's arguments bound, when all its conditions hold.
fn bound<'t>(case: &Case, source: &Source<'t>, mut found: Match<'t>) -> Option<Match<'t>> {
    if !case.bind.is_empty() {
        let call = Call::at(&found.node())?;
        for (name, argument) in &case.bind {
            let by_position = argument.position.and_then(|position| call.positional.get(position));
            let by_keyword = || argument.keyword.as_deref().and_then(|keyword| call.keyword(keyword));
            let node = by_position.or_else(by_keyword)?.clone();
            if !found.bind(name, node) {
                return None;
            }
        }
    }
    case.guards.iter().all(|condition| guard::holds(condition, source, &found)).then_some(found)
}

impl<'t> Hit<'_, 't> {
    /// How many bytes the match is from where a finding points; `None` when they share no line.
    fn distance(&self, region: &Region, source: &Source<'t>) -> Option<usize> {
        let start = region.byte_range(source.text())?.start;
        let shares = |node: &Node<'_>| {
            let (first, last) = node.lines();
            first <= region.end_line.max(region.start_line) && region.start_line <= last
        };
        let sites = rewrite::sites(self.case, source, &self.found);
        sites.iter().filter(|site| shares(site)).map(|site| site.range().start.abs_diff(start)).min()
    }
}

impl Hit<'_, '_> {
    fn detection(&self, path: &RelPath, source: &Source<'_>, outline: &Outline) -> Detection {
        let recipe = self.recipe;
        let range = self.found.node().range();
        let (start_line, end_line) = self.found.node().lines();
        let column = |at: usize| {
            let before = &source.text()[source.line(at).start..at];
            u32::try_from(before.encode_utf16().count() + 1).ok()
        };
        let region = Region {
            start_line,
            start_column: column(range.start),
            end_line,
            end_column: column(range.end),
            column_kind: ColumnKind::Utf16,
        };
        Detection {
            tool: Tool { name: OWN_TOOL.to_owned(), version: None },
            rule: Rule {
                id: recipe.id.clone(),
                name: None,
                description: Some(recipe.message.clone()),
                help: Some(recipe.rationale.clone()),
                help_uri: None,
                cwe: recipe.cwe.clone(),
            },
            message: recipe.message.clone(),
            severity: recipe.severity,
            location: Some(Location { path: path.clone(), region: Some(region) }),
            unresolved: None,
            symbol: outline.around(start_line).map(|(_, _, name)| name),
            flow: Vec::new(),
            fixes: Vec::new(),
            suppressed: false,
            foreign_fingerprints: Vec::new(),
        }
    }

    fn recipe_fix(&self, fix: Fix) -> RecipeFix {
        let recipe = self.recipe;
        let (title, rationale, edge_cases) = match &self.case.words {
            Some(words) => (&words.title, &words.rationale, &words.edge_cases),
            None => (&recipe.title, &recipe.rationale, &recipe.edge_cases),
        };
        RecipeFix {
            recipe: recipe.id.clone(),
            title: title.clone(),
            rationale: rationale.clone(),
            edge_cases: fix.review.into_iter().chain(edge_cases.iter().cloned()).collect(),
            class: fix.class,
            edits: fix.edits,
            successors: recipe.successors.clone(),
        }
    }
}

#[cfg(test)]
impl Recipes {
    /// Compiles the set for one language, for tests that want the mistake.
    pub(crate) fn compile(&self, language: Language) -> Result<(), LoadError> {
        Dispatch::compile(&self.recipes, language).map(|_| ())
    }

    /// The ids of the cases of one recipe that match in a text.
    pub(crate) fn cases(&self, recipe: &str, language: Language, text: &str, facts: &ProjectFacts) -> Vec<String> {
        let ids = |_: &Source<'_>, hits: Vec<Hit<'_, '_>>| hits.iter().map(|hit| hit.case.id.clone()).collect();
        self.with_hits(language, text, facts, |other| other.id == recipe, ids)
    }
}

#[cfg(test)]
mod tests;
