//! One keep-alive connection of a client, as light as can be: what it costs is in every figure, and in the yardstick as well.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpStream;

pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    bearer: String,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    pub body: Bytes,
}

impl Answer {
    pub fn read<T: DeserializeOwned>(self) -> Result<T> {
        if !self.status.is_success() {
            bail!("the server answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        serde_json::from_slice(&self.body).context("an answer that cannot be read")
    }
}

impl Client {
    pub async fn connect(server: SocketAddr, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(server).await.context("cannot connect to the server under test")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: server.to_string(), bearer: format!("Bearer {token}") })
    }

    pub async fn post(&mut self, path: &str, body: &impl Serialize) -> Result<Answer> {
        self.send(Method::POST, path, serde_json::to_vec(body)?, &[("content-type", "application/json")]).await
    }

    pub async fn send(&mut self, method: Method, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::AUTHORIZATION, &self.bearer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::from(body))?).await?;
        let status = response.status();
        let location = response.headers().get(header::LOCATION).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        Ok(Answer { status, location, body: response.into_body().collect().await?.to_bytes() })
    }
}
