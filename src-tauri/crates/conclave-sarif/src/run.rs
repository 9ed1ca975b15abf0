//! One run with everything that its results refer to.

use std::collections::HashSet;

use conclave_core::finding::{ColumnKind, FlowStep, Location, Tool};
use conclave_core::path::RelPath;

use crate::complaint::{Complaints, Fault, Place};
use crate::cwe::Taxonomy;
use crate::dialect::{self, Dialect};
use crate::lenient::Maybe;
use crate::limits::{NAME_BYTES, cut};
use crate::message;
use crate::region;
use crate::resolve::{Resolver, Unresolved};
use crate::rule::{Entry, Rules};
use crate::state::{Invocations, Unread};
use crate::survey::{Artifact, Component, Results, RunSurvey, of_json};
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

/// An artifact's file, or the artifact as written and why it is none.
type ArtifactFile = Result<RelPath, (Artifact, Unresolved)>;

/// The context of a run's results.
pub(crate) struct Run {
    pub(crate) tool: Tool,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) rules: Rules,
    pub(crate) taxonomies: Vec<Taxonomy>,
    pub(crate) column_kind: ColumnKind,
    pub(crate) logical_locations: Vec<Option<String>>,
    /// Steps that flows refer to; `None` for one that is outside the project.
    pub(crate) flow_locations: Vec<Option<FlowStep>>,
    pub(crate) artifact_count: u32,
    pub(crate) analysed: Option<Analysed>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) invocations: Invocations,
    pub(crate) list: Results,
    pub(crate) external_results: bool,
    pub(crate) whole: bool,
    artifacts: Vec<ArtifactFile>,
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

        let rules = read_rules(survey.components, &taxonomies, dialect, &mut complaints);
        if !survey.external.is_empty() {
            let what = survey.external.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            complaints.add(Place::Run, Fault::External { what: cut(&what, NAME_BYTES) });
        }

        let resolver = Resolver::new(roots, &survey.bases);
        let targets: Vec<usize> =
            survey.artifacts.iter().enumerate().filter(|(_, artifact)| artifact.is_target).map(|(n, _)| n).collect();
        let artifacts = survey.artifacts.into_iter().map(|artifact| artifact_file(artifact, &resolver)).collect();
        let mut run = Self {
            tool,
            dialect,
            rules,
            taxonomies,
            column_kind: survey.column_kind.unwrap_or(dialect.column_kind()),
            logical_locations: survey.logical_locations,
            flow_locations: Vec::new(),
            artifact_count: survey.artifact_count,
            analysed: None,
            unread: Vec::new(),
            invocations: survey.invocations,
            list: survey.results,
            external_results: survey.external.iter().any(|what| what == "results"),
            whole: survey.whole,
            artifacts,
            resolver,
        };
        for (number, json) in (0..).zip(&survey.flow_locations) {
            let read = json.as_deref().map_or(Ok(Maybe(None)), of_json::<Maybe<wire::ThreadFlowLocation<'_>>>);
            let step = read.map(|step| run.step(step.get()?.location.get()?)).unwrap_or_else(|fault| {
                complaints.add(Place::Entry("threadFlowLocations", number), fault);
                None
            });
            run.flow_locations.push(step);
        }
        run.unread = run.unread_files();
        run.analysed = run.analysed_files(survey.properties.as_deref(), &targets);
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
        self.artifact(index.ok_or(Unresolved::Empty)?)
    }

    fn artifact(&self, index: usize) -> Result<RelPath, Unresolved> {
        let file = self.artifacts.get(index).ok_or(Unresolved::NoArtifact(index))?;
        file.as_ref().cloned().map_err(|(_, reason)| reason.clone())
    }

    /// The step of a flow at `location`; `None` outside the project.
    pub(crate) fn step(&self, location: &wire::Location<'_>) -> Option<FlowStep> {
        let physical = location.physical_location.get()?;
        let path = self.resolve(physical.artifact_location.get()?).ok()?;
        let region = physical.region.get().and_then(|region| region::read(region, self.column_kind).region);
        let region = region.map(|region| self.dialect.region(region));
        let message = message::resolve(&location.message, []).map(|text| cut(&text, NAME_BYTES));
        Some(FlowStep { location: Location { path, region }, message })
    }

    /// What `location` names, as the log writes it.
    pub(crate) fn written(&self, location: &wire::ArtifactLocation<'_>) -> String {
        let artifact = || Some(&self.artifacts.get(location.index.index()?)?.as_ref().err()?.0);
        let (uri, base) = match (location.uri.get(), artifact()) {
            (None, Some(artifact)) => (artifact.uri.as_deref(), artifact.base.as_deref()),
            (uri, _) => (uri, location.uri_base_id.get()),
        };
        let uri = cut(uri.unwrap_or_default(), 300);
        match base {
            Some(base) => format!("`{uri}` under `{}`", cut(base, 100)),
            None => format!("`{uri}`"),
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

    fn analysed_files(&self, properties: Option<&str>, targets: &[usize]) -> Option<Analysed> {
        let unread: HashSet<&RelPath> = self.unread.iter().filter_map(|unread| unread.path.as_ref()).collect();
        let mut analysed = Analysed::default();
        let mut add = |file: Result<RelPath, Unresolved>| {
            if file.as_ref().is_ok_and(|file| unread.contains(file)) {
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
        if targets.is_empty() {
            return None;
        }
        targets.iter().for_each(|index| add(self.artifact(*index)));
        Some(analysed)
    }
}

fn artifact_file(artifact: Artifact, resolver: &Resolver) -> ArtifactFile {
    let resolved = match artifact.uri.as_deref() {
        _ if artifact.nested => Err(Unresolved::Nested),
        Some(uri) => resolver.resolve(uri, artifact.base.as_deref()),
        None => Err(Unresolved::Empty),
    };
    resolved.map_err(|reason| (artifact, reason))
}

fn read_rules(
    components: Vec<Component>,
    taxonomies: &[Taxonomy],
    dialect: &dyn Dialect,
    complaints: &mut Complaints,
) -> Rules {
    let mut rules = Rules::default();
    for component in components {
        rules.begin(component.name, component.guid, component.strings);
        for (number, json) in (0..).zip(component.rules) {
            let entry = json.map_or(Ok(None), |json| Entry::of_json(&json, taxonomies, dialect));
            rules.push(entry.unwrap_or_else(|fault| {
                complaints.add(Place::Rule(number), fault);
                None
            }));
        }
    }
    rules
}
