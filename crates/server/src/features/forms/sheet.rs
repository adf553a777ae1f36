//! The frame of every form: name, number, clause and seal as the rule pack says.

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use tongqu_domain::{
    law::{FormPolicy, Pack, Process, Step},
    time::china_date,
};

use crate::platform::{
    http::ApiError,
    pdf::{self, Form, Kind, Row, SealArea, Section},
};

/// What a form is filled in with.
pub struct Sheet<'a> {
    pub pack: &'a Pack,
    pub process: &'a Process,
    /// The step that it belongs to, see [`form_step`].
    pub step: &'a Step,
    /// The number of the case; empty before there is one.
    pub number: &'a str,
    /// When the case was begun; the time of printing before there is one.
    pub filed_at: Timestamp,
    pub printed_at: Timestamp,
    /// The department that fills it in.
    pub organisation: &'a str,
    /// What is signed for.
    pub statement: &'a str,
    pub rows: Vec<Row>,
    pub sections: Vec<Section>,
}

/// The step of a process that asks for a form; its first step where none does.
#[must_use]
pub fn form_step(process: &Process) -> Option<&Step> {
    let asks = process.steps.iter().find(|step| step.form.is_some());
    asks.or_else(|| process.steps.first())
}

/// A form as the pack names it, with the place of the seal where the pack asks for one and with lines for
/// the signatures where the form has to be handed in.
#[must_use]
pub fn sheet(sheet: Sheet<'_>) -> Form {
    let policy = sheet.step.form.as_ref();
    Form {
        kind: Kind::Application,
        title: title(sheet.process, policy),
        number: sheet.number.to_owned(),
        date: china_date(sheet.filed_at),
        organisation: sheet.organisation.to_owned(),
        rows: sheet.rows,
        sections: sheet.sections,
        seal: policy
            .filter(|policy| policy.written || !policy.seal_kinds.is_empty())
            .map(|policy| seal_area(policy, sheet.statement)),
        clause_text: clause_text(sheet.pack, sheet.step, policy),
        generated_at: sheet.printed_at,
    }
}

fn title(process: &Process, policy: Option<&FormPolicy>) -> String {
    match policy {
        Some(policy) => policy.name.clone(),
        None if process.name.ends_with("申请") => format!("{}表", process.name),
        None => format!("{}申请表", process.name),
    }
}

fn seal_area(policy: &FormPolicy, statement: &str) -> SealArea {
    let seal = if policy.seal_kinds.is_empty() {
        ""
    } else {
        "加盖公章处"
    };
    SealArea {
        heading: "填报单位意见".to_owned(),
        statement: statement.to_owned(),
        handler: "经办人".to_owned(),
        leader: "单位负责人".to_owned(),
        seal: seal.to_owned(),
    }
}

/// The regulation, its number and the place in it; a seal that is our reading is called so.
fn clause_text(pack: &Pack, step: &Step, policy: Option<&FormPolicy>) -> String {
    let clause = policy.map_or(&step.clause, |policy| &policy.clause);
    let place = pack.clause(clause).map(|note| note.place.as_str());
    let number = pack.meta.number.as_deref();
    let number = number.map_or_else(String::new, |number| format!("（{number}）"));
    let reading = match policy {
        Some(policy) if policy.seal_is_reading => "；条文未写明盖章，盖章是平台的理解",
        Some(_) | None => "",
    };
    let title = pack.meta.title.trim_matches(['《', '》']);
    format!(
        "依据：《{title}》{number}{}{reading}",
        place.unwrap_or_default()
    )
}

/// A form as a PDF to be opened or printed.
///
/// Errors: only if the platform fails.
pub async fn printed(form: Form, file_name: &str) -> Result<Response, ApiError> {
    let bytes = tokio::task::spawn_blocking(move || pdf::render(&form))
        .await
        .map_err(ApiError::bug)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{file_name}\""),
        ),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
