//! The catalogue: departments describe what they hold, the authority publishes it, others find it,
//! and an entry is bound to real data.
//!
//! Owns `entries`, `versions`, `imports`, `mountings`. The life cycle and the checks are in
//! `domain::catalogue`; the search index and the workbook are rooms of their own here.
//! Spec: PDS-3.1, PDS-3.2, PDS-5.1, PDS-6.1, PDS-6.3.

mod class;
mod diff;
mod drafts;
mod import;
mod interface;
mod mount;
mod publish;
mod read;
mod return_version;
mod review;
mod reviewer;
mod rules;
pub mod search;
mod search_entries;
mod store;
#[cfg(test)]
mod store_tests;
mod submit;
mod template;
mod views;
pub mod workbook;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use class::{class_in, determine_class};
pub use import::template_options;
pub use interface::InterfaceTerms;
pub use mount::{COLLECT, CollectPayload, ItemColumn, Mounting, arrived, collection_job, lane};
pub use publish::{list_responsibilities, publish_submitted};
pub use read::find as entry_at;
pub use search_entries::{find_matching, index_entry, rebuild_index};
pub use store::{
    Entry, Version, active_items, counts_by_department, entries_count, entry_names, find_entry,
    find_mounting, find_version, interface_terms, mounting_of, newest_published, newest_version,
};

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(search_entries::search_entries))
        .routes(routes!(read::read_entry))
        .routes(routes!(diff::diff_versions))
        .routes(routes!(template::download_template))
        .routes(routes!(import::import_workbook))
        .routes(routes!(import::download_import))
        .routes(routes!(drafts::list_own_versions))
        .routes(routes!(submit::submit_version))
        .routes(routes!(review::list_reviews))
        .routes(routes!(publish::publish_version))
        .routes(routes!(return_version::return_version))
        .routes(routes!(mount::preview_mounting))
        .routes(routes!(mount::mount_entry))
        .routes(routes!(mount::list_tables))
        .routes(routes!(interface::set_interface))
}
