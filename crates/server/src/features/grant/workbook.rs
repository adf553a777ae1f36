//! The list of grants as an XLSX workbook, to be kept or handed on.

use axum::{extract::Query, response::Response};
use jiff::Timestamp;
use tongqu_domain::time::china;

use super::{
    list::{Asked, GrantsQuery, lines},
    store,
    views::GrantLineView,
};
use crate::platform::{
    http::{ApiError, Ctx, Problem},
    sheet::{SheetColumn, sheet_reply},
};

/// Grants in one workbook; a longer list is asked for in parts.
const GRANTS_MAX: u32 = 5000;
/// Grants read at once.
const BATCH_ROWS: u32 = 100;

const COLUMNS: &[SheetColumn] = &[
    column("序号", 6),
    column("目录名称", 32),
    column("提供部门", 28),
    column("使用部门", 28),
    column("应用系统", 24),
    column("授权数据项", 48),
    column("脱敏", 32),
    column("授权范围", 32),
    column("用途", 40),
    column("依据", 24),
    column("生效日期", 12),
    column("到期日期", 12),
    column("状态", 12),
    column("最近交付", 22),
    column("交付后条数", 12),
    column("久未使用", 12),
    column("申请编号", 22),
];

const fn column(name: &'static str, width: u16) -> SheetColumn {
    SheetColumn { name, width }
}

/// Download the grants that a question finds as XLSX.
#[utoipa::path(get, path = "/grants/workbook", tag = "grant", operation_id = "download_grants", params(GrantsQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn download_grants(
    ctx: Ctx,
    Query(query): Query<GrantsQuery>,
) -> Result<Response, ApiError> {
    let mut db = ctx.read().await?;
    let asked = Asked::read(&ctx, &mut db, &query).await?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut cursor: Option<String> = None;
    let max = usize::try_from(GRANTS_MAX).unwrap_or(usize::MAX);
    loop {
        let mut page = store::list(&mut db, &asked.wanted(), cursor.as_deref(), BATCH_ROWS).await?;
        page.truncate(
            usize::try_from(BATCH_ROWS)
                .unwrap_or(usize::MAX)
                .min(max - rows.len()),
        );
        let Some(last) = page.last() else { break };
        cursor = Some(store::place(last));
        for line in lines(&ctx, &mut db, &asked, &page).await? {
            rows.push(row(rows.len() + 1, &line));
        }
    }
    drop(db);
    sheet_reply("授权清单", COLUMNS, rows, "grants.xlsx").await
}

fn row(no: usize, line: &GrantLineView) -> Vec<String> {
    let joined = |texts: Vec<String>| texts.join("、");
    let date = |instant: &str| {
        let instant: Option<Timestamp> = instant.parse().ok();
        instant.map_or(String::new(), |at| {
            at.to_zoned(china()).strftime("%Y-%m-%d %H:%M").to_string()
        })
    };
    vec![
        no.to_string(),
        line.entry_name.clone(),
        line.provider_name.clone(),
        line.requester_name.clone(),
        line.consumer_system.clone(),
        joined(line.columns.iter().map(|it| it.name.clone()).collect()),
        joined(
            line.columns
                .iter()
                .filter_map(|it| Some(format!("{}：{}", it.name, it.mask_name.as_ref()?)))
                .collect(),
        ),
        joined(
            line.condition
                .iter()
                .map(|term| format!("{} {}", term.column, term.values.join("，")))
                .collect(),
        ),
        line.purpose.clone(),
        line.basis.place.clone(),
        line.valid_from.clone(),
        line.valid_until
            .clone()
            .unwrap_or_else(|| "长期".to_owned()),
        state(line.state).to_owned(),
        line.last_delivery_at
            .as_deref()
            .map(date)
            .unwrap_or_default(),
        line.last_delivery_rows
            .map(|n| n.to_string())
            .unwrap_or_default(),
        line.reclaim_proposed_at
            .as_ref()
            .map_or(String::new(), |_| "是".to_owned()),
        line.number.clone(),
    ]
}

fn state(code: &str) -> &'static str {
    match code {
        "not_yet" => "尚未生效",
        "awaiting_approval" => "待审批",
        "in_force" => "生效中",
        "suspended" => "已暂停",
        "expired" => "已到期",
        _ => "已终止",
    }
}
