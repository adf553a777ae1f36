//! Urge whoever holds the open step 催办. It is recorded and changes no date.

use axum::extract::Path;
use tongqu_domain::case::Deed;

use super::{
    act::{Acted, act},
    read::{RequestView, load, view},
};
use crate::platform::http::{ApiError, Ctx, Problem, Reply, reply};

/// Urge the open step of a request.
#[utoipa::path(post, path = "/requests/{request_id}/urging", tag = "request", operation_id = "urge_request",
    params(("request_id" = String, Path)),
    responses((status = 200, body = RequestView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn urge_request(ctx: Ctx, Path(request_id): Path<String>) -> Reply<RequestView> {
    let (request, row) = load(&ctx, &request_id).await?;
    let step = row
        .case
        .open_steps()
        .next()
        .cloned()
        .ok_or_else(|| ApiError::conflict("case.ended"))?;
    act(
        &ctx,
        &request,
        &row,
        Deed::Urge { step },
        Acted {
            what: "request.urged",
        },
    )
    .await?;
    reply(view(&ctx, &request.id).await?)
}
