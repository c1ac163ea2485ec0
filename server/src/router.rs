//! Every route, in the order of the flow, grouped by who calls it.

use axum::{Json, Router, extract::DefaultBodyLimit, http::StatusCode, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as OpenApi3,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::{
    agents, app::App, blob, commit, deliver, description, error::ApiError, finish, fleet, front, groups, health, jobs, lease,
    notify, people, profile, teams, tokens, upload, web, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Offpeak",
        description = "Turns the computers an office already owns into a video transcoding farm: upload a source, make a job, \
            watch it, play what comes out. Agents lease spans, encode them and commit segments.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "uploads", description = "Bring a source in: resumable uploads (tus 1.0), or in parts straight into a bucket"),
        (name = "jobs", description = "Make jobs and follow them"),
        (name = "profiles", description = "What a job makes"),
        (name = "webhooks", description = "Be told what happens"),
        (name = "access", description = "Who may do what: sessions, people, teams, tokens"),
        (name = "agents", description = "Machines that encode"),
        (name = "fleet", description = "Groups of agents, their policies, and figures of the whole fleet"),
        (name = "leases", description = "What agents call: ask for work, renew, upload, commit, end"),
        (name = "delivery", description = "Playlists, manifests, segments and files"),
        (name = "storage", description = "Signed addresses of the folder store"),
        (name = "health", description = "For supervisors and load balancers"),
    ),
    modifiers(&Bearer),
)]
struct Doc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "A program's token (`ofp_…`) with the scopes that are named, or an agent's (`ofa_…`) where none is named.".to_owned(),
        );
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let about = "Set by logging in; `__Host-offpeak_session` over TLS. The header `Offpeak-Team` (or the query parameter \
            `team`) says which team a request is about, for those who belong to several.";
        let cookie = ApiKeyValue::with_description("offpeak_session", about);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Facts list keyframe times, two a second: 2.2 MB for the longest film that is accepted, a day.
const LARGEST_RESULT_BYTES: usize = 8 << 20;

/// A request of a program: a profile with all that it may hold is a tenth of this.
const LARGEST_REQUEST_BYTES: usize = 256 << 10;

/// All routes; with layers around them, when there is a server that they lead to.
fn routes(app: Option<&App>) -> OpenApiRouter<App> {
    let of_programs = OpenApiRouter::with_openapi(Doc::openapi())
        // Programs: bring a source in, make jobs, follow them.
        .routes(routes!(upload::http::options, upload::http::create))
        .routes(routes!(upload::http::head, upload::http::patch, upload::http::terminate, upload::http::overridden))
        .routes(routes!(upload::direct::begin))
        .routes(routes!(upload::direct::part_addresses, upload::direct::sent_parts))
        .routes(routes!(upload::direct::complete))
        .routes(routes!(upload::http::get_source, upload::http::delete_source))
        .routes(routes!(jobs::http::create_job, jobs::http::list_jobs))
        .routes(routes!(jobs::figures::http::get_job_figures))
        .routes(routes!(jobs::http::get_job, jobs::http::delete_job))
        .routes(routes!(jobs::map::http::get_job_map))
        .routes(routes!(jobs::http::cancel_job))
        .routes(routes!(jobs::http::retry_job))
        .routes(routes!(notify::http::job_events))
        .routes(routes!(notify::team::team_events))
        .routes(routes!(profile::http::list_profiles))
        .routes(routes!(profile::http::get_profile, profile::http::put_profile, profile::http::delete_profile))
        // Programs that want to be told.
        .routes(routes!(webhooks::http::create_webhook, webhooks::http::list_webhooks))
        .routes(routes!(webhooks::http::get_webhook, webhooks::http::change_webhook, webhooks::http::delete_webhook))
        .routes(routes!(webhooks::http::rotate_secret))
        .routes(routes!(webhooks::deliveries::test_webhook))
        .routes(routes!(webhooks::deliveries::list_deliveries))
        .routes(routes!(webhooks::deliveries::get_delivery))
        .routes(routes!(webhooks::deliveries::redeliver))
        // People: come in, see who is there, share the farm, give programs their tokens.
        .routes(routes!(people::http::log_in, people::http::get_session, people::http::change_self, people::http::log_out))
        .routes(routes!(people::http::list_sessions))
        .routes(routes!(people::http::end_session))
        .routes(routes!(people::http::change_password))
        .routes(routes!(people::links::use_link))
        .routes(routes!(people::http::list_people))
        .routes(routes!(people::http::change_person, people::http::delete_person))
        .routes(routes!(people::links::reset_person))
        .routes(routes!(people::links::list_invitations, people::links::invite))
        .routes(routes!(people::links::delete_invitation))
        .routes(routes!(teams::http::list_teams, teams::http::create_team))
        .routes(routes!(teams::http::change_team, teams::http::delete_team))
        .routes(routes!(teams::http::list_members))
        .routes(routes!(teams::http::add_member, teams::http::remove_member))
        .routes(routes!(tokens::http::list_tokens, tokens::http::create_token))
        .routes(routes!(tokens::http::revoke_token))
        .routes(routes!(tokens::codes::list_codes, tokens::codes::create_code))
        .routes(routes!(tokens::codes::revoke_code))
        // People who look after the fleet: machines, their groups and policies, figures.
        .routes(routes!(agents::http::list_agents))
        .routes(routes!(agents::http::get_agent, agents::people::change_agent, agents::people::revoke_agent))
        .routes(routes!(agents::people::drain_agent))
        .routes(routes!(agents::people::set_agent_aside))
        .routes(routes!(agents::people::resume_agent))
        .routes(routes!(agents::http::agent_history))
        .routes(routes!(groups::http::list_groups, groups::http::create_group))
        .routes(routes!(groups::http::get_group, groups::http::rename_group, groups::http::delete_group))
        .routes(routes!(groups::http::get_policy, groups::http::put_policy))
        .routes(routes!(fleet::http::fleet))
        .routes(routes!(fleet::http::fleet_history))
        .routes(routes!(fleet::price::get_cloud_price, fleet::price::put_cloud_price));
    let layered = match app {
        Some(app) => of_programs.route_layer(axum::middleware::from_fn_with_state(app.clone(), front::of_programs)),
        None => of_programs,
    };
    layered
        .route_layer(DefaultBodyLimit::max(LARGEST_REQUEST_BYTES))
        // Agents: join, lease, upload, commit, end.
        .routes(routes!(agents::http::enrol))
        .routes(routes!(agents::me::report_state))
        .routes(routes!(agents::me::prove))
        .routes(routes!(lease::http::request_lease))
        .routes(routes!(lease::http::heartbeat))
        .routes(routes!(lease::http::upload_urls))
        .routes(routes!(commit::http::commit))
        .routes(routes!(finish::http::complete).layer(DefaultBodyLimit::max(LARGEST_RESULT_BYTES)))
        .routes(routes!(finish::http::release))
        .routes(routes!(finish::http::fail))
        // Whoever holds a signed address.
        .routes(routes!(blob::http::get_blob, blob::http::put_blob))
        // Players.
        .routes(routes!(deliver::http::get_media, deliver::http::media_preflight))
        // Supervisors.
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// The API's description.
pub fn openapi() -> serde_json::Value {
    description::finish(&described(routes(None).into_openapi()))
}

/// Adds to every route that programs call by a scope that people call it with their session.
fn described(mut api: OpenApi3) -> OpenApi3 {
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.head, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            let Some(ways) = &mut operation.security else { continue };
            let by_scope = |way: &SecurityRequirement| {
                let way = serde_json::to_value(way).unwrap_or_default();
                way["bearer"].as_array().is_some_and(|scopes| !scopes.is_empty())
            };
            if ways.iter().any(by_scope) {
                ways.push(SecurityRequirement::new("session", Vec::<String>::new()));
            }
        }
    }
    api
}

/// Everything that the server answers.
pub fn router(app: App) -> Router {
    let (api, description) = routes(Some(&app)).split_for_parts();
    let description = description::finish(&described(description));
    let json = description.clone();
    let is_secure = app.config.public_url.scheme() == "https";
    api.route("/openapi.json", get(|| async { Json(json) }))
        .with_state(app)
        .merge(utoipa_swagger_ui::SwaggerUi::new("/docs").external_url_unchecked("/docs/openapi.json", description))
        .merge(web::router())
        .merge(web::access_router())
        .fallback(|| async { front::call::no_such_address() })
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not answer that method.")
        })
        .layer(axum::middleware::from_fn_with_state(is_secure, front::call::every_call))
}
