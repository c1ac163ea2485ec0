//! Cases of the rule, on a fleet of ten machines that each do 10 units a second.

use super::*;

fn fleet(machines: u32) -> Fleet {
    let speed = Speed { usual: 10.0, slow: 6.0 };
    Fleet { capacity: f64::from(machines) * speed.usual, speed: Some(speed), ebb: Ebb::default() }
}

fn no_queue() -> Queue {
    Queue { weight: 1.0, ahead: 0.0, behind: 0.0, rivals: Vec::new(), busy: Busy::default() }
}

/// A planned film of ten rows in four spans that all wait.
fn film(work: f64) -> Left {
    Left { waiting_work: work, waiting_spans: 4, row_work: work / 10.0, doubt: 1.0, ..Left::default() }
}

#[track_caller]
fn eta(fleet: &Fleet, queue: &Queue, left: &Left) -> Eta {
    let eta = estimate(fleet, queue, left).expect("an estimate");
    assert!(eta.p90 > eta.p50, "{eta:?}");
    eta
}

#[track_caller]
fn assert_p50(queue: &Queue, left: &Left, expected: f64, case: &str) {
    let p50 = eta(&fleet(10), queue, left).p50;
    assert!((p50 - expected).abs() < 0.01, "{case}: {p50} instead of {expected}");
}

#[test]
fn cases() {
    // 1000 units on 100 a second take 10 s, and one row of the last span 10 s more.
    let (film, row) = (film(1000.0), 10.0);
    assert_p50(&no_queue(), &film, 10.0 + row + START_SECONDS, "nothing else to do");
    // Half of a span of 250 units comes at the end: nobody is idle who would take its tail.
    let span = 12.5;
    let ahead = Queue { ahead: 3000.0, ..no_queue() };
    assert_p50(&ahead, &film, 40.0 + span + START_SECONDS, "what is ahead comes first");
    let behind = Queue { behind: 3000.0, ..no_queue() };
    assert_p50(&behind, &film, 10.0 + span + START_SECONDS, "what is behind only keeps everybody busy");
    let flood = |weight, work| Queue { rivals: vec![Rival { weight, work }], ..no_queue() };
    assert_p50(&flood(1.0, 1e9), &film, 20.0 + span + START_SECONDS, "another team's flood takes its half");
    assert_p50(&flood(3.0, 1e9), &film, 40.0 + span + START_SECONDS, "or three quarters, by its weight");
    assert_p50(&flood(1.0, 200.0), &film, 12.0 + span + START_SECONDS, "but no more than it has");
    let own = Queue { weight: 4.0, ..flood(1.0, 1e9) };
    assert_p50(&own, &film, 12.5 + span + START_SECONDS, "by one's own weight too");
    let busy = Queue { busy: Busy { work: 500.0, speed: 50.0 }, ..no_queue() };
    assert_p50(&busy, &film, 15.0 + row + START_SECONDS, "half of the fleet is busy for 10 s");
    let long = Queue { busy: Busy { work: 1e6, speed: 50.0 }, ..no_queue() };
    assert_p50(&long, &film, 20.0 + row + START_SECONDS, "half of the fleet is busy for hours");
}

#[test]
fn what_is_held() {
    let piece = |work, speed| Piece { work, speed };
    let held = |held: Vec<Piece>| Left { held, row_work: 100.0, doubt: 1.0, ..Left::default() };
    let full = Queue { behind: 1e6, ..no_queue() };
    assert_p50(&full, &held(vec![piece(30.0, 10.0), piece(400.0, 20.0)]), 20.0, "the last holder counts");
    assert_p50(&no_queue(), &held(vec![piece(30.0, 10.0)]), 3.0, "the end of a row");
    // Alone it would take 100 s; others take tails until a row of 10 s is left.
    assert_p50(&no_queue(), &held(vec![piece(1000.0, 10.0)]), 10.0 + START_SECONDS, "tails are taken");
}

#[test]
fn before_and_after() {
    let row = 10.0 + 10.0 + START_SECONDS;
    let unplanned = Left { before: (3.0, 6.0), ..film(1000.0) };
    assert_p50(&no_queue(), &unplanned, 3.0 + row, "the probe comes before");
    let with_file = Left { after: (5.0, 9.0), ..film(1000.0) };
    assert_p50(&no_queue(), &with_file, row + 5.0, "the file comes after");
    let only_file = Left { after: (5.0, 9.0), ..Left::default() };
    assert_p50(&Queue { ahead: 3000.0, ..no_queue() }, &only_file, 5.0, "nothing but the file is left");
    let waiting = Left { others_wait: true, ..only_file };
    assert_p50(&Queue { ahead: 3000.0, ..no_queue() }, &waiting, 35.0, "and waits for its turn");
    let sound = Left { sound_seconds: 6000.0, ..film(1000.0) };
    assert_p50(&no_queue(), &sound, 100.0 + START_SECONDS, "long sound takes longer than the pictures of a large fleet");
    let doubtful = Left { doubt: 3.0, ..film(1000.0) };
    let (sure, unsure) = (eta(&fleet(10), &no_queue(), &film(1000.0)), eta(&fleet(10), &no_queue(), &doubtful));
    assert_eq!(sure.p50, unsure.p50);
    assert!(unsure.p90 > 2.0 * sure.p90, "{sure:?} {unsure:?}");
}

#[test]
fn nothing_is_told_where_nothing_is_known() {
    let unmeasured = Fleet { speed: None, ..fleet(10) };
    assert_eq!(estimate(&unmeasured, &no_queue(), &film(1000.0)), None);
    assert_eq!(estimate(&fleet(0), &no_queue(), &film(1000.0)), None);
    assert_eq!(estimate(&Fleet::default(), &no_queue(), &film(1000.0)), None);
}

#[test]
fn it_takes_longer_the_more_there_is_and_the_fewer_there_are() {
    let of = |machines, work, ahead| eta(&fleet(machines), &Queue { ahead, ..no_queue() }, &film(work));
    for machines in [1, 3, 10, 100] {
        for work in [10.0, 1000.0, 1e5] {
            for ahead in [0.0, 1e3, 1e6] {
                let here = of(machines, work, ahead);
                for more in [of(machines, work * 2.0, ahead), of(machines, work, ahead + 1e4)] {
                    assert!(more.p50 > here.p50 && more.p90 > here.p90, "{machines} {work} {ahead}");
                }
                let larger = of(machines * 2, work, ahead);
                assert!(larger.p50 < here.p50 && larger.p90 <= here.p90, "{machines} {work} {ahead}");
            }
        }
    }
}

#[test]
fn an_ebb_is_seen_in_the_past() {
    assert_eq!(Ebb::of(&[]), Ebb::default());
    assert_eq!(Ebb::of(&[3.0; 20]), Ebb::default(), "too little to tell");
    let steady = Ebb::of(&[10.0; 1440]);
    assert_eq!([60.0, 3600.0, 1e6].map(|seconds| steady.share(seconds)), [0.95; 3]);
    // Every fifth hour nine of ten are gone.
    let hours = |n: usize| if n % 300 < 60 { 1.0 } else { 10.0 };
    let ebb = Ebb::of(&(0..1440).map(hours).collect::<Vec<_>>());
    let shares = [60.0, 1200.0, 3600.0, 14_400.0].map(|seconds| ebb.share(seconds));
    assert!(shares[0] > 0.9, "{shares:?}: it seldom comes within minutes");
    assert!(shares[2] < 0.7, "{shares:?}: within an hour it often does");
    // All are gone at last: what was there when nobody was is no measure.
    let (day, night) = (vec![10.0; 700], vec![0.0; 740]);
    let shut = Ebb::of(&[day, night].concat());
    assert!(shut.share(1e6) < 0.5 && shut.share(1e6) >= 0.05, "{shut:?}");
}
