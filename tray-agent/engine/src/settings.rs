//! What the command line and the environment say, checked before anything starts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use offpeak_api::enrolment::Fingerprint;
use url::Url;

/// Leases parts of videos from an Offpeak server, encodes them with the bundled ffmpeg and hands the segments back.
#[derive(Debug, Parser)]
#[command(name = "offpeak-agent", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Work until stopped; enrols first if this machine is not enrolled yet.
    Run(Run),
    /// Enrol this machine with a server, without starting to work.
    Enrol(Enrol),
    /// Try everything that work needs, and say what is wrong.
    Check(Check),
    /// Say what the engine on this machine does now, and why: all that it knows of the desk, and the rule that decided.
    Why(Why),
    /// Wait for the engine's end, and end what it has started: the engine gives this order, where the system does not do it.
    #[cfg(all(unix, not(target_os = "linux")))]
    #[command(hide = true)]
    Undertaker,
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub identity: Identity,
    #[command(flatten)]
    pub programs: Programs,
    /// Use no more than so many cores, the last ones of those that there are [default: all].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub cores: Option<u32>,
    /// Threads for each task [default: cores divided by leases].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub threads: Option<u32>,
    /// Tasks at a time [default: one a core and GiB of memory, at most 4].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub leases: Option<u32>,
    /// Memory that tasks are chosen to fit in, in MiB [default: the machine's, less a quarter and at least 2 GiB for everything else].
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1 << 24))]
    pub memory: Option<u64>,
    /// Cap on the network rate for media, in bits a second: 500k, 20M, 1G.
    #[arg(long, value_parser = parse_bit_rate)]
    pub bandwidth: Option<BitRate>,
    #[command(flatten)]
    pub desk: Desk,
    /// Speak with the tray app on standard input and output; end when the input ends.
    #[arg(long)]
    pub link: bool,
}

#[derive(Debug, Args)]
pub struct Desk {
    /// Whether somebody may sit at this machine.
    #[arg(long, value_enum, default_value_t = Presence::Auto, env = "OFFPEAK_PRESENCE")]
    pub presence: Presence,
    /// For tests: begin and go on after so many milliseconds without input, whatever the policy says.
    #[arg(long, hide = true, value_parser = clap::value_parser!(u64).range(1000..=60_000))]
    pub quiet_milliseconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Presence {
    /// Look who is there; work only while the machine is left alone. A machine without any session counts as left alone.
    Auto,
    /// The machine belongs to the farm alone: nobody is looked for. Schedule, pause and caps hold all the same.
    None,
}

#[derive(Debug, Args)]
pub struct Why {
    #[command(flatten)]
    pub check: Check,
    #[command(flatten)]
    pub desk: Desk,
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub home: Home,
    #[command(flatten)]
    pub programs: Programs,
}

#[derive(Debug, Args)]
pub struct Enrol {
    /// The link that `offpeak-server token enrol` prints; then nothing else is needed.
    #[arg(value_name = "LINK", conflicts_with = "enrol_code")]
    pub link: Option<String>,
    #[command(flatten)]
    pub identity: Identity,
}

#[derive(Debug, Args)]
pub struct Identity {
    #[command(flatten)]
    pub home: Home,
    /// The one-time code or link that `offpeak-server token enrol` prints; needed once.
    #[arg(long, env = "OFFPEAK_ENROL_CODE", hide_env_values = true)]
    pub enrol_code: Option<String>,
    /// How people will recognise this machine [default: its host name].
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Home {
    /// The server's address [default: the one that this machine is enrolled with].
    #[arg(long, env = "OFFPEAK_URL")]
    pub server: Option<Url>,
    /// SHA-256 of the server's certificate, to know it by: 64 hexadecimal digits [default: the one of the enrolment link].
    #[arg(long, env = "OFFPEAK_FINGERPRINT", value_parser = parse_fingerprint)]
    pub fingerprint: Option<Fingerprint>,
    /// Where the engine keeps who it is [default: the platform's folder for such things].
    #[arg(long, alias = "state")]
    pub state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Programs {
    /// The bundled ffmpeg [default: `offpeak-ffmpeg` beside this program, in .offpeak/bin or on the PATH].
    #[arg(long, env = "OFFPEAK_FFMPEG")]
    pub ffmpeg: Option<PathBuf>,
    /// The bundled ffprobe [default: `offpeak-ffprobe`, likewise].
    #[arg(long, env = "OFFPEAK_FFPROBE")]
    pub ffprobe: Option<PathBuf>,
}

impl Identity {
    /// The code, unless it is empty, as variables in files of settings often are.
    pub fn code(&self) -> Option<&str> {
        self.enrol_code.as_deref().map(str::trim).filter(|code| !code.is_empty())
    }
}

fn parse_fingerprint(text: &str) -> Result<Fingerprint, String> {
    text.parse().map_err(|error: offpeak_api::enrolment::BadFingerprint| error.to_string())
}

/// Bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitRate(u64);

impl BitRate {
    pub fn bytes_per_second(self) -> u64 {
        (self.0 / 8).max(1)
    }
}

fn parse_bit_rate(text: &str) -> Result<BitRate, String> {
    let wrong = || "a rate is a number with k, M or G behind it, such as 20M for 20 megabits a second".to_owned();
    let (number, unit) = match text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, ""),
    };
    let factor = match unit {
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        "g" | "G" => 1e9,
        _ => 1.0,
    };
    let bits = number.parse::<f64>().map_err(|_| wrong())? * factor;
    // Below this a segment takes longer than its lease would live.
    if (10e3..1e12).contains(&bits) { Ok(BitRate(bits as u64)) } else { Err(format!("{text} is out of range; {}", wrong())) }
}

/// How the machine is shared out between tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Tasks at a time.
    pub leases: u32,
    /// Threads of each.
    pub threads: u32,
    /// Memory of each, in MiB; 0 when nobody knows.
    pub memory_mib: u64,
}

/// More than this at a time gains nothing: each task reads the source once more and holds its rows in memory.
const MOST_LEASES: u32 = 4;
/// What a task usually needs; the server's smallest class of memory. An engine with less has one lease and tries.
const MEMORY_OF_A_LEASE_MIB: u64 = 1024;

/// Shares cores and memory (0 is unknown) out. Several tasks with few threads each beat one with all of them, because x264 does not use its threads
/// to the full: on two cores, two spans at a time took 0.99 times the wall time of a plain encode, one at a time 1.01 times.
pub fn share_out(cores: u32, memory_mib: u64, leases: Option<u32>, threads: Option<u32>) -> Shares {
    let cores = cores.max(1);
    let room = match memory_mib {
        0 => MOST_LEASES,
        known => u32::try_from(known / MEMORY_OF_A_LEASE_MIB).unwrap_or(u32::MAX).clamp(1, MOST_LEASES),
    };
    let leases = leases.unwrap_or_else(|| (cores / threads.unwrap_or(1).max(1)).clamp(1, room)).max(1);
    let threads = threads.unwrap_or(cores / leases).max(1);
    Shares { leases, threads, memory_mib: memory_mib / u64::from(leases) }
}

/// Memory for encoding, in MiB; 0 when nobody knows. The person and the system keep a quarter and at least 2 GiB, though not
/// more than half of a small machine.
pub fn usable_memory(total_bytes: Option<u64>, cap_mib: Option<u64>) -> u64 {
    const LEAST_RESERVE_MIB: u64 = 2048;
    let total = total_bytes.map(|bytes| bytes >> 20);
    let usable = total.map(|total| total - (total / 4).max(LEAST_RESERVE_MIB).min(total / 2));
    match (usable, cap_mib) {
        (Some(usable), Some(cap)) => usable.min(cap),
        (Some(known), None) | (None, Some(known)) => known,
        (None, None) => 0,
    }
}

/// Where the engine keeps its state unless told: `variable` reads the environment.
pub fn default_state_dir(os: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let home = || variable("HOME");
    match os {
        "windows" => variable("LOCALAPPDATA").map(|folder| folder.join("Offpeak")),
        "macos" => home().map(|home| home.join("Library/Application Support/Offpeak")),
        // systemd gives a service its own; people have theirs (XDG Base Directory Specification).
        _ => variable("STATE_DIRECTORY")
            .or_else(|| variable("XDG_STATE_HOME").map(|folder| folder.join("offpeak")))
            .or_else(|| home().map(|home| home.join(".local/state/offpeak"))),
    }
}

/// The machine's own name, for people to recognise it by.
pub fn host_name() -> String {
    own_name().filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed machine".to_owned())
}

#[cfg(unix)]
fn own_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

#[cfg(not(unix))]
fn own_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_keeps_memory() {
        let gib = |gib: u64| Some(gib << 30);
        let cases = [
            ((gib(64), None), 48 << 10),
            ((gib(8), None), 6 << 10),
            ((gib(4), None), 2 << 10),
            ((gib(2), None), 1 << 10),
            ((gib(64), Some(4096)), 4096),
            ((gib(2), Some(4096)), 1 << 10),
            ((None, Some(4096)), 4096),
            ((None, None), 0),
        ];
        for ((total, cap), expected) in cases {
            assert_eq!(usable_memory(total, cap), expected, "{total:?} {cap:?}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn cores_are_shared_out() {
        let cases = [
            ((1, None, None), (1, 1)),
            ((2, None, None), (2, 1)),
            ((3, None, None), (3, 1)),
            ((4, None, None), (4, 1)),
            ((6, None, None), (4, 1)),
            ((8, None, None), (4, 2)),
            ((32, None, None), (4, 8)),
            ((8, Some(1), None), (1, 8)),
            ((8, Some(2), None), (2, 4)),
            ((2, Some(8), None), (8, 1)),
            ((8, None, Some(4)), (2, 4)),
            ((2, None, Some(16)), (1, 16)),
            ((2, Some(3), Some(5)), (3, 5)),
            ((0, None, None), (1, 1)),
        ];
        for ((cores, leases, threads), (expected_leases, expected_threads)) in cases {
            let expected = Shares { leases: expected_leases, threads: expected_threads, memory_mib: 0 };
            assert_eq!(share_out(cores, 0, leases, threads), expected, "{cores} {leases:?} {threads:?}");
        }
    }

    #[test]
    fn memory_is_shared_out_and_limits_leases() {
        let cases = [
            ((8, 48 << 10, None, None), (4, 2, 12 << 10)),
            ((4, 6 << 10, None, None), (4, 1, 1536)),
            ((4, 4095, None, None), (3, 1, 1365)),
            ((4, 2 << 10, None, None), (2, 2, 1024)),
            ((4, 512, None, None), (1, 4, 512)),
            ((1, 48 << 10, None, None), (1, 1, 48 << 10)),
            // Who says how many leases is obeyed, and its tasks fit the rest.
            ((4, 2 << 10, Some(4), None), (4, 1, 512)),
            ((8, 1 << 10, None, Some(2)), (1, 2, 1024)),
        ];
        for ((cores, memory_mib, leases, threads), expected) in cases {
            let shares = share_out(cores, memory_mib, leases, threads);
            let found = (shares.leases, shares.threads, shares.memory_mib);
            assert_eq!(found, expected, "{cores} {memory_mib} {leases:?} {threads:?}");
        }
    }

    #[test]
    fn rates_are_in_bits() {
        for (text, bits) in
            [("20M", 20_000_000), ("500k", 500_000), ("1G", 1_000_000_000), ("2.5m", 2_500_000), ("64000", 64_000)]
        {
            assert_eq!(parse_bit_rate(text), Ok(BitRate(bits)), "{text}");
        }
        assert_eq!(BitRate(20_000_000).bytes_per_second(), 2_500_000);
        for text in ["", "M", "20Mb", "-1M", "1", "nanM", "infG", "20 M B", "é"] {
            assert!(parse_bit_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_platform_has_its_folder() {
        let folder = |os: &str, set: &[(&str, &str)]| {
            let set = set.to_vec();
            default_state_dir(os, move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value)))
        };
        let home = ("HOME", "/home/ada");
        let cases = [
            ("linux", vec![home], Some("/home/ada/.local/state/offpeak")),
            ("linux", vec![home, ("XDG_STATE_HOME", "/s")], Some("/s/offpeak")),
            ("linux", vec![home, ("STATE_DIRECTORY", "/var/lib/offpeak-agent")], Some("/var/lib/offpeak-agent")),
            ("macos", vec![home], Some("/home/ada/Library/Application Support/Offpeak")),
            ("windows", vec![("LOCALAPPDATA", "/AppData")], Some("/AppData/Offpeak")),
            ("windows", vec![home], None),
            ("linux", vec![], None),
        ];
        for (os, set, expected) in cases {
            assert_eq!(folder(os, &set), expected.map(PathBuf::from), "{os} {set:?}");
        }
    }
}
