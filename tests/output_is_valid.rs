//! What comes out is what the standards ask for: decoders have nothing to say, playlists satisfy RFC 8216, the manifest names
//! the same files, and caches and players get the headers that they need.

use std::{path::Path, time::Duration};

use offpeak_api::job::{Job, JobState};
use offpeak_tests::{
    client::send,
    playlist::{MediaPlaylist, Multivariant},
    programs::{run_ffmpeg, run_ffprobe},
    sources,
    stream::{Stream, Track},
    system::System,
};
use reqwest::{Method, StatusCode, header};
use url::Url;

const LIMIT: Duration = Duration::from_secs(240);
/// Rates are announced in whole bits a second, durations to the microsecond.
const ROUNDING: f64 = 1.001;

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_is_a_valid_stream() {
    let system = System::start(2).await;
    let job = make_small_film(&system).await;
    let stream = Stream::fetch(&system.client, &job).await;
    assert_eq!(stream.variants.len(), 2, "{:#?}", stream.multivariant);
    let audio = stream.audio.as_ref().expect("the film has sound");

    playlists_are_complete(&stream, audio);
    bit_rates_are_true(&stream, audio);
    decoders_are_silent(&system, &job, &stream).await;
    the_manifest_names_the_same_files(&system, &job, &stream).await;
    headers_suit_players_and_caches(&system, &job, &stream).await;
    a_deleted_job_leaves_nothing(&system, &job, &stream).await;
}

async fn make_small_film(system: &System) -> Job {
    let profile = sources::small_profile();
    system.client.put_profile(&profile).await;
    let source = sources::recipe("open-gop.mp4").make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;
    system.client.completed(&job.id, LIMIT).await
}

fn playlists_are_complete(stream: &Stream, audio: &Track) {
    assert!(stream.multivariant.independent_segments);
    for (variant, track) in &stream.variants {
        assert_eq!(variant.audio.as_deref(), Some(stream.multivariant.audio[0].group.as_str()));
        assert_eq!(variant.frame_rate, Some(25.0));
        assert_eq!(variant.codecs, [track.header.codec.as_str(), "mp4a.40.2"]);
    }
    for track in stream.variants.iter().map(|(_, track)| track).chain([audio]) {
        let playlist = &track.playlist;
        assert!(playlist.ended && playlist.kind.as_deref() == Some("VOD"), "{playlist:?}");
        assert_eq!(playlist.segments.len(), 10, "20 s in segments of 2 s");
        assert_eq!((track.first_gap(), track.wrong_durations()), (None, vec![]));
        // A quarter second is one fragment of sound.
        let mut at = 0.0;
        for (index, segment) in playlist.segments.iter().enumerate() {
            assert!((at - 2.0 * index as f64).abs() < 0.3, "segment {index} of {} begins at {at} s", track.address);
            at += segment.seconds;
        }
    }
}

/// Section 4.3.4.2: BANDWIDTH is at least the rate of any stretch of segments, AVERAGE-BANDWIDTH that of the whole.
fn bit_rates_are_true(stream: &Stream, audio: &Track) {
    let peak = |track: &Track| {
        let rates =
            track.segments.iter().zip(&track.playlist.segments).map(|(data, told)| data.len() as f64 * 8.0 / told.seconds);
        // A stretch as long as half the target duration counts; a short last segment is none by itself.
        let long = track.playlist.target_duration as f64 / 2.0;
        let counted = rates.zip(&track.playlist.segments).filter(|(_, told)| told.seconds >= long).map(|(rate, _)| rate);
        counted.fold(0.0, f64::max)
    };
    let mean = |track: &Track| {
        let bytes: usize = track.segments.iter().map(bytes::Bytes::len).sum();
        bytes as f64 * 8.0 / track.playlist.seconds()
    };
    for (variant, track) in &stream.variants {
        let (told, least) = (variant.bandwidth as f64, peak(track) + peak(audio));
        assert!(told * ROUNDING >= least && told <= least * 1.5, "BANDWIDTH={told}, and the peak is {least}");
        let (told, is) = (variant.average_bandwidth.expect("an average") as f64, mean(track) + mean(audio));
        assert!((told / is - 1.0).abs() < 0.02, "AVERAGE-BANDWIDTH={told}, and the mean is {is}");
        assert!(variant.bandwidth >= variant.average_bandwidth.unwrap_or_default());
    }
}

/// ffprobe and a decode of everything print no warning: of the stream over HTTP, each rendition as a file, and the film.
async fn decoders_are_silent(system: &System, job: &Job, stream: &Stream) {
    let folder = system.scratch();
    let hls = job.outputs.hls.as_ref().expect("an HLS output");
    let said = run_ffmpeg(&folder, &format!("-i {hls} -map 0 -f null -")).await.stderr;
    assert_eq!(said, "", "decoding {hls}");
    let ran = run_ffprobe(&folder, &format!("-v warning -show_entries stream=codec_name,width,height -of csv=p=0 {hls}")).await;
    assert_eq!(ran.stderr, "");
    let mut streams: Vec<&str> = ran.text().lines().filter(|line| !line.is_empty()).collect();
    streams.sort_unstable();
    streams.dedup();
    assert_eq!(streams, ["aac", "h264,214,120", "h264,384,216"]);

    for (index, (_, track)) in stream.variants.iter().enumerate() {
        decodes_in_silence(&track.write_joined(&folder, &format!("rung-{index}.mp4")), 500).await;
    }
    decodes_in_silence(&stream.audio.as_ref().expect("sound").write_joined(&folder, "sound.mp4"), 0).await;

    let [film] = &job.outputs.files[..] else { panic!("one file was asked for: {:#?}", job.outputs) };
    let data = system.client.media(&film.url).await;
    assert_eq!((film.name.as_str(), film.content_type.as_str(), data.len() as u64), ("film.mp4", "video/mp4", film.bytes));
    is_fast_start(&data);
    std::fs::write(folder.join("film.mp4"), &data).expect("the film can be written");
    decodes_in_silence(&folder.join("film.mp4"), 500).await;
}

/// Decodes a file without a word, to so many pictures.
pub async fn decodes_in_silence(path: &Path, pictures: usize) {
    let folder = path.parent().expect("a file lies in a folder");
    let said = run_ffmpeg(folder, &format!("-i {} -map 0 -f null -", path.display())).await.stderr;
    assert_eq!(said, "", "decoding {}", path.display());
    let words =
        format!("-v warning -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 {}", path.display());
    let ran = run_ffprobe(folder, &words).await;
    assert_eq!(ran.stderr, "", "probing {}", path.display());
    let counted: usize = ran.text().trim().trim_end_matches(',').parse().unwrap_or_default();
    assert_eq!(counted, pictures, "{}", path.display());
}

/// The index comes before the media, so that playing can begin at once.
pub fn is_fast_start(film: &[u8]) {
    let place = |kind: &[u8; 4]| film.windows(4).position(|window| window == kind);
    let (index, media) = (place(b"moov").expect("an index"), place(b"mdat").expect("media"));
    assert!(index < media, "the index comes after the media");
}

/// The DASH manifest is XML that names each segment of the HLS stream, and no other.
async fn the_manifest_names_the_same_files(system: &System, job: &Job, stream: &Stream) {
    let address = Url::parse(job.outputs.dash.as_ref().expect("a DASH output")).expect("an address");
    let manifest = String::from_utf8(system.client.media(address.as_str()).await.to_vec()).expect("UTF-8");
    assert!(manifest.contains("type=\"static\"") && manifest.contains("urn:mpeg:dash:schema:mpd:2011"), "{manifest}");
    let told =
        manifest.split("mediaPresentationDuration=\"PT").nth(1).and_then(|rest| rest.split('S').next()).expect("a duration");
    let seconds: f64 = told.parse().unwrap_or_else(|e| panic!("{told}: {e}"));
    assert!((seconds - 20.0).abs() < 0.03, "the presentation lasts {seconds} s");
    for track in stream.variants.iter().map(|(_, track)| track).chain(&stream.audio) {
        for uri in track.playlist.segments.iter().map(|segment| &segment.uri).chain([&track.playlist.map]) {
            let path = track.address.join(uri).expect("an address").path().to_owned();
            let relative = path.strip_prefix(&format!("/media/{}/", job.id)).expect("segments lie below the job");
            assert!(manifest.contains(relative), "{relative} is not in the manifest:\n{manifest}");
        }
    }
}

async fn headers_suit_players_and_caches(system: &System, job: &Job, stream: &Stream) {
    let client = &system.client;
    let (_, track) = &stream.variants[0];
    let audio = stream.audio.as_ref().expect("sound");
    let at = |track: &Track, uri: &str| track.address.join(uri).expect("an address").to_string();
    let segment = at(track, &track.playlist.segments[0].uri);
    let immutable = "public, max-age=31536000, immutable";
    for (address, kinds, caching) in [
        (segment.clone(), ["video/mp4", "video/iso.segment"], Some(immutable)),
        (at(track, &track.playlist.map), ["video/mp4", "video/mp4"], Some(immutable)),
        (at(audio, &audio.playlist.segments[0].uri), ["audio/mp4", "video/iso.segment"], Some(immutable)),
        (job.outputs.files[0].url.clone(), ["video/mp4", "video/mp4"], Some(immutable)),
        (track.address.to_string(), ["application/vnd.apple.mpegurl"; 2], None),
        (job.outputs.hls.clone().expect("HLS"), ["application/vnd.apple.mpegurl"; 2], None),
        (job.outputs.dash.clone().expect("DASH"), ["application/dash+xml"; 2], None),
    ] {
        let answer = send(client.anonymous(Method::GET, &address).header(header::ORIGIN, "https://player.example")).await;
        let get = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().expect("text")).to_owned();
        assert_eq!(answer.status(), StatusCode::OK, "{address}");
        let kind = get("content-type");
        assert!(kinds.contains(&kind.split(';').next().unwrap_or_default()), "{address} is {kind}");
        match caching {
            Some(expected) => assert_eq!(get("cache-control"), expected, "{address}"),
            None => assert!(!get("cache-control").contains("immutable"), "{address}: {}", get("cache-control")),
        }
        assert_eq!(get("access-control-allow-origin"), "*", "{address}");
        let tag = get("etag");
        assert!(tag.starts_with('"') && tag.len() > 10, "{address}: ETag {tag:?}");
        let again = send(client.anonymous(Method::GET, &address).header(header::IF_NONE_MATCH, &tag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{address}");
        let head = send(client.anonymous(Method::HEAD, &address)).await;
        assert_eq!(head.status(), StatusCode::OK, "HEAD {address}");
        assert_eq!(head.headers().get(header::ETAG).map(|value| value.as_bytes()), Some(tag.as_bytes()), "HEAD {address}");
    }
    ranges_are_answered(system, &segment, &track.segments[0]).await;

    let preflight = client
        .anonymous(Method::OPTIONS, &segment)
        .header(header::ORIGIN, "https://player.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "range");
    let answer = send(preflight).await;
    assert!(answer.status().is_success(), "a preflight gets {}", answer.status());
    let allowed = answer.headers().get(header::ACCESS_CONTROL_ALLOW_HEADERS).map_or("", |value| value.to_str().expect("text"));
    assert!(allowed == "*" || allowed.to_lowercase().contains("range"), "allowed headers: {allowed:?}");

    for missing in ["multivariant.m3u8x", "nothing/h264-216p/0.m4s", "..%2f..%2foffpeak.db", "%2e%2e/%2e%2e/offpeak.db"] {
        let answer = send(client.anonymous(Method::GET, &format!("/media/{}/{missing}", job.id))).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{missing}");
    }
}

async fn ranges_are_answered(system: &System, address: &str, whole: &[u8]) {
    let length = whole.len();
    for (range, expected) in [
        ("bytes=0-99".to_owned(), Some((0, 100))),
        ("bytes=100-".to_owned(), Some((100, length))),
        ("bytes=-50".to_owned(), Some((length - 50, length))),
        (format!("bytes={}-{}", length - 10, length + 10), Some((length - 10, length))),
        (format!("bytes={length}-"), None),
    ] {
        let answer = send(system.client.anonymous(Method::GET, address).header(header::RANGE, &range)).await;
        let told = answer.headers().get(header::CONTENT_RANGE).map_or("", |value| value.to_str().expect("text")).to_owned();
        let status = answer.status();
        match expected {
            Some((from, to)) => {
                assert_eq!((status, told), (StatusCode::PARTIAL_CONTENT, format!("bytes {from}-{}/{length}", to - 1)), "{range}");
                assert!(answer.bytes().await.expect("the range") == whole[from..to], "{range} gives other bytes");
            }
            None => assert_eq!((status, told), (StatusCode::RANGE_NOT_SATISFIABLE, format!("bytes */{length}")), "{range}"),
        }
    }
}

async fn a_deleted_job_leaves_nothing(system: &System, job: &Job, stream: &Stream) {
    let answer = send(system.client.request(Method::DELETE, &format!("/v1/jobs/{}", job.id))).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let (_, track) = &stream.variants[0];
    let segment = track.address.join(&track.playlist.segments[0].uri).expect("an address");
    for address in [segment.as_str(), track.address.as_str(), &format!("/v1/jobs/{}", job.id)] {
        let answer = send(system.client.request(Method::GET, address)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{address}");
    }
    let folder = system.storage().join("jobs").join(job.id.as_str());
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_while_encoding_stays() {
    let system = System::start(2).await;
    let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
    system.client.put_profile(&profile).await;
    let source = recipe.make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;

    let playable = system.client.wait_for(&job.id, "playable", LIMIT, |job| job.playable_at.is_some()).await;
    assert_eq!(playable.state, JobState::Encoding, "it is playable long before it is complete");
    let address = Url::parse(playable.outputs.hls.as_ref().expect("an HLS output")).expect("an address");
    let multivariant = fetch_multivariant(&system, &address).await;
    let lists: Vec<Url> = multivariant
        .variants
        .iter()
        .map(|variant| &variant.uri)
        .chain(multivariant.audio.iter().map(|a| &a.uri))
        .map(|uri| address.join(uri).expect("an address"))
        .collect();
    assert_eq!(lists.len(), 3);
    let mut before: Vec<MediaPlaylist> = Vec::new();
    for list in &lists {
        let playlist = fetch_media(&system, list).await;
        assert!(!playlist.ended && playlist.kind.as_deref() == Some("EVENT"), "{playlist:?}");
        assert!(playlist.segments.len() >= 2, "{playlist:?}");
        for segment in &playlist.segments {
            system.client.media(list.join(&segment.uri).expect("an address").as_str()).await;
        }
        before.push(playlist);
    }
    let job = system.client.completed(&job.id, LIMIT).await;
    assert!(job.playable_at <= job.ended_at && job.progress.fraction >= 1.0, "{job:#?}");
    for (list, before) in lists.iter().zip(before) {
        let after = fetch_media(&system, list).await;
        assert!(after.ended && after.kind.as_deref() == Some("VOD"), "{after:?}");
        assert_eq!(after.target_duration, before.target_duration, "TARGETDURATION must not change (6.2.1)");
        assert_eq!(after.map, before.map);
        assert_eq!(after.segments[..before.segments.len()], before.segments, "what was published changed");
    }
    let later = fetch_multivariant(&system, &address).await;
    let codecs = |list: &Multivariant| list.variants.iter().map(|variant| variant.codecs.clone()).collect::<Vec<_>>();
    assert_eq!(codecs(&later), codecs(&multivariant));
}

async fn fetch_media(system: &System, address: &Url) -> MediaPlaylist {
    let text = String::from_utf8(system.client.media(address.as_str()).await.to_vec()).expect("UTF-8");
    MediaPlaylist::parse(&text).unwrap_or_else(|e| panic!("{address}: {e}\n{text}"))
}

async fn fetch_multivariant(system: &System, address: &Url) -> Multivariant {
    let text = String::from_utf8(system.client.media(address.as_str()).await.to_vec()).expect("UTF-8");
    Multivariant::parse(&text).unwrap_or_else(|e| panic!("{address}: {e}\n{text}"))
}
