//! `offpeak-agent check` and `why`: what work needs, tried one by one, and what follows from it.

use std::{fmt, time::Duration};

use offpeak_api::{agent::AgentState, lease::SandboxState};
use tokio_util::sync::CancellationToken;

use crate::{
    capabilities::{NEEDED_ENCODERS, Program},
    client::{CallError, Client, check_server, connection_pool},
    desk::Desk,
    enrolment::{EnrolError, StateFolder},
    ffmpeg::{identify, proven_encoders},
    http::Http,
    kept, platform,
    policy::{Engine, Fault, Inputs, Memory, Rules, decide},
    presence::{Clock, DelayLock, Source, Sources},
    run::{cores, open_state, server},
    sandbox::{Sandbox, in_words},
    settings::{Check, Presence, Why as WhyOf, share_out, usable_memory},
    status::Status,
    task::Tools,
    watch, why,
    wishes::Wishes,
};

/// Between the two looks that the processor's load takes.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(1);

/// One thing that work needs, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub what: &'static str,
    /// It works, but less well than it should.
    pub weak: bool,
    /// `Err` says what is wrong, and what to do.
    pub how: Result<String, String>,
}

/// All findings, in the order in which one would mend them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    pub fn is_fine(&self) -> bool {
        self.0.iter().all(|finding| finding.how.is_ok())
    }

    fn add(&mut self, what: &'static str, how: Result<String, String>) {
        self.0.push(Finding { what, weak: false, how });
    }

    fn first_fault(&self, among: &[&str]) -> Option<String> {
        let faults = self.0.iter().filter(|finding| among.contains(&finding.what));
        faults.filter_map(|finding| finding.how.as_ref().err().cloned()).next()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
        for Finding { what, weak, how } in &self.0 {
            let (mark, text) = match how {
                Ok(text) if *weak => ("weak  ", text),
                Ok(text) => ("ok    ", text),
                Err(text) => ("FAILED", text),
            };
            writeln!(f, "{mark}  {what:width$}  {text}")?;
        }
        Ok(())
    }
}

const FFMPEG: &str = "ffmpeg";
const FFPROBE: &str = "ffprobe";
const SANDBOX: &str = "sandbox";
const ENCODERS: &str = "encoders";
const STATE_FOLDER: &str = "state folder";
const SERVER: &str = "server";
const TOKEN: &str = "token";
const MACHINE: &str = "machine";

/// Tries everything.
pub async fn check(settings: &Check) -> Findings {
    let mut findings = Findings::default();
    let cores = cores(None);
    let shares = share_out(cores, usable_memory(platform::total_bytes(), None), None, None);
    programs(settings, shares.memory_mib, &mut findings).await;
    let threads = if shares.threads == 1 { "one thread".to_owned() } else { format!("{} threads", shares.threads) };
    findings.add(MACHINE, Ok(format!("{cores} cores: up to {} tasks at a time, {threads} each", shares.leases)));
    let state = match open_state(&settings.home) {
        Ok(state) => {
            findings.add(STATE_FOLDER, Ok(state.path().display().to_string()));
            state
        }
        Err(error) => {
            findings.add(STATE_FOLDER, Err(error.to_string()));
            return findings;
        }
    };
    reach(settings, &state, &mut findings).await;
    findings
}

async fn programs(settings: &Check, memory_mib: u64, findings: &mut Findings) {
    let ffmpeg = Program::Ffmpeg.find(settings.programs.ffmpeg.as_deref());
    let ffprobe = Program::Ffprobe.find(settings.programs.ffprobe.as_deref());
    let sandbox = match &ffmpeg {
        Ok(ffmpeg) => Sandbox::raise(ffmpeg, memory_mib).await,
        Err(_) => Sandbox::open(),
    };
    for (what, program) in [(FFMPEG, &ffmpeg), (FFPROBE, &ffprobe)] {
        let how = match program {
            Ok(path) => match identify(&sandbox, path).await {
                Ok(build) => Ok(format!("{} {build}", path.display())),
                Err(error) => Err(error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        findings.add(what, how);
    }
    if let (Ok(ffmpeg), Ok(ffprobe)) = (ffmpeg, ffprobe) {
        let report = sandbox.report();
        let weak = report.state != SandboxState::Full;
        findings.0.push(Finding { what: SANDBOX, weak, how: Ok(in_words(&report)) });
        let proven = proven_encoders(&Tools { ffmpeg, ffprobe, threads: 1, sandbox }, &CancellationToken::new()).await;
        let missing: Vec<&str> = NEEDED_ENCODERS.into_iter().filter(|needed| !proven.iter().any(|p| p == needed)).collect();
        let how = if missing.is_empty() {
            Ok(format!("{}: a short test encode with each succeeded", proven.join(", ")))
        } else {
            Err(format!("a test encode failed with {}: is this the bundled ffmpeg?", missing.join(", ")))
        };
        findings.add(ENCODERS, how);
    }
}

async fn reach(settings: &Check, state: &StateFolder, findings: &mut Findings) {
    let server = match server(&settings.home, state) {
        Ok(server) => server,
        Err(error) => return findings.add(SERVER, Err(error.to_string())),
    };
    // What of the folder does not read is told below.
    let kept = state.enrolment(&server).ok().flatten().and_then(|enrolment| enrolment.fingerprint);
    let pool = match connection_pool(&server, settings.home.fingerprint.or(kept)) {
        Ok(pool) => pool,
        Err(error) => return findings.add(SERVER, Err(error.to_string())),
    };
    match check_server(&pool, &server).await {
        Ok(()) => findings.add(SERVER, Ok(format!("{server} answers"))),
        Err(error) => return findings.add(SERVER, Err(format!("{server}: {error}; is the address right, and the server up?"))),
    }
    let how = match state.enrolment(&server) {
        Ok(Some(enrolment)) => {
            let client = Client::new(Http::new(pool, None, Desk::default()), server.clone(), enrolment.token, Status::default());
            match client.check_token().await {
                Ok(()) => Ok(format!("accepted; this is {} ({})", enrolment.agent_id, enrolment.name)),
                Err(CallError::Unauthorized(_)) => Err(format!(
                    "{server} does not accept it (any more): enrol again with a code of `offpeak-server token enrol`"
                )),
                Err(error) => Err(error.to_string()),
            }
        }
        Ok(None) => Err(EnrolError::NotEnrolled { server }.to_string()),
        Err(error) => Err(error.to_string()),
    };
    findings.add(TOKEN, how);
}

/// The state of the engine that runs here, with all that it knows; where none does, what one would find.
pub async fn why(settings: &WhyOf) -> String {
    let state = open_state(&settings.check.home);
    if let Ok(state) = &state
        && let Some(told) = why::ask(state.path()).await
    {
        return format!("{}as the engine that runs here says", why::in_words(&told));
    }
    let running = match state.as_ref().map(StateFolder::lock) {
        Ok(Err(EnrolError::InUse { .. })) => "an engine runs here, and does not answer; its log says more",
        Ok(Ok(_) | Err(_)) | Err(_) => "no engine runs here now; start one with `offpeak-agent run`",
    };
    let folder = state.ok().map(|state| state.path().to_owned());
    let told = look_around(settings, &check(&settings.check).await, folder).await;
    format!("{}{running}", why::in_words(&told))
}

/// Looks at the machine itself, once, by the policy and the wishes that are kept here.
async fn look_around(settings: &WhyOf, findings: &Findings, folder: Option<std::path::PathBuf>) -> offpeak_link::Why {
    let clock = Clock::start();
    let machine = match settings.desk.presence {
        Presence::None => None,
        Presence::Auto => {
            let (news, _told) = tokio::sync::mpsc::unbounded_channel();
            let mut sources = Sources::new(news, DelayLock::default());
            // The load of the processor takes two looks.
            sources.read(&clock, false).await;
            tokio::time::sleep(SECOND_LOOK_AFTER).await;
            Some(sources.read(&clock, false).await)
        }
    };
    let policy = folder.as_deref().map(|folder| kept::read(folder, crate::supervise::POLICY)).unwrap_or_default();
    let person = folder.map_or_else(Default::default, |folder| Wishes::load(folder).person());
    let rules = Rules::of(&policy, &person.limits, settings.desk.quiet_milliseconds.map(Duration::from_millis));
    let engine = engine(findings);
    let now = watch::moment(&clock);
    let inputs = Inputs { machine: machine.as_ref(), leaving: None, rules: &rules, person: &person, engine: &engine, now };
    let (decision, _memory) = decide(&inputs, &Memory::default());
    let reason = match decision.state {
        AgentState::Revoked => findings.first_fault(&[TOKEN]).unwrap_or(decision.reason),
        AgentState::NoServer => findings.first_fault(&[SERVER]).unwrap_or(decision.reason),
        AgentState::Waiting => "nothing keeps an engine here from taking work".to_owned(),
        _ => decision.reason,
    };
    let readings = machine.map(|machine| machine.in_words(clock.at())).unwrap_or_default();
    offpeak_link::Why { state: decision.state, reason, rule: decision.rule, readings }
}

/// What an engine would know of itself.
fn engine(findings: &Findings) -> Engine {
    let broken = findings.first_fault(&[FFMPEG, FFPROBE, ENCODERS, STATE_FOLDER]);
    Engine {
        broken: broken.map(|why| Fault { code: "cannot_encode", why, stops: true }),
        revoked: findings.first_fault(&[TOKEN]).is_some(),
        unreachable: findings.first_fault(&[SERVER]).is_some(),
        ..Engine::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::state;

    #[test]
    fn the_first_fault_by_precedence_is_the_state() {
        let cases = [
            (vec![], AgentState::Waiting),
            (vec![SERVER], AgentState::NoServer),
            (vec![TOKEN], AgentState::Revoked),
            (vec![SERVER, ENCODERS], AgentState::Broken),
            (vec![STATE_FOLDER], AgentState::Broken),
        ];
        for (faults, expected) in cases {
            let mut findings = Findings::default();
            for what in [FFMPEG, FFPROBE, ENCODERS, MACHINE, STATE_FOLDER, SERVER, TOKEN] {
                let how = if faults.contains(&what) { Err("wrong".to_owned()) } else { Ok("right".to_owned()) };
                findings.add(what, how);
            }
            assert_eq!(state(&engine(&findings), None).0, expected, "{faults:?}");
            assert_eq!(findings.is_fine(), faults.is_empty());
            assert_eq!(findings.to_string().matches("FAILED").count(), faults.len());
        }
    }
}
