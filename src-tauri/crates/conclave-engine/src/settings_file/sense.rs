//! What makes no sense in settings that can be read: each with its place, and with what is allowed there.
//!
//! Invariant: what may be a key is never repeated.

use conclave_core::finding::Severity;
use conclave_core::settings::{CliKind, Settings};
use conclave_effects::{check_proxy, host_of};

/// Headers that hold keys.
const KEY_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];

/// What is said of a name that no environment variable has; what stands there may be the key itself.
pub(crate) const NO_VARIABLE: &str = "an environment variable\u{2019}s name is one word of letters, digits and `_`; the \
                                      key itself goes into the keychain, with `conclave keys set`";

/// The first thing in `settings` that makes no sense.
pub(super) fn senseless(settings: &Settings) -> Option<String> {
    number(settings)
        .or_else(|| tier(settings))
        .or_else(|| proxy(settings))
        .or_else(|| model(settings))
        .or_else(|| program(settings))
}

fn number(settings: &Settings) -> Option<String> {
    let least_one = [
        ("answer_timeout_s", settings.answer_timeout_s, "second"),
        ("check_timeout_s", settings.check_timeout_s, "second"),
        ("review.timeout_s", settings.review.timeout_s, "second"),
        ("max_file_bytes", settings.max_file_bytes, "byte"),
    ];
    if let Some((place, _, unit)) = least_one.into_iter().find(|(_, number, _)| *number == 0) {
        return Some(format!("`{place}` is 0, so that nothing would ever be done; allowed is 1 {unit} or more"));
    }
    let percent = settings.review.min_confidence;
    (percent > 100)
        .then(|| format!("`review.min_confidence` is {percent}, which no model reaches; allowed is 0 to 100"))
}

fn tier(settings: &Settings) -> Option<String> {
    let common = Severity::ALL.map(|severity| ("tiers".to_owned(), severity, Some(settings.tiers.of(severity))));
    let of_project = settings.project_tiers.iter().flat_map(|(root, tiers)| {
        Severity::ALL.map(|severity| (format!("project_tiers.{root}"), severity, tiers.of(severity)))
    });
    common.into_iter().chain(of_project).find_map(|(place, severity, tier)| {
        Some(format!("`{place}.{}`: {}", severity.label().to_lowercase(), tier?.fault()?))
    })
}

fn proxy(settings: &Settings) -> Option<String> {
    let error = check_proxy(settings.proxy.as_deref()?).err()?;
    Some(format!("`proxy`: {error}; allowed is an address such as `http://proxy.example:3128`"))
}

fn model(settings: &Settings) -> Option<String> {
    settings.models.iter().enumerate().find_map(|(at, model)| {
        if !model.key_env.as_deref().is_none_or(is_variable) {
            return Some(format!("`models[{at}].key_env`: {NO_VARIABLE}"));
        }
        let header = model.headers.keys().find(|header| holds_key(header))?;
        let host = host_of(&model.base_url).unwrap_or_else(|_| "HOST".to_owned());
        Some(format!(
            "`models[{at}].headers`: `{header}` holds a key, which never stands in this file; put it into the keychain \
             with `conclave keys set {host}`"
        ))
    })
}

fn program(settings: &Settings) -> Option<String> {
    settings.cli_models.iter().enumerate().find_map(|(at, program)| {
        if !program.key_env.as_deref().is_none_or(is_variable) {
            return Some(format!("`cli_models[{at}].key_env`: {NO_VARIABLE}"));
        }
        let is_lost = program.kind == CliKind::Generic && program.base_url.is_none();
        is_lost.then(|| {
            format!("`cli_models[{at}].base_url` is missing: a `generic` program reaches the one place that it names")
        })
    })
}

/// Whether a header of this name holds a key.
pub(crate) fn holds_key(header: &str) -> bool {
    KEY_HEADERS.iter().any(|known| header.eq_ignore_ascii_case(known))
}

/// Whether an environment variable can be called so.
pub(crate) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// What is wrong with an address beyond a plain place: a name, a query or a fragment may hold a key.
pub(crate) fn more_than_a_place(url: &str) -> Option<String> {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let more = if host.len() < authority.len() {
        "a user name or password"
    } else if bare.len() < url.len() {
        "something after `?` or `#`"
    } else {
        return None;
    };
    let host = host_of(&format!("{scheme}://{host}{path}")).unwrap_or_else(|_| "HOST".to_owned());
    Some(format!("its address holds {more}; put the key into the keychain: `conclave keys set {host}`"))
}
