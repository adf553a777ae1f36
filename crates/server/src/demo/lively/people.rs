//! Departments, people, posts and exchange stores beyond those of the small county.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::{
    super::{
        client::Client,
        county::{ADMINISTRATOR, AUTHORITY, DEPARTMENTS, PASSWORD, PEOPLE, SECURITY},
        seed::{DIVISION, text},
        store::make_empty,
    },
    Walk,
    data::County,
};

/// How many calls are under way at once where their order doesn't matter.
pub(super) const AT_ONCE: usize = 4;

/// The login name of a department's data officer.
pub(super) fn officer(county: &County, department: &str) -> Option<String> {
    let new = county
        .departments
        .iter()
        .find(|d| d.short_name == department);
    let later = county
        .people
        .iter()
        .find(|p| p.department == department && p.post == "data_officer");
    let first = PEOPLE
        .iter()
        .find(|p| p.department == department && p.posts.contains(&"data_officer"));
    new.map(|d| d.login.clone())
        .or_else(|| later.map(|p| p.login.clone()))
        .or_else(|| first.map(|p| p.login_name.to_owned()))
}

/// Somebody to be entered.
struct Newcomer {
    login: String,
    name: String,
    department: String,
    post: String,
}

impl Walk<'_> {
    /// Enters everybody and signs them in, each once: passwords are slow on purpose.
    pub(super) async fn settle_people(&mut self) -> anyhow::Result<()> {
        let base = format!("http://{}", self.served.address);
        let administrator = Client::sign_in(&base, ADMINISTRATOR, PASSWORD).await?;
        let security = Client::sign_in(&base, SECURITY, PASSWORD).await?;
        let stores = self.data.join("stores");
        for department in &self.county.departments {
            let body = json!({
                "name": department.name, "short_name": department.short_name,
                "credit_code": department.credit_code, "division_code": DIVISION,
                "level": department.level,
            });
            let id = text(&administrator.post("/departments", body).await?, "id")?;
            let path = stores.join(format!("{}.db", department.store));
            make_empty(&path)?;
            let store = json!({
                "department_id": id, "name": format!("{}前置库", department.short_name),
                "url": format!("sqlite:{}", path.display()),
            });
            administrator.post("/stores", store).await?;
        }
        let known = administrator.get("/departments").await?;
        for line in known["items"].as_array().into_iter().flatten() {
            self.departments
                .insert(text(line, "short_name")?, text(line, "id")?);
        }
        anyhow::ensure!(
            self.departments.len() == self.county.departments.len() + DEPARTMENTS.len() + 1,
            "{} departments besides {}",
            self.departments.len(),
            AUTHORITY.short_name
        );
        let officers = self.county.departments.iter().map(|d| Newcomer {
            login: d.login.clone(),
            name: d.officer.clone(),
            department: d.short_name.clone(),
            post: "data_officer".to_owned(),
        });
        let others = self.county.people.iter().map(|p| Newcomer {
            login: p.login.clone(),
            name: p.name.clone(),
            department: p.department.clone(),
            post: p.post.clone(),
        });
        let newcomers: Vec<Newcomer> = officers.chain(others).collect();
        stream::iter(&newcomers)
            .map(|who| enter(&administrator, &security, &self.departments, who))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        self.works_in = newcomers
            .into_iter()
            .map(|who| (who.login, who.department))
            .chain(
                PEOPLE
                    .iter()
                    .map(|p| (p.login_name.to_owned(), p.department.to_owned())),
            )
            .collect();
        let heads = self
            .county
            .people
            .iter()
            .filter(|p| p.post == "head")
            .map(|p| p.login.clone());
        let heads: Vec<String> = heads.collect();
        let logins = self
            .works_in
            .keys()
            .filter(|login| !heads.contains(login))
            .cloned();
        self.sessions = stream::iter(logins)
            .map(|login| {
                let base = base.clone();
                async move {
                    let client = Client::sign_in(&base, &login, PASSWORD).await?;
                    anyhow::Ok((login, client))
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(())
    }
}

async fn enter(
    administrator: &Client,
    security: &Client,
    departments: &std::collections::BTreeMap<String, String>,
    who: &Newcomer,
) -> anyhow::Result<()> {
    let department = departments
        .get(&who.department)
        .ok_or_else(|| anyhow::anyhow!("{} works nowhere", who.login))?;
    let body = json!({
        "login_name": who.login, "name": who.name, "department_id": department, "posts": [],
        "contractor": false, "supervising_department_id": null, "contract_company": "", "password": PASSWORD,
    });
    let id = text(&administrator.post("/people", body).await?, "id")?;
    security
        .put(
            &format!("/people/{id}/posts"),
            json!({ "posts": [who.post] }),
        )
        .await?;
    Ok(())
}
