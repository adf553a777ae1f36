//! Cases in store: events, open steps, and how a case looks. Every process of a regulation uses it;
//! what may happen in one is decided in `domain::case`.
//!
//! Owns `cases`, `case_events` and `tasks`. The open steps in `tasks` are derived from the events and
//! saved in the same transaction, so that a desk can be read without replaying every case.
//! Spec: PDS-9, PDS-17.

mod store;
mod views;

pub use store::{
    CaseRow, Task, count_open, find, find_row, next_number, save_new, save_steps, settled_by,
    tasks_of,
};
pub use views::{
    ClauseView, ClockView, StepLineView, clause_view, clock_view, refusal, step_lines,
};
