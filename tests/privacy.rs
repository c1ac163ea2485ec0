//! Nothing leaves a machine but what PRIVACY.md names: every request of a real engine, through a job during which somebody comes
//! back to their desk, is read off the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::{Duration, Instant},
};

use offpeak_api::policy::Policy;
use offpeak_tests::{
    display::{Display, Touch},
    logind::Logind,
    programs::workspace,
    proxy::Proxy,
    recorded::Request,
    sources,
    system::System,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(300);

/// All keys that may be in the JSON body of a call, at any depth. Each is in PRIVACY.md by its name.
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

/// The same of calls about media: what was made, and what the source is like. PRIVACY.md says so in words.
fn about_media() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let object = ["rendition", "index", "attempt", "bytes", "sha256"];
    let (urls, segments) = (["objects", "name", "object"], ["segments", "frames", "start_ticks", "duration_ticks"]);
    let inits = ["inits", "fingerprint", "codecs", "timescale", "media_time"];
    let results =
        ["result", "kind", "facts", "end_frame", "segments", "warnings", "code", "message", "attempt", "bytes", "sha256"];
    let facts = ["container", "video", "audio", "stream", "codec", "start_seconds", "end_seconds"];
    let video =
        ["pixel_format", "width", "height", "rotation", "sample_aspect", "num", "den", "interlaced", "transfer", "frames"];
    let gaps = ["gaps", "usual_seconds", "share_usual", "p90_rate", "keyframes_seconds", "open_gop"];
    let audio = ["channels", "sample_rate", "language"];
    BTreeMap::from([
        ("upload-urls", urls.into_iter().chain(object).collect()),
        ("commit", segments.into_iter().chain(inits).chain(object).collect()),
        ("complete", results.into_iter().chain(facts).chain(video).chain(gaps).chain(audio).collect()),
    ])
}

/// What may stand where words are sent, by the state that they come with. Nothing of a person's is among them.
const SENTENCES: [(&str, &[&str]); 12] = [
    ("waiting", &["there is nothing to do", "getting ready: the encoders are being tried"]),
    ("encoding", &["nobody is using this computer"]),
    ("leasing", &["sending the last pieces"]),
    ("suspended", &["work stands still", PRESENTING, SOMEONE, "other programs are using the processor"]),
    ("presenting", &[PRESENTING]),
    ("user_active", &[SOMEONE]),
    ("busy_cpu", &["other programs are using the processor"]),
    ("busy_memory", &["memory is short"]),
    ("on_battery", &["not on mains power"]),
    ("metered", &["the network connection is paid by volume"]),
    ("off_schedule", &["it is not the time for it"]),
    ("offline", &["the engine was stopped"]),
];
const PRESENTING: &str = "a presentation, a film or a call";
const SOMEONE: &str = "someone is using this computer";

/// Runs while the engine watches; the server must never hear of it.
const PROGRAM: &str = "Annas Tagebuch";

/// What is wrong with a body, by what is documented.
fn wrong_with(call: &str, body: &Value) -> Vec<String> {
    let known = documented().remove(call).or_else(|| about_media().remove(call));
    let Some(known) = known else { return vec![format!("{call}: the whole call")] };
    let mut keys = BTreeSet::new();
    collect(body, &mut keys);
    let mut wrong: Vec<String> =
        keys.iter().filter(|key| !known.contains(key.as_str())).map(|key| format!("{call}: {key}")).collect();
    let state = body["state"].as_str().unwrap_or_default();
    // What is missing of a sandbox is said in words as well, at a deeper place; it is the same for all machines of a kind.
    if let Some(reason) = body["reason"].as_str().filter(|_| ["state", "heartbeat"].contains(&call)) {
        let allowed = SENTENCES.iter().find(|(of, _)| *of == state).map(|(_, sentences)| *sentences).unwrap_or_default();
        if !allowed.contains(&reason) {
            wrong.push(format!("{call}: that it is {state} because {reason:?}"));
        }
    }
    if body.to_string().contains(PROGRAM) {
        wrong.push(format!("{call}: the name of a person's program"));
    }
    wrong
}

#[test]
fn what_is_not_documented_is_found() {
    let right = [
        ("state", json!({ "state": "presenting", "code": null, "reason": PRESENTING })),
        ("heartbeat", json!({ "state": "suspended", "reason": SOMEONE, "progress": { "frames": 3 } })),
        ("state", json!({ "state": "encoding", "reason": "nobody is using this computer" })),
        ("commit", json!({ "segments": [{ "rendition": "v0", "index": 1, "sha256": "00" }] })),
    ];
    for (call, body) in right {
        assert_eq!(wrong_with(call, &body), Vec::<String>::new(), "{call} {body}");
    }
    let wrong = [
        ("commit", json!({ "segments": [], "screen_title": "a letter" })),
        ("complete", json!({ "result": { "kind": "encode", "open_windows": 3 } })),
        ("upload-urls", json!({ "objects": [{ "name": { "object": "file" }, "folder": "/home/anna" }] })),
        ("keys", json!({})),
        ("state", json!({ "state": "presenting", "reason": "a player of films keeps this computer awake" })),
        ("state", json!({ "state": "user_active", "reason": "the last input was 7 s ago" })),
        ("heartbeat", json!({ "state": "suspended", "reason": "a player of films" })),
        ("complete", json!({ "result": { "kind": "fetch", "message": format!("{PROGRAM} runs") } })),
    ];
    for (call, body) in wrong {
        assert_eq!(wrong_with(call, &body).len(), 1, "{call} {body}: {:?}", wrong_with(call, &body));
    }
}

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
    let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
    system.client.put_profile(&profile).await;
    let source = recipe.make(&system.scratch()).await;
    let (display, logind) = (Display::start(&system.scratch()), Logind::start(&system.scratch()).await);
    logind.set_idle(Some(Duration::from_secs(3600)));
    let (host, port) = (system.client.server().host_str().expect("a host"), system.client.server().port().expect("a port"));
    let proxy = Proxy::start(format!("{host}:{port}").parse().expect("an address")).await;
    let through = format!("http://{}/", proxy.address).parse().expect("an address");
    let hears_logind = |command: &mut Command| {
        command.env("DBUS_SYSTEM_BUS_ADDRESS", logind.address());
    };
    system.start_engine_at_desk_through("desk", display.name(), Some(Duration::from_secs(1)), &through, hears_logind);
    let job = system.client.submit(&source, &profile.name).await;
    system
        .client
        .wait_for(&job.id, "something is encoded", LIMIT, |job| job.progress.renditions.iter().any(|one| one.frames_done > 0))
        .await;
    let reported = |state: &str, reason: &str| {
        let is_it = |body: &Value| body["state"] == state && body["reason"] == reason;
        proxy.remembered().iter().any(|request| call_of(request) == "state" && body_of(request).is_some_and(|body| is_it(&body)))
    };
    let until = Instant::now() + LIMIT;
    while !reported("user_active", SOMEONE) {
        assert!(Instant::now() < until, "that somebody is there is not reported");
        // It is theirs for as long as they go on.
        display.touch(Touch::Key);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // A film begins.
    logind.inhibit(PROGRAM);
    while !reported("presenting", PRESENTING) {
        assert!(Instant::now() < until, "that a film is shown is not reported");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    logind.uninhibit();
    system.client.completed(&job.id, LIMIT).await;

    let (mut wrong, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for request in proxy.remembered() {
        let (headers, body) = taken_apart(&request);
        wrong.extend(headers.into_iter().filter(|name| !HEADERS.contains(&name.as_str())).map(|name| format!("header {name}")));
        let call = call_of(&request);
        match body_of(&request) {
            Some(body) => wrong.extend(wrong_with(&call, &body)),
            // Media, which is sent to where it is stored, and what asks without saying anything.
            None if body.is_empty() || request.line.starts_with("PUT ") => {}
            None => {
                wrong.insert(format!("{}: {} bytes that are no JSON", request.line, body.len()));
            }
        }
        // Whatever a request says is in its body, but for addresses that the server itself gave out.
        if request.line.starts_with("POST ") && request.line.contains('?') {
            wrong.insert(format!("what {} has after its path", request.line));
        }
        seen.insert(call);
    }
    assert!(wrong.is_empty(), "PRIVACY.md does not name {wrong:#?}");
    for call in ["enrol", "state", "leases", "heartbeat", "upload-urls", "commit", "complete"] {
        assert!(seen.contains(call), "no {call} was recorded, of {seen:?}");
    }
    // The page and this test name the same.
    let page = std::fs::read_to_string(workspace().join("PRIVACY.md")).expect("the page");
    for (call, keys) in documented() {
        for key in keys.iter().filter(|key| !["missing", "blame", "log_tail"].contains(key)) {
            assert!(page.contains(&format!("`{key}`")), "PRIVACY.md says nothing of {key} ({call})");
        }
    }
}

/// The last part of its path.
fn call_of(request: &Request) -> String {
    request.line.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
}

/// What it says, where that is JSON.
fn body_of(request: &Request) -> Option<Value> {
    serde_json::from_slice(&taken_apart(request).1).ok()
}

/// Names of the headers in lower case, and the body.
fn taken_apart(request: &Request) -> (Vec<String>, Vec<u8>) {
    let end = request.bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole request");
    let head = String::from_utf8_lossy(&request.bytes[..end]).into_owned();
    let names = head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_ascii_lowercase());
    (names.collect(), request.bytes[end + 4..].to_vec())
}

fn collect(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                keys.insert(key.clone());
                collect(value, keys);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}
