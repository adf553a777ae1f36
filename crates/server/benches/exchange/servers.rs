//! The two servers, and what PostgreSQL's own tools do on them.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

/// Addresses that end in `/`, each with an account that may create databases.
pub struct Servers {
    pub source: String,
    pub target: String,
}

impl Servers {
    pub fn from_environment() -> anyhow::Result<Self> {
        let address = |name: &str| {
            std::env::var(name).with_context(|| {
                format!("{name} isn't set: `cargo xtask bench exchange` starts the servers")
            })
        };
        Ok(Self {
            source: address("TONGQU_BENCH_SOURCE")?,
            target: address("TONGQU_BENCH_TARGET")?,
        })
    }

    /// The provider's store.
    pub fn provider(&self) -> String {
        format!("{}provider", self.source)
    }

    /// The pool.
    pub fn pool(&self) -> String {
        format!("{}pool", self.source)
    }

    /// The requester's store.
    pub fn requester(&self) -> String {
        format!("{}requester", self.target)
    }

    /// The databases, empty.
    pub fn create_databases(&self) -> anyhow::Result<()> {
        for (server, name) in [
            (&self.source, "provider"),
            (&self.source, "pool"),
            (&self.target, "requester"),
        ] {
            self.sql(
                &format!("{server}tongqu"),
                &format!("CREATE DATABASE {name}"),
            )?;
        }
        Ok(())
    }

    /// Empties a database of all its tables.
    pub fn clear(&self, database: &str) -> anyhow::Result<()> {
        self.sql(database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    }

    /// Lets both servers write down what waits in memory, so that nothing measured pays for what was before.
    pub fn settle(&self) -> anyhow::Result<()> {
        self.sql(&self.provider(), "CHECKPOINT")?;
        self.sql(&self.requester(), "CHECKPOINT")
    }

    /// As [`Servers::settle`], whichever databases there are.
    pub fn settle_both(&self) -> anyhow::Result<()> {
        for server in [&self.source, &self.target] {
            self.sql(&format!("{server}tongqu"), "CHECKPOINT")?;
        }
        Ok(())
    }

    /// Runs statements.
    #[expect(clippy::unused_self, reason = "statements belong to the servers")]
    pub fn sql(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        let mut child = Command::new("psql")
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                database,
                "-f",
                "-",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("can't start psql")?;
        let mut input = child.stdin.take().context("psql has an input")?;
        input.write_all(sql.as_bytes())?;
        drop(input);
        if !child.wait()?.success() {
            bail!("psql refused: {}", sql.lines().next().unwrap_or_default());
        }
        Ok(())
    }

    /// The only value of a query's only row, as text.
    #[expect(clippy::unused_self, reason = "queries belong to the servers")]
    pub fn value(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let output = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-d", database, "-c", sql])
            .output()
            .context("can't start psql")?;
        if !output.status.success() {
            bail!("psql refused {sql}");
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Fills the provider's table from a file of COPY's text form.
    pub fn load(&self, file: &Path) -> anyhow::Result<()> {
        let sql = format!("\\copy person from '{}'\nANALYZE person;\n", file.display());
        self.sql(&self.provider(), &sql)
    }

    /// The shortest pipe: `psql COPY TO | psql COPY FROM`, binary. Gives the seconds it took.
    pub fn raw_pipe(&self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut from = Command::new("psql")
            .args(["-X", "-q", "-d", &self.provider()])
            .args(["-c", "COPY person TO STDOUT (FORMAT binary)"])
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start psql")?;
        let pipe = from.stdout.take().context("psql has an output")?;
        let into = Command::new("psql")
            .args(["-X", "-q", "-d", &self.requester()])
            .args(["-c", "COPY person FROM STDIN (FORMAT binary)"])
            .stdin(pipe)
            .status()
            .context("can't start psql")?;
        if !from.wait()?.success() || !into.success() {
            bail!("the raw pipe broke");
        }
        Ok(begun.elapsed().as_secs_f64())
    }
}

/// A file of people in COPY's text form, with `zone` behind each time.
pub fn write_people(
    file: &Path,
    people: &mut crate::person::People,
    rows: u64,
    zone: &str,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    crate::person::write_rows(&mut out, people, rows, zone)?;
    out.flush()?;
    Ok(())
}
