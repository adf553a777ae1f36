//! What bears a name in Chinese and in English.

use super::due::StepDue;
use super::pack::{
    CodeList, CodeListItem, ExchangeMode, FactRule, Meta, PackRole, PeriodicDuty, SharingClass,
};
use super::process::{Exception, FormPolicy, Ground, Process, Step};

/// Something with a name in both languages of the portal: what a pack names, and the words that packs are written in.
pub trait Named {
    /// The name in Chinese.
    fn name(&self) -> &str;

    /// The name in English; the Chinese one where the pack gives no other.
    fn name_en(&self) -> &str;
}

macro_rules! named {
    ($($kind:ty),+ $(,)?) => {
        $(impl Named for $kind {
            fn name(&self) -> &str {
                &self.name
            }

            fn name_en(&self) -> &str {
                &self.name_en
            }
        })+
    };
}

named!(
    CodeList,
    CodeListItem,
    Exception,
    ExchangeMode,
    FactRule,
    FormPolicy,
    Ground,
    PackRole,
    PeriodicDuty,
    Process,
    SharingClass,
    Step,
    StepDue,
    crate::case::Promise,
    crate::case::StepView,
);

impl Named for Meta {
    fn name(&self) -> &str {
        &self.title
    }

    fn name_en(&self) -> &str {
        &self.title_en
    }
}
