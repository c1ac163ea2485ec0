use std::sync::Arc;

use axum::{
    body::BodyDataStream,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::Shared;

/// What comes out of one PUT. The channel closes without [`SinkEvent::End`] when ffmpeg broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    Data(Bytes),
    /// The body is complete.
    End,
}

/// Passes the body on as it comes; a slow receiver slows ffmpeg down.
///
/// In a task of its own, because ffmpeg hangs up without waiting for an answer, and the answering task then ends with the
/// connection, whatever of the body is still to be passed on.
pub(super) async fn receive(events: mpsc::Sender<SinkEvent>, limit: u64, shared: Arc<Shared>, request: Request) -> Response {
    let passed = tokio::spawn(pass_on(events, limit, shared, request.into_body().into_data_stream())).await;
    passed.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

async fn pass_on(events: mpsc::Sender<SinkEvent>, limit: u64, shared: Arc<Shared>, mut body: BodyDataStream) -> StatusCode {
    let mut left = limit;
    while let Some(chunk) = body.next().await {
        let Ok(data) = chunk else { return StatusCode::BAD_REQUEST };
        let Some(rest) = left.checked_sub(data.len() as u64) else {
            shared.overlong.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(limit);
            return StatusCode::PAYLOAD_TOO_LARGE;
        };
        left = rest;
        if events.send(SinkEvent::Data(data)).await.is_err() {
            return StatusCode::GONE;
        }
    }
    match events.send(SinkEvent::End).await {
        Ok(()) => StatusCode::CREATED,
        Err(_) => StatusCode::GONE,
    }
}
