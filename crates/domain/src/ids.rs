//! Typed identifiers: one type per noun, so that a department can't be passed where a person is meant.

use serde::{Deserialize, Serialize};

/// An identifier that doesn't fit: empty, longer than 64 characters, or with characters other than
/// lower-case ASCII letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {noun} identifier")]
pub struct InvalidId {
    /// The noun whose identifier was expected, for example `department`.
    pub noun: &'static str,
}

/// The longest identifier accepted at a border, in characters.
pub const ID_CHARS_MAX: usize = 64;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts 1-64 characters of `a-z`, `0-9` and `-`.
            ///
            /// Errors: [`InvalidId`] naming the noun.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let fits = !text.is_empty()
                    && text.len() <= ID_CHARS_MAX
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if fits { Ok(Self(text.to_owned())) } else { Err(InvalidId { noun: $noun }) }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A department 政务部门.
    DepartmentId = "department";
    /// A person with an account.
    PersonId = "person";
    /// A catalogue entry 目录条目, over all its versions.
    EntryId = "catalogue entry";
    /// One immutable version of a catalogue entry.
    VersionId = "catalogue version";
    /// A case: one process of the regulation, under way or ended.
    CaseId = "case";
    /// A sharing request 申请; its case carries the steps.
    RequestId = "request";
    /// A grant 授权.
    GrantId = "grant";
    /// A standing delivery 订阅 under a grant.
    SubscriptionId = "subscription";
    /// An agent 前置机 in a department's network.
    AgentId = "agent";
    /// An exchange store 前置库 of a department.
    StoreId = "exchange store";
    /// The binding 挂接 of an entry to real data.
    MountingId = "mounting";
    /// An uploaded file 附件: a sealed form, minutes, a proof.
    AttachmentId = "attachment";
    /// One run of an exchange: a collection into the pool or a delivery out of it.
    RunId = "run";
}
