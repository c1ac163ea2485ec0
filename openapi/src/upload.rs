//! Uploads that go straight into a bucket, in parts. (Those through the server speak tus.)

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ids::SourceId;

/// A file that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginDirectUpload {
    #[serde(default)]
    pub filename: Option<String>,
    /// Its length.
    pub bytes: u64,
}

/// How to cut the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectUpload {
    /// Of the upload, and of the source that it becomes.
    pub id: SourceId,
    /// The size of every part but the last, which is what is left.
    pub part_bytes: u64,
    pub parts: u32,
    pub expires_at: DateTime<Utc>,
}

/// Parts that are about to be sent, in any order. A part may be sent again; the last one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsRequest {
    #[schema(min_items = 1, max_items = 1000)]
    pub parts: Vec<PartToSend>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartToSend {
    /// From 1 on.
    pub number: u32,
    /// Lower-case hex.
    pub sha256: String,
}

/// What has arrived, for whoever goes on after a break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentParts {
    /// By number.
    pub parts: Vec<SentPart>,
    /// More follow: ask again with `after`, the last number of this page.
    pub more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentPart {
    pub number: u32,
    pub bytes: u64,
    /// Lower-case hex; absent when the bucket does not tell it.
    #[serde(default)]
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParts {
    /// Only parts behind this number.
    #[serde(default)]
    pub after: u32,
}
