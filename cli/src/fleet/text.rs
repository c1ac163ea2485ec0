//! Agents and figures as text for people.

use offpeak_api::{
    agent::{Agent, AgentState, Standing},
    fleet::{FleetFigures, Group},
    ids::JobId,
    job::AgentAtWork,
    plain::one_line,
};

use crate::text::{agent_at_work, duration};

/// One line an agent, below names of the columns.
pub fn agents_table(agents: &[Agent], groups: &[Group], doing: &[(JobId, AgentAtWork)]) -> String {
    let mut rows = vec![["NAME", "STATE", "STANDING", "GROUP", "SANDBOX", "SPEED", "DOING"].map(str::to_owned)];
    rows.extend(agents.iter().map(|agent| {
        let group = groups.iter().find(|group| group.id == agent.group).map_or(agent.group.as_str(), |group| &group.name);
        let state = state(agent.state).to_owned();
        let speed = if agent.working { multiple(agent.real_time_speed) } else { String::new() };
        let standing = standing(agent.standing).to_owned();
        [agent.name.clone(), state, standing, group.to_owned(), sandbox(agent).to_owned(), speed, what(agent, doing)]
    }));
    table(&rows)
}

/// What an agent at work does, or why another does not work.
fn what(agent: &Agent, doing: &[(JobId, AgentAtWork)]) -> String {
    if agent.working {
        let tasks = doing.iter().filter(|(_, at_work)| at_work.agent == agent.id).map(|(job, at_work)| {
            let told = agent_at_work(at_work);
            format!("{} for {job}", told.strip_prefix(&at_work.name).unwrap_or(&told).trim_start())
        });
        let tasks = tasks.collect::<Vec<_>>().join("; ");
        // A team sees its own jobs only, and teams share machines.
        return if tasks.is_empty() { "works for a job that you do not see".to_owned() } else { tasks };
    }
    agent.standing_reason.clone().or_else(|| agent.state_reason.clone()).unwrap_or_default()
}

/// How far ffmpeg is walled off there, as far as the engine has said.
fn sandbox(agent: &Agent) -> &'static str {
    let told = agent.capabilities.as_ref().and_then(|capabilities| capabilities.sandbox.as_ref());
    told.map_or("", |sandbox| sandbox.state.as_str())
}

/// Columns as wide as their widest cell, and a line for each row.
pub fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let rows: Vec<[String; COLUMNS]> = rows.iter().map(|row| row.each_ref().map(|cell| one_line(cell))).collect();
    let widths: [usize; COLUMNS] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn state(state: AgentState) -> &'static str {
    match state {
        AgentState::Broken => "broken",
        AgentState::Revoked => "revoked",
        AgentState::SetAside => "set aside",
        AgentState::Updating => "updating",
        AgentState::Paused => "paused by its person",
        AgentState::Snoozed => "snoozed by its person",
        AgentState::Draining => "draining",
        AgentState::OffSchedule => "off schedule",
        AgentState::Presenting => "presenting",
        AgentState::UserActive => "in use",
        AgentState::OnBattery => "on battery",
        AgentState::Metered => "metered connection",
        AgentState::BusyCpu => "busy processor",
        AgentState::BusyMemory => "memory in use",
        AgentState::NoServer => "no server",
        AgentState::Suspended => "suspended",
        AgentState::Encoding => "encoding",
        AgentState::Leasing => "finishing",
        AgentState::Waiting => "waiting for work",
        AgentState::Offline => "offline",
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Draining => "draining",
        Standing::SetAside => "set aside",
        Standing::Revoked => "revoked",
    }
}

/// `2.4×`: seconds of video in a second.
fn multiple(real_time: f64) -> String {
    if real_time >= 99.95 { format!("{real_time:.0}×") } else { format!("{real_time:.1}×") }
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub fn figures(figures: &FleetFigures) -> String {
    let FleetFigures { machines, speed, queue, machine_work_per_second, .. } = figures;
    let machines_all = count(machines.values().sum(), "machine", "machines");
    let mut lines = vec![format!("{machines_all}, {} heard of lately, {} at work or ready", figures.online, figures.available)];
    let mut by_state: Vec<_> = machines.iter().filter(|(_, machines)| **machines > 0).collect();
    by_state.sort_by_key(|(_, machines)| std::cmp::Reverse(**machines));
    lines.extend(by_state.into_iter().map(|(known, machines)| format!("  {machines:>6}  {}", state(*known))));

    let encoding = count(speed.encoding, "machine", "machines");
    lines.push(format!("speed   {} real time, by {encoding}", multiple(speed.real_time)));

    // Work means nothing to a person before it is divided by what a machine does.
    let for_one = |work: f64| match machine_work_per_second {
        Some(per_second) if *per_second > 0.0 && work > 0.0 => {
            format!(", {} for one machine", duration((work / per_second).round() as u64))
        }
        Some(_) | None => String::new(),
    };
    lines.push(format!("queue   {}{}", count(queue.tasks, "task", "tasks"), for_one(queue.work)));
    lines.extend(queue.classes.iter().map(|class| {
        let tasks = count(class.tasks, "task", "tasks");
        format!("  {tasks:>12}  {}{}", class.class, for_one(class.work))
    }));
    if let Some(seconds) = figures.backlog_seconds {
        lines.push(format!("done    in about {} at this speed", duration(seconds)));
    }
    let within = duration(u64::from(figures.within_seconds));
    lines.push(format!("wanted  {}, to be done within {within}", count(figures.machines_wanted, "machine", "machines")));
    lines.join("\n")
}
