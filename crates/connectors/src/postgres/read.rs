//! Reading a snapshot of a PostgreSQL table.

use futures_util::TryStreamExt;
use tokio_postgres::{Row, RowStream, Statement};
use tongqu_domain::exchange::ColumnType;

use super::binary::{Bound, Raw};
use super::catalog::{self, HeldColumn};
use super::kept::Kept;
use super::types::{self, Native};
use super::{PostgresStore, Session, quoted, quoted_table};
use crate::batches::{Feeder, pipe};
use crate::query::Operand;
use crate::rows::BatchBuilder;
use crate::text::joined;
use crate::{BatchStream, ConnectorError, Filter, FilterOp, Query, Result};

/// A query that fits the table, in the transaction that has been begun.
struct Reading {
    session: Session,
    query: Query,
    statement: Statement,
    natives: Vec<Native>,
}

/// Whether everything was read that the server sent.
enum Outcome {
    Complete,
    ReaderGone,
}

pub(super) async fn read(store: &PostgresStore, query: Query) -> Result<BatchStream> {
    let session = store.session().await?;
    let held = begin(&session, &query.table).await?;
    read_in(session, store.kept.clone(), query, &held, None).await
}

/// Begins the transaction whose view of the table is read. Gives the table's columns.
pub(super) async fn begin(session: &Session, table: &str) -> Result<Vec<HeldColumn>> {
    // A slow consumer may leave the transaction waiting for long; that is its right.
    let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
                 SET LOCAL idle_in_transaction_session_timeout = 0";
    session.run(begin, "begin reading", table).await?;
    let found = catalog::require_table(session, table).await?;
    catalog::columns(session, table, &found).await
}

/// Reads in the transaction that has been begun, and ends it; only rows for which the SQL of `only` holds too. The
/// session is kept for the next call if that ended well.
pub(super) async fn read_in(
    session: Session,
    kept: Kept,
    query: Query,
    held: &[HeldColumn],
    only: Option<String>,
) -> Result<BatchStream> {
    let name = session.store.clone();
    let reading = prepare(session, query, held, only).await?;
    let (feeder, stream) = pipe(name, ());
    tokio::spawn(async move {
        let outcome = match reading.run(&feeder).await {
            Ok(Outcome::ReaderGone) => return reading.session.cut(),
            Ok(Outcome::Complete) => Ok(()),
            Err(error) => Err(error),
        };
        // The snapshot is given up before the end is told, so that whoever waits for the end may
        // change the table.
        let table = &reading.query.table;
        let outcome = match outcome {
            Ok(()) => reading.session.run("COMMIT", "end reading", table).await,
            Err(error) => Err(error),
        };
        match &outcome {
            Ok(()) => kept.keep(reading.session),
            Err(_) => drop(reading),
        }
        feeder.end(outcome).await;
    });
    Ok(stream)
}

async fn prepare(
    session: Session,
    query: Query,
    held: &[HeldColumn],
    only: Option<String>,
) -> Result<Reading> {
    let table = query.table.clone();
    let mut natives = Vec::with_capacity(query.columns.len());
    for column in &query.columns {
        let meaning = meaning(held, &table, &column.name)?;
        types::gives(meaning.column_type, column.column_type)
            .map_err(|reason| ConnectorError::type_refused(&table, &column.name, reason))?;
        natives.push(meaning.native);
    }
    let sql = statement(&query, held, only)?;
    let statement = session.client.prepare(&sql).await;
    let statement =
        statement.map_err(|error| session.failure("prepare reading a table", &table, &error))?;
    Ok(Reading {
        session,
        query,
        statement,
        natives,
    })
}

impl Reading {
    async fn run(&self, feeder: &Feeder) -> Result<Outcome> {
        let query = &self.query;
        let failed = |error| self.session.failure("read a table", &query.table, &error);
        let (rows_max, bytes_max) = query.limits();
        let mut builder = BatchBuilder::new(&query.columns);
        // The server sends all rows at once; it waits when we don't take them from the socket.
        let rows = rows_of(&self.session, &self.statement, query)
            .await
            .map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        loop {
            let next = tokio::select! {
                biased;
                next = rows.try_next() => next.map_err(failed)?,
                () = feeder.reader_gone() => return Ok(Outcome::ReaderGone),
            };
            let Some(row) = next else { break };
            self.push(&mut builder, &row)?;
            if builder.is_full(rows_max, bytes_max) && feeder.give(builder.finish()).await.is_err()
            {
                return Ok(Outcome::ReaderGone);
            }
        }
        if builder.rows() > 0 {
            // A reader that went away needs no answer.
            let _ = feeder.give(builder.finish()).await;
        }
        Ok(Outcome::Complete)
    }

    fn push(&self, builder: &mut BatchBuilder, row: &Row) -> Result<()> {
        let query = &self.query;
        for (position, (column, native)) in query.columns.iter().zip(&self.natives).enumerate() {
            let raw: Option<Raw<'_>> = row.try_get(position).expect("any bytes are accepted");
            let value = raw.map_or(Ok(tongqu_domain::exchange::ValueRef::Null), |raw| {
                types::read(*native, raw.0)
            });
            let pushed = value
                .and_then(|value| builder.push(position, value).map_err(|misfit| misfit.found));
            pushed.map_err(|found| {
                ConnectorError::value_refused(&query.table, &column.name, column.column_type, found)
            })?;
        }
        builder.end_row();
        Ok(())
    }
}

/// Runs a statement that has the query's conditions, with their values bound.
pub(super) async fn rows_of(
    session: &Session,
    statement: &Statement,
    query: &Query,
) -> std::result::Result<RowStream, tokio_postgres::Error> {
    let comparisons: Vec<_> = query.filters().flat_map(Filter::comparisons).collect();
    let operands = comparisons.iter().flat_map(|comparison| &comparison.values);
    let bound: Vec<Bound<'_>> = operands.map(|operand| Bound(operand.value())).collect();
    session.client.query_raw(statement, bound).await
}

pub(super) fn meaning<'c>(
    held: &'c [HeldColumn],
    table: &str,
    name: &str,
) -> Result<&'c types::Meaning> {
    let column = catalog::find(held, table, name)?;
    column
        .meaning
        .as_ref()
        .map_err(|reason| ConnectorError::type_refused(table, name, reason.clone()))
}

fn statement(query: &Query, held: &[HeldColumn], only: Option<String>) -> Result<String> {
    let shown = |name: &str| -> Result<String> {
        let meaning = meaning(held, &query.table, name)?;
        let cast = if meaning.native == Native::ShownAsText {
            "::text"
        } else {
            ""
        };
        Ok(format!("{}{cast}", quoted(name)))
    };
    let columns = query
        .columns
        .iter()
        .map(|column| shown(&column.name))
        .collect::<Result<Vec<_>>>()?;
    let mut sql = format!(
        "SELECT {} FROM {}{}",
        columns.join(", "),
        quoted_table(&query.table),
        where_clause(query, held)?
    );
    if let Some(only) = only {
        let also = if query.filters().next().is_some() {
            "AND"
        } else {
            "WHERE"
        };
        sql.extend([" ", also, " ", &only]);
    }
    if !query.order_by.is_empty() {
        let mut order = Vec::with_capacity(query.order_by.len());
        for name in &query.order_by {
            meaning(held, &query.table, name)?;
            let column = catalog::find(held, &query.table, name)?;
            // Said only where there may be NULLs: an index has them last and couldn't be used.
            let nulls = if column.is_nullable {
                " NULLS FIRST"
            } else {
                ""
            };
            order.push(format!("{}{nulls}", catalog::bytewise(column)));
        }
        sql.push_str(" ORDER BY ");
        sql.push_str(&order.join(", "));
    }
    Ok(sql)
}

/// The query's conditions, their values as parameters.
pub(super) fn where_clause(query: &Query, held: &[HeldColumn]) -> Result<String> {
    let mut places = 0;
    query.where_clause(|filter| {
        let column = catalog::find(held, &query.table, &filter.column)?;
        let column_type = meaning(held, &query.table, &filter.column)?.column_type;
        filter.check_type(&query.table, column_type)?;
        Ok(condition(filter, column, &mut places))
    })
}

fn condition(filter: &Filter, column: &HeldColumn, places: &mut usize) -> String {
    let is_text =
        matches!(&column.meaning, Ok(m) if matches!(m.column_type, ColumnType::Text { .. }));
    let native = column.meaning.as_ref().map(|meaning| meaning.native);
    let plain = match native {
        Ok(Native::ShownAsText) => format!("({}::text)", quoted(&column.name)),
        _ => quoted(&column.name),
    };
    let bytewise = if is_text && native != Ok(Native::Padded) && !column.is_bytewise {
        format!("{plain} COLLATE \"C\"")
    } else {
        plain.clone()
    };
    let mut place = |operand: &Operand<'_>| {
        *places += 1;
        format!("${places}::{}", types::bound_type(&operand.value()))
    };
    let mut conditions = Vec::new();
    for comparison in filter.comparisons() {
        let values: Vec<String> = comparison.values.iter().map(&mut place).collect();
        if filter.op == FilterOp::In && values.is_empty() {
            conditions.push("false".to_owned());
            continue;
        }
        let operand = if filter.op == FilterOp::In {
            format!("({})", values.join(", "))
        } else {
            values[0].clone()
        };
        conditions.push(format!("{bytewise} {} {operand}", comparison.operator));
        // An index of the table's own collation answers an equality; the line above makes it exact.
        if bytewise != plain && matches!(filter.op, FilterOp::Eq | FilterOp::In) {
            conditions.push(format!("{plain} {} {operand}", comparison.operator));
        }
    }
    joined(conditions, " AND ", |condition| condition)
}
