//! The command line of `offpeak webhooks`.

use clap::{Subcommand, builder::PossibleValuesParser};
use offpeak_api::{
    ids::{DeliveryId, WebhookId},
    webhook::{DeliveryState, WebhookEvent},
};

#[derive(Debug, clap::Args)]
pub struct Webhooks {
    /// Lists webhooks when absent.
    #[command(subcommand)]
    pub command: Option<Webhook>,
}

#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// List webhooks.
    List,
    /// Have an address told what happens; prints the secret that messages are signed with, once.
    Add {
        // `url` is the server's own address, in every command.
        #[arg(value_name = "URL")]
        address: String,
        /// Only these events (may be repeated, or separated by commas); all when absent.
        #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(WebhookEvent::ALL.map(WebhookEvent::as_str)))]
        events: Vec<String>,
        /// A note for people.
        #[arg(long, default_value = "", value_name = "TEXT")]
        description: String,
    },
    /// Remove a webhook, with its deliveries.
    Remove { id: WebhookId },
    /// Send a test message, and show what was answered.
    Test { id: WebhookId },
    /// Make a new secret; for a while messages are signed with the old one, too.
    Rotate {
        id: WebhookId,
        /// How long the old one stays valid, 0 to 168 hours.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=168), value_name = "HOURS")]
        overlap: u32,
    },
    /// Bring back a webhook that was disabled.
    Enable { id: WebhookId },
    /// Send nothing more to a webhook until it is enabled again.
    Disable { id: WebhookId },
    /// List what was sent to a webhook, newest first; or show one delivery with its attempts.
    Deliveries {
        id: WebhookId,
        delivery: Option<DeliveryId>,
        /// Only deliveries in this state.
        #[arg(long, value_parser = PossibleValuesParser::new(DeliveryState::ALL.map(DeliveryState::as_str)))]
        state: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Send a message again, now.
    Redeliver { id: WebhookId, delivery: DeliveryId },
}
