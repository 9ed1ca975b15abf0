//! Clients, for the faces: these come before anything is opened for one of them.

use std::path::{Path, PathBuf};

use conclave_engine::clients::{self, ClientError, ClientName, ClientState};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{ClientChanged, ClientList, ClientView};

fn name_of(text: &str) -> Result<ClientName, ApiError> {
    Ok(text.parse::<ClientName>().map_err(ClientError::from)?)
}

/// The data folder of the client `name` below `base`.
///
/// # Errors
/// There is none.
pub fn folder(base: &Path, name: &str) -> Result<PathBuf, ApiError> {
    Ok(clients::folder(base, &name_of(name)?)?)
}

/// All clients below `base`.
///
/// # Errors
/// A client's folder cannot be opened.
pub fn list(api: &Api, base: &Path) -> Result<ClientList, ApiError> {
    let items = clients::list(base, api.cx().now_ms())?.into_iter().map(view).collect();
    Ok(ClientList { items })
}

/// Makes a client.
///
/// # Errors
/// There is one of this name, or the name cannot be one.
pub fn add(base: &Path, name: &str) -> Result<ClientChanged, ApiError> {
    let folder = clients::add(base, &name_of(name)?)?;
    let done = format!("Added. Work for it with `--workspace {name}`; its data is in `{}`.", folder.display());
    Ok(ClientChanged { name: name.to_owned(), done })
}

/// Writes everything of the client that `api` was opened for into one archive.
///
/// # Errors
/// See [`ClientError`].
pub async fn archive(api: &Api, name: &str, to: &Path, hand_over: bool) -> Result<ClientChanged, ApiError> {
    let bytes = clients::archive(api.cx(), to, hand_over).await?;
    let what = if hand_over { "Ready to hand over, to be read only" } else { "Backed up" };
    Ok(ClientChanged {
        name: name.to_owned(),
        done: format!("{what}: {bytes} bytes in `{}`. No key is in it.", to.display()),
    })
}

/// Makes the client `name` from an archive.
///
/// # Errors
/// See [`ClientError`].
pub async fn restore(api: &Api, base: &Path, name: &str, from: &Path) -> Result<ClientChanged, ApiError> {
    let folder = clients::restore(api.cx(), base, &name_of(name)?, from).await?;
    Ok(ClientChanged { name: name.to_owned(), done: format!("Opened in `{}`.", folder.display()) })
}

/// Removes everything of the client `name`: its keys, its findings, its ledger, what was learned, what was kept.
///
/// # Errors
/// See [`ClientError`].
pub async fn erase(base: &Path, name: &str) -> Result<ClientChanged, ApiError> {
    let erased = clients::erase(base, &name_of(name)?).await?;
    let done = format!(
        "Erased: its data folder with {} projects, and {} keys from the keychain. The projects themselves are as they were.",
        erased.projects.len(),
        erased.keys.len()
    );
    Ok(ClientChanged { name: name.to_owned(), done })
}

fn view(state: ClientState) -> ClientView {
    let ClientState { name, projects, keys, handed_over } = state;
    ClientView { name: name.to_string(), projects, keys, handed_over }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        let words = error.to_string();
        match error {
            ClientError::Unknown(_) => {
                Self::new(ErrorCode::NotFound, words).with_hint("`conclave clients list` shows them; `add` makes one")
            }
            ClientError::NoClient => Self::new(ErrorCode::BadRequest, words).with_hint("name one with `--workspace`"),
            ClientError::InUse(_) => Self::new(ErrorCode::BadRequest, words).with_hint("end it, and erase again"),
            // The name says itself what one is.
            ClientError::Name(_) => Self::new(ErrorCode::BadRequest, words),
            ClientError::Key { .. } => {
                Self::new(ErrorCode::BadRequest, words).with_hint("unlock the keychain, and erase again")
            }
            ClientError::Archive(_) => {
                Self::new(ErrorCode::BadRequest, words).with_hint("take one that `conclave clients archive` wrote")
            }
            ClientError::Open(error) => error.into(),
            ClientError::Denied(denied) => denied.into(),
            ClientError::Fs(error) => error.into(),
            ClientError::Store(error) => error.into(),
            ClientError::Settings(_) => Self::new(ErrorCode::Internal, words),
        }
    }
}
