//! Objects in a bucket that speaks S3. Only what AWS, R2 and MinIO have in common is asked of it: no ACLs, no tags, no
//! copies; path style when told.
//!
//! The signatures here carry the time of the system, not that of the server's clock: the bucket checks them by a clock of its
//! own.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::{BehaviorVersion, Region, timeout::TimeoutConfig};
pub use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::{
    Client,
    config::{RequestChecksumCalculation, ResponseChecksumValidation, retry::RetryConfig},
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    presigning::{PresignedRequest, PresigningConfig},
    primitives::ByteStream,
    types::{ChecksumMode, Delete, ObjectIdentifier},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use offpeak_api::lease::UploadAddress;

use super::{BlobKey, address::unhex, key::check_prefix, location::BucketAddress};

mod multipart;

pub use multipart::{Multipart, StoredPart, composite_sha256};

/// What one PUT can carry (Amazon S3 user guide, "Uploading objects"; R2 and MinIO have the same).
pub const LARGEST_PUT_BYTES: u64 = 5 << 30;
/// Keys are written once, so caches may keep what they hold.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// What the server itself writes may be replaced.
const FOR_A_MINUTE: &str = "public, max-age=60";
/// Addresses for players are the same for everybody within this time, so that caches find them again …
const ADDRESS_WINDOW: Duration = Duration::from_secs(15 * 60);
/// … and live this long, so that even the last one given in a window, kept by a cache for another, leaves half an hour.
const PLAYER_ADDRESS_LIFETIME: Duration = Duration::from_secs(60 * 60);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 5;

/// For how long an answer that names a player's address may be kept.
pub const PLAYER_ADDRESS_KEPT: Duration = ADDRESS_WINDOW;

/// What a presigned address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Get,
    Head,
}

#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    bucket: String,
    prefix: String,
}

impl Bucket {
    /// A handle; nothing is asked of the bucket yet. Without credentials they are looked for where AWS's own tools look.
    pub async fn open(address: &BucketAddress, credentials: Option<Credentials>) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).read_timeout(SILENCE_LIMIT).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        // A store of its own has one region, which most call like this; asking the machine's cloud for another would be slow.
        if let Some(region) = address.region.clone().or_else(|| address.endpoint.as_ref().map(|_| "us-east-1".to_owned())) {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint) = &address.endpoint {
            loader = loader.endpoint_url(endpoint.as_str().trim_end_matches('/'));
        }
        if let Some(credentials) = credentials {
            loader = loader.credentials_provider(credentials);
        }
        let config = aws_sdk_s3::config::Builder::from(&loader.load().await)
            .force_path_style(address.path_style)
            // Checksums that were not asked for are not known everywhere; those that matter are given explicitly.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self { client: Client::from_conf(config), bucket: address.bucket.clone(), prefix: address.prefix.clone() }
    }

    fn key(&self, key: &BlobKey) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Signed for one key, length and SHA-256, and for a key that holds nothing yet.
    pub async fn put_address(&self, key: &BlobKey, bytes: u64, sha256: &str, lifetime: Duration) -> io::Result<UploadAddress> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .content_type(key.content_type())
            .cache_control(FOR_EVER)
            .content_length(bytes.cast_signed())
            .checksum_sha256(base64_of(sha256)?)
            .if_none_match("*")
            .presigned(presigning(SystemTime::now(), lifetime)?)
            .await
            .map_err(|error| failed("cannot sign an address", &error))?;
        Ok(to_wire(&request, lifetime))
    }

    pub async fn get_address(&self, key: &BlobKey, lifetime: Duration) -> io::Result<String> {
        let request = self.client.get_object().bucket(&self.bucket).key(self.key(key));
        let signed = request.presigned(presigning(SystemTime::now(), lifetime)?).await;
        signed.map(|request| request.uri().to_owned()).map_err(|error| failed("cannot sign an address", &error))
    }

    /// An address for players: the same for everybody for some minutes. With a `filename`, browsers save what they get.
    pub async fn player_address(&self, key: &BlobKey, reading: Reading, filename: Option<&str>) -> io::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let start = UNIX_EPOCH + Duration::from_secs(now - now % ADDRESS_WINDOW.as_secs());
        let presigning = presigning(start, PLAYER_ADDRESS_LIFETIME)?;
        let disposition = filename.map(|name| format!("attachment; filename=\"{name}\""));
        let signed = match reading {
            Reading::Get => {
                let request = self.client.get_object().bucket(&self.bucket).key(self.key(key));
                let signed = request.set_response_content_disposition(disposition).presigned(presigning).await;
                signed.map_err(|error| failed("cannot sign an address", &error))?
            }
            Reading::Head => {
                let request = self.client.head_object().bucket(&self.bucket).key(self.key(key));
                request.presigned(presigning).await.map_err(|error| failed("cannot sign an address", &error))?
            }
        };
        Ok(signed.uri().to_owned())
    }

    pub async fn stat(&self, key: &BlobKey) -> io::Result<Option<u64>> {
        let found = self.client.head_object().bucket(&self.bucket).key(self.key(key)).send().await;
        match found {
            Ok(head) => Ok(head.content_length().map(i64::cast_unsigned)),
            Err(error) => absent_is_none(failed(&format!("cannot look for {key}"), &error)),
        }
    }

    /// Whether it is there, with this length and, where the bucket tells it, this SHA-256 (lower-case hex).
    pub async fn holds(&self, key: &BlobKey, bytes: u64, sha256: &str) -> io::Result<bool> {
        let look = self.client.head_object().bucket(&self.bucket).key(self.key(key)).checksum_mode(ChecksumMode::Enabled);
        match look.send().await {
            Ok(head) => {
                let checksum = base64_of(sha256)?;
                Ok(head.content_length().map(i64::cast_unsigned) == Some(bytes)
                    && head.checksum_sha256().is_none_or(|known| known == checksum))
            }
            Err(error) => Ok(absent_is_none(failed(&format!("cannot look for {key}"), &error))?.unwrap_or(false)),
        }
    }

    /// A small object, in memory.
    pub async fn read_small(&self, key: &BlobKey) -> io::Result<Option<Bytes>> {
        let found = self.client.get_object().bucket(&self.bucket).key(self.key(key)).send().await;
        match found {
            Ok(object) => object.body.collect().await.map(|body| Some(body.into_bytes())).map_err(io::Error::other),
            Err(error) => absent_is_none(failed(&format!("cannot read {key}"), &error)),
        }
    }

    /// Some bytes of an object, in memory; `range` is not empty.
    pub async fn read_range(&self, key: &BlobKey, range: Range<u64>) -> io::Result<Option<Bytes>> {
        let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let found = self.client.get_object().bucket(&self.bucket).key(self.key(key)).range(bytes).send().await;
        match found {
            Ok(object) => object.body.collect().await.map(|body| Some(body.into_bytes())).map_err(io::Error::other),
            Err(error) => absent_is_none(failed(&format!("cannot read {key}"), &error)),
        }
    }

    /// Writes an object in one go, over what is there.
    pub async fn put_small(&self, key: &BlobKey, bytes: Bytes) -> io::Result<()> {
        let request = self.client.put_object().bucket(&self.bucket).key(self.key(key)).body(ByteStream::from(bytes));
        let request = request.content_type(key.content_type()).cache_control(FOR_A_MINUTE);
        request.send().await.map(drop).map_err(|error| failed(&format!("cannot write {key}"), &error))
    }

    pub async fn delete(&self, key: &BlobKey) -> io::Result<()> {
        let done = self.client.delete_object().bucket(&self.bucket).key(self.key(key)).send().await;
        match done {
            Ok(_) => Ok(()),
            Err(error) => absent_is_none::<()>(failed(&format!("cannot delete {key}"), &error)).map(drop),
        }
    }

    /// Deletes all objects whose keys begin with `prefix`, a page of at most a thousand at a time.
    pub async fn delete_prefix(&self, prefix: &str) -> io::Result<()> {
        check_prefix(prefix)?;
        let mut next = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(format!("{}{prefix}", self.prefix));
            let page = request.set_continuation_token(next).send().await;
            let page = page.map_err(|error| failed(&format!("cannot list {prefix}"), &error))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            self.delete_all(prefix, keys.map(str::to_owned).collect()).await?;
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                return Ok(());
            }
        }
    }

    async fn delete_all(&self, prefix: &str, keys: Vec<String>) -> io::Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let objects = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(io::Error::other)?;
        let done = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
        let done = done.map_err(|error| failed(&format!("cannot delete {prefix}"), &error))?;
        match done.errors() {
            [] => Ok(()),
            [first, ..] => Err(io::Error::other(format!(
                "cannot delete {} of {prefix}: {}",
                first.key().unwrap_or("an object"),
                first.message().or(first.code()).unwrap_or("the bucket does not say why")
            ))),
        }
    }
}

fn presigning(start: SystemTime, lifetime: Duration) -> io::Result<PresigningConfig> {
    PresigningConfig::builder().start_time(start).expires_in(lifetime).build().map_err(io::Error::other)
}

/// The address with the headers that it is signed for. `host` is what every client sends by itself.
fn to_wire(request: &PresignedRequest, lifetime: Duration) -> UploadAddress {
    let headers = request.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("host"));
    let headers: BTreeMap<String, String> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    UploadAddress { url: request.uri().to_owned(), headers, expires_in_seconds: lifetime.as_secs() }
}

/// S3 has its checksums in base 64.
fn base64_of(sha256: &str) -> io::Result<String> {
    let bytes = unhex(sha256).filter(|bytes| bytes.len() == 32);
    bytes.map(|bytes| BASE64_STANDARD.encode(bytes)).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no SHA-256"))
}

fn absent_is_none<T>(error: io::Error) -> io::Result<Option<T>> {
    if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) }
}

/// A failure of the bucket, with the kind that callers look at.
fn failed<E>(what: &str, error: &SdkError<E>) -> io::Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let kind = match (error.code(), status) {
        (Some("PreconditionFailed"), _) | (_, Some(412)) => io::ErrorKind::AlreadyExists,
        (Some("EntityTooLarge" | "EntityTooSmall" | "InvalidPart" | "InvalidPartOrder"), _) => io::ErrorKind::InvalidInput,
        (Some("XMinioStorageFull" | "QuotaExceeded"), _) | (_, Some(507)) => io::ErrorKind::StorageFull,
        (_, Some(404)) => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, format!("{what}: {}", DisplayErrorContext(error)))
}
