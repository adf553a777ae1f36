//! The classes of refusal that every error of the domain falls into, so that the HTTP border can
//! answer with one `match`.

/// What sort of "no" an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input can't be accepted as it stands; the sender can mend it.
    Invalid,
    /// The actor may not do this.
    Forbidden,
    /// The thing isn't there, or isn't visible to the actor.
    NotFound,
    /// The thing has changed, or is in a state in which this can't be done.
    Conflict,
    /// A limit was passed.
    TooMany,
    /// A foreign system failed or answered nonsense.
    Upstream,
    /// We can't do it now; later it may work.
    Unavailable,
    /// Our own data or code is broken.
    Bug,
}
