//! How fast each exchange store is read and written: one pace for all runs of this node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tongqu_connectors::{Pace, Rate};
use tongqu_domain::ids::StoreId;

/// The paces of the stores that something was read from or written to since the start.
#[derive(Debug, Default)]
pub struct Paces(Mutex<HashMap<StoreId, Arc<Pace>>>);

impl Paces {
    /// The pace of a store, which from now on has this rate.
    pub fn of(&self, id: &StoreId, rate: Rate) -> Arc<Pace> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry(id.clone()).or_insert_with(|| Pace::new(rate));
        pace.set(rate);
        pace.clone()
    }

    /// Has runs under way keep to another rate.
    pub fn set(&self, id: &StoreId, rate: Rate) {
        self.of(id, rate);
    }
}
