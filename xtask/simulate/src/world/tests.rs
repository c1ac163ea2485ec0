//! What can be known without a simulation must come out of it too.

use super::*;
use crate::films;

fn settings(agents: u32) -> Settings {
    Settings { agents, hours: 0.1, seed: 42, load: 0.0, steal: false, backup: false, span_seconds: None, ideal: true }
}

/// One silent film without files, on machines that are all alike and always there: seconds until it is complete.
fn makespan(settings: Settings, film_seconds: f64) -> f64 {
    let mut world = World::new(settings);
    let film = films::make(film_seconds, (1920, 1080), 25.0, false, &world.profile, &world.classes);
    world.submit(0, 4, films::Film { has_file: false, ..film });
    let figures = world.run();
    assert_eq!((figures.completed, figures.failed, figures.unfinished), (1, 0, 0));
    assert_eq!(figures.waste_share(), 0.0);
    figures.to_complete[0] as f64 / 1000.0
}

/// A request and its answer; a probe; a row of 6 s in four rungs at 30 units a second.
const ASK: f64 = 0.1;
const PROBE: f64 = ASK + 1.5;
const ROW: f64 = 150.0 * (1920.0 * 1080.0 + 1280.0 * 720.0 + 854.0 * 480.0 + 640.0 * 360.0) / 1e6 / 30.0;

#[test]
fn one_machine_takes_the_sum() {
    let spans = films::make(600.0, (1920, 1080), 25.0, false, &films::profile(None), &Classes::all()).spans.len();
    let expected = PROBE + spans as f64 * ASK + 100.0 * ROW;
    let took = makespan(settings(1), 600.0);
    assert!((took - expected).abs() < 0.2, "{took} s instead of {expected} s");
}

#[test]
fn rows_on_equal_machines_go_in_rounds() {
    for (machines, rounds) in [(1, 100), (3, 34), (7, 15), (100, 1), (150, 1)] {
        let took = makespan(Settings { span_seconds: Some(6.0), ..settings(machines) }, 600.0);
        let expected = PROBE + f64::from(rounds) * (ASK + ROW);
        assert!((took - expected).abs() < 0.2, "{machines} machines: {took} s instead of {expected} s");
    }
}

#[test]
fn stealing_brings_a_long_span_near_the_ideal() {
    // One span of 100 rows, ten machines: without help one of them does it all.
    let one_span = |steal| Settings { span_seconds: Some(600.0), steal, ..settings(10) };
    let lone = makespan(Settings { span_seconds: Some(600.0), ..settings(1) }, 600.0);
    let helped = makespan(one_span(true), 600.0);
    let ideal = PROBE + 10.0 * ROW;
    assert!(helped < lone / 6.0, "{helped} s against {lone} s");
    assert!(helped < ideal * 1.4, "{helped} s against {ideal} s");
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let day = |seed| {
        let settings =
            Settings { agents: 30, hours: 6.0, load: 0.5, seed, steal: true, backup: true, ideal: false, ..settings(0) };
        World::new(settings).run()
    };
    assert_eq!(day(1), day(1));
    assert_ne!(day(1), day(2));
}

#[test]
fn nothing_is_lost_whatever_is_switched_off() {
    for (steal, backup) in [(true, true), (true, false), (false, true), (false, false)] {
        for seed in 0..3 {
            let settings = Settings { agents: 12, hours: 24.0, load: 0.4, seed, steal, backup, ideal: false, ..settings(0) };
            let figures = World::new(settings).run();
            let settled = figures.completed + figures.failed + figures.unfinished;
            assert_eq!(settled, figures.arrived);
            assert!(figures.completed > 100, "seed {seed}: {figures:?}");
        }
    }
}
