//! `offpeak-server` at a terminal: tokens with scopes, links for people.

use std::process::{Command, Output};

use tempfile::TempDir;

fn run(folder: &TempDir, args: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offpeak-server"));
    command.args(args).current_dir(folder.path()).env_remove("OFFPEAK_DATABASE_URL").env_remove("OFFPEAK_STORAGE");
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

#[test]
fn the_terminal_gives_tokens_for_what_they_are_needed_for() {
    let folder = tempfile::tempdir().unwrap();
    let (done, token, _) =
        run(&folder, &["token", "create", "--name", "x", "--scope", "jobs:read,jobs:write", "--expires", "30"]);
    assert!(done && token.starts_with("ofp_") && token.trim().len() == 36, "{token:?}");
    let (done, token, _) = run(&folder, &["token", "create", "--name", "x", "--team", "default"]);
    assert!(done && token.starts_with("ofp_"), "{token:?}");
    let (done, _, told) = run(&folder, &["token", "create", "--name", "x", "--scope", "everything"]);
    assert!(!done && told.contains("jobs:read"), "{told}");
    let (done, _, told) = run(&folder, &["token", "create", "--name", "x", "--team", "nowhere"]);
    assert!(!done && told.contains("There is no team nowhere"), "{told}");
}

#[test]
fn the_terminal_lets_people_in() {
    let folder = tempfile::tempdir().unwrap();
    let (done, link, _) = run(&folder, &["people", "setup"]);
    assert!(done && link.starts_with("http://127.0.0.1:7070/setup?code=ofl_"), "{link:?}");
    let (done, _, told) = run(&folder, &["people", "reset", "ada@example.com"]);
    assert!(!done && told.contains("There is no person ada@example.com"), "{told}");
}
