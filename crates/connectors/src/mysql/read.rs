//! Reading a snapshot of a MySQL table.

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value as Stored};
use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::catalog::{self, HeldColumn};
use super::types::{self, Meaning};
use super::{Session, quoted, quoted_table};
use crate::batches::{Feeder, pipe};
use crate::rows::BatchBuilder;
use crate::{BatchStream, ConnectorError, Filter, FilterOp, Query, Result, Value};

/// A query that fits the table, in the transaction that has been begun.
struct Reading {
    session: Session,
    query: Query,
    sql: String,
    values: Vec<Stored>,
    meanings: Vec<Meaning>,
}

/// Whether everything was read that the server sent.
enum Outcome {
    Complete,
    ReaderGone,
}

pub(super) async fn read(session: Session, query: Query) -> Result<BatchStream> {
    let store = session.store.clone();
    let mut reading = prepare(session, query).await?;
    let (feeder, stream) = pipe(store, ());
    tokio::spawn(async move {
        let outcome = match reading.run(&feeder).await {
            Ok(Outcome::ReaderGone) => return reading.session.cut(),
            // The snapshot is given up before the end is told, so that whoever waits for the end may
            // change the table.
            Ok(Outcome::Complete) => {
                reading
                    .session
                    .run("COMMIT", "end reading", &reading.query.table)
                    .await
            }
            Err(error) => {
                reading.session.cut();
                return feeder.end(Err(error)).await;
            }
        };
        drop(reading);
        feeder.end(outcome).await;
    });
    Ok(stream)
}

async fn prepare(mut session: Session, query: Query) -> Result<Reading> {
    let table = query.table.clone();
    session
        .run(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "begin reading",
            &table,
        )
        .await?;
    let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    session.run(begin, "begin reading", &table).await?;
    catalog::require_table(&mut session, &table).await?;
    let held = catalog::columns(&mut session, &table).await?;
    let mut meanings = Vec::with_capacity(query.columns.len());
    for column in &query.columns {
        let meaning = meaning(&held, &table, &column.name)?;
        types::gives(meaning.column_type, column.column_type)
            .map_err(|reason| ConnectorError::type_refused(&table, &column.name, reason))?;
        meanings.push(meaning.clone());
    }
    let (sql, values) = statement(&query, &held)?;
    Ok(Reading {
        session,
        query,
        sql,
        values,
        meanings,
    })
}

impl Reading {
    async fn run(&mut self, feeder: &Feeder) -> Result<Outcome> {
        let (query, store) = (&self.query, &self.session.store);
        let failed = |error| super::failure(store, "read a table", &query.table, &error);
        let (rows_max, bytes_max) = query.limits();
        let mut builder = BatchBuilder::new(&query.columns);
        let values = std::mem::take(&mut self.values);
        let params = if values.is_empty() {
            Params::Empty
        } else {
            Params::Positional(values)
        };
        // Rows are taken from the socket one by one; the server waits when we don't.
        let mut rows = self
            .session
            .conn
            .exec_iter(self.sql.as_str(), params)
            .await
            .map_err(failed)?;
        loop {
            let next = tokio::select! {
                biased;
                next = rows.next() => next.map_err(failed)?,
                () = feeder.reader_gone() => return Ok(Outcome::ReaderGone),
            };
            let Some(row) = next else { break };
            push(query, &self.meanings, &mut builder, &row)?;
            if builder.is_full(rows_max, bytes_max) && feeder.give(builder.finish()).await.is_err()
            {
                return Ok(Outcome::ReaderGone);
            }
        }
        rows.drop_result().await.map_err(failed)?;
        if builder.rows() > 0 {
            // A reader that went away needs no answer.
            let _ = feeder.give(builder.finish()).await;
        }
        Ok(Outcome::Complete)
    }
}

fn push(query: &Query, meanings: &[Meaning], builder: &mut BatchBuilder, row: &Row) -> Result<()> {
    for (position, (column, held)) in query.columns.iter().zip(meanings).enumerate() {
        let stored = row
            .as_ref(position)
            .expect("a row has all columns of its query");
        let pushed = types::read(held.native, held.column_type, column.column_type, stored)
            .and_then(|value| builder.push(position, value).map_err(|misfit| misfit.found));
        pushed.map_err(|found| {
            ConnectorError::value_refused(&query.table, &column.name, column.column_type, found)
        })?;
    }
    builder.end_row();
    Ok(())
}

fn meaning<'c>(held: &'c [HeldColumn], table: &str, name: &str) -> Result<&'c Meaning> {
    let column = catalog::find(held, table, name)?;
    column
        .meaning
        .as_ref()
        .map_err(|reason| ConnectorError::type_refused(table, name, reason.clone()))
}

fn statement(query: &Query, held: &[HeldColumn]) -> Result<(String, Vec<Stored>)> {
    let columns: Vec<String> = query
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    let mut sql = format!(
        "SELECT {} FROM {}",
        columns.join(", "),
        quoted_table(&query.table)
    );
    let mut values = Vec::new();
    let conditions = query.where_clause(|filter| {
        let held_type = meaning(held, &query.table, &filter.column)?.column_type;
        // Truth values live in small integers.
        let are_flags = filter
            .values
            .iter()
            .all(|value| matches!(value, Value::Bool(_)));
        let is_flag = held_type == ColumnType::Int16 && are_flags;
        let column_type = if is_flag {
            ColumnType::Boolean
        } else {
            held_type
        };
        filter.check_type(&query.table, column_type)?;
        let column = catalog::find(held, &query.table, &filter.column)?;
        condition(filter, column, &mut values)
            .map_err(|reason| ConnectorError::plan_invalid(&query.table, reason))
    })?;
    sql.push_str(&conditions);
    if !query.order_by.is_empty() {
        let mut order = Vec::with_capacity(query.order_by.len());
        for name in &query.order_by {
            meaning(held, &query.table, name)?;
            let column = catalog::find(held, &query.table, name)?;
            order.push(catalog::bytewise(column, &quoted(name)));
        }
        sql.push_str(" ORDER BY ");
        sql.push_str(&order.join(", "));
    }
    Ok((sql, values))
}

fn condition(
    filter: &Filter,
    column: &HeldColumn,
    values: &mut Vec<Stored>,
) -> Result<String, String> {
    let name = quoted(&column.name);
    let is_text =
        matches!(&column.meaning, Ok(m) if matches!(m.column_type, ColumnType::Text { .. }));
    // A bytewise column is compared as it is, so that its index serves; its values are text, not bytes.
    let is_plain = is_text && catalog::is_bytewise(column);
    let expression = catalog::bytewise(column, &name);
    let place = |value: ValueRef<'_>| {
        if is_plain {
            "?".to_owned()
        } else {
            types::placeholder(value)
        }
    };
    let mut conditions = Vec::new();
    for comparison in filter.comparisons() {
        if comparison.values.is_empty() {
            conditions.push("FALSE".to_owned());
            continue;
        }
        let list = |place: &dyn Fn(ValueRef<'_>) -> String| {
            let places: Vec<String> = comparison
                .values
                .iter()
                .map(|operand| place(operand.value()))
                .collect();
            if filter.op == FilterOp::In {
                format!("({})", places.join(", "))
            } else {
                places.join(", ")
            }
        };
        let bound = || {
            let operands = comparison.values.iter();
            operands
                .map(|operand| types::bound_in_filter(operand.value()))
                .collect::<Result<Vec<_>, _>>()
        };
        conditions.push(format!(
            "{expression} {} {}",
            comparison.operator,
            list(&place)
        ));
        values.extend(bound()?);
        // An index of the table's own collation answers an equality; the line above makes it exact.
        if is_text && !is_plain && matches!(filter.op, FilterOp::Eq | FilterOp::In) {
            let as_text = |_: ValueRef<'_>| "?".to_owned();
            conditions.push(format!("{name} {} {}", comparison.operator, list(&as_text)));
            values.extend(bound()?);
        }
    }
    Ok(conditions.join(" AND "))
}
