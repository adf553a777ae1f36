//! The catalogue 目录: what a department holds, described in versions that never change once published.
//!
//! `content` is what the department states, `check` tells its faults, `version` is the life cycle.
//! A change in the metadata of an entry usually starts in `content.rs`.

mod content;

pub use content::*;
