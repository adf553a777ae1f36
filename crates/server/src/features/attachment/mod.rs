//! Attachments 附件: scans of stamped forms, agreements, minutes, proofs, written reports, legal bases.
//!
//! Owns `attachments`. A file is uploaded first, judged by its content, kept under its digest, and taken
//! into a step of one case, once, in the same write as the step ([`take`]). Spec: YC-29.2, PDS-12, PDS-13,
//! TP-21a, LY-15.

mod content;
mod form;
mod read;
mod store;
mod take;
mod upload;
mod views;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use form::{FormBody, bind_new, form_given};
pub use read::may_read;
pub use store::{AttachmentRow, find, of_case};
pub use take::take;
pub use views::{AttachmentKind, AttachmentView};

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(upload::upload_attachment))
        .routes(routes!(read::download_attachment))
        .routes(routes!(read::read_attachment))
}
