//! What the box costs: starts of ffmpeg, and encodes of ten seconds, with and without it by turns.
//!
//! `cargo run -p offpeak-engine --example box_cost -- .offpeak/bin/offpeak-ffmpeg`
#![expect(clippy::unwrap_used, reason = "a measurement that fails is none")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use offpeak_engine::{
    desk::Desk,
    ffmpeg::{Argv, Ended, Run, capture},
    sandbox::{Limits, Sandbox, Walls, in_words},
};
use tokio_util::sync::CancellationToken;

const STARTS: usize = 101;
const ENCODES: usize = 7;

#[tokio::main]
async fn main() {
    let ffmpeg = std::env::args_os().nth(1).expect("the path of ffmpeg");
    let ffmpeg = Path::new(&ffmpeg);
    let boxed = Sandbox::raise(ffmpeg, 0).await;
    println!("{}", in_words(&boxed.report()));
    let sides = [("open", Sandbox::of(Walls::default(), 0, None)), ("boxed", boxed)];

    let start = Argv::new().arg("-version");
    compare("start", &sides, ffmpeg, &start, STARTS).await;
    let encode = "-nostdin -v error -f lavfi -i testsrc2=s=1280x720:r=25:d=10 -c:v libx264 -preset veryfast -f null -";
    let encode = encode.split(' ').fold(Argv::new(), |argv, word| argv.arg(word));
    compare("encode of 10 s", &sides, ffmpeg, &encode, ENCODES).await;
}

async fn compare(what: &str, sides: &[(&str, Sandbox); 2], ffmpeg: &Path, argv: &Argv, runs: usize) {
    let mut times: [Vec<Duration>; 2] = Default::default();
    for _ in 0..runs {
        for ((_, sandbox), times) in sides.iter().zip(&mut times) {
            let run = Run {
                sandbox,
                program: ffmpeg,
                argv: argv.clone(),
                limits: Limits::within(Duration::from_secs(600)),
                loopback: None,
            };
            let begun = Instant::now();
            let ended = capture(run, 1 << 20, &Desk::default(), &CancellationToken::new()).await.unwrap().ended;
            times.push(begun.elapsed());
            assert_eq!(ended, Ended::Well);
        }
    }
    for ((name, _), mut times) in sides.iter().zip(times) {
        times.sort();
        let [low, median, high] =
            [times[runs / 10], times[runs / 2], times[runs * 9 / 10]].map(|time| time.as_secs_f64() * 1000.0);
        println!("{what}, {name}: median {median:.1} ms, 10th to 90th percentile {low:.1} to {high:.1} ms, {runs} runs");
    }
}
