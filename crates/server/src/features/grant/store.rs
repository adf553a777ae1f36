//! All SQL of lists of grants.

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    grant::Grant,
    ids::{DepartmentId, EntryId, RequestId},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _};

/// Which side of a grant a list looks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Those that a department gave.
    Provided,
    /// Those that it holds.
    Received,
    /// All, whoever they are between.
    Everybody,
}

/// Where a grant stands, as far as a list tells grants apart. Some are in two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    InForce,
    /// In force or suspended, and its term ends soon.
    Expiring,
    /// In force, and proposed to be reclaimed because nobody uses it.
    Unused,
    Suspended,
    Expired,
    Ended,
}

impl Standing {
    pub(super) fn find(code: &str) -> Option<Self> {
        Some(match code {
            "in_force" => Self::InForce,
            "expiring" => Self::Expiring,
            "unused" => Self::Unused,
            "suspended" => Self::Suspended,
            "expired" => Self::Expired,
            "ended" => Self::Ended,
            _ => return None,
        })
    }

    fn code(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Expiring => "expiring",
            Self::Unused => "unused",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

/// Which grants.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub side: Side,
    /// The departments on that side, see `directory::answers_for`.
    pub departments: &'a [DepartmentId],
    pub standing: Option<Standing>,
    /// Part of the name of an entry or of a department on either side.
    pub text: &'a str,
    pub entry_id: Option<&'a EntryId>,
    pub today: Date,
    /// The last day on which a term ends that ends soon.
    pub soon: Date,
}

/// A grant with what a list says of it.
pub(super) struct Row {
    pub grant: Grant,
    pub entry_name: String,
    pub request_id: RequestId,
    pub number: String,
    pub consumer_system: String,
    pub created_at: Timestamp,
    pub reclaim_proposed_at: Option<Timestamp>,
}

/// How many grants stand where; a grant may be counted twice, see [`Standing`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub in_force: i64,
    pub expiring: i64,
    pub unused: i64,
    pub suspended: i64,
    pub expired: i64,
    pub ended: i64,
}

/// The most departments that one answers for; further ones are left out.
const DEPARTMENTS_MAX: usize = 8;

/// From where, and the part of the condition that lists and counts have in common: $1 today, $2 the last
/// day that is soon, $3 a text with its signs escaped, $4 an entry.
macro_rules! grants_of {
    ($select:literal, $side:literal, $rest:literal) => {
        concat!(
            $select,
            " FROM grants g JOIN entries e ON e.id = g.entry_id \
             JOIN sharing_requests r ON r.case_id = g.case_id JOIN cases c ON c.id = g.case_id \
             JOIN departments dr ON dr.id = g.requester_department_id \
             JOIN departments dp ON dp.id = g.provider_department_id \
             WHERE $1 <> '' AND $2 <> '' AND ($4 = '' OR g.entry_id = $4) \
             AND ($3 = '' OR e.name LIKE '%' || $3 || '%' ESCAPE '!' OR dr.name LIKE '%' || $3 || '%' ESCAPE '!' \
                  OR dp.name LIKE '%' || $3 || '%' ESCAPE '!') ",
            $side,
            $rest
        )
    };
}

/// The same for each side: $5 to $12 are the departments on it.
macro_rules! on_side {
    ($side:expr, $select:literal, $rest:literal) => {
        match $side {
            Side::Provided => grants_of!(
                $select,
                "AND g.provider_department_id IN ($5, $6, $7, $8, $9, $10, $11, $12) ",
                $rest
            ),
            Side::Received => grants_of!(
                $select,
                "AND g.requester_department_id IN ($5, $6, $7, $8, $9, $10, $11, $12) ",
                $rest
            ),
            Side::Everybody => grants_of!(
                $select,
                "AND '' IN ($5, $6, $7, $8, $9, $10, $11, $12) ",
                $rest
            ),
        }
    };
}

type Query = sqlx::query::Query<'static, sqlx::Any, <sqlx::Any as sqlx::Database>::Arguments>;

fn ask(text: &'static str, wanted: &Wanted<'_>) -> Query {
    let mut query = sqlx::query(text)
        .bind(wanted.today.to_string())
        .bind(wanted.soon.to_string())
        .bind(escaped(wanted.text))
        .bind(wanted.entry_id.map_or(String::new(), ToString::to_string));
    // A fixed number of places, the spare ones empty: no department has an empty id.
    for at in 0..DEPARTMENTS_MAX {
        let place = match wanted.side {
            Side::Everybody => None,
            Side::Provided | Side::Received => wanted.departments.get(at),
        };
        query = query.bind(place.map_or(String::new(), ToString::to_string));
    }
    query
}

/// A text in which no sign stands for others.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|sign| {
            matches!(sign, '%' | '_' | '!')
                .then_some('!')
                .into_iter()
                .chain([sign])
        })
        .collect()
}

/// Grants, the newest first, from `cursor` on; at most one more than `size`.
pub(super) async fn list(
    db: &mut Db,
    wanted: &Wanted<'_>,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<Row>, DbError> {
    let text = on_side!(
        wanted.side,
        "SELECT g.content, g.created_at, g.reclaim_proposed_at, e.name AS entry_name, r.id AS request_id, \
         r.content AS asked, c.number",
        "AND ($13 = '' \
          OR ($13 = 'in_force' AND g.state_code = 'active' AND (g.valid_until IS NULL OR g.valid_until > $1)) \
          OR ($13 = 'expiring' AND g.state_code <> 'ended' AND g.valid_until > $1 AND g.valid_until <= $2) \
          OR ($13 = 'unused' AND g.state_code = 'active' AND g.reclaim_proposed_at IS NOT NULL \
              AND (g.valid_until IS NULL OR g.valid_until > $1)) \
          OR ($13 = 'suspended' AND g.state_code = 'suspended' AND (g.valid_until IS NULL OR g.valid_until > $1)) \
          OR ($13 = 'expired' AND g.state_code <> 'ended' AND g.valid_until <= $1) \
          OR ($13 = 'ended' AND g.state_code = 'ended')) \
         AND ($14 = '' OR g.created_at || ' ' || g.id < $14) \
         ORDER BY g.created_at DESC, g.id DESC LIMIT $15"
    );
    ask(text, wanted)
        .bind(wanted.standing.map_or("", Standing::code))
        .bind(cursor.unwrap_or_default().to_owned())
        .bind(i64::from(size) + 1)
        .fetch_all(db)
        .await?
        .iter()
        .map(row)
        .collect()
}

/// How many of all those grants stand where, whatever standing is asked for.
pub(super) async fn counts(db: &mut Db, wanted: &Wanted<'_>) -> Result<Counts, DbError> {
    let text = on_side!(
        wanted.side,
        "SELECT \
         COALESCE(SUM(CASE WHEN g.state_code = 'active' AND (g.valid_until IS NULL OR g.valid_until > $1) \
             THEN 1 ELSE 0 END), 0) AS in_force, \
         COALESCE(SUM(CASE WHEN g.state_code <> 'ended' AND g.valid_until > $1 AND g.valid_until <= $2 \
             THEN 1 ELSE 0 END), 0) AS expiring, \
         COALESCE(SUM(CASE WHEN g.state_code = 'active' AND g.reclaim_proposed_at IS NOT NULL \
             AND (g.valid_until IS NULL OR g.valid_until > $1) THEN 1 ELSE 0 END), 0) AS unused, \
         COALESCE(SUM(CASE WHEN g.state_code = 'suspended' AND (g.valid_until IS NULL OR g.valid_until > $1) \
             THEN 1 ELSE 0 END), 0) AS suspended, \
         COALESCE(SUM(CASE WHEN g.state_code <> 'ended' AND g.valid_until <= $1 THEN 1 ELSE 0 END), 0) AS expired, \
         COALESCE(SUM(CASE WHEN g.state_code = 'ended' THEN 1 ELSE 0 END), 0) AS ended",
        ""
    );
    let row = ask(text, wanted).fetch_one(db).await?;
    Ok(Counts {
        in_force: row.int("in_force")?,
        expiring: row.int("expiring")?,
        unused: row.int("unused")?,
        suspended: row.int("suspended")?,
        expired: row.int("expired")?,
        ended: row.int("ended")?,
    })
}

fn row(row: &sqlx::any::AnyRow) -> Result<Row, DbError> {
    let asked: tongqu_domain::request::SharingRequest = row.json("asked")?;
    Ok(Row {
        grant: row.json("content")?,
        entry_name: row.text("entry_name")?,
        request_id: row.id("request_id")?,
        number: row.text("number")?,
        consumer_system: asked.consumer_system,
        created_at: row.instant("created_at")?,
        reclaim_proposed_at: row.opt_instant("reclaim_proposed_at")?,
    })
}

/// Where a page ends.
pub(super) fn place(row: &Row) -> String {
    format!("{} {}", instant_text(row.created_at), row.grant.id)
}
