//! Large objects, in parts of one size (R2 refuses others). Every part is sent with its SHA-256, which the bucket checks, so
//! that the object ends up with S3's composite checksum.

use std::{io, time::Duration};

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use offpeak_api::lease::UploadAddress;
use sha2::{Digest, Sha256};

use super::{Bucket, base64_of, failed, presigning, to_wire};
use crate::{auth::hex, blob::BlobKey};

/// An object that is arriving in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    pub key: BlobKey,
    /// The bucket's name for it.
    pub id: String,
}

/// A part that the bucket has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// From 1 on.
    pub number: u32,
    pub bytes: u64,
    pub etag: Option<String>,
    /// In base 64; not every store tells it.
    pub sha256: Option<String>,
}

/// S3 gives at most so many parts in one answer.
const PARTS_PER_PAGE: i32 = 1000;

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl Bucket {
    pub async fn begin_multipart(&self, key: &BlobKey) -> io::Result<Multipart> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(self.key(key));
        let request = request.content_type(key.content_type()).checksum_algorithm(ChecksumAlgorithm::Sha256);
        let begun = request.send().await.map_err(|error| failed(&format!("cannot begin {key}"), &error))?;
        let id = begun.upload_id().ok_or_else(|| io::Error::other("the bucket began an upload without naming it"))?;
        Ok(Multipart { key: key.clone(), id: id.to_owned() })
    }

    pub async fn put_part(&self, upload: &Multipart, part: u32, bytes: Bytes) -> io::Result<()> {
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&bytes));
        let request = self.client.upload_part().bucket(&self.bucket).key(self.key(&upload.key)).upload_id(&upload.id);
        let request = request.part_number(number(part)).checksum_sha256(sha256).body(ByteStream::from(bytes));
        let sent = request.send().await;
        sent.map(drop).map_err(|error| failed(&format!("cannot write part {part} of {}", upload.key), &error))
    }

    /// Signed for one part, length and SHA-256.
    pub async fn part_address(
        &self,
        upload: &Multipart,
        part: u32,
        bytes: u64,
        sha256: &str,
        lifetime: Duration,
    ) -> io::Result<UploadAddress> {
        let request = self.client.upload_part().bucket(&self.bucket).key(self.key(&upload.key)).upload_id(&upload.id);
        let request = request.part_number(number(part)).content_length(bytes.cast_signed()).checksum_sha256(base64_of(sha256)?);
        let signed = request.presigned(presigning(std::time::SystemTime::now(), lifetime)?).await;
        signed.map(|signed| to_wire(&signed, lifetime)).map_err(|error| failed("cannot sign an address", &error))
    }

    /// A page of the parts behind `after`, in order, and whether there are more.
    pub async fn parts_after(&self, upload: &Multipart, after: u32) -> io::Result<(Vec<StoredPart>, bool)> {
        let request = self.client.list_parts().bucket(&self.bucket).key(self.key(&upload.key)).upload_id(&upload.id);
        let request = request.max_parts(PARTS_PER_PAGE).part_number_marker(after.to_string());
        let page = request.send().await.map_err(|error| failed(&format!("cannot list the parts of {}", upload.key), &error))?;
        let parts = page.parts().iter().map(|part| StoredPart {
            number: part.part_number().unwrap_or(0).cast_unsigned(),
            bytes: part.size().unwrap_or(0).cast_unsigned(),
            etag: part.e_tag().map(str::to_owned),
            sha256: part.checksum_sha256().map(str::to_owned),
        });
        Ok((parts.collect(), page.is_truncated().unwrap_or(false)))
    }

    pub async fn all_parts(&self, upload: &Multipart) -> io::Result<Vec<StoredPart>> {
        let mut all: Vec<StoredPart> = Vec::new();
        loop {
            let (page, more) = self.parts_after(upload, all.last().map_or(0, |part| part.number)).await?;
            let ended = page.is_empty() || !more;
            all.extend(page);
            if ended {
                return Ok(all);
            }
        }
    }

    /// Makes one object of the parts.
    pub async fn complete_multipart(&self, upload: &Multipart, parts: &[StoredPart]) -> io::Result<()> {
        let parts = parts.iter().map(|part| {
            let completed = CompletedPart::builder().part_number(number(part.number)).set_e_tag(part.etag.clone());
            completed.set_checksum_sha256(part.sha256.clone()).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(self.key(&upload.key));
        let done = request.upload_id(&upload.id).multipart_upload(parts).send().await;
        done.map(drop).map_err(|error| failed(&format!("cannot complete {}", upload.key), &error))
    }

    /// Gives up an object that was arriving; one that is not is fine.
    pub async fn abort_multipart(&self, upload: &Multipart) -> io::Result<()> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(self.key(&upload.key));
        match request.upload_id(&upload.id).send().await {
            Ok(_) => Ok(()),
            Err(error) => super::absent_is_none::<()>(failed(&format!("cannot give up {}", upload.key), &error)).map(drop),
        }
    }
}

/// S3's checksum of an object that came in parts: the SHA-256 of its parts' SHA-256s, and how many there are. Nothing when
/// the store did not tell all of them.
pub fn composite_sha256(parts: &[StoredPart]) -> Option<String> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(BASE64_STANDARD.decode(part.sha256.as_deref()?).ok()?);
    }
    Some(format!("{}-{}", hex(&hash.finalize()), parts.len()))
}
