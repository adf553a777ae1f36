//! Which sharing class an entry would have if its department leaves that open.

use super::check::ClassRules;
use super::content::{EntryContent, Sensitivity};

/// A sharing class that a regulation prefers for some entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassHint {
    /// The class, a code of the pack.
    pub class: String,
    /// Only entries stated to be for this use, for example 跨部门并联审批.
    pub purpose: Option<String>,
    /// Only entries with a sensitive data item.
    pub sensitive_only: bool,
    /// Only entries that name the departments among which they go.
    pub named_recipients_only: bool,
    /// The clause.
    pub clause: String,
}

/// A class with the clause that it is proposed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposedClass<'a> {
    /// The class, a code of the pack.
    pub class: &'a str,
    /// The clause.
    pub clause: &'a str,
}

/// The class to propose for an entry; `None` where the regulation says nothing.
///
/// A base library that knows one class only goes first, then the hints in the order of the pack.
/// Spec: YJ-1.1, TP-9e, TP-9a, YC-25.2.
#[must_use]
pub fn propose_class<'a>(
    content: &EntryContent,
    rules: &'a ClassRules,
) -> Option<ProposedClass<'a>> {
    let library = content.base_library.as_ref();
    let locked = rules
        .libraries
        .iter()
        .find(|rule| Some(&rule.code) == library)
        .and_then(|rule| rule.locked.as_ref());
    if let Some((class, clause)) = locked {
        return Some(ProposedClass { class, clause });
    }
    let hint = rules.hints.iter().find(|hint| hint.fits(content))?;
    Some(ProposedClass {
        class: &hint.class,
        clause: &hint.clause,
    })
}

impl ClassHint {
    fn fits(&self, content: &EntryContent) -> bool {
        let is_sensitive = || {
            content
                .items
                .iter()
                .any(|item| item.sensitivity == Sensitivity::Sensitive)
        };
        let is_for = |purpose| content.purposes.iter().any(|stated| stated == purpose);
        self.purpose.as_ref().is_none_or(is_for)
            && (!self.sensitive_only || is_sensitive())
            && (!self.named_recipients_only || !content.recipients.is_empty())
    }
}
