//! Whose desk it reaches what departments hand in: a role of the regulation, and the department behind it.
//! Spec: TP-11, PCK-02.

use tongqu_domain::{
    access::{Role, StepSubject, Subject},
    ids::{DepartmentId, PersonId},
    law::{Action, ClauseId, HandedIn, Pack},
};

use super::{roles::bound_roles, store};
use crate::platform::db::{Db, DbError};

/// The posts where the regulation names nobody: those of the authority for data sharing.
const POSTS: &[Role] = &[Role::Authority];

/// The department that receives something, and the posts in it of which one is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedBy {
    pub department: DepartmentId,
    pub posts: Vec<Role>,
    /// The clause that says so; `None` where the regulation says nothing.
    pub clause: Option<ClauseId>,
}

impl ReceivedBy {
    /// What somebody does with it there, as a step: whoever isn't in the department, or holds none of
    /// the posts, may not.
    #[must_use]
    pub fn step<'a>(&'a self, action: Action, filed_by: Option<&'a PersonId>) -> Subject<'a> {
        Subject::Step(StepSubject {
            department: Some(&self.department),
            posts: &self.posts,
            action,
            filed_by,
        })
    }
}

/// Who receives it from a department of this division. Where the regulation says nothing, the platform's
/// department does, as for roles that nobody is bound to. `None` before set-up.
pub async fn receiver(
    db: &mut Db,
    pack: &Pack,
    what: HandedIn,
    division: Option<&str>,
) -> Result<Option<ReceivedBy>, DbError> {
    let Some(rule) = pack.receiver(what) else {
        return Ok(store::platform_department(db)
            .await?
            .map(|department| ReceivedBy {
                department,
                posts: POSTS.to_vec(),
                clause: None,
            }));
    };
    let department = bound_roles(db, pack, division).await?.remove(&rule.role);
    let posts = pack
        .role(&rule.role)
        .map(|role| role.posts.clone())
        .unwrap_or_default();
    Ok(department.map(|department| ReceivedBy {
        department,
        posts,
        clause: Some(rule.clause.clone()),
    }))
}
