//! Who answers for what in a department, published to all departments, and what is still missing.
//! Spec: YC-7.2, YJ-2.2, YJ-4.2.1, PDS-6.3.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Role, Subject},
    ids::DepartmentId,
};
use utoipa::ToSchema;

use super::{
    departments::{NAME_CHARS_MAX, active},
    read_department::{DepartmentDetail, detail},
    store,
};
use crate::platform::{
    db::{Db, DbError},
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
};

/// The longest phone number, in characters, with room for an extension.
pub(super) const PHONE_CHARS_MAX: usize = 40;

/// What somebody answers for in a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Duty {
    /// 第一责任人, the principal head.
    FirstResponsible,
    /// 牵头科室, an office.
    LeadOffice,
    /// 分管领导.
    LeaderInCharge,
    /// 数据专员, who authorises.
    DataOfficer,
    /// 技术支持人员.
    Technical,
}

impl Duty {
    pub(super) const ALL: [Self; 5] = [
        Self::FirstResponsible,
        Self::LeadOffice,
        Self::LeaderInCharge,
        Self::DataOfficer,
        Self::Technical,
    ];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::FirstResponsible => "first_responsible",
            Self::LeadOffice => "lead_office",
            Self::LeaderInCharge => "leader_in_charge",
            Self::DataOfficer => "data_officer",
            Self::Technical => "technical",
        }
    }

    pub(super) fn find(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.code() == code)
    }
}

/// A person or office that answers for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact {
    pub duty: Duty,
    pub name: String,
    pub phone: String,
}

/// A contact: name of the person or office, and phone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactBody {
    pub name: String,
    #[serde(default)]
    pub phone: String,
}

/// Who answers in a department. A duty that is left out is taken away.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactsBody {
    /// First responsible person 第一责任人.
    #[serde(default)]
    pub first_responsible: Option<ContactBody>,
    /// Lead office 牵头科室.
    #[serde(default)]
    pub lead_office: Option<ContactBody>,
    /// Leader in charge 分管领导.
    #[serde(default)]
    pub leader_in_charge: Option<ContactBody>,
    /// Data officer 数据专员, who authorises.
    #[serde(default)]
    pub data_officer: Option<ContactBody>,
    /// Technical contact 技术支持人员; the phone is needed.
    #[serde(default)]
    pub technical: Option<ContactBody>,
}

impl ContactsBody {
    /// The contacts, or the faults as field and code.
    pub(super) fn parse(self) -> Result<Vec<Contact>, Vec<(String, &'static str)>> {
        let given = [
            (Duty::FirstResponsible, self.first_responsible),
            (Duty::LeadOffice, self.lead_office),
            (Duty::LeaderInCharge, self.leader_in_charge),
            (Duty::DataOfficer, self.data_officer),
            (Duty::Technical, self.technical),
        ];
        let mut faults = Vec::new();
        let mut contacts = Vec::new();
        for (duty, body) in given {
            let Some(body) = body else { continue };
            let (name, phone) = (body.name.trim().to_owned(), body.phone.trim().to_owned());
            let field = |part: &str| format!("contacts.{}.{part}", duty.code());
            if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
                faults.push((field("name"), "directory.name"));
            }
            if let Some(code) = phone_fault(&phone, duty) {
                faults.push((field("phone"), code));
            }
            contacts.push(Contact { duty, name, phone });
        }
        if faults.is_empty() {
            Ok(contacts)
        } else {
            Err(faults)
        }
    }

    pub(super) fn of(contacts: &[Contact]) -> Self {
        let find = |duty| {
            contacts
                .iter()
                .find(|c| c.duty == duty)
                .map(|c| ContactBody {
                    name: c.name.clone(),
                    phone: c.phone.clone(),
                })
        };
        Self {
            first_responsible: find(Duty::FirstResponsible),
            lead_office: find(Duty::LeadOffice),
            leader_in_charge: find(Duty::LeaderInCharge),
            data_officer: find(Duty::DataOfficer),
            technical: find(Duty::Technical),
        }
    }
}

/// What is wrong with a phone number. Whoever gives technical support has to be reachable. Spec: PDS-6.3.
pub(super) fn phone_fault(phone: &str, duty: Duty) -> Option<&'static str> {
    let fits = phone.chars().count() <= PHONE_CHARS_MAX
        && phone
            .chars()
            .all(|c| c.is_ascii_digit() || " +-()（）转、,，;；".contains(c));
    if !fits {
        Some("directory.phone")
    } else if phone.is_empty() && duty == Duty::Technical {
        Some("directory.phone_needed")
    } else {
        None
    }
}

/// Say who answers in a department. For system administrators, and for the department's head and data officers.
#[utoipa::path(put, path = "/departments/{department_id}/contacts", tag = "directory",
    operation_id = "save_contacts", params(("department_id" = String, Path)), request_body = ContactsBody,
    responses((status = 200, body = DepartmentDetail), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn save_contacts(
    ctx: Ctx,
    Path(department_id): Path<String>,
    Json(body): Json<ContactsBody>,
) -> Reply<DepartmentDetail> {
    let mut tx = ctx.begin().await?;
    let department = active(&mut tx, &department_id).await?;
    ctx.must(Action::ManageContacts, &Subject::Department(&department.id))?;
    let contacts = body.parse().map_err(|faults| {
        faults.into_iter().fold(
            ApiError::invalid("directory.invalid"),
            |e, (field, code)| e.field(field, code),
        )
    })?;
    store::replace_contacts(&mut tx, &department.id, &contacts).await?;
    let duties: Vec<&str> = contacts.iter().map(|c| c.duty.code()).collect();
    tx.commit(
        ctx.did("directory.contacts_saved")
            .on("department", &department.id)
            .with("duties", duties.join(" ")),
    )
    .await?;
    let mut db = ctx.read().await?;
    reply(detail(&ctx, &mut db, &department.id).await?)
}

/// A department that hasn't named everybody it has to.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapsView {
    pub department_id: String,
    pub department_name: String,
    /// The regulation applies by reference only, so this is advice. Spec: YC-44.
    pub advisory: bool,
    /// `first_responsible`, `lead_office`, `leader_in_charge`, `data_officer`, `technical`.
    pub missing: Vec<&'static str>,
}

/// Departments that haven't named a first responsible person, a lead office, a leader in charge, a data
/// officer or technical support; those that must come before those for which it is advice.
///
/// A data officer with an account counts as named. For whoever reads statistics or keeps the directory.
#[utoipa::path(get, path = "/departments/gaps", tag = "directory", operation_id = "list_gaps",
    responses((status = 200, body = Page<GapsView>), (status = 403, body = Problem)))]
pub async fn list_gaps(ctx: Ctx) -> Reply<Page<GapsView>> {
    if !ctx.may(Action::ReadDirectory, &Subject::Platform) {
        ctx.must(Action::ReadReport, &Subject::Platform)?;
    }
    let mut db = ctx.read().await?;
    reply(Page {
        items: gaps(&mut db).await?,
        next_cursor: None,
    })
}

async fn gaps(db: &mut Db) -> Result<Vec<GapsView>, DbError> {
    let contacts = store::contacts(db).await?;
    let mut officers: BTreeMap<DepartmentId, usize> = BTreeMap::new();
    for person in store::people(db).await?.into_iter().filter(|p| p.active) {
        for (department, roles) in person.posts {
            if roles.contains(&Role::DataOfficer) {
                *officers.entry(department).or_default() += 1;
            }
        }
    }
    let mut gaps: Vec<GapsView> = store::departments(db)
        .await?
        .into_iter()
        .filter(store::Department::is_active)
        .filter_map(|department| {
            let named = contacts.get(department.id.as_str());
            let is_named = |duty: Duty| {
                named.is_some_and(|list| list.iter().any(|c| c.duty == duty))
                    || (duty == Duty::DataOfficer && officers.contains_key(&department.id))
            };
            let missing: Vec<&str> = Duty::ALL
                .into_iter()
                .filter(|duty| !is_named(*duty))
                .map(Duty::code)
                .collect();
            (!missing.is_empty()).then(|| GapsView {
                department_id: department.id.to_string(),
                department_name: department.name,
                advisory: department.by_reference,
                missing,
            })
        })
        .collect();
    gaps.sort_by_key(|g| g.advisory);
    Ok(gaps)
}
