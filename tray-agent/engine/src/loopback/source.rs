use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use offpeak_api::work::SourceAddress;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::http::Http;

/// How long a source may give nothing before the run is given up: longer than an outage of two minutes, shorter than the limits
/// on programs that do nothing, which cannot tell whose fault it is.
const GIVE_UP_AFTER: Duration = crate::backoff::OUTAGE;
/// A connection that is open and silent for this long is as good as broken.
const SILENCE_LIMIT: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Larger pieces would let ffmpeg's sockets swallow more than it needs.
const CHUNK_BYTES: usize = 64 << 10;

/// Passes ranges of the source through, and reconnects where a connection broke.
#[derive(Debug)]
pub(super) struct SourceProxy {
    http: Http,
    server: Url,
    address: watch::Receiver<Option<SourceAddress>>,
    stop: CancellationToken,
    state: Mutex<State>,
    served: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// The source's entity tag from the first answer: a later answer must be of the same bytes.
    etag: Option<String>,
    failure: Option<String>,
}

/// Why one connection did not deliver its range.
enum Broken {
    /// Worth another try; says what happened.
    ForNow(String),
    /// The source is gone or has changed.
    ForGood(String),
}

impl SourceProxy {
    pub fn new(http: Http, server: Url, address: watch::Receiver<Option<SourceAddress>>, stop: CancellationToken) -> Self {
        Self { http, server, address, stop, state: Mutex::default(), served: AtomicU64::new(0) }
    }

    pub fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    /// The source's length.
    pub fn total(&self) -> Option<u64> {
        self.address.borrow().as_ref().map(|address| address.bytes)
    }

    pub fn bytes_served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn fail(&self, why: String) {
        self.state().failure.get_or_insert(why);
    }

    pub fn answer(self: &Arc<Self>, request: &Request) -> Response {
        let Some(total) = self.total() else {
            self.fail("the task has no source to read".to_owned());
            return StatusCode::NOT_FOUND.into_response();
        };
        let asked = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
        let (status, range) = match asked.map(|text| parse_range(text, total)) {
            None => (StatusCode::OK, 0..total),
            Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
            Some(None) => {
                let headers = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
                return (StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response();
            }
        };
        let mut response = Response::builder()
            .status(status)
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, range.end - range.start);
        if status == StatusCode::PARTIAL_CONTENT {
            response = response.header(header::CONTENT_RANGE, format!("bytes {}-{}/{total}", range.start, range.end - 1));
        }
        let body =
            if request.method() == Method::HEAD { Body::empty() } else { Body::from_stream(self.clone().stream(range, total)) };
        response.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }

    /// The bytes of `range`; ends with an error, and a note in [`Self::failure`], when they cannot be had.
    pub fn stream(
        self: Arc<Self>,
        range: Range<u64>,
        total: u64,
    ) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        async_stream::stream! {
            let mut at = range.start;
            let desk = &self.http.desk;
            // By the desk's clock: time in which work stood still is not the source's fault.
            let mut last_gain = desk.worked();
            let mut pause = FIRST_PAUSE;
            while at < range.end {
                tokio::select! {
                    () = desk.until_work() => {}
                    () = self.stop.cancelled() => return,
                }
                let broken = match self.connect(at..range.end, total).await {
                    Err(broken) => broken,
                    Ok(response) => {
                        let mut chunks = response.bytes_stream();
                        loop {
                            let chunk = tokio::select! {
                                chunk = tokio::time::timeout(SILENCE_LIMIT, chunks.next()) => chunk,
                                () = self.stop.cancelled() => return,
                            };
                            let mut data = match chunk {
                                Ok(Some(Ok(data))) => data,
                                Ok(Some(Err(error))) => break Broken::ForNow(error.without_url().to_string()),
                                Ok(None) => break Broken::ForNow("the connection was closed early".to_owned()),
                                Err(_) => break Broken::ForNow("the connection went silent".to_owned()),
                            };
                            let wanted = usize::try_from(range.end - at).unwrap_or(usize::MAX);
                            data.truncate(wanted);
                            while !data.is_empty() {
                                let piece = data.split_to(data.len().min(CHUNK_BYTES));
                                tokio::select! {
                                    () = self.http.pay(piece.len()) => {}
                                    () = self.stop.cancelled() => return,
                                }
                                at += piece.len() as u64;
                                self.served.fetch_add(piece.len() as u64, Ordering::Relaxed);
                                yield Ok(piece);
                            }
                            // After the yields: while ffmpeg does not read, nothing is late.
                            (last_gain, pause) = (desk.worked(), FIRST_PAUSE);
                            if at == range.end {
                                return;
                            }
                        }
                    }
                };
                let why = match broken {
                    Broken::ForNow(_) if desk.worked().saturating_sub(last_gain) < GIVE_UP_AFTER => {
                        let mut address = self.address.clone();
                        tokio::select! {
                            () = tokio::time::sleep(pause) => {}
                            // A fresh address may be just what was missing.
                            Ok(()) = address.changed() => {}
                            () = self.stop.cancelled() => return,
                        }
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        continue;
                    }
                    Broken::ForNow(why) | Broken::ForGood(why) => why,
                };
                self.fail(format!("cannot read the source at byte {at} of {total}: {why}"));
                yield Err(std::io::Error::other("the source cannot be read"));
                return;
            }
        }
    }

    async fn connect(&self, range: Range<u64>, total: u64) -> Result<reqwest::Response, Broken> {
        let address = self.address.borrow().clone();
        let Some(address) = address else { return Err(Broken::ForGood("the task has no source any more".to_owned())) };
        if address.bytes != total {
            return Err(Broken::ForGood(format!("its length changed from {total} to {} bytes", address.bytes)));
        }
        let url =
            self.server.join(&address.url).map_err(|error| Broken::ForGood(format!("its address is not an address: {error}")))?;
        let etag = self.state().etag.clone();
        let mut request = self.http.client.get(url).header(header::RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        if let Some(etag) = &etag {
            request = request.header(header::IF_MATCH, etag);
        }
        let response = tokio::select! {
            response = tokio::time::timeout(SILENCE_LIMIT, request.send()) => response,
            () = self.stop.cancelled() => return Err(Broken::ForGood("the task was stopped".to_owned())),
        };
        let response = match response {
            Err(_) => return Err(Broken::ForNow("no answer".to_owned())),
            Ok(Err(error)) => return Err(Broken::ForNow(error.without_url().to_string())),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        match status {
            StatusCode::PARTIAL_CONTENT => {
                let start = response.headers().get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok()).and_then(range_start);
                if start != Some(range.start) {
                    return Err(Broken::ForGood("it was answered with another range than the one asked for".to_owned()));
                }
            }
            // A store may answer a request for everything with everything.
            StatusCode::OK if range.start == 0 => {}
            StatusCode::OK => return Err(Broken::ForGood("its server does not do ranges".to_owned())),
            StatusCode::PRECONDITION_FAILED => return Err(Broken::ForGood("it changed while it was read".to_owned())),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Err(Broken::ForGood(format!("its server answers {status}")));
            }
            // An expired address (403) is replaced by the next heartbeat; the rest passes with time.
            _ => return Err(Broken::ForNow(format!("its server answers {status}"))),
        }
        if etag.is_none() {
            let found = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
            // Weak tags never match an `If-Match` (RFC 9110 §13.1.1).
            if let Some(found) = found.filter(|tag| !tag.starts_with("W/")) {
                self.state().etag.get_or_insert_with(|| found.to_owned());
            }
        }
        Ok(response)
    }
}

/// The one range of a `Range` header, as RFC 9110 §14.1.2 has it; `None` when it cannot be satisfied.
fn parse_range(text: &str, total: u64) -> Option<Range<u64>> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first.trim(), last.trim()) {
        ("", count) => total.saturating_sub(count.parse().ok()?)..total,
        (first, "") => first.parse().ok()?..total,
        (first, last) => first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(total),
    };
    (range.start < range.end).then_some(range)
}

/// The first byte of `bytes 10-19/100`.
fn range_start(text: &str) -> Option<u64> {
    text.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let cases = [
            ("bytes=0-", Some(0..100)),
            ("bytes=10-19", Some(10..20)),
            ("bytes=90-1000", Some(90..100)),
            ("bytes=-10", Some(90..100)),
            ("bytes=-1000", Some(0..100)),
            ("bytes=99-99", Some(99..100)),
            ("bytes=100-", None),
            ("bytes=20-10", None),
            ("bytes=0-18446744073709551615", Some(0..100)),
            ("bytes=99999999999999999999-", None),
            ("lines=1-2", None),
            ("bytes=", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_range(text, 100), expected, "{text}");
        }
        assert_eq!(range_start("bytes 10-19/100"), Some(10));
        assert_eq!(range_start("bytes */100"), None);
    }
}
