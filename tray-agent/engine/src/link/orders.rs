//! Orders of the shell, carried out.

use offpeak_link::{Answer, Order};

use super::Link;
use crate::supervise::Demand;

/// A person cannot mean more than this by "later".
const LONGEST_SNOOZE_SECONDS: u64 = 7 * 86_400;

pub async fn carry_out(link: &Link, order: Order) -> Answer {
    let wishes = &link.watch.wishes;
    match order {
        Order::Snooze { seconds } if seconds > LONGEST_SNOOZE_SECONDS => {
            refused("snooze_too_long", format!("A snooze lasts at most {} days; pause instead.", LONGEST_SNOOZE_SECONDS / 86_400))
        }
        Order::Snooze { seconds } => kept(wishes.snooze(seconds)),
        Order::Pause => kept(wishes.pause()),
        Order::Resume => {
            // An update that came to nothing, for one.
            link.watch.status.updating(false);
            kept(wishes.resume())
        }
        Order::SetLimits { limits } => match check(&limits) {
            Ok(()) => kept(wishes.set_limits(limits)),
            Err(message) => refused("bad_limits", message.to_owned()),
        },
        Order::Join { link_or_code, server, name } => link.demands.make(Demand::Join { link_or_code, server, name }).await,
        Order::Leave => link.demands.make(Demand::Leave).await,
        Order::Why => Answer::Why(super::why(&link.watch.status, &link.watch.seen, &link.watch)),
        Order::PrepareUpdate => link.demands.make(Demand::PrepareUpdate).await,
        Order::Quit => link.demands.make(Demand::Quit).await,
    }
}

/// Limits are checked as policies are, where they are of the same kind.
fn check(limits: &offpeak_link::Limits) -> Result<(), &'static str> {
    let like = offpeak_api::policy::Policy {
        max_cores: limits.max_cores,
        max_memory_mib: limits.max_memory_mib,
        max_bits_per_second: limits.max_bits_per_second,
        start_after_idle_seconds: limits.start_after_idle_seconds.unwrap_or(300),
        schedule: limits.schedule.clone(),
        ..Default::default()
    };
    like.check()
}

fn kept(result: std::io::Result<()>) -> Answer {
    match result {
        Ok(()) => Answer::Done,
        Err(error) => refused("not_kept", format!("This holds until the agent is started anew; it could not be kept: {error}.")),
    }
}

pub fn refused(code: &str, message: String) -> Answer {
    Answer::Refused { code: code.to_owned(), message }
}
