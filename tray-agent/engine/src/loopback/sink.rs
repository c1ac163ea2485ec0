use axum::{
    body::BodyDataStream,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

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
pub(super) async fn receive(events: mpsc::Sender<SinkEvent>, request: Request) -> Response {
    let passed = tokio::spawn(pass_on(events, request.into_body().into_data_stream())).await;
    passed.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

async fn pass_on(events: mpsc::Sender<SinkEvent>, mut body: BodyDataStream) -> StatusCode {
    while let Some(chunk) = body.next().await {
        let Ok(data) = chunk else { return StatusCode::BAD_REQUEST };
        if events.send(SinkEvent::Data(data)).await.is_err() {
            return StatusCode::GONE;
        }
    }
    match events.send(SinkEvent::End).await {
        Ok(()) => StatusCode::CREATED,
        Err(_) => StatusCode::GONE,
    }
}
