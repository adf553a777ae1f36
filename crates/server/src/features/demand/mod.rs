//! The demand list 需求清单: departments state what data they need of others, the authority finds out
//! who has them and makes the county list, the department asked answers.
//!
//! Whose desk a demand reaches is the rule pack's (`received_by`). An unanswered demand has an age and no
//! date. Demands for one resource of a higher level become one application upward. Owns `demands`,
//! `demand_lists`, `demand_list_lines`, `upward_applications`.
//! Spec: YC-12.2, TP-5.2, TP-11, YJ-1.2, YJ-2.1, PDS-5.6, PDS-18.

mod answer;
mod county_list;
mod direct;
mod list;
mod read;
mod state_demand;
mod store;
mod upward;
mod views;
mod workbook;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list_demands, state_demand::state_demand))
        .routes(routes!(read::read_demand))
        .routes(routes!(direct::confirm_match))
        .routes(routes!(direct::direct_demand))
        .routes(routes!(answer::answer_demand))
        .routes(routes!(answer::withdraw_demand))
        .routes(routes!(
            county_list::list_demand_lists,
            county_list::make_demand_list
        ))
        .routes(routes!(county_list::read_demand_list))
        .routes(routes!(workbook::download_demand_list))
        .routes(routes!(
            upward::list_upward_applications,
            upward::merge_upward
        ))
        .routes(routes!(upward::read_upward_application))
        .routes(routes!(upward::send_upward))
        .routes(routes!(upward::record_answer_from_above))
}
