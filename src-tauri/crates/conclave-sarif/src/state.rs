//! Whether a run of a tool may be believed when it reports nothing.
//!
//! A tool that failed may write a valid log without a single result; that must never read as clean. Exit codes alone
//! prove nothing, because many scanners leave with 1 when they found something.

use conclave_core::path::RelPath;

use crate::lenient::Maybe;
use crate::limits::cut;
use crate::message;
use crate::survey::Results;
use crate::wire;

/// So many notices of unread files are kept.
const MAX_NOTICES: usize = 1_000;
/// The longest reason, in bytes.
const REASON_BYTES: usize = 500;

/// How far a run of a tool may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// The tool says that it did what it was asked to; only then can no result mean clean.
    Complete,
    /// It ran to its end, but it or this reading left something out.
    Partial {
        /// What, in words.
        reason: String,
    },
    /// It did not run, or what it did cannot be read.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// A file that the tool says it could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file, where it is one of the project's.
    pub path: Option<RelPath>,
    /// What the tool says; untrusted text.
    pub reason: String,
}

/// What all `invocations` of a run say.
#[derive(Debug, Default)]
pub(crate) struct Invocations {
    /// Why the run failed as a whole; the first reason counts.
    failures: Vec<String>,
    /// Error-level notices that name a place.
    pub(crate) notices: Vec<Notice>,
    exit: Option<String>,
}

/// An error-level notice about one place.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) uri: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) artifact: Option<usize>,
}

impl Invocations {
    /// Takes in one entry; one that is no object says nothing.
    pub(crate) fn add(&mut self, invocation: Maybe<wire::Invocation<'_>>) {
        let Some(invocation) = invocation.0 else { return };
        let described = |text: &str| format!("the tool says: {}", cut(text, REASON_BYTES));
        if let Some(text) = invocation.process_start_failure_message.get() {
            self.failures.push(described(text));
        }
        let lists = [&invocation.tool_execution_notifications, &invocation.tool_configuration_notifications];
        let mut general = Vec::new();
        for notification in lists.into_iter().flat_map(|list| &list.items).filter_map(Maybe::get) {
            if notification.level.get() != Some("error") {
                continue;
            }
            let text = message::resolve(&notification.message, []).unwrap_or_else(|| "an error".to_owned());
            let place = notification.locations.items.iter().find_map(|location| {
                let place = location.get()?.physical_location.get()?.artifact_location.get()?;
                Some(place).filter(|place| place.uri.get().is_some() || place.index.index().is_some())
            });
            match place {
                None => general.push(described(&text)),
                Some(place) if self.notices.len() < MAX_NOTICES => self.notices.push(Notice {
                    text: cut(&text, REASON_BYTES),
                    uri: place.uri.owned(),
                    base: place.uri_base_id.owned(),
                    artifact: place.index.index(),
                }),
                Some(_) => {}
            }
        }
        let exit = invocation.exit_code_description.owned().or_else(|| match invocation.exit_code.get() {
            Some(code) if code != 0.0 => Some(format!("exit code {code}")),
            _ => None,
        });
        match invocation.execution_successful.0 {
            Some(true) => {}
            Some(false) => {
                let why = general.first().cloned().or(exit.map(|exit| described(&exit)));
                let what = "the tool says that it did not succeed".to_owned();
                self.failures.push(why.map_or(what.clone(), |why| format!("{what}; {why}")));
            }
            None => {
                let signal = invocation.exit_signal_name.owned().or_else(|| {
                    invocation.exit_signal_number.get().filter(|n| *n != 0.0).map(|number| number.to_string())
                });
                if let Some(signal) = signal {
                    self.failures.push(format!("the tool was ended by signal {}", cut(&signal, REASON_BYTES)));
                }
                self.exit = self.exit.take().or(exit);
            }
        }
        self.failures.append(&mut general);
        self.failures.truncate(MAX_NOTICES);
    }

    /// Takes in an entry that could not be read.
    pub(crate) fn add_unreadable(&mut self) {
        self.failures
            .push("an entry of `invocations` cannot be read, so nothing says that the tool succeeded".to_owned());
    }
}

/// What is known of a run when it has been read.
pub(crate) struct Facts<'a> {
    pub(crate) whole: bool,
    pub(crate) changed: bool,
    pub(crate) list: Results,
    pub(crate) external_results: bool,
    pub(crate) invocations: &'a Invocations,
    pub(crate) unread: &'a [Unread],
    /// Whether the tool looked at anything beside what it could not read; `None` when it does not say.
    pub(crate) looked: Option<bool>,
    pub(crate) results: u32,
    pub(crate) malformed: u32,
    pub(crate) left_out: u32,
}

impl Facts<'_> {
    /// The state of the run; the first rule that applies.
    pub(crate) fn state(&self) -> RunState {
        let failed = |reason: &str| RunState::Failed { reason: reason.to_owned() };
        if !self.whole {
            return failed("the file ends or breaks off before the run does");
        }
        if self.changed {
            return failed("the file changed while it was read");
        }
        if let Some(reason) = self.invocations.failures.first() {
            return failed(reason);
        }
        match self.list {
            _ if self.external_results => return failed("its results are in another file, which is not read"),
            Results::Absent => return failed("it has no list of results, so nothing says that the tool looked"),
            Results::Null => return failed("its list of results is null: the tool could not look"),
            Results::NoList => return failed("its `results` is no list"),
            Results::List(_) => {}
        }
        if self.results == 0 {
            if self.looked == Some(false) {
                return failed("the tool read none of the files");
            }
            if let Some(exit) = &self.invocations.exit {
                return failed(&format!("the tool reports nothing and left with {exit}"));
            }
        }
        if let Some(Unread { reason, .. }) = self.unread.first() {
            let count = self.unread.len();
            let places = if count == 1 { "1 place".to_owned() } else { format!("{count} places") };
            let reason = format!("the tool reports an error at {places}: {reason}");
            return if self.results == 0 && self.looked != Some(true) {
                RunState::Failed { reason }
            } else {
                RunState::Partial { reason }
            };
        }
        let missing = self.malformed.saturating_add(self.left_out);
        if missing > 0 {
            let reason = format!("{missing} of its results cannot be read");
            return if self.results == 0 { RunState::Failed { reason } } else { RunState::Partial { reason } };
        }
        RunState::Complete
    }
}
