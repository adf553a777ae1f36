//! JSON shapes of statistics. Each figure says how it is computed.

use serde::Serialize;
use utoipa::ToSchema;

/// Statistics of a period.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsView {
    /// First and last civil date in China, both inclusive.
    pub from: String,
    pub to: String,
    pub total: FiguresView,
    /// Departments about which there is anything to say, by name.
    pub departments: Vec<DepartmentFiguresView>,
    pub security: SecurityView,
}

/// One department's figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentFiguresView {
    pub department_id: String,
    pub department_name: String,
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// The figures. Those of the catalogue are as of now; all others count what happened in the period.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct FiguresView {
    /// 汇聚: its entries with a published version.
    pub entries: i64,
    /// Those of them that are mounted to a table.
    pub mounted: i64,
    /// Those of them of which the platform holds rows.
    pub with_data: i64,
    /// Those of them whose last arrival is no longer ago than the promised update cycle; entries without a
    /// fixed cycle count once they have data.
    pub in_cycle: i64,

    /// 共享: requests for its data that were filed.
    pub requests_received: i64,
    /// Requests that it filed itself.
    pub requests_filed: i64,
    /// Decisions on requests for its data that granted them.
    pub granted: i64,
    /// Decisions on requests for its data that refused them.
    pub refused: i64,
    /// Working days from filing to decision, on average over both; absent without decisions.
    pub decision_days: Option<f64>,
    /// Working days that the regulation allowed for the same decisions, on average.
    pub limit_days: Option<f64>,
    /// Steps of any case that it took and that had a last day.
    pub steps: i64,
    /// Those of them taken no later than that day.
    pub steps_on_time: i64,

    /// 应用: grants on its data that are active.
    pub grants_given: i64,
    /// Grants that it holds and that are active.
    pub grants_held: i64,
    /// Those of the grants it holds under which nothing was delivered in the period.
    pub grants_unused: i64,
    /// Rows of its data that were delivered to others.
    pub rows_given: i64,
    /// Rows that were delivered to it.
    pub rows_received: i64,

    /// 质量: rows read from its tables.
    pub rows_read: i64,
    /// Those of them that were set aside as faulty.
    pub rows_quarantined: i64,
}

/// 安全: what was refused, on the whole platform.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecurityView {
    /// Sign-ins with a wrong password.
    pub sign_ins_refused: i64,
    /// Accounts locked after wrong passwords in a row.
    pub accounts_locked: i64,
}
