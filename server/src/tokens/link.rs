//! The link that holds all that a machine needs to enrol.

use offpeak_api::enrolment::EnrolLink;

use crate::{config::Config, db::Db, tls};

/// Where to enrol, with what, and how to know the server; nothing when its address is none that machines can reach.
pub async fn enrol_link(config: &Config, db: &Db, code: &str) -> anyhow::Result<Option<String>> {
    let server = config.public_url.clone();
    let unspecified = match server.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_unspecified(),
        Some(url::Host::Ipv6(ip)) => ip.is_unspecified(),
        Some(url::Host::Domain(_)) | None => false,
    };
    if unspecified {
        return Ok(None);
    }
    let fingerprint = tls::fingerprint(config, db).await?;
    Ok(Some(EnrolLink { server, code: code.to_owned(), fingerprint }.to_string()))
}
