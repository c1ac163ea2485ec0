//! Uploads that are cut, refused, forgotten and changed; jobs that are watched to either end.

use offpeak_api::{
    ids::AgentId,
    job::{JobError, JobSource, JobState, TaskFailure},
};

use crate::{
    ended,
    fake::{Fake, Trouble},
    film, offpeak, run,
};

/// Longer than one request, so that requests must follow each other.
const LONG: usize = 40 << 20;

#[tokio::test]
async fn a_cut_upload_goes_on_where_the_server_stopped() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let film = film(LONG);
    std::fs::write(folder.path().join("film.mov"), &film).unwrap();
    fake.world().troubles.extend([Trouble::CutAfter(5_000_000), Trouble::Busy]);
    fake.world().readings.push_back(fake.job_in(JobState::Queued, 0.0));

    let args = ["submit", "film.mov", "--priority", "7", "--meta", "title=Harbour", "--meta", "cut=a=b"];
    let ran = run(&fake, folder.path(), &args).await;

    assert_eq!(ran.code, Some(0), "{ran:?}");
    let world = fake.world();
    assert!(world.received == film, "the bytes that arrived are others");
    assert_eq!(world.uploads_created, 1);
    assert_eq!(world.patches[..2], [0, 5_000_000]);
    assert_eq!(world.filename, "filename ZmlsbS5tb3Y=");
    let created = world.created.as_ref().unwrap();
    assert_eq!(created.source, JobSource::Upload(world.upload.as_ref().unwrap().0.clone()));
    assert_eq!((created.priority, created.metadata["title"].as_str(), created.metadata["cut"].as_str()), (7, "Harbour", "a=b"));
    assert!(ran.stdout.contains(world.readings[0].id.as_str()), "{ran:?}");
}

#[tokio::test]
async fn the_same_command_resumes_an_upload_of_an_earlier_run() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let film = film(3_000_000);
    std::fs::write(folder.path().join("film.mov"), &film).unwrap();
    fake.world().troubles.push_back(Trouble::RefuseAfter(1_000_000));
    fake.world().readings.push_back(fake.job_in(JobState::Queued, 0.0));

    let first = run(&fake, folder.path(), &["submit", "film.mov"]).await;
    assert_eq!(first.code, Some(1), "{first:?}");
    assert!(first.stderr.contains("The team's quota is used up. (quota)\nhint: Ask."), "{first:?}");

    let second = run(&fake, folder.path(), &["submit", "film.mov"]).await;
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.stderr.contains("going on from 1.0 MB"), "{second:?}");
    {
        let world = fake.world();
        assert!(world.received == film);
        assert_eq!((world.uploads_created, world.patches.as_slice()), (1, &[0, 1_000_000][..]));
    }

    // The job exists: the third run is a new upload.
    let third = run(&fake, folder.path(), &["submit", "film.mov"]).await;
    assert_eq!((third.code, fake.world().uploads_created), (Some(0), 2));
}

#[tokio::test]
async fn an_upload_that_the_server_dropped_starts_again() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let film = film(LONG);
    std::fs::write(folder.path().join("film.mov"), &film).unwrap();
    fake.world().troubles.extend([Trouble::CutAfter(2_000_000), Trouble::Forget]);
    fake.world().readings.push_back(fake.job_in(JobState::Queued, 0.0));
    let ran = run(&fake, folder.path(), &["submit", "film.mov"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(fake.world().uploads_created, 2);
    assert!(fake.world().received == film);
}

#[tokio::test]
async fn a_copy_that_differs_is_not_submitted() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("film.mov"), film(100_000)).unwrap();
    fake.world().wrong_sha256 = Some("00".repeat(32));
    let ran = run(&fake, folder.path(), &["submit", "film.mov"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("is not what is on disk now"), "{ran:?}");
    assert!(fake.world().created.is_none());
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_uploaded() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("film.mov"), film(1000)).unwrap();
    for (args, code, said) in [
        (&["submit", "film.mov", "--profile", "nope"][..], 1, "There is no profile `nope`. (unknown_profile)"),
        (&["submit", "absent.mov"], 1, "absent.mov: No such file"),
        (&["submit", "."], 1, "is not a file"),
        (&["submit", "film.mov", "--priority", "10"], 2, "10 is not in 0..=9"),
        (&["submit", "film.mov", "--meta", "novalue"], 2, "expected KEY=VALUE"),
        (&["show", "lease_01J8ZC5V2M0N6QW3T7RX9KPEHD"], 2, "expected an identifier like job_"),
        (&["jobs", "--url", "ftp://a"], 2, "must begin with http"),
        (&["jobs", "--token", "wrong"], 1, "hint: set OFFPEAK_TOKEN"),
        (&["jobs", "--url", "http://127.0.0.1:1"], 1, "cannot reach the server at http://127.0.0.1:1"),
    ] {
        let ran = run(&fake, folder.path(), args).await;
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{args:?}: {ran:?}");
    }
    assert_eq!(fake.world().uploads_created, 0);
}

#[tokio::test]
async fn an_address_is_left_to_the_farm() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    fake.world().readings.push_back(fake.job_in(JobState::Queued, 0.0));
    let ran = run(&fake, folder.path(), &["submit", "https://films.example/a.mov", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let world = fake.world();
    assert_eq!(world.created.as_ref().unwrap().source, JobSource::Url("https://films.example/a.mov".to_owned()));
    let printed: offpeak_api::job::Job = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((printed.id, world.uploads_created), (world.readings[0].id.clone(), 0));
}

#[tokio::test]
async fn a_watched_job_ends_with_its_addresses() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("film.mov"), film(1000)).unwrap();
    let done = fake.finished_with(film(10));
    {
        let mut world = fake.world();
        let mut running = done.clone();
        running.state = JobState::Encoding;
        running.progress.fraction = 0.42;
        running.eta_seconds = Some(80);
        running.eta_p90_seconds = Some(500);
        // Creation answers with the first, and watching reads it again.
        world.readings.push_front(running);
    }
    let ran = run(&fake, folder.path(), &["submit", "film.mov", "--watch"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("encoding, 42 %, about 1 min 20 s left, at most 9 min"), "{ran:?}");
    assert!(ran.stdout.contains(done.outputs.hls.as_ref().unwrap()), "{ran:?}");
    assert!(ran.stdout.contains("film.mp4, 10 B"), "{ran:?}");
}

#[tokio::test]
async fn a_failed_job_says_why() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), b"no film").unwrap();
    let mut failed = fake.job_in(JobState::Failed, 0.1);
    failed.error = Some(JobError {
        code: "not_a_video".to_owned(),
        message: "This is a text file. Submit a video.".to_owned(),
        log_tail: vec!["Invalid data found".to_owned()],
        failures: vec![TaskFailure {
            agent: AgentId::new(),
            agent_name: "desk 7".to_owned(),
            task_kind: "encode".to_owned(),
            first: 12,
            last: 18,
            code: "ffmpeg_crashed".to_owned(),
            message: "ffmpeg crashed.".to_owned(),
            log_tail: vec!["Segmentation fault".to_owned()],
            at: failed.created_at,
        }],
    });
    fake.world().readings.push_back(failed.clone());
    let ran = run(&fake, folder.path(), &["submit", "notes.txt", "--watch"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for said in [
        &format!("error: {} failed", failed.id),
        "This is a text file. Submit a video. (not_a_video)",
        "    segments 12..18 (encode) failed on desk 7 (",
        "): ffmpeg crashed. (ffmpeg_crashed)",
        "        Segmentation fault",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {ran:?}");
    }
}

/// A terminal's Ctrl-C.
#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_watch_says_how_to_come_back() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let job = fake.job_in(JobState::Encoding, 0.5);
    fake.world().readings.push_back(job.clone());
    let child = offpeak(&fake, folder.path(), &["show", job.id.as_str(), "--watch"]).spawn().unwrap();
    // Two readings: by then it waits for the next, with the signal handler in place.
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while fake.world().job_reads < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ran = ended(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.stderr.contains(&format!("offpeak show {} --watch", job.id)), "{ran:?}");
}
