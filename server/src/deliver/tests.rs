//! What players get, over real HTTP, from the first segment to the end of the job.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use offpeak_api::{
    facts::{AudioFacts, Facts, FrameGaps, VideoFacts},
    ids::{JobId, SourceId},
    job::{JobError, JobState},
    lease::{InitReport, SegmentReport},
    media::{Ratio, ticks_per_frame, video_timescale},
};
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{http, store, write_manifests};
use crate::{
    app::App,
    blob::BlobKey,
    commit::store as commit_store,
    entity::{job, rendition, task},
    jobs::{JobEvent, store as jobs_store, tasks},
    lease::store as lease_store,
    plan, profile,
    test_server::{START, TestServer, refusal},
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(http::get_media, http::media_preflight))
}

/// 18 s of small pictures with sound: three segments of one rung, and as many of sound.
fn facts() -> Facts {
    Facts {
        container: "mov".to_owned(),
        bytes: 1000,
        video: Some(VideoFacts {
            stream: 0,
            codec: "h264".to_owned(),
            pixel_format: "yuv420p".to_owned(),
            width: 640,
            height: 360,
            rotation: 0,
            sample_aspect: Ratio::new(1, 1),
            interlaced: false,
            transfer: None,
            start_seconds: 0.0,
            end_seconds: 18.0,
            frames: 450,
            gaps: FrameGaps { usual_seconds: 0.04, share_usual: 1.0, p90_rate: 25.0 },
            keyframes_seconds: vec![0.0],
            open_gop: false,
        }),
        audio: Some(AudioFacts {
            stream: 1,
            codec: "aac".to_owned(),
            channels: 2,
            sample_rate: 48_000,
            start_seconds: 0.0,
            end_seconds: 18.0,
            language: None,
        }),
        warnings: Vec::new(),
    }
}

struct Film<'a> {
    server: &'a TestServer,
    row: job::Model,
}

impl<'a> Film<'a> {
    /// A job that is planned and has nothing committed.
    async fn planned(server: &'a TestServer) -> Self {
        let profile = profile::built_in().remove(0);
        let plan = plan::plan(&facts(), &profile).unwrap();
        let row = job::Model {
            id: JobId::new().to_string(),
            team_id: server.team.to_string(),
            source_id: SourceId::new().to_string(),
            profile_name: profile.name.clone(),
            profile: json!(profile),
            state: JobState::Encoding.as_str().to_owned(),
            priority: 5,
            deadline_ms: crate::lease::NO_DEADLINE_MS,
            build: None,
            metadata: json!({}),
            facts: Some(json!(facts())),
            plan: Some(json!(plan)),
            warnings: json!([]),
            error: None,
            end_frame: None,
            estimated_work: None,
            progress: 0.0,
            created_at_ms: START.ms(),
            started_at_ms: None,
            playable_at_ms: None,
            ended_at_ms: None,
            film_seconds: None,
            rendition_seconds: None,
            one_machine_seconds: None,
        };
        let tx = server.app.db.write().await.unwrap();
        jobs_store::insert(&tx.tx, row.clone()).await.unwrap();
        tasks::insert_planned(&tx.tx, &row, &facts(), &plan, START).await.unwrap();
        tx.commit().await.unwrap();
        Self { server, row }
    }

    fn id(&self) -> JobId {
        self.row.id.parse().unwrap()
    }

    async fn renditions(&self) -> Vec<rendition::Model> {
        commit_store::renditions_of_job(&self.server.app.db.reader, &self.row.id).await.unwrap()
    }

    fn key(&self, rendition: &str, name: &str) -> BlobKey {
        format!("jobs/{}/secretprefix-0/{rendition}/{name}", self.row.id).parse().unwrap()
    }

    /// Commits this row in every rendition.
    async fn commit(&self, index: u32) {
        let grid = plan::plan(&facts(), &profile::built_in().remove(0)).unwrap().grid;
        for rendition in self.renditions().await {
            let sound = rendition.kind == "audio";
            let (timescale, tick) = if sound { (48_000, 1024) } else { (video_timescale(grid.rate), ticks_per_frame(grid.rate)) };
            let frames = if sound { 276 } else { grid.frames_per_segment };
            let init = InitReport {
                rendition: rendition.name.clone(),
                attempt: 0,
                bytes: 4,
                sha256: "00".repeat(32),
                fingerprint: "00".repeat(32),
                codecs: if sound { "mp4a.40.2" } else { "avc1.64001e" }.to_owned(),
                timescale,
                media_time: if sound { 1024 } else { 2 * tick },
            };
            let report = SegmentReport {
                rendition: rendition.name.clone(),
                index,
                attempt: 0,
                frames,
                start_ticks: u64::from(index * frames) * tick,
                duration_ticks: u64::from(frames) * tick,
                bytes: 12,
                sha256: "11".repeat(32),
            };
            let (init_key, key) = (self.key(&rendition.name, "init.mp4"), self.key(&rendition.name, &format!("{index}.m4s")));
            self.server.app.blobs.put_small(&init_key, b"init".to_vec()).await.unwrap();
            self.server.app.blobs.put_small(&key, format!("segment {index:04}").into_bytes()).await.unwrap();
            let tx = self.server.app.db.write().await.unwrap();
            commit_store::pin_init(&tx.tx, &rendition, &init, init_key.as_str(), "agt_test").await.unwrap();
            let row = commit_store::segment_row(&rendition, &report, key.as_str(), "lease", START);
            commit_store::segments(vec![row]).exec_without_returning(&tx.tx).await.unwrap();
            tx.commit().await.unwrap();
        }
        let tx = self.server.app.db.write().await.unwrap();
        for task in lease_store::tasks_of_job(&tx.tx, &self.row.id).await.unwrap() {
            if (task.first..task.last).contains(&index.cast_signed()) {
                let moved = task::Entity::update_many().col_expr(task::Column::Cursor, Expr::value(index.cast_signed() + 1));
                moved.filter(task::Column::Id.eq(task.id.as_str())).exec(&tx.tx).await.unwrap();
                if task.last == index.cast_signed() + 1 {
                    let done = task::Entity::update_many().col_expr(task::Column::State, Expr::value("done"));
                    done.filter(task::Column::Id.eq(task.id)).exec(&tx.tx).await.unwrap();
                }
            }
        }
        jobs_store::update_playable(&self.server.app, &tx.tx, &self.row.id, START).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn end(&self, state: JobState) {
        let tx = self.server.app.db.write().await.unwrap();
        match state {
            JobState::Failed => {
                let error = JobError::of_source("x", "x");
                jobs_store::fail(&self.server.app, &tx.tx, &self.row.id, &error, START).await.unwrap();
            }
            JobState::Completed => jobs_store::end(&tx.tx, &self.row, JobEvent::Complete, START).await.unwrap(),
            JobState::Cancelled => jobs_store::end(&tx.tx, &self.row, JobEvent::Cancel, START).await.unwrap(),
            JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing => panic!("{state:?} is no end"),
        }
        tx.commit().await.unwrap();
    }

    async fn get(&self, path: &str) -> Response {
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.server.anonymous(Method::GET, &format!("/media/{}/{path}", self.row.id));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "access-control-allow-origin"), "*", "{path}: players of any site may read every answer");
        response
    }
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// What a playlist names, in its order.
fn uris(playlist: &str) -> Vec<&str> {
    playlist.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[tokio::test]
async fn before_it_is_playable_a_player_is_told_to_come_back() {
    let server = TestServer::start(routes()).await;
    let film = Film::planned(&server).await;
    film.commit(0).await;
    for name in ["multivariant.m3u8", "manifest.mpd", "h264-360p.m3u8"] {
        let early = film.get(name).await;
        assert_eq!((header(&early, "retry-after"), header(&early, "cache-control")), ("2", "no-store"));
        assert_eq!(refusal(early).await, (404, "not_playable_yet".to_owned()));
    }
    for job in [JobId::new().to_string(), "src_x".to_owned(), "..%2fx".to_owned()] {
        let unknown = server.anonymous(Method::GET, &format!("/media/{job}/multivariant.m3u8")).send().await.unwrap();
        assert_eq!(header(&unknown, "access-control-allow-origin"), "*");
        assert_eq!(refusal(unknown).await, (404, "job_not_found".to_owned()), "{job}");
    }
}

#[tokio::test]
async fn a_running_job_plays_and_its_playlists_grow() {
    let server = TestServer::start(routes()).await;
    let film = Film::planned(&server).await;
    film.commit(0).await;
    film.commit(1).await;
    let multivariant = film.get("multivariant.m3u8").await;
    assert_eq!(multivariant.status(), StatusCode::OK);
    assert_eq!(header(&multivariant, "content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(header(&multivariant, "cache-control"), "public, max-age=1");
    assert!(multivariant.text().await.unwrap().contains("h264-360p.m3u8"));

    let playlist = film.get("h264-360p.m3u8").await;
    let etag = header(&playlist, "etag").to_owned();
    let text = playlist.text().await.unwrap();
    assert_eq!(uris(&text), ["secretprefix-0/h264-360p/0.m4s", "secretprefix-0/h264-360p/1.m4s"]);
    assert!(text.contains("#EXT-X-PLAYLIST-TYPE:EVENT") && !text.contains("#EXT-X-ENDLIST"), "{text}");
    let known = film.get_with("h264-360p.m3u8", &[("if-none-match", &etag)]).await;
    assert_eq!((known.status(), header(&known, "cache-control")), (StatusCode::NOT_MODIFIED, "public, max-age=1"));

    film.commit(2).await;
    let grown = film.get_with("h264-360p.m3u8", &[("if-none-match", &etag)]).await;
    assert_eq!(grown.status(), StatusCode::OK);
    assert_eq!(uris(&grown.text().await.unwrap()).len(), 3);
    let mpd = film.get("manifest.mpd").await;
    assert_eq!(header(&mpd, "content-type"), "application/dash+xml");
    assert!(mpd.text().await.unwrap().contains("secretprefix-0/"));
    assert_eq!(refusal(film.get("h264-4320p.m3u8").await).await, (404, "no_such_media".to_owned()));
    assert_eq!(refusal(film.get("film.mp4").await).await, (404, "no_such_media".to_owned()));
}

#[tokio::test]
async fn a_complete_job_plays_from_storage_alone() {
    let server = TestServer::start(routes()).await;
    let film = Film::planned(&server).await;
    for index in 0..3 {
        film.commit(index).await;
    }
    film.end(JobState::Completed).await;
    let names = ["multivariant.m3u8", "manifest.mpd", "h264-360p.m3u8", "aac-1.m3u8"];
    let mut made = Vec::new();
    for name in names {
        let before = film.get(name).await;
        assert_eq!((before.status(), header(&before, "cache-control")), (StatusCode::OK, "public, max-age=60"), "{name}");
        made.push(before.text().await.unwrap());
    }
    write_manifests(&server.app, &film.id()).await.unwrap();
    for (name, made) in names.iter().zip(&made) {
        let stored = std::fs::read_to_string(server.storage().join(format!("jobs/{}/{name}", film.row.id))).unwrap();
        assert_eq!(stored, *made, "{name} is the same in storage");
        let served = film.get(name).await;
        assert!(["application/vnd.apple.mpegurl", "application/dash+xml"].contains(&header(&served, "content-type")));
        assert_eq!(header(&served, "cache-control"), "public, max-age=60");
        assert_eq!(served.text().await.unwrap(), stored);
    }
    let playlist = &made[2];
    assert!(playlist.contains("#EXT-X-PLAYLIST-TYPE:VOD") && playlist.contains("#EXT-X-ENDLIST"), "{playlist}");
    for uri in uris(playlist) {
        assert_eq!(film.get(uri).await.status(), StatusCode::OK, "{uri}");
    }
}

#[tokio::test]
async fn with_a_cdn_players_are_sent_there() {
    let server =
        TestServer::start_with(routes(), |settings| settings.media_url = Some("https://cdn.example.com/films".into())).await;
    let film = Film::planned(&server).await;
    for index in 0..3 {
        film.commit(index).await;
    }
    let stay = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let ask = async |path: &str| {
        let answer = stay.get(server.url(&format!("/media/{}/{path}", film.row.id))).send().await.unwrap();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location)
    };
    let there = |path: &str| (307, Some(format!("https://cdn.example.com/films/jobs/{}/{path}", film.row.id)));
    let segment = "secretprefix-0/h264-360p/0.m4s";
    assert_eq!(ask(segment).await, there(segment));
    assert_eq!(ask("multivariant.m3u8").await, (200, None), "made on request while the job runs");
    assert_eq!(ask(&format!("{segment}?download")).await, (200, None), "a CDN gives no file names");

    film.end(JobState::Completed).await;
    let tx = server.app.db.write().await.unwrap();
    store::note_manifests_due(&tx.tx, &film.row.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ask("multivariant.m3u8").await, (200, None), "not there yet");
    super::write_all_due(&server.app).await.unwrap();
    assert_eq!(ask("multivariant.m3u8").await, there("multivariant.m3u8"));
}

#[tokio::test]
async fn segments_are_kept_for_ever_and_come_in_ranges() {
    let server = TestServer::start(routes()).await;
    let film = Film::planned(&server).await;
    film.commit(7).await;
    for (path, content_type) in [
        ("secretprefix-0/h264-360p/7.m4s", "video/iso.segment"),
        ("secretprefix-0/h264-360p/init.mp4", "video/mp4"),
        ("secretprefix-0/aac-1/7.m4s", "audio/mp4"),
        ("secretprefix-0/aac-1/init.mp4", "audio/mp4"),
    ] {
        let whole = film.get(path).await;
        assert_eq!((whole.status(), header(&whole, "content-type")), (StatusCode::OK, content_type), "{path}");
        assert_eq!(header(&whole, "cache-control"), "public, max-age=31536000, immutable");
        assert!(header(&whole, "access-control-expose-headers").contains("Content-Range"));
    }
    let segment = "secretprefix-0/h264-360p/7.m4s";
    let part = film.get_with(segment, &[("range", "bytes=-4"), ("origin", "https://elsewhere.test")]).await;
    assert_eq!((part.status(), header(&part, "content-range")), (StatusCode::PARTIAL_CONTENT, "bytes 8-11/12"));
    assert_eq!(part.text().await.unwrap(), "0007");
    let etag = header(&film.get(segment).await, "etag").to_owned();
    assert_eq!(film.get_with(segment, &[("if-none-match", &etag)]).await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(refusal(film.get_with(segment, &[("range", "bytes=12-")]).await).await, (416, "out_of_range".to_owned()));
    let head = server.anonymous(Method::HEAD, &format!("/media/{}/{segment}", film.row.id)).send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "12"));

    let download = film.get(&format!("{segment}?download")).await;
    assert_eq!(header(&download, "content-disposition"), "attachment; filename=\"7.m4s\"");
    assert_eq!(header(&film.get(segment).await, "content-disposition"), "");

    let preflight = server.anonymous(Method::OPTIONS, &format!("/media/{}/{segment}", film.row.id));
    let preflight = preflight.header("origin", "https://elsewhere.test").header("access-control-request-headers", "range");
    let preflight = preflight.send().await.unwrap();
    assert_eq!((preflight.status(), header(&preflight, "access-control-allow-origin")), (StatusCode::NO_CONTENT, "*"));
    assert!(header(&preflight, "access-control-allow-headers").contains("Range"));

    for path in
        ["secretprefix-0/h264-360p/8.m4s", "secretprefix-0/h264-360p", "secretprefix-0/", "a/..%2f..%2fx", "..%2fsecretprefix-0"]
    {
        let absent = film.get(path).await;
        assert_eq!(header(&absent, "cache-control"), "", "{path}");
        assert_eq!(refusal(absent).await, (404, "no_such_media".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_job_that_failed_or_was_cancelled_says_so() {
    let server = TestServer::start(routes()).await;
    for (state, code) in [(JobState::Failed, "job_failed"), (JobState::Cancelled, "job_cancelled")] {
        let film = Film::planned(&server).await;
        film.commit(0).await;
        film.commit(1).await;
        assert_eq!(film.get("multivariant.m3u8").await.status(), StatusCode::OK);
        film.end(state).await;
        assert_eq!(refusal(film.get("multivariant.m3u8").await).await, (410, code.to_owned()));
    }
}
