//! The county list as an XLSX workbook. Spec: YJ-2.1.

use axum::{extract::Path, response::Response};

use super::{
    county_list::{DEMANDS_MAX, load_list},
    store::{self, ListLine},
};
use crate::platform::{
    http::{ApiError, Ctx, Problem},
    sheet::{SheetColumn, sheet_reply},
};

const COLUMNS: &[SheetColumn] = &[
    column("序号", 6),
    column("需求名称", 32),
    column("所需内容", 48),
    column("资源层级", 10),
    column("提供部门", 28),
    column("对应目录", 32),
    column("需求部门", 40),
    column("需求编号", 40),
    column("用途", 48),
];

const fn column(name: &'static str, width: u16) -> SheetColumn {
    SheetColumn { name, width }
}

/// Download a county list as XLSX.
#[utoipa::path(get, path = "/demand-lists/{list_id}/workbook", tag = "demand", operation_id = "download_demand_list",
    params(("list_id" = String, Path)),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn download_demand_list(
    ctx: Ctx,
    Path(list_id): Path<String>,
) -> Result<Response, ApiError> {
    let mut db = ctx.read().await?;
    let list = load_list(&ctx, &mut db, &list_id).await?;
    let lines = store::lines(&mut db, &list.id, 0, DEMANDS_MAX).await?;
    drop(db);
    let rows = lines.into_iter().map(row).collect();
    let file_name = format!("demand-list-{}.xlsx", list.no);
    sheet_reply("应用需求数据清单", COLUMNS, rows, &file_name).await
}

fn row((no, line): (i64, ListLine)) -> Vec<String> {
    let joined = |of: fn(&store::Requester) -> &String| {
        let mut texts: Vec<&str> = Vec::new();
        for text in line.requesters.iter().map(of) {
            // Two demands of one department name it once.
            if !texts.contains(&text.as_str()) {
                texts.push(text);
            }
        }
        texts.join("；")
    };
    vec![
        no.to_string(),
        line.title.clone(),
        line.wanted.clone(),
        line.level.label().to_owned(),
        line.provider_name.clone().unwrap_or_default(),
        line.entry_name.clone().unwrap_or_default(),
        joined(|r| &r.department_name),
        joined(|r| &r.number),
        joined(|r| &r.purpose),
    ]
}
