//! A rule pack: one regulation as data.

use jiff::civil::Date;
use serde::Serialize;

use super::ceiling::Ceilings;
use super::deadline::Limit;
use super::facts::{Condition, FactValue, Facts, Holds};
use super::process::{Ground, Process};
use super::words::{
    BarredAct, ClauseId, DecidedBy, Event, FactSource, HandedIn, HeldBy, PackId, ProcessId, RoleId,
    SILENT,
};
use crate::access::Role;

/// One regulation as data. It is built only by [`Pack::load`], and so is always consistent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pack {
    /// Names, validity, jurisdiction.
    pub meta: Meta,
    /// The content digest of the file, SM3 in hexadecimal: the version that a case keeps.
    pub version: String,
    /// The clauses that the pack cites.
    pub clauses: Vec<ClauseNote>,
    /// Who acts, and in which department.
    pub roles: Vec<PackRole>,
    /// The facts it asks about.
    pub facts: Vec<FactRule>,
    /// 共享类型.
    pub sharing_classes: Vec<SharingClass>,
    /// 共享方式.
    pub exchange_modes: Vec<ExchangeMode>,
    /// Who decides, first match wins.
    pub deciders: Vec<Decider>,
    /// What has to be approved before the platform does something.
    pub approvals: Vec<Approval>,
    /// Grounds on which nothing may be refused.
    pub barred_grounds: Vec<Ground>,
    /// Who receives what departments hand in, as far as the regulation says.
    pub received_by: Vec<Receiver>,
    /// Its processes.
    pub processes: Vec<Process>,
    /// What comes round: reports, statistics, evaluations.
    pub periodic: Vec<PeriodicDuty>,
    /// Every other list of the regulation: file formats, base libraries, themes, identifiers...
    pub lists: Vec<CodeList>,
    #[serde(skip)]
    pub(crate) ceilings: Ceilings,
}

/// What a regulation says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meta {
    /// The identifier of the pack.
    pub id: PackId,
    /// The pack that it gets everything from that it doesn't say itself.
    pub inherits: Option<PackId>,
    /// The prefix of its clause ids.
    pub prefix: String,
    /// Title.
    pub title: String,
    /// Title in English.
    pub title_en: String,
    /// Issuing body; a template has none.
    pub issuer: Option<String>,
    /// Document number 发文字号; a template has none.
    pub number: Option<String>,
    /// The year of issue, where the day isn't stated.
    pub issued_year: Option<i16>,
    /// The first day in force, where it is stated.
    pub first_day: Option<Date>,
    /// The last day in force, inclusive; `None`: not stated.
    pub last_day: Option<Date>,
    /// The last day isn't stated as a date; it is reckoned from a length.
    pub last_day_is_reading: bool,
    /// The pack that an administrator set for the time after the last day.
    pub successor: Option<PackId>,
    /// Never in force by itself.
    pub template: bool,
    /// Where it applies.
    pub jurisdiction: Jurisdiction,
    /// Who put it on without change, and where.
    pub forwarded: Vec<Forwarding>,
    /// The clause for issuer, number and title.
    pub clause: ClauseId,
    /// The clause for the validity.
    pub validity_clause: Option<ClauseId>,
    /// The line in the pack file.
    pub line: u32,
}

/// Where a regulation applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jurisdiction {
    /// The name as in the regulation.
    pub name: String,
    /// `county`, `city` or `province`.
    pub level: String,
    /// GB/T 2260 code; not from the regulation.
    pub division: Option<String>,
    /// The clause.
    pub clause: ClauseId,
}

/// A body that put the regulation into force unchanged for its own area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forwarding {
    /// Where.
    pub jurisdiction: String,
    /// GB/T 2260 code; not from the regulation.
    pub division: Option<String>,
    /// By whom.
    pub by: String,
    /// The document number.
    pub number: String,
    /// When.
    pub date: Date,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// How a regulation reaches an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage<'a> {
    /// It was made for the area.
    Own,
    /// Another body put it into force there without change.
    Forwarded(&'a Forwarding),
}

/// Whether a pack is in force on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    InForce,
    /// It wasn't issued yet, or is a template.
    NotInForce,
    /// Its last day has passed; cases begun before run on.
    Ended {
        /// The last day in force.
        last_day: Date,
    },
}

/// A clause, as a page shows it beside a button or a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClauseNote {
    /// The id.
    pub id: ClauseId,
    /// The place in the regulation, for example `第十条第（二）项`.
    pub place: String,
    /// What it says, in our words.
    pub gist: String,
    /// The line in the pack file.
    pub line: u32,
}

/// A role of the regulation: who stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackRole {
    /// Unique within the pack.
    pub id: RoleId,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Whose department it is.
    pub held_by: HeldBy,
    /// The body that the regulation names, for a bound role. Two roles with one body are one department.
    pub body: Option<String>,
    /// The posts in that department of which one is needed; empty for roles off the platform.
    pub posts: Vec<Role>,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// Whose desk a list of the departments reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// What is handed in.
    pub what: HandedIn,
    /// The role that receives it; a bound one.
    pub role: RoleId,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// A fact that the pack asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactRule {
    /// The name in conditions.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Where it comes from.
    pub source: FactSource,
    /// The values it can have. Yes and no, unless the pack lists codes.
    pub values: Vec<FactValue>,
    /// The value where nothing is said.
    pub default: Option<FactValue>,
    /// Conditions under which a yes-or-no fact is yes, whatever was said.
    pub implied_by: Vec<Condition>,
    /// The case that shows that a yes-or-no fact is yes; nobody's statement does.
    pub shown_by: Option<ShownBy>,
    /// The line in the pack file.
    pub line: u32,
}

/// A case between the same departments about the same thing, in which an event has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownBy {
    /// The process of the case.
    pub process: ProcessId,
    /// The event.
    pub event: Event,
}

/// A sharing class 共享类型.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a rule of its own that the regulation states or doesn't"
)]
pub struct SharingClass {
    /// The code.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// The regulation doesn't name the class; it is our reading.
    pub is_reading: bool,
    /// An entry of the class has to state the conditions of sharing.
    pub needs_condition: bool,
    /// An entry of the class has to state its legal basis.
    pub needs_legal_basis: bool,
    /// An entry of the class has to name its recipients.
    pub needs_recipients: bool,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// A way of exchange 共享方式.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeMode {
    /// The code.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// What it runs through, for example `front_end_exchange_store`.
    pub via: Option<String>,
    /// The regulation doesn't name the way; it is our reading.
    pub is_reading: bool,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// One rule on who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decider {
    /// When it applies.
    pub when: Condition,
    /// Who decides.
    pub decides: DecidedBy,
    /// It goes before later rules that it overlaps with.
    pub prevails: bool,
    /// Roles that are told.
    pub notify: Vec<RoleId>,
    /// The regulation doesn't say it in these words; it is our reading.
    pub is_reading: bool,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// An approval without which the platform doesn't act: a case between the same departments about the
/// same thing, in which an event has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// What waits for it.
    pub act: BarredAct,
    /// When it is asked for.
    pub when: Condition,
    /// The process in which it is given.
    pub process: ProcessId,
    /// The event that it is.
    pub until: Event,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// Something that comes round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodicDuty {
    /// Unique within the pack.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Whose duty.
    pub role: RoleId,
    /// To whom.
    pub addressee: Option<RoleId>,
    /// Roles that may be entrusted with it.
    pub with: Vec<RoleId>,
    /// What it covers.
    pub covers: Vec<String>,
    /// Where it is published.
    pub published_on: Option<String>,
    /// When.
    pub due: Limit,
    /// How the date is to be understood isn't stated; it is our reading.
    pub due_is_reading: bool,
    /// The clause of the date.
    pub due_clause: ClauseId,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// A list of the regulation that the engine needn't understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeList {
    /// Unique within the pack, for example `file_formats`.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name; the Chinese one where the pack has none.
    pub name_en: String,
    /// The regulation ends the list with "and the like".
    pub open_ended: bool,
    /// Its entries.
    pub items: Vec<CodeListItem>,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// An entry of a [`CodeList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeListItem {
    /// The code.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// English name; the Chinese one where the pack has none.
    pub name_en: String,
    /// Its rank among those that can stand in for each other, where the regulation gives one.
    pub order: Option<u32>,
    /// Roles that are told when it is chosen.
    pub notify: Vec<RoleId>,
    /// What else the regulation says about it, by name.
    pub marks: Facts,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

impl Pack {
    /// The process for a topic under the facts; `None` where the regulation is silent on the topic.
    ///
    /// Facts that aren't given don't rule a process out.
    #[must_use]
    pub fn process_for(&self, topic: &str, facts: &Facts) -> Option<&Process> {
        self.processes
            .iter()
            .filter(|process| process.topics.iter().any(|name| name == topic))
            .find(|process| process.when.holds(facts) != Holds::No)
    }

    /// The process with this id.
    #[must_use]
    pub fn process(&self, id: &ProcessId) -> Option<&Process> {
        self.processes.iter().find(|process| process.id == *id)
    }

    /// The rule on who decides under the facts; `None` where the regulation is silent.
    ///
    /// Facts that aren't given have their default; without one, rules that ask for them don't apply.
    #[must_use]
    pub fn decider(&self, facts: &Facts) -> Option<&Decider> {
        let facts = self.with_defaults(facts);
        self.deciders
            .iter()
            .find(|decider| decider.when.holds(&facts) == Holds::Yes)
    }

    /// What has to be approved before the platform does `act` under the facts.
    ///
    /// Facts that aren't given have their default; without one, what asks for them isn't asked for.
    /// Spec: TP-5.5, TP-9c, TP-9d, TP-25a, TP-25b.
    pub fn approvals_for(&self, act: BarredAct, facts: &Facts) -> impl Iterator<Item = &Approval> {
        let facts = self.with_defaults(facts);
        self.approvals.iter().filter(move |approval| {
            approval.act == act && approval.when.holds(&facts) == Holds::Yes
        })
    }

    /// 共享类型, in the order of the regulation.
    #[must_use]
    pub fn sharing_classes(&self) -> &[SharingClass] {
        &self.sharing_classes
    }

    /// 共享方式, in the order of the regulation.
    #[must_use]
    pub fn exchange_modes(&self) -> &[ExchangeMode] {
        &self.exchange_modes
    }

    /// The role with this id.
    #[must_use]
    pub fn role(&self, id: &RoleId) -> Option<&PackRole> {
        self.roles.iter().find(|role| role.id == *id)
    }

    /// Who receives it; `None` where the regulation doesn't say. Spec: TP-11.
    #[must_use]
    pub fn receiver(&self, what: HandedIn) -> Option<&Receiver> {
        self.received_by
            .iter()
            .find(|receiver| receiver.what == what)
    }

    /// The list with this id, for example `file_formats`.
    #[must_use]
    pub fn list(&self, id: &str) -> Option<&CodeList> {
        self.lists.iter().find(|list| list.id == id)
    }

    /// Place and gist of a clause.
    #[must_use]
    pub fn clause(&self, id: &ClauseId) -> Option<&ClauseNote> {
        self.clauses.iter().find(|note| note.id == *id)
    }

    /// Whether new cases may be begun under the pack on `date`.
    ///
    /// Where only the year of issue is known, the whole of that year counts as in force: the day
    /// isn't in the text, and nobody is to lose a case over it.
    #[must_use]
    pub fn in_force_on(&self, date: Date) -> Standing {
        let begun = match (self.meta.first_day, self.meta.issued_year) {
            (Some(first_day), _) => date >= first_day,
            (None, Some(year)) => date.year() >= year,
            (None, None) => true,
        };
        match self.meta.last_day {
            _ if self.meta.template || !begun => Standing::NotInForce,
            Some(last_day) if date > last_day => Standing::Ended { last_day },
            Some(_) | None => Standing::InForce,
        }
    }

    /// How the pack reaches the area with this GB/T 2260 code; `None` if it doesn't by itself. A level
    /// below may have rules of its own, so an area isn't covered by lying within a larger one.
    #[must_use]
    pub fn covers(&self, division: &str) -> Option<Coverage<'_>> {
        let forwarded = self
            .meta
            .forwarded
            .iter()
            .find(|item| item.division.as_deref() == Some(division));
        match forwarded {
            Some(forwarding) => Some(Coverage::Forwarded(forwarding)),
            None => (self.meta.jurisdiction.division.as_deref() == Some(division))
                .then_some(Coverage::Own),
        }
    }

    /// The same pack with national ceilings over its limits.
    #[must_use]
    pub fn with_ceilings(self, ceilings: Ceilings) -> Self {
        Self { ceilings, ..self }
    }

    /// The facts as a process sees them: defaults filled in, implied ones set, those that the
    /// process leaves only one value for taken from it, and `decider` reckoned.
    #[must_use]
    pub fn settled_facts(&self, process: &Process, facts: &Facts) -> Facts {
        let mut settled = facts.clone();
        for (name, values) in &process.when.0 {
            if let [only] = values.as_slice() {
                settled.entry(name.clone()).or_insert_with(|| only.clone());
            }
        }
        let mut settled = self.with_defaults(&settled);
        let decider = self
            .deciders
            .iter()
            .find(|decider| decider.when.holds(&settled) == Holds::Yes)
            .map_or(SILENT, |decider| decider.decides.code());
        settled.insert("decider".to_owned(), decider.into());
        settled
    }

    fn with_defaults(&self, facts: &Facts) -> Facts {
        let mut filled = facts.clone();
        for rule in &self.facts {
            if let Some(default) = &rule.default {
                filled
                    .entry(rule.id.clone())
                    .or_insert_with(|| default.clone());
            }
        }
        for rule in &self.facts {
            if rule
                .implied_by
                .iter()
                .any(|condition| condition.holds(&filled) == Holds::Yes)
            {
                filled.insert(rule.id.clone(), FactValue::Bool(true));
            }
        }
        filled
    }
}
