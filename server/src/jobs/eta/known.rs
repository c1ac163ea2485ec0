//! What is known for an estimate: of the fleet and the queues, kept for a moment; of the jobs that are shown, as it is now.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use offpeak_api::{
    ids::TeamId,
    job::{JobProgress, JobState, RenditionKind},
};

use super::{
    Busy, Ebb, Eta, Fleet, Left, PROBE_SECONDS, Piece, Queue, Rival, Speed, estimate, file_seconds,
    kept::Kept,
    store::{self, JobWaiting, TeamWaiting},
    typical::Typical,
};
use crate::{
    agents::history::DAY, app::App, clock::Instant, entity::job, error::ApiError, fleet, jobs::progress::Held, lease::TaskKind,
    plan::Plan,
};

/// Somebody who watches a job sees it move; and a page of jobs that many look at is counted once.
const FIGURES_KEPT: Duration = Duration::from_secs(1);
/// What changes over hours.
const PAST_KEPT: Duration = Duration::from_secs(60);
/// Completed jobs that say what is typical.
const LOOKED_AT: u64 = 20;

/// Figures at hand.
#[derive(Debug, Default)]
pub struct Estimates {
    fleet: Kept<(), FleetNow>,
    past: Kept<(), Past>,
    queues: Kept<String, TeamQueue>,
    typical: Kept<(String, String), Option<Typical>>,
}

#[derive(Debug)]
struct FleetNow {
    machines: f64,
    /// Leases at once on a machine.
    places: f64,
    speed: Option<Speed>,
    in_progress: store::InProgress,
    teams: BTreeMap<String, TeamWaiting>,
}

#[derive(Debug)]
struct Past {
    ebb: Ebb,
    /// Work a second of a machine that encodes, under all of its leases.
    machine_speed: Option<f64>,
}

/// A team's waiting jobs in their order; `whole` when there are no more.
#[derive(Debug)]
struct TeamQueue {
    jobs: Vec<JobWaiting>,
    whole: bool,
}

/// A job that is shown.
#[derive(Debug, Clone, Copy)]
pub(in crate::jobs) struct Shown<'a> {
    pub row: &'a job::Model,
    pub state: JobState,
    pub plan: Option<&'a Plan>,
    pub progress: &'a JobProgress,
    pub held: &'a [Held],
}

/// Estimates for those of these jobs that are not over, as far as anything is known. A few queries for any number of jobs of
/// one team and a few profiles.
pub(in crate::jobs) async fn of(app: &App, jobs: &[Shown<'_>]) -> Result<HashMap<String, Eta>, ApiError> {
    let open: Vec<&Shown<'_>> = jobs.iter().filter(|job| !job.state.is_over()).collect();
    if open.is_empty() {
        return Ok(HashMap::new());
    }
    let (db, now, kept) = (&app.db.reader, app.clock.now(), &app.estimates);
    let past = kept.past.get((), now, PAST_KEPT, past(app, now)).await?;
    let fleet = kept.fleet.get((), now, FIGURES_KEPT, fleet_now(app, &past, now)).await?;
    let ids: Vec<&str> = open.iter().map(|job| job.row.id.as_str()).collect();
    let spans = store::tasks_waiting(db, &ids).await?;
    let unplanned = open.iter().filter(|job| job.plan.is_none());
    let bytes = store::bytes_of(db, &unplanned.map(|job| job.row.source_id.as_str()).collect::<Vec<_>>()).await?;
    let mut etas = HashMap::new();
    for job in open {
        let (row, team) = (job.row, fleet.teams.get(&job.row.team_id));
        let key = (row.team_id.clone(), row.profile_name.clone());
        let typical = kept.typical.get(key, now, PAST_KEPT, typical(app, row)).await?;
        let classes = team.map_or(&[][..], |team| &team.classes);
        let queue = kept.queues.get(row.team_id.clone(), now, FIGURES_KEPT, team_queue(app, &row.team_id, classes)).await?;
        let known = Known { job, fleet: &fleet, typical: typical.as_ref().as_ref(), now };
        let Some(left) = known.left(spans.get(&row.id), bytes.get(&row.source_id).copied()) else { continue };
        let queue = known.queue(&queue, &left);
        let speed = fleet.speed.or_else(|| told(&left.held));
        let capacity = fleet.machines * fleet.places * speed.map_or(0.0, |speed| speed.usual);
        if let Some(eta) = estimate(&Fleet { capacity, speed, ebb: past.ebb }, &queue, &left) {
            etas.insert(row.id.clone(), eta);
        }
    }
    Ok(etas)
}

async fn past(app: &App, now: Instant) -> Result<Past, ApiError> {
    let db = &app.db.reader;
    let ebb = Ebb::of(&store::available_since(db, now - DAY).await?);
    Ok(Past { ebb, machine_speed: fleet::store::machine_speed(db, now - DAY).await? })
}

async fn fleet_now(app: &App, past: &Past, now: Instant) -> Result<FleetNow, ApiError> {
    let db = &app.db.reader;
    let available = store::available(db, now).await?;
    let in_progress = store::in_progress(db, now).await?;
    let speed = available.mean.filter(|mean| *mean > 0.0).map(|mean| {
        let spread = (available.mean_square.unwrap_or(0.0) - mean * mean).max(0.0).sqrt();
        // The tenth quantile of a normal distribution, but nobody is slower than the slowest.
        let slow = (mean - 1.28 * spread).max(available.slowest.unwrap_or(0.0)).max(mean * 0.3);
        Speed { usual: mean, slow }
    });
    let now_at_once = if in_progress.machines > 0 { in_progress.leases as f64 / in_progress.machines as f64 } else { 1.0 };
    let usually = past.machine_speed.zip(speed).map_or(1.0, |(machine, speed)| machine / speed.usual);
    Ok(FleetNow {
        machines: available.machines as f64,
        places: now_at_once.max(usually).max(1.0),
        speed,
        in_progress,
        teams: store::teams_waiting(db).await?,
    })
}

async fn team_queue(app: &App, team: &str, classes: &[String]) -> Result<TeamQueue, ApiError> {
    let (jobs, whole) = store::queue_of(&app.db.reader, team, classes).await?;
    Ok(TeamQueue { jobs, whole })
}

async fn typical(app: &App, row: &job::Model) -> Result<Option<Typical>, ApiError> {
    let team: TeamId = row.team_id.parse().map_err(ApiError::internal)?;
    Ok(Typical::of(&store::completed(&app.db.reader, &team, &row.profile_name, LOOKED_AT).await?))
}

/// While nothing was ever measured, what the job's own holders tell is all there is.
fn told(held: &[Piece]) -> Option<Speed> {
    let told: Vec<f64> = held.iter().map(|piece| piece.speed).filter(|speed| *speed > 0.0).collect();
    let usual = told.iter().sum::<f64>() / told.len().max(1) as f64;
    (usual > 0.0).then_some(Speed { usual, slow: usual * 0.6 })
}

struct Known<'a> {
    job: &'a Shown<'a>,
    fleet: &'a FleetNow,
    typical: Option<&'a Typical>,
    now: Instant,
}

impl Known<'_> {
    /// What is left of the job; nothing while nobody can say how much work it is.
    fn left(&self, spans: Option<&store::TasksWaiting>, bytes: Option<u64>) -> Option<Left> {
        match self.job.plan {
            Some(plan) => Some(self.left_of_plan(plan, spans)),
            None => self.left_of_unplanned(bytes),
        }
    }

    fn left_of_unplanned(&self, bytes: Option<u64>) -> Option<Left> {
        let typical = self.typical?;
        let (work, doubt) = typical.work(bytes);
        let fetch = self.job.held.iter().find(|held| held.task.kind == TaskKind::Fetch.as_str());
        let fetching = fetch.and_then(|held| {
            let share = held.progress.bytes as f64 / held.progress.total_bytes.filter(|total| *total > 0)? as f64;
            let elapsed = self.now.since(Instant(held.lease.created_at_ms)).as_secs_f64();
            (share > 0.0).then(|| elapsed * (1.0 - share.min(1.0)) / share)
        });
        let before = PROBE_SECONDS + fetching.unwrap_or(0.0);
        Some(Left {
            waiting_work: work,
            waiting_spans: ((work / typical.row_work).ceil() as u32).max(1).div_ceil(ROWS_OF_A_SPAN),
            row_work: typical.row_work.min(work),
            doubt,
            before: (before, before * 2.0),
            after: self.files(work),
            ..Left::default()
        })
    }

    fn left_of_plan(&self, plan: &Plan, spans: Option<&store::TasksWaiting>) -> Left {
        let Shown { row, state, progress, .. } = *self.job;
        let work = row.estimated_work.unwrap_or(0.0);
        let spans = spans.cloned().unwrap_or_default();
        let mut left = Left {
            waiting_work: spans.work,
            waiting_spans: u32::try_from(spans.spans).unwrap_or(u32::MAX),
            held: Vec::new(),
            row_work: work / f64::from(plan.segments.max(1)),
            doubt: 1.0,
            others_wait: spans.others > 0,
            sound_seconds: 0.0,
            before: (0.0, 0.0),
            after: self.files(work),
        };
        for (piece, is_moving) in self.pieces(plan) {
            if is_moving {
                left.held.push(piece);
            } else {
                // Somebody will take it over.
                left.waiting_work += piece.work;
                left.waiting_spans += 1;
            }
        }
        let sound = progress.renditions.iter().filter(|rendition| rendition.kind == RenditionKind::Audio);
        let rows = sound.map(|sound| f64::from(sound.segments_total.saturating_sub(sound.segments_done))).fold(0.0, f64::max);
        left.sound_seconds = if state == JobState::Encoding { rows * plan.grid.segment_seconds() } else { 0.0 };
        left
    }

    /// What holders of spans have left to encode, and whether they are at it. A span with two holders counts once.
    fn pieces(&self, plan: &Plan) -> Vec<(Piece, bool)> {
        let per_row = f64::from(plan.grid.frames_per_segment);
        let mut pieces: BTreeMap<&str, (Piece, bool)> = BTreeMap::new();
        for held in self.job.held.iter().filter(|held| held.task.kind == TaskKind::Encode.as_str()) {
            let (task, lease, told) = (&held.task, &held.lease, &held.progress);
            let row_work = task.estimated_work / f64::from((task.last - task.first).max(1));
            let rows = f64::from((task.last - task.cursor).max(0));
            // Of what is encoded the holder tells beyond what it committed.
            let encoded = f64::from(lease.from_row - task.cursor) + told.frames as f64 / per_row;
            let work = row_work * (rows - encoded.clamp(0.0, rows));
            let is_moving = lease.holder_state != "suspended" && lease.expires_at_ms >= self.now.ms();
            let told = told.frames_per_second / per_row * row_work;
            let speed = if told > 0.0 { told } else { held.agent_speed.or(self.fleet.speed.map(|s| s.usual)).unwrap_or(0.0) };
            let piece = (Piece { work, speed }, is_moving);
            let known = pieces.entry(&task.id).or_insert(piece);
            if piece.1 && (!known.1 || piece.0.speed > known.0.speed) {
                *known = piece;
            }
        }
        pieces.into_values().collect()
    }

    /// Seconds that the job's files will take yet.
    fn files(&self, work: f64) -> (f64, f64) {
        let profile_wants = self.job.plan.map_or_else(
            || self.job.row.profile.get("files").and_then(|files| files.as_array()).map_or(0, Vec::len),
            |plan| plan.files.len().saturating_sub(self.job.progress.files_done as usize),
        );
        if profile_wants == 0 {
            return (0.0, 0.0);
        }
        let usual = file_seconds(work);
        let (usual, slow) = self.typical.and_then(|typical| typical.files(work)).unwrap_or((usual, usual * 3.0));
        let since = self.job.held.iter().filter(|held| held.task.kind == TaskKind::File.as_str());
        let elapsed = since.map(|held| self.now.since(Instant(held.lease.created_at_ms)).as_secs_f64()).fold(0.0, f64::max);
        ((usual - elapsed).max(1.0), (slow - elapsed).max(2.0))
    }

    /// What else there is to do, as seen by this job.
    fn queue(&self, queue: &TeamQueue, left: &Left) -> Queue {
        let row = self.job.row;
        let key = (i64::from(9 - row.priority), row.deadline_ms, row.id.as_str());
        let unplanned_work = self.typical.map_or(0.0, |typical| typical.work(None).0);
        let work_of = |job: &JobWaiting| job.work + f64::from(job.unplanned) * unplanned_work;
        let order = |job: &JobWaiting| (job.rank, job.deadline_ms, job.job_id.as_str()).cmp(&key);
        let of = |side: std::cmp::Ordering| queue.jobs.iter().filter(|job| order(job) == side).map(work_of).sum::<f64>();
        let (mut ahead, mut behind) = (of(std::cmp::Ordering::Less), of(std::cmp::Ordering::Greater));
        let own = self.fleet.teams.get(&row.team_id);
        if !queue.whole
            && let Some(own) = own
        {
            // The rest of a long queue lies behind what was read, and behind the job unless that is further back still.
            let unread = (own.work - ahead - behind - left.waiting_work).max(0.0);
            let is_read = queue.jobs.last().is_some_and(|last| order(last).is_ge());
            if is_read { behind += unread } else { ahead += unread }
        }
        let rivals = self.fleet.teams.iter().filter(|(team, _)| **team != row.team_id);
        let rivals =
            rivals.map(|(_, team)| Rival { weight: team.weight, work: team.work + f64::from(team.light_tasks) * unplanned_work });
        let in_progress = &self.fleet.in_progress;
        let (own_work, own_speed) =
            left.held.iter().fold((0.0, 0.0), |(work, speed), piece| (work + piece.work, speed + piece.speed));
        Queue {
            weight: own.map_or(crate::lease::rules::fair::USUAL_WEIGHT, |team| team.weight),
            ahead,
            behind,
            rivals: rivals.collect(),
            busy: Busy {
                work: (in_progress.work.unwrap_or(0.0) - own_work).max(0.0),
                speed: (in_progress.work_per_second.unwrap_or(0.0) - own_speed).max(0.0),
            },
        }
    }
}

/// As a plan cuts them, in the mean.
const ROWS_OF_A_SPAN: u32 = 4;
