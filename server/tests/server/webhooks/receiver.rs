//! A team's own server, which messages are sent to: answers as told, and remembers what came.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use offpeak_api::webhook::{WebhookEvent, WebhookPayload};
use serde_json::Value;

/// How one message is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16, &'static str),
    RetryAfter(u64),
    RedirectTo(String),
    /// Not before the sender has lost its patience.
    Never,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub headers: HeaderMap,
    pub body: String,
}

impl Message {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn payload(&self) -> WebhookPayload {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn kind(&self) -> WebhookEvent {
        self.payload().kind
    }

    pub fn data(&self) -> Value {
        serde_json::from_str::<Value>(&self.body).unwrap()["data"].take()
    }

    /// Whether one of the signatures is what an implementation that is not ours makes with this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let signer = standardwebhooks::Webhook::new(secret).unwrap();
        let timestamp = self.header("webhook-timestamp").parse().unwrap();
        let expected = signer.sign(self.header("webhook-id"), timestamp, self.body.as_bytes()).unwrap();
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

#[derive(Debug, Default)]
struct Held {
    messages: Vec<Message>,
    /// The next answers; 204 after them.
    replies: VecDeque<Reply>,
}

/// Ends with the test.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub url: String,
    held: Arc<Mutex<Held>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let held = Arc::new(Mutex::new(Held::default()));
        let router = Router::new().fallback(take).with_state(Arc::clone(&held));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, held }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.held().replies.extend(replies);
    }

    pub fn messages(&self) -> Vec<Message> {
        self.held().messages.clone()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.messages().iter().map(|message| message.kind().as_str()).collect()
    }

    /// Waits until so many messages have come.
    pub async fn until(&self, count: usize) {
        let limit = Duration::from_secs(30);
        let waited = tokio::time::timeout(limit, async {
            while self.held().messages.len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(waited.await.is_ok(), "{} of {count} messages came", self.held().messages.len());
    }
}

async fn take(State(held): State<Arc<Mutex<Held>>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = {
        let mut held = held.lock().unwrap();
        held.messages.push(Message { headers, body: String::from_utf8(body.to_vec()).unwrap() });
        held.replies.pop_front()
    };
    match reply {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Status(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Reply::RetryAfter(seconds)) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Some(Reply::RedirectTo(url)) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, url)]).into_response(),
        Some(Reply::Never) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::OK.into_response()
        }
    }
}
