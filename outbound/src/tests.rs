//! Against real listeners: what a stranger may try, and that nothing is connected to on the way.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use reqwest::header::HeaderMap;
use tokio::net::TcpListener;

use super::*;

const LIMITS: Limits = Limits { connect: Duration::from_secs(5), silence: Duration::from_secs(5), redirects: 3 };

/// A path that was asked for, and what came as `Authorization`.
type Asked = (String, Option<String>);

/// Remembers who called and with what authority; answers `/to?URL` with a redirect there.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Asked>>>);

impl Seen {
    fn calls(&self) -> Vec<(String, Option<String>)> {
        self.0.lock().expect("no panic").clone()
    }
}

async fn answer(State(seen): State<Seen>, request: Request) -> Response {
    let authority = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    seen.0.lock().expect("no panic").push((request.uri().path().to_owned(), authority));
    match request.uri().query() {
        Some(to) => (StatusCode::FOUND, [(header::LOCATION, to.to_owned())]).into_response(),
        None => "secret".into_response(),
    }
}

async fn listen() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let seen = Seen::default();
    let router = Router::new().fallback(answer).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

/// Names as a stranger's name server has them: each question gets the next answer, and the last one stays.
#[derive(Default)]
struct Names(Mutex<HashMap<String, VecDeque<Vec<SocketAddr>>>>);

impl Names {
    fn with(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let ip = |ip: &&str| SocketAddr::new(ip.parse().expect("an address"), 0);
        let names = names
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().map(|answer| answer.iter().map(ip).collect()).collect()));
        Arc::new(Self(Mutex::new(names.collect())))
    }
}

impl Lookup for Names {
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        let mut names = self.0.lock().expect("no panic");
        let answers = names.get_mut(&name);
        let answer = answers.and_then(|left| if left.len() > 1 { left.pop_front() } else { left.front().cloned() });
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn client(allow: &str, names: &Arc<Names>) -> Client {
    Client::new(AllowList::parse(allow).expect("a list"), Arc::clone(names) as Arc<dyn Lookup>, LIMITS).expect("a client")
}

fn url(text: &str) -> url::Url {
    text.parse().expect(text)
}

async fn get(client: &Client, address: &str) -> Result<String, Failed> {
    Ok(client.get(&url(address), HeaderMap::new()).await?.text().await?)
}

#[tokio::test]
async fn this_machine_is_not_called_in_whatever_spelling() {
    let (address, seen) = listen().await;
    let names = Names::with(&[
        ("localhost", &[&["127.0.0.1", "::1"]]),
        ("inside.example", &[&["127.0.0.1"]]),
        ("mapped.example", &[&["::ffff:127.0.0.1"]]),
        ("nat64.example", &[&["64:ff9b::7f00:1"]]),
    ]);
    let client = client("", &names);
    let port = address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0177.0.0.0x1",
        "0",
        "127.0.0.1.",
        "１２７.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "user:pass@127.0.0.1",
        "example.com@127.0.0.1",
        "localhost",
        "LOCALHOST",
        "inside.example",
        "mapped.example",
        "nat64.example",
    ] {
        match get(&client, &format!("http://{host}:{port}/")).await {
            Err(Failed::Refused(refused)) => assert_eq!(refused.code(), "address_not_allowed", "{host}"),
            other => panic!("{host}: {other:?}"),
        }
        let post = client.post(&url(&format!("http://{host}:{port}/")), HeaderMap::new(), String::new()).await;
        assert!(matches!(post, Err(Failed::Refused(Refused::Place { .. }))), "{host}: {post:?}");
    }
    assert_eq!(seen.calls(), [], "nothing arrived");
    // The same client and listener do meet when the list says so: the refusals above were no accident of the test.
    let allowed = self::client("127.0.0.0/8", &names);
    assert_eq!(get(&allowed, &format!("http://127.1:{port}/")).await.expect("allowed"), "secret");
    assert_eq!(get(&allowed, &format!("http://inside.example:{port}/")).await.expect("its address is allowed"), "secret");
    let mapped = get(&allowed, &format!("http://[::ffff:127.0.0.1]:{port}/")).await;
    assert!(matches!(mapped, Err(Failed::Refused(_))), "a disguise is not looked through");
    let by_name = self::client("inside.example", &names);
    assert_eq!(get(&by_name, &format!("http://inside.example:{port}/")).await.expect("its name is allowed"), "secret");
    assert!(get(&by_name, &format!("http://127.0.0.1:{port}/")).await.is_err(), "not under another name");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_gains_nothing() {
    let (address, seen) = listen().await;
    // The first answer passes any check; the second is what a client that asks again would connect to. 192.0.0.8 is never
    // routed: the attempt ends there.
    let names = Names::with(&[("rebind.example", &[&["192.0.0.8"], &["127.0.0.1"]])]);
    let limits = Limits { connect: Duration::from_millis(300), ..LIMITS };
    let allow = AllowList::parse("192.0.0.8").expect("a list");
    let client = Client::new(allow, Arc::clone(&names) as Arc<dyn Lookup>, limits).expect("a client");
    let target = format!("http://rebind.example:{}/", address.port());
    assert!(matches!(get(&client, &target).await, Err(Failed::Unreachable(_))), "the checked address was tried");
    // From now on the name leads to this machine, and every new connection is checked anew.
    assert!(matches!(get(&client, &target).await, Err(Failed::Refused(Refused::Place { .. }))));
    assert_eq!(seen.calls(), []);

    // With both in one answer, only the good one is tried.
    let names = Names::with(&[("both.example", &[&["127.0.0.1", "192.0.0.8"]])]);
    let allow = AllowList::parse("192.0.0.8").expect("a list");
    let client = Client::new(allow, names, limits).expect("a client");
    assert!(get(&client, &format!("http://both.example:{}/", address.port())).await.is_err());
    assert_eq!(seen.calls(), []);
}

#[tokio::test]
async fn redirects_are_checked_one_by_one() {
    let (outside, seen_outside) = listen().await;
    let (inside, seen_inside) = listen().await;
    let names = Names::with(&[("outside.example", &[&["127.0.0.1"]]), ("hop.example", &[&["127.0.0.1"]])]);
    let client = client("outside.example,hop.example", &names);
    let base = format!("http://outside.example:{}", outside.port());
    for to in [
        format!("http://127.0.0.1:{}/", inside.port()),
        format!("http://2130706433:{}/", inside.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", inside.port()),
        format!("//127.0.0.1:{}/", inside.port()),
        format!("http://hop.example:{}/?http://127.0.0.1:{}/", outside.port(), inside.port()),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ] {
        let refused = get(&client, &format!("{base}/go?{to}")).await;
        assert!(matches!(refused, Err(Failed::Refused(_))), "{to}: {refused:?}");
    }
    assert_eq!(seen_inside.calls(), []);
    let before = seen_outside.calls().len();
    let endless = get(&client, &format!("{base}/a?{base}/a?{base}/a?{base}/a?{base}/a?{base}/a")).await;
    assert!(matches!(endless, Err(Failed::Refused(Refused::TooManyRedirects { most: 3, .. }))), "{endless:?}");
    assert_eq!(seen_outside.calls().len() - before, 4, "one request, and three redirects");
    assert_eq!(get(&client, &format!("{base}/go?/there")).await.expect("a harmless redirect"), "secret");
    // A webhook is not redirected at all.
    let posted = client.post(&url(&format!("{base}/go?/there")), HeaderMap::new(), String::new()).await.expect("an answer");
    assert_eq!(posted.status(), 302);
}

#[tokio::test]
async fn a_password_goes_where_it_was_meant_for_and_nowhere_else() {
    let (one, seen_one) = listen().await;
    let (two, seen_two) = listen().await;
    let names = Names::with(&[("one.example", &[&["127.0.0.1"]]), ("two.example", &[&["127.0.0.1"]])]);
    let client = client("*.example", &names);
    let start = format!("http://user:pass@one.example:{}", one.port());
    get(&client, &format!("{start}/a?/b")).await.expect("within one place");
    assert!(
        seen_one.calls().iter().all(|(_, authority)| authority.as_deref() == Some("Basic dXNlcjpwYXNz")),
        "{:?}",
        seen_one.calls()
    );
    get(&client, &format!("{start}/c?http://two.example:{}/d", two.port())).await.expect("to another");
    get(&client, &format!("{start}/e?http://mallory:x@two.example:{}/f", two.port())).await.expect("with one of its own");
    // Another port of the same host is another place.
    get(&client, &format!("{start}/g?http://one.example:{}/h", two.port())).await.expect("to another port");
    assert_eq!(seen_two.calls().len(), 3);
    assert!(seen_two.calls().iter().all(|(_, authority)| authority.is_none()), "{:?}", seen_two.calls());
}
