//! Settings: from flags, `OFFPEAK_*` variables or a TOML file, in that order of strength, checked before anything starts.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use offpeak_outbound::{AllowList, BadEntry};
use serde::Deserialize;
use url::Url;

use crate::blob::Location;
use crate::db::POSTGRES_CONNECTIONS;
use crate::tls::Tls;

/// Every setting, as given; [`Settings::check`] fills in defaults and refuses what cannot work.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// TOML file with any of the other settings; its keys are their names without `OFFPEAK_`, in lower case
    #[arg(long, env = "OFFPEAK_CONFIG", value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Address and port to listen on [default: 127.0.0.1:7070]
    #[arg(long, env = "OFFPEAK_LISTEN", value_name = "ADDR:PORT", global = true)]
    pub listen: Option<String>,

    /// Address under which people and players reach this server [default: http:// and the listening address]
    #[arg(long, env = "OFFPEAK_PUBLIC_URL", value_name = "URL", global = true)]
    pub public_url: Option<String>,

    /// `sqlite:///absolute/path.db` or `postgres://user:password@host/name` [default: offpeak.db in the working directory]
    #[arg(long, env = "OFFPEAK_DATABASE_URL", value_name = "URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,

    /// Connections to PostgreSQL that one server may open [default: 16]
    #[arg(long, env = "OFFPEAK_DATABASE_CONNECTIONS", value_name = "COUNT", global = true)]
    pub database_connections: Option<u32>,

    /// Where sources and segments are kept: `file:///absolute/folder` or `s3://bucket/prefix?endpoint=…&region=…`, with
    /// credentials as for the AWS tools [default: offpeak-storage in the working directory]
    #[arg(long, env = "OFFPEAK_STORAGE", value_name = "URL", global = true)]
    pub storage: Option<String>,

    /// Address of a CDN on the bucket's prefix; players are sent there instead of to signed addresses of the bucket
    #[arg(long, env = "OFFPEAK_MEDIA_URL", value_name = "URL", global = true)]
    pub media_url: Option<String>,

    /// Hours that an uploaded source is kept after its last use; its jobs' outputs stay [default: 168]
    #[arg(long, env = "OFFPEAK_SOURCE_HOURS", value_name = "HOURS", global = true)]
    pub source_hours: Option<u64>,

    /// Hours after which an unfinished upload is given up [default: 24]
    #[arg(long, env = "OFFPEAK_UPLOAD_HOURS", value_name = "HOURS", global = true)]
    pub upload_hours: Option<u64>,

    /// Largest source accepted, in bytes [default: 1 TiB]
    #[arg(long, env = "OFFPEAK_MAX_SOURCE_BYTES", value_name = "BYTES", global = true)]
    pub max_source_bytes: Option<u64>,

    /// Seconds that a lease lives without a heartbeat; engines beat three times in that [default: 30]
    #[arg(long, env = "OFFPEAK_LEASE_SECONDS", value_name = "SECONDS", global = true)]
    pub lease_seconds: Option<u64>,

    /// Requests a minute that one token may make to one server, agents' calls left out; 0 for any number [default: 6000]
    #[arg(long, env = "OFFPEAK_REQUESTS_PER_MINUTE", value_name = "COUNT", global = true)]
    pub requests_per_minute: Option<u32>,

    /// Of a hundred commits, into how many the server looks whether their objects are what the agent says; 0 is none [default: 100]
    #[arg(long, env = "OFFPEAK_INSPECT_PERCENT", value_name = "PERCENT", global = true)]
    pub inspect_percent: Option<u8>,
    /// `self`: end TLS here, with a certificate that the server makes and keeps in its database; `off`: do not [default: off,
    /// unless a certificate is given]
    #[arg(long, env = "OFFPEAK_TLS", value_name = "self|off", global = true)]
    pub tls: Option<String>,

    /// End TLS here, with the certificate chain in this PEM file; read again when it changes
    #[arg(long, env = "OFFPEAK_TLS_CERT", value_name = "FILE", global = true)]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's key, in PEM
    #[arg(long, env = "OFFPEAK_TLS_KEY", value_name = "FILE", global = true)]
    pub tls_key: Option<PathBuf>,

    /// Serve plain HTTP to other machines, too: behind a proxy that speaks TLS, or where nobody listens in
    #[arg(long, env = "OFFPEAK_INSECURE_HTTP", value_name = "1", global = true, num_args = 0..=1, default_missing_value = "1",
        value_parser = clap::builder::BoolishValueParser::new())]
    pub insecure_http: Option<bool>,

    /// Hosts and networks that sources by URL and webhooks may reach although they are not public, separated by commas:
    /// `media.office.lan, *.office.lan, 10.1.0.0/16` [default: none]
    #[arg(long, env = "OFFPEAK_OUTBOUND_ALLOW", value_name = "LIST", global = true)]
    pub outbound_allow: Option<String>,

    /// Hours that addresses of jobs with signed playback are good for [default: 12]
    #[arg(long, env = "OFFPEAK_PLAYBACK_HOURS", value_name = "HOURS", global = true)]
    pub playback_hours: Option<u64>,

    /// Reverse proxies of your own before this server, each of which adds to X-Forwarded-For: whose addresses count when logins
    /// are slowed down [default: 0]
    #[arg(long, env = "OFFPEAK_TRUSTED_PROXIES", value_name = "COUNT", global = true)]
    pub trusted_proxies: Option<usize>,

    /// Announce this server on the local network, where it listens to other machines [default: 1]
    #[arg(long, env = "OFFPEAK_MDNS", value_name = "0|1", global = true, value_parser = clap::builder::BoolishValueParser::new())]
    pub mdns: Option<bool>,
}

/// Settings that were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: Url,
    pub database_url: String,
    pub database_connections: u32,
    pub storage: Url,
    /// Ends with `/`.
    pub media_url: Option<Url>,
    pub source_kept_for: Duration,
    pub upload_kept_for: Duration,
    pub max_source_bytes: u64,
    pub lease: LeaseTimes,
    /// None for any number.
    pub requests_per_minute: Option<NonZeroU32>,
    /// 0 to 100.
    pub inspect_percent: u8,
    pub tls: Tls,
    /// Plain HTTP is fine on any address.
    pub insecure_http: bool,
    /// What may be called although it is not public.
    pub outbound_allow: AllowList,
    pub playback_lifetime: Duration,
    pub trusted_proxies: usize,
    /// Whether machines on the local network are told of this server.
    pub announce: bool,
}

/// How long things about leases take; all follow from how long one lives without a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    pub lifetime: Duration,
}

impl LeaseTimes {
    /// Two of three beats may be lost. On the wire it is whole seconds.
    pub fn heartbeat_every(self) -> Duration {
        Duration::from_secs((self.lifetime.as_secs() / 3).max(1))
    }

    /// After an outage of the server longer than this, leases get one more lifetime: no engine could have renewed them.
    pub fn outage(self) -> Duration {
        self.lifetime / 2
    }

    /// How often a server looks at what is due: often enough that an expired lease finds a taker within a heartbeat, and that
    /// a server which is alive is never taken for one that was away.
    pub fn tick_every(self) -> Duration {
        self.lifetime / 6
    }
}

/// A setting that cannot work, and what would.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    #[error("{name} is {value:?}, which {problem}. {hint}")]
    Bad { name: &'static str, value: String, problem: &'static str, hint: &'static str },
    #[error("cannot read the settings file {}: {cause}", path.display())]
    File { path: PathBuf, cause: String },
}

const DEFAULT_LISTEN: &str = "127.0.0.1:7070";
const HOUR: Duration = Duration::from_secs(3600);

impl Settings {
    /// Adds what the settings file says where nothing stronger was given.
    pub fn with_file(self) -> Result<Self, ConfigError> {
        let Some(path) = self.config.clone() else { return Ok(self) };
        let fail = |cause: String| ConfigError::File { path: path.clone(), cause };
        let text = std::fs::read_to_string(&path).map_err(|e| fail(e.to_string()))?;
        let file: Settings = toml::from_str(&text).map_err(|e| fail(e.to_string()))?;
        Ok(Settings {
            config: Some(path),
            listen: self.listen.or(file.listen),
            public_url: self.public_url.or(file.public_url),
            database_url: self.database_url.or(file.database_url),
            database_connections: self.database_connections.or(file.database_connections),
            storage: self.storage.or(file.storage),
            media_url: self.media_url.or(file.media_url),
            source_hours: self.source_hours.or(file.source_hours),
            upload_hours: self.upload_hours.or(file.upload_hours),
            max_source_bytes: self.max_source_bytes.or(file.max_source_bytes),
            lease_seconds: self.lease_seconds.or(file.lease_seconds),
            requests_per_minute: self.requests_per_minute.or(file.requests_per_minute),
            inspect_percent: self.inspect_percent.or(file.inspect_percent),
            tls: self.tls.or(file.tls),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            insecure_http: self.insecure_http.or(file.insecure_http),
            outbound_allow: self.outbound_allow.or(file.outbound_allow),
            playback_hours: self.playback_hours.or(file.playback_hours),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            mdns: self.mdns.or(file.mdns),
        })
    }

    /// Fills in defaults and checks every value.
    pub fn check(self) -> Result<Config, ConfigError> {
        let listen = self.listen.unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
        let listen: SocketAddr = listen.parse().map_err(|_| ConfigError::Bad {
            name: "OFFPEAK_LISTEN",
            value: listen,
            problem: "is not an address with a port",
            hint: "Try 127.0.0.1:7070, or 0.0.0.0:7070 for all interfaces.",
        })?;
        let tls = check_tls(self.tls, self.tls_cert, self.tls_key)?;
        let scheme = if tls == Tls::Off { "http" } else { "https" };
        let public_url = self.public_url.unwrap_or_else(|| format!("{scheme}://{listen}"));
        let public_url =
            Url::parse(&public_url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(ConfigError::Bad {
                name: "OFFPEAK_PUBLIC_URL",
                value: public_url,
                problem: "is not an http or https address",
                hint: "Give the address that people type, such as https://video.example.com.",
            })?;
        if tls != Tls::Off && public_url.scheme() != "https" {
            return Err(ConfigError::Bad {
                name: "OFFPEAK_PUBLIC_URL",
                value: public_url.into(),
                problem: "is not encrypted, although this server speaks nothing but TLS",
                hint: "Let it begin with https://, or leave out OFFPEAK_TLS, OFFPEAK_TLS_CERT and OFFPEAK_TLS_KEY.",
            });
        }
        let database_url = self.database_url.unwrap_or_else(|| "sqlite://offpeak.db".to_owned());
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database_url.starts_with(scheme)) {
            return Err(ConfigError::Bad {
                name: "OFFPEAK_DATABASE_URL",
                // The value may hold a password: only its scheme is told.
                value: database_url.split(':').next().unwrap_or_default().to_owned(),
                problem: "is not a database that Offpeak knows",
                hint: "Use sqlite:///absolute/path.db or postgres://user:password@host/name.",
            });
        }
        Ok(Config {
            listen,
            public_url,
            database_url,
            // One waits for notes of work, and one must be left to work with.
            database_connections: self.database_connections.unwrap_or(POSTGRES_CONNECTIONS).max(2),
            storage: check_storage(self.storage)?,
            media_url: self.media_url.map(check_media_url).transpose()?,
            source_kept_for: HOUR * u32::try_from(self.source_hours.unwrap_or(168)).unwrap_or(u32::MAX),
            upload_kept_for: HOUR * u32::try_from(self.upload_hours.unwrap_or(24)).unwrap_or(u32::MAX),
            max_source_bytes: self.max_source_bytes.unwrap_or(1 << 40),
            lease: LeaseTimes { lifetime: check_lease_seconds(self.lease_seconds)? },
            // A hundred a second: far more than a program that behaves, far less than what keeps others from being served.
            requests_per_minute: NonZeroU32::new(self.requests_per_minute.unwrap_or(6000)),
            inspect_percent: check_percent(self.inspect_percent)?,
            tls,
            insecure_http: self.insecure_http.unwrap_or(false),
            outbound_allow: check_outbound_allow(self.outbound_allow.as_deref())?,
            playback_lifetime: check_playback_hours(self.playback_hours)?,
            trusted_proxies: self.trusted_proxies.unwrap_or(0),
            announce: self.mdns.unwrap_or(true),
        })
    }
}

impl Config {
    /// Refuses to serve plain HTTP where other machines could listen in, unless somebody said that it is fine.
    pub fn check_plain_http(&self) -> Result<(), ConfigError> {
        if self.tls != Tls::Off || self.insecure_http || self.listen.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        Err(ConfigError::Bad {
            name: "OFFPEAK_LISTEN",
            value: self.listen.to_string(),
            problem: "other machines can reach, and what goes there would not be encrypted",
            hint: "Set OFFPEAK_TLS=self to let the server make a certificate, OFFPEAK_TLS_CERT and OFFPEAK_TLS_KEY to use yours, or \
                   OFFPEAK_INSECURE_HTTP=1 (--insecure-http) if a proxy in front speaks TLS; or listen on 127.0.0.1.",
        })
    }
}

fn check_tls(given: Option<String>, certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Tls, ConfigError> {
    let bad = |name, value: String, problem, hint| Err(ConfigError::Bad { name, value, problem, hint });
    let both = "Give both OFFPEAK_TLS_CERT and OFFPEAK_TLS_KEY, or OFFPEAK_TLS=self without either.";
    match (given.as_deref(), certificate, key) {
        (None | Some("off"), None, None) => Ok(Tls::Off),
        (Some("self"), None, None) => Ok(Tls::SelfMade),
        (None, Some(certificate), Some(key)) => Ok(Tls::Files { certificate, key }),
        (None, Some(path), None) => bad("OFFPEAK_TLS_CERT", path.display().to_string(), "has no key beside it", both),
        (None, None, Some(path)) => bad("OFFPEAK_TLS_KEY", path.display().to_string(), "has no certificate beside it", both),
        (Some("self" | "off"), _, _) => {
            bad("OFFPEAK_TLS", given.unwrap_or_default(), "contradicts a certificate that is given, too", both)
        }
        (Some(_), _, _) => bad("OFFPEAK_TLS", given.unwrap_or_default(), "is neither `self` nor `off`", both),
    }
}

/// Below three seconds a heartbeat would be due more than once a second; beyond ten minutes a dead engine holds work for too
/// long.
fn check_lease_seconds(given: Option<u64>) -> Result<Duration, ConfigError> {
    match given.unwrap_or(30) {
        seconds @ 3..=600 => Ok(Duration::from_secs(seconds)),
        seconds => Err(ConfigError::Bad {
            name: "OFFPEAK_LEASE_SECONDS",
            value: seconds.to_string(),
            problem: "is not between 3 and 600",
            hint: "Leave it out for 30 seconds; give more where networks are bad, less to test how leases expire.",
        }),
    }
}

fn check_percent(given: Option<u8>) -> Result<u8, ConfigError> {
    match given.unwrap_or(100) {
        percent @ 0..=100 => Ok(percent),
        percent => Err(ConfigError::Bad {
            name: "OFFPEAK_INSPECT_PERCENT",
            value: percent.to_string(),
            problem: "is more than 100",
            hint: "Leave it out to look into every commit, which costs it one small read or two.",
        }),
    }
}

/// A film must be over before its address is; and an address that never expires is none that was signed.
fn check_playback_hours(given: Option<u64>) -> Result<Duration, ConfigError> {
    match given.unwrap_or(12) {
        hours @ 1..=8760 => Ok(Duration::from_secs(hours * 3600)),
        hours => Err(ConfigError::Bad {
            name: "OFFPEAK_PLAYBACK_HOURS",
            value: hours.to_string(),
            problem: "is not between 1 and 8760",
            hint: "Leave it out for 12 hours.",
        }),
    }
}

fn check_outbound_allow(given: Option<&str>) -> Result<AllowList, ConfigError> {
    AllowList::parse(given.unwrap_or_default()).map_err(|BadEntry(value)| ConfigError::Bad {
        name: "OFFPEAK_OUTBOUND_ALLOW",
        value,
        problem: "is neither a host nor a network",
        hint: "List what sources and webhooks may reach inside your network, such as media.office.lan, *.office.lan, 10.1.0.0/16.",
    })
}

fn check_storage(given: Option<String>) -> Result<Url, ConfigError> {
    let bad = |value: String, problem| ConfigError::Bad {
        name: "OFFPEAK_STORAGE",
        value,
        problem,
        hint: "Use file:///absolute/folder, which is made when missing, or s3://bucket/prefix?endpoint=https://…&region=….",
    };
    let Some(value) = given else {
        let folder = std::env::current_dir().unwrap_or_default().join("offpeak-storage");
        return Url::from_directory_path(&folder).map_err(|()| bad(folder.display().to_string(), "is not an absolute folder"));
    };
    let url = Url::parse(&value).map_err(|_| bad(value.clone(), "is not an address"))?;
    // A secret that was put where it does not belong should not show up in a log as well.
    let told = if url.password().is_some() { format!("{}://…", url.scheme()) } else { value };
    Location::parse(&url).map_err(|problem| bad(told, problem))?;
    Ok(url)
}

fn check_media_url(given: String) -> Result<Url, ConfigError> {
    let url = Url::parse(&given).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
    let mut url = url.ok_or(ConfigError::Bad {
        name: "OFFPEAK_MEDIA_URL",
        value: given,
        problem: "is not an http or https address",
        hint: "Give the address under which your CDN shows the bucket's prefix, such as https://cdn.example.com/.",
    })?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_work_without_any_setting() {
        let config = Settings::default().check().expect("defaults are valid");
        assert_eq!(config.listen.to_string(), "127.0.0.1:7070");
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:7070/");
        assert_eq!(config.storage.scheme(), "file");
        assert_eq!(config.lease.lifetime, Duration::from_secs(30));
        assert_eq!(config.lease.heartbeat_every(), Duration::from_secs(10));
        assert!(config.lease.tick_every() * 2 < config.lease.outage(), "a late tick is no outage");
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_somebody_says_otherwise() {
        let settings = |listen: &str| Settings { listen: Some(listen.to_owned()), ..Settings::default() };
        let refused = |settings: Settings| settings.check().expect("settings that fit").check_plain_http().err();
        for listen in ["127.0.0.1:7070", "127.9.9.9:1", "[::1]:7070", "[::ffff:127.0.0.1]:7070"] {
            assert_eq!(refused(settings(listen)), None, "{listen}");
        }
        for listen in ["0.0.0.0:7070", "192.168.1.2:7070", "[::]:7070", "[fd00::1]:7070"] {
            let told = refused(settings(listen)).expect(listen).to_string();
            assert!(told.contains("OFFPEAK_TLS=self") && told.contains("OFFPEAK_INSECURE_HTTP=1"), "{told}");
            assert_eq!(refused(Settings { insecure_http: Some(true), ..settings(listen) }), None);
            assert_eq!(refused(Settings { tls: Some("self".into()), ..settings(listen) }), None);
        }
        let own = Settings { tls: Some("self".into()), ..Settings::default() }.check().expect("settings that fit");
        assert_eq!(own.public_url.as_str(), "https://127.0.0.1:7070/");
        let files = |tls: Option<&str>, cert: bool, key: bool| {
            let path = |given: bool| given.then(|| PathBuf::from("x.pem"));
            let tls = tls.map(str::to_owned);
            Settings { tls, tls_cert: path(cert), tls_key: path(key), ..Settings::default() }.check().map(|config| config.tls)
        };
        assert!(matches!(files(None, true, true), Ok(Tls::Files { .. })));
        for (tls, cert, key) in [
            (None, true, false),
            (None, false, true),
            (Some("self"), true, true),
            (Some("off"), true, true),
            (Some("on"), false, false),
        ] {
            assert!(files(tls, cert, key).is_err(), "{tls:?} {cert} {key}");
        }
        let public = |url: &str, cert: bool| {
            let path = || cert.then(|| PathBuf::from("x.pem"));
            let tls = (!cert).then(|| "self".to_owned());
            Settings { tls, tls_cert: path(), tls_key: path(), public_url: Some(url.to_owned()), ..Settings::default() }.check()
        };
        for cert in [false, true] {
            let told = public("http://farm.office.lan:7070", cert).expect_err("cookies would go unencrypted").to_string();
            assert!(told.starts_with("OFFPEAK_PUBLIC_URL is \"http://farm") && told.contains("https://"), "{told}");
            assert!(public("https://farm.office.lan:7070", cert).is_ok());
        }
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_to_do() {
        let with = |edit: fn(&mut Settings)| {
            let mut settings = Settings::default();
            edit(&mut settings);
            settings.check().expect_err("must be refused").to_string()
        };
        assert!(with(|s| s.listen = Some("7070".into())).starts_with("OFFPEAK_LISTEN is \"7070\""));
        assert!(with(|s| s.public_url = Some("ftp://x".into())).contains("OFFPEAK_PUBLIC_URL"));
        let database = with(|s| s.database_url = Some("mysql://root:hunter2@db".into()));
        assert!(database.contains("OFFPEAK_DATABASE_URL") && !database.contains("hunter2"), "{database}");
        assert!(with(|s| s.storage = Some("folder".into())).contains("file:///"));
        assert!(with(|s| s.lease_seconds = Some(0)).contains("between 3 and 600"));
        assert!(with(|s| s.inspect_percent = Some(101)).contains("OFFPEAK_INSPECT_PERCENT"));
        assert!(with(|s| s.outbound_allow = Some("10.0.0.0/8, 10.1".into())).contains("OFFPEAK_OUTBOUND_ALLOW is \"10.1\""));
        let bucket = with(|s| s.storage = Some("s3://key:hunter2@films".into()));
        assert!(bucket.contains("AWS_ACCESS_KEY_ID") && !bucket.contains("hunter2"), "{bucket}");
        assert!(with(|s| s.media_url = Some("cdn.example.com".into())).contains("OFFPEAK_MEDIA_URL"));
    }
}
