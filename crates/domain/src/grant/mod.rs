//! Placeholder room, filled in its own change.
