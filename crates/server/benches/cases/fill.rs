//! Fills a registry with open cases: rows as the platform writes them, put in by the bulk.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::SinkExt as _;
use jiff::{Timestamp, ToSpan as _, civil::Date};
use tongqu_domain::{
    access::{Actor, Role},
    calendar::Calendar,
    case::{Case, Opening, Parties, StepInput, StepState},
    catalogue::{
        Contact, DataItem, DataType, EntryContent, ResourceFormat, Sensitivity, UpdateCycle,
        VersionState,
    },
    ids::{CaseId, DepartmentId, EntryId, PersonId},
    law::{FactValue, HeldBy, Pack, StepKind},
    request::{PurposeKind, SharingRequest},
    time::{china, china_date, instant_text},
};

/// Departments beside the platform's own.
pub const DEPARTMENTS: u32 = 300;
/// Every so many cases, one is overdue.
const OVERDUE_EVERY: u32 = 10;
/// Filling put in at once.
const CHUNK: u32 = 10_000;

/// The day on which the desk is looked at.
pub fn today() -> Date {
    jiff::civil::date(2026, 9, 21)
}

const CASE: &str = "cas-0000000000template";
const REQUESTER: &str = "dep-template-requester";
const PROVIDER: &str = "dep-template-provider";
const PERSON: &str = "per-template";

/// A table and its rows, as texts.
pub struct Filling {
    pub table: &'static str,
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<Option<String>>>,
}

/// What all cases have in common.
pub struct Template {
    pack_id: String,
    pack_version: String,
    process_id: String,
    opened_at: String,
    opening: String,
    events: Vec<String>,
    /// Open steps with their holder and role.
    steps: Vec<(String, String, String)>,
    request: String,
    entry: String,
    version_state: String,
    /// Instants at which cases were opened, with the date by which they are due: overdue ones, then the others.
    overdue: Vec<(String, String)>,
    in_time: Vec<(String, String)>,
}

/// The id of a department by its number.
pub fn department_id(n: u32) -> String {
    format!("dep-{n:06}")
}

fn entry_content() -> EntryContent {
    let contact = || Contact {
        name: "王授权".to_owned(),
        phone: "0375-7000003".to_owned(),
    };
    let item = |name: &str, code: &str| DataItem {
        name: name.to_owned(),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(60),
        scale: None,
        nullable: false,
        key: code == "code",
        sensitivity: Sensitivity::General,
        mask: None,
        check: None,
        standard: None,
    };
    EntryContent {
        name: "村级行政区划".to_owned(),
        class_code: "307001".to_owned(),
        summary: "村级行政区划，每年更新。".to_owned(),
        format: ResourceFormat::Database,
        sharing_class: "conditional".to_owned(),
        sharing_condition: Some("仅限履行职责使用".to_owned()),
        legal_basis: None,
        recipients: Vec::new(),
        purposes: Vec::new(),
        theme: None,
        modes: vec!["table".to_owned()],
        open: false,
        open_condition: None,
        update_cycle: UpdateCycle::Yearly,
        grade: 2,
        source_system: Some("统计联网直报".to_owned()),
        base_library: None,
        authorising_contact: contact(),
        technical_contact: contact(),
        related_codes: Vec::new(),
        declared_unclassified: true,
        items: vec![item("代码", "code"), item("名称", "name")],
    }
}

impl Template {
    /// One case on conditional data, opened by the engine, as it waits for its provider.
    pub fn new(pack: &Pack) -> anyhow::Result<Self> {
        let calendar = Calendar::statutory();
        let opened_at: Timestamp = "2026-09-01T01:00:00Z".parse()?;
        let requester = DepartmentId::parse(REQUESTER)?;
        let facts = BTreeMap::from([
            ("class".to_owned(), FactValue::from("conditional")),
            ("mode".to_owned(), FactValue::from("table")),
            ("requester_level".to_owned(), FactValue::from("city")),
            ("pooled".to_owned(), FactValue::from(true)),
            ("base_library".to_owned(), FactValue::from(false)),
        ]);
        let process = pack
            .process_for("table_file_subscription", &facts)
            .context("the pack has no such process")?;
        let bound = pack
            .roles
            .iter()
            .filter(|role| role.held_by == HeldBy::Bound);
        let platform = DepartmentId::parse(&department_id(0))?;
        let opening = Opening {
            id: CaseId::parse(CASE)?,
            process: process.id.clone(),
            parties: Parties {
                requester: Some(requester.clone()),
                provider: Some(DepartmentId::parse(PROVIDER)?),
                filed_by: None,
                bound: bound
                    .map(|role| (role.id.clone(), platform.clone()))
                    .collect(),
            },
            facts,
            previous_case: None,
            actor: Some(Actor::new(
                PersonId::parse(PERSON)?,
                requester,
                vec![Role::DataOfficer],
                china_date(opened_at),
            )),
            at: opened_at,
            began_at: None,
            input: StepInput::default(),
        };
        let case = Case::open(opening, pack, &calendar)?;
        let mut steps = Vec::new();
        let mut limit = None;
        for step in case.steps(pack, &calendar, opened_at)? {
            let (StepState::Open { .. }, Some(holder), StepKind::Required) =
                (&step.state, &step.department, step.kind)
            else {
                continue;
            };
            limit = limit.or(step.working_days);
            steps.push((
                step.id.to_string(),
                holder.to_string(),
                step.role.to_string(),
            ));
        }
        let limit = limit.context("the case waits for no step with a limit")?;
        let (overdue, in_time) = openings(&calendar, limit)?;
        let request = SharingRequest {
            entry_id: EntryId::parse("ent-template")?,
            version_no: 1,
            mode: "table".to_owned(),
            columns: vec!["code".to_owned(), "name".to_owned()],
            condition: serde_json::from_str("[]")?,
            purpose: "核对最低生活保障对象的所在村".to_owned(),
            purpose_kind: PurposeKind::AdminBasis,
            duty: "社会救助审核确认".to_owned(),
            consumer_system: "社会救助系统".to_owned(),
            term_months: None,
            undertakings: Vec::new(),
        };
        Ok(Self {
            pack_id: pack.meta.id.to_string(),
            pack_version: pack.version.clone(),
            process_id: process.id.to_string(),
            // As serde writes it, so that it can be replaced in the texts.
            opened_at: serde_json::to_string(&opened_at)?
                .trim_matches('"')
                .to_owned(),
            opening: serde_json::to_string(case.head())?,
            events: case
                .events()
                .iter()
                .map(serde_json::to_string)
                .collect::<Result<_, _>>()?,
            steps,
            request: serde_json::to_string(&request)?,
            entry: serde_json::to_string(&entry_content())?,
            version_state: serde_json::to_string(&VersionState::Published {
                at: opened_at,
                by: PersonId::parse(PERSON)?,
            })?,
            overdue,
            in_time,
        })
    }

    /// Departments, people behind requests, and one published entry for each department.
    pub fn standing_rows(&self) -> Vec<Filling> {
        let at = Some("2026-08-01T00:00:00.000000Z".to_owned());
        let some = |text: &str| Some(text.to_owned());
        let mut departments = Vec::new();
        let mut entries = Vec::new();
        let mut versions = Vec::new();
        for n in 1..=DEPARTMENTS {
            let name = format!("云溪县第{n}局");
            departments.push(vec![
                Some(department_id(n)),
                some(&name),
                some(&name),
                Some(format!("1141040000{n:08}")),
                some("410400"),
                some("city"),
                at.clone(),
            ]);
            entries.push(vec![
                Some(entry_id(n)),
                Some(department_id(n)),
                some("村级行政区划"),
                some("307001"),
                Some(n.to_string()),
                some("1"),
                at.clone(),
            ]);
            versions.push(vec![
                Some(format!("ver-{n:06}")),
                Some(entry_id(n)),
                some("1"),
                some(&self.entry),
                some("published"),
                some(&self.version_state),
                some(PERSON),
                at.clone(),
                at.clone(),
            ]);
        }
        vec![
            Filling {
                table: "departments",
                columns: &[
                    "id",
                    "name",
                    "short_name",
                    "credit_code",
                    "division_code",
                    "level",
                    "created_at",
                ],
                rows: departments,
            },
            Filling {
                table: "entries",
                columns: &[
                    "id",
                    "department_id",
                    "name",
                    "class_code",
                    "sequence",
                    "active_no",
                    "created_at",
                ],
                rows: entries,
            },
            Filling {
                table: "versions",
                columns: &[
                    "id",
                    "entry_id",
                    "no",
                    "content",
                    "state_code",
                    "state",
                    "submitted_by",
                    "published_at",
                    "created_at",
                ],
                rows: versions,
            },
        ]
    }

    /// The rows of the cases from `first` up to `end`.
    #[expect(clippy::too_many_lines, reason = "one list of cells for each table")]
    fn case_rows(&self, first: u32, end: u32) -> Vec<Filling> {
        let mut cases = Vec::new();
        let mut events = Vec::new();
        let mut tasks = Vec::new();
        let mut requests = Vec::new();
        for n in first..end {
            let case_id = format!("cas-{n:016x}");
            let request_id = format!("req-{n:016x}");
            let provider_no = 1 + n % DEPARTMENTS;
            let provider = department_id(provider_no);
            let requester = department_id(1 + (n / DEPARTMENTS + provider_no) % DEPARTMENTS);
            let among = if n % OVERDUE_EVERY == 0 {
                &self.overdue
            } else {
                &self.in_time
            };
            let nth = usize::try_from(n / OVERDUE_EVERY).unwrap_or(0) % among.len();
            let (opened_at, due_on) = &among[nth];
            let own = |text: &str| {
                text.replace(CASE, &case_id)
                    .replace(REQUESTER, &requester)
                    .replace(PROVIDER, &provider)
                    .replace(&self.opened_at, opened_at)
                    .replace("ent-template", &entry_id(provider_no))
            };
            let at = Some(stored(opened_at));
            cases.push(vec![
                Some(case_id.clone()),
                Some(format!("SQ-{n:012}")),
                Some("request".to_owned()),
                Some(request_id.clone()),
                Some(self.pack_id.clone()),
                Some(self.pack_version.clone()),
                Some(self.process_id.clone()),
                Some(requester.clone()),
                Some(provider.clone()),
                Some(PERSON.to_owned()),
                Some(own(&self.opening)),
                Some(self.events.len().to_string()),
                at.clone(),
                Some("村级行政区划".to_owned()),
            ]);
            for (event, seq) in self.events.iter().zip(1..) {
                events.push(vec![
                    Some(case_id.clone()),
                    Some(i32::to_string(&seq)),
                    Some(own(event)),
                    at.clone(),
                ]);
            }
            for (step, holder, role) in &self.steps {
                tasks.push(vec![
                    Some(case_id.clone()),
                    Some(step.clone()),
                    Some(own(holder)),
                    Some(role.clone()),
                    at.clone(),
                    Some(due_on.clone()),
                    Some("0".to_owned()),
                    at.clone(),
                ]);
            }
            requests.push(vec![
                Some(request_id),
                Some(case_id.clone()),
                Some(entry_id(provider_no)),
                Some("1".to_owned()),
                Some(requester.clone()),
                Some(provider.clone()),
                Some(PERSON.to_owned()),
                Some(own(&self.request)),
                at,
            ]);
        }
        vec![
            Filling {
                table: "cases",
                columns: &[
                    "id",
                    "number",
                    "subject_kind",
                    "subject_id",
                    "pack_id",
                    "pack_version",
                    "process_id",
                    "requester_department_id",
                    "provider_department_id",
                    "filed_by",
                    "opening",
                    "revision",
                    "opened_at",
                    "title",
                ],
                rows: cases,
            },
            Filling {
                table: "case_events",
                columns: &["case_id", "seq", "event", "at"],
                rows: events,
            },
            Filling {
                table: "tasks",
                columns: &[
                    "case_id",
                    "step_id",
                    "department_id",
                    "role",
                    "opened_at",
                    "due_on",
                    "paused",
                    "counted_at",
                ],
                rows: tasks,
            },
            Filling {
                table: "sharing_requests",
                columns: &[
                    "id",
                    "case_id",
                    "entry_id",
                    "version_no",
                    "requester_department_id",
                    "provider_department_id",
                    "filed_by",
                    "content",
                    "created_at",
                ],
                rows: requests,
            },
        ]
    }

    /// Everything, a bounded number of cases at a time.
    pub fn chunks(&self, cases: u32) -> impl Iterator<Item = Vec<Filling>> {
        let all = (0..cases).step_by(CHUNK as usize);
        std::iter::once(self.standing_rows())
            .chain(all.map(move |first| self.case_rows(first, (first + CHUNK).min(cases))))
    }
}

fn entry_id(n: u32) -> String {
    format!("ent-{n:06}")
}

/// An instant in the form of the registry.
fn stored(instant: &str) -> String {
    instant
        .parse::<Timestamp>()
        .map_or_else(|_| instant.to_owned(), instant_text)
}

/// Working mornings before today with the dates by which their cases are due: past ones, and others.
#[expect(clippy::type_complexity, reason = "two lists of instant and date")]
fn openings(
    calendar: &Calendar,
    limit: u32,
) -> anyhow::Result<(Vec<(String, String)>, Vec<(String, String)>)> {
    let mut overdue = Vec::new();
    let mut in_time = Vec::new();
    let mut date = jiff::civil::date(2026, 8, 3);
    while date < today() {
        if calendar.is_working_day(date)? {
            let due_on = calendar.add_working_days(date, limit)?;
            let at = date.at(9, 0, 0, 0).to_zoned(china())?.timestamp();
            let among = if due_on < today() {
                &mut overdue
            } else {
                &mut in_time
            };
            among.push((at.to_string(), due_on.to_string()));
        }
        date = date.checked_add(1.days())?;
    }
    Ok((overdue, in_time))
}

/// Puts rows into a SQLite registry that nobody else has open.
pub fn into_sqlite(path: &std::path::Path, template: &Template, cases: u32) -> anyhow::Result<()> {
    let mut db = rusqlite::Connection::open(path)?;
    db.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -262144;",
    )?;
    for chunk in template.chunks(cases) {
        let tx = db.transaction()?;
        for rows in chunk {
            let marks: Vec<String> = (1..=rows.columns.len()).map(|n| format!("?{n}")).collect();
            let mut insert = tx.prepare_cached(&format!(
                "INSERT INTO {} ({}) VALUES ({})",
                rows.table,
                rows.columns.join(", "),
                marks.join(", ")
            ))?;
            for row in &rows.rows {
                insert.execute(rusqlite::params_from_iter(row))?;
            }
        }
        tx.commit()?;
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// Puts rows into a PostgreSQL registry.
pub async fn into_postgres(
    db: &tokio_postgres::Client,
    template: &Template,
    cases: u32,
) -> anyhow::Result<()> {
    for chunk in template.chunks(cases) {
        for rows in chunk {
            let copy = format!(
                "COPY {} ({}) FROM STDIN",
                rows.table,
                rows.columns.join(", ")
            );
            let sink = db.copy_in::<_, Bytes>(&copy).await?;
            let mut sink = std::pin::pin!(sink);
            let mut text = String::new();
            for row in &rows.rows {
                let cells: Vec<String> =
                    row.iter().map(|cell| cell_text(cell.as_deref())).collect();
                text.push_str(&cells.join("\t"));
                text.push('\n');
            }
            sink.send(Bytes::from(text)).await?;
            sink.close().await?;
        }
    }
    // As its own upkeep would sooner or later.
    db.batch_execute("ANALYZE").await?;
    Ok(())
}

fn cell_text(cell: Option<&str>) -> String {
    match cell {
        None => "\\N".to_owned(),
        Some(text) => text
            .replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('\n', "\\n"),
    }
}
