//! The running server keeps what its description promises: schemathesis asks it for everything in ways that fit and ways that
//! do not.

use std::{process::Command, time::Duration};

use offpeak_tests::{programs::workspace, sources, system::System};

/// The tool is told to stop after a minute; starting and stopping it take some seconds, more on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_asked_finds_a_difference() {
    let tool = workspace().join(".offpeak/python/bin/schemathesis");
    assert!(tool.exists(), "{} is missing: run `cargo xtask setup --test`", tool.display());
    // Nobody works: jobs stay as they were made. What counts is the answers, and thousands of them.
    let system = System::start_with(0, &[("OFFPEAK_REQUESTS_PER_MINUTE", "0"), ("RUST_LOG", "warn")]).await;
    system.client.put_profile(&sources::small_profile()).await;
    let mut command = Command::new(tool);
    command
        .current_dir(system.scratch())
        .arg("--config-file")
        .arg(workspace().join("openapi/tools/schemathesis.toml"))
        .args(["run", "--no-color", "--seed"])
        // The same questions each time; others with OFFPEAK_SEED.
        .arg(std::env::var("OFFPEAK_SEED").unwrap_or_else(|_| "1".to_owned()))
        .arg(system.client.server().join("openapi.json").expect("an address").as_str())
        .env("OFFPEAK_TOKEN", system.client.token())
        .env("OFFPEAK_AGENT_TOKEN", system.server_says(&["token", "create", "--name", "asker", "--kind", "agent"]))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", workspace().join("openapi/tools"))
        .env("NO_PROXY", "127.0.0.1");
    let mut command = tokio::process::Command::from(command);
    let ran = tokio::time::timeout(LIMIT, command.kill_on_drop(true).output()).await.expect("schemathesis ends");
    let ran = ran.expect("schemathesis starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("No issues found"), "{stdout}");
}
