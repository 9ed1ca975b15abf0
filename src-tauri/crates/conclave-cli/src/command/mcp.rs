//! `conclave mcp`.

use conclave_api::Api;
use conclave_api::error::ApiError;

use crate::exit::Exit;

pub(super) async fn run(api: &Api, offline: bool) -> Result<Exit, ApiError> {
    crate::mcp::serve(api, offline).await
}
