//! The statistics as an XLSX workbook.

use axum::{extract::Query, response::Response};
use tongqu_domain::access::{Action, Subject};

use super::{compute::statistics, read_stats::StatsQuery, views::FiguresView};
use crate::platform::{
    http::{ApiError, Ctx, Problem},
    sheet::{SheetColumn, sheet_reply},
};

const COLUMNS: &[SheetColumn] = &[
    column("部门", 32),
    column("已发布目录", 12),
    column("已挂接", 10),
    column("有数据", 10),
    column("按周期更新", 12),
    column("收到申请", 10),
    column("提出申请", 10),
    column("同意", 8),
    column("不同意", 8),
    column("平均审批（工作日）", 18),
    column("平均时限（工作日）", 18),
    column("有时限环节", 12),
    column("按时办结", 10),
    column("对外授权", 10),
    column("持有授权", 10),
    column("闲置授权", 10),
    column("供数行数", 14),
    column("用数行数", 14),
    column("读取行数", 14),
    column("拒收行数", 12),
];

const fn column(name: &'static str, width: u16) -> SheetColumn {
    SheetColumn { name, width }
}

/// Download the statistics of a period as XLSX: a line for the platform and one for each department.
#[utoipa::path(get, path = "/statistics/departments/workbook", tag = "statistics", operation_id = "download_stats",
    params(StatsQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn download_stats(
    ctx: Ctx,
    Query(query): Query<StatsQuery>,
) -> Result<Response, ApiError> {
    ctx.must(Action::ReadReport, &Subject::Platform)?;
    let stats = statistics(&ctx, query.period(&ctx)?).await?;
    let mut rows = vec![row("全平台", &stats.total)];
    for one in &stats.departments {
        rows.push(row(&one.department_name, &one.figures));
    }
    let file_name = format!("statistics-{}-{}.xlsx", stats.from, stats.to);
    sheet_reply("统计与考核", COLUMNS, rows, &file_name).await
}

fn row(name: &str, figures: &FiguresView) -> Vec<String> {
    let days = |days: Option<f64>| days.map_or_else(|| "—".to_owned(), |days| format!("{days:.1}"));
    vec![
        name.to_owned(),
        figures.entries.to_string(),
        figures.mounted.to_string(),
        figures.with_data.to_string(),
        figures.in_cycle.to_string(),
        figures.requests_received.to_string(),
        figures.requests_filed.to_string(),
        figures.granted.to_string(),
        figures.refused.to_string(),
        days(figures.decision_days),
        days(figures.limit_days),
        figures.steps.to_string(),
        figures.steps_on_time.to_string(),
        figures.grants_given.to_string(),
        figures.grants_held.to_string(),
        figures.grants_unused.to_string(),
        figures.rows_given.to_string(),
        figures.rows_received.to_string(),
        figures.rows_read.to_string(),
        figures.rows_quarantined.to_string(),
    ]
}
