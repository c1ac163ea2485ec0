//! Each client of `openapi/sdk` uploads, submits, waits and downloads, on a network that loses answers; and is what the
//! description makes.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use offpeak_api::job::{CreateJob, JobSource};
use offpeak_tests::{programs::workspace, sources, system::System};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::output_is_valid::{decodes_in_silence, is_fast_start};

const LIMIT: Duration = Duration::from_secs(300);

/// What a client's test says at its end.
#[derive(Debug, Deserialize)]
struct Told {
    file: String,
    sha256: String,
}

/// Runs a client's test on a film of 20 s, and looks at the file that it downloaded.
async fn goes_all_the_way(command: impl FnOnce() -> Command) {
    // Their last job is of an address on this machine that has no film.
    let system = System::start_with(2, &[("OFFPEAK_OUTBOUND_ALLOW", "127.0.0.1")]).await;
    let profile = sources::small_profile();
    system.client.put_profile(&profile).await;
    let folder = system.scratch();
    let film = sources::recipe("late-sound.mkv").make(&folder).await;
    let out = folder.join("downloaded.mp4");
    let mut command = tokio::process::Command::from(command());
    command.arg(system.client.server().as_str().trim_end_matches('/')).arg(system.client.token());
    command.arg(&film).arg(&profile.name).arg(&out).kill_on_drop(true);
    let ran = tokio::time::timeout(LIMIT, command.output()).await.expect("the client ends").expect("the client starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}\n{stderr}");
    let told: Told = stdout.lines().last().and_then(|line| serde_json::from_str(line).ok()).expect("the client says what it did");
    assert_eq!(told.file, profile.files[0].name);
    let bytes = std::fs::read(&out).expect("the client downloaded a file");
    let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, told.sha256);
    is_fast_start(&bytes);
    decodes_in_silence(&out, 500).await;
}

fn sdk(language: &str) -> PathBuf {
    workspace().join("openapi/sdk").join(language)
}

fn set_up(path: &Path) -> &Path {
    assert!(path.exists(), "{} is missing: run `cargo xtask setup --test`", path.display());
    path
}

/// Writes `dist/` if it is old, and tells its folder. Tests run side by side: whoever comes second waits, and finds it fresh.
pub fn build_typescript() -> PathBuf {
    let folder = sdk("typescript");
    let turn = std::fs::File::open(folder.join("tsconfig.json")).expect("the client is here");
    turn.lock().expect("a turn");
    let compiler = folder.join("node_modules/typescript/bin/tsc");
    let built = Command::new("node").arg(set_up(&compiler)).current_dir(&folder).output().expect("node starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stdout));
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client() {
    let folder = build_typescript();
    goes_all_the_way(|| {
        let mut command = Command::new("node");
        command.arg(folder.join("test/end-to-end.mjs"));
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client() {
    let python = workspace().join(".offpeak/python/bin/python");
    goes_all_the_way(|| {
        let mut command = Command::new(set_up(&python));
        // A proxy of this machine is for addresses elsewhere.
        command.env("PYTHONPATH", sdk("python")).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1");
        command.arg(sdk("python").join("test/end_to_end.py"));
        command
    })
    .await;
}

#[test]
fn the_clients_are_what_the_description_makes() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ran = Command::new(cargo).current_dir(workspace()).args(["xtask", "openapi", "--check"]).output().expect("cargo starts");
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}

/// In this process.
#[tokio::test(flavor = "multi_thread")]
async fn the_rust_client() {
    let system = System::start(2).await;
    let profile = sources::small_profile();
    system.client.put_profile(&profile).await;
    let folder = system.scratch();
    let film = sources::recipe("late-sound.mkv").make(&folder).await;
    let token = Some(system.client.token().to_owned());
    let offpeak = offpeak_client::Client::new(system.client.server().as_str(), token).expect("an address");
    let source = offpeak.upload(&film, |_, _| ()).await.expect("the film is uploaded");
    let kept = offpeak.get_source(&source).await.expect("it is there");
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(kept.sha256, Some(hex(&std::fs::read(&film).expect("the film"))));
    let wanted = CreateJob {
        source: JobSource::Upload(source),
        profile: profile.name.clone(),
        priority: 5,
        deadline: None,
        metadata: [("by".to_owned(), "rust".to_owned())].into(),
    };
    let job = offpeak.create_job(&wanted).await.expect("a job is made");
    let mut fractions = Vec::new();
    let waited = offpeak.wait(&job.id, |job| fractions.push(job.progress.fraction));
    let job = tokio::time::timeout(LIMIT, waited).await.expect("the job is over in time").expect("the job completes");
    assert!(fractions.is_sorted(), "{fractions:?}");
    let out = folder.join("downloaded.mp4");
    let file = offpeak.download(&job, Some(&profile.files[0].name), &out).await.expect("its file is downloaded");
    let bytes = std::fs::read(&out).expect("the file");
    assert_eq!(hex(&bytes), file.sha256);
    is_fast_start(&bytes);
    decodes_in_silence(&out, 500).await;
    let refused = offpeak.create_job(&CreateJob { profile: "no-such-profile".into(), ..wanted }).await;
    assert!(matches!(refused, Err(offpeak_client::Error::Refused(problem)) if problem.code == "unknown_profile"));
}
