//! Reading commands: lists that span pages, details, profiles.

use offpeak_api::{
    facts::Warning,
    job::{Job, JobError, JobState},
};

use crate::{fake::Fake, run};

#[tokio::test]
async fn lists_follow_pages_up_to_the_limit() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let jobs: Vec<Job> = (0..3).map(|n| fake.job_in(JobState::Encoding, f64::from(n) / 10.0)).collect();
    fake.world().readings.extend(jobs.clone());
    let ran = run(&fake, folder.path(), &["jobs", "--state", "encoding,failed", "--limit", "2", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let listed: Vec<Job> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(listed, jobs[..2]);
    assert_eq!(fake.world().queries, ["state=encoding%2Cfailed&limit=2", "state=encoding%2Cfailed&cursor=page1&limit=1"]);
}

#[tokio::test]
async fn people_are_told_how_long_it_takes() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut waits = fake.job_in(JobState::Queued, 0.0);
    (waits.eta_seconds, waits.eta_p90_seconds) = (Some(230), Some(540));
    let mut runs = fake.job_in(JobState::Encoding, 0.5);
    (runs.eta_seconds, runs.eta_p90_seconds, runs.progress.throughput) = (Some(42), Some(42), 2.44);
    let unknown = fake.job_in(JobState::Probing, 0.01);
    fake.world().readings.extend([waits, runs.clone(), unknown]);
    let ran = run(&fake, folder.path(), &["jobs"]).await;
    for said in [
        "queued, waiting for an engine, about 4 min left, at most 9 min\n",
        "encoding, 50 %, about 45 s left, at most 45 s\n",
        "probing, 1 %\n",
    ] {
        assert!(ran.stdout.contains(said), "{said:?} in {ran:?}");
    }
    let id = runs.id.clone();
    fake.world().readings = [runs].into();
    let ran = run(&fake, folder.path(), &["show", id.as_str()]).await;
    assert!(ran.stdout.contains("  speed     2.4 times as fast as it plays"), "{ran:?}");
}

#[tokio::test]
async fn details_and_profiles_are_text_for_people() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let job = fake.job_in(JobState::Cancelled, 0.3);
    fake.world().readings.push_back(job.clone());
    for (args, said) in [
        (&["show", job.id.as_str()][..], format!("{}  cancelled after 0 s\n  profile   hls-h264, priority 5", job.id)),
        (&["cancel", job.id.as_str()], format!("{} cancelled", job.id)),
        (&["profiles", "hls-h264"], "hls-h264 (built in)\n  A ladder in H.264\n   1080p  H.264, at most 5000 kbit/s".to_owned()),
    ] {
        let ran = run(&fake, folder.path(), args).await;
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        assert!(ran.stdout.starts_with(&said), "{args:?}: {ran:?}");
    }
}

/// What comes from machines, files and other people is shown, and orders the terminal nothing.
#[tokio::test]
async fn words_of_others_order_a_terminal_nothing() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let hostile = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\nerror: made up".to_owned();
    let mut job = fake.job_in(JobState::Failed, 0.3);
    job.metadata.insert("title".to_owned(), hostile.clone());
    job.warnings.push(Warning { code: "odd".to_owned(), message: hostile.clone() });
    job.error =
        Some(JobError { code: "odd".to_owned(), message: hostile.clone(), log_tail: vec![hostile.clone()], failures: vec![] });
    let id = job.id.as_str();
    for args in [&["show", id][..], &["show", id, "--json"], &["show", id, "--watch"], &["jobs"], &["jobs", "--json"]] {
        fake.world().readings = [job.clone()].into();
        fake.world().queries.clear();
        let ran = run(&fake, folder.path(), args).await;
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("owned"), "{args:?}: {ran:?}");
        assert!(said.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{args:?}: {said:?}");
        assert!(!said.lines().any(|line| line.trim_start().starts_with("error: made up")), "{args:?}: {said}");
        if args.contains(&"--json") {
            assert!(said.contains("\\u001b]0;owned\\u0007\\u009b2J\\u202e\\nerror"), "{said}");
        }
    }
}
