//! An HTTP client that connects to nothing but what may be called.

use std::{error::Error, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use reqwest::{
    Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, LOCATION},
    redirect,
};
use url::{Host, Url};

use crate::{
    address::{Place, place_of},
    allow::AllowList,
    refused::Refused,
};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connect: Duration,
    /// Without a byte from the other side.
    pub silence: Duration,
    pub redirects: usize,
}

/// Finds the addresses of a name: the system, or a test.
pub trait Lookup: Send + Sync + 'static {
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
}

/// As every program on this machine asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// Hands the client those of a name's addresses that may be called. It connects to one of them and does not ask again, so a
/// name that leads elsewhere a moment later gains nothing.
struct Checked {
    lookup: Arc<dyn Lookup>,
    allow: Arc<AllowList>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, lookup, allow) = (name.as_str().to_owned(), Arc::clone(&self.lookup), Arc::clone(&self.allow));
        Box::pin(async move {
            let found = lookup.addresses(name.clone()).await?;
            let all = allow.has_host(&name);
            let may_be_called = |to: &SocketAddr| all || allow.has_address(to.ip()) || place_of(to.ip()) == Place::Public;
            let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(may_be_called);
            match bad.first() {
                Some(first) if good.is_empty() => {
                    Err(Box::new(Refused::Place { host: name, ip: first.ip(), place: place_of(first.ip()) }) as _)
                }
                Some(_) | None => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

/// What of an address can be judged before its name is looked up: its scheme, and an IP address in whatever spelling.
pub fn check_url(url: &Url, allow: &AllowList) -> Result<(), Refused> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Scheme(url.scheme().to_owned()));
    }
    let ip = match url.host().ok_or(Refused::NoHost)? {
        Host::Domain(_) => return Ok(()),
        Host::Ipv4(ip) => ip.into(),
        Host::Ipv6(ip) => ip.into(),
    };
    let place = place_of(ip);
    match place == Place::Public || allow.has_address(ip) {
        true => Ok(()),
        false => Err(Refused::Place { host: url.host_str().unwrap_or_default().to_owned(), ip, place }),
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("{0}")]
    Unreachable(reqwest::Error),
}

impl From<reqwest::Error> for Failed {
    /// A refusal by the look-up comes wrapped in layers of the client's own errors.
    fn from(error: reqwest::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<Refused>() {
                return Self::Refused(refused.clone());
            }
            cause = inner.source();
        }
        Self::Unreachable(error)
    }
}

/// Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    allow: Arc<AllowList>,
    redirects: usize,
}

impl Client {
    /// Proxies of the system are not used: a proxy looks names up by itself, and what it may reach is not known here.
    pub fn new(allow: AllowList, lookup: Arc<dyn Lookup>, limits: Limits) -> reqwest::Result<Self> {
        let allow = Arc::new(allow);
        let http = reqwest::Client::builder()
            .dns_resolver(Arc::new(Checked { lookup, allow: Arc::clone(&allow) }))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(limits.connect)
            .read_timeout(limits.silence)
            .user_agent(concat!("offpeak/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, allow, redirects: limits.redirects })
    }

    /// Posts, and takes the first answer for the last: a redirect is an answer like any other.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: String) -> Result<Response, Failed> {
        check_url(url, &self.allow)?;
        Ok(self.http.post(url.clone()).headers(headers).body(body).send().await?)
    }

    /// Gets, and follows redirects, each of which is checked like the first address. Name and password of the address go to the
    /// place that it names and to no other.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Response, Failed> {
        let mut at = url.clone();
        for _ in 0..=self.redirects {
            check_url(&at, &self.allow)?;
            let answer = self.http.get(at.clone()).headers(headers.clone()).send().await?;
            let moved = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(to) = answer.headers().get(LOCATION).filter(|_| moved) else { return Ok(answer) };
            let to = to.to_str().ok().and_then(|to| at.join(to).ok());
            at = next(url, to.ok_or_else(|| Refused::BadRedirect { host: host_of(&at) })?);
        }
        Err(Refused::TooManyRedirects { host: host_of(url), most: self.redirects }.into())
    }
}

/// Where a redirect leads, without a name and password that it may bring, and with those of the first address if it leads back
/// to the same place.
fn next(first: &Url, mut to: Url) -> Url {
    let (name, password) = match to.origin() == first.origin() {
        true => (first.username(), first.password()),
        false => ("", None),
    };
    // Neither works on an address without a host, and such a one is refused.
    let _ = to.set_username(name);
    let _ = to.set_password(password);
    to
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("the server").to_owned()
}
