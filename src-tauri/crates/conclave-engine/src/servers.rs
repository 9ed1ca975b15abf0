//! Models that could be named in the settings: those of servers on this machine, and those in files.
//!
//! Deliberately absent: changing the settings; what is found is shown, and a person chooses.

use std::path::Path;
use std::time::Duration;

use conclave_core::local::ModelFile;
use conclave_core::settings::Settings;
use conclave_effects::{Secret, host_of};
pub use conclave_inference::ServerKind as Kind;
use conclave_inference::discover::{USUAL, is_here};
use conclave_inference::provider::local::{Place, inspect as inspect_file};
use conclave_inference::{About, Address, AskError, Look, Reach, Server, Terms, discover as look};
use conclave_policy::Actor;

use crate::ctx::Ctx;

/// How long a look at a file may take: only its beginning is read.
const LIMIT: Duration = Duration::from_secs(30);

/// What was found on this machine.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Servers that offer models.
    pub servers: Vec<Found>,
    /// Every place that was looked at, with what came of it.
    pub looks: Vec<(String, String)>,
}

/// A server on this machine.
#[derive(Debug)]
pub struct Found {
    /// What it is.
    pub server: Server,
    /// For each of its models, the name of the model of the settings that it is.
    pub settings: Vec<Option<String>>,
}

/// Looks at the places where servers usually are, and at those on this machine that the settings name.
pub async fn discover(cx: &Ctx) -> Discovered {
    let settings = cx.settings();
    let about = About::default();
    let reach = Reach { gate: &cx.gate, actor: Actor::Person, terms: Terms::new(&about, LIMIT) };
    let named = settings.models.iter().map(|model| model.base_url.as_str());
    let urls = USUAL.iter().map(|(_, url)| *url).chain(named);
    let keys = keys(cx, &reach, &settings).await;
    let key = |url| keys.iter().find(|(known, _)| is_same_server(known, url)).map(|(_, key)| key);
    let addresses: Vec<Address<'_>> = urls.map(|url| Address { url, key: key(url) }).collect();
    let mut discovered = Discovered::default();
    for Look { origin, found } in look(&reach, &addresses).await {
        let words = match found {
            Ok(Some(server)) => {
                let words = server.words();
                let settings = server.models.iter().map(|model| setting(&settings, &server, &model.id)).collect();
                discovered.servers.push(Found { server, settings });
                words
            }
            Ok(None) => "whoever answers there offers no models".to_owned(),
            Err(AskError::Unreachable { .. }) => "nobody answers there".to_owned(),
            Err(error) => error.to_string(),
        };
        discovered.looks.push((origin, words));
    }
    discovered
}

/// The keys of servers on this machine, each with an address of the settings that has it. One that the keychain does not
/// give is none: then the server says that it wants one.
async fn keys<'a>(cx: &Ctx, reach: &Reach<'_>, settings: &'a Settings) -> Vec<(&'a str, Secret)> {
    let mut keys: Vec<(&str, Secret)> = Vec::new();
    for model in settings.models.iter().filter(|model| is_here(reach, &model.base_url)) {
        if keys.iter().any(|(known, _)| is_same_server(known, &model.base_url)) {
            continue;
        }
        if let Ok(Some(key)) = cx.models.key_of(&cx.gate, model).await {
            keys.push((&model.base_url, key));
        }
    }
    keys
}

/// Whether two addresses lead to one server.
fn is_same_server(one: &str, other: &str) -> bool {
    host_of(one).is_ok_and(|host| host_of(other).is_ok_and(|other| host == other))
}

/// The name of the model of the settings that is the model `id` of `server`.
fn setting(settings: &Settings, server: &Server, id: &str) -> Option<String> {
    let is_there =
        |url: &str| url.strip_prefix(&server.origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let model = settings.models.iter().find(|model| model.model == id && is_there(&model.base_url))?;
    Some(model.name.clone())
}

/// What the model file at `file` says about itself; its weights stay on the disk.
///
/// # Errors
/// The worker is not installed, may not be started or does not take the file.
pub async fn inspect(cx: &Ctx, file: &Path, context: Option<u32>) -> Result<ModelFile, AskError> {
    let about = About::default();
    let reach = Reach { gate: &cx.gate, actor: Actor::Person, terms: Terms::new(&about, LIMIT) };
    inspect_file(&reach, &Place::find(None), file, context).await
}

#[cfg(test)]
mod tests {
    use conclave_core::settings::ModelSetting;

    use super::*;

    #[test]
    fn a_model_that_is_named_already_is_known() {
        let models = vec![
            ModelSetting::new("mine", "http://127.0.0.1:8080/v1", "a"),
            ModelSetting::new("other port", "http://127.0.0.1:80801/v1", "b"),
        ];
        let settings = Settings { models, ..Settings::default() };
        let origin = "http://127.0.0.1:8080".to_owned();
        let server = Server { kind: Kind::LlamaCpp, origin, version: None, wants_key: false, models: Vec::new() };
        for (id, expect) in [("a", Some("mine")), ("b", None), ("c", None)] {
            assert_eq!(setting(&settings, &server, id).as_deref(), expect, "{id}");
        }
    }
}
