//! Departments and people from a table: everything that is wrong is told at once, each fault in its cell,
//! and nothing is written unless every row is good. Repeated, an import brings up to date what is there.
//! Spec: EVA-09.

pub(super) mod departments;
pub(super) mod people;
mod sheet;

use axum::{
    body::Bytes,
    http::header,
    response::{IntoResponse as _, Response},
};
use rust_xlsxwriter::{Format, Workbook};
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::{
    db::Tx,
    evidence::Entry,
    http::{ApiError, Ctx},
};
use sheet::{Row, Table, cell_name};

/// Faults that are told one by one.
const FAULTS_MAX: usize = 500;

/// The code of a table with faulty cells.
const FAULTY: &str = "directory.import_faulty";

/// A column of a table.
pub(super) struct Column {
    /// Its header.
    pub name: &'static str,
    /// It has to be there, and filled in.
    pub needed: bool,
    /// What to write, for the template.
    pub hint: &'static str,
}

/// What came of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedView {
    /// Rows that made something new.
    pub created: usize,
    /// Rows that brought up to date what was there.
    pub updated: usize,
    /// One-time links for new people, shown this once.
    pub invitations: Vec<InvitationView>,
}

/// What an import would do. Nothing is written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportPreviewView {
    /// What is wrong, by row and column, 500 at most. While there is any, nothing can be imported.
    pub faults: Vec<ImportFaultView>,
    /// Every row, if none is faulty.
    pub rows: Vec<ImportRowView>,
}

/// What is wrong with a cell.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportFaultView {
    /// For example `C5`.
    pub cell: String,
    /// Header of the column.
    pub column: String,
    pub code: String,
    /// What to do, in the user's language.
    pub message: String,
}

/// A good row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRowView {
    /// Its number in the file; the header is row 1.
    pub row: u32,
    pub name: String,
    /// What it is known by: credit code or login name.
    pub key: String,
    /// It makes something new, and doesn't bring up to date what is there.
    pub is_new: bool,
}

/// An import up to its commit.
struct Import {
    tx: Tx,
    rows: Vec<ImportRowView>,
    invitations: Vec<InvitationView>,
}

impl Import {
    fn created(&self) -> usize {
        self.rows.iter().filter(|row| row.is_new).count()
    }

    fn updated(&self) -> usize {
        self.rows.len() - self.created()
    }

    async fn commit(self, entry: Entry) -> Result<ImportedView, ApiError> {
        let (created, updated) = (self.created(), self.updated());
        let entry = entry.on("platform", "");
        self.tx
            .commit(entry.with("created", created).with("updated", updated))
            .await?;
        Ok(ImportedView {
            created,
            updated,
            invitations: self.invitations,
        })
    }
}

/// What an import came to, whose transaction goes back with this.
fn preview(ctx: &Ctx, import: Result<Import, ApiError>) -> Result<ImportPreviewView, ApiError> {
    let error = match import {
        Ok(import) => {
            return Ok(ImportPreviewView {
                faults: Vec::new(),
                rows: import.rows,
            });
        }
        Err(error) if error.code() == FAULTY => error,
        Err(error) => return Err(error),
    };
    let faults = error.localised(ctx.language).into_iter().map(|fault| {
        let (cell, column) = fault.field.split_once(' ').unwrap_or((&fault.field, ""));
        ImportFaultView {
            cell: cell.to_owned(),
            column: column.to_owned(),
            code: fault.code,
            message: fault.message,
        }
    });
    Ok(ImportPreviewView {
        faults: faults.collect(),
        rows: Vec::new(),
    })
}

/// A one-time link for somebody's first password. It isn't kept and can't be shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    pub person_id: String,
    pub login_name: String,
    pub name: String,
    /// Goes into `accept_invitation`.
    pub token: String,
    /// Instant.
    pub expires_at: String,
}

/// Reads the body as a table with these columns.
async fn table(ctx: &Ctx, body: Bytes, columns: &'static [Column]) -> Result<Cells, ApiError> {
    let bytes_max = ctx.app.config.server.body_bytes_max;
    // A reader that gives up on a broken file is a broken file.
    let read = tokio::task::spawn_blocking(move || sheet::read(&body, bytes_max))
        .await
        .unwrap_or(Err(sheet::Unreadable::Format));
    let table = read.map_err(|fault| {
        let error = ApiError::invalid(fault.code()).arg("rows", sheet::ROWS_MAX);
        match fault {
            sheet::Unreadable::Formula(row, column) => {
                error.field(cell_name(row, column), fault.code())
            }
            sheet::Unreadable::TooLarge
            | sheet::Unreadable::TooManyRows
            | sheet::Unreadable::Format
            | sheet::Unreadable::Encoding
            | sheet::Unreadable::Empty => error,
        }
    })?;
    Cells::of(table, columns)
}

/// A table whose columns are known.
struct Cells {
    columns: &'static [Column],
    /// Place of each column in the file.
    places: Vec<Option<usize>>,
    rows: Vec<Row>,
    faults: Vec<CellFault>,
}

struct CellFault {
    row: u32,
    column: usize,
    name: String,
    code: &'static str,
}

impl Cells {
    fn of(table: Table, columns: &'static [Column]) -> Result<Self, ApiError> {
        let find = |name: &str| table.header.iter().position(|header| header == name);
        let places: Vec<Option<usize>> = columns.iter().map(|c| find(c.name)).collect();
        let mut cells = Self {
            columns,
            places,
            rows: table.rows,
            faults: Vec::new(),
        };
        for (at, header) in table.header.iter().enumerate() {
            let is_known = columns.iter().any(|c| c.name == header);
            let is_first = find(header) == Some(at);
            if !header.is_empty() && (!is_known || !is_first) {
                cells.faults.push(CellFault {
                    row: 1,
                    column: at,
                    name: header.clone(),
                    code: "directory.import_unknown_column",
                });
            }
        }
        for (column, place) in columns.iter().zip(&cells.places) {
            if column.needed && place.is_none() {
                cells.faults.push(CellFault {
                    row: 1,
                    column: table.header.len(),
                    name: column.name.to_owned(),
                    code: "directory.import_column_missing",
                });
            }
        }
        // Without its columns no cell can be trusted.
        cells.check()?;
        Ok(cells)
    }

    fn place(&self, name: &str) -> Option<usize> {
        let at = self.columns.iter().position(|c| c.name == name)?;
        self.places.get(at).copied().flatten()
    }

    /// The number of a row in the file.
    fn number(&self, row: usize) -> u32 {
        self.rows.get(row).map_or(0, |r| r.number)
    }

    /// The text in a cell; empty if there is nothing, or no such column.
    fn text(&self, row: usize, name: &str) -> &str {
        let cell = |at: usize| self.rows.get(row)?.cells.get(at).map(String::as_str);
        self.place(name).and_then(cell).unwrap_or_default()
    }

    fn fault(&mut self, row: usize, name: &str, code: &'static str) {
        let number = self.number(row);
        self.faults.push(CellFault {
            row: number,
            column: self.place(name).unwrap_or_default(),
            name: name.to_owned(),
            code,
        });
    }

    /// Names every cell that has to be filled in and isn't.
    fn check_needed(&mut self) {
        for row in 0..self.rows.len() {
            for column in self.columns.iter().filter(|c| c.needed) {
                if self.text(row, column.name).is_empty() {
                    self.fault(row, column.name, "directory.import_cell_empty");
                }
            }
        }
    }

    /// Names every value of a column that an earlier row has already.
    fn check_once(&mut self, name: &str) {
        let mut seen = std::collections::BTreeSet::new();
        let mut again = Vec::new();
        for row in 0..self.rows.len() {
            let text = self.text(row, name);
            if !text.is_empty() && !seen.insert(text) {
                again.push(row);
            }
        }
        for row in again {
            self.fault(row, name, "directory.import_repeated");
        }
    }

    /// Goes on only if nothing is wrong.
    ///
    /// Errors: `directory.import_faulty` with every fault in its cell.
    fn check(&mut self) -> Result<(), ApiError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by_key(|f| (f.row, f.column));
        let error = ApiError::invalid(FAULTY).arg("faults", self.faults.len());
        Err(self
            .faults
            .iter()
            .take(FAULTS_MAX)
            .fold(error, |error, fault| {
                error.field(
                    format!("{} {}", cell_name(fault.row, fault.column), fault.name),
                    fault.code,
                )
            }))
    }
}

/// Yes or no, as people write it; `None` where the cell is empty.
fn yes_or_no(text: &str) -> Result<Option<bool>, &'static str> {
    match text {
        "" => Ok(None),
        "是" | "1" | "yes" | "true" => Ok(Some(true)),
        "否" | "0" | "no" | "false" => Ok(Some(false)),
        _ => Err("directory.import_yes_or_no"),
    }
}

/// An empty table to fill in: one sheet, with a note at each header.
async fn template(sheet: &'static str, columns: &'static [Column]) -> Result<Response, ApiError> {
    let bytes = tokio::task::spawn_blocking(move || write(sheet, columns))
        .await
        .map_err(ApiError::bug)?
        .map_err(ApiError::bug)?;
    Ok((
        [
            (
                header::CONTENT_TYPE,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"template.xlsx\"",
            ),
        ],
        bytes,
    )
        .into_response())
}

fn write(sheet: &str, columns: &[Column]) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    // Codes and phone numbers are texts; as numbers they'd lose digits.
    let text = Format::new().set_num_format("@");
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet)?;
    for (at, column) in (0_u16..).zip(columns) {
        worksheet.set_column_format(at, &text)?;
        worksheet.set_column_width(at, 20)?;
        worksheet.write_string_with_format(0, at, column.name, &bold)?;
        worksheet.insert_note(0, at, &rust_xlsxwriter::Note::new(column.hint))?;
    }
    worksheet.set_freeze_panes(1, 0)?;
    workbook.save_to_buffer()
}
