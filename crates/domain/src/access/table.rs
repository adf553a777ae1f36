//! The table behind [`super::may`]: for each action the posts, how far they reach, and the bans.

use super::actor::Held;
use super::{Action, Actor, Because, Decision, Role, Subject};

/// How far a post reaches for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Everything.
    Anywhere,
    /// Things of the own department, or cases to which it is a party.
    Own,
}

/// Who may do an action.
#[derive(Debug, Clone, Copy)]
enum Who {
    /// Everybody with an account.
    Everybody,
    /// Whoever the rule pack names for the step.
    AsThePackSays,
    /// Holders of one of these posts.
    Posts(&'static [(Role, Reach)]),
    /// The same, for a judgement that binds the body: no contractor, and never on the own submission.
    Approvers(&'static [(Role, Reach)]),
}

use Reach::{Anywhere, Own};
use Role::{
    Auditor, Authority, Citizen, CountyAuthority, DataOfficer, Head, Leader, Operator,
    SecurityAdmin, Supervisor, SystemAdmin,
};

fn who(action: Action) -> Who {
    match action {
        Action::BrowseCatalogue => Who::Everybody,
        Action::TakeStep => Who::AsThePackSays,
        Action::CompileCatalogue
        | Action::SubmitCatalogue
        | Action::FileRequest
        | Action::StateDemand
        | Action::WithdrawCase
        // Quarantined rows hold values, so only the department whose data they are sees them.
        | Action::ReadQuarantine => Who::Posts(&[(DataOfficer, Own), (Head, Own)]),
        Action::ReviewCatalogue
        | Action::PublishCatalogue
        | Action::LoadCalendar
        | Action::ManageRules
        | Action::Supervise => Who::Approvers(&[(Authority, Anywhere)]),
        // An answer binds the department.
        Action::AnswerDemand => Who::Approvers(&[(DataOfficer, Own), (Head, Own)]),
        Action::MountEntry | Action::ManageStore => {
            Who::Posts(&[(DataOfficer, Own), (Head, Own), (Operator, Anywhere)])
        }
        Action::UrgeStep => Who::Posts(&[(DataOfficer, Own), (Head, Own), (Authority, Anywhere)]),
        Action::ReadCase | Action::ReadGrant | Action::ReadRun => Who::Posts(&[
            (DataOfficer, Own),
            (Head, Own),
            (CountyAuthority, Own),
            (Operator, Anywhere),
            (Authority, Anywhere),
            (Leader, Anywhere),
            (Supervisor, Anywhere),
        ]),
        Action::Attach => Who::Posts(&[
            (DataOfficer, Own),
            (Head, Own),
            (CountyAuthority, Own),
            (Operator, Own),
            (Authority, Own),
            (Citizen, Own),
        ]),
        Action::Deliver => Who::Posts(&[(Operator, Anywhere)]),
        Action::StartRun => Who::Posts(&[(Operator, Anywhere), (DataOfficer, Own)]),
        Action::ReadReport => Who::Posts(&[
            (Authority, Anywhere),
            (Leader, Anywhere),
            (Operator, Anywhere),
            (Head, Anywhere),
            (DataOfficer, Anywhere),
            (CountyAuthority, Anywhere),
            (Supervisor, Anywhere),
        ]),
        Action::ReadDirectory => Who::Posts(&[
            (SystemAdmin, Anywhere),
            // Has to see the people whose posts are to be given.
            (SecurityAdmin, Anywhere),
            (Supervisor, Anywhere),
        ]),
        Action::ManageContacts => {
            Who::Posts(&[(DataOfficer, Own), (Head, Own), (SystemAdmin, Anywhere)])
        }
        Action::ManageDirectory | Action::ManageSettings => Who::Posts(&[(SystemAdmin, Anywhere)]),
        Action::ManageSecurity | Action::AssignPosts => Who::Posts(&[(SecurityAdmin, Anywhere)]),
        Action::ReadLedger => Who::Posts(&[(Auditor, Anywhere), (Supervisor, Anywhere)]),
        Action::ReadSupervision => Who::Posts(&[
            (DataOfficer, Own),
            (Head, Own),
            (CountyAuthority, Own),
            (Operator, Own),
            (Authority, Anywhere),
            (Leader, Anywhere),
            (Supervisor, Anywhere),
        ]),
    }
}

pub(super) fn look_up(actor: &Actor, action: Action, subject: &Subject<'_>) -> Decision {
    match who(action) {
        Who::Everybody => Decision::yes(Because::Everybody),
        Who::AsThePackSays => Decision::no(Because::WrongSubject),
        Who::Posts(rows) => by_post(actor, rows, subject),
        Who::Approvers(_) if actor.contractor => Decision::no(Because::Contractor),
        Who::Approvers(rows) => {
            let decision = by_post(actor, rows, subject);
            if decision.allowed && is_own_submission(actor, &decision.because, subject) {
                return Decision::no(Because::OwnRequest);
            }
            decision
        }
    }
}

fn by_post(actor: &Actor, rows: &[(Role, Reach)], subject: &Subject<'_>) -> Decision {
    let mut elsewhere = false;
    for held in actor.posts_today() {
        for (role, reach) in rows {
            if held.role != *role {
                continue;
            }
            if *reach == Anywhere || is_own(&held, subject) {
                return Decision::yes(held.because());
            }
            elsewhere = true;
        }
    }
    Decision::no(if elsewhere {
        Because::OtherDepartment
    } else {
        Because::NoPost
    })
}

fn is_own(held: &Held<'_>, subject: &Subject<'_>) -> bool {
    match subject {
        Subject::Department(department) | Subject::Submission { department, .. } => {
            held.answers_for(department)
        }
        Subject::Parties(parties) => parties.iter().any(|party| held.answers_for(party)),
        Subject::Platform | Subject::Step(_) => false,
    }
}

fn is_own_submission(actor: &Actor, because: &Because, subject: &Subject<'_>) -> bool {
    match subject {
        Subject::Submission { submitted_by, .. } => {
            actor.person == **submitted_by
                || matches!(because, Because::Delegation { by, .. } if by == *submitted_by)
        }
        Subject::Platform | Subject::Department(_) | Subject::Parties(_) | Subject::Step(_) => {
            false
        }
    }
}
