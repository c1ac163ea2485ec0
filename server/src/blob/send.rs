//! An object as an answer: whole, a range of it, or why not; streamed.

use std::io::SeekFrom;

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG},
    },
    response::{IntoResponse, Response},
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::{
    OpenBlob,
    range::{Wanted, wanted},
    storage_error,
};
use crate::error::ApiError;

/// Bytes read from disk at a time, for each request that is being answered.
const READ_BYTES: usize = 256 << 10;

/// Answers a GET or HEAD for this object. (Of an answer to HEAD, the framework drops the body before it is read.)
pub async fn send(blob: OpenBlob, request: &HeaderMap, content_type: &'static str) -> Result<Response, ApiError> {
    let OpenBlob { file, bytes, etag } = blob;
    let mut file = tokio::fs::File::from_std(file);
    let (status, first, end) = match wanted(request, &etag, bytes) {
        Wanted::Whole => (StatusCode::OK, 0, bytes),
        Wanted::Part { first, end } => (StatusCode::PARTIAL_CONTENT, first, end),
        Wanted::NotModified => return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response()),
        Wanted::Changed => {
            let detail = "The object is not the one that If-Match names.";
            return Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "changed", detail));
        }
        Wanted::OutOfRange => {
            let detail = format!("The object has {bytes} bytes; the range lies behind them.");
            let problem = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "out_of_range", detail);
            return Ok(([(CONTENT_RANGE, format!("bytes */{bytes}"))], problem).into_response());
        }
    };
    if first > 0 {
        file.seek(SeekFrom::Start(first)).await.map_err(|e| storage_error(&e))?;
    }
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(end - first), READ_BYTES));
    let mut response = (status, [(ETAG, etag)], body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - first));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{bytes}", end - 1);
        headers.insert(CONTENT_RANGE, HeaderValue::try_from(range).map_err(ApiError::internal)?);
    }
    Ok(response)
}
