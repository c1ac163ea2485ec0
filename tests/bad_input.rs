//! Bad input gets a clear error, or a failed job with a reason that a person can act on; nothing hangs, and the engines that
//! met it work on.

use std::{path::Path, time::Duration};

use offpeak_api::{
    ids::SourceId,
    job::{Job, JobSource, JobState},
};
use offpeak_tests::{
    client::{Client, Refused, answer, send},
    frames::Frames,
    programs::run_ffmpeg,
    reference,
    sound::Recording,
    sources,
    stream::Stream,
    system::{System, free_port},
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

/// Looking at a file takes seconds; an address that is down is tried again for a while.
const LIMIT: Duration = Duration::from_secs(180);

const SMALL_FILM: &str = "-f lavfi -i testsrc2=size=192x108:rate=25:duration=12 \
                          -f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=48000:duration=12 \
                          -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_film_fails_with_a_reason() {
    let system = System::start(2).await;
    let folder = system.scratch();
    let profile = sources::small_profile();
    system.client.put_profile(&profile).await;
    let mut jobs = Vec::new();
    for (name, code) in make_bad_files(&folder).await {
        let job = system.client.submit(&folder.join(name), &profile.name).await;
        jobs.push((name, code, job.id));
    }
    for (name, code, id) in jobs {
        let job = system.client.failed(&id, LIMIT).await;
        let error = job.error.as_ref().unwrap_or_else(|| panic!("{name}: failed without an error: {job:#?}"));
        assert_eq!(error.code, code, "{name}: {error:?}");
        is_for_people(name, &error.message);
        assert!(job.ended_at.is_some() && job.progress.agents.is_empty(), "{name}: {job:#?}");
    }
    // Whoever met all that is as good as before.
    run_ffmpeg(&folder, &format!("{SMALL_FILM} good.mp4")).await;
    let good = system.client.submit(&folder.join("good.mp4"), &profile.name).await;
    system.client.completed(&good.id, LIMIT).await;
}

/// Files that cannot be encoded, and the code that says why.
async fn make_bad_files(folder: &Path) -> Vec<(&'static str, &'static str)> {
    let write = |name: &str, data: &[u8]| std::fs::write(folder.join(name), data).expect("the file can be written");
    write("empty.mp4", b"");
    write("letter.txt", "Dear reader,\nthis is no film.\n".repeat(50).as_bytes());
    write("noise.mp4", &(0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>());

    run_ffmpeg(folder, &format!("{SMALL_FILM} whole.mp4")).await;
    let whole = std::fs::read(folder.join("whole.mp4")).expect("ffmpeg wrote it");
    // The index is at the end, and cut off.
    write("no-moov.mp4", &whole[..whole.len() * 6 / 10]);

    run_ffmpeg(folder, "-f lavfi -i testsrc2=size=640x360 -frames:v 1 picture.png").await;
    run_ffmpeg(folder, "-f lavfi -i testsrc2=size=640x360 -frames:v 1 picture.jpg").await;
    let keys = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb \
                -encryption_kid a7e61c373e219033c21091fa607bf3b8";
    run_ffmpeg(folder, &format!("-i whole.mp4 -c copy {keys} encrypted.mp4")).await;
    // The last of 300 pictures is said to come after ten hours.
    run_ffmpeg(folder, "-f lavfi -i testsrc2=size=192x108:rate=25:duration=12 -c:v libx264 -preset veryfast -crf 35 small.mp4")
        .await;
    run_ffmpeg(folder, "-i small.mp4 -c copy -bsf:v setts=ts=if(gte(N\\,299)\\,36000/TB\\,TS) ten-hours.mp4").await;
    let bytes = std::fs::metadata(folder.join("ten-hours.mp4")).expect("ffmpeg wrote it").len();
    assert!(bytes < 300_000, "a film of ten hours in {bytes} bytes");
    write("huge-picture.avi", &huge_picture(folder).await);
    vec![
        ("empty.mp4", "empty_source"),
        ("letter.txt", "not_media"),
        ("noise.mp4", "not_media"),
        ("no-moov.mp4", "no_index"),
        ("picture.png", "still_image"),
        ("picture.jpg", "still_image"),
        ("encrypted.mp4", "encrypted"),
        ("ten-hours.mp4", "implausible_duration"),
        ("huge-picture.avi", "too_many_pixels"),
    ]
}

/// Small pictures whose headers, of container and pictures alike, say 16384 a side: what a decoder would make room for.
async fn huge_picture(folder: &Path) -> Vec<u8> {
    run_ffmpeg(folder, "-f lavfi -i testsrc2=size=208x112:rate=25:duration=2 -c:v mjpeg -pix_fmt yuvj420p -q:v 5 small.avi")
        .await;
    let mut data = std::fs::read(folder.join("small.avi")).expect("ffmpeg wrote it");
    let mut replace = |from: &[u8], to: &[u8]| {
        let found: Vec<usize> =
            data.windows(from.len()).enumerate().filter(|(_, part)| *part == from).map(|(at, _)| at).collect();
        assert!(!found.is_empty(), "nothing to replace: {from:?}");
        for at in found {
            data[at..at + to.len()].copy_from_slice(to);
        }
    };
    // BITMAPINFOHEADER: its size, width, height. JPEG's SOF0: length 17, 8 bits, height, width.
    replace(&[40, 0, 0, 0, 208, 0, 0, 0, 112, 0, 0, 0], &[40, 0, 0, 0, 0, 64, 0, 0, 0, 64, 0, 0]);
    replace(&[0xff, 0xc0, 0, 17, 8, 0, 112, 0, 208], &[0xff, 0xc0, 0, 17, 8, 64, 0, 64, 0]);
    data
}

/// More than a code: whole sentences, without what only its author understands.
fn is_for_people(name: &str, message: &str) {
    assert!(message.len() > 40 && message.contains(' ') && message.ends_with(['.', '!']), "{name}: {message}");
    for jargon in ["Error {", "os error", "panicked", "Some(", "unwrap"] {
        assert!(!message.contains(jargon), "{name}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_used_of_a_file_is_used() {
    let system = System::start(2).await;
    let folder = system.scratch();
    let profile = sources::lossless_profile();
    system.client.put_profile(&profile).await;
    run_ffmpeg(&folder, &format!("{SMALL_FILM} -movflags +faststart whole.mp4")).await;
    let whole = std::fs::read(folder.join("whole.mp4")).expect("ffmpeg wrote it");
    std::fs::write(folder.join("ends-early.mp4"), &whole[..whole.len() * 6 / 10]).expect("the file can be written");
    run_ffmpeg(&folder, "-f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=44100:duration=15 -ac 2 sound.mp3")
        .await;
    let ends_early = system.client.submit(&folder.join("ends-early.mp4"), &profile.name).await;
    let sound = system.client.submit(&folder.join("sound.mp3"), &profile.name).await;

    let job = system.client.completed(&ends_early.id, LIMIT).await;
    ends_early_is_exact(&system, &folder, &job).await;
    let job = system.client.completed(&sound.id, LIMIT).await;
    sound_alone_is_a_stream(&system, &folder, &job).await;
}

/// All pictures that are there, and a warning.
async fn ends_early_is_exact(system: &System, folder: &Path, job: &Job) {
    let warning = job.warnings.iter().find(|warning| warning.code == "source_ends_early");
    is_for_people("ends-early.mp4", &warning.unwrap_or_else(|| panic!("no warning: {job:#?}")).message);
    let source = folder.join("ends-early.mp4");
    let stream = Stream::fetch(&system.client, job).await;
    let (variant, track) = &stream.variants[0];
    let size = variant.resolution.expect("pictures have a size");
    let start = reference::presentation_start(&source).await;
    let expected = reference::pictures(&source, start, offpeak_api::media::Ratio::new(25, 1), false, &[size]).await;
    assert!((100..250).contains(&expected[0].len()), "about 6 in 10 of 300 pictures are left, not {}", expected[0].len());
    let frames = Frames::of_file(&track.write_joined(folder, "ends-early.joined.mp4")).await;
    assert_eq!(frames.difference(&expected[0], 50), None);
}

async fn sound_alone_is_a_stream(system: &System, folder: &Path, job: &Job) {
    let stream = Stream::fetch(&system.client, job).await;
    let [(variant, track)] = &stream.variants[..] else { panic!("one variant was expected: {:#?}", stream.multivariant) };
    assert_eq!((variant.resolution, variant.codecs.as_slice()), (None, ["mp4a.40.2".to_owned()].as_slice()));
    assert!(track.playlist.ended && track.segments.len() >= 7, "{:#?}", track.playlist);
    assert_eq!(track.first_gap(), None);
    let source = folder.join("sound.mp3");
    let expected = reference::sound(&source, reference::presentation_start(&source).await).await;
    let sound = Recording::of_file(&track.write_joined(folder, "sound.joined.mp4")).await;
    assert!(sound.len().abs_diff(expected.len()) <= 1024, "{} s of {} s", sound.seconds(), expected.seconds());
    for seconds in [0.05, 7.0, 14.0] {
        let lag = sound.lag_behind(&expected, seconds);
        assert!(lag.milliseconds().abs() <= 1.0 && lag.likeness > 0.7, "{lag:?} at {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_down_fails_the_job() {
    let system = System::start_with(1, &[("OFFPEAK_OUTBOUND_ALLOW", "127.0.0.1")]).await;
    let down = format!("http://127.0.0.1:{}/film.mp4", free_port());
    let missing = format!("{}nothing-here.mp4", system.client.server());
    let mut jobs = Vec::new();
    for address in [down, missing] {
        let job = system.client.create_job(JobSource::Url(address.clone()), "hls-h264").await;
        jobs.push((address, job.id));
    }
    for (address, id) in jobs {
        let job = system.client.failed(&id, LIMIT).await;
        let error = job.error.unwrap_or_else(|| panic!("{address}: no error"));
        assert_eq!(error.code, "fetch_failed", "{address}: {error:?}");
        is_for_people(&address, &error.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_fit_is_refused_at_once() {
    let system = System::start(0).await;
    let client = &system.client;
    let upload = client.begin_upload(1000).await;
    let response = send(client.append(&upload, 0, vec![0_u8; 400])).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let unfinished = offpeak_tests::client::source_of(&upload);

    let refused = client.try_create_job(JobSource::Upload(unfinished.clone()), "hls-h264").await;
    refused_as(refused, StatusCode::CONFLICT, "upload_unfinished");
    let refused = client.try_create_job(JobSource::Upload(SourceId::new()), "hls-h264").await;
    assert_eq!(refused.expect_err("there is no such upload").status, StatusCode::NOT_FOUND);

    let finished = client.upload_bytes(vec![1_u8; 100].into()).await;
    let refused = client.try_create_job(JobSource::Upload(finished.clone()), "no-such-profile").await;
    refused_as(refused, StatusCode::UNPROCESSABLE_ENTITY, "unknown_profile");
    for address in ["film.mp4", "ftp://example.com/film.mp4", "file:///etc/passwd", ""] {
        let refused = client.try_create_job(JobSource::Url(address.to_owned()), "hls-h264").await;
        refused_as(refused, StatusCode::UNPROCESSABLE_ENTITY, "bad_url");
    }

    let upload = json!({ "upload": finished });
    for body in [
        json!({}),
        json!([]),
        json!({ "source": "film.mp4" }),
        json!({ "source": { "upload": "src_short" } }),
        json!({ "source": { "upload": finished, "url": "http://example.com/" } }),
        json!({ "source": upload, "profile": 7 }),
        json!({ "source": upload, "priority": "high" }),
        json!({ "source": upload, "priority": -1 }),
        json!({ "source": upload, "prority": 5 }),
    ] {
        let refused = post_job(client, &body.to_string()).await.expect_err("the body does not fit");
        let told = (refused.status, refused.problem.code.as_str());
        assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, "invalid_body"), "{body}: {refused:?}");
        is_for_people(&body.to_string(), &format!("{}.", refused.problem.detail));
    }
    for text in ["", "{", "source=film.mp4", "{\"source\": }"] {
        let refused = post_job(client, text).await.expect_err("that is no JSON");
        assert_eq!((refused.status, refused.problem.code.as_str()), (StatusCode::BAD_REQUEST, "invalid_json"), "{text}");
    }
    let refused = post_job(client, &json!({ "source": upload, "priority": 10 }).to_string()).await;
    refused_as(refused, StatusCode::UNPROCESSABLE_ENTITY, "bad_priority");

    let anonymous = Client::new(client.server().clone(), "ofp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned());
    let refused = anonymous.try_create_job(JobSource::Upload(finished), "hls-h264").await;
    refused_as(refused, StatusCode::UNAUTHORIZED, "bad_token");
    let list = send(client.request(Method::GET, "/v1/jobs")).await;
    let list: offpeak_api::job::JobList = answer(list).await.expect("a list");
    assert!(list.jobs.iter().all(|job| job.state != JobState::Failed) && list.jobs.is_empty(), "{list:#?}");
}

async fn post_job(client: &Client, body: &str) -> Result<Value, Refused> {
    let request = client.request(Method::POST, "/v1/jobs").header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
    answer(send(request).await).await
}

fn refused_as<T: std::fmt::Debug>(result: Result<T, Refused>, status: StatusCode, code: &str) {
    let refused = result.expect_err(code);
    assert_eq!((refused.status, refused.problem.code.as_str()), (status, code), "{refused:?}");
    assert!(refused.problem.detail.len() > 10, "{refused:?}");
}
