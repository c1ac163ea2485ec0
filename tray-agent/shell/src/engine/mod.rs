//! The engine as a child: started, heard, told, started again when it dies, and never left behind.
//!
//! In: orders. Out: what the engine says, and how it is. One thread does it all, for as long as the shell lives: on Linux a
//! child dies with the *thread* that started it. Nothing here looks every so often: it waits for lines and for orders.

pub(crate) mod backoff;
mod child;
mod run;

use std::path::PathBuf;

use offpeak_link::{Answer, FromEngine, Order};
use tokio::sync::{mpsc, oneshot};

use self::{
    backoff::Backoff,
    run::{End, Run},
};

/// The program and what its command line says.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<String>,
}

/// What the shell hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Event(FromEngine),
    Starting,
    /// It ended, nobody asked it to, and it starts again in so many seconds.
    Down {
        seconds: u64,
        why: String,
        /// It has done so before, and was not well for long since.
        again: bool,
    },
    /// It was told to end, and has.
    Ended,
}

#[derive(Debug)]
enum Told {
    Order(Order, oneshot::Sender<Answer>),
    Stop(oneshot::Sender<()>),
}

/// The way to the engine. Dropping all of its clones stops it.
#[derive(Debug, Clone)]
pub struct Engine {
    told: mpsc::UnboundedSender<Told>,
}

impl Engine {
    /// Starts the thread that looks after the engine; `hear` is called on it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(program: Program, hear: impl Fn(Heard) + Send + 'static) -> std::io::Result<Self> {
        let (told, receiver) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || runtime.block_on(look_after(&program, receiver, &hear)))?;
        Ok(Self { told })
    }

    /// What the engine says to an order.
    pub async fn order(&self, order: Order) -> Answer {
        let (answer, answered) = oneshot::channel();
        // Either error means that the thread has ended, and with it the engine.
        let _ended = self.told.send(Told::Order(order, answer));
        answered.await.unwrap_or_else(|_| not_there())
    }

    /// The engine hands back what it holds and ends; returns when it is gone.
    pub async fn stop(&self) {
        let (gone, is_gone) = oneshot::channel();
        let _ended = self.told.send(Told::Stop(gone));
        // An error is good news here: nobody is left to stop it, because it has stopped.
        let _ended = is_gone.await;
    }
}

/// Code of the refusal of every order while no engine runs.
pub const NOT_RUNNING: &str = "engine_not_running";

fn not_there() -> Answer {
    Answer::Refused {
        code: NOT_RUNNING.to_owned(),
        message: "Offpeak's engine is not running at the moment, so nothing was changed. Try again in a minute.".to_owned(),
    }
}

async fn look_after(program: &Program, mut told: mpsc::UnboundedReceiver<Told>, hear: &impl Fn(Heard)) {
    let mut backoff = Backoff::default();
    loop {
        hear(Heard::Starting);
        let since = tokio::time::Instant::now();
        let end = match Run::start(program) {
            Ok(mut run) => run.until_its_end(&mut told, hear).await,
            Err(error) => End::Died(format!("{} does not start: {error}", program.path.display())),
        };
        let why = match end {
            End::Told(gone) => {
                hear(Heard::Ended);
                // The shell may have gone first.
                let _nobody_waits = gone.map(|gone| gone.send(()));
                return;
            }
            End::Died(why) => why,
        };
        let pause = backoff.after_a_run_of(since.elapsed());
        hear(Heard::Down { seconds: pause.as_secs(), why, again: backoff.is_repeated() });
        let again = tokio::time::sleep(pause);
        tokio::pin!(again);
        loop {
            tokio::select! {
                () = &mut again => break,
                next = told.recv() => match next {
                    Some(Told::Order(_, answer)) => drop(answer.send(not_there())),
                    Some(Told::Stop(gone)) => {
                        hear(Heard::Ended);
                        let _nobody_waits = gone.send(());
                        return;
                    }
                    None => return,
                },
            }
        }
    }
}
