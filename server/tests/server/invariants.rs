//! What must hold whatever happened before: read from the database, all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use offpeak_server::{
    app::App,
    clock::Instant,
    entity::{job, lease, rendition, segment, task},
    lease::{LeaseState, TaskKind, TaskState},
};
use sea_orm::{ConnectionTrait, EntityTrait, Statement};

/// The database at one moment.
pub struct Picture {
    now: Instant,
    pub jobs: HashMap<String, job::Model>,
    pub tasks: HashMap<String, task::Model>,
    pub leases: HashMap<String, lease::Model>,
    pub segments: Vec<segment::Model>,
    renditions: Vec<rendition::Model>,
    /// Class, team and task of what waits.
    ready: Vec<(String, String, String)>,
    /// Class and team.
    slots: Vec<(String, String)>,
}

/// What is wrong, in words.
pub type Broken = String;

macro_rules! hold {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err(format!($($what)+));
        }
    };
}

impl Picture {
    pub async fn take(app: &App) -> Self {
        let db = &app.db.reader;
        let rows = async |sql: &str| db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        let text = |row: &sea_orm::QueryResult, column: &str| row.try_get::<String>("", column).unwrap();
        let ready = rows("SELECT class, team_id, task_id FROM ready").await;
        let slots = rows("SELECT class, team_id FROM slot").await;
        Self {
            now: app.clock.now(),
            jobs: job::Entity::find().all(db).await.unwrap().into_iter().map(|row| (row.id.clone(), row)).collect(),
            tasks: task::Entity::find().all(db).await.unwrap().into_iter().map(|row| (row.id.clone(), row)).collect(),
            leases: lease::Entity::find().all(db).await.unwrap().into_iter().map(|row| (row.id.clone(), row)).collect(),
            segments: segment::Entity::find().all(db).await.unwrap(),
            renditions: rendition::Entity::find().all(db).await.unwrap(),
            ready: ready.iter().map(|row| (text(row, "class"), text(row, "team_id"), text(row, "task_id"))).collect(),
            slots: slots.iter().map(|row| (text(row, "class"), text(row, "team_id"))).collect(),
        }
    }

    pub fn check(&self) -> Result<(), Broken> {
        self.queues()?;
        self.holders()?;
        for job in self.jobs.values() {
            self.job(job)?;
        }
        Ok(())
    }

    /// As [`Picture::check`], and that nothing went back since `before`.
    pub fn check_after(&self, before: &Self) -> Result<(), Broken> {
        self.check()?;
        for (id, task) in &self.tasks {
            let Some(old) = before.tasks.get(id) else { continue };
            hold!(task.cursor >= old.cursor, "the cursor of {id} went from {} back to {}", old.cursor, task.cursor);
            hold!(task.first == old.first, "{id} began at {} and begins at {}", old.first, task.first);
        }
        for (id, lease) in &self.leases {
            let Some(old) = before.leases.get(id) else { continue };
            let has_ended = old.state != LeaseState::Active.as_str();
            hold!(!has_ended || lease.state == old.state, "{id} was {} and is {}", old.state, lease.state);
        }
        let kept: BTreeSet<_> = self.segments.iter().map(|row| (&row.storage_key, &row.sha256)).collect();
        for row in &before.segments {
            let is_thrown_away = self.jobs.get(&row.job_id).is_none_or(|job| job.state == "cancelled");
            let stays = is_thrown_away || kept.contains(&(&row.storage_key, &row.sha256));
            hold!(stays, "segment {} of {} in {} was committed and is gone", row.index, row.rendition, row.job_id);
        }
        Ok(())
    }

    fn state_of(&self, task: &task::Model) -> TaskState {
        TaskState::parse(&task.state).unwrap()
    }

    fn active(&self, lease: Option<&String>) -> Option<&lease::Model> {
        lease.and_then(|id| self.leases.get(id)).filter(|lease| lease.state == LeaseState::Active.as_str())
    }

    /// Every ready task waits once, and each class and team has a slot for each task that waits.
    fn queues(&self) -> Result<(), Broken> {
        let mut waiting: BTreeMap<&str, u32> = BTreeMap::new();
        let mut short: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for (class, team, id) in &self.ready {
            *waiting.entry(id).or_default() += 1;
            *short.entry((class, team)).or_default() += 1;
            let Some(task) = self.tasks.get(id) else { return Err(format!("{id} waits and is gone")) };
            hold!(self.state_of(task).is_open(), "{id} waits and is {}", task.state);
            hold!((&task.class, &task.team_id) == (class, team), "{id} waits in {class} of {team} and belongs elsewhere");
            let mut holders = [&task.lease_id, &task.backup_lease_id].into_iter().filter_map(|id| self.active(id.as_ref()));
            let alive = holders.find(|lease| lease.expires_at_ms >= self.now.ms());
            hold!(alive.is_none(), "{id} waits and is held by {:?}", alive.map(|lease| &lease.id));
        }
        for (class, team) in &self.slots {
            *short.entry((class, team)).or_default() -= 1;
        }
        if let Some((of, missing)) = short.iter().find(|(_, missing)| **missing > 0) {
            return Err(format!("{of:?} lacks {missing} slots"));
        }
        for task in self.tasks.values().filter(|task| self.state_of(task) == TaskState::Ready) {
            let times = waiting.get(task.id.as_str()).copied().unwrap_or(0);
            hold!(times == 1, "{} is ready and waits {times} times", task.id);
        }
        Ok(())
    }

    /// A held task has one active primary lease and at most one active backup of somebody else's; no other lease is active.
    fn holders(&self) -> Result<(), Broken> {
        for task in self.tasks.values() {
            let (primary, backup) = (self.active(task.lease_id.as_ref()), self.active(task.backup_lease_id.as_ref()));
            let is_held = self.state_of(task) == TaskState::Leased;
            hold!(primary.is_some() == is_held, "{} is {} and its lease is {:?}", task.id, task.state, task.lease_id);
            hold!(is_held || task.lease_id.is_none(), "{} is {} and names {:?}", task.id, task.state, task.lease_id);
            hold!(task.backup_lease_id.is_none() || backup.is_some(), "the backup lease of {} has ended", task.id);
            let agents = [primary, backup].map(|lease| lease.map(|lease| &lease.agent_id));
            hold!(backup.is_none() || agents[0] != agents[1], "{} is held twice by {:?}", task.id, agents[0]);
        }
        for lease in self.leases.values().filter(|lease| lease.state == LeaseState::Active.as_str()) {
            let task = self.tasks.get(&lease.task_id);
            let named = task.is_some_and(|task| [&task.lease_id, &task.backup_lease_id].contains(&&Some(lease.id.clone())));
            hold!(named, "{} is active and its task does not know: {task:?}", lease.id);
        }
        Ok(())
    }

    fn job(&self, job: &job::Model) -> Result<(), Broken> {
        let (id, state) = (&job.id, job.state.as_str());
        let mut tasks: Vec<&task::Model> = self.tasks.values().filter(|task| task.job_id == *id).collect();
        tasks.sort_by_key(|task| (task.first, task.last, task.ordinal));
        for task in &tasks {
            let in_order = task.first <= task.cursor && task.cursor <= task.last;
            hold!(in_order, "{} has first {}, cursor {}, last {}", task.id, task.first, task.cursor, task.last);
        }
        let open = tasks.iter().filter(|task| self.state_of(task).is_open()).count();
        let is_over = ["completed", "failed", "cancelled"].contains(&state);
        hold!(is_over != (open > 0), "{id} is {state} and has {open} open tasks");
        if state == "completed" {
            let undone = tasks.iter().find(|task| self.state_of(task) != TaskState::Done);
            hold!(undone.is_none(), "{id} is completed and {undone:?} is not");
        }
        if state != "cancelled" {
            self.spans(job, &tasks)?;
        }
        Ok(())
    }

    /// Spans tile the job without overlap or hole, and what was committed is what the cursors say.
    fn spans(&self, job: &job::Model, tasks: &[&task::Model]) -> Result<(), Broken> {
        let id = &job.id;
        for (kind, of) in [(TaskKind::Encode, "video"), (TaskKind::Audio, "audio")] {
            let spans: Vec<_> = tasks.iter().filter(|task| task.kind == kind.as_str()).collect();
            let mut end = 0;
            let mut expected = BTreeSet::new();
            for span in spans.iter().filter(|span| span.last > span.first) {
                hold!(span.first == end, "{}: {} begins at {}, not at {end}", id, span.id, span.first);
                end = span.last;
                expected.extend(span.first..span.cursor);
                let is_last = spans.iter().all(|other| other.last <= span.last || other.last == other.first);
                hold!(!span.to_end || is_last, "{}: {} is to the end, and others follow", id, span.id);
            }
            for rendition in self.renditions.iter().filter(|row| row.job_id == *id && row.kind == of) {
                let name = &rendition.name;
                let committed: Vec<i32> = self
                    .segments
                    .iter()
                    .filter(|row| row.job_id == *id && row.rendition == *name && row.epoch == rendition.epoch)
                    .map(|row| row.index)
                    .collect();
                let distinct: BTreeSet<i32> = committed.iter().copied().collect();
                hold!(distinct.len() == committed.len(), "{id}: a segment of {name} counts twice: {committed:?}");
                hold!(distinct == expected, "{id}: of {name} {distinct:?} are committed; the cursors say {expected:?}");
                let is_exact = end == rendition.segments_total && expected.len() == usize::try_from(end).unwrap();
                hold!(job.state != "completed" || is_exact, "{id} is completed: {name} ends at {end}, with {expected:?}");
            }
        }
        Ok(())
    }
}
