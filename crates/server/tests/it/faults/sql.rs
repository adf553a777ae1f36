//! SQL of the suite's own, past the platform and its connectors.

use mysql_async::prelude::Queryable as _;
use tokio_postgres::SimpleQueryMessage;

/// A connection to either engine.
pub enum Session {
    Postgres(tokio_postgres::Client),
    Maria(mysql_async::Conn),
}

/// Rows as texts, NULL as `-`.
pub type Rows = Vec<Vec<String>>;

impl Session {
    /// Errors: the server's words, as with everything here.
    pub async fn open(url: &str) -> Result<Self, String> {
        if url.starts_with("mysql:") {
            let options = mysql_async::Opts::from_url(url).unwrap();
            let connected = mysql_async::Conn::new(options).await;
            return connected.map(Self::Maria).map_err(|e| e.to_string());
        }
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|e| e.to_string())?;
        // It ends with the client, or with the server.
        drop(tokio::spawn(connection));
        Ok(Self::Postgres(client))
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Runs one statement.
    pub async fn run(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Self::Postgres(client) => client.batch_execute(sql).await.map_err(|e| e.to_string()),
            Self::Maria(conn) => conn.query_drop(sql).await.map_err(|e| e.to_string()),
        }
    }

    /// All rows of a query.
    pub async fn rows(&mut self, sql: &str) -> Result<Rows, String> {
        match self {
            Self::Postgres(client) => {
                let messages = client.simple_query(sql).await.map_err(|e| e.to_string())?;
                let rows = messages.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => {
                        let cell = |n| row.get(n).unwrap_or("-").to_owned();
                        Some((0..row.len()).map(cell).collect())
                    }
                    _ => None,
                });
                Ok(rows.collect())
            }
            Self::Maria(conn) => {
                let rows: Vec<mysql_async::Row> =
                    conn.query(sql).await.map_err(|e| e.to_string())?;
                Ok(rows.into_iter().map(texts).collect())
            }
        }
    }
}

fn texts(row: mysql_async::Row) -> Vec<String> {
    let values = row.unwrap().into_iter();
    values
        .map(|value| match value {
            mysql_async::Value::NULL => "-".to_owned(),
            mysql_async::Value::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            other => other.as_sql(true),
        })
        .collect()
}

/// Rows of a query over a connection of their own.
pub async fn rows(url: &str, sql: &str) -> Rows {
    let mut session = Session::open(url).await.unwrap();
    let rows = session.rows(sql).await;
    rows.unwrap_or_else(|error| panic!("{error}: {sql}"))
}

/// The one number that a query gives, over a connection of its own.
pub async fn number(url: &str, sql: &str) -> i64 {
    rows(url, sql).await[0][0].parse().unwrap()
}

/// Runs a statement over a connection of its own.
pub async fn run(url: &str, sql: &str) {
    let mut session = Session::open(url).await.unwrap();
    let done = session.run(sql).await;
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Runs a statement that others may be in the way of, until it is done.
pub async fn until_done(url: &str, sql: &str) {
    let mut session = Session::open(url).await.unwrap();
    for _ in 0..50 {
        match session.run(sql).await {
            Ok(()) => return,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("others were always in the way of {sql}");
}
