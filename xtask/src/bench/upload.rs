//! How fast a large file gets in: the same client sends it to a plain HTTP sink and, with the tus protocol, to the server.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::http::{Api, Connection};

/// Reads and writes of both sides of the yardstick, and of the client.
const BUFFER_BYTES: usize = 1 << 20;
/// Body of one PATCH, within the 16 to 64 MiB that clients use.
const REQUEST_BYTES: u64 = 64 << 20;

/// A file of so many MiB whose bytes do not repeat within a buffer.
pub fn make_file(path: &Path, mib: usize) -> Result<PathBuf> {
    let mut file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut state = 1_u64;
    for _ in 0..mib {
        let block: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        })
        .take((1 << 20) / 4)
        .flat_map(u32::to_le_bytes)
        .collect();
        file.write_all(&block)?;
    }
    file.sync_all()?;
    Ok(path.to_owned())
}

/// The yardstick's server: takes PUTs, one after the other, into one file, and syncs it before it answers.
#[derive(Debug)]
pub struct Sink {
    pub address: SocketAddr,
}

impl Sink {
    /// Ends with the process: it holds nothing that needs an ending.
    pub fn start(into: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let into = into.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Err(error) = take(stream, &into) {
                    eprintln!("the plain copy failed: {error:#}");
                }
            }
        });
        Ok(Self { address })
    }
}

fn take(mut stream: TcpStream, into: &Path) -> Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, stream.try_clone()?);
    let mut bytes = 0_u64;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => bytes = value.trim().parse()?,
            _ if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut file = File::create(into)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut body = reader.take(bytes);
    loop {
        let got = body.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        file.write_all(&buffer[..got])?;
    }
    file.sync_all()?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    drop(file);
    fs::remove_file(into)?;
    Ok(())
}

/// Seconds for one PUT of the file.
pub fn plain(sink: SocketAddr, file: &Path) -> Result<f64> {
    let since = Instant::now();
    let bytes = fs::metadata(file)?.len();
    let mut connection = Connection::open(sink)?;
    connection.send("PUT", "/", &[], bytes)?;
    send_part(&mut File::open(file)?, &mut connection.stream, bytes)?;
    let answer = connection.answer("PUT")?;
    if answer.status != 204 {
        bail!("the plain copy was answered {}", answer.status);
    }
    Ok(since.elapsed().as_secs_f64())
}

/// Seconds from creating the upload to the answer that says it is whole; the source is deleted again.
pub fn tus(api: &Api, file: &Path) -> Result<f64> {
    let since = Instant::now();
    let bytes = fs::metadata(file)?.len();
    let mut connection = Connection::open(api.address)?;
    let common = [("Authorization", format!("Bearer {}", api.token)), ("Tus-Resumable", "1.0.0".to_owned())];
    let with = |more: &[(&'static str, String)]| [&common, more].concat();
    connection.send("POST", "/v1/uploads", &with(&[("Upload-Length", bytes.to_string())]), 0)?;
    let created = connection.answer("POST")?;
    let location = created.header("location").with_context(|| format!("creating an upload was answered {}", created.status))?;
    let path = location.find("/v1/uploads/").map(|at| location[at..].to_owned()).context("Location names no upload")?;
    let mut source = File::open(file)?;
    let mut offset = 0;
    while offset < bytes {
        let length = REQUEST_BYTES.min(bytes - offset);
        let headers =
            with(&[("Upload-Offset", offset.to_string()), ("Content-Type", "application/offset+octet-stream".to_owned())]);
        connection.send("PATCH", &path, &headers, length)?;
        send_part(&mut source, &mut connection.stream, length)?;
        let answer = connection.answer("PATCH")?;
        if answer.status != 204 {
            bail!("an upload was answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        offset += length;
    }
    let seconds = since.elapsed().as_secs_f64();
    api.delete(&path.replace("/v1/uploads/", "/v1/sources/"))?;
    Ok(seconds)
}

fn send_part(file: &mut File, stream: &mut TcpStream, bytes: u64) -> Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut left = bytes;
    while left > 0 {
        let want = buffer.len().min(usize::try_from(left).unwrap_or(buffer.len()));
        let got = file.read(&mut buffer[..want])?;
        if got == 0 {
            bail!("the file became shorter");
        }
        stream.write_all(&buffer[..got])?;
        left -= got as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn the_yardstick_takes_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = make_file(&folder.path().join("in"), 3).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().len(), 3 << 20);
        let sink = Sink::start(&folder.path().join("out")).unwrap();
        for _ in 0..2 {
            assert!(plain(sink.address, &file).unwrap() > 0.0);
        }
    }
}
