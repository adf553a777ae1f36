//! The directory: departments, people and their posts, exchange stores, notices to departments.
//!
//! Every feature may ask it who is who. Owns `departments` with their contacts and names over time, `people`,
//! `posts`, `delegations`, `stores`, `notices` and `role_bindings`.
//! Spec: YC-3, YC-7.2, YC-30, YC-44, YJ-4.2.1, PDS-5.1, PDS-6.3, PDS-8.1.

mod contacts;
mod delegations;
mod departments;
mod import;
mod notices;
mod people;
mod read_department;
mod receivers;
mod roles;
mod set_up;
mod store;
#[cfg(test)]
mod store_tests;
mod stores;
mod succession;
mod views;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use delegations::delegations_in_force;
pub use departments::DepartmentBody;
pub use notices::{Notice, notify};
pub use receivers::{ReceivedBy, receiver};
pub use roles::bound_roles;
pub use set_up::{FirstAdministrator, set_up};
pub use store::{
    Department, ExchangeStore, Merger, department_names, departments_by_id,
    departments_by_reference, departments_count, duties_of, every_store, find_department,
    find_store, has_people, people_names, platform_department, posts_held, posts_of, save_setting,
    setting, technical_contact,
};
pub use succession::{
    NamesOverTime, answers_for, names_over_time, stores_of, successions, successor,
};
pub use views::DepartmentView;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(
            departments::list_departments,
            departments::create_department
        ))
        .routes(routes!(contacts::list_gaps))
        .routes(routes!(
            read_department::read_department,
            departments::edit_department
        ))
        .routes(routes!(contacts::save_contacts))
        .routes(routes!(succession::rename_department))
        .routes(routes!(succession::merge_department))
        .routes(routes!(
            delegations::list_delegations,
            delegations::create_delegation
        ))
        .routes(routes!(delegations::revoke_delegation))
        .routes(routes!(people::list_people, people::create_person))
        .routes(routes!(people::assign_posts))
        .routes(routes!(import::departments::download_departments_template))
        .routes(routes!(import::departments::import_departments))
        .routes(routes!(import::departments::preview_departments_import))
        .routes(routes!(import::people::download_people_template))
        .routes(routes!(import::people::import_people))
        .routes(routes!(import::people::preview_people_import))
        .routes(routes!(import::people::invite_person))
        .routes(routes!(stores::list_stores, stores::create_store))
        .routes(routes!(stores::throttle_store))
        .routes(routes!(notices::list_notices))
        .routes(routes!(roles::list_roles))
        .routes(routes!(roles::bind_role))
}
