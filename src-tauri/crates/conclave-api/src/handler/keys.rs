//! Which hosts have a key; a key comes in and does not go out again.

use conclave_engine::Secret;
use conclave_engine::keys::{self, KeyState};

use crate::api::Api;
use crate::error::ApiError;
use crate::view::{EraseKey, KeyErased, KeyHost, KeyList, KeySaved, KeySource, KeychainView, Nothing, SetKey};

pub(crate) async fn list_keys(api: &Api, _: Nothing) -> Result<KeyList, ApiError> {
    let list = keys::list(api.cx()).await?;
    let keychain = match list.trouble {
        // Asking it for a key may bring up its prompt, so nobody asks before there is need.
        None => KeychainView { ok: true, found: "asked when a key is set or needed".to_owned(), remedy: None },
        Some(trouble) => {
            let (found, remedy) = match trouble.split_once("; ") {
                Some((found, remedy)) => (found.to_owned(), Some(remedy.to_owned())),
                None => (trouble, None),
            };
            KeychainView { ok: false, found, remedy }
        }
    };
    Ok(KeyList { keychain, hosts: list.hosts.into_iter().map(host).collect() })
}

fn host(state: KeyState) -> KeyHost {
    KeyHost {
        host: state.host,
        models: state.models,
        source: match state.source {
            keys::KeySource::Keychain => KeySource::Keychain,
            keys::KeySource::Environment { variable, set } => KeySource::Environment { variable, set },
            keys::KeySource::None => KeySource::None,
        },
        set_at: state.set_at_ms,
    }
}

pub(crate) async fn set_key(api: &Api, request: SetKey) -> Result<KeySaved, ApiError> {
    let (host, set_at) = keys::set(api.cx(), &request.host, Secret::new(request.key)).await?;
    Ok(KeySaved { host, set_at })
}

pub(crate) async fn erase_key(api: &Api, request: EraseKey) -> Result<KeyErased, ApiError> {
    let (host, had_key) = keys::erase(api.cx(), &request.host).await?;
    Ok(KeyErased { host, had_key })
}
