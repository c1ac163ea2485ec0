//! When a job will be complete: seconds from now, as an even chance (p50) and as what nine of ten jobs keep (p90).
//!
//! Pure rules over figures of the fleet, of the queues and of the job; `known.rs` gathers them, `store.rs` asks for them. All
//! work is in units of `plan::estimated_work`. The model is a fluid one, as fair queueing itself is an image of it (generalised
//! processor sharing: Parekh and Gallager, "A Generalized Processor Sharing Approach to Flow Control in Integrated Services
//! Networks", IEEE/ACM Transactions on Networking 1(3), 1993):
//!
//! - all machines together are one stream of work, as wide as their speeds;
//! - it is shared among the teams that have work waiting, by their weights. While a team gets X of its own done, each other team
//!   gets as much by its weight, or all that it has waiting if that is less;
//! - what is in progress for others leaves the stream narrower at first;
//! - at the end comes what no number of machines makes shorter: a row of the last span while others are idle and take tails, and
//!   half a span on average while everybody has something better to do.

mod kept;
pub mod known;
mod store;
mod typical;

/// From a task's grant to its first frame, with the commit of its last row: ffmpeg starts, decodes up to a GOP, uploads.
const START_SECONDS: f64 = 2.5;
/// Of a source that is in storage, until its job is planned.
const PROBE_SECONDS: f64 = 3.0;
/// Sound is encoded so many times as fast as it plays, on one core.
const SOUND_SPEED: f64 = 60.0;
/// A file is joined from segments as fast as a network carries them: seconds at least, and units of work a second.
const FILE_SECONDS: f64 = 2.0;
const FILE_WORK_PER_SECOND: f64 = 8000.0;

/// The fleet as it is, and how much of it may be gone by and by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    /// Work a second of all machines that are available.
    pub capacity: f64,
    /// Work a second under one lease; nothing while none was measured.
    pub speed: Option<Speed>,
    pub ebb: Ebb,
}

/// Of one lease among many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    pub usual: f64,
    /// Nine of ten are faster.
    pub slow: f64,
}

/// Leases of other jobs: what is left of them, and how fast they are together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Busy {
    pub work: f64,
    pub speed: f64,
}

/// Another team with waiting work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rival {
    pub weight: f64,
    pub work: f64,
}

/// What else there is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub weight: f64,
    /// Waiting work of the job's own team that comes before it,
    pub ahead: f64,
    /// and after it.
    pub behind: f64,
    pub rivals: Vec<Rival>,
    pub busy: Busy,
}

impl Queue {
    /// Whoever gets free takes other work, and nobody takes tails.
    fn is_contended(&self) -> bool {
        self.ahead + self.behind + self.rivals.iter().map(|rival| rival.work).sum::<f64>() > 0.0
    }
}

/// Part of the job that somebody holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Work that is not encoded.
    pub work: f64,
    pub speed: f64,
}

/// What is left of a job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Left {
    /// Of spans that nobody is at.
    pub waiting_work: f64,
    pub waiting_spans: u32,
    pub held: Vec<Piece>,
    /// Of one row: what cannot be shared.
    pub row_work: f64,
    /// How many times as much work there may be, in the worst tenth: more than 1 while the job is not planned.
    pub doubt: f64,
    /// Its sound or a file waits for somebody.
    pub others_wait: bool,
    /// Seconds of sound that are not committed.
    pub sound_seconds: f64,
    /// Seconds of what comes before the spans (fetch and probe), and after them (files); usual ones, and of the worst tenth.
    pub before: (f64, f64),
    pub after: (f64, f64),
}

/// Seconds from now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eta {
    pub p50: f64,
    pub p90: f64,
}

/// How things are taken to go.
#[derive(Debug, Clone, Copy)]
struct Luck {
    /// The part of the fleet's capacity that stays.
    share: f64,
    /// Of one lease.
    speed: f64,
    /// Pictures turn out to be harder than usual, or there are more of them.
    work: f64,
}

/// Nothing when there is no machine, or none whose speed is known.
pub fn estimate(fleet: &Fleet, queue: &Queue, left: &Left) -> Option<Eta> {
    let speed = fleet.speed.filter(|speed| speed.usual > 0.0)?;
    let usual = Luck { share: 1.0, speed: speed.usual, work: 1.0 };
    let p50 = left.before.0 + encode_seconds(fleet, queue, left, usual)? + left.after.0;
    // The longer it takes, the more machines may have gone: two rounds come near enough.
    let slips = if queue.is_contended() { SLIPS_IN_A_QUEUE } else { SLIPS };
    let mut p90 = p50;
    for _ in 0..2 {
        let bad = Luck { share: fleet.ebb.share(p90), speed: speed.slow, work: HARDER * left.doubt.max(1.0) };
        p90 = left.before.1 + slips * encode_seconds(fleet, queue, left, bad)? + left.after.1;
    }
    Some(Eta { p50, p90: p90.max(p50 + 1.0) })
}

/// Pictures differ by a factor that is log-normal with a σ of about a quarter; a film's rows level that out in part.
const HARDER: f64 = 1.15;
/// What goes wrong: a lease that expires, a span that is begun twice.
const SLIPS: f64 = 1.25;
/// While there is a queue, also urgent work of the own team that comes meanwhile, and teams that had none.
const SLIPS_IN_A_QUEUE: f64 = 1.5;

fn encode_seconds(fleet: &Fleet, queue: &Queue, left: &Left, luck: Luck) -> Option<f64> {
    let held: f64 = left.held.iter().map(|piece| piece.work).sum();
    let sound = if left.sound_seconds > 0.0 { START_SECONDS + left.sound_seconds / SOUND_SPEED } else { 0.0 };
    let capacity = fleet.capacity * luck.share;
    if capacity <= 0.0 {
        return None;
    }
    if left.waiting_work + held <= 0.0 {
        let turn = if left.others_wait { (queue.ahead + of_rivals(queue, queue.ahead)) / capacity } else { 0.0 };
        return Some(turn + sound);
    }
    let waiting = left.waiting_work * luck.work;
    let others = if waiting > 0.0 { queue.ahead + of_rivals(queue, queue.ahead + waiting) } else { 0.0 };
    let flow = flow_seconds(others + waiting + held * luck.work, capacity, queue.busy);
    // How long the holders take if nobody helps them.
    let slower = luck.speed / fleet.speed.map_or(luck.speed, |speed| speed.usual);
    let alone = |piece: &Piece| if piece.speed > 0.0 { piece.work * luck.work / (piece.speed * slower) } else { 0.0 };
    let alone = left.held.iter().map(alone).fold(0.0, f64::max);
    let row = left.row_work * luck.work / luck.speed;
    let pictures = if queue.is_contended() {
        let span = if left.waiting_spans > 0 { waiting / f64::from(left.waiting_spans) / luck.speed } else { 0.0 };
        let of_waiting = if waiting > 0.0 { flow + (span / 2.0).max(row) + START_SECONDS } else { 0.0 };
        of_waiting.max(alone)
    } else if waiting > 0.0 {
        flow + row + START_SECONDS
    } else {
        // Tails are taken from the slow.
        alone.min(flow.max(row) + START_SECONDS)
    };
    Some(pictures.max(sound))
}

/// What other teams get done while this one gets `own` of its work done.
fn of_rivals(queue: &Queue, own: f64) -> f64 {
    queue.rivals.iter().map(|rival| rival.work.min(own * rival.weight / queue.weight)).sum()
}

/// Seconds until this much work is done, if others are at `busy` and each machine of theirs joins in when it is done.
fn flow_seconds(work: f64, capacity: f64, busy: Busy) -> f64 {
    let taken = busy.speed.min(capacity);
    let free = capacity - taken;
    let until = if taken > 0.0 { busy.work / taken } else { 0.0 };
    if work <= free * until { work / free } else { (work + busy.work) / capacity }
}

/// What files take that are made of so much work.
pub fn file_seconds(work: f64) -> f64 {
    FILE_SECONDS + work / FILE_WORK_PER_SECOND
}

/// Which part of today's machines is still there, on average over the next minutes, in the worst tenth of cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ebb([f64; HORIZONS.len()]);

/// In minutes.
const HORIZONS: [usize; 4] = [5, 20, 60, 240];
/// Fewer minutes tell nothing.
const FEWEST_SAMPLES: usize = 60;

impl Default for Ebb {
    /// A small office about which nothing is known yet.
    fn default() -> Self {
        Self([0.75, 0.6, 0.5, 0.35])
    }
}

impl Ebb {
    /// From the machines that were available, minute by minute.
    pub fn of(available: &[f64]) -> Self {
        let mut ebb = Self::default();
        let mut sums = vec![0.0];
        sums.extend(available.iter().scan(0.0, |sum, machines| {
            *sum += machines;
            Some(*sum)
        }));
        for (share, minutes) in ebb.0.iter_mut().zip(HORIZONS) {
            let begin = |at: usize| Some((at, available[at])).filter(|(_, machines)| *machines > 0.0);
            let later = |(at, machines): (usize, f64)| (sums[at + 1 + minutes] - sums[at + 1]) / minutes as f64 / machines;
            let mut shares: Vec<f64> = (0..available.len().saturating_sub(minutes)).filter_map(begin).map(later).collect();
            if shares.len() < FEWEST_SAMPLES {
                continue;
            }
            shares.sort_unstable_by(f64::total_cmp);
            // A fleet that was never left by more than this still can be.
            *share = shares[shares.len() / 10].clamp(0.05, 0.95);
        }
        ebb
    }

    fn share(&self, seconds: f64) -> f64 {
        let horizon = HORIZONS.iter().position(|minutes| seconds <= *minutes as f64 * 60.0);
        self.0[horizon.unwrap_or(HORIZONS.len() - 1)]
    }
}

#[cfg(test)]
mod tests;
