//! One run with everything that its results refer to.

use conclave_core::finding::{ColumnKind, Tool};
use conclave_core::path::RelPath;

use crate::complaint::{Complaints, Place};
use crate::cwe::Taxonomy;
use crate::dialect::{self, Dialect};
use crate::limits::{NAME_BYTES, cut};
use crate::resolve::{Resolver, Unresolved};
use crate::rule::{Entry, Rules};
use crate::state::{Invocations, Unread};
use crate::survey::{Artifact, Results, RunSurvey};
use crate::wire;

/// The name of a tool that does not say its name.
const UNNAMED: &str = "Unnamed tool";
/// So many analysed files are listed.
const MAX_ANALYSED: usize = 100_000;

/// The files that a tool says it looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysed {
    /// Those that are files of the project, at most 100,000.
    pub files: Vec<RelPath>,
    /// How many the tool names, wherever they are.
    pub count: u32,
}

/// The context of a run's results.
pub(crate) struct Run {
    pub(crate) tool: Tool,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) components: Vec<Rules>,
    pub(crate) taxonomies: Vec<Taxonomy>,
    pub(crate) column_kind: ColumnKind,
    pub(crate) logical_locations: Vec<Option<String>>,
    pub(crate) flow_locations: Vec<Option<Box<str>>>,
    pub(crate) artifact_count: u32,
    pub(crate) analysed: Option<Analysed>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) invocations: Invocations,
    pub(crate) list: Results,
    pub(crate) external_results: bool,
    pub(crate) whole: bool,
    artifacts: Vec<Artifact>,
    resolver: Resolver,
}

impl Run {
    /// Reads what the first pass kept; `roots` are the spellings of the project's root.
    pub(crate) fn new(survey: RunSurvey, roots: &[String]) -> (Self, Complaints) {
        let RunSurvey { mut complaints, taxonomies, .. } = survey;
        let driver = survey.components.first();
        let name = driver.and_then(|driver| driver.name.as_deref()).unwrap_or(UNNAMED);
        let version = driver.and_then(|driver| driver.semantic_version.as_deref().or(driver.version.as_deref()));
        let tool = Tool { name: cut(name, NAME_BYTES), version: version.map(|version| cut(version, NAME_BYTES)) };
        let dialect = dialect::of_tool(&tool.name);

        let mut rule_number = 0;
        let mut components = Vec::with_capacity(survey.components.len());
        for component in survey.components {
            let mut rules = Rules::new(component.name, component.guid, component.strings);
            for json in component.rules {
                let entry = json.map_or(Ok(None), |json| Entry::of_json(&json, &taxonomies, dialect));
                rules.push(entry.unwrap_or_else(|fault| {
                    complaints.add(Place::Rule(rule_number), fault);
                    None
                }));
                rule_number += 1;
            }
            components.push(rules);
        }
        if !survey.external.is_empty() {
            let what = survey.external.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            complaints.add(Place::Run, crate::complaint::Fault::External { what: cut(&what, NAME_BYTES) });
        }

        let mut run = Self {
            tool,
            dialect,
            components,
            taxonomies,
            column_kind: survey.column_kind.unwrap_or(dialect.column_kind()),
            logical_locations: survey.logical_locations,
            flow_locations: survey.flow_locations,
            artifact_count: survey.artifact_count,
            analysed: None,
            unread: Vec::new(),
            invocations: survey.invocations,
            list: survey.results,
            external_results: survey.external.iter().any(|what| what == "results"),
            whole: survey.whole,
            artifacts: survey.artifacts,
            resolver: Resolver::new(roots, &survey.bases),
        };
        run.unread = run.unread_files();
        run.analysed = run.analysed_files(survey.properties.as_deref());
        (run, complaints)
    }

    /// The file that `location` names.
    pub(crate) fn resolve(&self, location: &wire::ArtifactLocation<'_>) -> Result<RelPath, Unresolved> {
        self.file(location.uri.get(), location.uri_base_id.get(), location.index.index())
    }

    fn file(&self, uri: Option<&str>, base: Option<&str>, index: Option<usize>) -> Result<RelPath, Unresolved> {
        if let Some(uri) = uri {
            return self.resolver.resolve(uri, base);
        }
        let Some(index) = index else { return Err(Unresolved::Empty) };
        let artifact = self.artifacts.get(index).ok_or(Unresolved::NoArtifact(index))?;
        if artifact.nested {
            return Err(Unresolved::Nested);
        }
        self.resolver.resolve(artifact.uri.as_deref().ok_or(Unresolved::Empty)?, artifact.base.as_deref())
    }

    /// What `location` names, as the log writes it.
    pub(crate) fn written(&self, location: &wire::ArtifactLocation<'_>) -> String {
        let artifact = location.index.index().and_then(|index| self.artifacts.get(index));
        let uri = location.uri.get().or_else(|| artifact?.uri.as_deref()).unwrap_or_default();
        match location.uri_base_id.get().or_else(|| artifact?.base.as_deref()) {
            Some(base) => format!("`{}` under `{}`", cut(uri, 300), cut(base, 100)),
            None => format!("`{}`", cut(uri, 300)),
        }
    }

    /// Whether the tool looked at anything that it could read; `None` when it does not say.
    pub(crate) fn looked(&self) -> Option<bool> {
        self.analysed.as_ref().map(|analysed| analysed.count > 0)
    }

    fn unread_files(&self) -> Vec<Unread> {
        let notices = &self.invocations.notices;
        notices
            .iter()
            .map(|notice| Unread {
                path: self.file(notice.uri.as_deref(), notice.base.as_deref(), notice.artifact).ok(),
                reason: notice.text.clone(),
            })
            .collect()
    }

    fn analysed_files(&self, properties: Option<&str>) -> Option<Analysed> {
        let mut analysed = Analysed::default();
        let mut add = |file: Result<RelPath, Unresolved>| {
            let unread =
                file.as_ref().is_ok_and(|file| self.unread.iter().any(|unread| unread.path.as_ref() == Some(file)));
            if unread {
                return;
            }
            analysed.count = analysed.count.saturating_add(1);
            if let Ok(file) = file
                && analysed.files.len() < MAX_ANALYSED
            {
                analysed.files.push(file);
            }
        };
        if let Some(names) = properties.and_then(|properties| self.dialect.analysed(properties)) {
            names.iter().for_each(|name| add(self.resolver.resolve(name, None)));
            return Some(analysed);
        }
        if !self.artifacts.iter().any(|artifact| artifact.is_target) {
            return None;
        }
        for (index, _) in self.artifacts.iter().enumerate().filter(|(_, artifact)| artifact.is_target) {
            add(self.file(None, None, Some(index)));
        }
        Some(analysed)
    }
}
