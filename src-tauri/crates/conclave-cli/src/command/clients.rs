//! `conclave clients`.

use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::{Api, Options, clients};

use crate::args::{Clients, Global};
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, global: &Global, command: &Clients) -> Result<Exit, ApiError> {
    let base = global.base()?;
    let changed = match command {
        Clients::List => {
            output.clients(&clients::list(api, &base)?);
            return Ok(Exit::Done);
        }
        Clients::Add { name } => clients::add(&base, name)?,
        Clients::Archive { name, file, hand_over } => {
            let data_dir = clients::folder(&base, name)?;
            let theirs = Api::open(&Options { data_dir, offline: true })?;
            clients::archive(&theirs, name, file, *hand_over).await?
        }
        Clients::Open { file, name } => clients::restore(api, &base, name, file).await?,
        Clients::Erase { name, yes: false } => {
            clients::folder(&base, name)?;
            return Err(ApiError::new(ErrorCode::BadRequest, format!("erasing `{name}` cannot be taken back"))
                .with_hint("back it up with `conclave clients archive`, then add `--yes`"));
        }
        Clients::Erase { name, yes: true } => clients::erase(&base, name).await?,
    };
    output.client_changed(&changed);
    Ok(Exit::Done)
}
