//! The words a rule pack is written in: events, actions, outcomes, word deadlines, ways to decide.
//!
//! They are the language, not the law: which step ends in which event, and in how many days, stands
//! in the pack. A regulation that needs a new word gets one line here.

use serde::{Deserialize, Serialize};

/// Makes an enum whose every value has a stable code, a Chinese and an English label.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal / $zh:literal / $en:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $(#[doc = $zh] #[doc = concat!("(", $en, ").")] #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// Every value, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code in packs, stores and interfaces.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The Chinese label.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }

            /// The English label.
            #[must_use]
            pub fn label_en(self) -> &'static str {
                match self { $(Self::$variant => $en,)+ }
            }

            /// The value with this code; `None` if there is none.
            #[must_use]
            pub fn find(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.code() == code)
            }
        }

        impl $crate::law::Named for $name {
            fn name(&self) -> &str {
                self.label()
            }

            fn name_en(&self) -> &str {
                self.label_en()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Something that happens in or around a case and may open a step or start a clock.
    Event {
        ApplicationSubmitted = "application_submitted" / "申请提交" / "application submitted",
        ApplicationReceived = "application_received" / "收到申请" / "application received",
        ApplicationAccepted = "application_accepted" / "申请受理" / "application accepted",
        ApplicationForwarded = "application_forwarded" / "申请转交提供方" / "application forwarded",
        ApplicationsMerged = "applications_merged" / "申请汇总" / "applications merged",
        ApplicationFiledUpward = "application_filed_upward" / "申请上报" / "application filed upward",
        ProviderNotified = "provider_notified" / "通知提供方" / "provider notified",
        CountyReviewed = "county_reviewed" / "县级审核完成" / "reviewed by the county",
        ApprovalReceived = "approval_received" / "收到同意意见" / "approval received",
        AuthorisationReceived = "authorisation_received" / "收到授权" / "authorisation received",
        Decided = "decided" / "作出审批" / "decided",
        AcceptanceAnswered = "acceptance_answered" / "答复受理意见" / "acceptance answered",
        Answered = "answered" / "答复结果" / "answered",
        DataDelivered = "data_delivered" / "数据交换到位" / "data delivered",
        DataChanged = "data_changed" / "源头数据变化" / "data changed at the source",
        DataSupplied = "data_supplied" / "数据汇聚到平台" / "data supplied to the platform",
        LawOrFunctionChanged = "law_or_function_changed" / "法律法规或职能变化" / "law or function changed",
        ChangeApplicationFiled = "change_application_filed" / "提出目录变更" / "catalogue change filed",
        ChangeApplicationReceived = "change_application_received" / "收到目录变更" / "catalogue change received",
        CatalogueUpdated = "catalogue_updated" / "目录更新" / "catalogue updated",
        IssueFound = "issue_found" / "发现疑义" / "issue found",
        IssueReported = "issue_reported" / "反馈疑义" / "issue reported",
        CorrectionReceived = "correction_received" / "收到疑义反馈" / "correction request received",
        CorrectionDone = "correction_done" / "处理并答复" / "correction done",
        ProviderUrged = "provider_urged" / "督促提供方" / "provider urged",
        ObjectionRaised = "objection_raised" / "提出异议" / "objection raised",
        ConsultationHeld = "consultation_held" / "会商完成" / "consultation held",
        Escalated = "escalated" / "报请上级" / "escalated",
        Authorised = "authorised" / "授权生效" / "grant became active",
        LastUsed = "last_used" / "最近一次使用" / "last used",
        GrantExpired = "grant_expired" / "授权期满" / "grant expired",
        GrantSuspended = "grant_suspended" / "暂停或终止服务" / "service suspended or ended",
        GrantResumed = "grant_resumed" / "恢复授权" / "grant resumed",
        GrantReclaimed = "grant_reclaimed" / "收回授权" / "grant reclaimed",
        IncidentFound = "incident_found" / "发现安全事件" / "incident found",
        FaultFound = "fault_found" / "发现故障" / "fault found",
        MethodChanged = "method_changed" / "调整使用方式" / "access method changed",
        ItemApproved = "item_approved" / "数据项核定" / "item approved",
        DemandReceived = "demand_received" / "收到共享需求" / "demand received",
        RectificationNeeded = "rectification_needed" / "需要整改" / "rectification needed",
        RectificationNotified = "rectification_notified" / "发出整改通知" / "rectification notified",
        CircularIssued = "circular_issued" / "发出书面通报" / "circular issued",
        RectificationOrdered = "rectification_ordered" / "责令限期改正" / "ordered to correct",
        RectificationDone = "rectification_done" / "完成整改" / "rectification done",
        Referred = "referred" / "移送" / "referred",
        AgreementSigned = "agreement_signed" / "签订协议" / "agreement signed",
        Filed = "filed" / "备案" / "put on file",
        Released = "released" / "对外提供" / "released outside",
        Classified = "classified" / "认定共享类型" / "class determined",
        ClassificationNeeded = "classification_needed" / "需要认定共享类型" / "class to be determined",
        CataloguePublished = "catalogue_published" / "发布目录" / "catalogue published",
        ProjectSubmitted = "project_submitted" / "项目送审" / "project submitted",
        SystemRegistered = "system_registered" / "登记上级部署的系统" / "system of a superior registered",
        Assessed = "assessed" / "完成评估" / "assessed",
        SharingArranged = "sharing_arranged" / "商定共享方式" / "way of sharing arranged",
    }
}

impl Event {
    /// Whether the world makes it happen, rather than a step of a case. Only such events may start a
    /// case or be noted in one from outside.
    #[must_use]
    pub fn is_outside(self) -> bool {
        match self {
            Self::DataChanged
            | Self::LawOrFunctionChanged
            | Self::IssueFound
            | Self::ObjectionRaised
            | Self::Authorised
            | Self::LastUsed
            | Self::GrantExpired
            | Self::IncidentFound
            | Self::FaultFound
            | Self::MethodChanged
            | Self::DemandReceived
            | Self::RectificationNeeded
            | Self::ClassificationNeeded
            | Self::ProjectSubmitted
            | Self::SystemRegistered => true,
            Self::ApplicationSubmitted
            | Self::ApplicationReceived
            | Self::ApplicationAccepted
            | Self::ApplicationForwarded
            | Self::ApplicationsMerged
            | Self::ApplicationFiledUpward
            | Self::ProviderNotified
            | Self::CountyReviewed
            | Self::ApprovalReceived
            | Self::AuthorisationReceived
            | Self::Decided
            | Self::AcceptanceAnswered
            | Self::Answered
            | Self::DataDelivered
            | Self::DataSupplied
            | Self::ChangeApplicationFiled
            | Self::ChangeApplicationReceived
            | Self::CatalogueUpdated
            | Self::IssueReported
            | Self::CorrectionReceived
            | Self::CorrectionDone
            | Self::ProviderUrged
            | Self::ConsultationHeld
            | Self::Escalated
            | Self::GrantSuspended
            | Self::GrantResumed
            | Self::GrantReclaimed
            | Self::ItemApproved
            | Self::RectificationNotified
            | Self::CircularIssued
            | Self::RectificationOrdered
            | Self::RectificationDone
            | Self::Referred
            | Self::AgreementSigned
            | Self::Filed
            | Self::Released
            | Self::Classified
            | Self::CataloguePublished
            | Self::Assessed
            | Self::SharingArranged => false,
        }
    }
}

words! {
    /// What is done in a step.
    Action {
        File = "file" / "提交" / "file",
        Notify = "notify" / "通知" / "notify",
        Check = "check" / "规范性检查" / "check form compliance",
        Review = "review" / "审核" / "review",
        Forward = "forward" / "转交" / "forward",
        Decide = "decide" / "审批" / "decide",
        Explain = "explain" / "说明不予共享的理由" / "explain a refusal in writing",
        Authorise = "authorise" / "授权" / "authorise",
        Deliver = "deliver" / "交换" / "deliver",
        Obtain = "obtain" / "直接获取" / "obtain directly",
        Supply = "supply" / "提供数据" / "supply data",
        Answer = "answer" / "答复" / "answer",
        Consult = "consult" / "会商" / "consult",
        Escalate = "escalate" / "报请协调" / "escalate",
        Refer = "refer" / "移送" / "refer",
        Extend = "extend" / "延期" / "extend a limit",
        Merge = "merge" / "汇总" / "merge",
        Report = "report" / "反馈" / "report",
        Handle = "handle" / "核查处理" / "handle",
        Urge = "urge" / "督促" / "urge",
        Compile = "compile" / "编制" / "compile",
        Update = "update" / "更新" / "update",
        Publish = "publish" / "发布" / "publish",
        Determine = "determine" / "认定" / "determine",
        Sign = "sign" / "签订" / "sign",
        Assess = "assess" / "评估" / "assess",
        Inspect = "inspect" / "检查" / "inspect",
        Order = "order" / "责令整改" / "order to rectify",
        Suspend = "suspend" / "暂停或终止" / "suspend or end",
        Resume = "resume" / "恢复" / "resume",
        Reclaim = "reclaim" / "收回" / "reclaim",
        Respond = "respond" / "处置" / "respond",
        Uphold = "uphold" / "照常办理" / "keep serving",
        Opine = "opine" / "出具意见" / "give an opinion",
        Arrange = "arrange" / "商定" / "arrange",
        Circulate = "circulate" / "书面通报" / "issue a circular",
        Rectify = "rectify" / "整改" / "rectify",
        Release = "release" / "对外提供" / "release outside",
        Close = "close" / "终结" / "close",
    }
}

impl Action {
    /// The ways the action can end. The first is the good one: what a forecast of dates assumes.
    #[must_use]
    pub fn outcomes(self) -> &'static [Outcome] {
        match self {
            Self::Check | Self::Review => &[Outcome::Accepted, Outcome::NotAccepted],
            Self::Decide => &[Outcome::Approved, Outcome::Refused],
            Self::Consult => &[Outcome::Agreed, Outcome::NotAgreed],
            Self::Suspend => &[Outcome::Suspended, Outcome::Ended],
            Self::Resume => &[Outcome::Resumed],
            Self::Explain => &[Outcome::Refused],
            Self::File
            | Self::Notify
            | Self::Forward
            | Self::Authorise
            | Self::Deliver
            | Self::Obtain
            | Self::Supply
            | Self::Answer
            | Self::Escalate
            | Self::Refer
            | Self::Extend
            | Self::Merge
            | Self::Report
            | Self::Handle
            | Self::Urge
            | Self::Compile
            | Self::Update
            | Self::Publish
            | Self::Determine
            | Self::Sign
            | Self::Assess
            | Self::Inspect
            | Self::Order
            | Self::Reclaim
            | Self::Respond
            | Self::Uphold
            | Self::Opine
            | Self::Arrange
            | Self::Circulate
            | Self::Rectify
            | Self::Release
            | Self::Close => &[Outcome::Done],
        }
    }

    /// The outcome that a forecast assumes.
    #[must_use]
    pub fn good_outcome(self) -> Outcome {
        self.outcomes()[0]
    }

    /// Whether it binds the body that does it, so that a contractor may never take it.
    #[must_use]
    pub fn approves(self) -> bool {
        matches!(
            self,
            Self::Review
                | Self::Decide
                | Self::Authorise
                | Self::Extend
                | Self::Publish
                | Self::Determine
                | Self::Order
                | Self::Circulate
                | Self::Suspend
                | Self::Resume
                | Self::Reclaim
        )
    }

    /// Whether it judges somebody's request, so that the person who filed it may never take it.
    #[must_use]
    pub fn judges(self) -> bool {
        self.approves() || matches!(self, Self::Check)
    }

    /// Whether the platform's own machinery can bring it about: data that arrived, a message sent.
    #[must_use]
    pub fn is_by_machine(self) -> bool {
        matches!(
            self,
            Self::Deliver | Self::Obtain | Self::Supply | Self::Notify
        )
    }

    /// Whether the requester can't take the request back once it is done.
    #[must_use]
    pub fn settles(self) -> bool {
        matches!(
            self,
            Self::Decide | Self::Authorise | Self::Deliver | Self::Obtain
        )
    }
}

words! {
    /// How a step ended.
    Outcome {
        Done = "done" / "已办" / "done",
        Accepted = "accepted" / "受理" / "accepted",
        NotAccepted = "not_accepted" / "不予受理" / "not accepted",
        Approved = "approved" / "同意" / "approved",
        Refused = "refused" / "不同意" / "refused",
        Agreed = "agreed" / "达成一致" / "agreed",
        NotAgreed = "not_agreed" / "未达成一致" / "not agreed",
        Suspended = "suspended" / "暂停" / "suspended",
        Resumed = "resumed" / "恢复" / "resumed",
        Ended = "ended" / "终止" / "ended",
    }
}

impl Outcome {
    /// The fact that the outcome settles for the later steps, for example `approved` = true.
    #[must_use]
    pub fn fact(self) -> Option<(&'static str, bool)> {
        match self {
            Self::Accepted => Some(("accepted", true)),
            Self::NotAccepted => Some(("accepted", false)),
            Self::Approved => Some(("approved", true)),
            Self::Refused => Some(("approved", false)),
            Self::Agreed => Some(("agreed", true)),
            Self::NotAgreed => Some(("agreed", false)),
            Self::Suspended => Some(("suspended", true)),
            Self::Resumed => Some(("suspended", false)),
            Self::Done | Self::Ended => None,
        }
    }
}

words! {
    /// A limit that the law gives in a word, without a number. It has an age and is never overdue.
    LimitWord {
        Promptly = "promptly" / "及时" / "promptly",
        Immediately = "immediately" / "立即" / "immediately",
        Realtime = "realtime" / "实时" / "in real time",
        Periodic = "periodic" / "定期" / "periodically",
        SameTime = "same_time" / "同时" / "at the same time",
        SetInOrder = "set_in_order" / "限期" / "by the date set in the order",
    }
}

words! {
    /// Who decides on a request.
    DecidedBy {
        RequesterSelfService = "requester_self_service" / "需求方直接获取" / "the requester obtains it directly",
        Platform = "platform" / "平台直接办理" / "the platform unit",
        Provider = "provider" / "提供方审批" / "the provider",
        ProviderAfterPlatformCheck = "provider_after_platform_check" / "平台检查后由提供方审批" / "the provider, after the platform's check",
        Authority = "authority" / "主管部门审批" / "the authority",
        AuthorityThenProviderConsult = "authority_then_provider_consult" / "主管部门与提供方会商" / "the authority in consultation with the provider",
        PartiesByFiledAgreement = "parties_by_filed_agreement" / "按备案协议" / "the parties, by a filed agreement",
        NobodyNotOffered = "nobody_not_offered" / "不予共享" / "nobody: not offered",
    }
}

words! {
    /// When a step demands a stated reason.
    ReasonRule {
        OnRefusal = "on_refusal" / "不同意须说明理由" / "on refusal",
        OnNonAcceptance = "on_nonacceptance" / "不予受理须说明理由" / "on non-acceptance",
        Always = "always" / "须说明理由" / "always",
    }
}

impl ReasonRule {
    /// Whether a step that ends this way needs a reason.
    #[must_use]
    pub fn demands(self, outcome: Outcome) -> bool {
        match self {
            Self::OnRefusal => outcome == Outcome::Refused,
            Self::OnNonAcceptance => outcome == Outcome::NotAccepted,
            Self::Always => true,
        }
    }
}

words! {
    /// How a step comes to be taken.
    StepKind {
        Required = "required" / "必经" / "required",
        Automatic = "automatic" / "平台自动" / "taken by the platform itself, at the moment it opens",
        Optional = "optional" / "可选" / "optional: the case ends without it",
        Duty = "duty" / "持续义务" / "a duty while the case is open; nobody completes it",
    }
}

words! {
    /// What departments hand in beside cases.
    HandedIn {
        Catalogue = "catalogue" / "目录清单" / "catalogue list",
        Demands = "demands" / "需求清单" / "demand list",
        PaperApplications = "paper_applications" / "纸质申请" / "application on paper",
    }
}

words! {
    /// Whose department acts in a role.
    HeldBy {
        Requester = "requester" / "本案需求方" / "the requester of the case",
        Provider = "provider" / "本案提供方" / "the provider of the case",
        Bound = "bound" / "指定单位" / "the department bound to the role",
        Outside = "outside" / "平台外人员" / "persons outside the departments",
        Every = "every" / "各部门" / "every department",
    }
}

words! {
    /// What the platform doesn't do before it was approved.
    BarredAct {
        Deliver = "deliver" / "提供数据" / "deliver data under a grant",
        Publish = "publish" / "发布目录" / "publish a catalogue entry",
    }
}

words! {
    /// Where a fact about a case comes from.
    FactSource {
        Platform = "platform" / "平台掌握" / "the platform knows it",
        Form = "form" / "申请填写" / "asked when filing",
        Step = "step" / "办理中认定" / "established by a step",
    }
}

/// The facts about a case that the platform itself can tell. A pack may ask for no other ones with
/// `from = "platform"`, unless it says by which case they are shown: a step that waits for them would
/// never open.
pub const PLATFORM_FACTS: &[&str] = &[
    "class",
    "mode",
    "pooled",
    "base_library",
    "param_control",
    "direct_authorisation",
    "requester_level",
    "open_class",
    "sensitive",
    "designated_recipient",
];

/// Facts that the engine settles by itself, from outcomes and from the deciders of the pack.
pub const SETTLED_FACTS: &[&str] = &["accepted", "approved", "agreed", "suspended", "decider"];

/// The value of the fact `decider` where no rule of the pack applies.
pub const SILENT: &str = "silent";

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $noun:literal, $fits:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts 1-64 characters of the form described at the type.
            ///
            /// Errors: [`crate::ids::InvalidId`] naming the noun.
            pub fn parse(text: &str) -> Result<Self, crate::ids::InvalidId> {
                let fits: fn(&str) -> bool = $fits;
                if !text.is_empty() && text.len() <= crate::ids::ID_CHARS_MAX && fits(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(crate::ids::InvalidId { noun: $noun })
                }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::ids::InvalidId;
            fn try_from(text: String) -> Result<Self, crate::ids::InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

fn is_snake(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_kebab(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_clause(text: &str) -> bool {
    text.split_once('-').is_some_and(|(prefix, article)| {
        (2..=6).contains(&prefix.len())
            && prefix
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && !article.is_empty()
            && article
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.')
    })
}

names! {
    /// A rule pack: `a-z`, `0-9`, `-`.
    PackId = "rule pack", is_kebab;
    /// A process of a pack: `a-z`, `0-9`, `_`.
    ProcessId = "process", is_snake;
    /// A step of a process: `a-z`, `0-9`, `_`.
    StepId = "step", is_snake;
    /// A role of a pack: `a-z`, `0-9`, `_`.
    RoleId = "role", is_snake;
    /// A clause of a regulation: prefix, hyphen, article, for example `XY-10.2b` or `XY-meta`.
    ClauseId = "clause", is_clause;
}
