use crate::{app::App, clock::Instant, error::ApiError};
use offpeak_api::ids::*;
pub async fn reset_fetch_source(_a: &App, _s: &SourceId) -> Result<(), ApiError> {
    Ok(())
}
pub async fn expire(_a: &App, _s: Instant) -> Result<(), ApiError> {
    Ok(())
}
pub mod store {
    use super::*;
    use crate::entity::source;
    use offpeak_api::job::SourceState;
    use sea_orm::ConnectionTrait;
    pub async fn get(_d: &impl ConnectionTrait, _i: &SourceId) -> Result<source::Model, ApiError> {
        todo!()
    }
    pub async fn find_source(_d: &impl ConnectionTrait, _t: &TeamId, _i: &SourceId) -> Result<source::Model, ApiError> {
        todo!()
    }
    pub async fn create_fetch_source(
        _d: &impl ConnectionTrait,
        _t: &TeamId,
        _u: &str,
        _n: Instant,
        _e: Instant,
    ) -> Result<SourceId, ApiError> {
        todo!()
    }
    pub fn state_of(_m: &source::Model) -> Result<SourceState, ApiError> {
        todo!()
    }
}
pub mod http {
    #[utoipa::path(options, path = "/v1/uploads", responses((status = 200, description = "x")))]
    pub async fn options() {}
    #[utoipa::path(post, path = "/v1/uploads", responses((status = 200, description = "x")))]
    pub async fn create() {}
    #[utoipa::path(head, path = "/v1/uploads/{id}", responses((status = 200, description = "x")))]
    pub async fn head() {}
    #[utoipa::path(patch, path = "/v1/uploads/{id}", responses((status = 200, description = "x")))]
    pub async fn patch() {}
    #[utoipa::path(delete, path = "/v1/uploads/{id}", responses((status = 200, description = "x")))]
    pub async fn terminate() {}
    #[utoipa::path(get, path = "/v1/sources/{id}", responses((status = 200, description = "x")))]
    pub async fn get_source() {}
    #[utoipa::path(delete, path = "/v1/sources/{id}", responses((status = 200, description = "x")))]
    pub async fn delete_source() {}
}
