//! Requests read off a connection (HTTP/1.1 with a `Content-Length`), to be sent once more.

use bytes::{Bytes, BytesMut};

/// A request as it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method and path.
    pub line: String,
    pub bytes: Bytes,
}

/// Cuts a connection's bytes into requests.
#[derive(Debug, Default)]
pub struct Recorder {
    begun: BytesMut,
    /// Something that is not understood came: nothing more is read.
    lost: bool,
}

impl Recorder {
    /// Takes a chunk; the requests that are whole now.
    pub fn read(&mut self, chunk: &[u8]) -> Vec<Request> {
        let mut whole = Vec::new();
        if self.lost {
            return whole;
        }
        self.begun.extend_from_slice(chunk);
        while let Some(head_end) = self.begun.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&self.begun[..head_end]).into_owned();
            let mut lines = head.lines();
            let line = lines.next().unwrap_or_default();
            let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
            let header =
                |name: &str| headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
            if header("transfer-encoding").is_some() {
                self.lost = true;
                self.begun.clear();
                return whole;
            }
            let body: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let end = head_end + 4 + body;
            if self.begun.len() < end {
                break;
            }
            let line = line.rsplit_once(' ').map_or(line, |(line, _version)| line).to_owned();
            whole.push(Request { line, bytes: self.begun.split_to(end).freeze() });
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_cut_apart_however_they_arrive() {
        let wire = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT /c HTTP/1.1\r\ncontent-length: 0\r\n\r\n";
        for size in [1, 7, wire.len()] {
            let mut recorder = Recorder::default();
            let found: Vec<Request> = wire.chunks(size).flat_map(|chunk| recorder.read(chunk)).collect();
            assert_eq!(found.iter().map(|request| request.line.as_str()).collect::<Vec<_>>(), ["GET /a", "POST /b", "PUT /c"]);
            assert_eq!(found.iter().flat_map(|request| request.bytes.to_vec()).collect::<Vec<_>>(), wire);
        }
        let mut recorder = Recorder::default();
        assert!(recorder.read(b"POST /d HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc").is_empty());
    }
}
