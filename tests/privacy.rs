//! Nothing leaves a machine but what PRIVACY.md names: every request of a real engine, through a job during which somebody comes
//! back to their desk, is read off the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use offpeak_api::policy::Policy;
use offpeak_tests::{
    display::{Display, Touch},
    programs::workspace,
    proxy::Proxy,
    recorded::Request,
    sources,
    system::System,
};

const LIMIT: Duration = Duration::from_secs(300);

/// All keys that may be in the JSON body of a call, at any depth; each of them is in PRIVACY.md or is part of a report on media.
fn documented() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let capabilities = ["engine", "ffmpeg", "encoders", "cores", "memory_mib", "os", "sandbox", "state", "missing", "reason"];
    let calls: [(&str, &[&str]); 5] = [
        ("enrol", &["code", "name"]),
        ("state", &["state", "code", "reason"]),
        ("heartbeat", &["state", "reason", "progress", "frames", "frames_per_second", "bytes", "total_bytes"]),
        ("release", &["reason"]),
        ("fail", &["code", "message", "blame", "log_tail"]),
    ];
    let mut all: BTreeMap<&str, BTreeSet<&str>> =
        calls.into_iter().map(|(call, keys)| (call, keys.iter().copied().collect())).collect();
    let asks = ["request_id", "instance", "protocol", "wait_seconds", "capabilities", "expected_idle_seconds"];
    all.insert("leases", asks.into_iter().chain(capabilities).collect());
    all.insert("proof", capabilities.into_iter().chain(["capabilities"]).collect());
    all
}

/// What a report on a source or on finished segments may never have.
const NEVER: [&str; 8] = ["load", "idle", "input", "user", "window", "process", "hostname", "limits"];

/// Of HTTP itself, the token, the engine's version, and what storage asks for with an address.
const HEADERS: [&str; 11] = [
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "range",
    "user-agent",
    "if-match",
    "if-none-match",
    "x-amz-checksum-sha256",
    "x-offpeak-sha256",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_a_desk_but_what_is_documented() {
    let mut system = System::start(0).await;
    system.client.obey(&Policy { other_cpu_below: 1.0, ..Policy::default() }).await;
    let profile = sources::lossless_profile();
    system.client.put_profile(&profile).await;
    let recipe = sources::recipe("hevc.mp4");
    let source = recipe.make(&system.scratch()).await;
    let display = Display::start(&system.scratch());
    let (host, port) = (system.client.server().host_str().expect("a host"), system.client.server().port().expect("a port"));
    let proxy = Proxy::start(format!("{host}:{port}").parse().expect("an address")).await;
    let through = format!("http://{}/", proxy.address).parse().expect("an address");
    system.start_engine_at_desk_through("desk", display.name(), Some(Duration::from_secs(1)), &through);
    let job = system.client.submit(&source, &profile.name).await;
    system
        .client
        .wait_for(&job.id, "something is encoded", LIMIT, |job| job.progress.renditions.iter().any(|one| one.frames_done > 0))
        .await;
    display.touch(Touch::Key);
    tokio::time::sleep(Duration::from_secs(4)).await;
    system.client.completed(&job.id, LIMIT).await;

    let (documented, mut wrong, mut seen) = (documented(), BTreeSet::new(), BTreeSet::new());
    for request in proxy.remembered() {
        let (headers, body) = taken_apart(&request);
        wrong.extend(headers.into_iter().filter(|name| !HEADERS.contains(&name.as_str())).map(|name| format!("header {name}")));
        // Media, and what asks without saying anything.
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&body) else { continue };
        let call = request.line.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        let mut keys = BTreeSet::new();
        collect(&body, &mut keys);
        seen.insert(call.clone());
        match documented.get(call.as_str()) {
            Some(known) => {
                wrong.extend(keys.iter().filter(|key| !known.contains(key.as_str())).map(|key| format!("{call}: {key}")))
            }
            None => wrong.extend(keys.iter().filter(|key| NEVER.contains(&key.as_str())).map(|key| format!("{call}: {key}"))),
        }
    }
    assert!(wrong.is_empty(), "PRIVACY.md does not name {wrong:?}");
    for call in ["enrol", "state", "leases", "heartbeat", "commit", "complete"] {
        assert!(seen.contains(call), "no {call} was recorded, of {seen:?}");
    }
    // The page and this test name the same.
    let page = std::fs::read_to_string(workspace().join("PRIVACY.md")).expect("the page");
    for (call, keys) in &documented {
        for key in keys.iter().filter(|key| !["missing", "blame", "log_tail"].contains(key)) {
            assert!(page.contains(&format!("`{key}`")), "PRIVACY.md says nothing of {key} ({call})");
        }
    }
}

/// Names of the headers in lower case, and the body.
fn taken_apart(request: &Request) -> (Vec<String>, Vec<u8>) {
    let end = request.bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole request");
    let head = String::from_utf8_lossy(&request.bytes[..end]).into_owned();
    let names = head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_ascii_lowercase());
    (names.collect(), request.bytes[end + 4..].to_vec())
}

fn collect(value: &serde_json::Value, keys: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                keys.insert(key.clone());
                collect(value, keys);
            }
        }
        serde_json::Value::Array(array) => array.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}
