//! Storage may be a bucket: engines and players then move every byte past the server, a bad day of the bucket costs nothing,
//! and what is in it plays without the server.

use std::time::Duration;

use offpeak_api::profile::{FileContainer, FileProfile, Profile};
use offpeak_backends::S3Server;
use offpeak_tests::{
    exact,
    history::{History, Step},
    sources,
    stream::Stream,
    system::System,
};
use url::Url;

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_film_goes_through_a_bucket_and_plays_from_it() {
    let bucket = S3Server::start().await.expect("an S3 server starts");
    let storage = bucket.storage_url("farm");
    let mut settings = vec![("OFFPEAK_STORAGE", storage.as_str())];
    settings.extend(S3Server::variables());
    let system = System::start_with(2, &settings).await;
    let film = FileProfile { name: "film.mp4".to_owned(), container: FileContainer::Mp4, height: None };
    let profile = Profile { name: "test-bucket".to_owned(), files: vec![film], ..sources::lossless_profile() };
    system.client.put_profile(&profile).await;
    let recipe = sources::recipes().remove(0);
    let source = recipe.make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;

    // From the first segment on the bucket has a bad day.
    let committed = |event| matches!(Step::read(event), Step::Committed(_));
    system.client.each_event(&job.id, |event| !committed(event)).await;
    bucket.faults().slow_down(4);
    bucket.faults().lose_answers(3);
    let job = system.client.completed(&job.id, LIMIT).await;
    assert_eq!(bucket.faults().left(), 0, "the bad day was one");

    let mut wrong = exact::differences(&system, &recipe, &source, &job).await;
    let history = History::of(&system.client, &job.id).await;
    wrong.extend(history.wrong());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!system.storage().exists(), "the server keeps nothing in a folder");

    // The same, by somebody who knows only the bucket.
    bucket.make_public();
    let mut there = job.clone();
    let playlist = format!("{}farm/jobs/{}/multivariant.m3u8", bucket.public_url(), job.id);
    there.outputs.hls = Some(playlist);
    let (through_the_server, from_the_bucket) =
        (Stream::fetch(&system.client, &job).await, Stream::fetch(&system.client, &there).await);
    for ((_, told), (_, found)) in through_the_server.variants.iter().zip(&from_the_bucket.variants) {
        assert_eq!(found.address.port(), bucket.endpoint().parse::<Url>().expect("an address").port());
        assert!(told.segments == found.segments && told.init == found.init, "{} is the same there", found.address);
    }
    let manifest = bucket.path(&format!("farm/jobs/{}/manifest.mpd", job.id));
    assert_eq!(std::fs::read(manifest).expect("it is there"), {
        system.client.media(job.outputs.dash.as_ref().expect("it has one")).await
    });

    // A file is one object, and a deleted job leaves none.
    let file = job.outputs.files.first().expect("the film was made");
    let film = system.client.media(&file.url).await;
    assert_eq!(film.len() as u64, file.bytes);
    let answer = system.client.request(reqwest::Method::DELETE, &format!("/v1/jobs/{}", job.id)).send().await.expect("an answer");
    assert!(answer.status().is_success());
    let sources = format!("farm/sources/{}", job.source);
    assert_eq!(bucket.keys(), ["farm/health/ready".to_owned(), sources]);
    assert_eq!(bucket.open_uploads(), 0);
}
