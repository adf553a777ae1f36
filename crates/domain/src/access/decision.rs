//! The answer to "may they?", with its reason.

use jiff::civil::Date;

use super::PostsConflict;
use super::Role;
use crate::ids::{DepartmentId, PersonId};

/// Whether it is allowed, and because of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub allowed: bool,
    /// Its reason.
    pub because: Because,
}

impl Decision {
    pub(super) fn yes(because: Because) -> Self {
        Self {
            allowed: true,
            because,
        }
    }

    pub(super) fn no(because: Because) -> Self {
        Self {
            allowed: false,
            because,
        }
    }
}

/// The reason of a [`Decision`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The person holds the post.
    Post(Role),
    /// The person deputises, under a delegation in force today.
    Delegation {
        /// The post.
        role: Role,
        /// Whose post it is.
        by: PersonId,
        /// The department of the post.
        department: DepartmentId,
        /// The first day of the delegation.
        first_day: Date,
        /// The last day, inclusive.
        last_day: Date,
    },
    /// Everybody may.
    Everybody,
    /// No post that the act needs.
    NoPost,
    /// The post is in another department than the one concerned.
    OtherDepartment,
    /// It would judge the person's own request or submission.
    OwnRequest,
    /// A contractor never approves.
    Contractor,
    /// The person holds posts that one person must not hold together.
    PostsConflict(PostsConflict),
    /// The act can't be done to this sort of thing.
    WrongSubject,
}

impl Because {
    /// The stable code of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Post(_) => "access.post",
            Self::Delegation { .. } => "access.delegation",
            Self::Everybody => "access.everybody",
            Self::NoPost => "access.no_post",
            Self::OtherDepartment => "access.other_department",
            Self::OwnRequest => "access.own_request",
            Self::Contractor => "access.contractor",
            Self::PostsConflict(_) => "access.posts_conflict",
            Self::WrongSubject => "access.wrong_subject",
        }
    }
}
