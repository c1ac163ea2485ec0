//! An S3 server in this process: real signatures, real multipart uploads, files in a temporary folder; ends with the value.

mod faults;
mod strict;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;
use axum::{
    Router,
    extract::{Request, State},
    middleware,
    response::{IntoResponse, Response},
};
use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::faults::Faults;
use self::strict::Strict;

const BUCKET: &str = "offpeak";
const ACCESS_KEY: &str = "offpeak-test";
const SECRET_KEY: &str = "not-a-secret";
/// What stores with one region call it.
const REGION: &str = "us-east-1";

/// A running server with one empty bucket.
pub struct S3Server {
    address: SocketAddr,
    folder: TempDir,
    faults: Faults,
    public: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl S3Server {
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("offpeak-s3-").tempdir().context("a folder for the bucket")?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let files = FileSystem::new(folder.path()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let public = Arc::new(AtomicBool::new(false));
        let mut builder = S3ServiceBuilder::new(Strict::new(files));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        builder.set_access(Policy { public: public.clone() });
        let faults = Faults::default();
        let router = Router::new()
            .fallback(answer)
            .with_state(builder.build())
            .layer(middleware::from_fn_with_state(faults.clone(), faults::inject))
            .layer(middleware::from_fn(faults::cross_origin));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, folder, faults, public, serving })
    }

    /// `OFFPEAK_STORAGE` for a server that keeps its objects here below `prefix`, which may be empty.
    pub fn storage_url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}?endpoint={}&region={REGION}&path_style=true", self.endpoint())
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Access key and secret key.
    pub fn credentials() -> (&'static str, &'static str) {
        (ACCESS_KEY, SECRET_KEY)
    }

    /// Variables with the credentials, for a server in a process of its own.
    pub fn variables() -> [(&'static str, &'static str); 4] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // Settings of whoever runs the tests are not wanted.
            ("AWS_CONFIG_FILE", "/dev/null"),
        ]
    }

    /// The address of the bucket itself, for readers without a signature; see [`S3Server::make_public`].
    pub fn public_url(&self) -> String {
        format!("{}/{BUCKET}/", self.endpoint())
    }

    /// From now on anybody may read objects, as behind a CDN.
    pub fn make_public(&self) {
        self.public.store(true, Ordering::Relaxed);
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The file of an object.
    pub fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    /// Keys of all objects, in order.
    pub fn keys(&self) -> Vec<String> {
        let root = self.folder.path().join(BUCKET);
        let mut keys = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in entries(&folder) {
                match entry.is_dir() {
                    true => folders.push(entry),
                    false => keys.extend(entry.strip_prefix(&root).ok().and_then(Path::to_str).map(str::to_owned)),
                }
            }
        }
        keys.sort();
        keys
    }

    /// Multipart uploads that were begun, and neither completed nor given up.
    pub fn open_uploads(&self) -> usize {
        let is_upload =
            |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|n| n.starts_with(".upload-"));
        entries(self.folder.path()).iter().filter(|path| is_upload(path)).count()
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).into_iter().flatten();
    found.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

async fn answer(State(service): State<S3Service>, request: Request) -> Response {
    let request = request.map(s3s::Body::http_body_unsync);
    match service.call(request).await {
        Ok(answer) => answer.map(axum::body::Body::new).into_response(),
        Err(error) => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
    }
}

/// Who has a signature may do anything; others may read objects of a public bucket.
struct Policy {
    public: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl S3Access for Policy {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = matches!(context.s3_op().name(), "GetObject" | "HeadObject");
        match context.credentials() {
            Some(_) => Ok(()),
            None if reads && self.public.load(Ordering::Relaxed) => Ok(()),
            None => Err(s3_error!(AccessDenied, "Sign this request.")),
        }
    }
}
