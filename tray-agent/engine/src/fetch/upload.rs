//! The writing end: the source's upload on the server, appended to with tus 1.0.

use std::time::Duration;

use offpeak_api::ids::SourceId;
use reqwest::StatusCode;
use url::Url;

use crate::{
    backoff::Patience,
    task::{TaskContext, TaskError},
};

const ANSWER_LIMIT: Duration = Duration::from_secs(120);

pub struct Upload<'a> {
    ctx: &'a TaskContext,
    url: Url,
    token: &'a str,
    offset: u64,
    /// The server knows the length of the whole: tus has it told once, and never changed.
    length_told: bool,
}

enum Trouble {
    Passing(String),
    Final(TaskError),
}

impl<'a> Upload<'a> {
    /// Learns how much is there already.
    pub async fn open(ctx: &'a TaskContext, source: &SourceId, token: &'a str) -> Result<Self, TaskError> {
        let url = ctx.server.join(&format!("/v1/uploads/{source}"));
        let url = url.map_err(|error| failed(format!("the server's address is not one: {error}")))?;
        let mut upload = Self { ctx, url, token, offset: 0, length_told: false };
        let mut patience = Patience::default();
        loop {
            match upload.ask_offset().await {
                Ok(offset) => {
                    upload.offset = offset;
                    return Ok(upload);
                }
                Err(trouble) => bear(ctx, trouble, &mut patience).await?,
            }
        }
    }

    /// Bytes that the server has.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends `piece`; `length` is that of the whole file, once known. May be repeated with an empty piece.
    pub async fn append(&mut self, piece: &[u8], length: Option<u64>) -> Result<(), TaskError> {
        let (start, end) = (self.offset, self.offset + piece.len() as u64);
        let mut patience = Patience::default();
        loop {
            let rest = usize::try_from(self.offset - start).ok().and_then(|from| piece.get(from..)).unwrap_or_default();
            match self.patch(rest, length).await {
                Ok(()) => {}
                Err(trouble) => {
                    bear(self.ctx, trouble, &mut patience).await?;
                    // Part of the piece may have arrived.
                    match self.ask_offset().await {
                        Ok(offset) if (start..=end).contains(&offset) => self.offset = offset,
                        Ok(offset) => {
                            return Err(failed(format!("the server has {offset} bytes, neither {start} nor {end}")));
                        }
                        Err(trouble) => bear(self.ctx, trouble, &mut patience).await?,
                    }
                    continue;
                }
            }
            if self.offset == end {
                return Ok(());
            }
        }
    }

    async fn patch(&mut self, rest: &[u8], length: Option<u64>) -> Result<(), Trouble> {
        let mut request = self.request(reqwest::Method::PATCH);
        request = request.header("upload-offset", self.offset).header("content-type", "application/offset+octet-stream");
        if let Some(length) = length.filter(|_| !self.length_told) {
            request = request.header("upload-length", length);
        }
        self.ctx.http.pay(rest.len()).await;
        let answer = request.body(rest.to_vec()).send().await.map_err(passing)?;
        let offset = check(answer).await?;
        if offset < self.offset || offset > self.offset + rest.len() as u64 {
            return Err(Trouble::Passing(format!("the server says it has {offset} bytes")));
        }
        self.offset = offset;
        self.length_told |= length.is_some();
        Ok(())
    }

    async fn ask_offset(&self) -> Result<u64, Trouble> {
        check(self.request(reqwest::Method::HEAD).send().await.map_err(passing)?).await
    }

    fn request(&self, method: reqwest::Method) -> reqwest::RequestBuilder {
        let request = self.ctx.http.client.request(method, self.url.clone()).timeout(ANSWER_LIMIT);
        request.bearer_auth(self.token).header("tus-resumable", "1.0.0")
    }
}

/// The offset that an answer carries.
async fn check(answer: reqwest::Response) -> Result<u64, Trouble> {
    let status = answer.status();
    let offset = answer.headers().get("upload-offset").and_then(|value| value.to_str().ok()?.parse().ok());
    match (status, offset) {
        (status, Some(offset)) if status.is_success() => Ok(offset),
        (status, _) if status.is_server_error() => Err(Trouble::Passing(format!("the server answered {status}"))),
        // Another offset than the server's, a lock held by a request that broke off, or too many requests.
        (StatusCode::CONFLICT | StatusCode::LOCKED | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => {
            Err(Trouble::Passing(format!("the server answered {status}")))
        }
        (status, _) => {
            let detail = answer.json::<offpeak_api::problem::Problem>().await.map(|problem| problem.detail).unwrap_or_default();
            Err(Trouble::Final(failed(format!("the server does not take the fetched bytes ({status}): {detail}"))))
        }
    }
}

fn passing(error: reqwest::Error) -> Trouble {
    let what = if error.is_timeout() { "the server does not answer" } else { "the connection to the server broke" };
    Trouble::Passing(what.to_owned())
}

async fn bear(ctx: &TaskContext, trouble: Trouble, patience: &mut Patience) -> Result<(), TaskError> {
    match trouble {
        Trouble::Final(error) => Err(error),
        Trouble::Passing(_) if patience.wait(&ctx.desk).await => Ok(()),
        Trouble::Passing(why) => Err(failed(format!("cannot pass the fetched file on: {why}"))),
    }
}

fn failed(message: impl Into<String>) -> TaskError {
    TaskError::agent("upload_failed", message)
}
