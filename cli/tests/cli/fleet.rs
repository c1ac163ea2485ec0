//! Looking after a fleet: who is meant, what is done to them, what is told of them.

use offpeak_api::{
    agent::{Agent, AgentState},
    fleet::{ClassQueue, FleetFigures, FleetSpeed, Queue},
    job::{AgentAtWork, JobState},
    lease::{Capabilities, SandboxReport, SandboxState, Wall},
};

use crate::{fake::Fake, run};

#[tokio::test]
async fn agents_are_a_table_that_says_what_each_does() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut job = fake.job_in(JobState::Encoding, 0.5);
    let studio = {
        let mut world = fake.world();
        let everybody = world.fleet.group("Everybody");
        let studio = world.fleet.group("Studio");
        let busy = world.fleet.agent("desk-1", AgentState::Encoding, &studio);
        world.fleet.agent("Zoë's desk", AgentState::UserActive, &everybody);
        world.fleet.agent("desk-3", AgentState::Encoding, &everybody);
        let agents = &mut world.fleet.agents;
        (agents[0].working, agents[0].real_time_speed) = (true, 2.44);
        agents[0].capabilities = Some(Capabilities {
            engine: "0.1.0".to_owned(),
            ffmpeg: "one build".to_owned(),
            encoders: vec![],
            cores: 2,
            memory_mib: 0,
            os: "linux".to_owned(),
            sandbox: Some(SandboxReport { state: SandboxState::Partial, missing: vec![Wall::Network], reason: None }),
        });
        agents[1].state_reason = Some("Somebody is typing.".to_owned());
        (agents[2].working, agents[2].real_time_speed) = (true, 120.4);
        job.progress.agents.push(AgentAtWork {
            agent: busy.id,
            name: busy.name,
            task_kind: "encode".to_owned(),
            first: 3,
            cursor: 5,
            last: 8,
            frames_per_second: 61.0,
        });
        world.readings.push_back(job.clone());
        studio
    };
    let ran = run(&fake, folder.path(), &["agents"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let table = format!(
        "NAME        STATE     STANDING  GROUP      SANDBOX  SPEED  DOING\n\
         desk-1      encoding  active    Studio     partial  2.4×   encodes segments 3..8, now 5, 61 frames/s for {}\n\
         Zoë's desk  in use    active    Everybody                  Somebody is typing.\n\
         desk-3      encoding  active    Everybody           120×   works for a job that you do not see\n",
        job.id
    );
    assert_eq!(ran.stdout, table);

    fake.world().fleet.lists.clear();
    let filters = ["agents", "--state", "encoding,in_use", "--limit", "1"];
    let ran = run(&fake, folder.path(), &filters).await;
    assert_eq!(ran.code, Some(2), "there is no state in_use: {ran:?}");
    let filters = ["agents", "--state", "encoding,user_active", "--group", "studio", "--name", "des", "--limit", "1", "--json"];
    let ran = run(&fake, folder.path(), &filters).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("note: there are more"), "{ran:?}");
    let listed: Vec<Agent> = serde_json::from_str(&ran.stdout).unwrap();
    let world = fake.world();
    assert_eq!(listed, world.fleet.agents[..1]);
    let asked = &world.fleet.lists[0];
    assert_eq!(
        (asked.state.as_deref(), asked.name.as_deref(), asked.limit),
        (Some("encoding,user_active"), Some("des"), Some(1))
    );
    assert_eq!(asked.group.as_ref(), Some(&studio));
}

#[tokio::test]
async fn what_is_done_is_done_to_those_that_were_named() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (studio, first) = {
        let mut world = fake.world();
        let studio = world.fleet.group("Studio");
        let first = world.fleet.agent("desk", AgentState::Waiting, &studio);
        for name in ["desk-2", "desk-3", "stubborn"] {
            world.fleet.agent(name, AgentState::Waiting, &studio);
        }
        (studio, first.id)
    };
    let moved = format!(r#"PATCH desk-2  {{"group":"{studio}"}}"#);
    for (args, done) in [
        // By a name that is a part of others, and the same agent by its id: once.
        (
            &["agents", "drain", "DESK", first.as_str(), "--reason", "New disk"][..],
            &[r#"POST desk drain {"reason":"New disk"}"#][..],
        ),
        (&["agents", "set-aside", "desk-3", "--json"], &["POST desk-3 set-aside {}"]),
        (&["agents", "resume", "desk", "desk-3"], &["POST desk resume", "POST desk-3 resume"]),
        (&["agents", "rename", "desk-2", "Reception"], &[r#"PATCH desk-2  {"name":"Reception"}"#]),
        (&["agents", "move", "desk-2", "--to", "studio"], &[moved.as_str()]),
        (&["agents", "revoke", "desk-3", "--yes"], &["DELETE desk-3"]),
    ] {
        fake.world().fleet.changes.clear();
        let ran = run(&fake, folder.path(), args).await;
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        assert_eq!(fake.world().fleet.changes, done, "{args:?}");
        if args.contains(&"--json") {
            let changed: Vec<Agent> = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(changed, [fake.world().fleet.agents[2].clone()]);
        }
    }
    // A refusal in the middle: what was done before it is told.
    let ran = run(&fake, folder.path(), &["agents", "drain", "desk", "stubborn", "desk-2"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.stdout, format!("{first}  desk  draining\n"));
    assert!(ran.stderr.contains("The agent was revoked. (agent_revoked)"), "{ran:?}");
}

#[tokio::test]
async fn nothing_is_done_when_it_is_not_clear_to_whom() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let twins = {
        let mut world = fake.world();
        let group = world.fleet.group("Everybody");
        world.fleet.agent("desk-2", AgentState::Waiting, &group);
        ["Desk", "desk"].map(|name| world.fleet.agent(name, AgentState::Waiting, &group))
    };
    let listed = format!(
        "error: \"desk\" is the name of 2 agents; say which by its id\n  {}  Desk\n  {}  desk\n",
        twins[0].id, twins[1].id
    );
    for (args, code, said) in [
        (&["agents", "drain", "desk-2", "desk"][..], 1, listed.as_str()),
        (&["agents", "drain", "desk-2", "esk-2"], 1, "there is no agent \"esk-2\"\n  agent_"),
        (&["agents", "drain", "desk-2", "printer"], 1, "hint: `offpeak agents` lists them"),
        (&["agents", "drain", "desk-2", "agent_01J8ZC5V2M0N6QW3T7RX9KPEHD"], 1, "There is no such agent."),
        (&["agents", "move", "desk-2", "--to", "Nowhere"], 1, "there is no group \"Nowhere\"\n  grp_"),
        (&["agents", "revoke", "desk-2"], 2, "say --yes"),
        (&["agents", "drain"], 2, "required"),
        (&["agents", "--name", "x", "drain", "desk-2"], 2, "cannot be used with"),
    ] {
        let ran = run(&fake, folder.path(), args).await;
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{args:?}: {ran:?}");
    }
    assert!(fake.world().fleet.changes.is_empty());
}

#[tokio::test]
async fn the_fleet_in_a_few_lines() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let figures = FleetFigures {
        at: chrono::Utc::now(),
        machines: [(AgentState::Encoding, 12), (AgentState::UserActive, 31), (AgentState::Offline, 7)].into(),
        online: 43,
        available: 12,
        speed: FleetSpeed { encoding: 12, real_time: 35.24, work_per_second: 1800.0 },
        queue: Queue {
            tasks: 31,
            work: 540_000.0,
            classes: vec![
                ClassQueue { class: "libx264:1g".to_owned(), tasks: 30, work: 540_000.0 },
                ClassQueue { class: "aac".to_owned(), tasks: 1, work: 0.0 },
            ],
        },
        leased_work: 18_000.0,
        machine_work_per_second: Some(150.0),
        backlog_seconds: Some(310),
        machines_wanted: 2,
        within_seconds: 1800,
    };
    fake.world().fleet.figures = Some(figures.clone());
    let ran = run(&fake, folder.path(), &["fleet", "--within", "30m"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = "50 machines, 43 heard of lately, 12 at work or ready\n      \
        31  in use\n      \
        12  encoding\n       \
        7  offline\n\
        speed   35.2× real time, by 12 machines\n\
        queue   31 tasks, 1 h 0 min for one machine\n      \
        30 tasks  libx264:1g, 1 h 0 min for one machine\n        \
        1 task  aac\n\
        done    in about 5 min 10 s at this speed\n\
        wanted  2 machines, to be done within 30 min\n";
    assert_eq!(ran.stdout, text);
    assert_eq!(fake.world().fleet.within_seconds, Some(1800));

    let ran = run(&fake, folder.path(), &["fleet", "--json"]).await;
    assert_eq!(serde_json::from_str::<FleetFigures>(&ran.stdout).unwrap(), figures);
    let ran = run(&fake, folder.path(), &["fleet", "--within", "5s"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[tokio::test]
async fn a_deadline_is_a_moment_or_a_time_from_now() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    fake.world().readings.push_back(fake.job_in(JobState::Queued, 0.0));
    let submit = async |deadline: &str| {
        let ran = run(&fake, folder.path(), &["submit", "https://films.example/a.mov", "--deadline", deadline]).await;
        (ran.code, fake.world().created.take().and_then(|job| job.deadline))
    };
    let moment = "2031-01-01T12:00:00Z".parse().unwrap();
    assert_eq!(submit("2031-01-01T13:00:00+01:00").await, (Some(0), Some(moment)));
    let before = chrono::Utc::now();
    let (code, deadline) = submit("2h").await;
    let two_hours = chrono::TimeDelta::hours(2);
    assert_eq!(code, Some(0));
    assert!((before + two_hours..=chrono::Utc::now() + two_hours).contains(&deadline.unwrap()), "{deadline:?}");
    assert_eq!(submit("soon").await, (Some(2), None));
}
