//! JSON shapes of demands, county lists and applications upward.

use serde::Serialize;
use tongqu_domain::{
    demand::{AnswerKind, DemandState, ResourceLevel, UpwardState},
    law::{ClauseId, Pack},
};
use utoipa::ToSchema;

use super::store::{DemandList, ListLine, Upward};
use crate::features::case::{ClauseView, clause_view};

/// A demand in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandLineView {
    pub demand_id: String,
    pub number: String,
    pub title: String,
    /// Whose resource it is: `county`, `city`, `province`, `state`.
    #[schema(value_type = String)]
    pub level: ResourceLevel,
    /// The resource by its name, where one is meant.
    pub resource: Option<String>,
    pub requester_department_id: String,
    pub requester_name: String,
    /// Who is to answer; absent while nobody is known.
    pub asked_department_id: Option<String>,
    pub asked_name: Option<String>,
    /// `open`, `answered` or `withdrawn`.
    #[schema(value_type = String)]
    pub state: DemandState,
    /// Of an answer: `will_provide`, `in_catalogue` or `cannot`.
    #[schema(value_type = Option<String>)]
    pub answer_kind: Option<AnswerKind>,
    /// Instant.
    pub stated_at: String,
    /// While it is open: calendar days since it was stated. There is no date by which it is due.
    pub age_days: Option<i32>,
    /// How many entries of the catalogue were proposed when it was stated.
    pub proposals_count: usize,
    /// Number of the application upward that it went into.
    pub application_number: Option<String>,
    /// What the viewer may do: `confirm_match`, `direct`, `answer`, `withdraw`, `merge_upward`.
    pub actions: Vec<&'static str>,
}

/// A demand in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandView {
    #[serde(flatten)]
    pub line: DemandLineView,
    /// Content and fields wanted.
    pub wanted: String,
    pub purpose: String,
    pub duty: String,
    pub stated_by_name: String,
    /// The authority that received it.
    pub receiver_department_id: String,
    pub receiver_name: String,
    /// Why it is that authority; absent where the regulation says nothing.
    pub clause: Option<ClauseView>,
    /// Entries proposed when it was stated, best first.
    pub proposals: Vec<DemandMatchView>,
    /// The match that a person of the authority confirmed.
    pub confirmed: Option<DemandMatchView>,
    pub answer: Option<DemandAnswerView>,
    pub application: Option<UpwardLineView>,
    /// Rises with every change.
    pub revision: i64,
}

/// An entry of the catalogue that matches a demand.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandMatchView {
    pub entry_id: String,
    pub name: String,
    pub department_id: String,
    pub department_name: String,
}

/// An answer to a demand.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandAnswerView {
    /// `will_provide`, `in_catalogue` or `cannot`.
    #[schema(value_type = String)]
    pub kind: AnswerKind,
    /// The reason, or what else is said.
    pub text: String,
    /// The entry that has it already.
    pub entry: Option<DemandMatchView>,
    /// Who answered; absent where the answer came from above.
    pub department_name: Option<String>,
    /// Instant.
    pub at: String,
}

/// A county list 应用需求数据清单: made once, never changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandListView {
    pub list_id: String,
    /// Version: 1, 2, ...
    pub no: i64,
    /// The authority that made it.
    pub department_id: String,
    pub department_name: String,
    /// Demands merged.
    pub demands_count: i64,
    /// Lines that they became.
    pub lines_count: i64,
    pub made_by_name: String,
    /// Instant.
    pub made_at: String,
    pub clause: Option<ClauseView>,
}

/// A county list with its lines, as they were when it was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandListDetailView {
    #[serde(flatten)]
    pub list: DemandListView,
    pub lines: Vec<DemandListLineView>,
    /// Where the next lines begin; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A line of a county list: one thing that is wanted, by one or several.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandListLineView {
    pub no: i64,
    pub title: String,
    pub wanted: String,
    /// `county`, `city`, `province`, `state`.
    #[schema(value_type = String)]
    pub level: ResourceLevel,
    /// The matched provider, as far as it is known.
    pub provider_department_id: Option<String>,
    pub provider_name: Option<String>,
    /// The matching entry of the catalogue, where one was confirmed.
    pub entry_id: Option<String>,
    pub entry_name: Option<String>,
    pub requesters: Vec<DemandRequesterView>,
}

/// Who needs what stands in a line, or is to use what is applied for.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemandRequesterView {
    pub department_id: String,
    pub department_name: String,
    pub demand_id: String,
    pub number: String,
    pub purpose: String,
}

/// An application upward: for one resource, for all that need it.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpwardLineView {
    pub application_id: String,
    pub number: String,
    /// `city`, `province`, `state`.
    #[schema(value_type = String)]
    pub level: ResourceLevel,
    pub resource: String,
    /// `merged`, `sent` or `answered`.
    #[schema(value_type = String)]
    pub state: UpwardState,
    /// Instants.
    pub merged_at: String,
    pub sent_at: Option<String>,
    /// Number of the letter upward.
    pub sent_reference: Option<String>,
    pub answered_at: Option<String>,
    /// Number of the letter from above.
    pub answer_reference: Option<String>,
    /// `will_provide` or `cannot`.
    #[schema(value_type = Option<String>)]
    pub answer_kind: Option<AnswerKind>,
    pub answer_text: Option<String>,
    pub clause: Option<ClauseView>,
}

/// An application upward with its users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpwardView {
    #[serde(flatten)]
    pub application: UpwardLineView,
    pub applicant_department_id: String,
    pub applicant_name: String,
    pub users: Vec<DemandRequesterView>,
    pub revision: i64,
    /// What the viewer may do: `send`, `record_answer`.
    pub actions: Vec<&'static str>,
}

/// A clause as it was kept with a list or application.
pub(super) fn kept_clause(kept: Option<&String>, pack: &Pack) -> Option<ClauseView> {
    let id = ClauseId::parse(kept?).ok()?;
    Some(clause_view(&id, pack))
}

/// An application as lists and demands show it.
pub(super) fn upward_line(upward: &Upward, pack: &Pack) -> UpwardLineView {
    UpwardLineView {
        application_id: upward.id.clone(),
        number: upward.number.clone(),
        level: upward.level,
        resource: upward.resource.clone(),
        state: upward.state,
        merged_at: upward.merged_at.to_string(),
        sent_at: upward.sent_at.map(|at| at.to_string()),
        sent_reference: upward.sent_reference.clone(),
        answered_at: upward.answered_at.map(|at| at.to_string()),
        answer_reference: upward.answer_reference.clone(),
        answer_kind: upward.answer.as_ref().map(|a| a.kind),
        answer_text: upward.answer.as_ref().map(|a| a.text.clone()),
        clause: kept_clause(upward.clause.as_ref(), pack),
    }
}

/// A county list as lists show it.
pub(super) fn list_view(
    list: &DemandList,
    pack: &Pack,
    department_name: String,
    made_by_name: String,
) -> DemandListView {
    DemandListView {
        list_id: list.id.clone(),
        no: list.no,
        department_id: list.receiver.to_string(),
        department_name,
        demands_count: list.demands_count,
        lines_count: list.lines_count,
        made_by_name,
        made_at: list.made_at.to_string(),
        clause: kept_clause(list.clause.as_ref(), pack),
    }
}

/// A line with its number.
pub(super) fn line_view((no, line): (i64, ListLine)) -> DemandListLineView {
    DemandListLineView {
        no,
        title: line.title,
        wanted: line.wanted,
        level: line.level,
        provider_department_id: line.provider_id,
        provider_name: line.provider_name,
        entry_id: line.entry_id,
        entry_name: line.entry_name,
        requesters: line
            .requesters
            .into_iter()
            .map(|r| DemandRequesterView {
                department_id: r.department_id,
                department_name: r.department_name,
                demand_id: r.demand_id,
                number: r.number,
                purpose: r.purpose,
            })
            .collect(),
    }
}
