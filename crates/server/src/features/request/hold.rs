//! What was filed is held back for a while: the department that asked can take it back, and nobody else has
//! seen it. The law's clock runs from the filing all the same, and the ledger keeps both acts.
//!
//! Held back is what others would see: desks, lists, notices, the grant. Nothing is held where the requester
//! itself takes the next step, for then it has its effect at once.

use axum::extract::Path;
use jiff::{SignedDuration, Timestamp};
use tongqu_domain::{
    access::{Action, Subject},
    case::{Act, Case, Deed},
    law::Pack,
};

use super::{
    act::grant_if_due,
    file::tell_provider,
    read::{RequestView, load, view},
    store::{self, Request},
};
use crate::{
    app::App,
    features::{
        case::{self, refusal},
        catalogue,
    },
    platform::{
        db::Tx,
        evidence::{Entry, Evidence},
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// Requests released at once.
const BATCH_ROWS: u32 = 100;

/// Until when a request that has just been filed is held back; `None` if others see it at once.
pub(super) fn held_until(
    ctx: &Ctx,
    opened: &Case,
    pack: &Pack,
) -> Result<Option<Timestamp>, ApiError> {
    let minutes = ctx.app.config.request.undo_minutes;
    if minutes == 0 || opened.is_ended() {
        return Ok(None);
    }
    let steps = opened
        .steps(pack, &ctx.app.calendar(), ctx.now)
        .map_err(refusal)?;
    let waits_for_own = steps
        .iter()
        .any(|step| step.state.is_open() && step.department.as_ref() == Some(ctx.department()));
    let until = ctx.now + SignedDuration::from_mins(i64::from(minutes));
    Ok((!waits_for_own).then_some(until))
}

/// Take back a request that others haven't seen yet. It leaves no trace for them; the ledger keeps it.
#[utoipa::path(post, path = "/requests/{request_id}/undo", tag = "request", operation_id = "undo_request",
    params(("request_id" = String, Path)),
    responses((status = 200, body = RequestView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn undo_request(ctx: Ctx, Path(request_id): Path<String>) -> Reply<RequestView> {
    let (request, row) = load(&ctx, &request_id).await?;
    ctx.must(
        Action::FileRequest,
        &Subject::Department(&request.requester),
    )?;
    if !is_held(&request, ctx.now) || row.case.is_ended() {
        return Err(ApiError::conflict("request.undo_over"));
    }
    let act = Act {
        actor: ctx.actor.clone(),
        at: ctx.now,
        deed: Deed::Withdraw { reason: None },
    };
    let calendar = ctx.app.calendar();
    let after = row.case.apply(act, &row.pack, &calendar).map_err(refusal)?;
    let mut tx = ctx.begin().await?;
    case::save_steps(&mut tx, &row.case, &after, &row.pack, &calendar).await?;
    let undone = ctx
        .did("request.undone")
        .on("request", &request.id)
        .with("number", row.number.as_str());
    tx.commit(undone).await?;
    reply(view(&ctx, &request.id).await?)
}

/// Whether a request can still be taken back without a trace.
pub(super) fn is_held(request: &Request, now: Timestamp) -> bool {
    request.held_until.is_some_and(|until| now < until)
}

/// Shows every request whose holding time is over to those whom it concerns. Gives how many.
pub async fn release_due(app: &App) -> Result<u32, ApiError> {
    let mut released = 0;
    loop {
        let now = app.clock.now();
        let mut db = app.registry.read().await?;
        let due = store::held_due(&mut db, now, BATCH_ROWS).await?;
        // The connection goes back before the write, which waits for the only writer of an embedded registry.
        drop(db);
        if due.is_empty() {
            return Ok(released);
        }
        for request in due {
            let mut tx = app.registry.begin(app.clock.now()).await?;
            let more = release(app, &mut tx, &request).await?;
            let Some(more) = more else { continue };
            let entry = Entry::by_platform("request.released").on("request", &request.id);
            tx.commit(Evidence::of(entry, more)).await?;
            released += 1;
        }
    }
}

/// Shows a request to others, with all that follows from its filing; `None` if they see it already. Part of the
/// caller's write.
pub(super) async fn release(
    app: &App,
    tx: &mut Tx,
    request: &Request,
) -> Result<Option<Vec<Entry>>, ApiError> {
    if !store::unhold(tx, &request.id).await? {
        return Ok(None);
    }
    let row = case::find(tx, app, &request.case_id).await?;
    case::show(tx, &row.case, &row.pack, &app.calendar()).await?;
    let content = &request.content;
    let version = catalogue::find_version(tx, &content.entry_id, content.version_no)
        .await?
        .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
    tell_provider(tx, request, &row.number, &version).await?;
    grant_if_due(app, tx, request, &row.case, &row.pack, &version)
        .await
        .map(Some)
}
