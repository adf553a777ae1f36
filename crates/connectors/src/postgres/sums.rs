//! Sums of a table's rows, made by the server with the hash functions that its own hash joins use.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use tongqu_domain::exchange::{Column, ColumnType};

use super::catalog::HeldColumn;
use super::kept::Kept;
use super::types::{self, Native};
use super::{PostgresStore, Session, quoted, quoted_table, read};
use crate::sums::Share;
use crate::text::joined;
use crate::{BatchStream, Differing, Query, Result, Snapshot, Sums};

/// Memory that the server may use to keep a sum for each share.
const SHARES_MEMORY: &str = "64MB";

struct View {
    session: Session,
    kept: Kept,
    query: Query,
    held: Vec<HeldColumn>,
    /// SQL of the hash of a row's key, and of the whole row.
    key_hash: String,
    row_hash: String,
    method: String,
}

/// A view of the query's rows; `None` if the server can't hash rows.
pub(super) async fn snapshot(
    store: &PostgresStore,
    query: Query,
    key: &[String],
) -> Result<Option<Box<dyn Snapshot>>> {
    let session = store.session().await?;
    let Some(method) = method(&session).await? else {
        return Ok(None);
    };
    let held = read::begin(&session, &query.table).await?;
    let mut key_columns = Vec::with_capacity(key.len());
    for name in key {
        // A key that isn't read can't be compared either.
        let Some(column) = query.columns.iter().find(|column| column.name == *name) else {
            return Ok(None);
        };
        key_columns.push(hashed(&query, &held, column)?);
    }
    let all = query.columns.iter();
    let columns: Vec<String> = all
        .map(|column| hashed(&query, &held, column))
        .collect::<Result<_>>()?;
    Ok(Some(Box::new(View {
        // A row's hash adds up those of its columns; hashed once more, two rows that swap a value don't cancel out.
        row_hash: format!("hashint8extended({}, 0)", record_hash(&columns)),
        key_hash: record_hash(&key_columns),
        session,
        kept: store.kept.clone(),
        query,
        held,
        method,
    })))
}

/// What sums depend on besides the rows; `None` if the server has no hash of records.
async fn method(session: &Session) -> Result<Option<String>> {
    let sql = "SELECT current_setting('server_version_num')::integer / 10000 || ' ' || current_setting('server_encoding') \
               FROM pg_catalog.pg_proc WHERE proname = 'hash_record_extended' LIMIT 1";
    let rows = session
        .rows(sql, &[], "ask for its hash functions", "")
        .await?;
    let version = rows.first().map(|row| row.get::<_, String>(0));
    Ok(version.map(|version| format!("PostgreSQL {version}")))
}

fn record_hash(columns: &[String]) -> String {
    format!("hash_record_extended(ROW({}), 0)", columns.join(", "))
}

/// A column in the form in which equal values have equal hashes wherever they are kept.
fn hashed(query: &Query, held: &[HeldColumn], column: &Column) -> Result<String> {
    let name = quoted(&column.name);
    let meaning = read::meaning(held, &query.table, &column.name)?;
    Ok(match (meaning.native, meaning.column_type) {
        // A cast to text would lose the blanks with which char(n) is read.
        (Native::Padded, _) => format!("textin(bpcharout({name})) COLLATE \"C\""),
        (_, ColumnType::Text { .. }) => format!("{name}::text COLLATE \"C\""),
        (_, column_type) if column_type == column.column_type => name,
        _ => format!("{name}::{}", types::declared(column.column_type)),
    })
}

#[async_trait]
impl Snapshot for View {
    async fn sums(&mut self, bits: u8) -> Result<Sums> {
        let table = &self.query.table;
        let failed = |error| self.session.failure("sum up its rows", table, &error);
        self.session
            .run(
                &format!("SET LOCAL work_mem = '{SHARES_MEMORY}'"),
                "prepare to sum up",
                table,
            )
            .await?;
        // OFFSET keeps the planner from taking every row for a share of its own, which it would then sort.
        let sql = format!(
            "SELECT share, count(*), bit_xor(hash) FROM (SELECT {} & {} AS share, {} AS hash FROM {}{} OFFSET 0) AS rows \
             GROUP BY share",
            self.key_hash,
            (1_u32 << bits) - 1,
            self.row_hash,
            quoted_table(table),
            read::where_clause(&self.query, &self.held)?
        );
        let statement = self.session.client.prepare(&sql).await.map_err(failed)?;
        let rows = read::rows_of(&self.session, &statement, &self.query)
            .await
            .map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        let mut sums = Sums::new(self.method.clone(), bits);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let (number, count): (i64, i64) = (row.get(0), row.get(1));
            let share = Share {
                rows: count.unsigned_abs(),
                sum: row.get(2),
            };
            sums.set(usize::try_from(number).unwrap_or(usize::MAX), share);
        }
        Ok(sums)
    }

    async fn read(self: Box<Self>, only: Option<&Differing>) -> Result<BatchStream> {
        // Written out, because only a list of constants is looked up by its hash.
        let only = only.map(|differing| {
            let numbers = joined(differing.numbers(), ",", ToString::to_string);
            let (hash, mask) = (&self.key_hash, differing.mask());
            format!("({hash} & {mask}) = ANY('{{{numbers}}}'::bigint[])")
        });
        read::read_in(self.session, self.kept, self.query, &self.held, only).await
    }
}
