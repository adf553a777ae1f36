//! A mounted resource with all that reading it needs.

use std::sync::Arc;

use tongqu_domain::{catalogue::DataItem, ids::EntryId, time::china_date};

use super::engine::{Source, Watched};
use crate::{
    app::App,
    features::{
        catalogue::{self, Entry, Mounting},
        directory::{self, ExchangeStore},
    },
    platform::{db::Db, http::ApiError},
};

/// A mounted resource.
pub(super) struct Resource {
    pub entry: Entry,
    pub mounting: Mounting,
    pub items: Vec<DataItem>,
    pub store: ExchangeStore,
}

impl Resource {
    /// The mounted resource of an entry.
    ///
    /// Errors: of the registry; a bug if the entry isn't mounted.
    pub(super) async fn find(db: &mut Db, entry_id: &EntryId) -> Result<Self, ApiError> {
        let mounting = catalogue::find_mounting(db, entry_id).await?;
        let entry = catalogue::find_entry(db, entry_id).await?;
        let entry = entry.ok_or_else(|| ApiError::bug("a mounted entry isn't there"))?;
        let items = catalogue::active_items(db, entry_id).await?;
        let store = directory::find_store(db, &mounting.store_id).await?;
        let missing = || ApiError::bug("a mounting names a store that isn't there");
        // An item that came with a later version isn't mounted yet, so it can't be asked of the rows.
        let mounted = |code: &str| mounting.columns.iter().any(|c| c.item == code);
        let items = items.into_iter().filter(|i| mounted(&i.code)).collect();
        Ok(Self {
            entry,
            items,
            store: store.ok_or_else(missing)?,
            mounting,
        })
    }

    /// What is read, at the pace that is set for the store.
    ///
    /// Errors: `store.*` if its address isn't one.
    pub(super) fn source(
        &self,
        app: &Arc<App>,
        watched: Option<Watched>,
    ) -> Result<Source, ApiError> {
        let connector = app.open_store(&self.store.url)?;
        Ok(Source {
            store: app.paced(&self.store, connector),
            mounting: self.mounting.clone(),
            items: self.items.clone(),
            today: china_date(app.clock.now()),
            watched,
        })
    }

    /// Rows in the pool, as far as they were counted.
    pub(super) fn rows(&self) -> u64 {
        let rows = self.mounting.rows_total.unwrap_or_default();
        u64::try_from(rows).unwrap_or_default()
    }

    /// Notes how many rows the pool has.
    pub(super) fn has_rows(&mut self, rows: u64) {
        self.mounting.rows_total = i64::try_from(rows).ok();
    }
}
