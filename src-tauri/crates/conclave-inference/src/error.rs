//! Why a model gave no answer: one variant for each thing that somebody would do differently.
//!
//! Messages are for a screen. What a server wrote is quoted inside backticks, on one line, shortened, and never with
//! the key in it ([`AskError::tidy`]).

use std::time::Duration;

use conclave_effects::gate::Denied;
use thiserror::Error;

/// The longest quotation of a server's own words, in characters.
const QUOTE: usize = 300;

/// Why there is no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskError {
    /// The gate said no, or could not write the ledger; nothing was sent.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The endpoint's address cannot be used; nothing was sent.
    #[error("the address of `{endpoint}` cannot be used: {why}; correct it in the settings")]
    BadAddress {
        /// The endpoint's name; its address is not repeated, because a misplaced key may stand in it.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
    /// No connection could be made.
    #[error("nothing answers at `{address}`; check that the server runs and that the address is right")]
    Unreachable {
        /// The address that was tried.
        address: String,
    },
    /// Whoever answers cannot prove to be the host that was asked for.
    #[error("the certificate of `{address}` is not valid; nothing was sent")]
    Certificate {
        /// The address that was tried.
        address: String,
    },
    /// There is no key to ask with; nothing was sent.
    #[error("{0}")]
    NoKey(String),
    /// It was held back on this machine: nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// The key is wrong or not good for this.
    #[error("the key was not accepted; set the right one for this host")]
    Unauthorised,
    /// The account is empty, or a spending limit is reached. Waiting does not help.
    #[error("the account has no credit left; top it up or choose another model")]
    NoMoney,
    /// The server knows no such model, or no such path.
    #[error("there is no model `{model}` at this address; {}", instead(.nearest.as_deref()))]
    NotFound {
        /// The model that was asked for.
        model: String,
        /// What takes its place there, or has the most similar name, where the server lists its models.
        nearest: Option<String>,
    },
    /// Too many requests.
    #[error("the server takes no more requests for now; {}", wait(*.retry_after))]
    RateLimited {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server failed.
    #[error("the server failed ({status}): `{message}`; try again later")]
    Server {
        /// The HTTP status, or the one that an error inside the stream names.
        status: u16,
        /// In the server's words.
        message: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server does not accept the request as it is.
    #[error("the server does not accept the request ({status}): `{message}`")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// In the server's words.
        message: String,
    },
    /// The server names another address. Redirects are never followed: a key and code would go along.
    #[error("the server points to another address, which is never followed; set the final address")]
    Redirected,
    /// Time ran out.
    #[error("no answer in time: {0}")]
    Timeout(Waiting),
    /// The request does not fit into the model's context.
    #[error("the question is longer than the model can read; choose a model with a larger context")]
    TooLong,
    /// The answer grew over the limit and was not read to its end.
    #[error("the answer was larger than {max_bytes} bytes and was not used")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The model stopped at the token limit.
    #[error("the answer reached its length limit and was not used; allow more tokens")]
    Truncated,
    /// The connection ended before the answer did.
    #[error("the connection ended before the answer did, so it was not used")]
    Cut,
    /// The model finished without a word.
    #[error("the model gave an empty answer")]
    Empty,
    /// The server has too much to do.
    #[error("the server has too much to do; {}", wait(*.retry_after))]
    Overloaded {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not in the form that was asked for, and the second one neither.
    #[error("the answer is not in the agreed form: {why}")]
    WrongForm {
        /// What is wrong with it.
        why: String,
    },
    /// A spending limit would be passed, or is set while the price is unknown; nothing was sent.
    #[error("{0}")]
    OverBudget(String),
    /// It failed several times in a row and is left alone for a while; nothing was sent.
    #[error("`{name}` failed {failures} times in a row; it is tried again in {} s", left.as_secs().max(1))]
    Resting {
        /// The provider's name.
        name: String,
        /// How often.
        failures: u32,
        /// How long it is still left alone.
        left: Duration,
    },
    /// The program or worker is not there, or too old.
    #[error("{0}")]
    NotInstalled(String),
    /// The program or worker ended without an answer.
    #[error("`{program}` ended without an answer ({how}): `{message}`")]
    Ended {
        /// The program.
        program: String,
        /// By which exit code or signal.
        how: String,
        /// In the program's words.
        message: String,
    },
    /// The other end does not offer this.
    #[error("{0}")]
    NotOffered(String),
    /// What came is no answer of this dialect.
    #[error("the answer could not be read: {why}; check that the address and the dialect are right")]
    Malformed {
        /// What was wrong, in words.
        why: String,
    },
}

/// What was being waited for when time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Waiting {
    /// Others who came before.
    #[error("its turn did not come before the deadline")]
    Turn,
    /// Somebody to allow the request.
    #[error("it was not allowed before the deadline")]
    Leave,
    /// The connection.
    #[error("the connection took too long")]
    Connection,
    /// The first byte of the answer.
    #[error("the server did not begin to answer")]
    FirstByte,
    /// The next part of the answer.
    #[error("the server fell silent in the middle of its answer")]
    NextByte,
    /// A tool that the model used.
    #[error("a tool that the model used did not answer before the deadline")]
    Tool,
    /// The end of the answer.
    #[error("the answer was not complete at the deadline")]
    End,
}

impl AskError {
    /// The kind of error in one word, for the ledger and for counting; never contains what a server wrote.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::BadAddress { .. } => "bad_address",
            Self::Unreachable { .. } => "unreachable",
            Self::Certificate { .. } => "certificate",
            Self::NoKey(_) => "no_key",
            Self::NotSent(_) => "not_sent",
            Self::Unauthorised => "unauthorised",
            Self::NoMoney => "no_money",
            Self::NotFound { .. } => "not_found",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server { .. } => "server",
            Self::Rejected { .. } => "rejected",
            Self::Redirected => "redirected",
            Self::Timeout(_) => "timeout",
            Self::TooLong => "too_long",
            Self::TooLarge { .. } => "too_large",
            Self::Truncated => "truncated",
            Self::Cut => "cut",
            Self::Empty => "empty",
            Self::Malformed { .. } => "malformed",
            Self::Overloaded { .. } => "overloaded",
            Self::WrongForm { .. } => "wrong_form",
            Self::OverBudget(_) => "over_budget",
            Self::Resting { .. } => "resting",
            Self::NotInstalled(_) => "not_installed",
            Self::Ended { .. } => "ended",
            Self::NotOffered(_) => "not_offered",
        }
    }

    /// Whether it is certain that it was held back on this machine, so that nobody was asked anything.
    pub fn is_held_back(&self) -> bool {
        matches!(
            self,
            Self::Denied(_)
                | Self::BadAddress { .. }
                | Self::NoKey(_)
                | Self::NotSent(_)
                | Self::OverBudget(_)
                | Self::Resting { .. }
                | Self::NotInstalled(_)
                | Self::Timeout(Waiting::Leave | Waiting::Turn)
        )
    }

    /// The same error, fit for a screen: a server's words on one short line, with `key` taken out.
    pub(crate) fn tidy(mut self, key: Option<&str>) -> Self {
        if let Self::Server { message: words, .. }
        | Self::Rejected { message: words, .. }
        | Self::Ended { message: words, .. }
        | Self::WrongForm { why: words }
        | Self::Malformed { why: words } = &mut self
        {
            *words = quote(words, key);
        }
        self
    }

    pub(crate) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed { why: why.into() }
    }
}

/// What a stranger wrote, as one short printable line without `key`.
pub fn quote(words: &str, key: Option<&str>) -> String {
    let words = match key {
        Some(key) if !key.is_empty() => words.replace(key, "[key]"),
        _ => words.to_owned(),
    };
    let printable: String = words.chars().map(|c| if c.is_control() || turns_text(c) { ' ' } else { c }).collect();
    let mut line = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(QUOTE) {
        line.truncate(end);
        line.push('\u{2026}');
    }
    line
}

/// Invisible and direction-changing characters, with which a line can be made to read as another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn instead(nearest: Option<&str>) -> String {
    match nearest {
        Some(near) => format!("the nearest that it lists is `{near}`"),
        None => "check the model\u{2019}s name and the address".to_owned(),
    }
}

fn wait(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(after) => format!("it asks to wait {} s", after.as_secs_f64().ceil()),
        None => "try again later".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_become_one_short_line_without_the_key() {
        let cases = [
            ("plain", "plain"),
            ("two\r\n  lines\tand a tab", "two lines and a tab"),
            ("\u{1b}[31mred\u{202e}gnp\u{200b}", "[31mred gnp"),
            ("Incorrect API key provided: sk-secret-1.", "Incorrect API key provided: [key]."),
            ("", ""),
        ];
        for (words, expected) in cases {
            assert_eq!(quote(words, Some("sk-secret-1")), expected);
        }
        let long = quote(&"\u{e9}".repeat(1000), None);
        assert_eq!(long.chars().count(), QUOTE + 1);
    }

    #[test]
    fn a_key_at_the_end_of_the_quotation_is_taken_out_before_it_is_shortened() {
        let words = format!("{}sk-secret-1", "x".repeat(QUOTE - 5));
        let line = quote(&words, Some("sk-secret-1"));
        assert!(!line.contains("sk-"), "{line}");
    }

    #[test]
    fn an_empty_key_takes_nothing_out() {
        assert_eq!(quote("abc", Some("")), "abc");
    }
}
