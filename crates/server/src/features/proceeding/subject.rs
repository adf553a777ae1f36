//! What a case is about, and what the platform knows of it: departments and facts.

use serde::{Deserialize, Serialize};
use tongqu_domain::{
    ids::{CaseId, DepartmentId, EntryId, GrantId, RequestId},
    law::{FactValue, Facts},
};
use utoipa::ToSchema;

use crate::{
    features::{case, catalogue, directory, request},
    platform::{
        db::Db,
        http::{ApiError, Ctx},
    },
};

/// What a case may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A catalogue entry.
    Entry,
    /// A grant.
    Grant,
    /// A sharing request.
    Request,
    /// Another case.
    Case,
    /// A department.
    Department,
    /// Something that the platform keeps no record of but the title: a project, an incident, a demand.
    Matter,
}

impl SubjectKind {
    /// The kind as it is stored.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Grant => "grant",
            Self::Request => "request",
            Self::Case => "case",
            Self::Department => "department",
            Self::Matter => "matter",
        }
    }
}

/// The thing a case is about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectBody {
    pub kind: SubjectKind,
    /// Its id; left out for a matter.
    #[serde(default)]
    pub id: String,
}

/// A subject with what the platform knows of it.
#[derive(Debug)]
pub(super) struct Known {
    pub kind: SubjectKind,
    pub id: String,
    /// Its name, for the title of the case.
    pub name: String,
    pub provider: Option<DepartmentId>,
    /// The department that uses the data, where the subject has one.
    pub requester: Option<DepartmentId>,
    pub facts: Facts,
}

/// Looks a subject up.
///
/// Errors: `case.subject_not_found` if there is no such thing.
pub(super) async fn look_up(ctx: &Ctx, db: &mut Db, body: &SubjectBody) -> Result<Known, ApiError> {
    let not_found = || {
        ApiError::invalid("case.subject_not_found").field("subject.id", "case.subject_not_found")
    };
    let bare = |name: String| Known {
        kind: body.kind,
        id: body.id.clone(),
        name,
        provider: None,
        requester: None,
        facts: Facts::new(),
    };
    match body.kind {
        SubjectKind::Matter => Ok(bare(String::new())),
        SubjectKind::Entry => {
            let id = EntryId::parse(&body.id).map_err(|_| not_found())?;
            let known = entry(db, &id).await?.ok_or_else(not_found)?;
            Ok(Known {
                kind: body.kind,
                ..known
            })
        }
        SubjectKind::Grant => {
            let id = GrantId::parse(&body.id).map_err(|_| not_found())?;
            let grant = request::find_grant(db, &id).await?.ok_or_else(not_found)?;
            let about = entry(db, &grant.entry_id).await?.ok_or_else(not_found)?;
            let mode = request::request_of_case(db, &grant.case_id)
                .await?
                .map(|request| request.content.mode);
            Ok(Known {
                kind: body.kind,
                id: body.id.clone(),
                requester: Some(grant.requester),
                facts: with_mode(about.facts.clone(), mode.as_deref()),
                ..about
            })
        }
        SubjectKind::Request => {
            let id = RequestId::parse(&body.id).map_err(|_| not_found())?;
            let (request, _) = request::load_by_id(ctx, db, &id)
                .await?
                .ok_or_else(not_found)?;
            let about = entry(db, &request.content.entry_id)
                .await?
                .ok_or_else(not_found)?;
            Ok(Known {
                kind: body.kind,
                id: body.id.clone(),
                requester: Some(request.requester),
                facts: with_mode(about.facts.clone(), Some(&request.content.mode)),
                ..about
            })
        }
        SubjectKind::Case => {
            let id = CaseId::parse(&body.id).map_err(|_| not_found())?;
            let row = case::find_row(db, &ctx.app, &id)
                .await?
                .ok_or_else(not_found)?;
            let head = row.case.head();
            Ok(Known {
                provider: head.parties.provider.clone(),
                requester: head.parties.requester.clone(),
                ..bare(row.number)
            })
        }
        SubjectKind::Department => {
            let id = DepartmentId::parse(&body.id).map_err(|_| not_found())?;
            let department = directory::find_department(db, &id)
                .await?
                .ok_or_else(not_found)?;
            Ok(Known {
                provider: Some(id),
                ..bare(department.name)
            })
        }
    }
}

/// What is known of an entry: of the published version, or else of the newest.
async fn entry(db: &mut Db, id: &EntryId) -> Result<Option<Known>, ApiError> {
    let Some(entry) = catalogue::find_entry(db, id).await? else {
        return Ok(None);
    };
    let version = match entry.active_no {
        Some(no) => catalogue::find_version(db, id, no).await?,
        None => catalogue::newest_version(db, id).await?,
    };
    let pooled = catalogue::mounting_of(db, id)
        .await?
        .is_some_and(|m| m.pooled);
    let mut facts = Facts::from([("pooled".to_owned(), FactValue::from(pooled))]);
    facts.extend(catalogue::interface_terms(db, id).await?.facts());
    if let Some(version) = &version {
        let content = &version.content;
        facts.insert(
            "class".to_owned(),
            FactValue::from(content.sharing_class.as_str()),
        );
        facts.insert(
            "base_library".to_owned(),
            FactValue::from(content.base_library.is_some()),
        );
        // What the entry says of opening it to the public. Spec: TP-26a.
        let open_class = match (content.open, &content.open_condition) {
            (false, _) => "not_open",
            (true, Some(_)) => "open_on_application",
            (true, None) => "open_unconditional",
        };
        facts.insert("open_class".to_owned(), FactValue::from(open_class));
        if let [mode] = content.modes.as_slice() {
            facts.insert("mode".to_owned(), FactValue::from(mode.as_str()));
        }
    }
    Ok(Some(Known {
        kind: SubjectKind::Entry,
        id: id.to_string(),
        name: entry.name,
        provider: Some(entry.department_id),
        requester: None,
        facts,
    }))
}

fn with_mode(mut facts: Facts, mode: Option<&str>) -> Facts {
    if let Some(mode) = mode {
        facts.insert("mode".to_owned(), FactValue::from(mode));
    }
    facts
}
