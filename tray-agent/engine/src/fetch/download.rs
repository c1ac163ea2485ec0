//! The reading end: one address, read from its first byte to its last over as many connections as it takes.

use std::{error::Error as _, sync::Arc, time::Duration};

use offpeak_api::work;
use offpeak_outbound::{AllowList, Client, Failed, Limits, Lookup, Refused};
use reqwest::{
    StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use url::Url;

use super::PIECE_BYTES;
use crate::task::{TaskContext, TaskError};

const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// A server that sends nothing for so long is taken for dead.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: usize = 5;
/// A terabyte, the largest source that a server takes unless told otherwise, over 100 Mbit/s. Who sends a byte now and then
/// would hold an agent for ever.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Tries after the first; a piece that got through pays for new ones.
const RETRIES: u32 = 3;

/// A download under way.
pub struct Download<'a> {
    ctx: &'a TaskContext,
    client: Client,
    url: Url,
    max_bytes: u64,
    /// By the desk's clock.
    until: Duration,
    /// What the desk counted at the last trouble.
    stops: u64,
    /// The connection that broke had stood still with the work.
    stood_still: bool,
    answer: Option<reqwest::Response>,
    received: u64,
    total: Option<u64>,
    /// A strong validator: with it, a later range is known to be of the same bytes.
    etag: Option<String>,
    failures: u32,
}

/// Why a try failed.
enum Trouble {
    /// Trying again may help.
    Passing(String),
    /// It will not.
    Final(TaskError),
}

impl<'a> Download<'a> {
    /// Asks for the file and looks at the answer's head. Only public addresses are called, and those that the server allows.
    pub async fn open(ctx: &'a TaskContext, work: &work::Fetch, lookup: Arc<dyn Lookup>) -> Result<Self, TaskError> {
        let url = Url::parse(&work.url).map_err(|error| failed(format!("The address is not one ({error}). Correct it.")))?;
        let unavailable = |why: String| TaskError::agent("fetch_unavailable", why);
        let allow = AllowList::from_entries(&work.allow);
        let allow =
            allow.map_err(|error| unavailable(format!("the server's list of allowed addresses does not read: {error}")))?;
        let limits = Limits { connect: CONNECT_LIMIT, silence: IDLE_LIMIT, redirects: MOST_REDIRECTS };
        let client =
            Client::new(allow, lookup, limits).map_err(|error| unavailable(format!("cannot make an HTTP client: {error}")))?;
        let (max_bytes, until, stops) = (work.max_bytes, ctx.desk.worked() + LONGEST, ctx.desk.stops());
        let mut download = Self {
            ctx,
            client,
            url,
            max_bytes,
            until,
            stops,
            stood_still: false,
            answer: None,
            received: 0,
            total: None,
            etag: None,
            failures: 0,
        };
        loop {
            match download.connect().await {
                Ok(()) => return Ok(download),
                Err(trouble) => download.bear(trouble).await?,
            }
        }
    }

    /// Length of the whole file, where the server said it.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// The next [`PIECE_BYTES`] bytes or a chunk more; fewer only at the end of the file.
    pub async fn piece(&mut self) -> Result<Vec<u8>, TaskError> {
        // The server's word on the length may be wrong or huge: memory is taken as bytes arrive.
        let mut piece = Vec::new();
        while piece.len() < PIECE_BYTES {
            match self.some().await {
                Ok(Some(chunk)) => piece.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(trouble) => self.bear(trouble).await?,
            }
        }
        self.failures = 0;
        Ok(piece)
    }

    /// What arrives next; `None` at the end.
    async fn some(&mut self) -> Result<Option<bytes::Bytes>, Trouble> {
        let mut answer = match self.answer.take() {
            Some(answer) => answer,
            None => {
                self.connect().await?;
                self.answer.take().ok_or_else(|| Trouble::Passing("there was no answer".to_owned()))?
            }
        };
        let left = self.until.saturating_sub(self.ctx.desk.worked());
        let chunk = self.ctx.desk.timeout(left, answer.chunk()).await.ok_or_else(|| Trouble::Final(self.too_slow()))?;
        let chunk = chunk.map_err(|error| Trouble::Passing(broke(&error)))?;
        let Some(chunk) = chunk else {
            return match self.total {
                Some(total) if self.received < total => {
                    Err(Trouble::Passing(format!("the connection ended after {} of {total} bytes", self.received)))
                }
                Some(_) | None => Ok(None),
            };
        };
        self.ctx.http.pay(chunk.len()).await;
        self.received += chunk.len() as u64;
        if self.received > self.max_bytes {
            return Err(Trouble::Final(self.too_big()));
        }
        self.answer = Some(answer);
        Ok(Some(chunk))
    }

    /// Asks for the file, or for the rest of it.
    async fn connect(&mut self) -> Result<(), Trouble> {
        self.ctx.desk.until_work().await;
        let mut headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        if self.received > 0 {
            let Some(etag) = &self.etag else {
                return Err(Trouble::Final(self.cannot_resume("the server gives the file no strong ETag")));
            };
            let value = |text: &str| HeaderValue::from_str(text).map_err(|error| Trouble::Passing(error.to_string()));
            headers.insert(header::RANGE, value(&format!("bytes={}-", self.received))?);
            headers.insert(header::IF_RANGE, value(etag)?);
        }
        let answer = self.client.get(&self.url, headers).await.map_err(|error| match error {
            Failed::Refused(refused) => Trouble::Final(failed(in_words(&refused))),
            Failed::Unreachable(error) => self.unreachable(&error),
        })?;
        match answer.status() {
            StatusCode::OK if self.received == 0 => self.begin(&answer)?,
            StatusCode::PARTIAL_CONTENT if self.received > 0 && self.goes_on(&answer) => {}
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if self.received > 0 => {
                return Err(Trouble::Final(self.cannot_resume("the file changed meanwhile, or the server sends no ranges")));
            }
            status => return Err(self.refused(status)),
        }
        self.stood_still = false;
        self.answer = Some(answer);
        Ok(())
    }

    fn begin(&mut self, answer: &reqwest::Response) -> Result<(), Trouble> {
        let text = |name: header::HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
        self.total = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        self.etag = text(header::ETAG).filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
        match self.total {
            Some(total) if total > self.max_bytes => Err(Trouble::Final(self.too_big())),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a 206 continues exactly where the bytes so far end, in a file of the same length.
    fn goes_on(&self, answer: &reqwest::Response) -> bool {
        let range = answer.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let Some((range, total)) = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('/')) else { return false };
        let starts_here = range.split_once('-').is_some_and(|(first, _)| first.parse() == Ok(self.received));
        let same_length = self.total.is_none_or(|known| total.parse() == Ok(known));
        starts_here && same_length
    }

    /// Waits a little and lets the caller go on, or gives up.
    async fn bear(&mut self, trouble: Trouble) -> Result<(), TaskError> {
        let why = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Passing(why) => why,
        };
        // Servers hang up on who stands still for long: that is no failure of theirs.
        let stops = self.ctx.desk.stops();
        if std::mem::replace(&mut self.stops, stops) != stops {
            (self.stood_still, self.failures) = (true, 0);
        }
        self.failures += 1;
        if self.failures > RETRIES {
            return Err(failed(format!("Cannot fetch the file from {}, tried {} times: {why}.", self.host(), self.failures)));
        }
        tracing::warn!(fetch.host = self.host(), why, "fetching broke off, trying again");
        tokio::time::sleep(Duration::from_millis(250 << self.failures)).await;
        Ok(())
    }

    /// What of the address may be shown: the rest can hold secrets.
    fn host(&self) -> &str {
        self.url.host_str().unwrap_or("its server")
    }

    fn too_big(&self) -> TaskError {
        let (host, max) = (self.host(), self.max_bytes);
        failed(format!("The file at {host} is larger than the limit of {max} bytes. Make it smaller, or ask for a higher limit."))
    }

    fn too_slow(&self) -> TaskError {
        let (host, received, hours) = (self.host(), self.received, LONGEST.as_secs() / 3600);
        failed(format!("{host} sent {received} bytes in {hours} hours, which is the limit. Upload the file instead."))
    }

    fn cannot_resume(&self, why: &str) -> TaskError {
        let (host, received) = (self.host(), self.received);
        let message = format!("the download from {host} broke off after {received} bytes and cannot go on from there: {why}");
        if self.stood_still { TaskError::Disturbed(message) } else { TaskError::agent("fetch_cannot_resume", message) }
    }

    fn refused(&self, status: StatusCode) -> Trouble {
        let host = self.host();
        let advice = match status.as_u16() {
            408 | 425 | 429 | 500..=599 => return Trouble::Passing(format!("the server answered {status}; try again later")),
            401 | 403 => "Check that the link works without logging in and has not expired.",
            404 | 410 => "Check the address: there is no file behind it.",
            300..=399 => "The address only points elsewhere: give the final one.",
            _ => "Check that the address leads to a file.",
        };
        Trouble::Final(failed(format!("{host} answered {status} instead of the file. {advice}")))
    }

    /// No answer came: tells a person which part of the way to look at.
    fn unreachable(&self, error: &reqwest::Error) -> Trouble {
        let host = self.host();
        let words = chain(error);
        let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if has(&["certificate", "tls", "handshake", "corrupt message"]) {
            let why = format!("No secure connection to {host}: {words}. Mend its certificate, or give an address that works.");
            return Trouble::Final(failed(why));
        }
        Trouble::Passing(if has(&["dns error", "lookup address", "name or service not known"]) {
            "its name cannot be found; check the address's spelling".to_owned()
        } else if has(&["connection refused"]) {
            "the server refuses connections; check its port and that it runs".to_owned()
        } else if error.is_timeout() {
            "the server does not answer; check that it can be reached from the agents' network".to_owned()
        } else {
            broke(error)
        })
    }
}

/// A sentence.
fn in_words(refused: &Refused) -> String {
    let text = refused.to_string();
    let mut chars = text.chars();
    let begin: String = match refused {
        // A host's name begins as it is spelt.
        Refused::Place { .. } | Refused::TooManyRedirects { .. } | Refused::BadRedirect { .. } => return format!("{text}."),
        Refused::Scheme(_) | Refused::NoHost => chars.next().into_iter().flat_map(char::to_uppercase).collect(),
    };
    format!("{begin}{}.", chars.as_str())
}

fn failed(message: impl Into<String>) -> TaskError {
    TaskError::source("fetch_failed", message)
}

fn broke(error: &reqwest::Error) -> String {
    format!("the connection broke ({})", chain(error))
}

/// All that an error says, in lower case and without the address.
fn chain(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push(inner.to_string().to_lowercase());
        cause = inner.source();
    }
    // Outer errors repeat inner ones: the innermost says most, unless it is alone in saying nothing.
    words.dedup();
    match words.is_empty() {
        true if error.is_timeout() => "it took too long".to_owned(),
        true => "no reason given".to_owned(),
        false => words.join(": "),
    }
}
