//! The steps, in the order in which they can be taken.

use serde::Serialize;
use tongqu_domain::{
    access::{Action, Role, Subject},
    time::china_date,
};
use utoipa::ToSchema;

use crate::{
    features::{catalogue, directory},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
        packs::NamedBy,
    },
};

/// Without these nobody can list, check, publish, carry or audit anything.
const POSTS_NEEDED: &[Role] = &[
    Role::SecurityAdmin,
    Role::Auditor,
    Role::Authority,
    Role::Operator,
    Role::DataOfficer,
];

/// An action, and the post whose work it is.
type By = (Action, Role);

const DIRECTORY: By = (Action::ManageDirectory, Role::SystemAdmin);

/// How far the installation has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstStepsView {
    /// Whether nothing is left.
    pub done: bool,
    pub steps: Vec<FirstStepView>,
}

/// One step.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstStepView {
    /// `county`, `departments`, `people`, `calendar`, `regulation`, `store` or `entry`.
    pub code: &'static str,
    pub done: bool,
    /// Whether the viewer can take it.
    pub yours: bool,
    /// The post that takes it, in words.
    pub taken_by: &'static str,
    /// What there is already: the county's authority, the regulation's title, the last year of the calendar.
    pub what: Option<String>,
    /// How many there are, where that is counted.
    pub count: Option<i64>,
    /// What is still missing, in words: posts that nobody holds.
    pub missing: Vec<&'static str>,
}

/// What this installation still lacks. For those who set it up and for the competent department.
#[utoipa::path(get, path = "/first-steps", tag = "home", operation_id = "read_first_steps",
    responses((status = 200, body = FirstStepsView), (status = 403, body = Problem)))]
pub async fn read_first_steps(ctx: Ctx) -> Reply<FirstStepsView> {
    let sets_up = [
        Action::ManageDirectory,
        Action::AssignPosts,
        Action::ManageRules,
    ];
    if !sets_up
        .iter()
        .any(|action| ctx.may(*action, &Subject::Platform))
    {
        ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    }
    let mut db = ctx.read().await?;
    let steps = steps(&ctx, &mut db).await?;
    reply(FirstStepsView {
        done: steps.iter().all(|step| step.done),
        steps,
    })
}

async fn steps(ctx: &Ctx, db: &mut Db) -> Result<Vec<FirstStepView>, ApiError> {
    let authority = match directory::platform_department(db).await? {
        Some(id) => directory::find_department(db, &id).await?,
        None => None,
    };
    let departments = directory::departments_count(db).await?;
    let held = directory::posts_held(db).await?;
    let missing: Vec<&'static str> = POSTS_NEEDED
        .iter()
        .filter(|role| !held.contains(role.code()))
        .map(|role| role.label())
        .collect();
    let last_year = *ctx.app.calendar().years().end();
    let stores = i64::try_from(directory::every_store(db).await?.len()).unwrap_or(i64::MAX);
    let entries = catalogue::entries_count(db).await?;
    let division = authority.as_ref().map(|it| it.division_code.clone());
    let (pack, settled) = regulation(ctx, division.as_deref());
    Ok(vec![
        FirstStepView {
            what: authority.map(|it| it.name),
            ..step(ctx, "county", true, DIRECTORY)
        },
        FirstStepView {
            count: Some(departments),
            // The competent department alone has nobody to share with.
            ..step(ctx, "departments", departments > 1, DIRECTORY)
        },
        FirstStepView {
            missing: missing.clone(),
            ..step(ctx, "people", missing.is_empty(), DIRECTORY)
        },
        FirstStepView {
            what: Some(last_year.to_string()),
            ..step(
                ctx,
                "calendar",
                last_year >= china_date(ctx.now).year(),
                (Action::LoadCalendar, Role::Authority),
            )
        },
        FirstStepView {
            what: Some(pack),
            ..step(
                ctx,
                "regulation",
                settled,
                (Action::ManageRules, Role::Authority),
            )
        },
        FirstStepView {
            count: Some(stores),
            ..step(ctx, "store", stores > 0, DIRECTORY)
        },
        FirstStepView {
            count: Some(entries),
            ..step(
                ctx,
                "entry",
                entries > 0,
                (Action::CompileCatalogue, Role::DataOfficer),
            )
        },
    ])
}

/// The regulation under which new cases of the own area begin, and whether somebody settled that it is the
/// right one: the area's own, one that the configuration names, or one that was chosen.
fn regulation(ctx: &Ctx, division: Option<&str>) -> (String, bool) {
    let packs = &ctx.app.packs;
    let pack = match division {
        Some(division) => packs.for_division(division, china_date(ctx.now)),
        None => packs.default_pack(),
    };
    let is_own = division.is_some_and(|division| pack.covers(division).is_some());
    (
        pack.meta.title.clone(),
        is_own || packs.default_named_by() != NamedBy::Index,
    )
}

/// A step that holders of `post` take by `action`.
fn step(ctx: &Ctx, code: &'static str, done: bool, (action, post): By) -> FirstStepView {
    FirstStepView {
        code,
        done,
        yours: ctx.may(action, &Subject::Department(ctx.department())),
        taken_by: post.label(),
        what: None,
        count: None,
        missing: Vec::new(),
    }
}
