//! People: how they come in, stay in and go; what guessing costs; what each role may do.

use std::time::Duration;

use offpeak_api::{
    job::JobList,
    people::{CreatedLink, InvitationList, OpenSessionList, PersonList, Session},
    team::{MemberList, Team, TeamList},
};
use offpeak_server::{people::links, tick};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{Answer, Server};

pub const PASSWORD: &str = "a long sentence";

/// Somebody's browser: it keeps the cookie, and says which page it is on.
#[derive(Debug, Clone)]
pub struct Browser {
    pub cookie: String,
    base: String,
    http: reqwest::Client,
}

fn code_in(url: &str) -> String {
    url.split_once("?code=").unwrap().1.to_owned()
}

impl Browser {
    /// The one who sets the server up.
    pub async fn first_admin(server: &Server) -> Self {
        let link = links::setup_link(&server.app).await.unwrap().unwrap();
        let body = json!({ "code": code_in(&link), "email": "Ada@example.com", "name": "Ada", "password": PASSWORD });
        Self::of(server, server.http.post(format!("{}/v1/links", server.base)).json(&body).send().await.unwrap())
    }

    /// Somebody whom an administrator invited.
    pub async fn invited(server: &Server, admin: &Self, email: &str, role: &str, teams: &[&str]) -> Self {
        let link: CreatedLink =
            admin.call(Method::POST, "/v1/invitations", json!({ "email": email, "role": role, "teams": teams })).await.ok();
        let body = json!({ "code": code_in(&link.url), "password": PASSWORD });
        Self::of(server, server.http.post(format!("{}/v1/links", server.base)).json(&body).send().await.unwrap())
    }

    pub async fn log_in(server: &Server, email: &str, password: &str) -> Response {
        let body = json!({ "email": email, "password": password });
        server.http.post(format!("{}/v1/session", server.base)).json(&body).send().await.unwrap()
    }

    #[track_caller]
    pub fn of(server: &Server, response: Response) -> Self {
        assert_eq!(response.status(), 201);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { cookie, base: server.base.clone(), http: server.http.clone() }
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        self.call_about(None, method, path, body).await
    }

    pub async fn call_about(&self, team: Option<&str>, method: Method, path: &str, body: Value) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).json(&body);
        request = request.header("Cookie", &self.cookie).header("Origin", &self.base);
        if let Some(team) = team {
            request = request.header("Offpeak-Team", team);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, json!({})).await
    }
}

async fn code_of(response: Response) -> (u16, String) {
    let answer = Answer::of(response).await;
    let status = answer.status.as_u16();
    (status, answer.problem(status))
}

#[tokio::test]
async fn the_first_administrator_comes_by_a_link_that_is_good_once() {
    let server = Server::start().await;
    let (first, second) =
        (links::setup_link(&server.app).await.unwrap().unwrap(), links::setup_link(&server.app).await.unwrap().unwrap());
    let setup = |link: &str, email: &str, password: &str| {
        let body = json!({ "code": code_in(link), "email": email, "password": password });
        server.http.post(format!("{}/v1/links", server.base)).json(&body).send()
    };
    assert_eq!(code_of(setup(&first, "ada@example.com", "short").await.unwrap()).await, (422, "bad_password".into()));
    assert_eq!(code_of(setup(&first, "nobody", PASSWORD).await.unwrap()).await, (422, "bad_email".into()));
    let (a, b) = tokio::join!(setup(&first, "ada@example.com", PASSWORD), setup(&second, "eve@example.com", PASSWORD));
    let statuses = [a.unwrap().status().as_u16(), b.unwrap().status().as_u16()];
    assert!(statuses.contains(&201) && statuses.contains(&403), "one of two who set up at once: {statuses:?}");
    assert_eq!(code_of(setup(&first, "eve@example.com", PASSWORD).await.unwrap()).await, (403, "bad_link".into()));
    assert_eq!(links::setup_link(&server.app).await.unwrap(), None, "somebody is there");
}

#[tokio::test]
async fn links_do_not_live_for_ever() {
    let server = Server::start().await;
    let link = links::setup_link(&server.app).await.unwrap().unwrap();
    server.clock.advance(Duration::from_secs(24 * 3600));
    let body = json!({ "code": code_in(&link), "email": "ada@example.com", "password": PASSWORD });
    let late = server.http.post(format!("{}/v1/links", server.base)).json(&body).send().await.unwrap();
    assert_eq!(code_of(late).await, (403, "bad_link".into()));
    tick::tick(&server.app).await.unwrap();
}

#[tokio::test]
async fn a_session_lasts_while_it_is_used_and_no_longer_than_two_weeks() {
    let server = Server::start().await;
    let ada = Browser::first_admin(&server).await;
    let session: Session = ada.get("/v1/session").await.ok();
    assert_eq!((session.person.email.as_str(), session.person.name.as_str()), ("ada@example.com", "Ada"));
    assert_eq!(session.person.teams[0].name, "default");
    for _ in 0..13 {
        server.clock.advance(Duration::from_secs(23 * 3600));
        ada.get("/v1/session").await.ok::<Session>();
        // The note of its use is made beside the request.
        server.until(async || ada_was_seen(&server).await).await;
    }
    server.clock.advance(Duration::from_secs(23 * 3600));
    assert_eq!(ada.get("/v1/session").await.status, 200);
    server.clock.advance(Duration::from_secs(23 * 3600));
    assert_eq!(ada.get("/v1/session").await.problem(401), "session_over");

    let ada = Browser::of(&server, Browser::log_in(&server, "ADA@example.com", PASSWORD).await);
    server.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(ada.get("/v1/session").await.problem(401), "session_over", "away for a day");
}

/// Whether the last call of whoever has the only session was noted.
async fn ada_was_seen(server: &Server) -> bool {
    use sea_orm::EntityTrait;
    let sessions = offpeak_server::entity::session::Entity::find().all(&server.app.db.reader).await.unwrap();
    sessions.iter().any(|session| session.used_at_ms == server.clock.now().ms())
}

#[tokio::test]
async fn who_logs_out_is_out() {
    let server = Server::start().await;
    let here = Browser::first_admin(&server).await;
    let there = Browser::of(&server, Browser::log_in(&server, "ada@example.com", PASSWORD).await);
    let third = Browser::of(&server, Browser::log_in(&server, "ada@example.com", PASSWORD).await);
    assert_eq!(here.call(Method::DELETE, "/v1/session", json!({})).await.status, 204);
    assert_eq!(here.get("/v1/session").await.problem(401), "session_over");
    assert_eq!(there.get("/v1/session").await.status, 200);
    assert_eq!(there.call(Method::DELETE, "/v1/session?everywhere=true", json!({})).await.status, 204);
    assert_eq!(third.get("/v1/session").await.problem(401), "session_over");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let server = Server::start().await;
    let here = Browser::first_admin(&server).await;
    let there = Browser::of(&server, Browser::log_in(&server, "ada@example.com", PASSWORD).await);
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let path = "/v1/session/password";
    assert_eq!(here.call(Method::PUT, path, change("wrong", "another sentence")).await.problem(403), "wrong_password");
    assert_eq!(here.call(Method::PUT, path, change(PASSWORD, "short")).await.problem(422), "bad_password");
    assert_eq!(here.call(Method::PUT, path, change(PASSWORD, "another sentence")).await.status, 204);
    assert_eq!(here.get("/v1/session").await.status, 200);
    assert_eq!(there.get("/v1/session").await.problem(401), "session_over");
    assert_eq!(Browser::log_in(&server, "ada@example.com", PASSWORD).await.status(), 401);
    assert_eq!(Browser::log_in(&server, "ada@example.com", "another sentence").await.status(), 201);
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account() {
    let server = Server::start().await;
    Browser::first_admin(&server).await;
    // At once, so that a counter that is looked at too late would let more through.
    let guesses = (0..14).map(|n| {
        let server = &server;
        async move { Browser::log_in(server, "ada@example.com", &format!("a guess, number {n}")).await.status().as_u16() }
    });
    let statuses = futures_util::future::join_all(guesses).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 4, "{statuses:?}");
    let refused = Browser::log_in(&server, "ADA@example.com", PASSWORD).await;
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((refused.status().as_u16(), wait), (429, 900), "the right password as well");
    // Nobody learns by this who has an account here.
    for _ in 0..10 {
        assert_eq!(
            code_of(Browser::log_in(&server, "nobody@example.com", "whatever it is").await).await,
            (401, "bad_credentials".into())
        );
    }
    assert_eq!(Browser::log_in(&server, "nobody@example.com", "whatever it is").await.status(), 429);
    server.clock.advance(Duration::from_secs(900));
    assert_eq!(Browser::log_in(&server, "ada@example.com", PASSWORD).await.status(), 201);
    // Who succeeds begins anew.
    for _ in 0..10 {
        assert_eq!(Browser::log_in(&server, "ada@example.com", "not it at all").await.status(), 401);
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_by_address() {
    let server = Server::start().await;
    let mut statuses = vec![];
    for n in 0..61 {
        statuses.push(Browser::log_in(&server, &format!("somebody{n}@example.com"), "a sentence").await.status().as_u16());
    }
    assert!(statuses[..60].iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(statuses[60], 429);
}

#[tokio::test]
async fn nobody_is_logged_in_by_another_site() {
    let server = Server::start().await;
    Browser::first_admin(&server).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let ask = server.http.post(format!("{}/v1/session", server.base)).header("Origin", "https://evil.example.com").json(&body);
    assert_eq!(code_of(ask.send().await.unwrap()).await, (403, "cross_site".into()));
}

#[tokio::test]
async fn there_is_always_an_administrator() {
    let server = Server::start().await;
    let ada = Browser::first_admin(&server).await;
    let people: PersonList = ada.get("/v1/people").await.ok();
    let path = format!("/v1/people/{}", people.people[0].id);
    for change in [json!({ "role": "member" }), json!({ "disabled": true })] {
        assert_eq!(ada.call(Method::PATCH, &path, change).await.problem(409), "last_admin");
    }
    assert_eq!(ada.call(Method::DELETE, &path, json!({})).await.problem(409), "last_admin");
    let eve = Browser::invited(&server, &ada, "eve@example.com", "admin", &[]).await;
    assert_eq!(ada.call(Method::PATCH, &path, json!({ "role": "member" })).await.status, 200);
    assert_eq!(ada.get("/v1/people").await.problem(403), "insufficient_scope");
    assert_eq!(eve.call(Method::PATCH, &path, json!({ "disabled": true })).await.status, 200);
    assert_eq!(ada.get("/v1/session").await.problem(401), "session_over");
    assert_eq!(code_of(Browser::log_in(&server, "ada@example.com", PASSWORD).await).await, (403, "person_disabled".into()));
    assert_eq!(eve.call(Method::DELETE, &path, json!({})).await.status, 204);
    assert_eq!(eve.call(Method::DELETE, &path, json!({})).await.problem(404), "person_not_found");
}

#[tokio::test]
async fn somebody_who_forgot_their_password_gets_a_link() {
    let server = Server::start().await;
    let ada = Browser::first_admin(&server).await;
    let bob = Browser::invited(&server, &ada, "bob@example.com", "member", &[]).await;
    let people: PersonList = ada.get("/v1/people").await.ok();
    let id = people.people.iter().find(|person| person.email == "bob@example.com").unwrap().id.clone();
    let path = format!("/v1/people/{id}/reset");
    let first: CreatedLink = ada.call(Method::POST, &path, json!({})).await.ok();
    let second: CreatedLink = ada.call(Method::POST, &path, json!({})).await.ok();
    let use_it = |link: &CreatedLink| {
        let body = json!({ "code": code_in(&link.url), "password": "another sentence" });
        server.http.post(format!("{}/v1/links", server.base)).json(&body).send()
    };
    assert_eq!(code_of(use_it(&first).await.unwrap()).await, (403, "bad_link".into()), "the later one counts");
    let again = Browser::of(&server, use_it(&second).await.unwrap());
    assert_eq!(again.get("/v1/session").await.status, 200);
    assert_eq!(bob.get("/v1/session").await.problem(401), "session_over");
    assert_eq!(code_of(use_it(&second).await.unwrap()).await, (403, "bad_link".into()));
    // At the server's terminal.
    assert!(links::reset_link(&server.app, "BOB@example.com").await.unwrap().contains("/reset?code=ofl_"));
    assert_eq!(links::reset_link(&server.app, "carol@example.com").await.unwrap_err().code, "person_not_found");
}

#[tokio::test]
async fn an_invitation_can_be_taken_back() {
    let server = Server::start().await;
    let ada = Browser::first_admin(&server).await;
    let invite = |email: &str| json!({ "email": email, "role": "member" });
    let path = "/v1/invitations";
    let link: CreatedLink = ada.call(Method::POST, path, invite("bob@example.com")).await.ok();
    let open: InvitationList = ada.get(path).await.ok();
    assert_eq!(open.invitations.len(), 1);
    let one = format!("{path}/{}", open.invitations[0].id);
    assert_eq!(ada.call(Method::DELETE, &one, json!({})).await.status, 204);
    assert_eq!(ada.call(Method::DELETE, &one, json!({})).await.problem(404), "invitation_not_found");
    let body = json!({ "code": code_in(&link.url), "password": PASSWORD });
    let late = server.http.post(format!("{}/v1/links", server.base)).json(&body).send().await.unwrap();
    assert_eq!(code_of(late).await, (403, "bad_link".into()));
    assert_eq!(ada.call(Method::POST, path, invite("ada@example.com")).await.problem(409), "person_exists");
    assert_eq!(ada.call(Method::POST, path, invite("nobody")).await.problem(422), "bad_email");
    let unknown = json!({ "email": "c@example.com", "role": "member", "teams": ["team_01J8ZC5V2M0N6QW3T7RX9KPEHD"] });
    assert_eq!(ada.call(Method::POST, path, unknown).await.problem(404), "team_not_found");
}

#[tokio::test]
async fn members_keep_to_their_teams_and_operators_look_after_all() {
    let server = Server::start().await;
    let ada = Browser::first_admin(&server).await;
    let make = async |name: &str| ada.call(Method::POST, "/v1/teams", json!({ "name": name, "weight": 2.0 })).await.ok::<Team>();
    let (news, sport) = (make("news").await, make("sport").await);
    let (news, sport) = (news.id.as_str(), sport.id.as_str());
    let bob = Browser::invited(&server, &ada, "bob@example.com", "member", &[news]).await;
    let carol = Browser::invited(&server, &ada, "carol@example.com", "operator", &[]).await;
    let dan = Browser::invited(&server, &ada, "dan@example.com", "member", &[]).await;

    // A member of one team need not name it; one of none can do nothing.
    let names = |list: TeamList| list.teams.into_iter().map(|team| team.name).collect::<Vec<_>>();
    assert_eq!(names(bob.get("/v1/teams").await.ok()), ["news"]);
    assert_eq!(names(carol.get("/v1/teams").await.ok()), ["default", "news", "sport"]);
    assert_eq!(dan.get("/v1/jobs").await.problem(403), "no_team");
    let profile = json!({ "name": "mine", "video": { "ladder": [{ "height": 360, "max_kbps": 800 }] } });
    assert_eq!(bob.call(Method::PUT, "/v1/profiles/mine", profile).await.status, 200);
    let source = json!({ "source": { "url": "https://example.com/film.mp4" }, "profile": "mine" });
    let job: Value = bob.call(Method::POST, "/v1/jobs", source).await.ok();
    assert_eq!(job["team"], news);
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());

    // Others do not see it; an operator does, who says whose it is.
    assert_eq!(server.get(&path).await.problem(404), "job_not_found");
    assert_eq!(carol.get(&path).await.problem(404), "job_not_found");
    assert_eq!(carol.call_about(Some(news), Method::GET, &path, json!({})).await.status, 200);
    assert_eq!(carol.get(&format!("{path}?team={news}")).await.status, 200, "what cannot send headers has a query");
    for list in ["/v1/jobs?limit=5&", "/v1/jobs/figures?", "/v1/profiles?", "/v1/webhooks?", "/v1/tokens?", "/v1/agents?"] {
        let of_team = ada.get(&format!("{list}team={news}")).await;
        assert_eq!(of_team.status, 200, "{list}: {}", of_team.text());
    }
    let jobs: JobList = carol.get(&format!("/v1/jobs?team={news}&state=queued")).await.ok();
    assert_eq!(jobs.jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), [job["id"].as_str().unwrap()]);
    assert_eq!(bob.get(&format!("/v1/jobs?team={sport}")).await.problem(404), "team_not_found");
    assert_eq!(bob.get(&format!("/v1/jobs?team={news}&team={news}")).await.problem(422), "bad_filter");
    assert_eq!(carol.call_about(Some(news), Method::POST, &format!("{path}/cancel"), json!({})).await.status, 200);
    let token = json!({ "name": "x", "scopes": ["jobs:read"] });
    assert_eq!(carol.call_about(Some(news), Method::POST, "/v1/tokens", token.clone()).await.problem(403), "insufficient_scope");
    assert_eq!(bob.call_about(Some(sport), Method::GET, "/v1/jobs", json!({})).await.problem(404), "team_not_found");
    assert_eq!(bob.call_about(Some("news"), Method::GET, "/v1/jobs", json!({})).await.problem(404), "team_not_found");
    assert_eq!(bob.call(Method::POST, "/v1/tokens", token).await.status, 201);

    // The farm's figures are for all, its machines for those who look after them.
    assert_eq!(bob.get("/v1/fleet").await.status, 200);
    assert_eq!(bob.get("/v1/agents").await.problem(403), "insufficient_scope");
    assert_eq!(carol.get("/v1/agents").await.status, 200);
    assert_eq!(carol.get("/v1/people").await.problem(403), "insufficient_scope");

    // In a second team, the request has to say which one it is about.
    let people: PersonList = ada.get("/v1/people").await.ok();
    let id = people.people.iter().find(|person| person.email == "bob@example.com").unwrap().id.clone();
    let membership = format!("/v1/teams/{sport}/members/{id}");
    assert_eq!(ada.call(Method::PUT, &membership, json!({})).await.status, 204);
    assert_eq!(ada.call(Method::PUT, &membership, json!({})).await.status, 204);
    let members: MemberList = ada.get(&format!("/v1/teams/{sport}/members")).await.ok();
    assert_eq!(members.members.iter().map(|member| member.email.as_str()).collect::<Vec<_>>(), ["bob@example.com"]);
    assert_eq!(bob.get("/v1/jobs").await.problem(400), "team_needed");
    assert_eq!(bob.call_about(Some(sport), Method::GET, "/v1/jobs", json!({})).await.status, 200);
    assert_eq!(ada.call(Method::DELETE, &membership, json!({})).await.status, 204);
    assert_eq!(bob.get("/v1/jobs").await.status, 200);
}

#[tokio::test]
async fn people_rename_themselves_and_nobody_else() {
    let server = Server::start().await;
    let admin = Browser::first_admin(&server).await;
    let member = Browser::invited(&server, &admin, "grace@example.com", "member", &[]).await;
    let session: Session = member.call(Method::PATCH, "/v1/session", json!({ "name": "Grace Hopper" })).await.ok();
    assert_eq!((session.person.name.as_str(), session.person.email.as_str()), ("Grace Hopper", "grace@example.com"));
    assert_eq!(session.server_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(member.get("/v1/session").await.ok::<Session>().person.name, "Grace Hopper", "it is kept");
    let same: Session = member.call(Method::PATCH, "/v1/session", json!({})).await.ok();
    assert_eq!(same.person.name, "Grace Hopper");
    assert_eq!(member.call(Method::PATCH, "/v1/session", json!({ "name": " " })).await.problem(422), "bad_name");
    assert_eq!(member.call(Method::PATCH, "/v1/session", json!({ "role": "admin" })).await.problem(422), "invalid_body");
    assert_eq!(admin.get("/v1/session").await.ok::<Session>().person.name, "Ada");
}

#[tokio::test]
async fn people_see_where_they_are_logged_in_and_end_it() {
    let server = Server::start().await;
    let admin = Browser::first_admin(&server).await;
    server.clock.advance(Duration::from_secs(3600));
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let phone = server.http.post(format!("{}/v1/session", server.base)).header("User-Agent", "Phone/1.0").json(&body);
    let phone = Browser::of(&server, phone.send().await.unwrap());
    let other = Browser::invited(&server, &admin, "grace@example.com", "member", &[]).await;

    let sessions = async |browser: &Browser| browser.get("/v1/sessions").await.ok::<OpenSessionList>().sessions;
    let mine = sessions(&phone).await;
    assert_eq!(mine.iter().map(|session| session.is_current).collect::<Vec<_>>(), [true, false], "{mine:?}");
    assert_eq!(mine[0].user_agent.as_deref(), Some("Phone/1.0"));
    assert_eq!(sessions(&admin).await.iter().find(|session| session.is_current).unwrap().id, mine[1].id);
    let strangers = sessions(&other).await;
    assert_eq!(strangers.len(), 1);

    let end = async |browser: &Browser, id: &str| browser.call(Method::DELETE, &format!("/v1/sessions/{id}"), json!({})).await;
    assert_eq!(end(&phone, strangers[0].id.as_str()).await.problem(404), "session_not_found");
    assert_eq!(end(&phone, mine[1].id.as_str()).await.status, 204);
    assert_eq!(end(&phone, mine[1].id.as_str()).await.problem(404), "session_not_found");
    assert_eq!(admin.get("/v1/session").await.problem(401), "session_over");
    assert_eq!(sessions(&phone).await.len(), 1);
    assert_eq!(other.get("/v1/session").await.status, 200, "another person's goes on");
    // What nobody used for a day is over, and listed no more.
    server.clock.advance(Duration::from_secs(23 * 3600));
    let fresh = Browser::of(&server, Browser::log_in(&server, "ada@example.com", PASSWORD).await);
    server.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(sessions(&fresh).await.len(), 1);
}
