//! The directory: departments, people and their posts, exchange stores, notices to departments.
//!
//! Every feature may ask it who is who. Owns `departments`, `people`, `posts`, `stores`, `notices`
//! and `role_bindings`. Spec: PDS-5.1, PDS-6.3, PDS-8.1.

mod departments;
mod notices;
mod people;
mod roles;
mod set_up;
mod store;
#[cfg(test)]
mod store_tests;
mod stores;
mod views;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use departments::DepartmentBody;
pub use notices::{Notice, notify};
pub use roles::bound_roles;
pub use set_up::{FirstAdministrator, set_up};
pub use store::{
    Department, ExchangeStore, department_names, departments_by_id, departments_count,
    find_department, find_store, has_people, people_names, platform_department, save_setting,
    setting, stores_of,
};
pub use views::DepartmentView;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(
            departments::list_departments,
            departments::create_department
        ))
        .routes(routes!(people::list_people, people::create_person))
        .routes(routes!(people::assign_posts))
        .routes(routes!(stores::list_stores, stores::create_store))
        .routes(routes!(notices::list_notices))
        .routes(routes!(roles::list_roles))
        .routes(routes!(roles::bind_role))
}
