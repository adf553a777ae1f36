//! The first page of the portal.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    features::{case, catalogue, directory, exchange},
    platform::http::{Ctx, Problem, Reply, reply},
};

/// How many lines each list of the first page has.
const LINES: u32 = 7;

/// The first page.
#[derive(Debug, Serialize, ToSchema)]
pub struct HomeView {
    pub counters: CountersView,
    /// Newest published entries.
    pub newest: Vec<NewestView>,
    /// Departments by published entries.
    pub departments_ranking: Vec<RankingView>,
}

/// The counters.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountersView {
    /// Published entries.
    pub entries: i64,
    pub departments: i64,
    /// Rows delivered to requesters in all.
    pub delivered_rows: i64,
    pub open_cases: i64,
}

/// A newly published entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewestView {
    pub entry_id: String,
    pub name: String,
    pub department_name: String,
    pub mode_names: Vec<String>,
    /// Civil date.
    pub published_on: String,
}

/// A department and how much it has published.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankingView {
    pub department_id: String,
    pub department_name: String,
    pub entries: i64,
}

/// Read the first page.
#[utoipa::path(get, path = "/home", tag = "home", operation_id = "read_home",
    responses((status = 200, body = HomeView), (status = 401, body = Problem)))]
pub async fn read_home(ctx: Ctx) -> Reply<HomeView> {
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let name_of = |id: &str| departments.get(id).cloned().unwrap_or_default();
    let newest = catalogue::newest_published(&mut db, LINES).await?;
    let ranking = catalogue::counts_by_department(&mut db, LINES).await?;
    reply(HomeView {
        counters: CountersView {
            entries: catalogue::entries_count(&mut db).await?,
            departments: directory::departments_count(&mut db).await?,
            delivered_rows: exchange::delivered_rows(&mut db).await?,
            open_cases: case::count_open(&mut db).await?,
        },
        newest: newest
            .into_iter()
            .map(|(entry, version)| NewestView {
                entry_id: entry.id.to_string(),
                name: version.content.name.clone(),
                department_name: name_of(entry.department_id.as_str()),
                mode_names: version
                    .content
                    .modes
                    .iter()
                    .map(|m| {
                        let pack = ctx.app.pack();
                        pack.exchange_modes()
                            .iter()
                            .find(|mode| mode.code == *m)
                            .map_or_else(|| m.clone(), |mode| ctx.language.name_of(mode))
                    })
                    .collect(),
                published_on: version
                    .published_at
                    .map(|at| tongqu_domain::time::china_date(at).to_string())
                    .unwrap_or_default(),
            })
            .collect(),
        departments_ranking: ranking
            .into_iter()
            .map(|(id, entries)| RankingView {
                department_name: name_of(&id),
                department_id: id,
                entries,
            })
            .collect(),
    })
}
