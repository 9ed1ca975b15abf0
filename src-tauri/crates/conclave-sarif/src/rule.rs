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
use crate::survey::of_json;
use crate::wire;

/// The id of a result that names no rule.
pub(crate) const NO_RULE: &str = "no-rule";

/// So many levels of an id such as `CA1000/1` are looked up.
const MAX_LEVELS: usize = 16;

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

/// The rules of a tool: those of its driver, then those of its extensions.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    components: Vec<Component>,
    /// The first component that has a rule with this id, and the rule's number in it.
    by_id: HashMap<String, (usize, usize)>,
}

#[derive(Debug, Default)]
struct Component {
    name: Option<String>,
    guid: Option<String>,
    strings: Strings,
    entries: Vec<Option<Box<Entry>>>,
    by_id: HashMap<String, usize>,
    by_guid: HashMap<String, usize>,
}

impl Entry {
    /// Reads a rule from its JSON; `None` when it is no object.
    pub(crate) fn of_json(json: &str, taxonomies: &[Taxonomy], dialect: &dyn Dialect) -> Result<Option<Self>, Fault> {
        let read: Maybe<wire::Descriptor<'_>> = of_json(json)?;
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
            guid: short(wire.guid.get()),
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
    /// Begins the next component.
    pub(crate) fn begin(&mut self, name: Option<String>, guid: Option<String>, strings: Strings) {
        self.components.push(Component { name, guid, strings, ..Component::default() });
    }

    /// Adds the next rule of the component; `None` keeps its number.
    pub(crate) fn push(&mut self, entry: Option<Entry>) {
        let number = self.components.len().saturating_sub(1);
        let Some(component) = self.components.last_mut() else { return };
        let index = component.entries.len();
        if let Some(entry) = &entry {
            component.by_id.entry(entry.rule.id.clone()).or_insert(index);
            self.by_id.entry(entry.rule.id.clone()).or_insert((number, index));
            if let Some(guid) = &entry.guid {
                component.by_guid.entry(guid.clone()).or_insert(index);
            }
        }
        component.entries.push(entry.map(Box::new));
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> usize {
        self.components.iter().map(|component| component.entries.len()).sum()
    }

    /// The rule that a result means, and the message strings to look in when the rule has none.
    ///
    /// The index counts where it agrees with the id; else the id is looked up, in the component that the result names,
    /// then in all of them.
    pub(crate) fn of_result(&self, result: &wire::Result<'_>) -> (Option<&Entry>, [&Strings; 2]) {
        static NONE: Strings = Strings::new();
        let reference = result.rule.get();
        let id = id_of(result);
        let component = self.component(reference);
        let index = result.rule_index.index().or_else(|| reference?.index.index());
        let agrees = |entry: &&Entry| {
            id.is_none_or(|id| {
                id.strip_prefix(entry.rule.id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let entry = component
            .and_then(|component| component.at(index?))
            .filter(agrees)
            .or_else(|| component?.at(*look_up(&component?.by_id, id?)?))
            .or_else(|| component?.at(*component?.by_guid.get(reference?.guid.get()?)?))
            .or_else(|| {
                let (component, index) = *look_up(&self.by_id, id?)?;
                self.components.get(component)?.at(index)
            });
        let strings = [component, self.components.first()];
        (entry, strings.map(|component| component.map_or(&NONE, |component| &component.strings)))
    }

    /// The component that a reference names, else the driver.
    fn component(&self, reference: Option<&wire::DescriptorReference<'_>>) -> Option<&Component> {
        let Some(named) = reference.and_then(|reference| reference.tool_component.get()) else {
            return self.components.first();
        };
        let same = |a: &Option<String>, b: Option<&str>| b.is_some() && a.as_deref() == b;
        let find = |fits: &dyn Fn(&Component) -> bool| self.components.iter().find(|component| fits(component));
        find(&|component| same(&component.guid, named.guid.get()))
            // The index counts extensions, and the driver is before them here.
            .or_else(|| self.components.get(named.index.index()? + 1))
            .or_else(|| find(&|component| same(&component.name, named.name.get())))
            .or(self.components.first())
    }
}

impl Component {
    fn at(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)?.as_deref()
    }
}

/// What stands for `id`, or for the id that it refines: `CA1000/1` is a case of `CA1000`.
fn look_up<'a, T>(index: &'a HashMap<String, T>, id: &str) -> Option<&'a T> {
    if id.len() > NAME_BYTES {
        return None;
    }
    let levels = std::iter::successors(Some(id), |id| Some(id.rsplit_once('/')?.0));
    levels.take(MAX_LEVELS).find_map(|id| index.get(id))
}

/// The id of the rule as the result writes it.
pub(crate) fn id_of<'a>(result: &'a wire::Result<'_>) -> Option<&'a str> {
    result.rule_id.get().or_else(|| result.rule.get()?.id.get())
}
