//! The little HTTP that these commands need: one request to the local server, one connection.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The local server answers in milliseconds; a server that does not in this time never will.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// Calls of the API with one token.
#[derive(Debug, Clone)]
pub struct Api {
    pub address: SocketAddr,
    pub token: String,
}

impl Api {
    pub fn get(&self, path: &str) -> Result<Value> {
        self.json("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.json("POST", path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Result<()> {
        let (status, body) = self.raw("DELETE", path, None)?;
        if !(200..300).contains(&status) {
            bail!("DELETE {path} was answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }

    fn json(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = self.raw(method, path, body)?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} was answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        serde_json::from_slice(&answer).with_context(|| format!("the answer to {method} {path} is not JSON"))
    }

    fn raw(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Vec<u8>)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut headers = vec![("Authorization", format!("Bearer {}", self.token))];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let mut connection = Connection::open(self.address)?;
        connection.send(method, path, &headers, body.len() as u64)?;
        connection.stream.write_all(body.as_bytes())?;
        let answer = connection.answer(method)?;
        Ok((answer.status, answer.body))
    }
}

/// The status of an unauthenticated GET; `None` when nobody listens yet.
pub fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut connection = Connection::open(address).ok()?;
    connection.send("GET", path, &[], 0).ok()?;
    connection.answer("GET").ok().map(|answer| answer.status)
}

/// One connection that may carry several requests, one after the other.
#[derive(Debug)]
pub struct Connection {
    pub stream: TcpStream,
    reader: BufReader<TcpStream>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        stream.set_nodelay(true)?;
        let reader = BufReader::new(stream.try_clone()?);
        Ok(Self { stream, reader })
    }

    /// Sends the head; the body is the caller's to write to `stream`.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, String)], body_bytes: u64) -> Result<()> {
        let host = self.stream.peer_addr()?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {body_bytes}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        self.stream.write_all(head.as_bytes()).context("the connection broke")
    }

    /// Reads one answer.
    pub fn answer(&mut self, method: &str) -> Result<Answer> {
        let line = self.line()?;
        let status: u16 =
            line.split(' ').nth(1).and_then(|word| word.parse().ok()).with_context(|| format!("no HTTP: {line}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method == "HEAD" || status == 204 {
            return Ok(answer);
        }
        if answer.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
                    .with_context(|| format!("bad chunk size {size}"))?;
                let mut chunk = vec![0; size];
                self.reader.read_exact(&mut chunk)?;
                answer.body.extend(chunk);
                self.line()?;
                if size == 0 {
                    return Ok(answer);
                }
            }
        }
        let length = answer.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        answer.body = vec![0; length];
        self.reader.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line).context("no answer")? == 0 {
            bail!("the connection was closed without an answer");
        }
        Ok(line.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn answers_of_both_kinds_on_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
            for answer in ["HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno", chunked, "HTTP/1.1 204 No Content\r\n\r\n"] {
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap() > 2 {
                    line.clear();
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let mut connection = Connection::open(address).unwrap();
        let mut ask = || {
            connection.send("GET", "/x", &[], 0).unwrap();
            let answer = connection.answer("GET").unwrap();
            (answer.status, String::from_utf8(answer.body).unwrap())
        };
        assert_eq!(ask(), (404, "no".to_owned()));
        assert_eq!(ask(), (200, "abcde".to_owned()));
        assert_eq!(ask(), (204, String::new()));
        server.join().unwrap();
    }
}
