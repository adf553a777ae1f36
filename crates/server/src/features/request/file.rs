//! File a request. Submitting, notifying the provider and opening the clocks are one act.
//! Spec: PDS-7, PDS-10.1, PDS-11.1.

use std::collections::BTreeMap;

use axum::Json;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    case::{Case, Opening, StepInput},
    ids::RequestId,
    request::PurposeKind,
};
use utoipa::ToSchema;

use super::{
    act::grant_if_due,
    asked::{Asked, check},
    hold::held_until,
    lives::renew,
    paper::{PaperBody, acting_for, applied_on_paper, keep_scan, scan, tell_applicant},
    preview::requester,
    read::{RequestView, load, view},
    rules::{Promised, promised},
    store::{self, Request},
    views::TermView,
};
use crate::{
    features::{
        attachment::{self, FormBody},
        case::{self, refusal},
        catalogue::Version,
        directory::{self, Notice},
    },
    platform::{
        db::Tx,
        evidence::{Entry, Evidence},
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// The request form.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBody {
    pub entry_id: String,
    /// The version that was read; a newer one in between is a conflict.
    pub version_no: u32,
    /// `table` or `file`.
    pub mode: String,
    /// Codes of the data items asked for; the key is always among them.
    pub columns: Vec<String>,
    /// Which rows; all if empty.
    #[serde(default)]
    pub condition: Vec<TermView>,
    /// `admin_basis`, `work_reference`, `data_check` or `business_collaboration`.
    #[schema(value_type = String)]
    pub purpose_kind: PurposeKind,
    /// Use, in words.
    pub purpose: String,
    /// The duty that makes it necessary.
    pub duty: String,
    #[serde(default)]
    pub consumer_system: String,
    /// Term of the grant; without end if left out.
    #[serde(default)]
    pub term_months: Option<u32>,
    /// The department accepts what the regulation has requesters promise, see the preview.
    #[serde(default)]
    pub undertaken: bool,
    /// The refused request that this one follows.
    #[serde(default)]
    pub previous_request_id: Option<String>,
    /// What the regulation asks beside, see the facts of the process.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// The form, where the first step needs one: with its seal, or none is filed.
    #[serde(default)]
    pub form: Option<FormBody>,
    /// Where a department has applied on paper and the platform unit enters it.
    #[serde(default)]
    pub on_paper: Option<PaperBody>,
}

/// File a request on a published entry. What a department has asked on paper is entered by the platform
/// unit, with the scan; it counts from the moment of entry.
#[utoipa::path(post, path = "/requests", tag = "request", operation_id = "file_request", request_body = FileBody,
    responses((status = 200, body = RequestView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn file_request(ctx: Ctx, Json(body): Json<FileBody>) -> Reply<RequestView> {
    let mut db = ctx.read().await?;
    let asking = match &body.on_paper {
        None => {
            ctx.must(Action::FileRequest, &Subject::Department(ctx.department()))?;
            requester(&ctx, &mut db).await?
        }
        Some(paper) => applied_on_paper(&ctx, &mut db, &body.entry_id, paper).await?,
    };
    let Asked {
        entry,
        version,
        pack,
        process,
        mut content,
        facts,
    } = check(&ctx, &mut db, &body, &asking).await?;
    let promise = if body.undertaken {
        Promised::Yes
    } else {
        Promised::No
    };
    content.undertakings = promised(&pack, promise)?;
    let form = match &body.on_paper {
        None => attachment::form_given(&mut db, ctx.department(), body.form.as_ref()).await?,
        Some(paper) => Some(scan(&ctx, &mut db, paper).await?),
    };
    let actor = match &body.on_paper {
        None => ctx.actor.clone(),
        Some(_) => acting_for(&ctx, &asking.id, &pack, &process),
    };
    let previous_case = match body.previous_request_id.as_deref() {
        Some(id) => Some(load(&ctx, id).await?.0.case_id),
        None => None,
    };
    let parties =
        case::parties(&mut db, &pack, Some(&asking.id), Some(&entry.department_id)).await?;
    drop(db);
    let opening = Opening {
        id: case::new_id(),
        process: process.clone(),
        parties,
        facts,
        previous_case,
        actor: Some(actor.clone()),
        at: ctx.now,
        began_at: None,
        input: StepInput {
            form,
            ..StepInput::default()
        },
    };
    let opened = Case::open(opening, &pack, &ctx.app.calendar()).map_err(refusal)?;
    let mut request = Request {
        id: RequestId::parse(&format!("req-{}", random_hex::<8>()))
            .expect("hex fits an identifier"),
        case_id: opened.head().id.clone(),
        requester: asking.id,
        provider: entry.department_id.clone(),
        filed_by: ctx.actor.person.clone(),
        entered_by: body.on_paper.is_some().then(|| ctx.department().clone()),
        content,
        created_at: ctx.now,
        held_until: None,
    };

    let mut tx = ctx.begin().await?;
    let number = case::next_number(&mut tx, "SQ").await?;
    case::save_new(
        &mut tx,
        &number,
        ("request", request.id.as_str()),
        &version.content.name,
        &opened,
        &pack,
        &ctx.app.calendar(),
    )
    .await?;
    match &body.on_paper {
        None => attachment::bind_new(&mut tx, &opened, 0).await?,
        Some(paper) => keep_scan(&ctx, &mut tx, paper, &request).await?,
    }
    let mut more = renew(&ctx, &mut tx, &actor, &request.content.entry_id).await?;
    // The other side sees it when a grant is renewed by it, and the platform unit has seen what it enters.
    if more.is_empty() && body.on_paper.is_none() {
        request.held_until = held_until(&ctx, &opened, &pack)?;
    }
    store::insert_request(&mut tx, &request).await?;
    if request.held_until.is_some() {
        case::hold(&mut tx, &request.case_id).await?;
    } else {
        tell_applicant(&mut tx, &request, &number, &version).await?;
        tell_provider(&mut tx, &request, &number, &version).await?;
        more.extend(grant_if_due(&ctx.app, &mut tx, &request, &opened, &pack, &version).await?);
    }
    let filed = filed(&ctx, &request, number)
        .with("on_paper", body.on_paper.map(|paper| paper.attachment_id))
        .with("version_no", version.no)
        .under(pack.process(&process).map(|it| it.clause.to_string()));
    tx.commit(Evidence::of(filed, more)).await?;
    reply(view(&ctx, &request.id).await?)
}

fn filed(ctx: &Ctx, request: &Request, number: String) -> Entry {
    let content = &request.content;
    ctx.did("request.filed")
        .on("request", &request.id)
        .with("number", number)
        .with("requester", request.requester.as_str())
        .with("entry_id", content.entry_id.as_str())
        .with("columns", content.columns.join(" "))
        .with("purpose_kind", content.purpose_kind.code())
        .with("undertakings", content.undertakings.join(" "))
        .with("held_until", request.held_until.map(|at| at.to_string()))
}

/// Tells the provider, in the same act as the filing. Spec: PDS-10.1.
pub(super) async fn tell_provider(
    tx: &mut Tx,
    request: &Request,
    number: &str,
    version: &Version,
) -> Result<(), ApiError> {
    let names = directory::department_names(tx).await?;
    let requester = names.get(request.requester.as_str()).cloned();
    let notice = Notice {
        to: &request.provider,
        kind: "request.filed",
        subject: ("request", request.id.as_str()),
        facts: BTreeMap::from([
            ("number", number.to_owned()),
            ("name", version.content.name.clone()),
            ("requester", requester.unwrap_or_default()),
        ]),
    };
    directory::notify(tx, &notice).await?;
    Ok(())
}
