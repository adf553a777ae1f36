//! A subscription with all that its runs need to know, as long as something may move under it.

use std::sync::Arc;

use tongqu_connectors::Store;
use tongqu_domain::{
    grant::Grant,
    ids::{DepartmentId, RequestId, SubscriptionId},
    time::china_date,
};

use super::{
    engine::{Delivery, PoolTable, Reach},
    jobs::JobError,
    pseudonyms,
    store::{self, Subscription},
};
use crate::{
    app::App,
    features::{catalogue, directory, request},
    platform::http::ApiError,
};

/// A subscription with all that its runs need to know.
pub(super) struct Subscribed {
    pub subscription: Subscription,
    pub grant: Grant,
    pub request_id: RequestId,
    pub entry_name: String,
    pub delivery: Delivery,
    /// Rows in the target after the last delivery that ended well.
    pub rows_before: u64,
}

impl Subscribed {
    pub fn parties(&self) -> Vec<DepartmentId> {
        vec![self.grant.provider.clone(), self.grant.requester.clone()]
    }
}

/// A target that stays open from one delivery to the next, under its address.
pub(super) type OpenTarget = Option<(String, Arc<dyn Store>)>;

/// What a subscription is about; `None` while nothing may move under it.
pub(super) async fn subscribed(
    app: &Arc<App>,
    id: &SubscriptionId,
) -> Result<Option<Subscribed>, JobError> {
    subscribed_over(app, id, &mut None).await
}

/// As [`subscribed`], over a target that may be open already.
pub(super) async fn subscribed_over(
    app: &Arc<App>,
    id: &SubscriptionId,
    open: &mut OpenTarget,
) -> Result<Option<Subscribed>, JobError> {
    let mut db = app.registry.read().await?;
    let gone = || ApiError::bug("a delivery names something that isn't there");
    let subscription = store::find_subscription(&mut db, id)
        .await?
        .ok_or_else(gone)?;
    let grant = request::find_grant(&mut db, &subscription.grant_id)
        .await?
        .ok_or_else(gone)?;
    let request = request::request_of_case(&mut db, &grant.case_id)
        .await?
        .ok_or_else(gone)?;
    let entry_id = &subscription.entry_id;
    let mounting = catalogue::find_mounting(&mut db, entry_id).await?;
    let items = catalogue::active_items(&mut db, entry_id).await?;
    let entry = catalogue::find_entry(&mut db, entry_id)
        .await?
        .ok_or_else(gone)?;
    let target = directory::find_store(&mut db, &subscription.store_id)
        .await?
        .ok_or_else(gone)?;
    // Nothing moves without a grant that is in force today, and not before what the regulation wants
    // approved was approved. Spec: PDS-7, TP-25a.
    if subscription.state_code != "active"
        || !grant.is_active_on(china_date(app.clock.now()))
        || request::awaits_approval(app, &mut db, &grant).await?
    {
        return Ok(None);
    }
    drop(db);
    let pseudonyms = pseudonyms::key_for(app, &grant).await?;
    let mut db = app.registry.read().await?;
    // Whatever broke off may have come after the rows and before they were read back.
    let last = store::last_delivery(&mut db, &subscription.id).await?;
    let last = last.filter(|run| run.state_code == "succeeded");
    let connector = match open.take() {
        Some((url, connector)) if url == target.url => connector,
        _ => app.open_or_create_store(&target.url)?,
    };
    *open = Some((target.url.clone(), connector.clone()));
    let delivery = Delivery {
        table: PoolTable::of(&mounting, &items),
        items,
        grant: grant.clone(),
        pseudonyms,
        target: app.paced(&target, connector),
        target_table: subscription.table.clone(),
        consumer: subscription.id.to_string(),
        compares: if last.is_some() {
            Reach::Changed
        } else {
            Reach::Whole
        },
    };
    Ok(Some(Subscribed {
        subscription,
        grant,
        request_id: request.id,
        entry_name: entry.name,
        delivery,
        rows_before: last
            .and_then(|run| run.rows_held)
            .and_then(|rows| u64::try_from(rows).ok())
            .unwrap_or_default(),
    }))
}
