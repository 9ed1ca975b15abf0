//! `conclave rpc`: the boundary's envelope as JSON lines, for programs that drive Conclave.
//!
//! In: `{"id": 1, "cmd": "list_findings", "payload": {…}}`. Out: `{"id": 1, "ok": …}`, `{"id": 1, "error": …}`, and
//! `{"event": …}` whenever something happens. Requests are answered as they finish, not in order.

use conclave_api::Api;
use conclave_api::commands::dispatch;
use conclave_api::error::{ApiError, ErrorCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;

use crate::exit::Exit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    id: Value,
    cmd: String,
    #[serde(default = "nothing")]
    payload: Value,
}

fn nothing() -> Value {
    json!({})
}

/// Serves until standard input ends.
pub async fn serve(api: &Api) -> Result<Exit, ApiError> {
    api.start();
    let (lines, mut written) = mpsc::channel::<Value>(256);
    let writer = tokio::spawn(async move {
        let mut out = tokio::io::stdout();
        while let Some(line) = written.recv().await {
            let text = format!("{line}\n");
            if out.write_all(text.as_bytes()).await.is_err() || out.flush().await.is_err() {
                return;
            }
        }
    });
    let mut events = api.subscribe();
    let told = lines.clone();
    let teller = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if told.send(json!({ "event": event })).await.is_err() {
                return;
            }
        }
    });
    let broken = |error: std::io::Error| {
        ApiError::new(ErrorCode::Internal, "standard input broke").with_details(error.to_string())
    };
    let mut input = BufReader::new(tokio::io::stdin());
    let mut asked = tokio::task::JoinSet::new();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).await.map_err(broken)? > 0 {
        // Bytes that are no text make a line that is no request, and is answered as such.
        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
        let (api, lines) = (api.clone(), lines.clone());
        asked.spawn(async move {
            let _ = lines.send(answer(&api, &text).await).await;
        });
        while asked.try_join_next().is_some() {}
    }
    asked.join_all().await;
    teller.abort();
    drop(lines);
    let _ = writer.await;
    Ok(Exit::Done)
}

async fn answer(api: &Api, line: &str) -> Value {
    match serde_json::from_str::<Request>(line) {
        Ok(request) => match dispatch(api, &request.cmd, request.payload).await {
            Ok(ok) => json!({ "id": request.id, "ok": ok }),
            Err(error) => json!({ "id": request.id, "error": error }),
        },
        Err(error) => {
            let error =
                ApiError::new(ErrorCode::BadRequest, "the line is not a request").with_details(error.to_string());
            json!({ "id": null, "error": error })
        }
    }
}
