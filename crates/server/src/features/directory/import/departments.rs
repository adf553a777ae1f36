//! Departments from a table, known again by their credit code.

use std::collections::BTreeMap;

use axum::{body::Bytes, response::Response};
use tongqu_domain::{
    access::{Action, Subject},
    ids::DepartmentId,
};

use super::{
    super::{
        contacts::{Contact, Duty, phone_fault},
        departments::{
            Faults, KINDS, LEVELS, NAME_CHARS_MAX, check_place, check_superior, naming, new_id,
            taken,
        },
        store::{self, Department},
    },
    Cells, Column, Import, ImportPreviewView, ImportRowView, ImportedView, preview, table,
    template, yes_or_no,
};
use crate::platform::{
    db::Tx,
    http::{ApiError, Ctx, Problem, Reply, reply},
};

const NAME: &str = "名称";
const SHORT_NAME: &str = "简称";
const CREDIT_CODE: &str = "统一社会信用代码";
const DIVISION: &str = "行政区划代码";
const LEVEL: &str = "层级";
const KIND: &str = "单位性质";
const BY_REFERENCE: &str = "参照执行";
const SUPERIOR: &str = "上级部门";

const fn column(name: &'static str, hint: &'static str) -> Column {
    Column {
        name,
        needed: false,
        hint,
    }
}

const fn needed(name: &'static str, hint: &'static str) -> Column {
    Column {
        name,
        needed: true,
        hint,
    }
}

const COLUMNS: &[Column] = &[
    needed(NAME, "必填。部门全称。已登记的部门更名请在部门页面办理。"),
    column(SHORT_NAME, "可不填。列表中使用的简称。"),
    needed(CREDIT_CODE, "必填。18 位；同一代码再次导入时更新原有部门。"),
    needed(DIVISION, "必填。6 位数字，例如 410400。"),
    needed(LEVEL, "必填。上级、本级或下一级。"),
    column(
        KIND,
        "机关、事业单位、社会组织或公用企业；新部门不填为机关。",
    ),
    column(BY_REFERENCE, "是或否；新部门不填为否。"),
    column(SUPERIOR, "可不填。上级部门的统一社会信用代码或全称。"),
    column("第一责任人", "部门主要负责人姓名。"),
    column("第一责任人电话", ""),
    column("牵头科室", "牵头科室名称。"),
    column("牵头科室电话", ""),
    column("分管领导", "分管领导姓名。"),
    column("分管领导电话", ""),
    column("数据专员", "数据专员姓名。"),
    column("数据专员电话", ""),
    column("技术联系人", "技术支持人员姓名，公布给各部门。"),
    column("技术联系人电话", "填写技术联系人时必填。"),
];

/// The columns of a contact: name and phone.
const CONTACTS: [(Duty, &str, &str); 5] = [
    (Duty::FirstResponsible, "第一责任人", "第一责任人电话"),
    (Duty::LeadOffice, "牵头科室", "牵头科室电话"),
    (Duty::LeaderInCharge, "分管领导", "分管领导电话"),
    (Duty::DataOfficer, "数据专员", "数据专员电话"),
    (Duty::Technical, "技术联系人", "技术联系人电话"),
];

const LEVEL_NAMES: [&str; 3] = ["上级", "本级", "下一级"];
const KIND_NAMES: [&str; 4] = ["机关", "事业单位", "社会组织", "公用企业"];

/// The code behind a name; the text itself if it is none, so that codes may be written too.
fn code_of<'a>(text: &'a str, names: &[&str], codes: &[&'static str]) -> &'a str {
    names
        .iter()
        .position(|name| *name == text)
        .and_then(|at| codes.get(at).copied())
        .unwrap_or(text)
}

/// Download the table of departments to fill in, as XLSX.
#[utoipa::path(get, path = "/departments/template.xlsx", tag = "directory",
    operation_id = "download_departments_template",
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem)))]
pub async fn download_departments_template(ctx: Ctx) -> Result<Response, ApiError> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    template("部门", COLUMNS).await
}

/// A row ready to be stored.
struct Wanted {
    row: usize,
    department: Department,
    contacts: Vec<Contact>,
    is_new: bool,
    superior: String,
}

/// Import departments from a table: XLSX, or CSV in UTF-8 or GB18030, told by its content. For system administrators.
///
/// Nothing is written unless every row is good. A department is known again by its credit code; cells left
/// empty leave what is there. Names of departments that are there change by `rename_department` only.
#[utoipa::path(post, path = "/departments/import", tag = "directory", operation_id = "import_departments",
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = ImportedView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn import_departments(ctx: Ctx, body: Bytes) -> Reply<ImportedView> {
    let import = import(&ctx, body).await?;
    let entry = ctx.did("directory.departments_imported");
    reply(import.commit(entry).await?)
}

/// Look at what an import of departments would do, or at what is wrong with it. Nothing is written.
#[utoipa::path(post, path = "/departments/import/preview", tag = "directory",
    operation_id = "preview_departments_import",
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = ImportPreviewView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn preview_departments_import(ctx: Ctx, body: Bytes) -> Reply<ImportPreviewView> {
    let import = import(&ctx, body).await;
    reply(preview(&ctx, import)?)
}

async fn import(ctx: &Ctx, body: Bytes) -> Result<Import, ApiError> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let mut cells = table(ctx, body, COLUMNS).await?;
    cells.check_needed();
    cells.check_once(CREDIT_CODE);
    cells.check_once(NAME);
    let mut tx = ctx.begin().await?;
    let known = store::departments(&mut tx).await?;
    let contacts = store::contacts(&mut tx).await?;
    let mut wanted: Vec<Wanted> = Vec::with_capacity(cells.rows.len());
    for row in 0..cells.rows.len() {
        if let Some(found) = read(&mut cells, row, &known, &contacts) {
            wanted.push(found);
        }
    }
    find_superiors(&mut cells, &known, &mut wanted);
    cells.check()?;
    save(&mut tx, &mut cells, &wanted).await?;
    let rows = wanted.into_iter().map(|wanted| ImportRowView {
        row: cells.number(wanted.row),
        name: wanted.department.name,
        key: wanted.department.credit_code,
        is_new: wanted.is_new,
    });
    Ok(Import {
        tx,
        rows: rows.collect(),
        invitations: Vec::new(),
    })
}

fn column_of(field: &str) -> &'static str {
    match field {
        "name" => NAME,
        "short_name" => SHORT_NAME,
        "credit_code" => CREDIT_CODE,
        "division_code" => DIVISION,
        "level" => LEVEL,
        _ => KIND,
    }
}

fn read(
    cells: &mut Cells,
    row: usize,
    known: &[Department],
    contacts: &BTreeMap<String, Vec<Contact>>,
) -> Option<Wanted> {
    let text = |name: &str| cells.text(row, name).to_owned();
    let mut found: Vec<(&str, &'static str)> = Vec::new();
    let code = text(CREDIT_CODE);
    let old = known.iter().find(|d| d.credit_code == code);
    let kind = text(KIND);
    let kind = match (code_of(&kind, &KIND_NAMES, KINDS), old) {
        ("", Some(old)) => old.kind.clone(),
        ("", None) => KINDS[0].to_owned(),
        (kind, _) => kind.to_owned(),
    };
    let (level, division) = (text(LEVEL), text(DIVISION));
    let level = code_of(&level, &LEVEL_NAMES, LEVELS).to_owned();
    let mut faults = Faults::default();
    let naming = naming(&text(NAME), &text(SHORT_NAME), &code, &mut faults);
    check_place(&division, &level, &kind, &mut faults);
    found.extend(
        faults
            .found()
            .into_iter()
            .map(|(field, code)| (column_of(&field), code)),
    );
    // What is empty has been named already.
    found.retain(|(name, _)| !text(name).is_empty());
    let by_reference = yes_or_no(&text(BY_REFERENCE)).unwrap_or_else(|code| {
        found.push((BY_REFERENCE, code));
        None
    });
    if let Some(old) = old {
        if !old.is_active() {
            found.push((CREDIT_CODE, "directory.department_gone"));
        } else if old.name != naming.name {
            found.push((NAME, "directory.import_name_differs"));
        }
    } else if known.iter().any(|d| d.name == naming.name) {
        found.push((NAME, "directory.department_exists"));
    }
    let mut kept = old
        .and_then(|d| contacts.get(d.id.as_str()).cloned())
        .unwrap_or_default();
    for (duty, name_column, phone_column) in CONTACTS {
        let (name, phone) = (text(name_column), text(phone_column));
        if name.is_empty() && phone.is_empty() {
            continue;
        }
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            found.push((name_column, "directory.name"));
        }
        if let Some(code) = phone_fault(&phone, duty) {
            found.push((phone_column, code));
        }
        kept.retain(|c| c.duty != duty);
        kept.push(Contact { duty, name, phone });
    }
    let superior = text(SUPERIOR);
    let is_good = found.is_empty();
    for (name, code) in found {
        cells.fault(row, name, code);
    }
    is_good.then(|| Wanted {
        row,
        is_new: old.is_none(),
        contacts: kept,
        superior,
        department: Department {
            id: old.map_or_else(new_id, |d| d.id.clone()),
            name: naming.name,
            short_name: naming.short_name,
            credit_code: naming.credit_code,
            division_code: division,
            level,
            kind,
            by_reference: by_reference.unwrap_or_else(|| old.is_some_and(|d| d.by_reference)),
            superior_id: old.and_then(|d| d.superior_id.clone()),
            merged: None,
        },
    })
}

/// Finds each superior by credit code or full name, among the departments there and those of the table.
fn find_superiors(cells: &mut Cells, known: &[Department], wanted: &mut [Wanted]) {
    let mut ids: BTreeMap<String, DepartmentId> = BTreeMap::new();
    let there = known.iter().filter(|d| d.is_active());
    for department in there.chain(wanted.iter().map(|w| &w.department)) {
        for key in [&department.name, &department.credit_code] {
            ids.insert(key.clone(), department.id.clone());
        }
    }
    for wanted in wanted.iter_mut().filter(|w| !w.superior.is_empty()) {
        match ids.get(&wanted.superior) {
            Some(id) => wanted.department.superior_id = Some(id.clone()),
            None => cells.fault(wanted.row, SUPERIOR, "directory.superior"),
        }
    }
}

async fn save(tx: &mut Tx, cells: &mut Cells, wanted: &[Wanted]) -> Result<(), ApiError> {
    for wanted in wanted {
        if wanted.is_new {
            store::insert_department(tx, &wanted.department)
                .await
                .map_err(taken)?;
        } else {
            store::save_department(tx, &wanted.department).await?;
        }
        store::replace_contacts(tx, &wanted.department.id, &wanted.contacts).await?;
    }
    // Circles show only once every row is in place; the transaction goes back if there is one.
    for wanted in wanted.iter().filter(|w| !w.superior.is_empty()) {
        if check_superior(tx, &wanted.department).await.is_err() {
            cells.fault(wanted.row, SUPERIOR, "directory.superior");
        }
    }
    cells.check()
}
