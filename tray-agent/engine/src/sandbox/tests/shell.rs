//! A shell in the box: it can compute and print, and nothing else.

use super::*;

/// Runs a script behind all walls: how it ended, what it printed, and its complaints.
async fn script(text: &str) -> (Ended, String, Vec<String>) {
    let run = boxed(&sandbox(64 << 20), Path::new(SHELL), &["-c", text], Duration::from_secs(2)).await;
    (run.ended, printed(&run), run.log.lines())
}

#[tokio::test]
async fn computing_and_printing_is_allowed() {
    let (ended, text, log) = script("n=6; echo $((n * 7))").await;
    assert_eq!((ended, text.as_str()), (Ended::Well, "42\n"), "{log:?}");
}

#[tokio::test]
async fn files_of_the_machine_are_out_of_reach() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret").expect("a file");
    let ours = std::env::current_exe().expect("this program");
    for file in [Path::new("/etc/passwd"), &secret, &ours, Path::new("/proc/self/environ"), Path::new("/dev/zero")] {
        let (_, text, log) = script(&format!("read -r line < {}; echo got $line", file.display())).await;
        assert_eq!(text.replace("got", "").trim(), "", "{}: {text}", file.display());
        assert!(log.iter().any(|line| line.contains("Permission denied")), "{}: {log:?}", file.display());
    }
    // What it is made of it can read: that is how it began.
    assert_eq!(script(&format!("read -r line < {SHELL}; echo ok")).await.1, "ok\n");
}

#[tokio::test]
async fn nothing_can_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("a folder");
    let file = folder.path().join("file");
    let kept = folder.path().join("kept");
    std::fs::write(&kept, "kept").expect("a file");
    for how in [">", ">>", ">|"] {
        for target in [&file, &kept] {
            let (_, _, log) = script(&format!("echo x {how} {}", target.display())).await;
            assert!(!log.is_empty(), "{how} {}", target.display());
        }
    }
    assert!(!file.exists());
    assert_eq!(std::fs::read_to_string(kept).expect("it is there"), "kept");
}

#[tokio::test]
async fn no_process_can_be_started() {
    for text in ["/bin/true", "(echo child)", "echo $(echo child)", "echo child | cat", "echo child &"] {
        let (ended, text_out, log) = script(text).await;
        assert_ne!(ended, Ended::Well, "{text}: {text_out} {log:?}");
        assert!(log.iter().any(|line| line.to_lowercase().contains("fork")), "{text}: {log:?}");
        assert!(!text_out.contains("child"), "{text}: {text_out}");
    }
}

#[tokio::test]
async fn no_other_program_can_take_its_place() {
    for program in ["/bin/true", SHELL, "/usr/bin/env"] {
        let (ended, text, log) = script(&format!("exec {program} -c 'echo another'")).await;
        assert_ne!(ended, Ended::Well, "{program}: {log:?}");
        assert!(!text.contains("another"), "{program}: {text}");
    }
}

#[tokio::test]
async fn no_signal_reaches_another_process() {
    let mut victim = std::process::Command::new("/bin/sleep").arg("60").spawn().expect("it starts");
    let (_, text, log) =
        script(&format!("kill -9 {} && echo killed; kill -9 {} && echo killed", victim.id(), std::process::id())).await;
    assert_eq!(text, "", "{log:?}");
    assert!(victim.try_wait().expect("it is ours").is_none(), "the victim lives");
    victim.kill().expect("it is ours");
    victim.wait().expect("it is gone");
}

#[tokio::test]
async fn endless_work_is_ended_and_said_so() {
    let (ended, _, _) = script("while :; do :; done").await;
    assert_eq!(ended, Ended::OverTime);
}

#[tokio::test]
async fn memory_has_an_end() {
    let (ended, text, log) = script("x=0123456789abcdef; while :; do x=$x$x; done; echo all").await;
    assert_ne!(ended, Ended::Well);
    assert_eq!(text, "", "{log:?}");
    // Not because of the time that it took.
    assert_ne!(ended, Ended::OverTime, "{log:?}");
}
