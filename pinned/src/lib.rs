//! TLS for clients that know their server's certificate by its fingerprint: that host is believed with exactly that certificate,
//! whoever issued it and whatever names it bears; every other host (a bucket, say) as the system has it.

use std::sync::Arc;

use offpeak_api::enrolment::Fingerprint;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use url::Url;

/// The SHA-256 of a certificate, in DER.
pub fn fingerprint_of(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

/// Why there can be no such configuration.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("a fingerprint is of use only with an https address, which {0} is not")]
    NotHttps(Url),
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] Error),
}

/// For a client of `server`, which shows the certificate of this fingerprint. For HTTP/1.1 and HTTP/2.
pub fn client_config(server: &Url, fingerprint: Fingerprint) -> Result<ClientConfig, Unusable> {
    let host = server.host_str().filter(|_| server.scheme() == "https").ok_or_else(|| Unusable::NotHttps(server.clone()))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let others = Verifier::new(Arc::clone(&provider))?;
    let verifier = Pinned { host, fingerprint, provider: Arc::clone(&provider), others };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Pinned {
    host: String,
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
    others: Verifier,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = server_name.to_str();
        if !name.eq_ignore_ascii_case(&self.host) {
            return self.others.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        }
        let shown = fingerprint_of(end_entity);
        if shown == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::General(format!(
            "{name} shows another certificate than the one that is known: its fingerprint is {shown}, not {}. If it was changed on \
             purpose, get a new enrolment link, or set OFFPEAK_FINGERPRINT; if not, somebody may be in between",
            self.fingerprint
        )))
    }

    // Showing a certificate proves nothing: these prove that the server has its key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
