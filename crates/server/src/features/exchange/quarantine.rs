//! The quarantine 隔离区 of a collection as an XLSX workbook, for whoever has to mend the rows at the source.
//! Spec: YC-16.2, YC-17 (what is faulty goes back to its department with the reason).

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::DataItem,
    time::china,
};
use utoipa::IntoParams;

use super::{
    engine::{self, PoolTable, QUARANTINE_ROWS_MAX, QuarantinedRow},
    read_run::load,
    store::{self, Run, RunKind},
};
use crate::{
    features::catalogue,
    platform::{
        http::{ApiError, Ctx, Language, Problem},
        sheet::{Sheet, sheet_file},
    },
};

/// In which language the workbook is.
#[derive(Debug, Deserialize, IntoParams)]
pub struct QuarantineQuery {
    /// `zh` or `en`; else what `Accept-Language` says, which a browser sends as it likes when it downloads.
    lang: Option<String>,
}

/// Download the rows that a resource's last collection set aside as XLSX: reason, key, data item, and the whole row.
#[utoipa::path(get, path = "/runs/{run_id}/quarantine/workbook", tag = "exchange",
    operation_id = "download_quarantine", params(("run_id" = String, Path), QuarantineQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn download_quarantine(
    mut ctx: Ctx,
    Path(run_id): Path<String>,
    Query(query): Query<QuarantineQuery>,
) -> Result<Response, ApiError> {
    ctx.language = match query.lang.as_deref() {
        None => ctx.language,
        Some("zh") => Language::Chinese,
        Some("en") => Language::English,
        Some(_) => {
            return Err(ApiError::invalid("exchange.language").field("lang", "exchange.language"));
        }
    };
    let run = load(&ctx, &run_id).await?;
    let own_data = Subject::Department(&run.provider_department_id);
    ctx.must(Action::ReadQuarantine, &own_data)?;
    let nothing = || ApiError::conflict("exchange.nothing_quarantined");
    if run.kind != RunKind::Collection {
        return Err(nothing());
    }
    let mut db = ctx.read().await?;
    let mounting = catalogue::mounting_of(&mut db, &run.entry_id)
        .await?
        .ok_or_else(nothing)?;
    let items = catalogue::active_items(&mut db, &run.entry_id).await?;
    let last = store::last_with_quarantine(&mut db, &run.entry_id).await?;
    drop(db);
    let last = last.ok_or_else(nothing)?;
    let table = PoolTable::of(&mounting, &items);
    let rows = engine::read_quarantine(ctx.app.pool.as_ref(), &table, QUARANTINE_ROWS_MAX)
        .await
        .map_err(ApiError::bug)?;
    if rows.is_empty() {
        return Err(nothing());
    }
    let kept = rows.len();
    let sheet = sheet(&ctx, &table, &items, &rows, notes(&ctx, &run, &last, kept));
    let tx = ctx.begin().await?;
    let did = ctx.did("exchange.quarantine_downloaded");
    tx.commit(
        did.on("run", &last.id)
            .with("entry_id", run.entry_id.as_str())
            .with("rows", kept),
    )
    .await?;
    sheet_file(sheet, "quarantine.xlsx").await
}

fn sheet(
    ctx: &Ctx,
    table: &PoolTable,
    items: &[DataItem],
    rows: &[QuarantinedRow],
    notes: Vec<String>,
) -> Sheet {
    let name_of = |code: &str| {
        let item = items.iter().find(|item| item.code == code);
        item.map_or_else(|| code.to_owned(), |item| item.name.clone())
    };
    let (name, headings) = match ctx.language {
        Language::Chinese => (
            "隔离区",
            ["序号", "主键", "信息项", "列名", "原因代码", "原因"],
        ),
        Language::English => (
            "Quarantine",
            ["No.", "Key", "Data item", "Column", "Code", "Reason"],
        ),
    };
    let widths = [6, 24, 20, 20, 28, 48];
    let values = table
        .columns
        .iter()
        .map(|column| (format!("{} {}", name_of(&column.name), column.name), 24));
    let columns = headings.map(str::to_owned).into_iter().zip(widths);
    // Few reasons, many rows.
    let mut sentences: BTreeMap<&str, String> = BTreeMap::new();
    for row in rows {
        sentences
            .entry(&row.code)
            .or_insert_with(|| ctx.sentence(&row.code, &[]));
    }
    Sheet {
        name,
        columns: columns.chain(values).collect(),
        notes,
        rows: rows
            .iter()
            .enumerate()
            .map(|(n, row)| {
                let values = values_of(row, table);
                [
                    (n + 1).to_string(),
                    row.key.clone(),
                    name_of(&row.column),
                    row.column.clone(),
                    row.code.clone(),
                    sentences[row.code.as_str()].clone(),
                ]
                .into_iter()
                .chain(values)
                .collect()
            })
            .collect(),
    }
}

/// The values of a row in the order of the table's columns; empty where there is none.
fn values_of(row: &QuarantinedRow, table: &PoolTable) -> Vec<String> {
    let mut texts: BTreeMap<String, Option<String>> =
        serde_json::from_str(&row.row).unwrap_or_default();
    let columns = table.columns.iter();
    columns
        .map(|column| texts.remove(&column.name).flatten().unwrap_or_default())
        .collect()
}

/// What whoever reads the sheet could else take wrong: a later collection's rows, or a part of them.
fn notes(ctx: &Ctx, asked: &Run, last: &Run, kept: usize) -> Vec<String> {
    let total = last.failure.as_ref().and_then(|f| f.faulty_of_read);
    let total = total.map_or(last.counts.quarantined, |(faulty, _)| faulty);
    let is_english = ctx.language == Language::English;
    let mut notes = Vec::new();
    if asked.id != last.id {
        let at = last.created_at.to_zoned(china());
        let at = at.strftime("%Y-%m-%d %H:%M");
        notes.push(if is_english {
            format!(
                "These are the rows of the last collection, begun at {at} (China Standard Time)."
            )
        } else {
            format!("以下是最近一次汇聚（{at} 开始）隔离的行。")
        });
    }
    if u64::try_from(kept).is_ok_and(|kept| kept < total) {
        notes.push(if is_english {
            format!(
                "{total} rows were faulty; the first {kept} are kept with their values. Mend these, collect again, \
                 and the rest will follow."
            )
        } else {
            format!("共有 {total} 行有问题，平台只留存前 {kept} 行的内容。请先改正这些行，重新汇聚后再看其余的行。")
        });
    }
    notes
}
