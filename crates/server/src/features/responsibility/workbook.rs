//! The list as an XLSX workbook. Spec: YC-13.1.

use axum::{extract::Query, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    list::{ResponsibilityLineView, line, scope},
    store::{self, Wanted, Which},
};
use crate::{
    features::directory,
    platform::{
        http::{ApiError, Ctx, Problem},
        sheet::{SheetColumn, sheet_reply},
    },
};

/// The most lines in one file; beyond, one downloads the list of one department after the other.
const LINES_MAX: u32 = 100_000;

const COLUMNS: &[SheetColumn] = &[
    column("责任部门", 28),
    column("目录部门", 28),
    column("目录名称", 32),
    column("信息项", 24),
    column("英文名", 24),
    column("主键", 6),
    column("归集情况", 12),
    column("归集时间（UTC）", 24),
];

const fn column(name: &'static str, width: u16) -> SheetColumn {
    SheetColumn { name, width }
}

/// Which list.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct ResponsibilityFileQuery {
    /// Of this department; others than the authority get their own only.
    pub department_id: Option<String>,
    /// Version of the list; the one that holds now if left out.
    pub version: Option<i64>,
}

/// Download the responsibility list as XLSX, of one department or of all.
#[utoipa::path(get, path = "/responsibility-list/workbook", tag = "responsibility",
    operation_id = "download_responsibility_list", params(ResponsibilityFileQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn download_responsibility_list(
    ctx: Ctx,
    Query(query): Query<ResponsibilityFileQuery>,
) -> Result<Response, ApiError> {
    let department_id = scope(&ctx, query.department_id.as_deref())?;
    let mut db = ctx.read().await?;
    let current = store::current_no(&mut db).await?;
    let no = query.version.unwrap_or(current);
    if !(0..=current).contains(&no) {
        return Err(ApiError::not_found("responsibility.no_such_version"));
    }
    let wanted = Wanted {
        no,
        department_id,
        which: Which::All,
        after: ("", "", ""),
        limit: LINES_MAX + 1,
    };
    let lines = store::lines(&mut db, &wanted).await?;
    if u32::try_from(lines.len()).unwrap_or(u32::MAX) > LINES_MAX {
        return Err(ApiError::invalid("responsibility.too_long").arg("lines", LINES_MAX));
    }
    let names = directory::department_names(&mut db).await?;
    drop(db);
    let rows = lines.into_iter().map(|l| row(line(l, &names))).collect();
    let file_name = format!("responsibility-list-{no}.xlsx");
    sheet_reply("采集责任清单", COLUMNS, rows, &file_name).await
}

fn row(line: ResponsibilityLineView) -> Vec<String> {
    let state = match line.state {
        "delivered" => "已归集",
        "elsewhere" => "由责任部门归集",
        _ => "未归集",
    };
    vec![
        line.responsible_name.unwrap_or_else(|| "待认定".to_owned()),
        line.department_name,
        line.entry_name,
        line.item_name,
        line.item_code,
        if line.key { "是" } else { "" }.to_owned(),
        state.to_owned(),
        line.delivered_at.unwrap_or_default(),
    ]
}
