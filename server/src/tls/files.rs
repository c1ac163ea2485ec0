//! A certificate in files that somebody renews now and then.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// What is shown to clients, and where it came from.
#[derive(Debug)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Files {
    pub fn open(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let shown = RwLock::new(Arc::new(read(&certificate, &key)?));
        Ok(Self { certificate, key, shown })
    }

    /// Shows what the files hold now. What does not read, or does not fit together, changes nothing.
    pub fn reload(&self) -> anyhow::Result<()> {
        let fresh = Arc::new(read(&self.certificate, &self.key)?);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// When the files were last written; links to files, as renewal programs make them, are followed.
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).and_then(|found| found.modified()).ok())
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Looks at the files for as long as anybody shows them.
pub async fn reload(files: Weak<Files>, look_every: Duration) {
    let mut known = files.upgrade().map(|files| files.changed_at());
    loop {
        tokio::time::sleep(look_every).await;
        let Some(files) = files.upgrade() else { return };
        let found = Some(files.changed_at());
        if found == known {
            continue;
        }
        match files.reload() {
            Ok(()) => {
                tracing::info!(certificate = %files.certificate.display(), "took up the changed TLS certificate");
                known = found;
            }
            // Certificate and key are written one after the other: the next look finds both.
            Err(error) => tracing::warn!("the changed TLS certificate is not taken up, the one before goes on: {error:#}"),
        }
    }
}

fn read(certificate: &PathBuf, key: &PathBuf) -> anyhow::Result<CertifiedKey> {
    let told = |what, path: &PathBuf| format!("cannot read the {what} in {}: it must be PEM", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| told("certificate (OFFPEAK_TLS_CERT)", certificate))?;
    ensure!(!chain.is_empty(), "{} (OFFPEAK_TLS_CERT) holds no certificate", certificate.display());
    let der = PrivateKeyDer::from_pem_file(key).with_context(|| told("key (OFFPEAK_TLS_KEY)", key))?;
    CertifiedKey::from_der(chain, der, &aws_lc_rs::default_provider())
        .with_context(|| format!("the key in {} is not that of the certificate in {}", key.display(), certificate.display()))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[tokio::test]
    async fn changed_files_are_taken_up_and_broken_ones_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let make = || {
            let pair = KeyPair::generate().expect("a key");
            let made = CertificateParams::new(vec!["farm.lan".to_owned()]).and_then(|params| params.self_signed(&pair));
            (made.expect("a certificate"), pair.serialize_pem())
        };
        let ((first, first_key), (second, second_key)) = (make(), make());
        std::fs::write(&certificate, first.pem()).expect("written");
        assert!(Files::open(certificate.clone(), key.clone()).expect_err("no key").to_string().contains("OFFPEAK_TLS_KEY"));
        std::fs::write(&key, &second_key).expect("written");
        let misfit = Files::open(certificate.clone(), key.clone()).expect_err("another's key").to_string();
        assert!(misfit.contains("is not that of the certificate"), "{misfit}");
        std::fs::write(&key, &first_key).expect("written");

        let files = Arc::new(Files::open(certificate.clone(), key.clone()).expect("both"));
        let shown = || files.shown.read().expect("no panic").cert[0].clone();
        assert_eq!(shown(), *first.der());
        let looking = tokio::spawn(reload(Arc::downgrade(&files), Duration::from_millis(20)));
        std::fs::write(&certificate, second.pem()).expect("written");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(shown(), *first.der(), "the key is still the old one");
        std::fs::write(&key, &second_key).expect("written");
        let limit = tokio::time::timeout(Duration::from_secs(10), async {
            while shown() != *second.der() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        limit.await.expect("taken up");
        drop(files);
        tokio::time::timeout(Duration::from_secs(10), looking).await.expect("it ends with them").expect("no panic");
    }
}
