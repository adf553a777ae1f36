//! Reading a snapshot of a SQLite table.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, InterruptHandle};
use tongqu_domain::exchange::ColumnType;

use super::catalog::{self, HeldColumn};
use super::{File, on_thread, quoted, types};
use crate::batches::{Feeder, pipe};
use crate::rows::BatchBuilder;
use crate::text::joined;
use crate::{BatchStream, ConnectorError, Filter, FilterOp, Query, Result};

/// A query that fits the table, ready to run in the transaction that has been begun.
struct Reading {
    connection: Connection,
    query: Query,
    sql: String,
    /// The types of the filters' columns, filter by filter.
    filter_types: Vec<ColumnType>,
}

pub(super) async fn read(file: File, query: Query) -> Result<BatchStream> {
    query.check()?;
    let prepare_file = file.clone();
    let reading = on_thread(&file, move || Reading::prepare(&prepare_file, query)).await?;
    let stop = StopOnDrop(reading.connection.get_interrupt_handle());
    let (feeder, stream) = pipe(file.shown(), stop);
    tokio::task::spawn_blocking(move || {
        let outcome = reading.run(&file, &feeder);
        // The snapshot is given up before the end is told, so that whoever waits for the end may
        // change the table.
        drop(reading);
        feeder.end_blocking(outcome);
    });
    Ok(stream)
}

/// Stops a long sort or scan as soon as nobody waits for it any more.
struct StopOnDrop(InterruptHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

impl Reading {
    fn prepare(file: &File, query: Query) -> Result<Self> {
        let connection = file.open_reader()?;
        // The snapshot begins with the first look at the file, which is the look at its columns:
        // so the columns can't change between here and the rows.
        connection
            .execute_batch("BEGIN")
            .map_err(|error| file.failure("begin reading", &query.table, error))?;
        let held = catalog::columns_of(&connection, file, &query.table)?;
        for column in &query.columns {
            let found = held_type(&held, &query.table, &column.name)?;
            types::gives(found, column.column_type).map_err(|reason| {
                ConnectorError::type_refused(&query.table, &column.name, reason)
            })?;
        }
        let typed = |name: &str| match query.columns.iter().find(|column| column.name == name) {
            Some(column) => Ok(column.column_type),
            None => held_type(&held, &query.table, name),
        };
        let filter_types = query
            .filters()
            .map(|filter| typed(&filter.column))
            .collect::<Result<Vec<_>>>()?;
        for (filter, column_type) in query.filters().zip(&filter_types) {
            filter.check_type(&query.table, *column_type)?;
        }
        let order_types = query
            .order_by
            .iter()
            .map(|name| typed(name))
            .collect::<Result<Vec<_>>>()?;
        let sql = statement(&query, &filter_types, &order_types)?;
        Ok(Self {
            connection,
            query,
            sql,
            filter_types,
        })
    }

    fn run(&self, file: &File, feeder: &Feeder) -> Result<()> {
        let query = &self.query;
        let failed = |error| file.failure("read a table", &query.table, error);
        let mut statement = self.connection.prepare(&self.sql).map_err(failed)?;
        self.bind(&mut statement).map_err(failed)?;
        let (rows_max, bytes_max) = query.limits();
        let mut builder = BatchBuilder::new(&query.columns);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            for (position, column) in query.columns.iter().enumerate() {
                let stored = row.get_ref(position).map_err(failed)?;
                let pushed = types::read(stored, column.column_type)
                    .and_then(|value| builder.push(position, value).map_err(|misfit| misfit.found));
                pushed.map_err(|found| {
                    ConnectorError::value_refused(
                        &query.table,
                        &column.name,
                        column.column_type,
                        found,
                    )
                })?;
            }
            builder.end_row();
            if builder.is_full(rows_max, bytes_max)
                && feeder.give_blocking(builder.finish()).is_err()
            {
                return Ok(());
            }
        }
        if builder.rows() > 0 {
            // A reader that went away needs no answer.
            let _ = feeder.give_blocking(builder.finish());
        }
        Ok(())
    }

    fn bind(&self, statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<()> {
        let mut place = 0;
        let mut scratch = String::new();
        for (filter, column_type) in self.query.filters().zip(&self.filter_types) {
            for comparison in filter.comparisons() {
                for operand in &comparison.values {
                    place += 1;
                    // A value that the column could never hold equals nothing in it.
                    let bound = types::bound(operand.value(), *column_type, &mut scratch);
                    statement.raw_bind_parameter(
                        place,
                        bound.unwrap_or(ToSqlOutput::Borrowed(rusqlite::types::ValueRef::Null)),
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn held_type(held: &[HeldColumn], table: &str, name: &str) -> Result<ColumnType> {
    let column = catalog::find(held, table, name)?;
    column
        .meaning
        .clone()
        .map_err(|reason| ConnectorError::type_refused(table, name, reason))
}

fn statement(
    query: &Query,
    filter_types: &[ColumnType],
    order_types: &[ColumnType],
) -> Result<String> {
    let columns = joined(&query.columns, ", ", |column| quoted(&column.name));
    let mut sql = format!("SELECT {columns} FROM {}", quoted(&query.table));
    let mut filter_types = filter_types.iter();
    let conditions = query.where_clause(|filter| {
        let column_type = filter_types.next().expect("each filter has its type");
        Ok(condition(filter, *column_type))
    })?;
    sql.push_str(&conditions);
    if !query.order_by.is_empty() {
        let order = joined(
            query.order_by.iter().zip(order_types),
            ", ",
            |(name, column_type)| {
                format!(
                    "{}{} NULLS FIRST",
                    quoted(name),
                    types::collation(*column_type)
                )
            },
        );
        sql.push_str(" ORDER BY ");
        sql.push_str(&order);
    }
    Ok(sql)
}

fn condition(filter: &Filter, column_type: ColumnType) -> String {
    let column = format!(
        "{}{}",
        quoted(&filter.column),
        types::collation(column_type)
    );
    joined(filter.comparisons(), " AND ", |comparison| {
        if filter.op == FilterOp::In {
            format!(
                "{column} IN ({})",
                joined(&comparison.values, ", ", |_| "?".to_owned())
            )
        } else {
            format!("{column} {} ?", comparison.operator)
        }
    })
}
