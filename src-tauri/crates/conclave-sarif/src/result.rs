//! One SARIF result as one detection, or as several where the tool's dialect says so.
//!
//! Invariant: a result that hides itself (suppressed, passed, absent from a baseline) is marked and kept.

use std::borrow::Cow;

use conclave_core::finding::{Detection, FlowStep, Location, Replacement, Rule, ScannerFix};

use crate::complaint::{Complaints, Fault, Place};
use crate::cwe;
use crate::lenient::Maybe;
use crate::limits::{NAME_BYTES, cut};
use crate::message;
use crate::region;
use crate::rule::{self, Entry, NO_RULE};
use crate::run::Run;
use crate::severity::{self, Signals};
use crate::survey::symbol;
use crate::wire;

/// So many steps of a flow are kept.
const MAX_STEPS: usize = 1_000;
/// The longest fingerprint that is kept as a hint, in bytes.
const FINGERPRINT_BYTES: usize = 1_024;

/// A place of a result.
#[derive(Default)]
struct Spot {
    location: Option<Location>,
    unresolved: Option<String>,
    symbol: Option<String>,
}

/// Converts results of one run.
pub(crate) struct Converter<'a> {
    pub(crate) run: &'a Run,
    pub(crate) complaints: &'a mut Complaints,
    /// The number of the result.
    pub(crate) index: u32,
}

impl Converter<'_> {
    /// Hands the detections of `result` to `sink`.
    pub(crate) fn convert(&mut self, result: &wire::Result<'_>, mut sink: impl FnMut(Detection)) {
        let (entry, [of_component, of_driver]) = self.run.rules.of_result(result);
        let of_rule = entry.map(|entry| &entry.strings);
        let rule = self.rule(result, entry);
        let message = message::resolve(&result.message, of_rule.into_iter().chain([of_component, of_driver]))
            .or_else(|| rule.description.clone())
            .unwrap_or_default();
        let detection = Detection {
            tool: self.run.tool.clone(),
            message,
            severity: severity_of(result, entry),
            location: None,
            unresolved: None,
            symbol: None,
            flow: self.flow(result),
            fixes: self.fixes(result),
            suppressed: is_set_aside(result),
            foreign_fingerprints: self.fingerprints(result),
            rule,
        };
        for spot in self.spots(result) {
            let Spot { location, unresolved, symbol } = spot;
            sink(Detection { location, unresolved, symbol, ..detection.clone() });
        }
    }

    fn complain(&mut self, fault: Fault) {
        self.complaints.add(Place::Result(self.index), fault);
    }

    fn rule(&self, result: &wire::Result<'_>, entry: Option<&Entry>) -> Rule {
        let mut cwe = Vec::new();
        for reference in result.taxa.items.iter().filter_map(Maybe::get) {
            if let Some((taxonomy, id)) = cwe::of_reference(reference, &self.run.taxonomies) {
                cwe::in_taxon(&mut cwe, taxonomy, id);
            }
        }
        if let Some(entry) = entry {
            cwe::extend(&mut cwe, &entry.rule.cwe);
        }
        if let Some(properties) = result.properties.get() {
            properties.tags.items.iter().filter_map(|tag| tag.get()).for_each(|tag| cwe::in_text(&mut cwe, tag));
            cwe::extend(&mut cwe, &properties.cwe.0);
            cwe::extend(&mut cwe, &properties.issue_cwe.0);
        }
        let id = rule::id_of(result).or_else(|| Some(&entry?.rule.id)).unwrap_or(NO_RULE);
        if entry.is_none() {
            cwe::in_text(&mut cwe, id);
        }
        let id = cut(id, NAME_BYTES);
        match entry {
            Some(Entry { rule, .. }) => Rule { id, cwe, ..rule.clone() },
            None => Rule { id, name: None, description: None, help: None, help_uri: None, cwe },
        }
    }

    /// The places of the result; at least one, which may be nowhere.
    fn spots(&mut self, result: &wire::Result<'_>) -> Vec<Spot> {
        let locations = &result.locations.items;
        let mut spots: Vec<Spot> =
            locations.iter().filter_map(Maybe::get).map(|location| self.spot(location)).collect();
        let mut left_out = result.locations.left_out;
        if !self.run.dialect.each_location_is_a_finding() {
            let symbol = spots.iter().find_map(|spot| spot.symbol.clone());
            let best = spots.iter().position(|spot| spot.location.is_some());
            let best = best.or_else(|| spots.iter().position(|spot| spot.unresolved.is_some())).unwrap_or(0);
            let mut kept = if spots.is_empty() { Spot::default() } else { spots.swap_remove(best) };
            let other = |spot: &&Spot| spot.location.is_some() && spot.location != kept.location;
            left_out = left_out.saturating_add(u32::try_from(spots.iter().filter(other).count()).unwrap_or(u32::MAX));
            kept.symbol = kept.symbol.or(symbol);
            spots = vec![kept];
        }
        if left_out > 0 {
            self.complain(Fault::Locations { count: left_out });
        }
        if spots.is_empty() {
            spots.push(Spot::default());
        }
        spots
    }

    fn spot(&mut self, location: &wire::Location<'_>) -> Spot {
        let named = |logical: &wire::LogicalLocation<'_>| {
            symbol(logical).or_else(|| self.run.logical_locations.get(logical.index.index()?)?.clone())
        };
        let symbol = location.logical_locations.items.iter().filter_map(Maybe::get).find_map(named);
        let physical = location.physical_location.get();
        let Some(artifact) = physical.and_then(|physical| physical.artifact_location.get()) else {
            return Spot { symbol, ..Spot::default() };
        };
        match self.run.resolve(artifact) {
            Ok(path) => {
                let region = physical.and_then(|physical| self.region(physical));
                Spot { location: Some(Location { path, region }), unresolved: None, symbol }
            }
            Err(reason) => {
                let unresolved = Some(format!("{}: {reason}", self.run.written(artifact)));
                Spot { location: None, unresolved, symbol }
            }
        }
    }

    fn region(&mut self, physical: &wire::PhysicalLocation<'_>) -> Option<conclave_core::finding::Region> {
        let read = region::read(physical.region.get()?, self.run.column_kind);
        if let Some(detail) = read.fault {
            self.complain(Fault::Region { detail });
        }
        read.region.map(|region| self.run.dialect.region(region))
    }

    fn flow(&mut self, result: &wire::Result<'_>) -> Vec<FlowStep> {
        let first = result.code_flows.items.first().and_then(|flow| flow.get()?.thread_flows.items.first()?.get());
        let Some(thread) = first else { return Vec::new() };
        let mut steps = Vec::new();
        let mut left_out = thread.locations.left_out;
        for step in thread.locations.items.iter().take(MAX_STEPS) {
            match step.get().and_then(|step| self.step(step)) {
                Some(step) => steps.push(step),
                None => left_out = left_out.saturating_add(1),
            }
        }
        if left_out > 0 {
            self.complain(Fault::Flow { count: left_out });
        }
        steps
    }

    fn step(&self, step: &wire::ThreadFlowLocation<'_>) -> Option<FlowStep> {
        match step.location.get() {
            Some(location) => self.run.step(location),
            None => self.run.flow_locations.get(step.index.index()?)?.clone(),
        }
    }

    fn fixes(&mut self, result: &wire::Result<'_>) -> Vec<ScannerFix> {
        let mut fixes = Vec::new();
        for fix in result.fixes.items.iter().filter_map(Maybe::get) {
            match self.fix(fix) {
                Ok(fix) => fixes.push(fix),
                Err(reason) => self.complain(Fault::Fix { reason: reason.into_owned() }),
            }
        }
        if result.fixes.left_out > 0 {
            self.complain(Fault::Fix { reason: format!("{} are one too many", result.fixes.left_out) });
        }
        fixes
    }

    /// A fix is taken whole or not at all.
    fn fix(&self, fix: &wire::Fix<'_>) -> Result<ScannerFix, Cow<'static, str>> {
        let mut replacements = Vec::new();
        for change in &fix.artifact_changes.items {
            let Some(change) = change.get() else { return Err("it has no change".into()) };
            let Some(artifact) = change.artifact_location.get() else { return Err("it names no file".into()) };
            let path = self
                .run
                .resolve(artifact)
                .map_err(|reason| Cow::Owned(format!("{}: {reason}", self.run.written(artifact))))?;
            for replacement in &change.replacements.items {
                let (region, text) = self.replacement(replacement.get().ok_or("a replacement is no object")?)?;
                replacements.push(Replacement { path: path.clone(), region, text });
            }
            if change.replacements.left_out > 0 {
                return Err("it has too many replacements".into());
            }
        }
        if fix.artifact_changes.left_out > 0 {
            return Err("it changes too many files".into());
        }
        if replacements.is_empty() {
            return Err("it replaces nothing".into());
        }
        Ok(ScannerFix { description: message::resolve(&fix.description, []), replacements })
    }

    fn replacement(
        &self,
        replacement: &wire::Replacement<'_>,
    ) -> Result<(conclave_core::finding::Region, String), Cow<'static, str>> {
        let deleted = replacement.deleted_region.get().ok_or("a replacement has no range")?;
        let read = region::read(deleted, self.run.column_kind);
        if let Some(fault) = read.fault {
            return Err(fault.into());
        }
        let region = read.region.ok_or("a replacement has no line")?;
        let text = match replacement.inserted_content.get() {
            Some(content) if content.text.0.is_none() && content.binary.get().is_some() => {
                return Err("its new content is binary".into());
            }
            Some(content) => content.text.0.as_deref().unwrap_or_default().to_owned(),
            None => String::new(),
        };
        Ok((self.run.dialect.deleted_region(region), text))
    }

    fn fingerprints(&self, result: &wire::Result<'_>) -> Vec<(String, String)> {
        result
            .partial_fingerprints
            .0
            .iter()
            .chain(&result.fingerprints.0)
            .filter_map(|(name, value)| Some((name, value.get()?)))
            .filter(|(_, value)| self.run.dialect.is_fingerprint(value))
            .map(|(name, value)| (cut(name, FINGERPRINT_BYTES), cut(value, FINGERPRINT_BYTES)))
            .collect()
    }
}

fn severity_of(result: &wire::Result<'_>, entry: Option<&Entry>) -> conclave_core::finding::Severity {
    let properties = result.properties.get();
    let signals = Signals {
        kind: result.kind.get(),
        result_score: properties.and_then(|properties| severity::of_score(&properties.security_severity)),
        rule_score: entry.and_then(|entry| entry.score),
        level: result.level.get(),
        rule_level: entry.and_then(|entry| entry.level.as_deref()),
        rank: result.rank.get(),
        rule_rank: entry.and_then(|entry| entry.rank),
    };
    signals.severity()
}

/// Whether the tool itself sets the result aside: it is suppressed and nobody objects, it says that nothing is wrong, or
/// it was there before and is gone.
fn is_set_aside(result: &wire::Result<'_>) -> bool {
    let mut suppressions = result.suppressions.items.iter().filter_map(Maybe::get).peekable();
    let suppressed = suppressions.peek().is_some()
        && suppressions.all(|suppression| !matches!(suppression.status.get(), Some("underReview" | "rejected")));
    suppressed
        || result.kind.get().is_some_and(severity::is_no_failure)
        || result.baseline_state.get() == Some("absent")
}
