//! The rules of a run, and which of them a result means.

use std::collections::HashMap;

use conclave_core::finding::{Rule, Severity};

use crate::complaint::Fault;
use crate::cwe::{self, Taxonomy};
use crate::dialect::Dialect;
use crate::lenient::Maybe;
use crate::limits::{HELP_BYTES, MESSAGE_BYTES, NAME_BYTES, cut};
use crate::message::{self, Strings};
use crate::severity;
use crate::wire;

/// The id of a result that names no rule.
pub(crate) const NO_RULE: &str = "no-rule";

/// A rule with what only results need of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) rule: Rule,
    pub(crate) guid: Option<String>,
    pub(crate) score: Option<Severity>,
    pub(crate) level: Option<String>,
    pub(crate) rank: Option<f64>,
    pub(crate) strings: Strings,
}

/// The rules of one component of the tool.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) name: Option<String>,
    pub(crate) guid: Option<String>,
    pub(crate) strings: Strings,
    entries: Vec<Option<Entry>>,
    by_id: HashMap<String, usize>,
}

impl Entry {
    /// Reads a rule from its JSON; `None` when it is no object.
    pub(crate) fn of_json(json: &str, taxonomies: &[Taxonomy], dialect: &dyn Dialect) -> Result<Option<Self>, Fault> {
        let read: Maybe<wire::Descriptor<'_>> = serde_json::from_str(json).map_err(|error| Fault::of_json(&error))?;
        Ok(read.get().map(|wire| Self::of(wire, taxonomies, dialect)))
    }

    fn of(wire: &wire::Descriptor<'_>, taxonomies: &[Taxonomy], dialect: &dyn Dialect) -> Self {
        let short = |text: Option<&str>| text.map(|text| cut(text, NAME_BYTES));
        let mut cwe = Vec::new();
        for reference in wire.relationships.items.iter().filter_map(|relationship| relationship.get()?.target.get()) {
            if let Some((taxonomy, id)) = cwe::of_reference(reference, taxonomies) {
                cwe::in_taxon(&mut cwe, taxonomy, id);
            }
        }
        let properties = wire.properties.get();
        if let Some(properties) = properties {
            properties.tags.items.iter().filter_map(|tag| tag.get()).for_each(|tag| cwe::in_text(&mut cwe, tag));
            cwe::extend(&mut cwe, &properties.cwe.0);
            cwe::extend(&mut cwe, &properties.issue_cwe.0);
        }
        wire.help_uri.get().into_iter().for_each(|uri| cwe::in_links(&mut cwe, uri));
        wire.id.get().into_iter().for_each(|id| cwe::in_text(&mut cwe, id));
        if cwe.is_empty() {
            // Prose may name a weakness in passing, so it counts only where nothing else does, and only by its page.
            let prose = [&wire.full_description, &wire.help];
            prose.iter().filter_map(|text| text.text.get()).for_each(|text| cwe::in_links(&mut cwe, text));
        }
        let configuration = wire.default_configuration.get();
        Self {
            rule: Rule {
                id: cut(wire.id.get().unwrap_or(NO_RULE), NAME_BYTES),
                name: short(wire.name.get()),
                description: message::string(&wire.short_description, NAME_BYTES)
                    .filter(|text| !dialect.is_filler(text))
                    .or_else(|| message::string(&wire.full_description, NAME_BYTES)),
                help: wire.help.markdown.get().or(wire.help.text.get()).map(|help| cut(help, HELP_BYTES)),
                help_uri: short(wire.help_uri.get()),
                cwe,
            },
            guid: wire.guid.owned(),
            score: properties.and_then(|properties| severity::of_score(&properties.security_severity)),
            level: configuration.and_then(|configuration| configuration.level.owned()),
            rank: configuration.and_then(|configuration| configuration.rank.get()),
            strings: wire
                .message_strings
                .0
                .iter()
                .filter_map(|(id, text)| Some((cut(id, NAME_BYTES), message::string(text, MESSAGE_BYTES)?)))
                .collect(),
        }
    }
}

impl Rules {
    pub(crate) fn new(name: Option<String>, guid: Option<String>, strings: Strings) -> Self {
        Self { name, guid, strings, ..Self::default() }
    }

    /// Adds the next rule; `None` keeps its number.
    pub(crate) fn push(&mut self, entry: Option<Entry>) {
        if let Some(entry) = &entry {
            self.by_id.entry(entry.rule.id.clone()).or_insert(self.entries.len());
        }
        self.entries.push(entry);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn at(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)?.as_ref()
    }

    /// The rule `id`, or the one that it refines: `CA1000/1` is a case of `CA1000`.
    fn by_id(&self, id: &str) -> Option<&Entry> {
        let mut id = id;
        loop {
            if let Some(index) = self.by_id.get(id) {
                return self.at(*index);
            }
            (id, _) = id.rsplit_once('/')?;
        }
    }

    fn by_guid(&self, guid: &str) -> Option<&Entry> {
        self.entries.iter().flatten().find(|entry| entry.guid.as_deref() == Some(guid))
    }
}

/// The rule that a result means, with its component.
///
/// The index counts where it agrees with the id; else the id is looked up, in the component that the result names,
/// then in all of them.
pub(crate) fn of_result<'a>(
    components: &'a [Rules],
    result: &wire::Result<'_>,
) -> (Option<&'a Rules>, Option<&'a Entry>) {
    let reference = result.rule.get();
    let id = id_of(result);
    let component = component_of(components, reference);
    let index = result.rule_index.index().or_else(|| reference?.index.index());
    let agrees = |entry: &&Entry| {
        id.is_none_or(|id| {
            id.strip_prefix(entry.rule.id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let by_guid = || reference.and_then(|reference| component?.by_guid(reference.guid.get()?));
    let entry = component
        .and_then(|component| component.at(index?))
        .filter(agrees)
        .or_else(|| component?.by_id(id?))
        .or_else(by_guid)
        .or_else(|| components.iter().find_map(|component| component.by_id(id?)));
    (component, entry)
}

/// The id of the rule as the result writes it.
pub(crate) fn id_of<'a>(result: &'a wire::Result<'_>) -> Option<&'a str> {
    result.rule_id.get().or_else(|| result.rule.get()?.id.get())
}

fn component_of<'a>(components: &'a [Rules], reference: Option<&wire::DescriptorReference<'_>>) -> Option<&'a Rules> {
    let Some(named) = reference.and_then(|reference| reference.tool_component.get()) else { return components.first() };
    let same = |a: &Option<String>, b: Option<&str>| b.is_some() && a.as_deref() == b;
    components
        .iter()
        .find(|component| same(&component.guid, named.guid.get()))
        // The index counts extensions, and the driver is before them here.
        .or_else(|| components.get(named.index.index()? + 1))
        .or_else(|| components.iter().find(|component| same(&component.name, named.name.get())))
        .or(components.first())
}
