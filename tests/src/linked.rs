//! An engine with a shell: the test speaks with it over its standard input and output, as the tray app does.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use offpeak_link::{Answer, Contribution, FromEngine, Now, Order, ToEngine};
use url::Url;

use crate::system::System;

const LIMIT: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub struct Linked {
    child: Child,
    input: Option<ChildStdin>,
    events: Receiver<FromEngine>,
    orders: u64,
    /// As last told.
    pub now: Option<Now>,
    pub contribution: Option<Contribution>,
    pub log: Vec<String>,
}

impl Linked {
    /// Starts it; what it prints to standard error goes to `log`.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(log).expect("the log can be written");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().expect("the engine starts");
        let (out, events) = channel();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Nothing else may be written there.
                let event = offpeak_link::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
                if out.send(event).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        let mut linked = Self { child, input, events, orders: 0, now: None, contribution: None, log: Vec::new() };
        match linked.next(Instant::now() + LIMIT) {
            Some(FromEngine::Hello { protocol, pid, .. }) => {
                assert_eq!((protocol, pid), (offpeak_link::PROTOCOL, linked.child.id()));
            }
            other => panic!("the first line is {other:?}"),
        }
        linked
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives an order and waits for its answer.
    pub fn order(&mut self, what: Order) -> Answer {
        self.orders += 1;
        let order = ToEngine { order: self.orders, what };
        let line = offpeak_link::line(&order).expect("a line");
        self.input.as_mut().expect("an input").write_all(&line).expect("the engine reads");
        let until = Instant::now() + LIMIT;
        loop {
            match self.next(until) {
                Some(FromEngine::Answer { order, answer }) if order == self.orders => return answer,
                Some(_) => {}
                None => panic!("no answer to {order:?}"),
            }
        }
    }

    /// Has it join the system's farm, with the server at this address.
    pub fn join(&mut self, system: &System, server: &Url, name: Option<&str>) {
        let link_or_code = system.server_says(&["token", "enrol", "--uses", "1"]);
        let order = Order::Join { link_or_code, server: Some(server.clone()), name: name.map(str::to_owned) };
        assert_eq!(self.order(order), Answer::Done);
    }

    /// Waits until it says so.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Now) -> bool) -> Now {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(now) = self.now.as_ref().filter(|now| is_so(now)) {
                return now.clone();
            }
            assert!(self.next(until).is_some(), "{what} does not come; it says {:#?}\n{}", self.now, self.log.join("\n"));
        }
    }

    /// Takes in what has been told by now.
    pub fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while self.next(until).is_some() {}
    }

    fn next(&mut self, until: Instant) -> Option<FromEngine> {
        let event = match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        match &event {
            FromEngine::Now(now) => self.now = Some((**now).clone()),
            FromEngine::Contribution(contribution) => self.contribution = Some(*contribution),
            FromEngine::Log(line) => self.log.push(line.text.clone()),
            FromEngine::Hello { .. } | FromEngine::Answer { .. } => {}
        }
        Some(event)
    }

    /// The shell is gone, without a word.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// Its exit code, within so long.
    pub fn ends_within(&mut self, limit: Duration) -> Option<i32> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status.code();
            }
            assert!(Instant::now() < until, "the engine does not end within {limit:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended_before = self.child.kill();
        let _status = self.child.wait();
    }
}
