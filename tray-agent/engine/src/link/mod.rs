//! `offpeak-agent run --link`: the engine's side of the channel to the tray app (`offpeak-link`).
//!
//! In: orders, a line each, on standard input. Out: what is true now, whenever it changes; contributions; the log; an answer to
//! each order. What must hold: nothing but such lines is ever written to standard output; when the input ends, the shell is
//! gone, and the engine ends at once.

mod log;
mod orders;

use std::{io, time::Duration};

use offpeak_api::agent::AgentState;
use offpeak_link::{Farm, FromEngine, Now, PROTOCOL};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub use self::{
    log::{LogLines, lines as log_lines},
    orders::refused,
};
use crate::{
    contribution::Tally,
    status::{Standing, Status},
    supervise::Demands,
    watch::{Seen, Watch},
};

/// Figures of running work change with each row; people read no faster.
const LEAST_BETWEEN: Duration = Duration::from_secs(1);
/// Nobody minds yesterday's figures for so long after midnight.
const LOOK_FOR_MIDNIGHT: Duration = Duration::from_secs(60);
/// Answers and news that wait for a shell that does not read.
const LINES_AHEAD: usize = 1024;
/// A line that is longer is no order.
const LONGEST_LINE: u64 = 64 << 10;

/// What the shell may see and change.
#[derive(Debug, Clone)]
pub struct Link {
    pub watch: Watch,
    pub tally: Tally,
    pub demands: Demands,
    /// Which farm this machine is in.
    pub farm: watch::Receiver<Option<Farm>>,
    pub machine_cores: u32,
    pub machine_memory_mib: u64,
}

/// Speaks until the input ends, or the output is closed, which both mean that the shell is gone; or until it is done.
pub async fn speak(
    link: Link,
    input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin + Send + 'static,
    log: Option<LogLines>,
    done: CancellationToken,
) {
    let (lines_out, lines) = mpsc::channel(LINES_AHEAD);
    let hello = FromEngine::Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned(), pid: std::process::id() };
    // There is room for the first line.
    let _ = lines_out.try_send(hello);
    let writing = write(output, lines);
    tokio::pin!(writing);
    let speaking = async {
        tokio::select! {
            // The order that ends the engine is answered, too: its answer and the end come at the same moment.
            biased;
            read = listen(&link, input, lines_out.clone()) => if let Err(error) = read {
                tracing::debug!("the shell does not speak any more: {error}");
            },
            () = tell_now(&link, lines_out.clone()) => {}
            () = tell_contribution(&link.tally, lines_out.clone()) => {}
            () = log::tell(log, lines_out.clone()) => {}
            () = done.cancelled() => {}
        }
        drop(lines_out);
    };
    tokio::select! {
        written = &mut writing => {
            if let Err(error) = written {
                tracing::debug!("the shell does not listen any more: {error}");
            }
            return;
        }
        () = speaking => {}
    }
    // An answer that is on its way still goes out.
    let _ = writing.await;
}

async fn write(mut output: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<FromEngine>) -> io::Result<()> {
    while let Some(event) = lines.recv().await {
        output.write_all(&offpeak_link::line(&event)?).await?;
        if lines.is_empty() {
            output.flush().await?;
        }
    }
    Ok(())
}

/// Carries orders out, one after the other, until there are no more.
async fn listen(link: &Link, input: impl AsyncRead + Unpin, lines: mpsc::Sender<FromEngine>) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = tokio::io::AsyncReadExt::take(&mut input, LONGEST_LINE);
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        match offpeak_link::parse(&line) {
            Ok(offpeak_link::ToEngine { order, what }) => {
                let answer = orders::carry_out(link, what).await;
                // The writer ends this function's caller when it ends.
                let _ = lines.send(FromEngine::Answer { order, answer }).await;
            }
            Err(error) => tracing::warn!("a line on standard input is no order and is passed over: {error}"),
        }
    }
}

async fn tell_now(link: &Link, lines: mpsc::Sender<FromEngine>) {
    let (mut standing, mut person, mut farm) = (link.watch.status.subscribe(), link.watch.wishes.subscribe(), link.farm.clone());
    let mut told: Option<Now> = None;
    loop {
        let (current, limits) = (standing.borrow_and_update().clone(), person.borrow_and_update().limits.clone());
        let joined = farm.borrow_and_update().clone();
        let now = now(link, &current, limits, joined);
        let told_at = Instant::now();
        if told.as_ref() != Some(&now) {
            if lines.send(FromEngine::Now(Box::new(now.clone()))).await.is_err() {
                return;
            }
            told = Some(now);
        }
        tokio::select! {
            _ = standing.changed() => {}
            _ = person.changed() => {}
            changed = farm.changed() => if changed.is_err() {
                return;
            },
        }
        // Another state is told at once; figures can wait.
        let told_state = told.as_ref().map(|told| told.state);
        tokio::select! {
            () = tokio::time::sleep_until(told_at + LEAST_BETWEEN) => {}
            _ = standing.wait_for(|standing| Some(standing.state().0) != told_state) => {}
        }
    }
}

fn now(link: &Link, standing: &Standing, limits: offpeak_link::Limits, farm: Option<Farm>) -> Now {
    let (state, finding) = standing.state();
    Now {
        state,
        reason: finding.reason,
        code: (state == AgentState::Broken).then(|| standing.engine.broken_code()).flatten().map(str::to_owned),
        since: standing.since,
        // To the second: a moment that follows from a clock is another one with each look.
        until: finding.until.map(|until| {
            let second = until.timestamp() + i64::from(until.timestamp_subsec_millis() >= 500);
            chrono::DateTime::from_timestamp(second, 0).unwrap_or(until)
        }),
        farm,
        work: standing.work.values().cloned().collect(),
        limits,
        policy: standing.policy.clone(),
        machine_cores: link.machine_cores,
        machine_memory_mib: link.machine_memory_mib,
    }
}

async fn tell_contribution(tally: &Tally, lines: mpsc::Sender<FromEngine>) {
    loop {
        if lines.send(FromEngine::Contribution(tally.get())).await.is_err() {
            return;
        }
        let told = tally.get();
        tokio::select! {
            () = tally.next_lease() => {}
            () = other_day(tally, told) => {}
        }
    }
}

/// Ends when what was done today is not today's any more.
async fn other_day(tally: &Tally, told: offpeak_link::Contribution) {
    // A machine that has done nothing today has the same to say tomorrow.
    while tally.get().today == told.today {
        // Not until midnight: a clock that was set or a night asleep would make that another moment.
        tokio::time::sleep(LOOK_FOR_MIDNIGHT).await;
    }
}

/// All readings, and the rule that decided.
fn why(status: &Status, seen: &Seen, watch: &Watch) -> offpeak_link::Why {
    seen.why(status, &watch.clock)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::sync::atomic::{AtomicI32, Ordering};

    use chrono::NaiveDate;

    use super::*;

    static DAY: AtomicI32 = AtomicI32::new(740_000);

    fn day() -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(DAY.load(Ordering::SeqCst)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn at_midnight_today_is_empty() {
        let tally = Tally::by_the_clock(None, day);
        tally.video(12.0);
        let (out, mut lines) = mpsc::channel(4);
        let _telling =
            tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move { tell_contribution(&tally, out).await }));
        let mut next = async || match lines.recv().await {
            Some(FromEngine::Contribution(contribution)) => (contribution.today.video_seconds, contribution.total.video_seconds),
            other => panic!("{other:?}"),
        };
        assert_eq!(next().await, (12.0, 12.0));
        assert!(tokio::time::timeout(Duration::from_secs(3600), next()).await.is_err(), "the same is not said again");
        DAY.fetch_add(1, Ordering::SeqCst);
        assert_eq!(next().await, (0.0, 12.0));
    }
}
