//! Import the filled-in template: good entries become drafts, each fault comes back in its cell.
//! Spec: PDS-6.1, YC-10.

use std::collections::BTreeMap;

use axum::{body::Bytes, extract::Path, response::Response};
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::{ClassRules, EntryContent, VersionState, check_content, propose_class},
    kind::Kind,
    law::{ClauseId, Pack},
};
use utoipa::ToSchema;

use super::{
    rules::{content_rules, required_fields},
    store::{self, Import},
    template::workbook_reply,
    views::{CodeView, class_view},
    workbook::{self, CellFault, Choice, Limits, TemplateOptions, Unclassed, WorkbookError},
};
use crate::{
    app::App,
    features::case::{ClauseView, clause_view},
    platform::{
        db::Tx,
        files,
        http::{ApiError, Ctx, Language, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// What came of an upload.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    pub import_id: String,
    pub entries: Vec<ImportedEntryView>,
    /// Faults, each in its cell.
    pub faults: Vec<CellFaultView>,
    /// All faults, also those beyond what is listed.
    pub faults_total: usize,
    /// Entries kept as drafts.
    pub accepted_total: usize,
}

/// One row of the template.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedEntryView {
    pub row: u32,
    /// Name, as far as it could be read.
    pub name: String,
    /// The draft that it became; absent if it has faults.
    pub version_id: Option<String>,
    pub version_no: Option<u32>,
    /// `draft` (kept), `faulty` (not kept), `under_review` (an earlier version waits for review).
    pub outcome: &'static str,
    /// The sharing class that it got because the row left it open.
    pub proposed_class: Option<ProposedClassView>,
}

/// A sharing class that the regulation prefers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProposedClassView {
    pub class: CodeView,
    pub clause: ClauseView,
}

/// A fault in a cell.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellFaultView {
    pub sheet: String,
    /// For example `C5`.
    pub cell: String,
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The clause of the regulation in force that asks for it, where one does.
    pub clause: Option<String>,
}

impl From<&CellFault> for CellFaultView {
    fn from(f: &CellFault) -> Self {
        Self {
            sheet: f.sheet.clone(),
            cell: f.cell.clone(),
            code: f.code.clone(),
            message: f.message.clone(),
            clause: f.clause.clone(),
        }
    }
}

/// What the pack lets a department choose from, as the template offers it.
pub fn template_options(pack: &Pack) -> TemplateOptions {
    let base_libraries = pack.list("base_libraries").map_or_else(Vec::new, |list| {
        list.items
            .iter()
            .map(|i| Choice {
                code: i.code.clone(),
                name: i.name.clone(),
            })
            .collect()
    });
    TemplateOptions {
        sharing_classes: pack
            .sharing_classes()
            .iter()
            .map(|c| Choice {
                code: c.code.clone(),
                name: c.name.clone(),
            })
            .collect(),
        modes: pack
            .exchange_modes()
            .iter()
            .map(|m| Choice {
                code: m.code.clone(),
                name: m.name.clone(),
            })
            .collect(),
        base_libraries,
        unclassed: if pack.list("class_hints").is_some() {
            Unclassed::Proposed
        } else {
            Unclassed::Fault
        },
    }
}

/// Import a filled-in template (XLSX as the request body).
///
/// A file that can't be read at all changes nothing. Otherwise entries without faults are kept as
/// drafts, in place of an earlier draft of the same name; a published entry gets a new version.
#[utoipa::path(post, path = "/catalogue/imports", tag = "catalogue", operation_id = "import_workbook",
    request_body(content = [u8], content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    responses((status = 200, body = ImportView), (status = 403, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub async fn import_workbook(ctx: Ctx, body: Bytes) -> Reply<ImportView> {
    ctx.must(
        Action::CompileCatalogue,
        &Subject::Department(ctx.department()),
    )?;
    let pack = ctx.app.pack();
    let options = template_options(&pack);
    let asked = AskedOf::by(&pack);
    let limits = Limits {
        bytes_max: ctx.app.config.server.body_bytes_max,
        entries_max: ctx.app.config.catalogue.import_entries_max,
        items_max: ctx.app.config.catalogue.import_items_max,
        ..Limits::default()
    };
    let language = ctx.language;
    let read = tokio::task::spawn_blocking(move || {
        check(&body, &options, &asked, &limits, |code| {
            crate::platform::http::sentence(code, language, &[])
        })
    })
    .await
    .map_err(ApiError::bug)?;
    let checked = read.map_err(workbook_error)?;
    let digest = files::keep(&files_dir(&ctx.app), &checked.marked).map_err(ApiError::bug)?;

    let mut tx = ctx.begin().await?;
    let mut entries = Vec::with_capacity(checked.entries.len());
    for entry in &checked.entries {
        let mut kept = match &entry.content {
            Some(content) => keep_draft(&ctx, &mut tx, entry.row, content).await?,
            None => ImportedEntryView {
                row: entry.row,
                name: entry.name.clone(),
                version_id: None,
                version_no: None,
                outcome: "faulty",
                proposed_class: None,
            },
        };
        kept.proposed_class = entry
            .proposed
            .as_ref()
            .map(|proposed| proposed.view(&pack, ctx.language));
        entries.push(kept);
    }
    let accepted_total = entries.iter().filter(|e| e.outcome == "draft").count();
    let import = Import {
        id: format!("imp-{}", random_hex::<6>()),
        department_id: ctx.department().clone(),
        file_digest: digest,
    };
    let faults_json = serde_json::to_string(&checked.faults).map_err(ApiError::bug)?;
    let total = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    store::insert_import(&mut tx, &import, &ctx.actor.person, total, &faults_json).await?;
    let entry = ctx.did("catalogue.imported").on("import", &import.id);
    tx.commit(
        entry
            .with("entries", total)
            .with("accepted", accepted_total)
            .with("faults", checked.faults_total),
    )
    .await?;
    reply(ImportView {
        import_id: import.id,
        entries,
        faults: checked.faults.iter().map(CellFaultView::from).collect(),
        faults_total: checked.faults_total,
        accepted_total,
    })
}

/// Download an upload again with its faults marked in their cells: mend it and upload it.
#[utoipa::path(get, path = "/catalogue/imports/{import_id}/workbook", tag = "catalogue",
    operation_id = "download_import", params(("import_id" = String, Path)),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn download_import(
    ctx: Ctx,
    Path(import_id): Path<String>,
) -> Result<Response, ApiError> {
    let mut db = ctx.read().await?;
    let import = store::find_import(&mut db, &import_id)
        .await?
        .ok_or_else(|| ApiError::not_found("catalogue.import_not_found"))?;
    ctx.must(
        Action::CompileCatalogue,
        &Subject::Department(&import.department_id),
    )?;
    let bytes = files::read(&files_dir(&ctx.app), &import.file_digest).map_err(ApiError::bug)?;
    Ok(workbook_reply(bytes, "catalogue-import.xlsx"))
}

fn files_dir(app: &App) -> std::path::PathBuf {
    app.config.data_dir().join("files")
}

/// A workbook that was read and checked against the pack.
struct Checked {
    entries: Vec<CheckedEntry>,
    faults: Vec<CellFault>,
    faults_total: usize,
    /// The workbook with its faults marked.
    marked: Vec<u8>,
}

struct CheckedEntry {
    row: u32,
    name: String,
    /// `None` if anything is wrong with it.
    content: Option<EntryContent>,
    proposed: Option<Proposed>,
}

/// A class that was filled in, and its clause.
struct Proposed {
    class: String,
    clause: String,
}

impl Proposed {
    fn view(&self, pack: &Pack, language: Language) -> ProposedClassView {
        ProposedClassView {
            class: class_view(&self.class, pack, language),
            clause: match ClauseId::parse(&self.clause) {
                Ok(id) => clause_view(&id, pack),
                Err(_) => ClauseView {
                    id: self.clause.clone(),
                    place: String::new(),
                    gist: String::new(),
                },
            },
        }
    }
}

/// Fills in the class where the row leaves it open and the regulation prefers one. Spec: YJ-1.1, TP-9e.
fn fill_class(content: &mut EntryContent, rules: &ClassRules) -> Option<Proposed> {
    if !content.sharing_class.is_empty() {
        return None;
    }
    let found = propose_class(content, rules)?;
    let proposed = Proposed {
        class: found.class.to_owned(),
        clause: found.clause.to_owned(),
    };
    content.sharing_class.clone_from(&proposed.class);
    Some(proposed)
}

/// What the regulation in force asks of an entry.
struct AskedOf {
    rules: ClassRules,
    /// The clauses that ask for a field at all, by the field.
    required: BTreeMap<&'static str, String>,
    /// What the clauses of the regulation begin with.
    prefix: String,
}

impl AskedOf {
    fn by(pack: &Pack) -> Self {
        Self {
            rules: content_rules(pack),
            required: required_fields(pack),
            prefix: format!("{}-", pack.meta.prefix),
        }
    }

    /// A fault of a cell with the clause that asks for its field.
    fn cite(&self, fault: &CellFault) -> CellFault {
        let required = self.required.get(fault.field.as_str());
        CellFault {
            clause: fault.clause.clone().or_else(|| required.cloned()),
            ..fault.clone()
        }
    }

    /// A fault may rest on a clause of another regulation; only the one in force is cited to people.
    fn in_force(&self, clause: &str) -> bool {
        clause.starts_with(&self.prefix)
    }
}

fn check(
    bytes: &[u8],
    options: &TemplateOptions,
    asked: &AskedOf,
    limits: &Limits,
    sentence: impl Fn(&str) -> String,
) -> Result<Checked, WorkbookError> {
    let import = workbook::read(bytes, options, limits)?;
    let mut faults: Vec<CellFault> = import.faults.iter().map(|f| asked.cite(f)).collect();
    let mut faults_total = import.faults_total;
    let mut entries = Vec::with_capacity(import.entries.len());
    for (index, entry) in import.entries.iter().enumerate() {
        let mut is_sound = entry.content.is_some();
        let mut draft = entry.for_checking().cloned();
        let proposed = draft
            .as_mut()
            .and_then(|draft| fill_class(draft, &asked.rules));
        let faulty = draft.as_ref().map(|d| check_content(d, &asked.rules));
        for fault in faulty.unwrap_or_default() {
            is_sound = false;
            let message = sentence(fault.code);
            let clause = fault.clause.clone();
            if let Some(fault) =
                import.content_fault(index, &fault.field.to_string(), fault.code, &message)
            {
                faults_total += 1;
                if faults.len() < limits.faults_max {
                    faults.push(CellFault {
                        clause: clause.filter(|clause| asked.in_force(clause)),
                        ..fault
                    });
                }
            }
        }
        entries.push(CheckedEntry {
            row: entry.row,
            name: draft.as_ref().map(|d| d.name.clone()).unwrap_or_default(),
            content: draft.filter(|_| is_sound),
            proposed,
        });
    }
    faults.sort_by(|a, b| a.place().cmp(&b.place()));
    let marked = workbook::annotated(&import, options, &faults)?;
    Ok(Checked {
        entries,
        faults,
        faults_total,
        marked,
    })
}

/// Keeps `content` as a draft: a new entry, in place of an unpublished draft, or as the next version.
async fn keep_draft(
    ctx: &Ctx,
    tx: &mut Tx,
    row: u32,
    content: &EntryContent,
) -> Result<ImportedEntryView, ApiError> {
    let view = |version_id: Option<String>, version_no, outcome| ImportedEntryView {
        row,
        name: content.name.clone(),
        version_id,
        version_no,
        outcome,
        proposed_class: None,
    };
    let Some(entry) = store::find_entry_by_name(tx, ctx.department(), &content.name).await? else {
        let entry = store::insert_entry(tx, ctx.department(), content).await?;
        let id = store::insert_version(tx, &entry.id, 1, content, &VersionState::Draft).await?;
        return Ok(view(Some(id.to_string()), Some(1), "draft"));
    };
    let newest = store::versions_of(tx, &entry.id).await?.into_iter().next();
    match newest {
        Some(newest) if newest.state.may_edit() => {
            store::replace_content(tx, &newest, content, &newest.state).await?;
            Ok(view(Some(newest.id.to_string()), Some(newest.no), "draft"))
        }
        Some(newest) if matches!(newest.state, VersionState::Submitted { .. }) => {
            Ok(view(None, Some(newest.no), "under_review"))
        }
        Some(newest) => {
            let id =
                store::insert_version(tx, &entry.id, newest.no + 1, content, &VersionState::Draft)
                    .await?;
            Ok(view(Some(id.to_string()), Some(newest.no + 1), "draft"))
        }
        None => Err(ApiError::bug("an entry has no version")),
    }
}

/// A workbook that can't be read, as an answer that names the cells concerned.
fn workbook_error(error: WorkbookError) -> ApiError {
    if error.kind() == Kind::Bug {
        return ApiError::bug(error);
    }
    let answer = ApiError::new(error.kind(), error.code()).saying(error.message());
    error.faults().iter().fold(answer, |answer, f| {
        answer.field_saying(
            format!("{}!{}", f.sheet, f.cell),
            f.code.clone(),
            f.message.clone(),
        )
    })
}
