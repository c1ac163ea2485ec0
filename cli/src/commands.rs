//! One function a command: what it asks of the server, and what it prints.

use std::path::Path;

use offpeak_api::{
    ids::JobId,
    job::{CreateJob, Job, JobSource, JobState, ListJobs},
    plain,
};
use serde::Serialize;

use crate::{
    access,
    args::{Args, Command, Submit},
    client::{self, Client},
    download,
    error::CliError,
    fleet, text,
    upload::Upload,
    view::View,
    watch, webhooks,
};

/// Jobs asked for with one request; the API's own limit.
const JOBS_PER_PAGE: u32 = 200;

pub async fn run(args: Args) -> Result<(), CliError> {
    let client = client::of_server(&args.url, args.token.clone(), args.fingerprint)?;
    let view = View::for_this_run(args.json);
    let json = args.json;
    match args.command {
        Command::Submit(submit) => submit_source(&client, &submit, &view, json).await,
        Command::Jobs { state, limit } => {
            let states = state.iter().map(|state| state.state().as_str()).collect::<Vec<_>>().join(",");
            list_jobs(&client, Some(states).filter(|states| !states.is_empty()), limit, json).await
        }
        Command::Show { id, watch: true } => watch_job(&client, &id, &view, json).await,
        Command::Show { id, watch: false } => {
            let job = client.get_job(&id).await?;
            print(json, &job, || text::job_details(&job))
        }
        Command::Cancel { id } => {
            let job = client.cancel_job(&id).await?;
            print(json, &job, || format!("{} {}", job.id, job.state.as_str()))
        }
        Command::Retry { id } => {
            let job = client.retry_job(&id).await?;
            print(json, &job, || format!("{} {}; watch it with: offpeak show {} --watch", job.id, job.state.as_str(), job.id))
        }
        Command::Download { id, file, output } => fetch_file(&client, &id, file.as_deref(), output.as_deref(), &view, json).await,
        Command::Profiles { name: None } => {
            let list = client::profiles(&client).await?;
            print(json, &list, || text::profiles_table(&list.profiles))
        }
        Command::Profiles { name: Some(name) } => {
            let entry = client.get_profile(&name).await?;
            print(json, &entry, || text::profile_details(&entry))
        }
        Command::Agents(agents) => fleet::agents(&client, agents, json).await,
        Command::Fleet(asked) => fleet::figures(&client, &asked, json).await,
        Command::Webhooks(asked) => webhooks::webhooks(&client, asked, json).await,
        Command::Tokens(tokens) => access::tokens(&client, tokens, json).await,
        Command::Teams => access::teams(&client, json).await,
        Command::EnrolCode(asked) => access::enrol_code(&client, asked, json).await,
    }
}

async fn submit_source(client: &Client, submit: &Submit, view: &View, json: bool) -> Result<(), CliError> {
    // Asked first: nobody wants to upload 10 GB to learn of a mistyped name.
    client.get_profile(&submit.profile).await?;
    let create = |source| CreateJob {
        source,
        profile: submit.profile.clone(),
        priority: submit.priority,
        deadline: submit.deadline,
        metadata: submit.metadata(),
    };
    // The upload's bar is kept to the end: the terminal forgets the line of one that is dropped.
    let (job, _bar) = if is_address(&submit.source) {
        (client.create_job(&create(JobSource::Url(submit.source.clone()))).await?, None)
    } else {
        let path = Path::new(&submit.source);
        let upload = Upload::of(client, path)?;
        let bar = view.upload(upload.bytes());
        let again = || format!("\nThe upload of {} was stopped. The same command goes on where it stopped.", path.display());
        let source = or_interrupt(upload.run(&bar), again).await?;
        bar.done();
        let job = client.create_job(&create(JobSource::Upload(source.clone()))).await?;
        upload.forget(&source);
        (job, Some(bar))
    };
    if submit.watch {
        return watch_job(client, &job.id, view, json).await;
    }
    print(json, &job, || format!("{}\nwatch it with: offpeak show {} --watch", job.id, job.id))
}

/// `C:\film.mp4` is a path, `https://…` is not.
fn is_address(source: &str) -> bool {
    let scheme = source.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

async fn watch_job(client: &Client, id: &JobId, view: &View, json: bool) -> Result<(), CliError> {
    let mut job_view = view.job();
    let again = || format!("\nThe job goes on without you. Watch it again with: offpeak show {id} --watch");
    let job = or_interrupt(watch::watch(client, id, &mut job_view), again).await?;
    match job.state {
        JobState::Completed => print(json, &job, || text::job_details(&job)),
        JobState::Failed | JobState::Cancelled => {
            if json {
                print(json, &job, String::new)?;
            }
            let Job { id, state, error, .. } = job;
            Err(CliError::JobOver { id, state, error: error.map(Box::new) })
        }
        JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing => {
            Err(CliError::Usage(format!("{id} is not over, but watching it ended")))
        }
    }
}

async fn list_jobs(client: &Client, state: Option<String>, limit: u32, json: bool) -> Result<(), CliError> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut cursor = None;
    loop {
        let missing = limit - u32::try_from(jobs.len()).unwrap_or(limit).min(limit);
        let wanted = ListJobs { state: state.clone(), limit: Some(missing.min(JOBS_PER_PAGE)), cursor, ..ListJobs::default() };
        let page = client.list_jobs(&wanted).await?;
        let empty = page.jobs.is_empty();
        jobs.extend(page.jobs);
        cursor = page.next_cursor;
        if cursor.is_none() || empty || jobs.len() >= limit as usize {
            break;
        }
    }
    let none = || "no jobs".to_owned();
    print(json, &jobs, || if jobs.is_empty() { none() } else { text::jobs_table(&jobs) })
}

async fn fetch_file(
    client: &Client,
    id: &JobId,
    name: Option<&str>,
    output: Option<&Path>,
    view: &View,
    json: bool,
) -> Result<(), CliError> {
    let job = client.get_job(id).await?;
    let file = download::choose(&job, name)?;
    let again = || "\nThe download was stopped. The same command goes on where it stopped.".to_owned();
    let got = or_interrupt(download::download(client, file, output, view), again).await?;
    let size = text::bytes(got.bytes);
    print(json, file, || match got.already_there {
        true => format!("{} is already there, {size}", got.path.display()),
        false => format!("{}, {size}", got.path.display()),
    })
}

/// Runs `work` until it is done or Ctrl-C is pressed; `message` then says what goes on without us.
async fn or_interrupt<T>(
    work: impl Future<Output = Result<T, CliError>>,
    message: impl FnOnce() -> String,
) -> Result<T, CliError> {
    tokio::select! {
        done = work => done,
        Ok(()) = tokio::signal::ctrl_c() => Err(CliError::Interrupted(message())),
    }
}

/// A result: to standard output, for a program or for a person. Whatever the server says in it, a terminal only shows it.
pub fn print<T: Serialize>(json: bool, value: &T, text: impl FnOnce() -> String) -> Result<(), CliError> {
    use std::io::Write as _;
    let text = if json {
        text::json(value).map_err(|e| CliError::Usage(format!("cannot write this as JSON: {e}")))?
    } else {
        plain::lines(&text())
    };
    // `offpeak jobs | head -1` closes the pipe early: no reason for a panic.
    let _closed = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths() {
        for (source, wanted) in [
            ("https://a/film.mp4", true),
            ("HTTP://a/film.mp4", true),
            ("film.mp4", false),
            ("/a/https://b", false),
            (r"C:\film.mp4", false),
            ("s3://bucket/film.mp4", false),
        ] {
            assert_eq!(is_address(source), wanted, "{source}");
        }
    }
}
