//! Fetches a finished file: into a `.part` file beside its final name, going on by range, checked by SHA-256, then renamed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;
use offpeak_api::job::{Job, OutputFile};
use reqwest::{Method, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncReadExt, AsyncWriteExt},
};

use crate::{
    client::Client,
    error::CliError,
    upload::hex,
    view::{UploadView, View},
};

/// A connection that breaks this often without bringing a byte will not get better.
const ATTEMPTS_WITHOUT_PROGRESS: u32 = 5;
/// Longer with every attempt that brings nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// Where a file of a job ended up.
#[derive(Debug)]
pub struct Downloaded {
    pub path: PathBuf,
    pub bytes: u64,
    /// It was there already, byte for byte.
    pub already_there: bool,
}

/// Picks the file meant by `--file`, or the only one.
pub fn choose<'a>(job: &'a Job, name: Option<&str>) -> Result<&'a OutputFile, CliError> {
    let files = &job.outputs.files;
    let names = || files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
    match (files.as_slice(), name) {
        ([], _) if !job.state.is_over() => {
            Err(CliError::Usage(format!("{} has no files yet; `offpeak show {} --watch` waits for them", job.id, job.id)))
        }
        ([], _) => {
            Err(CliError::Usage(format!("{} has no files: it is {}, profile {}", job.id, job.state.as_str(), job.profile)))
        }
        (_, Some(name)) => files
            .iter()
            .find(|file| file.name == name)
            .ok_or_else(|| CliError::Usage(format!("{} has no file `{name}`; there is: {}", job.id, names()))),
        ([only], None) => Ok(only),
        (_, None) => Err(CliError::Usage(format!("{} has several files, choose one with --file: {}", job.id, names()))),
    }
}

/// `output` is a file's name, an existing folder, or absent for the file's own name in the current folder.
pub async fn download(client: &Client, file: &OutputFile, output: Option<&Path>, view: &View) -> Result<Downloaded, CliError> {
    let path = match output {
        Some(folder) if folder.is_dir() => folder.join(&file.name),
        Some(path) => path.to_owned(),
        None => PathBuf::from(&file.name),
    };
    if path.exists() {
        let (_, hasher) = hash_of(&path).await?;
        if hex(&hasher.finalize()) == file.sha256 {
            return Ok(Downloaded { path, bytes: file.bytes, already_there: true });
        }
        let reason = "exists already, and is another file; choose another place with --output".to_owned();
        return Err(CliError::File { path, reason });
    }
    // The hash in the name keeps parts of different jobs apart.
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", file.sha256.get(..12).unwrap_or(&file.sha256)));
    let part = PathBuf::from(part);
    let bar = view.download(file.bytes);
    let got = fetch(client, file, &part, &bar).await?;
    if got != file.sha256 {
        fs::remove_file(&part).await.map_err(|e| at(&part, e))?;
        return Err(CliError::DownloadDiffers { file: file.name.clone(), got, wanted: file.sha256.clone() });
    }
    fs::rename(&part, &path).await.map_err(|e| at(&path, e))?;
    bar.done();
    Ok(Downloaded { path, bytes: file.bytes, already_there: false })
}

/// Brings `part` to the file's full length; the answer is the SHA-256 of all of it.
async fn fetch(client: &Client, file: &OutputFile, part: &Path, bar: &UploadView) -> Result<String, CliError> {
    let (mut have, mut hasher) = if part.exists() { hash_of(part).await? } else { (0, Sha256::new()) };
    if have > file.bytes {
        (have, hasher) = (0, Sha256::new());
    }
    if have > 0 {
        bar.resumed(have);
    }
    let mut out = OpenOptions::new().create(true).write(true).truncate(have == 0).open(part).await.map_err(|e| at(part, e))?;
    tokio::io::AsyncSeekExt::seek(&mut out, std::io::SeekFrom::Start(have)).await.map_err(|e| at(part, e))?;
    let mut attempts = 0;
    while have < file.bytes {
        let before = have;
        let ended_early = match append(client, file, &mut out, &mut have, &mut hasher, bar).await {
            Ok(()) if have == file.bytes => break,
            Ok(()) => "the answer ended early".to_owned(),
            Err(CliError::Unreachable { reason, .. }) => reason,
            Err(other) => return Err(other),
        };
        attempts = if have > before { 0 } else { attempts + 1 };
        if attempts == ATTEMPTS_WITHOUT_PROGRESS {
            return Err(CliError::Unreachable { server: client.resolve(&file.url)?.to_string(), reason: ended_early });
        }
        bar.note(&format!("{ended_early}; trying again"));
        tokio::time::sleep(PAUSE * attempts).await;
    }
    out.sync_all().await.map_err(|e| at(part, e))?;
    Ok(hex(&hasher.finalize()))
}

/// One request for what is missing, until it ends or breaks.
async fn append(
    client: &Client,
    file: &OutputFile,
    out: &mut File,
    have: &mut u64,
    hasher: &mut Sha256,
    bar: &UploadView,
) -> Result<(), CliError> {
    let url = client.resolve(&file.url)?;
    let address = url.to_string();
    let response = client.send(client.request(Method::GET, url).header(header::RANGE, format!("bytes={have}-"))).await?;
    if *have > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
        return Err(CliError::Garbled { address, reason: "it does not answer ranges, so the download cannot go on".to_owned() });
    }
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| CliError::from(client.unreachable(&e)))?;
        if *have + chunk.len() as u64 > file.bytes {
            return Err(CliError::Garbled { address, reason: format!("it sends more than {} bytes", file.bytes) });
        }
        out.write_all(&chunk).await.map_err(|e| CliError::File { path: file.name.clone().into(), reason: e.to_string() })?;
        hasher.update(&chunk);
        *have += chunk.len() as u64;
        bar.sent(*have);
    }
    Ok(())
}

async fn hash_of(path: &Path) -> Result<(u64, Sha256), CliError> {
    let mut file = File::open(path).await.map_err(|e| at(path, e))?;
    let (mut bytes, mut hasher, mut buffer) = (0, Sha256::new(), vec![0; 256 << 10]);
    loop {
        let got = file.read(&mut buffer).await.map_err(|e| at(path, e))?;
        if got == 0 {
            return Ok((bytes, hasher));
        }
        hasher.update(&buffer[..got]);
        bytes += got as u64;
    }
}

fn at(path: &Path, error: std::io::Error) -> CliError {
    CliError::File { path: path.to_owned(), reason: error.to_string() }
}
