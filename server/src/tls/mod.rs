//! TLS, ended by the server itself: with an administrator's certificate, or with one that it makes.
//!
//! In: settings. Out: a listener whose connections are encrypted, and the fingerprint that enrolment links carry. What must
//! hold: all servers of one database that make their own certificate show the same one, after a restart too; changed files are
//! taken up without one; a stranger who dawdles with a handshake holds up nobody.

mod files;
mod listener;
mod own;

use std::{path::PathBuf, sync::Arc, time::Duration};

use offpeak_api::enrolment::Fingerprint;
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::CertificateDer, server::ResolvesServerCert, sign::CertifiedKey};
use sha2::{Digest, Sha256};

use crate::{config::Config, db::Db};

pub use listener::Listening;

/// Who ends TLS, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Nobody here: this machine talks to itself, or a proxy stands before it.
    Off,
    /// Certificate chain and key, in PEM.
    Files { certificate: PathBuf, key: PathBuf },
    /// A certificate that the server makes and keeps in its database.
    SelfMade,
}

/// How often files are looked at. Whoever renews certificates does so days before the old one ends.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What to encrypt with; nothing when TLS is off.
pub async fn server_config(config: &Config, db: &Db) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    match &config.tls {
        Tls::Off => Ok(None),
        Tls::Files { certificate, key } => {
            let files = Arc::new(files::Files::open(certificate.clone(), key.clone())?);
            tokio::spawn(files::reload(Arc::downgrade(&files), LOOK_EVERY));
            with(files).map(Some)
        }
        Tls::SelfMade => {
            let own = own::certificate(db, &config.public_url).await?;
            with(Arc::new(Fixed(Arc::new(own.certified_key()?)))).map(Some)
        }
    }
}

/// The fingerprint that machines are to know the server by: of a certificate that nobody else vouches for.
pub async fn fingerprint(config: &Config, db: &Db) -> anyhow::Result<Option<Fingerprint>> {
    match &config.tls {
        // Such a certificate is renewed now and then, and machines trust whoever issued it.
        Tls::Off | Tls::Files { .. } => Ok(None),
        Tls::SelfMade => Ok(Some(fingerprint_of(&own::certificate(db, &config.public_url).await?.certificate))),
    }
}

/// The certificate that the server makes, in PEM.
pub async fn own_certificate(config: &Config, db: &Db) -> anyhow::Result<String> {
    match &config.tls {
        Tls::SelfMade => Ok(own::certificate(db, &config.public_url).await?.to_pem()),
        Tls::Files { certificate, .. } => anyhow::bail!("the certificate is yours: {}", certificate.display()),
        Tls::Off => anyhow::bail!("this server makes no certificate: OFFPEAK_TLS=self lets it"),
    }
}

/// The SHA-256 of a certificate.
pub fn fingerprint_of(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

fn with(resolver: Arc<dyn ResolvesServerCert>) -> anyhow::Result<Arc<ServerConfig>> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
