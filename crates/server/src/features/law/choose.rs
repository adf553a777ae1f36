//! Which regulation new cases begin under where no pack is bound to the provider's area.

use axum::extract::Path;
use tongqu_domain::{
    access::{Action, Subject},
    law::{Pack, Standing},
    time::china_date,
};

use super::packs::{PackLineView, line};
use crate::platform::{
    db::packs as store,
    http::{ApiError, Ctx, Problem, Reply, reply},
    packs::NamedBy,
};

/// Choose the regulation for cases that begin from now on where no regulation is bound to the provider's
/// area. Open cases go on under the one they began under.
#[utoipa::path(post, path = "/law/packs/{pack_id}/choose", tag = "law", operation_id = "choose_pack",
    params(("pack_id" = String, Path)),
    responses((status = 200, body = PackLineView), (status = 404, body = Problem)))]
pub async fn choose_pack(ctx: Ctx, Path(pack_id): Path<String>) -> Reply<PackLineView> {
    ctx.must(Action::ManageRules, &Subject::Platform)?;
    let pack = ctx
        .app
        .packs
        .named(&pack_id)
        .ok_or_else(|| ApiError::not_found("law.pack_not_found"))?;
    may_choose(&ctx, &pack)?;
    let mut tx = ctx.begin().await?;
    store::choose(&mut tx, pack.meta.id.as_str()).await?;
    tx.commit(
        ctx.did("law.pack_chosen")
            .on("pack", &pack.meta.id)
            .with("version", pack.version.as_str()),
    )
    .await?;
    ctx.app
        .reload_packs()
        .await
        .map_err(|error| ApiError::bug(error.to_string()))?;
    reply(line(&ctx, &pack))
}

/// Whether the viewer may choose this pack.
///
/// Errors: `law.pack_fixed` where the configuration names one, `law.pack_ended` for one that has ended,
/// or that the viewer holds no post for it.
pub(super) fn may_choose(ctx: &Ctx, pack: &Pack) -> Result<(), ApiError> {
    ctx.must(Action::ManageRules, &Subject::Platform)?;
    if ctx.app.packs.default_named_by() == NamedBy::Configuration {
        return Err(ApiError::conflict("law.pack_fixed"));
    }
    match pack.in_force_on(china_date(ctx.now)) {
        Standing::Ended { .. } => Err(ApiError::conflict("law.pack_ended")),
        Standing::InForce | Standing::NotInForce => Ok(()),
    }
}
