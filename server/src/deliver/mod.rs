use crate::{app::App, error::ApiError};
use offpeak_api::ids::*;
pub async fn write_manifests(_a: &App, _s: &JobId) -> Result<(), ApiError> {
    Ok(())
}
pub mod http {
    #[utoipa::path(get, path = "/media/{job}/{path}", responses((status = 200, description = "x")))]
    pub async fn get_media() {}
}
