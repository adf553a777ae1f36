//! Reading a snapshot of a table.

use tokio::sync::oneshot;
use tongqu_domain::exchange::ColumnType;

use super::Place;
use super::catalog::{self, HeldColumn, Meaning};
use super::dialect::Fetching;
use super::fetch::{Fetched, Reader, Sink};
use super::session::{Access, Session};
use super::value::Cell;
use crate::batches::{Feeder, pipe};
use crate::text::joined;
use crate::{BatchStream, ConnectorError, Filter, FilterOp, Query, Result};

/// Name of the cursor or copy from which parts are fetched.
const PARTS: &str = "_tongqu_read";

/// Bytes of values that one part should hold: the driver keeps a part as a whole.
const PART_BYTES: usize = 2 * 1024 * 1024;

/// Rows of the first part, of which the size of the next is judged, and of the largest.
const FIRST_PART_ROWS: usize = 64;
const PART_ROWS_MAX: usize = 4_096;

const DOING: &str = "read a table";

pub(super) async fn read(place: Place, query: Query) -> Result<BatchStream> {
    query.check()?;
    let (feeder, stream) = pipe(place.shown(), ());
    let (begun, beginning) = oneshot::channel();
    let store = place.shown();
    tokio::task::spawn_blocking(move || {
        let outcome = run(&place, query, &feeder, begun);
        // The snapshot was given up before the end is told, so that whoever waits for the end may change the table.
        feeder.end_blocking(outcome);
    });
    match beginning.await {
        Ok(Ok(())) => Ok(stream),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ConnectorError::Interrupted { store }),
    }
}

fn run(
    place: &Place,
    query: Query,
    feeder: &Feeder,
    begun: oneshot::Sender<Result<()>>,
) -> Result<()> {
    let prepared = Session::open(place, Access::Read).and_then(|session| {
        let reading = Reading::prepare(&session, query)?;
        Ok((session, reading))
    });
    let (session, reading) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = begun.send(Err(error));
            return Ok(());
        }
    };
    if begun.send(Ok(())).is_err() {
        return Ok(());
    }
    let outcome = reading.run(&session, feeder);
    session.roll_back();
    outcome
}

/// A query that fits the table, ready to run in the transaction that has been begun.
struct Reading {
    query: Query,
    columns: Vec<Fetched>,
    sql: String,
    cells: Vec<Cell>,
}

impl Reading {
    fn prepare(session: &Session, query: Query) -> Result<Self> {
        let table = query.table.clone();
        session.begin("begin reading")?;
        for statement in session.dialect.begin_snapshot() {
            session.run(statement, "begin reading", &table)?;
        }
        let found = catalog::require_table(session, &table)?;
        let held = catalog::columns(session, &table, &found)?;
        let columns = fetched(session, &query, &held)?;
        let (sql, cells) = statement(session, &query, &held, &columns)?;
        Ok(Self {
            query,
            columns,
            sql,
            cells,
        })
    }

    fn run(&self, session: &Session, feeder: &Feeder) -> Result<()> {
        let mut sink = Sink::new(session, &self.query, &self.columns, feeder);
        let table = &self.query.table;
        let reader = match session.dialect.fetching() {
            Fetching::AtOnce => match session.rows(&self.sql, self.cells.clone(), DOING, table)? {
                Some(rows) => sink.take(rows)?,
                None => Reader::Waits,
            },
            Fetching::ByCursor => {
                let declare = format!("DECLARE {PARTS} NO SCROLL CURSOR FOR {}", self.sql);
                session.rows(&declare, self.cells.clone(), DOING, table)?;
                take_parts(session, table, &mut sink, |_, rows| {
                    format!("FETCH FORWARD {rows} FROM {PARTS}")
                })?
            }
            Fetching::ByCopy => {
                self.copy(session)?;
                let values = self.values();
                take_parts(session, table, &mut sink, |from, rows| {
                    let last = from + rows;
                    format!(
                        "SELECT {values} FROM temp.{PARTS} WHERE n > {from} AND n <= {last} ORDER BY n"
                    )
                })?
            }
        };
        if reader == Reader::Waits {
            sink.finish();
        }
        Ok(())
    }

    /// Names of the values in a copy.
    fn values(&self) -> String {
        joined(0..self.columns.len(), ", ", |place| format!("v{place}"))
    }

    /// Copies the rows, in their order, into a table of the session's own, and gives up the snapshot.
    fn copy(&self, session: &Session) -> Result<()> {
        let (table, values) = (&self.query.table, self.values());
        let create = format!("CREATE TABLE temp.{PARTS} (n INTEGER PRIMARY KEY, {values})");
        session.run(&create, DOING, table)?;
        let fill = format!("INSERT INTO temp.{PARTS} ({values}) {}", self.sql);
        session.change(&fill, self.cells.clone(), DOING, table)?;
        session.commit(DOING, table)
    }
}

/// Fetches part after part, each as large as the rows before it let expect. `part` says how: behind so many rows, so
/// many.
fn take_parts(
    session: &Session,
    table: &str,
    sink: &mut Sink<'_>,
    part: impl Fn(usize, usize) -> String,
) -> Result<Reader> {
    let mut wanted = FIRST_PART_ROWS;
    loop {
        let (rows_before, bytes_before) = (sink.rows, sink.value_bytes);
        let fetch = part(rows_before, wanted);
        let Some(rows) = session.rows(&fetch, Vec::new(), DOING, table)? else {
            return Ok(Reader::Waits);
        };
        if sink.take(rows)? == Reader::Gone {
            return Ok(Reader::Gone);
        }
        let rows = sink.rows - rows_before;
        if rows < wanted {
            return Ok(Reader::Waits);
        }
        let row_bytes = (sink.value_bytes - bytes_before) / rows + 1;
        let next = (PART_BYTES / row_bytes).clamp(1, PART_ROWS_MAX);
        wanted = next.min(wanted * 4);
    }
}

fn fetched(session: &Session, query: &Query, held: &[HeldColumn]) -> Result<Vec<Fetched>> {
    let columns = query.columns.iter().map(|column| {
        let (found, refused) = (catalog::find(held, &query.table, &column.name)?, |reason| {
            ConnectorError::type_refused(&query.table, &column.name, reason)
        });
        let meaning = catalog::meaning(found, &query.table)?;
        session
            .dialect
            .gives(meaning.column_type, column.column_type)
            .map_err(refused)?;
        let name = qualified(session, &column.name);
        let wire = session.dialect.read(&name, meaning, column.column_type);
        let read_as = wire.read_as.unwrap_or(meaning.column_type);
        Ok(Fetched { wire, read_as })
    });
    columns.collect()
}

/// A column of the table, not what is selected for it, which may have the same name.
fn qualified(session: &Session, name: &str) -> String {
    format!("q.{}", session.quoted(name))
}

fn held_meaning<'h>(held: &'h [HeldColumn], table: &str, name: &str) -> Result<&'h Meaning> {
    catalog::meaning(catalog::find(held, table, name)?, table)
}

fn statement(
    session: &Session,
    query: &Query,
    held: &[HeldColumn],
    columns: &[Fetched],
) -> Result<(String, Vec<Cell>)> {
    let table = &query.table;
    let selected = joined(columns, ", ", |column| column.wire.sql.clone());
    let mut sql = format!("SELECT {selected} FROM {} q", session.quoted_table(table));
    let mut cells = Vec::new();
    let conditions = query.where_clause(|filter| {
        let meaning = held_meaning(held, table, &filter.column)?;
        let wanted = query.columns.iter().find(|c| c.name == filter.column);
        let column_type = wanted.map_or(meaning.column_type, |column| column.column_type);
        filter.check_type(table, column_type)?;
        comparable(session, table, &filter.column, meaning)?;
        Ok(condition(session, filter, meaning, &mut cells))
    })?;
    sql.push_str(&conditions);
    let mut order = Vec::with_capacity(query.order_by.len());
    for name in &query.order_by {
        let meaning = held_meaning(held, table, name)?;
        comparable(session, table, name, meaning)?;
        let by = session.dialect.bytewise(&qualified(session, name), meaning);
        order.push(session.dialect.ordered(&by));
    }
    if !order.is_empty() {
        sql.push_str(" ORDER BY ");
        sql.push_str(&order.join(", "));
    }
    Ok((sql, cells))
}

fn comparable(session: &Session, table: &str, name: &str, meaning: &Meaning) -> Result<()> {
    let refused = |reason| ConnectorError::type_refused(table, name, reason);
    session.dialect.orders(meaning).map_err(refused)?;
    if let (ColumnType::Text { .. }, Some((sql, wanted))) =
        (meaning.column_type, session.dialect.charset())
    {
        let answer = session.texts(sql, Vec::new(), 1, "look for its character set", table)?;
        if answer.first().is_none_or(|row| row[0] != wanted) {
            let reason = "the database keeps texts in another character set than UTF-8, which has another order";
            return Err(refused(reason.to_owned()));
        }
    }
    Ok(())
}

fn condition(
    session: &Session,
    filter: &Filter,
    meaning: &Meaning,
    cells: &mut Vec<Cell>,
) -> String {
    let dialect = session.dialect;
    let column = dialect.bytewise(&qualified(session, &filter.column), meaning);
    let mut written = Vec::new();
    for comparison in filter.comparisons() {
        let mut places = Vec::with_capacity(comparison.values.len());
        for operand in &comparison.values {
            let value = operand.value();
            let compared_as = dialect.compared_as(value, meaning.column_type);
            let slot = dialect.slot(compared_as);
            // A value that the column could never hold equals nothing in it.
            let cell = dialect.cell(value, compared_as, slot.form);
            cells.push(cell.unwrap_or(Cell::Null(slot.form)));
            // Bound values are compared as the column is.
            let as_bound = Meaning::of(compared_as);
            places.push(match meaning.column_type {
                ColumnType::Text { .. } => dialect.bytewise(&slot.sql, &as_bound),
                _ => slot.sql,
            });
        }
        written.push(match (filter.op, places.as_slice()) {
            // Not every database has an empty list.
            (FilterOp::In, []) => "1 = 0".to_owned(),
            (FilterOp::In, _) => format!("{column} IN ({})", places.join(", ")),
            _ => format!("{column} {} {}", comparison.operator, places.join(", ")),
        });
    }
    written.join(" AND ")
}
