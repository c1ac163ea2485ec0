//! What Offpeak promises, a module for each, shown with the real server, real engines and the real ffmpeg.

mod agent_killed_mid_span;
#[cfg(unix)]
mod api_is_as_described;
#[cfg(unix)]
mod bad_agent_is_passed_over;
mod bad_input;
mod cancelled_jobs_stop;
mod cli_submits;
#[cfg(unix)]
mod clients_work;
#[cfg(target_os = "linux")]
mod engine_has_a_shell;
mod exactness;
#[cfg(target_os = "linux")]
mod machine_is_unwell;
mod output_is_valid;
#[cfg(target_os = "linux")]
mod privacy;
mod server_restarts;
#[cfg(target_os = "linux")]
mod session_is_seen;
mod storage_is_s3;
mod tls;
#[cfg(unix)]
mod two_servers;
mod upload_resumes;
#[cfg(target_os = "linux")]
mod user_returns;
mod webhooks_arrive;
#[cfg(target_os = "linux")]
mod work_is_not_felt;
