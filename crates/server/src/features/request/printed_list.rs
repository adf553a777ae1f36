//! Print the own department's requests as a list 清单 on A4, as the page shows them.

use axum::{extract::Query, response::Response};
use jiff::Timestamp;
use tongqu_domain::{
    access::{Action, Subject},
    time::{china, china_date},
};

use super::{
    list::{RequestsQuery, lines},
    store,
    views::RequestLineView,
};
use crate::{
    features::{
        directory::{self, department_names},
        forms::printed,
    },
    platform::{
        http::{ApiError, Ctx, Language, Problem},
        pdf::{Body, Column, Form, Kind, Row, Section},
    },
};

/// Requests on one list, the newest; a longer one would be nothing to hold in a hand.
const REQUESTS_MAX: u32 = 1000;

/// What stands where there is nothing to say.
const NOTHING: &str = "—";

/// Names and shares of the columns.
const COLUMNS: [(&str, u16); 8] = [
    ("序号", 6),
    ("编号", 16),
    ("目录名称", 22),
    ("提供单位", 14),
    ("提交时间", 10),
    ("状态", 8),
    ("办到哪里", 16),
    ("承诺日期", 10),
];

/// Print the requests that the own department has filed, newest first, as a PDF in Chinese.
#[utoipa::path(get, path = "/requests/list.pdf", tag = "request", operation_id = "print_requests",
    params(RequestsQuery),
    responses((status = 200, content_type = "application/pdf", body = [u8]), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn print_requests(
    mut ctx: Ctx,
    Query(query): Query<RequestsQuery>,
) -> Result<Response, ApiError> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    // Paper of an office is in Chinese, whatever the screen is in.
    ctx.language = Language::Chinese;
    let ended = query.ended()?;
    let mut db = ctx.read().await?;
    let own = directory::answers_for(&mut db, ctx.department()).await?;
    let mut requests =
        store::requests_of_department(&mut db, &own, ended, None, REQUESTS_MAX).await?;
    let max = usize::try_from(REQUESTS_MAX).unwrap_or(usize::MAX);
    let is_cut = requests.len() > max;
    requests.truncate(max);
    let names = department_names(&mut db).await?;
    let lines = lines(&ctx, &mut db, &requests, &names).await?;
    drop(db);
    let organisation = names.get(ctx.department().as_str()).cloned();
    let form = Form {
        kind: Kind::List,
        title: "数据共享申请清单".to_owned(),
        number: String::new(),
        date: china_date(ctx.now),
        organisation: organisation.unwrap_or_default(),
        rows: vec![
            Row::new("范围", scope(ended)),
            Row::new("件数", number_of(lines.len(), is_cut)),
        ],
        sections: vec![Section {
            heading: "申请".to_owned(),
            body: body(&lines),
        }],
        seal: None,
        clause_text: String::new(),
        generated_at: ctx.now,
    };
    printed(form, "requests.pdf").await
}

fn scope(ended: Option<bool>) -> &'static str {
    match ended {
        None => "本单位提交的全部申请",
        Some(false) => "本单位提交的申请中，办理中的",
        Some(true) => "本单位提交的申请中，已结束的",
    }
}

fn number_of(listed: usize, is_cut: bool) -> String {
    if is_cut {
        format!("只列出最新的 {listed} 件，更早的未列出")
    } else {
        format!("{listed} 件")
    }
}

fn body(lines: &[RequestLineView]) -> Body {
    if lines.is_empty() {
        return Body::Text("没有符合条件的申请。".to_owned());
    }
    Body::Table {
        columns: COLUMNS
            .into_iter()
            .map(|(name, share)| Column {
                name: name.to_owned(),
                share,
            })
            .collect(),
        rows: lines
            .iter()
            .zip(1..)
            .map(|(line, no)| row(no, line))
            .collect(),
    }
}

fn row(no: u32, line: &RequestLineView) -> Vec<String> {
    let or_nothing = |text: Option<&String>| text.cloned().unwrap_or_else(|| NOTHING.to_owned());
    let place: Vec<&str> = [&line.holder_name, &line.step_name]
        .into_iter()
        .filter_map(Option::as_deref)
        .collect();
    vec![
        no.to_string(),
        line.number.clone(),
        line.entry_name.clone(),
        line.provider_name.clone(),
        day_and_time(&line.filed_at),
        state(&line.state).to_owned(),
        if place.is_empty() {
            NOTHING.to_owned()
        } else {
            place.join("：")
        },
        or_nothing(line.due_on.as_ref()),
    ]
}

fn day_and_time(instant: &str) -> String {
    let instant: Option<Timestamp> = instant.parse().ok();
    instant.map_or_else(String::new, |at| {
        at.to_zoned(china()).strftime("%Y-%m-%d %H:%M").to_string()
    })
}

/// The words of the page.
fn state(code: &str) -> &'static str {
    match code {
        "open" => "办理中",
        "refused" => "不同意",
        "not_accepted" => "不予受理",
        "withdrawn" => "已撤回",
        _ => "已办结",
    }
}
