//! Hand in what comes round. Spec: YC-39, YJ-4.2.3, LY-8.1.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::law::Pack;
use utoipa::ToSchema;

use super::{
    duties::{DutyItemDetailView, Occasion, detail, load, may_submit},
    store::{self, Report},
};
use crate::{
    features::directory::{self, Notice},
    platform::{
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// The longest report, in characters.
const TEXT_CHARS_MAX: usize = 20_000;
/// The most numbers of a report, and the longest name of one.
const FIGURES_MAX: usize = 100;
const FIGURE_NAME_CHARS_MAX: usize = 64;

/// A report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// In words.
    pub text: String,
    /// The numbers, by code, as the department answers for them.
    #[serde(default)]
    pub figures: BTreeMap<String, i64>,
}

/// Hand in a report.
#[utoipa::path(post, path = "/duties/{duty_id}/submit", tag = "supervision", operation_id = "submit_duty",
    params(("duty_id" = String, Path, description = "`duty_item_id` of the list")), request_body = ReportBody,
    responses((status = 200, body = DutyItemDetailView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn submit_duty(
    ctx: Ctx,
    Path(id): Path<String>,
    Json(body): Json<ReportBody>,
) -> Reply<DutyItemDetailView> {
    let pack = &ctx.app.pack();
    let mut db = ctx.read().await?;
    let occasion = load(&ctx, &mut db, pack, &id).await?;
    drop(db);
    if !may_submit(&ctx, &occasion, pack) {
        return Err(ApiError::forbidden("duty.not_yours").under(Some(&occasion.duty.clause)));
    }
    if occasion.is_submitted() {
        return Err(ApiError::conflict("duty.submitted"));
    }
    let text = body.text.trim();
    if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        return Err(ApiError::invalid("duty.text")
            .field("text", "duty.text")
            .arg("chars", TEXT_CHARS_MAX));
    }
    let fits = |name: &String| !name.is_empty() && name.chars().count() <= FIGURE_NAME_CHARS_MAX;
    if body.figures.len() > FIGURES_MAX || !body.figures.keys().all(fits) {
        return Err(ApiError::invalid("duty.figures").field("figures", "duty.figures"));
    }
    let report = Report {
        period_to: occasion
            .item
            .covers
            .map_or(String::new(), |(_, last)| last.to_string()),
        due_on: occasion.item.due_on,
        text: text.to_owned(),
        figures: body.figures,
        submitted_by: ctx.actor.person.to_string(),
        submitted_at: ctx.now,
    };
    let owing = occasion.owing();
    let mut tx = ctx.begin().await?;
    let report_id = format!("rep-{}", random_hex::<8>());
    store::insert_report(&mut tx, &report_id, pack.meta.id.as_str(), &owing, &report).await?;
    tell_addressee(&mut tx, pack, &occasion).await?;
    tx.commit(
        ctx.did("duty.submitted")
            .on("duty", &id)
            .with("report_id", report_id)
            .with("pack", pack.meta.id.as_str())
            .with("due_on", occasion.item.due_on.map(|d| d.to_string()))
            .with("figures", report.figures.len())
            .under(Some(occasion.duty.clause.to_string())),
    )
    .await?;
    reply(detail(&ctx, &id).await?)
}

/// Tells whom the report goes to, where a department on the platform stands behind that role.
async fn tell_addressee(
    tx: &mut crate::platform::db::Tx,
    pack: &Pack,
    occasion: &Occasion<'_>,
) -> Result<(), ApiError> {
    let department = directory::find_department(tx, &occasion.department_id)
        .await?
        .ok_or_else(|| ApiError::bug("a report comes from a department that isn't there"))?;
    let division = Some(department.division_code.as_str());
    let bound = directory::bound_roles(tx, pack, division).await?;
    let Some(to) = occasion
        .duty
        .addressee
        .as_ref()
        .and_then(|role| bound.get(role))
    else {
        return Ok(());
    };
    let id = occasion.id();
    let notice = Notice {
        to,
        kind: "supervision.report_received",
        subject: ("duty", &id),
        facts: BTreeMap::from([
            ("name", occasion.duty.name.clone()),
            ("department", department.name),
        ]),
    };
    directory::notify(tx, &notice).await?;
    Ok(())
}
