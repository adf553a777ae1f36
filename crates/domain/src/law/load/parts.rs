//! Everything of a pack except its processes.

use jiff::civil::Date;

use super::fault::FaultKind;
use super::source::Table;
use super::steps::read_process;
use super::values::{
    clause, condition, count, english_name, fact_value, grounds, id, limit, no_clause,
    read_condition, required_word, roles, texts, word, words_of,
};
use crate::access::Role;
use crate::law::ceiling::Ceilings;
use crate::law::deadline::Limit;
use crate::law::facts::{FactValue, Facts};
use crate::law::pack::{
    Approval, ClauseNote, CodeList, CodeListItem, Decider, ExchangeMode, FactRule, Forwarding,
    Jurisdiction, Meta, Pack, PackRole, PeriodicDuty, Receiver, SharingClass, ShownBy,
};
use crate::law::words::{
    BarredAct, ClauseId, DecidedBy, Event, FactSource, HandedIn, HeldBy, LimitWord, PackId,
    ProcessId, RoleId, SETTLED_FACTS, SILENT,
};

pub(super) fn read_pack(document: &Table<'_>, version: String) -> Option<Pack> {
    let meta = document.table_opt("pack").map(read_meta);
    if !document.has("pack") {
        document.fault(
            "pack",
            FaultKind::MissingKey,
            "no [pack]".to_owned(),
            "add the table [pack] with id, prefix, title, jurisdiction and clause",
        );
    }
    let mut facts: Vec<FactRule> = document.tables("fact").into_iter().map(read_fact).collect();
    facts.extend(settled_facts());
    let clauses = document
        .table_opt("clauses")
        .map(read_clauses)
        .unwrap_or_default();
    let roles = document.tables("role").into_iter().map(read_role).collect();
    let sharing_classes = document
        .tables("sharing_class")
        .into_iter()
        .map(read_class)
        .collect();
    let exchange_modes = document
        .tables("exchange_mode")
        .into_iter()
        .map(read_mode)
        .collect();
    let deciders = document
        .tables("decider")
        .into_iter()
        .map(read_decider)
        .collect();
    let approvals = document
        .tables("approval")
        .into_iter()
        .map(read_approval)
        .collect();
    let barred_grounds = grounds(document, "barred_ground");
    let received_by = document
        .table_opt("received_by")
        .map(read_receivers)
        .unwrap_or_default();
    let processes = document
        .tables("process")
        .into_iter()
        .map(read_process)
        .collect();
    let periodic = document
        .tables("periodic")
        .into_iter()
        .map(read_periodic)
        .collect();
    let lists = document.tables("list").into_iter().map(read_list).collect();
    Some(Pack {
        meta: meta?,
        version,
        clauses,
        roles,
        facts,
        sharing_classes,
        exchange_modes,
        deciders,
        approvals,
        barred_grounds,
        received_by,
        processes,
        periodic,
        lists,
        ceilings: Ceilings::default(),
    })
}

/// The facts that the engine itself settles, as if they stood in the pack.
fn settled_facts() -> impl Iterator<Item = FactRule> {
    SETTLED_FACTS.iter().map(|id| FactRule {
        id: (*id).to_owned(),
        name: (*id).to_owned(),
        name_en: (*id).to_owned(),
        source: FactSource::Step,
        values: if *id == "decider" {
            DecidedBy::ALL
                .iter()
                .map(|word| word.code())
                .chain([SILENT])
                .map(FactValue::from)
                .collect()
        } else {
            vec![true.into(), false.into()]
        },
        default: None,
        implied_by: Vec::new(),
        shown_by: None,
        line: 0,
    })
}

fn read_meta(mut table: Table<'_>) -> Meta {
    table.rename("pack".to_owned());
    let template = table.flag("template");
    let validity = table
        .table_opt("validity")
        .map(read_validity)
        .unwrap_or_default();
    let jurisdiction = table.table_opt("jurisdiction").map(read_jurisdiction);
    if !table.has("jurisdiction") {
        table.missing("jurisdiction");
    }
    let year = table.integer_opt("issued_year");
    let issued_year = year
        .and_then(|year| i16::try_from(year).ok())
        .filter(|year| (1949..=9999).contains(year));
    if year.is_some() && issued_year.is_none() {
        table.fault(
            "issued_year",
            FaultKind::BadDate,
            "issued_year is no year of this regulation".to_owned(),
            "write four digits",
        );
    }
    let successor = table
        .has("successor")
        .then(|| id(&table, "successor", PackId::parse));
    let inherits = table
        .has("inherits")
        .then(|| id(&table, "inherits", PackId::parse));
    let meta = Meta {
        inherits,
        id: id(&table, "id", PackId::parse),
        prefix: table.text("prefix").to_owned(),
        title: table.text("title").to_owned(),
        title_en: table.text("title_en").to_owned(),
        issuer: text_unless(&table, "issuer", template),
        number: text_unless(&table, "number", template),
        issued_year,
        first_day: validity.first_day,
        last_day: validity.last_day,
        last_day_is_reading: validity.last_day_is_reading,
        successor,
        template,
        jurisdiction: jurisdiction.unwrap_or_else(|| Jurisdiction {
            name: String::new(),
            level: String::new(),
            division: None,
            clause: no_clause(),
        }),
        forwarded: table
            .tables("forwarded")
            .into_iter()
            .map(read_forwarding)
            .collect(),
        clause: clause(&table),
        validity_clause: validity.clause,
        line: table.line(),
    };
    table.finish();
    meta
}

fn text_unless(table: &Table<'_>, key: &'static str, excused: bool) -> Option<String> {
    if excused {
        table.text_opt(key)
    } else {
        Some(table.text(key))
    }
    .map(str::to_owned)
}

#[derive(Default)]
struct Validity {
    first_day: Option<Date>,
    last_day: Option<Date>,
    last_day_is_reading: bool,
    clause: Option<ClauseId>,
}

fn read_validity(table: Table<'_>) -> Validity {
    let first_day = table.date_opt("first_day");
    let last_day = table.date_opt("last_day");
    if let (Some(first), Some(last)) = (first_day, last_day)
        && last < first
    {
        table.fault(
            "last_day",
            FaultKind::BadDate,
            "last_day is before first_day".to_owned(),
            "put the later date last",
        );
    }
    table.text_opt("note");
    let validity = Validity {
        first_day,
        last_day,
        last_day_is_reading: table.flag("last_day_is_reading"),
        clause: Some(clause(&table)),
    };
    table.finish();
    validity
}

fn read_jurisdiction(table: Table<'_>) -> Jurisdiction {
    let jurisdiction = Jurisdiction {
        name: table.text("name").to_owned(),
        level: table.text("level").to_owned(),
        division: table.text_opt("division").map(str::to_owned),
        clause: clause(&table),
    };
    table.finish();
    jurisdiction
}

fn read_forwarding(table: Table<'_>) -> Forwarding {
    if !table.has("date") {
        table.missing("date");
    }
    let forwarding = Forwarding {
        jurisdiction: table.text("jurisdiction").to_owned(),
        division: table.text_opt("division").map(str::to_owned),
        by: table.text("by").to_owned(),
        number: table.text("number").to_owned(),
        date: table.date_opt("date").unwrap_or(Date::ZERO),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    forwarding
}

fn read_clauses(table: Table<'_>) -> Vec<ClauseNote> {
    let mut notes = Vec::new();
    for (key, line, value) in table.other_entries() {
        let Ok(id) = ClauseId::parse(key) else {
            table.source().fault(
                line,
                FaultKind::BadId,
                format!("clauses: {key} is no clause id"),
                "write prefix, hyphen, article, for example XY-10.2b",
            );
            continue;
        };
        let Some(entries) = value.get_ref().as_table() else {
            table.source().fault(
                line,
                FaultKind::WrongType,
                format!("clauses: {key} is no table"),
                "write { place = \"...\", gist = \"...\" }",
            );
            continue;
        };
        let note = Table::new(
            table.source(),
            entries,
            value.span().start,
            &format!("clause {key}"),
        );
        notes.push(ClauseNote {
            id,
            place: note.text("place").to_owned(),
            gist: note.text("gist").to_owned(),
            line,
        });
        note.finish();
    }
    notes
}

fn read_role(mut table: Table<'_>) -> PackRole {
    table.rename(format!("role {}", table.text("id")));
    let role = PackRole {
        id: id(&table, "id", RoleId::parse),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        held_by: required_word(&table, "held_by", HeldBy::ALL, HeldBy::code, HeldBy::Every),
        body: table.text_opt("body").map(str::to_owned),
        posts: words_of(&table, "posts", Role::ALL, Role::code),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    role
}

fn read_receivers(table: Table<'_>) -> Vec<Receiver> {
    let found = HandedIn::ALL
        .iter()
        .filter_map(|what| {
            let mut entry = table.table_opt(what.code())?;
            entry.rename(format!("received_by {what}"));
            let receiver = Receiver {
                what: *what,
                role: id(&entry, "role", RoleId::parse),
                clause: clause(&entry),
                line: entry.line(),
            };
            entry.finish();
            Some(receiver)
        })
        .collect();
    table.finish();
    found
}

fn read_fact(mut table: Table<'_>) -> FactRule {
    table.rename(format!("fact {}", table.text("id")));
    let codes: Vec<FactValue> = table
        .texts("values")
        .into_iter()
        .map(|(code, _)| code.into())
        .collect();
    let fact = FactRule {
        id: table.text("id").to_owned(),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        source: required_word(
            &table,
            "from",
            FactSource::ALL,
            FactSource::code,
            FactSource::Platform,
        ),
        values: if codes.is_empty() {
            vec![true.into(), false.into()]
        } else {
            codes
        },
        default: table
            .value_opt("default")
            .and_then(|(value, line)| fact_value(&table, "default", value, line)),
        implied_by: table
            .tables("implied_by")
            .iter()
            .map(read_condition)
            .collect(),
        shown_by: table.table_opt("shown_by").and_then(read_shown_by),
        line: table.line(),
    };
    if let Some(default) = &fact.default
        && !fact.values.contains(default)
    {
        table.fault(
            "default",
            FaultKind::UnknownFact,
            format!("default {default} isn't one of its values"),
            "use one of its values",
        );
    }
    table.finish();
    fact
}

fn read_shown_by(table: Table<'_>) -> Option<ShownBy> {
    if !table.has("event") {
        table.missing("event");
    }
    let process = id(&table, "process", ProcessId::parse);
    let event = word(&table, "event", Event::ALL, Event::code);
    table.finish();
    event.map(|event| ShownBy { process, event })
}

fn read_class(mut table: Table<'_>) -> SharingClass {
    table.rename(format!("sharing_class {}", table.text("code")));
    let class = SharingClass {
        code: table.text("code").to_owned(),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        is_reading: table.flag("is_reading"),
        needs_condition: table.flag("needs_condition"),
        needs_legal_basis: table.flag("needs_legal_basis"),
        needs_recipients: table.flag("needs_recipients"),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    class
}

fn read_mode(mut table: Table<'_>) -> ExchangeMode {
    table.rename(format!("exchange_mode {}", table.text("code")));
    let mode = ExchangeMode {
        code: table.text("code").to_owned(),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        via: table.text_opt("via").map(str::to_owned),
        is_reading: table.flag("is_reading"),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    mode
}

fn read_decider(table: Table<'_>) -> Decider {
    let decider = Decider {
        when: condition(&table, "when"),
        decides: required_word(
            &table,
            "decides",
            DecidedBy::ALL,
            DecidedBy::code,
            DecidedBy::NobodyNotOffered,
        ),
        prevails: table.flag("prevails"),
        notify: roles(&table, "notify"),
        is_reading: table.flag("is_reading"),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    decider
}

fn read_approval(table: Table<'_>) -> Approval {
    let approval = Approval {
        act: required_word(
            &table,
            "act",
            BarredAct::ALL,
            BarredAct::code,
            BarredAct::Deliver,
        ),
        when: condition(&table, "when"),
        process: id(&table, "process", ProcessId::parse),
        until: required_word(&table, "until", Event::ALL, Event::code, Event::Decided),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    approval
}

fn read_periodic(mut table: Table<'_>) -> PeriodicDuty {
    table.rename(format!("periodic {}", table.text("id")));
    let due = table.table_opt("due").map(|due| {
        let limit = limit(&due);
        let is_reading = due.flag("is_reading");
        let clause = clause(&due);
        due.text_opt("note");
        due.finish();
        (limit, is_reading, clause)
    });
    if due.is_none() && !table.has("due") {
        table.missing("due");
    }
    let (limit, due_is_reading, due_clause) = due.unwrap_or_else(|| (None, false, no_clause()));
    let duty = PeriodicDuty {
        id: table.text("id").to_owned(),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        role: id(&table, "role", RoleId::parse),
        addressee: table
            .has("addressee")
            .then(|| id(&table, "addressee", RoleId::parse)),
        with: roles(&table, "with"),
        covers: texts(&table, "covers"),
        published_on: table.text_opt("published_on").map(str::to_owned),
        due: limit.unwrap_or(Limit::Word(LimitWord::Periodic)),
        due_is_reading,
        due_clause,
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    duty
}

fn read_list(mut table: Table<'_>) -> CodeList {
    table.rename(format!("list {}", table.text("id")));
    let list_clause = clause(&table);
    let items = table
        .tables("items")
        .into_iter()
        .map(|item| read_list_item(item, &list_clause))
        .collect();
    let name = table.text("name");
    let list = CodeList {
        id: table.text("id").to_owned(),
        name: name.to_owned(),
        name_en: english_name(&table, name),
        open_ended: table.flag("open_ended"),
        items,
        clause: list_clause,
        line: table.line(),
    };
    table.finish();
    list
}

fn read_list_item(table: Table<'_>, list_clause: &ClauseId) -> CodeListItem {
    let code = table.text("code").to_owned();
    let name = table.text_opt("name").unwrap_or(table.text("code"));
    let name_en = english_name(&table, name);
    let clause = if table.has("clause") {
        clause(&table)
    } else {
        list_clause.clone()
    };
    let order = count(&table, "order");
    let notify = roles(&table, "notify");
    let marks = table
        .other_entries()
        .filter_map(|(key, line, value)| {
            fact_value(&table, key, value.get_ref(), line).map(|value| (key.to_owned(), value))
        })
        .collect::<Facts>();
    CodeListItem {
        code,
        name: name.to_owned(),
        name_en,
        order,
        notify,
        marks,
        clause,
        line: table.line(),
    }
}
