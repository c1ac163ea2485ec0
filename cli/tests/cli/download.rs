//! Downloads that break, resume, and are checked.

use crate::{fake::Fake, film, run};

#[tokio::test]
async fn a_broken_download_goes_on_by_range() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let film = film(1_000_000);
    let job = fake.finished_with(film.clone());
    fake.world().break_download_after = Some(300_000);
    let ran = run(&fake, folder.path(), &["download", job.id.as_str(), "-o", "out.mp4"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(std::fs::read(folder.path().join("out.mp4")).unwrap() == film);
    assert_eq!(fake.world().ranges, ["bytes=0-", "bytes=300000-"]);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["out.mp4"]);

    // Again: it is there already, and nothing is fetched.
    let again = run(&fake, folder.path(), &["download", job.id.as_str(), "-o", "out.mp4"]).await;
    assert_eq!((again.code, fake.world().ranges.len()), (Some(0), 2), "{again:?}");
    // Another file of that name is not overwritten.
    std::fs::write(folder.path().join("film.mp4"), b"mine").unwrap();
    let refused = run(&fake, folder.path(), &["download", job.id.as_str()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join("film.mp4")).unwrap(), b"mine");
}

#[tokio::test]
async fn a_part_of_an_earlier_run_is_kept_and_a_broken_one_deleted() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let film = film(500_000);
    let job = fake.finished_with(film.clone());
    let part = folder.path().join(format!("film.mp4.{}.part", &job.outputs.files[0].sha256[..12]));

    std::fs::write(&part, &film[..200_000]).unwrap();
    let ran = run(&fake, folder.path(), &["download", job.id.as_str(), "--file", "film.mp4"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(fake.world().ranges, ["bytes=200000-"]);
    assert!(std::fs::read(folder.path().join("film.mp4")).unwrap() == film);
    std::fs::remove_file(folder.path().join("film.mp4")).unwrap();

    std::fs::write(&part, vec![7; 200_000]).unwrap();
    let ran = run(&fake, folder.path(), &["download", job.id.as_str()]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("film.mp4 came broken"), "{ran:?}");
    assert!(!part.exists() && !folder.path().join("film.mp4").exists());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let job = fake.finished_with(film(10));
    let ran = run(&fake, folder.path(), &["download", job.id.as_str(), "--file", "x.mp4"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("has no file `x.mp4`; there is: film.mp4"), "{ran:?}");
}
