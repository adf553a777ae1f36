//! Who may do what: one pure function, [`may`], over one table.
//!
//! A post alone never suffices: it has to reach the department or case at hand, the act must not
//! judge the person's own request, a contractor never approves, and the three administrators
//! (三员: system, security, audit) are kept apart from each other and from all business.
//! Who holds a step of a case comes from the rule pack (`law`), not from here.
//!
//! A change usually starts in `table.rs`: one line per action.

mod actor;
mod decision;
mod delegate;
mod table;

#[cfg(test)]
mod tests;

use crate::ids::{DepartmentId, PersonId};
use crate::law::words::words;

pub use actor::{Actor, Delegation, PostsConflict, Succession, check_posts};
pub use decision::{Because, Decision};
pub use delegate::{DelegationFault, DelegationPlan, Deputy, check_delegation};

words! {
    /// A post that a person holds in a department.
    Role {
        DataOfficer = "data_officer" / "数据专员" / "data officer",
        Head = "head" / "部门负责人" / "head of department",
        Operator = "operator" / "平台运营" / "platform operator",
        Authority = "authority" / "主管部门" / "authority for data sharing",
        CountyAuthority = "county_authority" / "县级主管部门" / "county authority",
        Citizen = "citizen" / "公民、法人" / "citizen or legal person",
        Developer = "developer" / "开发人员" / "developer",
        SecurityAdmin = "security_admin" / "安全管理员" / "security administrator",
        SystemAdmin = "system_admin" / "系统管理员" / "system administrator",
        Auditor = "auditor" / "审计员" / "auditor",
        Leader = "leader" / "领导" / "leader",
        Supervisor = "supervisor" / "监督检查人员" / "supervisor",
    }
}

impl Role {
    /// Whether it is one of the three administrators 三员.
    #[must_use]
    pub fn is_administrator(self) -> bool {
        matches!(
            self,
            Self::SecurityAdmin | Self::SystemAdmin | Self::Auditor
        )
    }

    /// Whether it goes with no other post: the three administrators, and whoever supervises from outside.
    ///
    /// Spec: YC-34.
    #[must_use]
    pub fn stands_alone(self) -> bool {
        self.is_administrator() || self == Self::Supervisor
    }

    /// Whether its holder decides in the name of a body; a contractor never does.
    ///
    /// Spec: YJ-2.3.
    #[must_use]
    pub fn approves(self) -> bool {
        matches!(
            self,
            Self::DataOfficer | Self::Head | Self::Authority | Self::CountyAuthority
        )
    }
}

words! {
    /// What somebody wants to do on the platform.
    Action {
        BrowseCatalogue = "browse_catalogue" / "查询目录" / "browse the catalogue",
        CompileCatalogue = "compile_catalogue" / "编制目录" / "compile catalogue entries",
        SubmitCatalogue = "submit_catalogue" / "提交目录审核" / "submit entries for review",
        ReviewCatalogue = "review_catalogue" / "审核目录" / "review submitted entries",
        PublishCatalogue = "publish_catalogue" / "发布目录" / "publish entries",
        MountEntry = "mount_entry" / "挂接数据" / "mount an entry",
        ManageStore = "manage_store" / "管理前置库" / "manage an exchange store",
        FileRequest = "file_request" / "提出申请" / "file a request",
        StateDemand = "state_demand" / "提出需求" / "state a demand",
        AnswerDemand = "answer_demand" / "答复需求" / "answer a demand",
        Attach = "attach" / "上传附件" / "upload an attachment",
        ReadCase = "read_case" / "查看办件" / "read a case",
        TakeStep = "take_step" / "办理环节" / "take a step of a case",
        WithdrawCase = "withdraw_case" / "撤回申请" / "withdraw a request",
        UrgeStep = "urge_step" / "催办" / "urge a step",
        ReadGrant = "read_grant" / "查看授权" / "read a grant",
        Deliver = "deliver" / "执行交换" / "deliver data",
        ReadRun = "read_run" / "查看交换记录" / "read exchange runs",
        StartRun = "start_run" / "启动交换" / "start an exchange run",
        ReadQuarantine = "read_quarantine" / "查看隔离数据" / "read quarantined rows",
        ReadReport = "read_report" / "查看统计" / "read reports",
        LoadCalendar = "load_calendar" / "加载工作日历" / "load a working-day calendar",
        ManageRules = "manage_rules" / "管理规则包" / "manage rule packs",
        ManageDirectory = "manage_directory" / "管理机构和人员" / "manage departments and people",
        ReadDirectory = "read_directory" / "查看人员名册" / "read the list of people",
        ManageContacts = "manage_contacts" / "维护部门联系人" / "keep a department's contacts",
        ManageSettings = "manage_settings" / "管理系统参数" / "manage settings",
        ManageSecurity = "manage_security" / "管理安全策略" / "manage security policy",
        AssignPosts = "assign_posts" / "授予岗位" / "assign posts",
        ReadLedger = "read_ledger" / "查看存证" / "read the ledger",
        ReadSupervision = "read_supervision" / "查看督查事项" / "read supervision matters",
        Supervise = "supervise" / "督查督办" / "supervise",
    }
}

/// What the action is done to.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// The platform as a whole.
    Platform,
    /// Something that belongs to a department: a draft, a mounting, an exchange store.
    Department(&'a DepartmentId),
    /// Something submitted for review.
    Submission {
        /// Whose it is.
        department: &'a DepartmentId,
        /// Who submitted it.
        submitted_by: &'a PersonId,
    },
    /// A case, grant, subscription or run between departments.
    Parties(&'a [&'a DepartmentId]),
    /// A step of a case.
    Step(StepSubject<'a>),
}

/// A step of a case, as far as it matters for who may take it.
#[derive(Debug, Clone, Copy)]
pub struct StepSubject<'a> {
    /// The department that holds the step; `None` where any department or an outsider may.
    pub department: Option<&'a DepartmentId>,
    /// The posts of which one is needed.
    pub posts: &'a [Role],
    /// What is done.
    pub action: crate::law::Action,
    /// Who filed the case; `None` if the platform itself opened it.
    pub filed_by: Option<&'a PersonId>,
}

/// Decides whether `actor` may do `action` to `subject`, and says why or why not.
///
/// Total: every combination has an answer, and what the table doesn't name is refused.
///
/// Spec: PDS-9, PDS-10.2b (who acts in a step); the separation of the three administrators and the
/// ban on deciding one's own request are rules of the platform.
#[must_use]
pub fn may(actor: &Actor, action: Action, subject: &Subject<'_>) -> Decision {
    if let Err(conflict) = check_posts(&actor.roles) {
        return Decision::no(Because::PostsConflict(conflict));
    }
    match subject {
        Subject::Step(step) if action == Action::TakeStep => may_take(actor, step),
        Subject::Step(_) => Decision::no(Because::WrongSubject),
        Subject::Platform
        | Subject::Department(_)
        | Subject::Submission { .. }
        | Subject::Parties(_) => table::look_up(actor, action, subject),
    }
}

fn may_take(actor: &Actor, step: &StepSubject<'_>) -> Decision {
    if step.action.approves() && actor.contractor {
        return Decision::no(Because::Contractor);
    }
    if step.action.judges() && step.filed_by == Some(&actor.person) {
        return Decision::no(Because::OwnRequest);
    }
    let mut elsewhere = false;
    for held in actor.posts_today() {
        if !step.posts.contains(&held.role) {
            continue;
        }
        if step
            .department
            .is_none_or(|department| held.answers_for(department))
        {
            if step.action.judges()
                && held
                    .on_behalf_of()
                    .is_some_and(|principal| step.filed_by == Some(principal))
            {
                return Decision::no(Because::OwnRequest);
            }
            return Decision::yes(held.because());
        }
        elsewhere = true;
    }
    Decision::no(if elsewhere {
        Because::OtherDepartment
    } else {
        Because::NoPost
    })
}
