//! Several servers on one database and one bucket are one Offpeak: whoever asks is answered by any of them, and one that dies
//! takes nothing along.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use offpeak_api::{
    ids::SourceId,
    job::{Job, JobSource},
};
use offpeak_backends::{Postgres, S3Server};
use offpeak_tests::{
    balancer::Balancer,
    client::{Client, source_of},
    exact,
    history::{History, Step},
    process::Process,
    sources,
    system::{System, free_port},
};
use reqwest::StatusCode;

const LIMIT: Duration = Duration::from_secs(240);
const ENGINES: usize = 2;

/// Two servers, the balancer before them, and what they share.
struct Farm {
    system: System,
    balancer: Balancer,
    second: Process,
    second_port: u16,
    _database: Postgres,
    _bucket: S3Server,
}

impl Farm {
    async fn start() -> Self {
        let database = Postgres::start().expect("a PostgreSQL server starts");
        let bucket = S3Server::start().await.expect("an S3 server starts");
        let ports = [free_port(), free_port()];
        let balancer = Balancer::start(ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).to_vec()).await;
        let (url, storage) = (database.url(), bucket.storage_url("farm"));
        let mut settings = vec![
            ("OFFPEAK_DATABASE_URL", url.as_str()),
            ("OFFPEAK_STORAGE", storage.as_str()),
            ("OFFPEAK_PUBLIC_URL", balancer.address.as_str()),
            ("OFFPEAK_LEASE_SECONDS", "5"),
        ];
        settings.extend(S3Server::variables());
        let mut system = System::start_on(ports[0], 0, &settings).await;
        system.client = Client::new(balancer.address.clone(), system.client.token().to_owned());
        let second = system.spawn_replica("server-2", ports[1]);
        let farm = Self { system, balancer, second, second_port: ports[1], _database: database, _bucket: bucket };
        farm.ready(1, 0).await;
        farm
    }

    fn kill(&mut self, server: usize) {
        match server {
            0 => self.system.kill_server(),
            _ => self.second.kill(),
        }
    }

    /// Starts a killed server again, and waits until it answers.
    async fn revive(&mut self, server: usize) {
        let since = self.balancer.passed().len();
        match server {
            0 => self.system.respawn_server(),
            _ => self.second = self.system.spawn_replica("server-2", self.second_port),
        }
        self.ready(server, since).await;
    }

    /// Waits until a server has said that it is ready, in a request after the first `since`.
    async fn ready(&self, server: usize, since: usize) {
        let ready = async {
            loop {
                let _answer = self.system.client.anonymous(reqwest::Method::GET, "/readyz").send().await;
                if self.balancer.passed()[since..].iter().any(|passed| {
                    passed.server == server && passed.line == "GET /readyz" && passed.status == Some(StatusCode::OK)
                }) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LIMIT, ready).await.expect("the server gets ready");
    }

    /// The engines whose calls of `/v1/leases` this server answered well, in requests after the first `since`.
    fn served(&self, server: usize, since: usize) -> BTreeSet<String> {
        let passed = self.balancer.passed();
        let leases =
            passed[since..].iter().filter(|passed| passed.server == server && passed.line.starts_with("POST /v1/leases"));
        leases.filter(|passed| passed.status.is_some_and(|status| status.is_success())).map(|passed| passed.who.clone()).collect()
    }

    /// Sends a film in three requests; the server that got the second dies while it comes. The source, and the server that is dead
    /// now.
    async fn upload_over_a_death(&mut self, film: &Path) -> (SourceId, usize) {
        let data = Bytes::from(std::fs::read(film).expect("the film is there"));
        let client = self.system.client.clone();
        let upload = client.begin_upload(data.len() as u64).await;
        let (quarter, half) = (data.len() / 4, data.len() / 2);
        let begun = client.append(&upload, 0, data.slice(..quarter)).send().await.expect("a server answers");
        assert_eq!(begun.status(), StatusCode::NO_CONTENT);
        let before = self.balancer.passed().len();
        let half = data.slice(quarter..half);
        let body = reqwest::Body::wrap_stream(stream::iter([Ok::<_, std::io::Error>(half)]).chain(stream::pending()));
        let cut =
            tokio::spawn(client.append(&upload, quarter as u64, body).header("content-length", data.len() - quarter).send());
        let passed_patch = async {
            loop {
                if let Some(patch) = self.balancer.passed()[before..].iter().find(|passed| passed.line.starts_with("PATCH")) {
                    return patch.server;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let server = tokio::time::timeout(LIMIT, passed_patch).await.expect("the request is passed on");
        // Some of it arrives, or none: a server writes when it has enough for a part.
        self.kill(server);
        let cut = cut.await.expect("it does not panic");
        assert!(cut.is_err() || cut.is_ok_and(|answer| !answer.status().is_success()), "half a piece is no piece");

        let arrived = client.upload_offset(&upload).await;
        println!("{arrived} of {} bytes had arrived when the server died", data.len());
        assert!(arrived >= quarter as u64, "what was answered is safe");
        let answer =
            client.append(&upload, arrived, data.slice(arrived as usize..)).send().await.expect("the other server answers");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        (source_of(&upload), server)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_servers_dies_and_nobody_notices() {
    let mut farm = Farm::start().await;
    let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
    farm.system.client.put_profile(&profile).await;
    let film = recipe.make(&farm.system.scratch()).await;

    // An upload goes on at the server that is left.
    let (source, dead) = farm.upload_over_a_death(&film).await;
    farm.revive(dead).await;

    for number in 1..=ENGINES {
        farm.system.start_engine(&format!("engine-{number}"));
    }
    let job = farm.system.client.create_job(JobSource::Upload(source.clone()), &profile.name).await;
    let mut commits = 0;
    farm.system
        .client
        .each_event(&job.id, |event| {
            commits += usize::from(matches!(Step::read(event), Step::Committed(rows) if rows.kind == "encode"));
            commits < 2
        })
        .await;
    farm.kill(1);
    let died = farm.balancer.passed().len();
    let job = farm.system.client.completed(&job.id, LIMIT).await;
    assert_eq!(farm.served(0, died).len(), ENGINES, "both engines went on at the server that was left");
    assert!(farm.served(1, died).is_empty());
    let history = check(&farm, &recipe, &film, &job).await;
    println!("{} spans, leased {} times", history.tasks("encode").len(), history.granted("encode").len());

    // It comes back, and has its share of the work at once.
    let back = farm.balancer.passed().len();
    farm.revive(1).await;
    let job = farm.system.client.create_job(JobSource::Upload(source), &profile.name).await;
    let job = farm.system.client.completed(&job.id, LIMIT).await;
    check(&farm, &recipe, &film, &job).await;
    for server in [0, 1] {
        assert_eq!(farm.served(server, back).len(), ENGINES, "server {server} served every engine");
    }
    for number in 1..=ENGINES {
        let name = format!("engine-{number}");
        assert!(farm.system.engine(&name).is_running(), "{name} survived");
    }
    let passed = farm.balancer.passed();
    let by = |server| passed.iter().filter(|passed| passed.server == server).count();
    println!("requests: {} to the first server, {} to the second; {} unanswered", by(0), by(1), {
        passed.iter().filter(|passed| passed.status.is_none()).count()
    });
}

/// The job is exact, plays through the balancer, and nothing was done twice.
async fn check(farm: &Farm, recipe: &sources::Recipe, film: &Path, job: &Job) -> History {
    let playlist = job.outputs.hls.as_ref().expect("it has one");
    assert!(playlist.starts_with(farm.balancer.address.as_str()) || playlist.starts_with('/'), "{playlist}");
    let mut wrong = exact::differences(&farm.system, recipe, film, job).await;
    let history = History::of(&farm.system.client, &job.id).await;
    wrong.extend(history.wrong());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    history
}
