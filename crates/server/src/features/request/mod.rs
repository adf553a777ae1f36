//! Sharing requests 申请: promised dates before filing, filing, decision, withdrawal, and the grant
//! that comes of it.
//!
//! Owns `sharing_requests` and `grants`. The steps are a case; which process, who decides and by when
//! comes from the rule pack. Spec: PDS-7, PDS-10.1, PDS-10.2a, PDS-10.2b, PDS-11.1, PDS-11.2.

mod act;
mod approvals;
mod asked;
mod decide;
mod decide_together;
mod file;
mod form;
mod grants;
mod hold;
mod list;
mod lives;
mod paper;
mod part;
mod preview;
mod printed_list;
mod read;
mod rules;
mod store;
mod urge;
mod views;
mod withdraw;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use act::{Acted, act, complete_delivery, note_supplied};
pub use approvals::{awaits_approval, is_approved, must_be_approved};
pub use grants::{GrantChange, change_grant};
pub use hold::release_due;
pub use list::lines;
pub use lives::{note_expired, note_used, propose_reclaims};
pub use preview::is_sharing_request;
pub use read::{Approved, basis_clause, columns, ground_name, load, load_by_id, standing_code};
pub use store::{
    Request, find_grant, grant_of_case, request_of_case, requests_of_department, requests_on_entry,
    users_of_entry,
};
pub use views::{ColumnView, RequestLineView, TermView, terms_of};

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(preview::preview_request))
        .routes(routes!(list::list_requests, file::file_request))
        .routes(routes!(form::print_application))
        .routes(routes!(form::print_request))
        .routes(routes!(printed_list::print_requests))
        .routes(routes!(read::read_request))
        .routes(routes!(decide::decide_request))
        .routes(routes!(decide_together::list_alike_requests))
        .routes(routes!(decide_together::decide_together))
        .routes(routes!(hold::undo_request))
        .routes(routes!(withdraw::withdraw_request))
        .routes(routes!(urge::urge_request))
}
