//! Open the delivery of a granted request: a subscription into the requester's exchange store, and its
//! first run. The delivery step of the case is taken once the data have arrived.
//! Spec: PDS-10.2a, PDS-10.2c, PDS-11.2; LY-10.1, TP-17, YJ-3.2.2 (obtained by the requester itself).

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::{EntryId, StoreId, SubscriptionId},
    law,
};
use utoipa::ToSchema;

use super::{
    reconcile,
    store::{self, Subscription},
};
use crate::{
    features::{
        case, catalogue,
        directory::{self, ExchangeStore},
        request,
    },
    platform::{
        db::{Db, DbError},
        http::{ApiError, Ctx, Problem, Reply, reply},
        jobs,
        secrets::random_hex,
    },
};

/// Where the data go.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    pub subscription_id: String,
    pub entry_id: String,
    /// Name of the requester's exchange store.
    pub store_name: String,
    /// Table in it.
    pub table: String,
}

/// Open the delivery of a request, or start it again if it is open already.
#[utoipa::path(post, path = "/requests/{request_id}/delivery", tag = "exchange", operation_id = "open_delivery",
    params(("request_id" = String, Path)),
    responses((status = 200, body = DeliveryView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn open_delivery(ctx: Ctx, Path(request_id): Path<String>) -> Reply<DeliveryView> {
    let (request, row) = request::load(&ctx, &request_id).await?;
    let steps = row
        .case
        .steps(&row.pack, &ctx.app.calendar(), ctx.now)
        .map_err(case::refusal)?;
    let due = steps.iter().find(|s| {
        matches!(s.action, law::Action::Deliver | law::Action::Obtain) && s.state.is_open()
    });
    // What a requester obtains directly is its own step; everything else is delivered by the operator.
    if due.is_none_or(|step| step.action == law::Action::Deliver) {
        ctx.must(Action::Deliver, &Subject::Platform)?;
    }
    let step = due.ok_or_else(|| ApiError::conflict("exchange.nothing_to_deliver"))?;
    row.case
        .may_take(&ctx.actor, &step.id, &row.pack)
        .map_err(case::refusal)?;
    let mut db = ctx.read().await?;
    let grant = request::grant_of_case(&mut db, &request.case_id)
        .await?
        .ok_or_else(|| ApiError::bug("a delivery is due without a grant"))?;
    request::must_be_approved(&ctx.app, &mut db, &grant).await?;
    if catalogue::mounting_of(&mut db, &grant.entry_id)
        .await?
        .is_none()
    {
        return Err(ApiError::conflict("exchange.not_mounted"));
    }
    let target = directory::stores_of(&mut db, &grant.requester)
        .await?
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::conflict("exchange.no_target_store"))?;
    let open = store::subscription_of_grant(&mut db, &grant.id).await?;
    drop(db);

    let mut tx = ctx.begin().await?;
    let subscription = if let Some(open) = open {
        open
    } else {
        let subscription = Subscription {
            id: SubscriptionId::parse(&format!("sub-{}", random_hex::<6>()))
                .expect("hex fits an identifier"),
            grant_id: grant.id.clone(),
            entry_id: grant.entry_id.clone(),
            store_id: target.id.clone(),
            table: free_table(&mut tx, &grant.entry_id, &target.id).await?,
            state_code: "active".to_owned(),
        };
        let next = reconcile::next(&ctx.app, tx.at());
        store::insert_subscription(&mut tx, &subscription, next).await?;
        subscription
    };
    jobs::enqueue(
        &mut tx,
        catalogue::collection_job(&grant.entry_id, Some(ctx.actor.person.as_str())),
    )
    .await?;
    let entry = ctx
        .did("exchange.delivery_opened")
        .on("subscription", &subscription.id)
        .with("request_id", request.id.as_str())
        .with("grant_id", grant.id.as_str())
        .with("store_id", subscription.store_id.as_str())
        .under(Some(step.clause.to_string()));
    tx.commit(entry).await?;
    reply(view(&subscription, &target))
}

fn view(subscription: &Subscription, target: &ExchangeStore) -> DeliveryView {
    DeliveryView {
        subscription_id: subscription.id.to_string(),
        entry_id: subscription.entry_id.to_string(),
        store_name: target.name.clone(),
        table: subscription.table.clone(),
    }
}

/// A table name that no other subscription of the store delivers into: the source table's own name if
/// it is free, else with a number.
async fn free_table(
    db: &mut Db,
    entry_id: &EntryId,
    store_id: &StoreId,
) -> Result<String, DbError> {
    let source = catalogue::find_mounting(db, entry_id).await?.table;
    let own = source.rsplit('.').next().unwrap_or(&source).to_owned();
    let mut name = own.clone();
    let mut n = 1;
    while store::is_target_taken(db, store_id, &name).await? {
        n += 1;
        name = format!("{own}_{n}");
    }
    Ok(name)
}
