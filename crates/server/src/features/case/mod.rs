//! Cases in store: events, open steps, and how a case looks. Every process of a regulation uses it;
//! what may happen in one is decided in `domain::case`.
//!
//! Owns `cases`, `case_events` and `tasks`. The open steps in `tasks` are derived from the events and
//! saved in the same transaction, so that a desk can be read without replaying every case.
//! Spec: PDS-9, PDS-17.

mod duties;
mod facts;
mod open;
mod refusal;
mod shown;
mod store;
mod views;

pub use duties::{DutyNoticeView, duties_about, open_duties};
pub use facts::{FactView, fact_views, facts_asked, facts_of};
pub use open::{Begun, NewCase, begin, begin_on, new_id, opened, pack_for, parties};
pub use refusal::refusal;
pub use shown::{Between, showing, shown_facts};
pub use store::{
    CaseFilter, CaseLine, CaseRow, Task, all_about, count_open, count_tasks, find, find_many,
    find_row, hold, list, next_number, of_process_about, open_about, open_about_each, save_new,
    save_steps, settled_by, show, tasks_of,
};
pub use views::{
    CaseLineView, ClaimedView, ClauseView, ClockView, ExceptionView, FormView, GroundView,
    StepLineView, account, case_line, clause_view, clock_view, form_view, state_code, step_lines,
};
