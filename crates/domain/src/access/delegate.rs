//! Whether a post may be passed to a deputy 委托代办, before anything is stored.

use jiff::civil::Date;

use super::Role;
use crate::ids::PersonId;
use crate::kind::Kind;

/// Posts to be passed to a deputy for certain days.
#[derive(Debug, Clone, Copy)]
pub struct DelegationPlan<'a> {
    /// Whose posts they are.
    pub by: &'a PersonId,
    /// The posts that person holds in the department, not counting delegated ones.
    pub held: &'a [Role],
    /// The posts to be passed on.
    pub roles: &'a [Role],
    /// Who is to deputise.
    pub deputy: Deputy<'a>,
    /// The first day.
    pub first_day: Date,
    /// The last day, inclusive.
    pub last_day: Date,
}

/// Who is to deputise.
#[derive(Debug, Clone, Copy)]
pub struct Deputy<'a> {
    /// The person.
    pub person: &'a PersonId,
    /// All posts of the person, in whatever department.
    pub posts: &'a [Role],
    /// Works for a contractor.
    pub contractor: bool,
}

/// What keeps a delegation from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DelegationFault {
    /// No post is named.
    #[error("no post is to be delegated")]
    NoPost,
    /// Only one's own posts can be passed on; what was delegated can't be delegated again.
    #[error("the post isn't held")]
    NotHeld,
    /// Administrators and supervisors act in person.
    #[error("the post can't be delegated")]
    NotDelegable,
    /// A deputy is somebody else.
    #[error("the deputy is the holder")]
    ToOneself,
    /// Administrators and supervisors take no other post, not for a day either.
    #[error("the deputy holds a post that goes with no other")]
    ToOneWhoStandsAlone,
    /// A contractor never approves.
    #[error("the deputy works for a contractor and the post approves")]
    ToContractor,
    /// It would end before it begins.
    #[error("the last day is before the first")]
    DaysReversed,
    /// Nothing is delegated after the fact.
    #[error("the first day has passed")]
    DaysPast,
}

impl DelegationFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoPost => "delegation.no_post",
            Self::NotHeld => "delegation.not_held",
            Self::NotDelegable => "delegation.not_delegable",
            Self::ToOneself => "delegation.to_oneself",
            Self::ToOneWhoStandsAlone => "delegation.to_one_who_stands_alone",
            Self::ToContractor => "delegation.to_contractor",
            Self::DaysReversed => "delegation.days_reversed",
            Self::DaysPast => "delegation.days_past",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        Kind::Invalid
    }

    /// The part of the plan that is at fault.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::NoPost | Self::NotHeld | Self::NotDelegable => "roles",
            Self::ToOneself | Self::ToOneWhoStandsAlone | Self::ToContractor => "to_person",
            Self::DaysReversed => "last_day",
            Self::DaysPast => "first_day",
        }
    }
}

/// Everything that keeps a delegation from being made on `today`, in China Standard Time; empty if nothing does.
///
/// Spec: YC-30, YJ-2.3 (a contractor never approves); the rest are rules of the platform.
#[must_use]
pub fn check_delegation(plan: &DelegationPlan<'_>, today: Date) -> Vec<DelegationFault> {
    let any = |test: fn(Role) -> bool| plan.roles.iter().copied().any(test);
    let faults = [
        (plan.roles.is_empty(), DelegationFault::NoPost),
        (any(Role::stands_alone), DelegationFault::NotDelegable),
        (
            plan.roles.iter().any(|role| !plan.held.contains(role)),
            DelegationFault::NotHeld,
        ),
        (plan.by == plan.deputy.person, DelegationFault::ToOneself),
        (
            plan.deputy.posts.iter().any(|role| role.stands_alone()),
            DelegationFault::ToOneWhoStandsAlone,
        ),
        (
            plan.deputy.contractor && any(Role::approves),
            DelegationFault::ToContractor,
        ),
        (plan.first_day < today, DelegationFault::DaysPast),
        (
            plan.last_day < plan.first_day,
            DelegationFault::DaysReversed,
        ),
    ];
    faults
        .into_iter()
        .filter_map(|(is_so, fault)| is_so.then_some(fault))
        .collect()
}
