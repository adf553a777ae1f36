//! The contract, engine by engine the same.

mod apply;
mod catalog;
mod faults;
mod read;
mod straight;
mod types;

pub use apply::*;
pub use catalog::*;
pub use faults::*;
pub use read::*;
pub use straight::*;
pub use types::*;
