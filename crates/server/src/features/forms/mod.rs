//! The forms that regulations name, filled in for printing: what stands on them comes from the case, what
//! they are called and whether they need a seal from the rule pack. Owns nothing and stores nothing.
//! Spec: YC-29.2, PDS-12, PDS-13, TP-21a, LY-15.

mod application;
mod sheet;
mod store;

pub use application::{Application, application_form};
pub use sheet::{Sheet, form_step, printed, sheet};
pub use store::{Applicant, applicant};
