#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use offpeak_api::{
    agent::AgentState::{self, *},
    lease::ReleaseReason,
    policy::{Hours, Policy, Weekday},
};
use offpeak_link::Limits;

use super::{Decision, Engine, Fault, Inputs, Memory, Moment, Person, Rules, Snooze, allowed_minutes, decide, look};
use crate::{
    desk::Allowed,
    presence::{Known, LastInput, Leaving, Power, Readings},
};

/// A desk whose clock and person do as they are told.
struct Scene {
    machine: Option<Readings>,
    leaving: Option<Leaving>,
    policy: Policy,
    person: Person,
    engine: Engine,
    now: Moment,
    memory: Memory,
}

const HOUR: u64 = 3600;

impl Scene {
    /// Left alone for an hour, with nothing against work.
    fn quiet() -> Self {
        let at = Duration::from_secs(10 * HOUR);
        let utc = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let now = Moment { at, utc, day: Weekday::Mon, minute: 600 };
        let machine = Readings {
            input: known(LastInput::At(at - Duration::from_secs(HOUR))),
            power: known(Power::Mains),
            other_cpu: known(0.02),
            free_memory_mib: known(8000),
            total_memory_mib: Some(16_000),
            ..Readings::default()
        };
        Self {
            machine: Some(machine),
            leaving: None,
            policy: Policy::default(),
            person: Person::default(),
            engine: Engine::default(),
            now,
            memory: Memory::default(),
        }
    }

    fn machine(&mut self) -> &mut Readings {
        self.machine.as_mut().unwrap()
    }

    fn pass(&mut self, seconds: u64) {
        self.now.at += Duration::from_secs(seconds);
        self.now.utc += TimeDelta::seconds(seconds.cast_signed());
    }

    fn touch(&mut self) {
        self.machine().input = known(LastInput::At(self.now.at));
    }

    fn decide(&mut self) -> Decision {
        self.with(decide)
    }

    fn is_needed(&mut self) -> bool {
        self.with(look).needed
    }

    fn with<T>(&mut self, decide: impl FnOnce(&Inputs<'_>, &Memory) -> (T, Memory)) -> T {
        let rules = Rules::of(&self.policy, &self.person.limits, None);
        let (machine, leaving) = (self.machine.as_ref(), self.leaving);
        let inputs = Inputs { machine, leaving, rules: &rules, person: &self.person, engine: &self.engine, now: self.now };
        let (decided, memory) = decide(&inputs, &self.memory);
        self.memory = memory;
        decided
    }

    fn state(&mut self) -> AgentState {
        self.decide().state
    }
}

fn known<T>(value: T) -> Known<T> {
    Known::new(value, "told by a test")
}

fn stands(decision: &Decision) -> bool {
    matches!(decision.allowed, Allowed::Suspended { .. })
}

fn hours(from: &str, to: &str) -> Hours {
    serde_json::from_value(serde_json::json!({ "days": ["mon"], "from": from, "to": to })).unwrap()
}

#[test]
fn every_rule_has_its_state_and_its_effect() {
    type Change = fn(&mut Scene);
    let back = |why| Allowed::Nothing { why };
    let cases: [(&str, Change, AgentState, Option<Allowed>); 20] = [
        ("nothing is against it", |_| {}, Waiting, Some(Allowed::Work)),
        ("a lease is held", |s| s.engine.leases = 1, Encoding, Some(Allowed::Work)),
        ("its rows are on their way", |s| (s.engine.leases, s.engine.handing_over) = (1, 1), Leasing, Some(Allowed::Work)),
        ("no answer", |s| s.engine.unreachable = true, NoServer, Some(Allowed::Work)),
        ("low memory", |s| s.machine().free_memory_mib = known(300), BusyMemory, Some(back(ReleaseReason::LowMemory))),
        ("others compile", |s| s.machine().other_cpu = known(0.31), BusyCpu, None),
        ("load unknown", |s| s.machine().other_cpu = Known::unknown("no /proc"), BusyCpu, None),
        ("metered", |s| s.machine().metered = known(true), Metered, None),
        ("battery", |s| s.machine().power = known(Power::Battery), OnBattery, Some(back(ReleaseReason::Battery))),
        ("power unknown", |s| s.machine().power = Known::unknown("unreadable"), OnBattery, None),
        ("typed 4 min ago", |s| s.machine().input = known(LastInput::At(s.now.at - Duration::from_secs(240))), UserActive, None),
        ("input unknown", |s| s.machine().input = Known::unknown("no display"), UserActive, None),
        ("a call", |s| s.machine().call = known(true), Presenting, None),
        ("full screen", |s| s.machine().full_screen = known(true), Presenting, None),
        ("a film", |s| s.machine().inhibited = known(Some("player".to_owned())), Presenting, None),
        ("off hours", |s| s.policy.schedule = vec![hours("18:00", "20:00")], OffSchedule, Some(back(ReleaseReason::Schedule))),
        ("drained", |s| s.engine.draining = Some("by a person".to_owned()), Draining, Some(Allowed::Work)),
        ("snoozed", |s| s.person.snooze = Some(Snooze::new(3600, s.now.utc)), Snoozed, Some(back(ReleaseReason::UserReturned))),
        ("paused", |s| s.person.paused = true, Paused, Some(back(ReleaseReason::UserReturned))),
        ("an update", |s| s.engine.updating = true, Updating, Some(back(ReleaseReason::Shutdown))),
    ];
    // The list above is in reverse order of precedence but for unknowns: whatever came before does not hide what comes next.
    let mut all = Scene::quiet();
    for (what, change, state, allowed) in cases {
        let mut scene = Scene::quiet();
        change(&mut scene);
        let decision = scene.decide();
        assert_eq!(decision.state, state, "{what}: {decision:?}");
        match allowed {
            Some(allowed) => assert_eq!(decision.allowed, allowed, "{what}"),
            None => assert!(stands(&decision), "{what}: {decision:?}"),
        }
        assert!(!decision.reason.is_empty() && !decision.rule.is_empty(), "{what}");
        change(&mut all);
        assert_eq!(all.state(), state, "{what} on top of all before");
    }
    all.engine.set_aside = Some("it failed too often".to_owned());
    assert_eq!(all.state(), SetAside);
    all.engine.revoked = true;
    assert_eq!(all.state(), Revoked);
    all.engine.broken = Some(Fault { code: "ffmpeg_missing", why: "there is no ffmpeg".to_owned(), stops: true });
    assert_eq!(all.state(), Broken);
    assert_eq!(all.engine.broken_code(), Some("ffmpeg_missing"));
}

#[test]
fn what_does_not_speak_against_work() {
    type Change = fn(&mut Scene);
    let cases: [(&str, Change); 11] = [
        ("battery, where the policy allows it", |s| {
            s.policy.mains_only = false;
            s.machine().power = known(Power::Battery);
        }),
        ("metered, where the policy allows it", |s| {
            s.policy.unmetered_only = false;
            s.machine().metered = known(true);
        }),
        ("nobody says whether the network is metered", |s| s.machine().metered = Known::unknown("no network manager")),
        ("no desk at all, and busy", |s| {
            s.machine().input = Known::unknown("");
            s.machine = None;
        }),
        ("nobody can sit here", |s| s.machine().input = known(LastInput::Nobody)),
        ("full screen behind a locked screen", |s| {
            s.machine().full_screen = known(true);
            s.machine().locked = known(true);
        }),
        ("full screen since yesterday", |s| {
            s.machine().full_screen = known(true);
            s.machine().input = known(LastInput::At(s.now.at - Duration::from_secs(5 * HOUR)));
        }),
        ("whether there is a call is unknown", |s| s.machine().call = Known::unknown("no sound system")),
        ("a snooze that is over", |s| s.person.snooze = Some(Snooze { until: s.now.utc - TimeDelta::seconds(1), seconds: 60 })),
        ("any load, where the policy allows it", |s| {
            s.policy.other_cpu_below = 1.0;
            s.machine().other_cpu = known(1.0);
        }),
        ("both schedules allow it", |s| {
            s.policy.schedule = vec![hours("09:00", "18:00")];
            s.person.limits.schedule = vec![hours("10:00", "11:00")];
        }),
    ];
    for (what, change) in cases {
        let mut scene = Scene::quiet();
        change(&mut scene);
        let decision = scene.decide();
        assert_eq!((decision.state, decision.allowed), (Waiting, Allowed::Work), "{what}");
    }
}

#[test]
fn a_person_can_only_be_stricter() {
    let strict = Limits {
        max_cores: Some(2),
        max_memory_mib: Some(900),
        max_bits_per_second: Some(1_000_000),
        start_after_idle_seconds: Some(900),
        mains_only: true,
        unmetered_only: true,
        schedule: vec![hours("12:00", "13:00")],
    };
    let lax = Policy { mains_only: false, unmetered_only: false, ..Policy::default() };
    let rules = Rules::of(&lax, &strict, None);
    assert_eq!((rules.max_cores, rules.max_memory_mib, rules.max_bits_per_second), (Some(2), Some(900), Some(1_000_000)));
    assert_eq!(rules.start_after.as_secs(), 900);
    assert!(rules.mains_only && rules.unmetered_only);
    assert!(rules.is_on_schedule(Weekday::Mon, 720) && !rules.is_on_schedule(Weekday::Mon, 700));

    let stricter = Policy {
        start_after_idle_seconds: 1200,
        max_cores: Some(1),
        max_memory_mib: Some(512),
        max_bits_per_second: Some(500_000),
        schedule: vec![hours("14:00", "15:00")],
        ..Policy::default()
    };
    let rules = Rules::of(&stricter, &strict, None);
    assert_eq!((rules.max_cores, rules.max_memory_mib, rules.max_bits_per_second), (Some(1), Some(512), Some(500_000)));
    assert_eq!(rules.start_after.as_secs(), 1200);
    assert!(!rules.is_on_schedule(Weekday::Mon, 750), "each of the schedules has to allow it");
    let quick = Rules::of(&stricter, &strict, Some(Duration::from_secs(1)));
    assert_eq!((quick.start_after.as_secs(), quick.resume_after.as_secs()), (1, 1));
}

#[test]
fn from_the_first_input_to_the_release() {
    let mut scene = Scene::quiet();
    scene.machine().input = known(LastInput::At(scene.now.at));
    assert_eq!(scene.state(), UserActive);
    scene.pass(299);
    let decision = scene.decide();
    assert_eq!(decision.state, UserActive);
    assert_eq!(decision.until, Some(scene.now.utc + TimeDelta::seconds(1)));
    scene.pass(1);
    assert_eq!(scene.decide().allowed, Allowed::Work);

    scene.engine.leases = 1;
    scene.pass(50);
    assert_eq!(scene.state(), Encoding);
    scene.touch();
    let decision = scene.decide();
    assert_eq!(decision.state, UserActive);
    assert!(stands(&decision));
    // The first half of the quiet time belongs to whoever was there.
    scene.pass(29);
    assert_eq!(scene.state(), UserActive);
    scene.pass(1);
    assert_eq!(scene.state(), Suspended);
    scene.pass(29);
    assert!(stands(&scene.decide()));
    scene.pass(1);
    let decision = scene.decide();
    assert_eq!((decision.state, decision.allowed), (Encoding, Allowed::Work));

    // Somebody who stays costs the lease after ten minutes, however often they pause for less than one.
    for _ in 0..11 {
        scene.touch();
        assert!(stands(&scene.decide()));
        scene.pass(50);
        assert!(stands(&scene.decide()));
    }
    scene.touch();
    assert!(stands(&scene.decide()));
    scene.pass(50);
    scene.touch();
    let decision = scene.decide();
    assert_eq!(decision.allowed, Allowed::Nothing { why: ReleaseReason::UserReturned });
    // However often it is looked at while the lease is still on its way back.
    scene.pass(2);
    assert_eq!(scene.decide().allowed, Allowed::Nothing { why: ReleaseReason::UserReturned });
    scene.engine.leases = 0;
    // And then it is the longer wait again.
    scene.pass(200);
    assert_eq!(scene.state(), UserActive);
    scene.pass(98);
    assert_eq!(scene.decide().allowed, Allowed::Work);
}

#[test]
fn work_goes_back_for_what_held_it_up() {
    type Change = fn(&mut Scene);
    let cases: [(Change, ReleaseReason); 4] = [
        (|s| s.machine().power = Known::unknown("unreadable"), ReleaseReason::Battery),
        (|s| s.machine().other_cpu = known(0.9), ReleaseReason::UserReturned),
        (|s| s.machine().full_screen = known(true), ReleaseReason::UserReturned),
        (|s| s.touch(), ReleaseReason::UserReturned),
    ];
    for (change, expected) in cases {
        let mut scene = Scene::quiet();
        assert_eq!(scene.decide().allowed, Allowed::Work);
        scene.engine.leases = 1;
        for _ in 0..12 {
            change(&mut scene);
            assert!(stands(&scene.decide()));
            scene.pass(50);
        }
        change(&mut scene);
        let why = scene.decide().allowed;
        assert_eq!(why, Allowed::Nothing { why: expected });
        // What comes to it later does not change why.
        scene.machine().metered = known(true);
        scene.touch();
        scene.pass(2);
        assert_eq!(scene.decide().allowed, why);
    }
}

#[test]
fn somebody_is_there_whatever_else_speaks_against_work() {
    type Change = fn(&mut Scene);
    let cases: [(&str, Change); 6] = [
        ("nothing", |_| {}),
        ("a pause", |s| s.person.paused = true),
        ("a snooze", |s| s.person.snooze = Some(Snooze::new(8 * HOUR, s.now.utc))),
        ("the hour", |s| s.policy.schedule = vec![hours("18:00", "20:00")]),
        ("an update", |s| s.engine.updating = true),
        ("a fault", |s| s.engine.broken = Some(Fault { code: "disk_full", why: "it is full".to_owned(), stops: true })),
    ];
    for (what, change) in cases {
        let mut scene = Scene::quiet();
        change(&mut scene);
        assert!(!scene.is_needed(), "{what}");
        scene.touch();
        assert!(scene.is_needed(), "{what}");
        scene.pass(299);
        assert!(scene.is_needed(), "{what}");
        scene.pass(2);
        assert!(!scene.is_needed(), "{what}");
        scene.machine().power = known(Power::Battery);
        assert!(scene.is_needed(), "{what}");
    }
}

#[test]
fn a_machine_of_the_farm_alone_hands_back_before_it_sleeps() {
    let mut scene = Scene::quiet();
    scene.machine = None;
    scene.engine.leases = 1;
    assert_eq!(scene.decide().allowed, Allowed::Work);
    scene.leaving = Some(Leaving::Sleep);
    assert_eq!(scene.decide().allowed, Allowed::Nothing { why: ReleaseReason::Shutdown });
    scene.leaving = None;
    assert_eq!(scene.decide().allowed, Allowed::Work);
}

#[test]
fn a_schedule_tells_when_it_ends() {
    let rules = |schedule| Rules::of(&Policy { schedule, ..Policy::default() }, &Limits::default(), None);
    assert_eq!(allowed_minutes(&rules(Vec::new()), Weekday::Mon, 470), None);
    let night = rules(vec![hours("18:00", "08:00")]);
    for (day, minute, expected) in [
        (Weekday::Tue, 470, 10),
        (Weekday::Mon, 1080, 14 * 60),
        (Weekday::Mon, 1439, 8 * 60 + 1),
        (Weekday::Tue, 480, 0),
        (Weekday::Wed, 470, 0),
    ] {
        assert_eq!(allowed_minutes(&night, day, minute), Some(expected), "{day:?} {minute}");
    }
}

#[test]
fn with_nothing_in_hand_the_longer_wait_begins_anew() {
    let mut scene = Scene::quiet();
    assert_eq!(scene.state(), Waiting);
    scene.touch();
    assert_eq!(scene.state(), UserActive);
    scene.pass(61);
    assert_eq!(scene.state(), UserActive);
    scene.pass(240);
    assert_eq!(scene.state(), Waiting);
}

#[test]
fn a_start_that_needs_less_quiet_than_a_resume_is_not_taken_back() {
    let mut scene = Scene::quiet();
    scene.policy.start_after_idle_seconds = 10;
    scene.touch();
    assert_eq!(scene.state(), UserActive);
    scene.pass(10);
    assert_eq!(scene.state(), Waiting);
    scene.engine.leases = 1;
    scene.pass(1);
    assert_eq!(scene.state(), Encoding);
}

#[test]
fn peaks_of_other_programs_do_not_make_it_flap() {
    let mut scene = Scene::quiet();
    assert_eq!(scene.state(), Waiting);
    scene.engine.leases = 1;
    let mut changes = 0;
    let mut before = scene.state();
    // Ten minutes of a load around the limit.
    for step in 0..300 {
        scene.machine().other_cpu = known(if step % 3 == 0 { 0.34 } else { 0.26 });
        scene.pass(2);
        let now = scene.state();
        changes += u32::from(now != before);
        before = now;
    }
    assert_eq!(changes, 0);
    // Over the margin it yields, and comes back after half a minute of quiet only.
    scene.machine().other_cpu = known(0.5);
    assert_eq!(scene.state(), BusyCpu);
    scene.machine().other_cpu = known(0.1);
    assert_eq!(scene.state(), BusyCpu);
    scene.pass(29);
    assert_eq!(scene.state(), BusyCpu);
    scene.machine().other_cpu = known(0.35);
    assert_eq!(scene.state(), BusyCpu);
    scene.machine().other_cpu = known(0.1);
    scene.pass(1);
    assert_eq!(scene.state(), BusyCpu);
    scene.pass(30);
    assert_eq!(scene.state(), Encoding);
}

#[test]
fn what_ran_out_of_memory_is_not_tried_again_at_once() {
    let mut scene = Scene::quiet();
    scene.machine().free_memory_mib = known(799);
    assert_eq!(scene.state(), BusyMemory);
    scene.machine().free_memory_mib = known(8000);
    scene.pass(299);
    assert_eq!(scene.state(), BusyMemory);
    scene.pass(2);
    assert_eq!(scene.state(), Waiting);
}

#[test]
fn lost_mains_and_sleep_hand_back_at_once() {
    let mut scene = Scene::quiet();
    scene.state();
    scene.engine.leases = 2;
    scene.machine().power = known(Power::Battery);
    assert_eq!(scene.decide().allowed, Allowed::Nothing { why: ReleaseReason::Battery });
    scene.machine().power = known(Power::Mains);
    assert_eq!(scene.decide().allowed, Allowed::Work);
    scene.leaving = Some(Leaving::Sleep);
    let decision = scene.decide();
    assert_eq!((decision.state, decision.allowed), (Suspended, Allowed::Nothing { why: ReleaseReason::Shutdown }));
}

#[test]
fn whoever_wakes_a_machine_is_there() {
    let mut scene = Scene::quiet();
    assert_eq!(scene.state(), Waiting);
    // Eight hours of sleep: the own clock stood still.
    scene.pass(2);
    scene.now.utc += TimeDelta::hours(8);
    assert_eq!(scene.state(), UserActive);
    scene.pass(300);
    assert_eq!(scene.state(), Waiting);
    // Where the own clock goes on meanwhile, the machine itself says that it is awake.
    scene.leaving = Some(Leaving::Sleep);
    assert_eq!(scene.state(), Suspended);
    scene.pass(8 * HOUR);
    scene.leaving = None;
    assert_eq!(scene.state(), UserActive);
    scene.pass(300);
    assert_eq!(scene.state(), Waiting);
    // A clock that is set back wakes nobody, and makes no snooze longer.
    scene.person.snooze = Some(Snooze::new(3600, scene.now.utc));
    scene.now.utc -= TimeDelta::days(3);
    let decision = scene.decide();
    assert_eq!(decision.state, Snoozed);
    assert_eq!(decision.until, Some(scene.now.utc + TimeDelta::hours(1)));
    // Nobody sits at a server: its clock may be set.
    let mut server = Scene::quiet();
    server.machine().input = known(LastInput::Nobody);
    assert_eq!(server.state(), Waiting);
    server.now.utc += TimeDelta::hours(8);
    server.pass(2);
    assert_eq!(server.state(), Waiting);
}

#[test]
fn a_schedule_tells_when_it_begins() {
    let mut scene = Scene::quiet();
    scene.policy.schedule = vec![hours("18:30", "20:00")];
    let decision = scene.decide();
    assert_eq!(decision.until, Some(scene.now.utc + TimeDelta::minutes(18 * 60 + 30 - 600)));
    // Two schedules that never meet.
    scene.person.limits.schedule = vec![hours("08:00", "09:00")];
    let decision = scene.decide();
    assert_eq!((decision.state, decision.until), (OffSchedule, None));
}

#[test]
fn a_machine_in_no_farm_says_so() {
    let mut scene = Scene::quiet();
    scene.engine.unjoined = true;
    let decision = scene.decide();
    assert_eq!((decision.state, decision.reason.as_str()), (Waiting, "this computer has not joined a farm yet"));
}

#[test]
fn a_lease_that_comes_late_is_suspended_and_released_like_others() {
    let mut scene = Scene::quiet();
    scene.touch();
    assert!(stands(&scene.decide()));
    scene.engine.leases = 1;
    assert!(stands(&scene.decide()));
    scene.pass(60);
    assert_eq!(scene.decide().allowed, Allowed::Work);
}
