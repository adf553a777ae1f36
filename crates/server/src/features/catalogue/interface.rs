//! What decides who authorises the use of an entry's interface: whether its parameters have to be controlled,
//! and whether the platform unit authorises it directly.
//!
//! The provider knows the one, the authority sets the other. What follows is the rule pack's.
//! Spec: PDS-6.2, PDS-16, YJ-3.1.1c.

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    law::{FactValue, Facts},
};
use utoipa::ToSchema;

use super::{read::find, store};
use crate::platform::http::{ApiError, Ctx, Problem, Reply, reply};

/// The terms of an entry's interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct InterfaceTerms {
    /// Its parameters have to be controlled, so that the provider authorises each use.
    pub param_control: bool,
    /// The platform unit authorises it directly.
    pub direct_authorisation: bool,
}

impl InterfaceTerms {
    /// The same as facts, in the words of the packs.
    #[must_use]
    pub fn facts(self) -> Facts {
        Facts::from([
            (
                "param_control".to_owned(),
                FactValue::from(self.param_control),
            ),
            (
                "direct_authorisation".to_owned(),
                FactValue::from(self.direct_authorisation),
            ),
        ])
    }
}

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterfaceBody {
    /// The provider's to say.
    #[serde(default)]
    pub param_control: Option<bool>,
    /// The authority's to say.
    #[serde(default)]
    pub direct_authorisation: Option<bool>,
}

/// Set the terms of an entry's interface. Requests that are under way keep those they were filed under.
#[utoipa::path(put, path = "/catalogue/entries/{entry_id}/interface", tag = "catalogue", operation_id = "set_interface",
    params(("entry_id" = String, Path)), request_body = InterfaceBody,
    responses((status = 200, body = InterfaceTerms), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn set_interface(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Json(body): Json<InterfaceBody>,
) -> Reply<InterfaceTerms> {
    let entry = find(&ctx, &entry_id).await?;
    if body.param_control.is_some() {
        let own = Subject::Department(&entry.department_id);
        ctx.must(Action::SubmitCatalogue, &own)?;
    }
    if body.direct_authorisation.is_some() {
        ctx.must(Action::ReviewCatalogue, &Subject::Platform)?;
    }
    if body.param_control.is_none() && body.direct_authorisation.is_none() {
        return Err(ApiError::invalid("catalogue.interface_unchanged"));
    }
    let mut tx = ctx.begin().await?;
    let before = store::interface_terms(&mut tx, &entry.id).await?;
    let terms = InterfaceTerms {
        param_control: body.param_control.unwrap_or(before.param_control),
        direct_authorisation: body
            .direct_authorisation
            .unwrap_or(before.direct_authorisation),
    };
    store::save_interface_terms(&mut tx, &entry.id, terms).await?;
    tx.commit(
        ctx.did("catalogue.interface_set")
            .on("entry", &entry.id)
            .with("param_control", terms.param_control)
            .with("direct_authorisation", terms.direct_authorisation),
    )
    .await?;
    reply(terms)
}
