//! What somebody asks for, checked: the same for filing a request and for printing its form beforehand.

use std::sync::Arc;

use tongqu_domain::{
    law::{Facts, Pack, ProcessId},
    request::{SharingRequest, check_request},
};

use super::{
    approvals::is_sensitive,
    file::FileBody,
    preview::{On, facts, published, topic},
    rules::{check_audience, check_recipient},
    views::condition_of,
};
use crate::{
    features::{
        case,
        catalogue::{Entry, Version},
        directory::{self, Department},
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx},
    },
};

/// A request that could be filed.
pub(super) struct Asked {
    pub entry: Entry,
    pub version: Version,
    /// The regulation that it would run under, for its whole life.
    pub pack: Arc<Pack>,
    pub process: ProcessId,
    pub content: SharingRequest,
    pub facts: Facts,
}

/// Checks what a department asks against the entry as it is published and against the regulation in force.
///
/// Errors: `case.own_data`, `request.version_changed`, `request.faulty` with every fault,
/// `request.mode_not_offered`, `request.outside_audience`, `request.not_a_recipient`. Spec: PDS-7.
pub(super) async fn check(
    ctx: &Ctx,
    db: &mut Db,
    body: &FileBody,
    asking: &Department,
) -> Result<Asked, ApiError> {
    let (entry, version) = published(db, &body.entry_id).await?;
    let pack = case::pack_for(&ctx.app, db, Some(&entry.department_id), ctx.now).await?;
    if entry.department_id == asking.id {
        return Err(ApiError::invalid("case.own_data"));
    }
    if body.version_no != version.no {
        return Err(ApiError::conflict("request.version_changed").arg("version", version.no));
    }
    let content = SharingRequest {
        entry_id: entry.id.clone(),
        version_no: version.no,
        mode: body.mode.clone(),
        columns: body.columns.clone(),
        condition: condition_of(body.condition.clone()),
        purpose: body.purpose.trim().to_owned(),
        purpose_kind: body.purpose_kind,
        duty: body.duty.trim().to_owned(),
        consumer_system: body.consumer_system.trim().to_owned(),
        term_months: body.term_months,
        undertakings: Vec::new(),
    };
    refuse_faults(&content, &version, &pack)?;
    let provider = directory::find_department(db, &entry.department_id)
        .await?
        .ok_or_else(|| ApiError::bug("the entry's department isn't there"))?;
    check_audience(&pack, asking, &provider)?;
    let on = On {
        pack: &pack,
        entry: &entry,
        version: &version,
        requester: asking,
    };
    let mut facts = facts(&ctx.app, db, &on, &content.mode).await?;
    check_recipient(&pack, &facts, &version.content, asking)?;
    facts.insert(
        "sensitive".to_owned(),
        is_sensitive(&version.content, &content.columns),
    );
    // What the platform knows goes before what somebody writes.
    for (name, value) in case::facts_asked(&body.facts, &pack) {
        facts.entry(name).or_insert(value);
    }
    let process = pack
        .process_for(topic(&content.mode), &facts)
        .map(|process| process.id.clone())
        .ok_or_else(|| {
            ApiError::invalid("request.mode_not_offered").field("mode", "request.mode_not_offered")
        })?;
    Ok(Asked {
        entry,
        version,
        pack,
        process,
        content,
        facts,
    })
}

fn refuse_faults(content: &SharingRequest, version: &Version, pack: &Pack) -> Result<(), ApiError> {
    let faults = check_request(content, &version.content);
    if faults.is_empty() {
        return Ok(());
    }
    // A fault may rest on a clause of another regulation; only the one in force is cited to people.
    let prefix = format!("{}-", pack.meta.prefix);
    let clause = faults
        .iter()
        .find_map(|f| f.clause.filter(|c| c.starts_with(&prefix)));
    let error = ApiError::invalid("request.faulty").under(clause);
    Err(faults
        .iter()
        .fold(error, |e, f| e.field(f.field.to_string(), f.code)))
}
