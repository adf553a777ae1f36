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
    /// `city`: the platform's own level; `province`: above; `county`: below.
    pub level: String,
    /// `organ`, `public_institution`, `social_organisation` or `utility`.
    pub kind: String,
    /// The regulation applies by reference only: duties are advice. Spec: YC-44.
    pub by_reference: bool,
    /// The department above it.
    pub superior_id: Option<String>,
    /// Whether it hasn't been merged into another.
    pub active: bool,
}

impl From<Department> for DepartmentView {
    fn from(d: Department) -> Self {
        Self {
            active: d.is_active(),
            id: d.id.to_string(),
            name: d.name,
            short_name: d.short_name,
            credit_code: d.credit_code,
            division_code: d.division_code,
            level: d.level,
            kind: d.kind,
            by_reference: d.by_reference,
            superior_id: d.superior_id.map(|id| id.to_string()),
        }
    }
}
