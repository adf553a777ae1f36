//! Take a request back before it is decided.

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::case::Deed;
use utoipa::ToSchema;

use super::{
    act::{Acted, act},
    read::{RequestView, load, view},
};
use crate::platform::http::{Ctx, Problem, Reply, reply};

/// Why, if one says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    #[serde(default)]
    pub reason: Option<String>,
}

/// Withdraw a request.
#[utoipa::path(post, path = "/requests/{request_id}/withdrawal", tag = "request", operation_id = "withdraw_request",
    params(("request_id" = String, Path)), request_body = WithdrawBody,
    responses((status = 200, body = RequestView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn withdraw_request(
    ctx: Ctx,
    Path(request_id): Path<String>,
    Json(body): Json<WithdrawBody>,
) -> Reply<RequestView> {
    let (request, row) = load(&ctx, &request_id).await?;
    act(
        &ctx,
        &request,
        &row,
        Deed::Withdraw {
            reason: body.reason,
        },
        Acted {
            what: "request.withdrawn",
        },
    )
    .await?;
    reply(view(&ctx, &request.id).await?)
}
