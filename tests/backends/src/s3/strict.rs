//! What s3s-fs leaves unchecked and AWS does not: an object with a wrong checksum is never there, not even for a moment;
//! `If-None-Match` holds against a second writer at the same time; parts have checksums and entity tags, which completing
//! checks; reading knows `If-Match`; an upload that is over is `NoSuchUpload`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

use axum::body::Bytes;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::StreamExt;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
        CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
        DeleteObjectsOutput, ETag, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, Part, PutObjectInput,
        PutObjectOutput, StreamingBlob, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use s3s_fs::FileSystem;
use sha2::{Digest, Sha256};

/// The most parts in one answer, as with AWS.
const PARTS_PER_PAGE: usize = 1000;

pub struct Strict {
    files: FileSystem,
    /// One write of an object at a time, so that looking and writing are one step.
    writing: tokio::sync::Mutex<()>,
    uploads: Mutex<HashMap<String, Upload>>,
}

#[derive(Default)]
struct Upload {
    bucket: String,
    key: String,
    /// Parts must have SHA-256s.
    with_sha256: bool,
    parts: BTreeMap<i32, SentPart>,
}

#[derive(Clone)]
struct SentPart {
    etag: ETag,
    sha256: Option<String>,
    bytes: usize,
}

impl Strict {
    pub fn new(files: FileSystem) -> Self {
        Self { files, writing: tokio::sync::Mutex::default(), uploads: Mutex::default() }
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<String, Upload>> {
        self.uploads.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Runs `look` on an upload that is going on under this key.
    fn upload<T>(&self, id: &str, bucket: &str, key: &str, look: impl FnOnce(&mut Upload) -> S3Result<T>) -> S3Result<T> {
        match self.uploads().get_mut(id) {
            Some(upload) if upload.bucket == bucket && upload.key == key => look(upload),
            _ => Err(s3_error!(NoSuchUpload)),
        }
    }
}

/// The whole body, if it has the length and the hash that its headers say.
async fn checked(body: Option<StreamingBlob>, length: Option<i64>, sha256: Option<&String>) -> S3Result<Bytes> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| s3_error!(IncompleteBody, "{error}"))?);
    }
    if length.is_some_and(|length| usize::try_from(length) != Ok(bytes.len())) {
        return Err(s3_error!(IncompleteBody));
    }
    match sha256 {
        Some(told) if *told != BASE64_STANDARD.encode(Sha256::digest(&bytes)) => {
            Err(s3_error!(BadDigest, "The SHA256 you specified did not match the calculated checksum."))
        }
        _ => Ok(bytes.into()),
    }
}

fn blob(bytes: Bytes) -> StreamingBlob {
    StreamingBlob::from(s3s::Body::from(bytes))
}

#[async_trait::async_trait]
impl S3 for Strict {
    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut req.input;
        let bytes = checked(input.body.take(), input.content_length, input.checksum_sha256.as_ref()).await?;
        input.body = Some(blob(bytes));
        let _one = self.writing.lock().await;
        self.files.put_object(req).await
    }

    async fn get_object(&self, mut req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let wanted = req.input.if_match.take();
        let disposition = req.input.response_content_disposition.clone();
        let mut answer = self.files.get_object(req).await?;
        let etag = answer.output.e_tag.as_ref();
        match wanted.as_ref().and_then(|condition| condition.as_etag()) {
            Some(wanted) if !etag.is_some_and(|etag| etag.strong_cmp(wanted)) => Err(s3_error!(PreconditionFailed)),
            _ => {
                if disposition.is_some() {
                    answer.output.content_disposition = disposition;
                }
                Ok(answer)
            }
        }
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.files.head_object(req).await
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(req).await
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(req).await
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.files.delete_object(req).await
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.files.delete_objects(req).await
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let with_sha256 = req.input.checksum_algorithm.as_ref().is_some_and(|algorithm| algorithm.as_str() == "SHA256");
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let answer = self.files.create_multipart_upload(req).await?;
        if let Some(id) = &answer.output.upload_id {
            self.uploads().insert(id.clone(), Upload { bucket, key, with_sha256, parts: BTreeMap::new() });
        }
        Ok(answer)
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut req.input;
        let (id, number, sha256) = (input.upload_id.clone(), input.part_number, input.checksum_sha256.clone());
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        self.upload(&id, &bucket, &key, |upload| match sha256.is_some() == upload.with_sha256 {
            true => Ok(()),
            false => Err(s3_error!(InvalidRequest, "Checksum Type mismatch occurred.")),
        })?;
        let bytes = checked(input.body.take(), input.content_length, sha256.as_ref()).await?;
        let length = bytes.len();
        input.body = Some(blob(bytes));
        let _one = self.writing.lock().await;
        let mut answer = self.files.upload_part(req).await?;
        let etag = answer.output.e_tag.clone().ok_or_else(|| s3_error!(InternalError))?;
        answer.output.checksum_sha256 = sha256.clone();
        self.upload(&id, &bucket, &key, |upload| {
            upload.parts.insert(number, SentPart { etag, sha256, bytes: length });
            Ok(answer)
        })
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let ListPartsInput { bucket, key, upload_id, part_number_marker, max_parts, .. } = req.input;
        let after = part_number_marker.unwrap_or(0);
        let most = max_parts.and_then(|most| usize::try_from(most).ok()).unwrap_or(PARTS_PER_PAGE).min(PARTS_PER_PAGE);
        self.upload(&upload_id, &bucket, &key, |upload| {
            let mut behind = upload.parts.range(after + 1..);
            let parts: Vec<Part> = behind
                .by_ref()
                .take(most)
                .map(|(number, part)| Part {
                    part_number: Some(*number),
                    e_tag: Some(part.etag.clone()),
                    checksum_sha256: part.sha256.clone(),
                    size: i64::try_from(part.bytes).ok(),
                    ..Part::default()
                })
                .collect();
            Ok(S3Response::new(ListPartsOutput {
                is_truncated: Some(behind.next().is_some()),
                next_part_number_marker: parts.last().and_then(|part| part.part_number),
                parts: Some(parts),
                ..ListPartsOutput::default()
            }))
        })
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let _one = self.writing.lock().await;
        let (id, bucket, key) = (req.input.upload_id.clone(), req.input.bucket.clone(), req.input.key.clone());
        let named = req.input.multipart_upload.as_ref().and_then(|upload| upload.parts.clone()).unwrap_or_default();
        self.upload(&id, &bucket, &key, |upload| {
            let first_bytes = upload.parts.values().next().map_or(0, |part| part.bytes);
            for (index, part) in named.iter().enumerate() {
                let sent = part.part_number.and_then(|number| upload.parts.get(&number));
                let sent = sent.ok_or_else(|| s3_error!(InvalidPart))?;
                let same = part.e_tag.as_ref().is_some_and(|etag| etag.strong_cmp(&sent.etag));
                if !same || (upload.with_sha256 && part.checksum_sha256 != sent.sha256) {
                    return Err(s3_error!(InvalidPart));
                }
                // R2 wants parts of one size; only the last may be smaller.
                if sent.bytes != first_bytes && (index + 1 < named.len() || sent.bytes > first_bytes) {
                    return Err(s3_error!(InvalidPart, "All non-trailing parts must have the same length."));
                }
            }
            Ok(())
        })?;
        let answer = self.files.complete_multipart_upload(req).await?;
        self.uploads().remove(&id);
        Ok(answer)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let (id, bucket, key) = (req.input.upload_id.clone(), req.input.bucket.clone(), req.input.key.clone());
        self.upload(&id, &bucket, &key, |_| Ok(()))?;
        self.uploads().remove(&id);
        self.files.abort_multipart_upload(req).await
    }
}
