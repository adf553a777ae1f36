//! The last hop between engines, beside the shortest way that each engine's own tools have.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rusqlite::Connection;
use serde_json::{Map, Value};
use tongqu_connectors::{ApplyPlan, Query, open, open_or_create};

use crate::mariadb::{self, MariaDb};
use crate::person::{self, People};
use crate::report::median;
use crate::servers::{Servers, write_people};

/// The product's own settings, as on the whole road.
const BATCH_ROWS_MAX: usize = 8_192;
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The register in each server.
const POOL: &str = "engines_pool";
const REQUESTER: &str = "engines_requester";

/// What a hop is called, and the most that it may take as a share of the raw way.
const HOPS: [(&str, &str, f64); 3] = [
    (
        "mysql_to_pg_ratio",
        "MariaDB to PostgreSQL; raw: file, then COPY",
        1.0,
    ),
    (
        "pg_to_mysql_ratio",
        "PostgreSQL to MariaDB; raw: COPY, then LOAD DATA",
        1.05,
    ),
    (
        "sqlite_ratio",
        "SQLite to SQLite; raw: INSERT ... SELECT",
        2.0,
    ),
];

/// Beside the last hop, without a limit of its own: into a table declared exactly as the pool's, SQLite copies its
/// rows without looking into them.
const ALIKE: (&str, &str) = ("sqlite_alike_ratio", "  raw between tables declared alike");

/// Seconds of each run.
#[derive(Default)]
struct Seconds {
    raw: Vec<f64>,
    ours: Vec<f64>,
}

impl Seconds {
    fn ratio(&self) -> f64 {
        median(&self.ours) / median(&self.raw)
    }
}

/// What was measured of each of [`HOPS`].
#[derive(Default)]
pub struct Hops {
    hops: [Seconds; 3],
    /// The raw way of [`ALIKE`].
    alike: Vec<f64>,
}

impl Hops {
    pub fn json(&self) -> Map<String, Value> {
        let ratios = HOPS.iter().zip(&self.hops);
        let ratios = ratios.map(|((key, ..), seconds)| (*key, seconds.ratio()));
        let rounded = |x: f64| (x * 1000.0).round() / 1000.0;
        ratios
            .chain([(ALIKE.0, self.alike_ratio())])
            .map(|(key, ratio)| (key.to_owned(), rounded(ratio).into()))
            .collect()
    }

    fn alike_ratio(&self) -> f64 {
        let [.., sqlite] = &self.hops;
        median(&sqlite.ours) / median(&self.alike)
    }

    pub fn text(&self) -> String {
        let mut out = format!(
            "last hop between engines; seconds raw and ours, median of {} interleaved runs\n",
            self.alike.len()
        );
        for ((_, what, most), seconds) in HOPS.iter().zip(&self.hops) {
            let ratio = seconds.ratio();
            let verdict = if ratio <= *most { "reached" } else { "missed" };
            let (raw, ours) = (median(&seconds.raw), median(&seconds.ours));
            let _ = writeln!(
                out,
                "{what:50} {raw:7.2} {ours:7.2} {ratio:7.2} x  <= {most:.2} x {verdict}"
            );
        }
        let (alike, ratio) = (median(&self.alike), self.alike_ratio());
        let _ = writeln!(out, "{:50} {alike:7.2} {:7} {ratio:7.2} x", ALIKE.1, "");
        out
    }
}

/// Fills the three pools with the same people, then walks each hop both ways in every run.
pub async fn measure(servers: &Servers, rows: u64, runs: u64) -> anyhow::Result<Hops> {
    let engines = Engines::fill(servers, rows).await?;
    let mut hops = Hops::default();
    for run in 0..runs {
        let run = i64::try_from(run)?;
        let [mysql_to_pg, pg_to_mysql, sqlite] = &mut hops.hops;
        engines.mysql_to_pg(run, mysql_to_pg).await?;
        engines.pg_to_mysql(run, pg_to_mysql).await?;
        hops.alike.push(engines.sqlite_raw(TABLE_ALIKE)?);
        engines.sqlite(run, sqlite).await?;
    }
    Ok(hops)
}

struct Engines<'s> {
    servers: &'s Servers,
    mariadb: MariaDb,
    folder: tempfile::TempDir,
}

impl<'s> Engines<'s> {
    async fn fill(servers: &'s Servers, rows: u64) -> anyhow::Result<Self> {
        let engines = Self {
            servers,
            mariadb: MariaDb::from_environment()?,
            folder: tempfile::tempdir()?,
        };
        for (server, name) in [(&servers.source, POOL), (&servers.target, REQUESTER)] {
            servers.sql(
                &format!("{server}tongqu"),
                &format!("CREATE DATABASE {name}"),
            )?;
        }
        let file = engines.file("people.tsv");
        write_people(&file, &mut People::new(7), rows, "")?;
        let load = format!(
            "SET timezone = 'UTC';\n\\copy person from '{}'\nANALYZE person;\n",
            file.display()
        );
        servers.sql(&engines.pg_pool(), person::POSTGRES)?;
        servers.sql(&engines.pg_pool(), &load)?;
        engines.mariadb.clear(POOL)?;
        engines.mariadb.value(POOL, mariadb::PERSON)?;
        engines.mariadb.load(POOL, &file)?;
        fs::remove_file(&file)?;
        hop(
            &engines.pg_pool(),
            &format!("sqlite:{}", engines.sqlite_pool().display()),
            0,
        )
        .await?;
        Ok(engines)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pg_pool(&self) -> String {
        format!("{}{POOL}", self.servers.source)
    }

    fn pg_requester(&self) -> String {
        format!("{}{REQUESTER}", self.servers.target)
    }

    fn sqlite_pool(&self) -> PathBuf {
        self.file("pool.db")
    }

    /// Lets the servers write down what waits in memory, so that nothing measured pays for what was before.
    fn settle(&self) -> anyhow::Result<()> {
        self.servers.sql(&self.pg_pool(), "CHECKPOINT")?;
        self.servers.sql(&self.pg_requester(), "CHECKPOINT")?;
        let dirty = "SELECT variable_value FROM information_schema.global_status \
                     WHERE variable_name = 'INNODB_BUFFER_POOL_PAGES_DIRTY'";
        let flush = |percent: &str| {
            let sql = format!("SET GLOBAL innodb_max_dirty_pages_pct = {percent}");
            self.mariadb.value("information_schema", &sql)
        };
        flush("0")?;
        for _ in 0..100 {
            if self
                .mariadb
                .value("information_schema", dirty)?
                .parse::<u64>()?
                < 100
            {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        flush("DEFAULT")?;
        nix::unistd::sync();
        Ok(())
    }

    async fn mysql_to_pg(&self, run: i64, seconds: &mut Seconds) -> anyhow::Result<()> {
        let file = self.file("raw.tsv");
        let requester = self.pg_requester();
        self.servers.clear(&requester)?;
        self.servers.sql(&requester, person::POSTGRES)?;
        self.settle()?;
        let begun = Instant::now();
        self.mariadb.write(POOL, &file)?;
        let copy = format!(
            "SET timezone = 'UTC';\n\\copy person from '{}'\n",
            file.display()
        );
        self.servers.sql(&requester, &copy)?;
        seconds.raw.push(begun.elapsed().as_secs_f64());
        fs::remove_file(&file)?;
        self.compare(POOL, &requester)?;

        self.servers.clear(&requester)?;
        self.settle()?;
        let begun = Instant::now();
        hop(&self.mariadb.url(POOL), &requester, run).await?;
        seconds.ours.push(begun.elapsed().as_secs_f64());
        self.compare(POOL, &requester)
    }

    async fn pg_to_mysql(&self, run: i64, seconds: &mut Seconds) -> anyhow::Result<()> {
        let file = self.file("raw.tsv");
        self.mariadb.clear(REQUESTER)?;
        self.mariadb.value(REQUESTER, mariadb::PERSON)?;
        self.settle()?;
        let begun = Instant::now();
        // MariaDB reads no zone.
        let copy = format!(
            "\\copy (SELECT id_card, name, sex, birth, ethnicity, address, phone, marital, household_id, income, \
             updated_at AT TIME ZONE 'UTC', remark FROM person) to '{}'\n",
            file.display()
        );
        self.servers.sql(&self.pg_pool(), &copy)?;
        self.mariadb.load(REQUESTER, &file)?;
        seconds.raw.push(begun.elapsed().as_secs_f64());
        fs::remove_file(&file)?;
        self.compare(REQUESTER, &self.pg_pool())?;

        self.mariadb.clear(REQUESTER)?;
        self.settle()?;
        let begun = Instant::now();
        hop(&self.pg_pool(), &self.mariadb.url(REQUESTER), run).await?;
        seconds.ours.push(begun.elapsed().as_secs_f64());
        self.compare(REQUESTER, &self.pg_pool())
    }

    async fn sqlite(&self, run: i64, seconds: &mut Seconds) -> anyhow::Result<()> {
        let pool = self.sqlite_pool();
        let requester = self.file("requester.db");
        seconds.raw.push(self.sqlite_raw(TABLE_ORDINARY)?);
        self.settle()?;
        let begun = Instant::now();
        let url = |path: &Path| format!("sqlite:{}", path.display());
        hop(&url(&pool), &url(&requester), run).await?;
        seconds.ours.push(begun.elapsed().as_secs_f64());
        compare_sqlite(&pool, &requester)?;
        remove_sqlite(&requester)
    }

    /// One statement from file to file. Gives the seconds it took.
    fn sqlite_raw(&self, table: &str) -> anyhow::Result<f64> {
        let (pool, requester) = (self.sqlite_pool(), self.file("requester.db"));
        self.settle()?;
        let begun = Instant::now();
        copy_within_sqlite(&pool, &requester, table)?;
        let seconds = begun.elapsed().as_secs_f64();
        compare_sqlite(&pool, &requester)?;
        remove_sqlite(&requester)?;
        Ok(seconds)
    }

    /// Whether a database of MariaDB and one of PostgreSQL hold the same people. By the servers themselves: each adds
    /// up the digests of its rows.
    fn compare(&self, mariadb: &str, postgres: &str) -> anyhow::Result<()> {
        let row = |as_text: &dyn Fn(&str) -> String| {
            let columns = [
                "id_card",
                "name",
                "sex",
                "birth",
                "ethnicity",
                "address",
                "phone",
                "marital",
                "household_id",
                "income",
                "updated_at",
                "remark",
            ];
            let texts = columns.map(|column| format!("COALESCE({}, '~N')", as_text(column)));
            format!("MD5(CONCAT_WS('|', {}))", texts.join(", "))
        };
        let theirs = row(&|column| format!("CAST({column} AS CHAR)"));
        let theirs = format!(
            "SELECT CONCAT(COUNT(*), ' ', SUM(CAST(CONV(SUBSTR({theirs}, 1, 8), 16, 10) AS UNSIGNED))) FROM person"
        );
        let ours = row(&|column| match column {
            "updated_at" => {
                "to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')".to_owned()
            }
            _ => format!("{column}::text"),
        });
        let ours = format!(
            "SELECT count(*) || ' ' || sum(('x' || substr({ours}, 1, 8))::bit(32)::bigint) FROM person"
        );
        let theirs = self.mariadb.value(mariadb, &theirs)?;
        let ours = self.servers.value(postgres, &ours)?;
        ensure!(
            theirs == ours,
            "MariaDB holds {theirs}, PostgreSQL {ours} (rows and the sum of their digests)"
        );
        Ok(())
    }
}

/// Pool to requester and nothing else, into a table that the apply makes with its key.
async fn hop(from: &str, to: &str, run: i64) -> anyhow::Result<()> {
    let pool = open(from)?;
    let found = pool.discover("person").await?;
    ensure!(
        found.refused.is_empty(),
        "columns are refused: {:?}",
        found.refused
    );
    let mut query = Query::all("person", found.columns.clone());
    query.batch_rows_max = BATCH_ROWS_MAX;
    query.batch_bytes_max = BATCH_BYTES_MAX;
    let requester = open_or_create(to)?;
    if requester.prefers_key_order() {
        query = query.ordered_by(&found.key);
    }
    let rows = pool.read(query).await?;
    let plan = ApplyPlan::new("person", found.columns, &found.key, "hop", run, "hop");
    requester.apply(plan, rows).await?;
    Ok(())
}

/// What stands behind the columns and the key of a table.
const TABLE_ORDINARY: &str = "";
const TABLE_ALIKE: &str = "WITHOUT ROWID";

/// From the pool into a table with its columns and its key.
fn copy_within_sqlite(pool: &Path, requester: &Path, table: &str) -> anyhow::Result<()> {
    let connection = Connection::open(requester)?;
    let attach = "ATTACH ?1 AS pool";
    connection.execute(attach, [pool.to_str().context("a path is text")?])?;
    let declared: String = connection.query_row(
        "SELECT sql FROM pool.sqlite_schema WHERE name = 'person'",
        [],
        |row| row.get(0),
    )?;
    let columns = declared.strip_suffix(TABLE_ALIKE);
    let columns = columns.context("the pool's table has no row numbers")?;
    connection.execute_batch(&format!(
        "BEGIN; {columns} {table}; INSERT INTO main.person SELECT * FROM pool.person; COMMIT"
    ))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn compare_sqlite(pool: &Path, requester: &Path) -> anyhow::Result<()> {
    let connection = Connection::open(requester)?;
    let attach = "ATTACH ?1 AS pool";
    connection.execute(attach, [pool.to_str().context("a path is text")?])?;
    let differing: i64 = connection.query_row(
        "SELECT abs((SELECT count(*) FROM main.person) - (SELECT count(*) FROM pool.person)) \
         + (SELECT count(*) FROM (SELECT * FROM pool.person EXCEPT SELECT * FROM main.person))",
        [],
        |row| row.get(0),
    )?;
    ensure!(
        differing == 0,
        "{differing} rows differ in the SQLite files"
    );
    Ok(())
}

fn remove_sqlite(path: &Path) -> anyhow::Result<()> {
    fs::remove_file(path)?;
    for ending in ["-wal", "-shm"] {
        let beside = path.with_file_name(format!("requester.db{ending}"));
        if beside.exists() {
            fs::remove_file(beside)?;
        }
    }
    Ok(())
}
