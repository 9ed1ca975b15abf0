//! The two commands that the page may call.

use conclave_api::Api;
use conclave_api::commands::dispatch;
use conclave_api::error::ApiError;
use conclave_api::view::Event;
use serde_json::Value;
use tauri::State;
use tauri::ipc::Channel;

/// Runs one command of the API's list.
#[tauri::command]
pub(crate) async fn rpc(api: State<'_, Api>, cmd: String, payload: Value) -> Result<Value, ApiError> {
    dispatch(&api, &cmd, payload).await
}

/// Sends every event to the page from now on, until the page goes away.
#[tauri::command]
pub(crate) async fn subscribe(api: State<'_, Api>, channel: Channel<Event>) -> Result<(), ApiError> {
    let mut events = api.subscribe();
    tauri::async_runtime::spawn(async move {
        while let Some(event) = events.next().await {
            if channel.send(event).is_err() {
                return;
            }
        }
    });
    Ok(())
}
