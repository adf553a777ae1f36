//! The MariaDB server, and what its own client does on it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// The table of [`crate::person::POSTGRES`] in the words of MariaDB, its texts compared bytewise.
pub const PERSON: &str = "CREATE TABLE person (id_card char(18) PRIMARY KEY, name varchar(40) NOT NULL, \
     sex smallint, birth date, ethnicity varchar(20), address varchar(100), phone varchar(20), marital smallint, \
     household_id bigint, income decimal(12,2), updated_at timestamp(6) NOT NULL DEFAULT '1970-01-01 00:00:01', \
     remark longtext) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin";

/// A server's address that ends in `/`, with an account that may create databases.
pub struct MariaDb {
    address: String,
    user: String,
    password: String,
    host: String,
    port: String,
}

impl MariaDb {
    pub fn from_environment() -> anyhow::Result<Self> {
        let address = std::env::var("TONGQU_BENCH_MARIADB").context(
            "TONGQU_BENCH_MARIADB isn't set: `cargo xtask bench exchange` starts the servers",
        )?;
        let parts = || {
            let rest = address.strip_prefix("mysql://")?.strip_suffix('/')?;
            let (login, place) = rest.rsplit_once('@')?;
            Some((login.split_once(':')?, place.rsplit_once(':')?))
        };
        let ((user, password), (host, port)) = parts().context("TONGQU_BENCH_MARIADB is unfit")?;
        let [user, password, host, port] = [user, password, host, port].map(str::to_owned);
        Ok(Self {
            address,
            user,
            password,
            host,
            port,
        })
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("{}{database}", self.address)
    }

    fn client(&self, database: &str) -> Command {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--default-character-set=utf8mb4"])
            .args(["--local-infile=1", "--batch", "--skip-column-names"])
            .arg(format!("--user={}", self.user))
            .arg(format!("--host={}", self.host))
            .arg(format!("--port={}", self.port))
            .arg("--init-command=SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'")
            .arg(format!("--database={database}"))
            .env("MYSQL_PWD", &self.password);
        client
    }

    /// Makes a database anew, with nothing in it.
    pub fn clear(&self, database: &str) -> anyhow::Result<()> {
        let sql = format!(
            "DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4"
        );
        self.value("information_schema", &sql).map(drop)
    }

    /// Runs statements, and gives back what they tell.
    pub fn value(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let mut client = self.client(database);
        let mut child = client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start mariadb")?;
        let mut input = child.stdin.take().context("mariadb has an input")?;
        input.write_all(sql.as_bytes())?;
        drop(input);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("mariadb refused {sql}");
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Fills the table of people from a file of the text form.
    pub fn load(&self, database: &str, file: &Path) -> anyhow::Result<()> {
        let sql = format!(
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE person CHARACTER SET utf8mb4",
            file.display()
        );
        self.value(database, &sql).map(drop)
    }

    /// Writes the table of people into a file, in the text form that COPY reads. The client's own way of writing
    /// can't tell NULL from the text of that name, so the query spells both.
    pub fn write(&self, database: &str, file: &Path) -> anyhow::Result<()> {
        let nullable = |column: &str| format!("IFNULL({column}, '\\\\N')");
        let escaped = [
            ("\\\\", "\\\\\\\\"),
            ("\\t", "\\\\t"),
            ("\\n", "\\\\n"),
            ("\\r", "\\\\r"),
        ]
        .iter()
        .fold("remark".to_owned(), |text, (from, to)| {
            format!("REPLACE({text}, '{from}', '{to}')")
        });
        let sql = format!(
            "SELECT id_card, name, {}, {}, {}, {}, {}, {}, {}, {}, updated_at, {} FROM person",
            nullable("sex"),
            nullable("birth"),
            nullable("ethnicity"),
            nullable("address"),
            nullable("phone"),
            nullable("marital"),
            nullable("household_id"),
            nullable("income"),
            nullable(&escaped)
        );
        let status = self
            .client(database)
            .args(["--raw", "--quick", "--execute", &sql])
            .stdout(File::create(file)?)
            .status()
            .context("can't start mariadb")?;
        if !status.success() {
            bail!("mariadb didn't write its rows");
        }
        Ok(())
    }
}
