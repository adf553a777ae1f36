//! Exchange stores and runs.

use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::{TestApp, nothing};

/// A department's exchange store: a SQLite file that the test fills and reads on its own.
pub struct ExchangeDb {
    path: PathBuf,
}

impl ExchangeDb {
    /// The store at `path`; the file comes with the first statement.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The address to register.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs statements.
    pub fn sql(&self, sql: &str) {
        self.connection()
            .execute_batch(sql)
            .unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    /// Rows as texts, NULL as `-`.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).map(|n| Ok(text_of(row.get_ref(n)?))).collect()
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        self.connection()
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }

    fn connection(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        connection
    }
}

fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(n) => n.to_string(),
        ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
        ValueRef::Blob(b) => format!("{} bytes", b.len()),
    }
}

/// Statements for a table `division_village` of `rows` invented villages, every second one in province 41.
pub fn village_rows(rows: u32) -> String {
    format!(
        "CREATE TABLE division_village (code VARCHAR(12) NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL, \
         parent_code VARCHAR(9) NOT NULL, phone VARCHAR(20), households BIGINT); {}",
        more_villages(0, rows)
    )
}

/// A statement for villages numbered from `first`.
pub fn more_villages(first: u32, rows: u32) -> String {
    format!(
        "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {}) \
         INSERT INTO division_village SELECT \
         CASE i % 2 WHEN 0 THEN '41' ELSE '42' END || '0402' || printf('%06d', i), \
         '第' || i || '村', CASE i % 2 WHEN 0 THEN '41' ELSE '42' END || '0402' || printf('%03d', i / 1000), \
         CASE WHEN i % 7 = 0 THEN NULL ELSE '138' || printf('%08d', i) END, i % 900 FROM n;",
        first + rows
    )
}

/// A run as the API shows it.
pub struct Run(pub Value);

impl Run {
    /// `read delivered unchanged out_of_scope quarantined / inserted updated deleted`, if they add up.
    #[track_caller]
    pub fn counts(&self) -> String {
        let counts = &self.0["counts"];
        assert_eq!(counts["adds_up"], true, "{counts}");
        let n = |name: &str| counts[name].as_u64().unwrap();
        assert_eq!(
            n("read"),
            n("delivered") + n("unchanged") + n("out_of_scope") + n("quarantined"),
            "{counts}"
        );
        format!(
            "{} read, {} delivered, {} unchanged, {} out of scope, {} quarantined; +{} ~{} -{}",
            n("read"),
            n("delivered"),
            n("unchanged"),
            n("out_of_scope"),
            n("quarantined"),
            n("inserted"),
            n("updated"),
            n("deleted")
        )
    }

    pub fn state(&self) -> &str {
        self.0["state"].as_str().unwrap()
    }

    pub fn id(&self) -> &str {
        self.0["run_id"].as_str().unwrap()
    }
}

impl TestApp {
    /// The exchange store of a department, registered when it is first needed.
    pub async fn store(&self, department: &str) -> ExchangeDb {
        let db = ExchangeDb::at(&self.dir().join("stores").join(format!("{department}.db")));
        if !self.known.lock().await.stores.contains_key(department) {
            db.sql("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS kept_apart (n INTEGER PRIMARY KEY)");
            self.register_store(department, &db.url()).await;
        }
        db
    }

    /// Registers an exchange store under the department's name; gives its id.
    pub async fn register_store(&self, department: &str, url: &str) -> String {
        let department_id = self.department(department).await;
        let body = json!({ "department_id": department_id, "name": format!("{department}前置库"), "url": url });
        let made = self.as_person("admin").post("/stores", body).await.ok();
        let id = made["id"].as_str().unwrap().to_owned();
        self.known
            .lock()
            .await
            .stores
            .insert(department.to_owned(), id.clone());
        id
    }

    /// The id of a department's exchange store.
    pub async fn store_id(&self, department: &str) -> String {
        self.store(department).await;
        self.known.lock().await.stores[department].clone()
    }

    /// Mounts an entry of the statistics bureau to a table and waits until it is collected.
    pub async fn mount(&self, entry_id: &str, table: &str) -> Value {
        let store_id = self.store_id("stats").await;
        self.mount_from(entry_id, &store_id, table).await
    }

    /// The same with a table of a certain store of the bureau.
    pub async fn mount_from(&self, entry_id: &str, store_id: &str, table: &str) -> Value {
        let body = json!({ "store_id": store_id, "table": table });
        let mounted = self
            .as_person("stats")
            .put(&format!("/catalogue/entries/{entry_id}/mounting"), body)
            .await
            .ok();
        self.idle().await;
        mounted
    }

    /// Runs of an entry of one kind, newest first, as the operator sees them.
    pub async fn runs(&self, entry_id: &str, kind: &str) -> Vec<Value> {
        let runs = self
            .as_person("operator")
            .get(&format!("/runs?entry_id={entry_id}&size=100"))
            .await
            .ok();
        runs["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["kind"] == kind)
            .cloned()
            .collect()
    }

    /// The newest run of an entry of one kind in full, as `person` sees it.
    pub async fn last_run(&self, person: &str, entry_id: &str, kind: &str) -> Run {
        let runs = self.runs(entry_id, kind).await;
        let id = runs.first().unwrap_or_else(|| panic!("no {kind} yet"))["run_id"]
            .as_str()
            .unwrap()
            .to_owned();
        Run(self
            .as_person(person)
            .get(&format!("/runs/{id}"))
            .await
            .ok())
    }

    /// The operator opens the delivery of a request; waits until the rows have arrived.
    pub async fn deliver(&self, request_id: &str) -> Value {
        let path = format!("/requests/{request_id}/delivery");
        let opened = self.as_person("operator").post(&path, nothing()).await.ok();
        self.idle().await;
        opened
    }

    /// Runs a subscription again; waits until it is done.
    pub async fn run_again(&self, subscription_id: &str) {
        let path = format!("/subscriptions/{subscription_id}/runs");
        self.as_person("operator").post(&path, nothing()).await.ok();
        self.idle().await;
    }
}
