//! Everything dies, again and again, and nobody can tell from the result. Engines are killed and frozen every few seconds, their
//! network is cut, slow, silent or one-sided, the server is killed, and calls come twice and late. Every job completes, exact by
//! frame hash, and little was encoded for nothing.
//!
//! `OFFPEAK_CHAOS_SEED` repeats a run's faults, `OFFPEAK_CHAOS_MINUTES` says for how long new jobs are made (1.5), and
//! `OFFPEAK_TEST_KEEP` keeps the folder with all logs and the database.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use offpeak_api::{
    ids::SourceId,
    job::{Job, JobList, JobSource, JobState},
};
use offpeak_tests::{
    client::{Client, answer},
    exact,
    history::History,
    process::Frozen,
    proxy::{Proxy, Weather, replay},
    schedule::{Event, Fault, Schedule},
    sources::{self, Recipe},
    system::System,
    waste::{Encoded, Waste},
};
use reqwest::Method;
use tokio::{task::JoinSet, time::MissedTickBehavior};
use url::Url;

const ENGINES: usize = 4;
/// Short, so that frozen engines lose theirs within the test.
const LEASE: Duration = Duration::from_secs(4);
const FILTER: &str = "info,offpeak_engine=debug";
/// Jobs that are open at a time, so that nobody is idle.
const OPEN_JOBS: usize = 3;
/// From the moment in which no new jobs are made.
const LAST_JOBS_LIMIT: Duration = Duration::from_secs(300);
/// The aim is 10 %. 16 % is the most that was seen, in a short run on a crowded machine, and half as much again is left for worse
/// ones (docs/decisions/what-chaos-costs.md); what is beyond this is a fault in the code.
const MOST_WASTE: f64 = 0.25;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_tell_from_the_result_that_everything_died() {
    let seed = variable("OFFPEAK_CHAOS_SEED").unwrap_or_else(random_seed);
    let minutes = variable("OFFPEAK_CHAOS_MINUTES").unwrap_or(1.5);
    println!("OFFPEAK_CHAOS_SEED={seed} OFFPEAK_CHAOS_MINUTES={minutes}");
    let mut chaos = Chaos::start().await;
    let begun = Instant::now();
    chaos.run(seed, Duration::from_secs_f64(minutes * 60.0)).await;
    let seconds = begun.elapsed().as_secs_f64();

    let jobs = all_jobs(&chaos.system.client).await;
    assert!(jobs.len() >= OPEN_JOBS, "only {} jobs were made", jobs.len());
    let waste = chaos.waste(&jobs);
    println!("{}", chaos.report(&jobs, waste, seconds));
    let wrong = chaos.check(&jobs).await;
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    assert!(waste.share() <= MOST_WASTE, "seed {seed}: {waste:?} is {:.1} %", waste.share() * 100.0);
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")))
}

fn random_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    u64::from(now.subsec_nanos()) ^ (u64::from(std::process::id()) << 32)
}

struct Chaos {
    system: System,
    server: SocketAddr,
    proxies: Vec<Proxy>,
    frozen: BTreeMap<usize, Frozen>,
    films: Vec<Film>,
    /// Answers to repeated requests, as far as any came.
    replays: JoinSet<Option<u16>>,
    counts: BTreeMap<&'static str, u32>,
}

struct Film {
    recipe: Recipe,
    path: PathBuf,
    source: SourceId,
}

impl Chaos {
    async fn start() -> Self {
        let mut system = System::start_with(0, &[("OFFPEAK_LEASE_SECONDS", &LEASE.as_secs().to_string())]).await;
        system.client.put_profile(&sources::chaos_profile()).await;
        let scratch = system.scratch();
        let mut films = Vec::new();
        for recipe in sources::chaos_films() {
            let path = recipe.make(&scratch).await;
            let source = system.client.upload(&path).await;
            films.push(Film { recipe, path, source });
        }
        let server = system.client.server().socket_addrs(|| None).expect("an address")[0];
        let mut proxies = Vec::new();
        for engine in 0..ENGINES {
            let proxy = Proxy::start(server).await;
            system.start_engine_at(&name(engine), &address(&proxy), FILTER);
            proxies.push(proxy);
        }
        let (frozen, replays, counts) = (BTreeMap::new(), JoinSet::new(), BTreeMap::new());
        Self { system, server, proxies, frozen, films, replays, counts }
    }

    /// Lets things go wrong for `length`, and on until every job is over.
    async fn run(&mut self, seed: u64, length: Duration) {
        let start = tokio::time::Instant::now();
        let mut schedule = Schedule::new(seed, ENGINES, LEASE);
        let mut next = schedule.next().expect("it is endless");
        let mut looks = tokio::time::interval(Duration::from_millis(500));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut made = 0;
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(start + next.at) => {
                    self.apply(next);
                    next = schedule.next().expect("it is endless");
                }
                _ = looks.tick() => {
                    // Nobody answers while the server is down.
                    let Some(jobs) = try_all_jobs(&self.system.client).await else { continue };
                    let open = jobs.iter().filter(|job| !job.state.is_over()).count();
                    let elapsed = start.elapsed();
                    if elapsed < length && open < OPEN_JOBS {
                        let source = JobSource::Upload(self.films[made % self.films.len()].source.clone());
                        let request = serde_json::json!({ "source": source, "profile": sources::chaos_profile().name });
                        let sent = self.system.client.request(Method::POST, "/v1/jobs").json(&request).send().await;
                        // Should the answer get lost, the job is found with all others.
                        made += usize::from(sent.is_ok());
                    }
                    if elapsed >= length && open == 0 {
                        break;
                    }
                    assert!(elapsed < length + LAST_JOBS_LIMIT, "seed {seed}: these jobs do not end: {jobs:#?}");
                }
            }
        }
        self.calm().await;
    }

    fn apply(&mut self, event: Event) {
        let what = match event.fault {
            Fault::Kill { engine } => {
                self.system.engine(&name(engine)).kill();
                "kills"
            }
            Fault::Start { engine } => {
                self.system.restart_engine_at(&name(engine), &address(&self.proxies[engine]), FILTER);
                "starts"
            }
            Fault::Freeze { engine, with_children } => {
                self.frozen.insert(engine, self.system.engine(&name(engine)).freeze(with_children));
                "freezes"
            }
            Fault::Thaw { engine } => {
                self.thaw(engine);
                "thaws"
            }
            Fault::Weather { engine, weather } => {
                self.proxies[engine].set(weather);
                match weather {
                    Weather::Fine => "network back",
                    Weather::Slow(_) | Weather::Still | Weather::Deaf | Weather::Refused => "network cut, slow or silent",
                }
            }
            Fault::HalfClose { engine } => {
                self.proxies[engine].half_close();
                "connections half closed"
            }
            Fault::KillServer => {
                self.system.kill_server();
                "server killed"
            }
            Fault::StartServer => {
                self.system.respawn_server();
                "server started"
            }
            Fault::Replay { engine, draw } => {
                let mut requests = self.proxies[engine].remembered();
                requests.retain(|request| is_worth_repeating(&request.line));
                if !requests.is_empty() {
                    let request = requests.swap_remove(usize::try_from(draw).unwrap_or(usize::MAX) % requests.len());
                    let server = self.server;
                    self.replays.spawn(async move { replay(server, &request).await });
                }
                "requests sent again"
            }
        };
        *self.counts.entry(what).or_default() += 1;
    }

    fn thaw(&mut self, engine: usize) {
        if let Some(frozen) = self.frozen.remove(&engine) {
            frozen.thaw();
        }
    }

    /// Everything works again.
    async fn calm(&mut self) {
        for engine in 0..ENGINES {
            self.thaw(engine);
            self.proxies[engine].set(Weather::Fine);
        }
        self.system.restart_server().await;
    }

    fn waste(&self, jobs: &[Job]) -> Waste {
        let renditions = jobs.iter().flat_map(|job| &job.progress.renditions);
        let used = renditions.filter(|rendition| rendition.id.starts_with("h264")).map(|r| u64::from(r.segments_done)).sum();
        self.encoded().waste(used)
    }

    fn encoded(&self) -> Encoded {
        let mut encoded = Encoded::default();
        for engine in 0..ENGINES {
            encoded.read(&self.system.log_of(&name(engine)));
        }
        encoded
    }

    fn report(&self, jobs: &[Job], waste: Waste, seconds: f64) -> String {
        let Waste { used, unused, begun } = waste;
        format!(
            "{} jobs in {seconds:.0} s with {} leases of pictures; {:?}\nwasted work: {:.1} % of {used} segments used: {unused} \
             encoded and not used, {begun} begun, of which half is counted",
            jobs.len(),
            self.encoded().leases(),
            self.counts,
            waste.share() * 100.0
        )
    }

    /// What is wrong with the jobs, and with the answers to repeated requests.
    async fn check(&mut self, jobs: &[Job]) -> Vec<String> {
        let mut wrong = Vec::new();
        while let Some(status) = self.replays.join_next().await {
            let status = status.expect("a replay does not panic");
            // Accepted once more, lost, gone with its job, or there already.
            if !matches!(status, None | Some(200 | 201 | 204 | 404 | 409 | 412)) {
                wrong.push(format!("a repeated request was answered {status:?}"));
            }
        }
        // Films side by side, each film's jobs in turn: those use the same files.
        let films = self.films.iter().map(|film| self.check_jobs(film, jobs));
        wrong.extend(futures_util::future::join_all(films).await.into_iter().flatten());
        wrong
    }

    /// What is wrong with the jobs of one film.
    async fn check_jobs(&self, film: &Film, jobs: &[Job]) -> Vec<String> {
        let mut wrong = Vec::new();
        for job in jobs.iter().filter(|job| job.source == film.source) {
            if job.state != JobState::Completed {
                wrong.push(format!("{} is {:?}: {:?}", job.id, job.state, job.error));
                continue;
            }
            let found = exact::differences(&self.system, &film.recipe, &film.path, job).await;
            let history = History::of(&self.system.client, &job.id).await.wrong();
            wrong.extend(found.into_iter().chain(history).map(|what| format!("{} ({}): {what}", job.id, film.recipe.file)));
        }
        wrong
    }
}

fn name(engine: usize) -> String {
    format!("engine-{}", engine + 1)
}

fn address(proxy: &Proxy) -> Url {
    Url::parse(&format!("http://{}/", proxy.address)).expect("an address")
}

/// What changes something on the server.
fn is_worth_repeating(line: &str) -> bool {
    line.starts_with("PUT ")
        || ["/commit", "/complete", "/release", "/fail", "/heartbeat"].iter().any(|call| line.ends_with(call))
}

async fn try_all_jobs(client: &Client) -> Option<Vec<Job>> {
    let request = client.request(Method::GET, "/v1/jobs?limit=100").timeout(Duration::from_secs(2));
    let response = request.send().await.ok()?;
    Some(response.json::<JobList>().await.ok()?.jobs)
}

async fn all_jobs(client: &Client) -> Vec<Job> {
    let request = client.request(Method::GET, "/v1/jobs?limit=100");
    answer::<JobList>(offpeak_tests::client::send(request).await).await.expect("a list of jobs").jobs
}
