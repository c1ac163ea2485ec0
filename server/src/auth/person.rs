//! People who are logged in: their cookie, where a request with it may come from, and the team that it is about.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts, uri::PathAndQuery},
};
use offpeak_api::{
    access::Scope,
    ids::{PersonId, TeamId},
    people::Role,
};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{TeamAuth, Who, scopes::Scopes, unauthorized};
use crate::{app::App, clock::Instant, error::ApiError, people::sessions, teams};

/// A person, by their session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAuth {
    pub person_id: PersonId,
    pub role: Role,
    pub teams: Vec<TeamId>,
    /// The hash of the cookie's value.
    pub session: String,
    pub expires_at: Instant,
}

/// Names the team that a person's request is about.
const TEAM_HEADER: &str = "offpeak-team";
/// With the prefix, browsers take the cookie only over TLS, for this host, and from nobody else's script.
const COOKIE: &str = "offpeak_session";
const SECURE_COOKIE: &str = "__Host-offpeak_session";

fn is_secure(public_url: &Url) -> bool {
    public_url.scheme() == "https"
}

/// The `Set-Cookie` of a session; with nothing to keep, the one that ends it.
pub fn cookie(public_url: &Url, secret: Option<&str>, max_age_seconds: u64) -> String {
    let (name, secure) = if is_secure(public_url) { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    let (value, age) = secret.map_or(("", 0), |secret| (secret, max_age_seconds));
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// What came in the session's cookie.
pub fn secret_of<'h>(headers: &'h HeaderMap, public_url: &Url) -> Option<&'h str> {
    let name = if is_secure(public_url) { SECURE_COOKIE } else { COOKIE };
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

pub(super) async fn find(parts: &Parts, app: &App, secret: &str) -> Result<PersonAuth, ApiError> {
    let person =
        sessions::find(app, secret).await?.ok_or_else(|| unauthorized("session_over", "You are not logged in any more."))?;
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        check_origin(&parts.headers, &app.config.public_url)?;
    }
    Ok(person)
}

/// Browsers send cookies along whoever made them ask. `SameSite` keeps most of that away; this keeps away what is left: other
/// ports and sub-domains of the same site, and browsers that do not know it. They all say where a request comes from.
pub fn check_origin(headers: &HeaderMap, public_url: &Url) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = |origin: &str| {
        let Ok(origin) = Url::parse(origin) else { return false };
        // Where people come in over TLS, whoever sits on the network can be any page without it.
        if is_secure(public_url) && origin.scheme() != "https" {
            return false;
        }
        // The host that was asked for is as good as the public one: a cookie was only sent because it belongs to it.
        let asked_for = text("host").and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok());
        origin.origin() == public_url.origin() || asked_for.is_some_and(|asked| asked.origin() == origin.origin())
    };
    let allowed = match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin"), _) => true,
        (Some(_), _) => false,
        (None, Some(origin)) => is_ours(origin),
        (None, None) => false,
    };
    if allowed {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "cross_site", "This request did not come from a page of this server.")
        .hint("A program that is no browser sends `Origin` with the server's address, or better uses a token."))
}

#[derive(Deserialize)]
struct Asked {
    team: Option<String>,
}

impl PersonAuth {
    /// What they may do somewhere: for what is not about a team.
    pub fn scopes_anywhere(&self) -> Scopes {
        Scopes::of_person(self.role, !self.teams.is_empty())
    }

    /// Operators and administrators look after every team.
    pub fn sees_all_teams(&self) -> bool {
        match self.role {
            Role::Admin | Role::Operator => true,
            Role::Member => false,
        }
    }

    fn at(&self, team_id: TeamId) -> TeamAuth {
        let scopes = Scopes::of_person(self.role, self.teams.contains(&team_id));
        TeamAuth { team_id, scopes, by: Who::Person { id: self.person_id.clone(), role: self.role } }
    }
}

/// The team that was named in the header or, for what cannot send one, in the query.
fn named_team(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(TEAM_HEADER).map(|value| value.to_str().unwrap_or_default().to_owned());
    header.or_else(|| Query::<Asked>::try_from_uri(&parts.uri).ok().and_then(|Query(asked)| asked.team))
}

/// Moves the team that the query names to the header, unless that names one: what is left of the query is the route's own, which
/// may refuse what it does not know.
pub fn team_into_header(parts: &mut Parts) {
    let Some((name, uri)) = parts.uri.query().and_then(|query| without_team(&parts.uri, query)) else { return };
    parts.headers.entry(TEAM_HEADER).or_insert(name);
    parts.uri = uri;
}

/// The team that a query names once, and the address without it.
fn without_team(uri: &Uri, query: &str) -> Option<(HeaderValue, Uri)> {
    let names_team = |pair: &&str| pair.split('=').next() == Some("team");
    let (named, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(names_team);
    let [named] = named.as_slice() else { return None };
    let (_, name) = form_urlencoded::parse(named.as_bytes()).next()?;
    let path = uri.path();
    let left = if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    let mut address = uri.clone().into_parts();
    address.path_and_query = Some(PathAndQuery::try_from(left).ok()?);
    Some((HeaderValue::from_str(&name).ok()?, Uri::from_parts(address).ok()?))
}

/// The person in the team that the request is about: the one that it names, or their only one.
pub(super) async fn in_team(person: &PersonAuth, parts: &Parts, app: &App) -> Result<TeamAuth, ApiError> {
    let Some(named) = named_team(parts) else {
        return match person.teams.as_slice() {
            [only] => Ok(person.at(only.clone())),
            [] if person.sees_all_teams() => Ok(person.at(app.farm.clone())),
            [] => Err(ApiError::new(StatusCode::FORBIDDEN, "no_team", "You belong to no team yet.")
                .hint("Ask an administrator to add you to one.")),
            _ => Err(ApiError::bad_request("team_needed", "You belong to several teams; say which one this is about.")
                .hint("Send the header `Offpeak-Team` with its id, or the query parameter `team`. GET /v1/teams lists them.")),
        };
    };
    let team: TeamId = named.parse().map_err(|_| teams::not_found(&named))?;
    if person.teams.contains(&team) {
        return Ok(person.at(team));
    }
    if !person.sees_all_teams() {
        return Err(teams::not_found(&named));
    }
    teams::store::get(&app.db.reader, &team).await?;
    Ok(person.at(team))
}

/// A program in its team, or, if it may do everything, in the one that it names.
pub(super) async fn program_in_team(auth: TeamAuth, parts: &Parts, app: &App) -> Result<TeamAuth, ApiError> {
    let Some(named) = named_team(parts).filter(|named| named != auth.team_id.as_str()) else { return Ok(auth) };
    let team: TeamId = named.parse().map_err(|_| teams::not_found(&named))?;
    if !auth.scopes.has(Scope::Admin) {
        return Err(teams::not_found(&named));
    }
    teams::store::get(&app.db.reader, &team).await?;
    Ok(TeamAuth { team_id: team, ..auth })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_pages_of_this_server_may_change_things_by_cookie() {
        let public: Url = "https://video.example.com".parse().expect("an address");
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://video.example.com")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://video.example.com")], true),
            (&[("origin", "https://video.example.com:8443")], false),
            (&[("origin", "http://video.example.com")], false),
            (&[("origin", "https://evil.example.com")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://10.0.0.7:7070"), ("host", "10.0.0.7:7070")], true),
            (&[("origin", "http://10.0.0.7:7070"), ("host", "10.0.0.7:7070")], false),
            (&[("origin", "https://10.0.0.7:8080"), ("host", "10.0.0.7:7070")], false),
            (&[("origin", "ftp://10.0.0.7:7070"), ("host", "10.0.0.7:7070")], false),
            (&[], false),
        ];
        for (sent, allowed) in cases {
            assert_eq!(check_origin(&headers(sent), &public).is_ok(), *allowed, "{sent:?}");
        }
        let plain: Url = "http://127.0.0.1:7070".parse().expect("an address");
        for (origin, allowed) in
            [("http://10.0.0.7:7070", true), ("https://10.0.0.7:7070", true), ("http://10.0.0.7:8080", false)]
        {
            assert_eq!(
                check_origin(&headers(&[("origin", origin), ("host", "10.0.0.7:7070")]), &plain).is_ok(),
                allowed,
                "{origin}"
            );
        }
    }

    #[test]
    fn the_team_of_a_query_moves_to_the_header() {
        for (asked, sent, address, team) in [
            ("/v1/jobs", None, "/v1/jobs", None),
            ("/v1/jobs?team=team_1", None, "/v1/jobs", Some("team_1")),
            ("/v1/jobs?state=failed&team=team%5F1&limit=2", None, "/v1/jobs?state=failed&limit=2", Some("team_1")),
            ("/v1/jobs?team=team_1", Some("team_2"), "/v1/jobs", Some("team_2")),
            ("http://x:1/v1/jobs?team=", None, "http://x:1/v1/jobs", Some("")),
            // What cannot be meant stays where it is, for the route to refuse.
            ("/v1/jobs?team=a&team=b", None, "/v1/jobs?team=a&team=b", None),
            ("/v1/jobs?team=%0a", None, "/v1/jobs?team=%0a", None),
            ("/v1/jobs?teams=a", None, "/v1/jobs?teams=a", None),
        ] {
            let mut request = axum::http::Request::get(asked);
            if let Some(sent) = sent {
                request = request.header(TEAM_HEADER, sent);
            }
            let (mut parts, ()) = request.body(()).expect("a request").into_parts();
            team_into_header(&mut parts);
            let found = parts.headers.get(TEAM_HEADER).map(|value| value.to_str().expect("plain"));
            assert_eq!((parts.uri.to_string().as_str(), found), (address, team), "{asked}");
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_name() {
        let plain: Url = "http://127.0.0.1:7070".parse().expect("an address");
        let secure: Url = "https://video.example.com".parse().expect("an address");
        let sent = headers(&[("cookie", "a=b; offpeak_session=ofs_x; __Host-offpeak_session=ofs_y")]);
        assert_eq!(secret_of(&sent, &plain), Some("ofs_x"));
        assert_eq!(secret_of(&sent, &secure), Some("ofs_y"));
        assert_eq!(secret_of(&headers(&[("cookie", "offpeak_session=")]), &plain), None);
        assert_eq!(secret_of(&headers(&[]), &plain), None);
        assert!(cookie(&secure, Some("ofs_y"), 60).ends_with("HttpOnly; SameSite=Lax; Secure"));
        assert!(cookie(&plain, None, 60).contains("Max-Age=0"));
    }
}
