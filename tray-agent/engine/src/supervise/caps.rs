//! How much of the machine work may use: what the machine has, what it was started with, what policy and person allow.

use crate::{
    platform,
    policy::Rules,
    run::cores,
    settings::{Run, Shares, share_out, usable_memory},
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Caps {
    pub cores: u32,
    pub memory_mib: u64,
    pub shares: Shares,
    bits_per_second: Option<u64>,
}

impl Caps {
    pub fn of(settings: &Run, rules: &Rules) -> Self {
        let cores = cores(smaller(settings.cores, rules.max_cores));
        let memory_mib = usable_memory(platform::total_bytes(), smaller(settings.memory, rules.max_memory_mib));
        let leases = settings.leases.map(|leases| leases.min(cores));
        let threads = settings.threads.map(|threads| threads.min(cores));
        // Whoever says how many tasks or threads there are knows what they do, unless policy or person says less.
        let (leases, threads) = if rules.max_cores.is_some() { (leases, threads) } else { (settings.leases, settings.threads) };
        let shares = share_out(cores, memory_mib, leases, threads);
        Self { cores, memory_mib, shares, bits_per_second: rules.max_bits_per_second }
    }

    /// The cores that programs are to be kept to; `None` when they may use all that there are.
    pub fn kept_cores(&self) -> Option<u32> {
        (self.cores < cores(None)).then_some(self.cores)
    }

    pub fn with(self, bits_per_second: Option<u64>) -> Self {
        Self { bits_per_second, ..self }
    }

    pub fn bytes_per_second(&self, settings: &Run) -> Option<u64> {
        let allowed = self.bits_per_second.map(|bits| (bits / 8).max(1));
        smaller(settings.bandwidth.map(|rate| rate.bytes_per_second()), allowed)
    }
}

fn smaller<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use clap::Parser;
    use offpeak_api::policy::Policy;
    use offpeak_link::Limits;

    use super::*;
    use crate::settings::{Cli, Command};

    fn settings(words: &str) -> Run {
        let words = format!("offpeak-agent run {words}");
        match Cli::try_parse_from(words.split_whitespace()).unwrap().command {
            Command::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_least_of_all_caps_holds() {
        let rules = |cores, bits| {
            let policy = Policy { max_cores: cores, max_bits_per_second: bits, ..Policy::default() };
            Rules::of(&policy, &Limits::default(), None)
        };
        let here = cores(None);
        let caps = |words: &str, cores, bits| Caps::of(&settings(words), &rules(cores, bits));
        assert_eq!(caps("", None, None).cores, here);
        assert_eq!(caps("", None, None).kept_cores(), None, "who may use all is not kept to some");
        assert_eq!(caps("", Some(here), None).kept_cores(), None);
        if here > 1 {
            assert_eq!(caps("", Some(here - 1), None).kept_cores(), Some(here - 1));
            assert_eq!(caps("--cores 1", None, None).kept_cores(), Some(1));
        }
        let one = caps("--leases 3 --threads 4", Some(1), None);
        assert_eq!((one.cores, one.shares.leases, one.shares.threads), (1, 1, 1));
        let told = caps("--leases 3 --threads 4", None, None);
        assert_eq!((told.shares.leases, told.shares.threads), (3, 4));
        let rate = |words: &str, bits| caps(words, None, bits).bytes_per_second(&settings(words));
        assert_eq!(rate("", None), None);
        assert_eq!(rate("--bandwidth 8M", None), Some(1_000_000));
        assert_eq!(rate("--bandwidth 8M", Some(800_000)), Some(100_000));
        assert_eq!(rate("--bandwidth 800k", Some(8_000_000)), Some(100_000));
    }
}
