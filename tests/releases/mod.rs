//! A place of releases, as whoever makes installers has one: keys, signatures, and a server that lists the newest version.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, routing::get};
use offpeak_tests::programs::workspace;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

const PASSWORD: &str = "of the test";

/// A pair of keys (minisign).
pub struct Key {
    file: PathBuf,
    pub public: String,
}

impl Key {
    pub fn make(folder: &Path, name: &str) -> Self {
        let file = folder.join(name);
        signer(&["generate", "--ci", "--password", PASSWORD, "--write-keys"], &file);
        let public = std::fs::read_to_string(folder.join(format!("{name}.pub"))).expect("the key was made");
        Self { file, public: public.trim().to_owned() }
    }

    pub fn sign(&self, release: &[u8]) -> String {
        let release_file = self.file.with_extension("release");
        std::fs::write(&release_file, release).expect("it can be written");
        let key = self.file.to_string_lossy();
        signer(&["sign", "--password", PASSWORD, "--private-key-path", &key], &release_file);
        std::fs::read_to_string(self.file.with_extension("release.sig")).expect("it was signed").trim().to_owned()
    }
}

/// Tauri's own, as docs/tray.md has it.
fn signer(words: &[&str], file: &Path) {
    let script = workspace().join("tray-agent/ui/node_modules/@tauri-apps/cli/tauri.js");
    let done = Command::new("node").arg(script).arg("signer").args(words).arg(file).output().expect("node starts");
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[derive(Default)]
struct Newest {
    release: Vec<u8>,
    signature: String,
}

/// Serves the newest version until it is dropped.
pub struct Releases {
    address: String,
    newest: Arc<Mutex<Newest>>,
    serving: JoinHandle<()>,
}

impl Releases {
    pub async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let newest = Arc::new(Mutex::new(Newest::default()));
        let list = {
            let (newest, address) = (newest.clone(), address.clone());
            move || async move { Json(manifest(&newest.lock().expect("nobody panicked"), &address)) }
        };
        let release =
            |State(newest): State<Arc<Mutex<Newest>>>| async move { newest.lock().expect("nobody panicked").release.clone() };
        let router = Router::new().route("/newest.json", get(list)).route("/release", get(release)).with_state(newest.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving goes on until aborted") });
        Self { address, newest, serving }
    }

    pub fn place(&self) -> String {
        format!("{}/newest.json", self.address)
    }

    pub fn publish(&self, release: Vec<u8>, signature: String) {
        *self.newest.lock().expect("nobody panicked") = Newest { release, signature };
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn manifest(newest: &Newest, address: &str) -> Value {
    let platform = json!({ "url": format!("{address}/release"), "signature": newest.signature });
    let target = format!("linux-{}", std::env::consts::ARCH);
    json!({ "version": "9.9.9", "notes": "What is new.", "pub_date": "2026-12-01T09:00:00Z", "platforms": { target: platform } })
}
