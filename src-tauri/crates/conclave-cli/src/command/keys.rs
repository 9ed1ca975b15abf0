//! `conclave keys`. A key is typed without echo or comes as one line on standard input, never as an argument.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{EraseKey, KeyErased, KeyList, KeySaved, Nothing, SetKey};

use super::call;
use crate::args::Keys;
use crate::exit::Exit;
use crate::output::Output;

/// The longest line that is taken for a key, in bytes.
const LONGEST_KEY: u64 = 16 * 1024;

pub(super) async fn run(api: &Api, output: &Output, command: &Keys) -> Result<Exit, ApiError> {
    match command {
        Keys::List => {
            let view: KeyList = call(api, "list_keys", &Nothing {}).await?;
            output.keys(&view);
            if !view.keychain.ok {
                return Ok(Exit::Usage);
            }
        }
        Keys::Set { argument: Some(_), .. } => {
            let hint = "the shell may have kept what you typed: have the provider give you another key, and leave it \
                        out here; you are asked for it";
            return Err(
                ApiError::new(ErrorCode::BadRequest, "a key is never taken from the command line").with_hint(hint)
            );
        }
        Keys::Set { host, argument: None } => {
            let request = SetKey { host: host.clone(), key: key(host)? };
            let view: KeySaved = call(api, "set_key", &request).await?;
            output.key_saved(&view);
        }
        Keys::Remove { host } => {
            let view: KeyErased = call(api, "erase_key", &EraseKey { host: host.clone() }).await?;
            output.key_erased(&view);
        }
    }
    Ok(Exit::Done)
}

/// The key for `host`, as the person gives it.
fn key(host: &str) -> Result<String, ApiError> {
    let read = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Key for {host} (not shown): "))
    } else {
        let mut line = String::new();
        std::io::stdin().lock().take(LONGEST_KEY).read_line(&mut line).map(|_| line)
    };
    // What was read stays out of the message: it may be most of a key.
    let text = read.map_err(|_| ApiError::new(ErrorCode::BadRequest, "no key could be read"))?;
    match text.trim() {
        "" => Err(ApiError::new(ErrorCode::BadRequest, "no key was given")
            .with_hint("type it when asked, or give it as one line on standard input")),
        key => Ok(key.to_owned()),
    }
}
