//! JSON shapes of the directory.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::Department;

/// A department.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DepartmentView {
    pub id: String,
    pub name: String,
    /// As written in lists.
    pub short_name: String,
    /// Unified social credit code, GB 32100.
    pub credit_code: String,
    /// Administrative division code, GB/T 2260.
    pub division_code: String,
    /// `city`: the platform's own level; `county`: the level below.
    pub level: String,
}

impl From<Department> for DepartmentView {
    fn from(d: Department) -> Self {
        Self {
            id: d.id.to_string(),
            name: d.name,
            short_name: d.short_name,
            credit_code: d.credit_code,
            division_code: d.division_code,
            level: d.level,
        }
    }
}
