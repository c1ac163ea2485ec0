//! The certificate that servers of one database make for themselves, once.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use url::Url;

use crate::{db::Db, settings};

/// Certificate and key, in DER.
pub struct Own {
    pub certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Own {
    pub fn certified_key(&self) -> anyhow::Result<CertifiedKey> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let key = aws_lc_rs::default_provider().key_provider.load_private_key(key).context("the kept TLS key does not read")?;
        Ok(CertifiedKey::new(vec![self.certificate.clone()], key))
    }

    /// The certificate alone, for programs that are told whom to believe.
    pub fn to_pem(&self) -> String {
        pem::encode_config(
            &pem::Pem::new("CERTIFICATE", self.certificate.to_vec()),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        )
    }

    /// As it is kept: both in base64, a space between.
    fn to_text(&self) -> String {
        format!("{} {}", BASE64_STANDARD.encode(&self.certificate), BASE64_STANDARD.encode(&self.key))
    }

    fn from_text(text: &str) -> Option<Self> {
        let (certificate, key) = text.split_once(' ')?;
        let certificate = CertificateDer::from(BASE64_STANDARD.decode(certificate).ok()?);
        Some(Self { certificate, key: BASE64_STANDARD.decode(key).ok()? })
    }
}

/// The certificate; made by the first server that asks. It stays when the address changes: machines know it by its fingerprint,
/// and the names in it are for people who look at it in a browser.
pub async fn certificate(db: &Db, public_url: &Url) -> anyhow::Result<Own> {
    let kept = settings::own_certificate(db, || Ok(make(public_url)?.to_text())).await?;
    Own::from_text(&kept)
        .context("the kept TLS certificate does not read; delete the row `own_certificate` of the table `setting`")
}

fn make(public_url: &Url) -> anyhow::Result<Own> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Some(host) = public_url.host_str() {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if !names.iter().any(|name| name == host) {
            names.insert(0, host.to_owned());
        }
    }
    let mut params = CertificateParams::new(names).context("cannot make a certificate for this OFFPEAK_PUBLIC_URL")?;
    params.distinguished_name.push(DnType::CommonName, "Offpeak server");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Own { certificate: certificate.der().clone(), key: key.serialize_der() })
}
