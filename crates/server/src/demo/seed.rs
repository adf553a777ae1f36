//! Makes the invented county through the API, as its administrators would.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    client::Client,
    county::{
        ADMINISTRATOR, AUTHORITY, CONTRACTOR, DEPARTMENTS, DemoDepartment, PASSWORD, PEOPLE,
        PLATFORM_NAME, SECURITY, housing_entries, statistics_entries,
        statistics_entries_with_faults,
    },
    store,
};
use crate::{
    cli::Served,
    features::catalogue::{template_options, workbook},
};

/// The division code of the invented county: that of a real district in whose city its regulation is in force.
pub(super) const DIVISION: &str = "410404";

/// Where a department's exchange store lies.
pub(super) fn store_path(data: &Path, department: &DemoDepartment) -> PathBuf {
    data.join("stores").join(format!("{}.db", department.store))
}

/// The department with this short name.
pub(super) fn department(short_name: &str) -> &'static DemoDepartment {
    std::iter::once(&AUTHORITY)
        .chain(DEPARTMENTS)
        .find(|d| d.short_name == short_name)
        .expect("the county's people work in its departments")
}

/// Departments, people, posts, exchange stores, and the templates to upload.
pub(super) async fn county(served: &Served, data: &Path) -> anyhow::Result<()> {
    let base = format!("http://{}", served.address);
    let token = served
        .app()
        .setup_token
        .lock()
        .expect("no holder panics")
        .clone();
    let token = token.context("this county is already set up; give an empty folder")?;
    let stores = data.join("stores");
    std::fs::create_dir_all(&stores)?;
    let source = store_path(data, department("统计局"));
    let making = tokio::task::spawn_blocking(move || store::make_source(&source));

    let body = |d: &DemoDepartment| {
        json!({
            "name": d.name, "short_name": d.short_name, "credit_code": d.credit_code,
            "division_code": DIVISION, "level": "city",
        })
    };
    let first = PEOPLE
        .iter()
        .find(|p| p.login_name == ADMINISTRATOR)
        .expect("the county has an administrator");
    let set_up = Client::guest(&base)
        .post(
            "/setup",
            json!({
                "token": token, "platform_name": PLATFORM_NAME, "department": body(&AUTHORITY),
                "login_name": first.login_name, "name": first.name, "phone": "", "password": PASSWORD,
            }),
        )
        .await?;
    let administrator = Client::sign_in(&base, ADMINISTRATOR, PASSWORD).await?;
    let mut ids = vec![(AUTHORITY.short_name, text(&set_up, "department_id")?)];
    for department in DEPARTMENTS {
        let made = administrator.post("/departments", body(department)).await?;
        ids.push((department.short_name, text(&made, "id")?));
    }
    let id_of = |short_name: &str| {
        ids.iter()
            .find(|(name, _)| *name == short_name)
            .map(|(_, id)| id.clone())
            .context("an unknown department")
    };
    let mut waiting = Vec::new();
    for person in PEOPLE.iter().filter(|p| p.login_name != ADMINISTRATOR) {
        let posts = if person.login_name == SECURITY {
            person.posts
        } else {
            &[]
        };
        // The contractor's people are watched over by the department that they work in.
        let department_id = id_of(person.department)?;
        let (supervisor, company) = if person.contractor {
            (Some(&department_id), CONTRACTOR)
        } else {
            (None, "")
        };
        let made = administrator
            .post(
                "/people",
                json!({
                    "login_name": person.login_name, "name": person.name, "department_id": department_id,
                    "posts": posts, "contractor": person.contractor, "supervising_department_id": supervisor,
                    "contract_company": company, "password": PASSWORD,
                }),
            )
            .await?;
        waiting.push((text(&made, "id")?, person));
    }
    let security = Client::sign_in(&base, SECURITY, PASSWORD).await?;
    for (id, person) in waiting.iter().filter(|(_, p)| p.login_name != SECURITY) {
        security
            .put(
                &format!("/people/{id}/posts"),
                json!({ "posts": person.posts }),
            )
            .await?;
    }
    making.await??;
    for department in DEPARTMENTS {
        let path = store_path(data, department);
        if !path.exists() {
            store::make_empty(&path)?;
        }
        administrator
            .post(
                "/stores",
                json!({
                    "department_id": id_of(department.short_name)?,
                    "name": format!("{}前置库", department.short_name),
                    "url": format!("sqlite:{}", path.display()),
                }),
            )
            .await?;
    }
    write_templates(served, data)
}

/// The two workbooks that the story uploads: with two faulty entries, and corrected.
pub(super) const FAULTY: &str = "catalogue-12.xlsx";
pub(super) const CORRECTED: &str = "catalogue-12-corrected.xlsx";

fn write_templates(served: &Served, data: &Path) -> anyhow::Result<()> {
    let options = template_options(&served.app().pack());
    let dir = data.join("templates");
    std::fs::create_dir_all(&dir)?;
    std::fs::write(
        dir.join(FAULTY),
        workbook::filled(&options, &statistics_entries_with_faults())?,
    )?;
    std::fs::write(
        dir.join(CORRECTED),
        workbook::filled(&options, &statistics_entries())?,
    )?;
    Ok(())
}

/// A few published entries of another department, so that a newcomer doesn't meet an empty catalogue.
pub(super) async fn first_entries(served: &Served) -> anyhow::Result<()> {
    let base = format!("http://{}", served.address);
    let officer = Client::sign_in(&base, "zhujian", PASSWORD).await?;
    let authority = Client::sign_in(&base, "zhuguan", PASSWORD).await?;
    let options = template_options(&served.app().pack());
    let answer = officer
        .upload(
            "/catalogue/imports",
            workbook::filled(&options, &housing_entries())?,
        )
        .await?;
    anyhow::ensure!(
        answer.body["faults_total"] == 0,
        "the housing entries are faulty: {}",
        answer.body
    );
    for entry in answer.body["entries"].as_array().into_iter().flatten() {
        let id = text(entry, "version_id")?;
        officer
            .press(&format!("/catalogue/versions/{id}/submission"))
            .await?;
        authority
            .press(&format!("/catalogue/versions/{id}/publication"))
            .await?;
    }
    Ok(())
}

/// A text field of a reply.
pub(super) fn text(body: &Value, field: &str) -> anyhow::Result<String> {
    body[field]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("the reply has no {field}: {body}"))
}

/// Moves the demo clock on.
pub(super) async fn advance(client: &Client, days: u32) -> anyhow::Result<String> {
    let body = json!({ "days": days });
    let answer = client.ask(Method::POST, "/demo/clock", Some(&body)).await?;
    anyhow::ensure!(
        answer.status.is_success(),
        "the clock didn't move: {}",
        answer.body
    );
    text(&answer.body, "today")
}
