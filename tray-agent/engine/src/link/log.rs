//! The log, for the shell: what goes to standard error goes there too, as typed lines.

use std::fmt::{self, Write};

use chrono::Utc;
use offpeak_link::{FromEngine, Level, LogLine};
use tokio::sync::mpsc;
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::layer::{Context, Layer};

/// Lines that wait for the shell; beyond them the newest are lost, as a log must not hold up work.
const LINES_AHEAD: usize = 512;

/// Lines as they are logged.
#[derive(Debug)]
pub struct LogLines(mpsc::Receiver<LogLine>);

/// A layer for the subscriber, and the lines that it takes.
pub fn lines() -> (ToShell, LogLines) {
    let (out, lines) = mpsc::channel(LINES_AHEAD);
    (ToShell(out), LogLines(lines))
}

/// Takes events of level info and above.
#[derive(Debug)]
pub struct ToShell(mpsc::Sender<LogLine>);

impl<S: Subscriber> Layer<S> for ToShell {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            _ => return,
        };
        let mut text = Text::default();
        event.record(&mut text);
        let text = format!("{}{}", text.message, text.fields);
        let _ = self.0.try_send(LogLine { at: Utc::now(), level, text });
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// Passes lines on; never ends before the link does.
pub async fn tell(log: Option<LogLines>, lines: mpsc::Sender<FromEngine>) {
    if let Some(LogLines(mut log)) = log {
        while let Some(line) = log.recv().await {
            if lines.send(FromEngine::Log(line)).await.is_err() {
                return;
            }
        }
    }
    std::future::pending().await
}
