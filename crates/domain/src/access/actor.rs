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

/// A post as it can be used today, held or delegated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub role: Role,
    pub department: &'a DepartmentId,
    pub on_behalf_of: Option<&'a PersonId>,
}

impl Held<'_> {
    pub(super) fn because(&self) -> Because {
        match self.on_behalf_of {
            Some(by) => Because::Delegation {
                role: self.role,
                by: by.clone(),
                department: self.department.clone(),
            },
            None => Because::Post(self.role),
        }
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
            today,
        }
    }

    /// The posts usable today: first the own ones, then those delegated.
    ///
    /// The posts of the three administrators can't be delegated; such a delegation has no effect.
    pub(super) fn posts_today(&self) -> Vec<Held<'_>> {
        let own = self.roles.iter().map(|role| Held {
            role: *role,
            department: &self.department,
            on_behalf_of: None,
        });
        let delegated = self
            .delegations
            .iter()
            .filter(|delegation| {
                (delegation.first_day..=delegation.last_day).contains(&self.today)
                    && !delegation.role.is_administrator()
                    && !self.roles.iter().any(|role| role.is_administrator())
            })
            .map(|delegation| Held {
                role: delegation.role,
                department: &delegation.department,
                on_behalf_of: Some(&delegation.by),
            });
        own.chain(delegated).collect()
    }
}

/// Posts that one person must not hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one person can't be {} and {}: system, security and audit administration are kept apart from each other and from business", .first.label_en(), .second.label_en())]
pub struct PostsConflict {
    /// An administrator's post.
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

/// Checks that the posts may be held by one person: an administrator (三员) holds no other post.
///
/// Errors: [`PostsConflict`] with the first pair that doesn't go together.
pub fn check_posts(roles: &[Role]) -> Result<(), PostsConflict> {
    let administrator = roles.iter().copied().find(|role| role.is_administrator());
    match administrator {
        Some(first) => match roles.iter().copied().find(|role| *role != first) {
            Some(second) => Err(PostsConflict { first, second }),
            None => Ok(()),
        },
        None => Ok(()),
    }
}
