//! Who acts: a person, the department acted for, the posts held there, and delegations.

use jiff::civil::Date;

use super::{Because, Role};
use crate::ids::{DepartmentId, PersonId};
use crate::kind::Kind;

/// A person acting for a department on a certain day.
///
/// Somebody with posts in several departments acts for one of them at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub person: PersonId,
    /// The department acted for.
    pub department: DepartmentId,
    /// The posts held there.
    pub roles: Vec<Role>,
    /// Works for a contractor of the platform unit: may run things, never approve.
    pub contractor: bool,
    /// Posts that others delegated to the person, each with its days.
    pub delegations: Vec<Delegation>,
    /// The departments that were merged into one of those acted for.
    pub successions: Vec<Succession>,
    /// The day of the act in China Standard Time, by the server's clock.
    pub today: Date,
}

/// A post that its holder passed to a deputy for certain days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Who delegates.
    pub by: PersonId,
    /// The department of the post.
    pub department: DepartmentId,
    /// The post.
    pub role: Role,
    /// The first day.
    pub first_day: Date,
    /// The last day, inclusive.
    pub last_day: Date,
}

/// A department that is gone, and the one that answers for it.
///
/// What is on record keeps the old department; whoever acts for the successor acts for it too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The department that was merged.
    pub gone: DepartmentId,
    /// The department that answers for it today; never itself gone.
    pub successor: DepartmentId,
}

/// A post as it can be used today, held or delegated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub role: Role,
    department: &'a DepartmentId,
    delegation: Option<&'a Delegation>,
    successions: &'a [Succession],
}

impl Held<'_> {
    pub(super) fn because(&self) -> Because {
        match self.delegation {
            Some(delegation) => Because::Delegation {
                role: self.role,
                by: delegation.by.clone(),
                department: self.department.clone(),
                first_day: delegation.first_day,
                last_day: delegation.last_day,
            },
            None => Because::Post(self.role),
        }
    }

    /// Whose post it is, if it was delegated.
    pub(super) fn on_behalf_of(&self) -> Option<&PersonId> {
        self.delegation.map(|delegation| &delegation.by)
    }

    /// Whether the post is in this department, or in the one that answers for it.
    pub(super) fn answers_for(&self, department: &DepartmentId) -> bool {
        self.department == department
            || self.successions.iter().any(|succession| {
                succession.gone == *department && succession.successor == *self.department
            })
    }
}

impl Actor {
    /// Somebody with posts of their own and no delegations, not a contractor.
    #[must_use]
    pub fn new(person: PersonId, department: DepartmentId, roles: Vec<Role>, today: Date) -> Self {
        Self {
            person,
            department,
            roles,
            contractor: false,
            delegations: Vec::new(),
            successions: Vec::new(),
            today,
        }
    }

    /// The posts usable today: first the own ones, then those delegated.
    ///
    /// A delegation that [`super::check_delegation`] would refuse has no effect.
    pub(super) fn posts_today(&self) -> Vec<Held<'_>> {
        let own = self.roles.iter().map(|role| Held {
            role: *role,
            department: &self.department,
            delegation: None,
            successions: &self.successions,
        });
        let delegated = self
            .delegations
            .iter()
            .filter(|delegation| {
                (delegation.first_day..=delegation.last_day).contains(&self.today)
                    && !delegation.role.stands_alone()
                    && (!self.contractor || !delegation.role.approves())
                    && !self.roles.iter().any(|role| role.stands_alone())
            })
            .map(|delegation| Held {
                role: delegation.role,
                department: &delegation.department,
                delegation: Some(delegation),
                successions: &self.successions,
            });
        own.chain(delegated).collect()
    }
}

/// Posts that one person must not hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one person can't be {} and {}: administrators and supervisors are kept apart from each other and from business", .first.label_en(), .second.label_en())]
pub struct PostsConflict {
    /// A post that goes with no other.
    pub first: Role,
    /// The post that doesn't go with it.
    pub second: Role,
}

impl PostsConflict {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "access.posts_conflict"
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Checks that the posts may be held by one person: an administrator (三员) or a supervisor holds no other post.
///
/// All posts of the person count, whatever the department. Spec: YC-34 (a supervisor changes nothing).
///
/// Errors: [`PostsConflict`] with the first pair that doesn't go together.
pub fn check_posts(roles: &[Role]) -> Result<(), PostsConflict> {
    let alone = roles.iter().copied().find(|role| role.stands_alone());
    match alone {
        Some(first) => match roles.iter().copied().find(|role| *role != first) {
            Some(second) => Err(PostsConflict { first, second }),
            None => Ok(()),
        },
        None => Ok(()),
    }
}
