use axum::{
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
pub(super) async fn receive(events: mpsc::Sender<SinkEvent>, request: Request) -> Response {
    let mut body = request.into_body().into_data_stream();
    while let Some(chunk) = body.next().await {
        let Ok(data) = chunk else { return StatusCode::BAD_REQUEST.into_response() };
        if events.send(SinkEvent::Data(data)).await.is_err() {
            return StatusCode::GONE.into_response();
        }
    }
    match events.send(SinkEvent::End).await {
        Ok(()) => StatusCode::CREATED.into_response(),
        Err(_) => StatusCode::GONE.into_response(),
    }
}
