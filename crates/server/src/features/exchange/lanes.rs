//! Which jobs may not run beside each other.

use tongqu_domain::ids::{EntryId, SubscriptionId};

use super::store;
use crate::{
    features::catalogue,
    platform::db::{Db, DbError},
};

/// The lane of whatever is done for one subscriber. It is the subscriber's own, so that one who is slow or away delays
/// neither the others nor the next collection. Where a change log is followed, whoever follows it serves the
/// subscribers too, and has to make way: there it is the lane of the resource.
pub(super) async fn of_subscription(
    db: &mut Db,
    entry_id: &EntryId,
    id: &SubscriptionId,
) -> Result<String, DbError> {
    let schedule = store::schedule_of(db, entry_id).await?;
    let of_resource = catalogue::lane(entry_id);
    Ok(match schedule {
        Some(schedule) if schedule.follows => of_resource,
        Some(_) | None => format!("{of_resource}/{id}"),
    })
}
