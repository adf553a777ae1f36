//! Any database that has an ODBC driver, through the driver manager of this machine (unixODBC).
//!
//! Drivers convert values in ways of their own, so as little as possible is left to them: what a dialect knows is cast
//! to text by the database itself and read here, digit by digit, and written the same way. What differs between the
//! databases stands in [`dialect`]; a database that has none there can be read, but isn't written to.
//!
//! The interface blocks, so work runs on threads that may block, each call on a connection of its own.

mod apply;
mod catalog;
mod dialect;
mod fetch;
mod read;
mod session;
mod value;

use async_trait::async_trait;

use self::session::{Access, Session};
use crate::store::CURSOR_TABLE;
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ConnectorError, KeyCheck, Query, Result, Store,
    TableInfo,
};

#[derive(Debug)]
pub(crate) struct OdbcStore {
    address: Address,
}

/// Where a store lies, for use on threads of its own.
#[derive(Debug, Clone)]
struct Place {
    address: Address,
}

impl OdbcStore {
    pub(crate) fn new(address: Address) -> Self {
        Self { address }
    }

    fn place(&self) -> Place {
        Place {
            address: self.address.clone(),
        }
    }

    /// Runs `work` with a connection, on a thread that may block.
    async fn with_session<T, F>(&self, access: Access, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Session) -> Result<T> + Send + 'static,
    {
        let place = self.place();
        on_thread(&self.place(), move || work(&Session::open(&place, access)?)).await
    }
}

/// Runs `work` on a thread that may block.
async fn on_thread<T, F>(place: &Place, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // A driver may fail in ways that its interface has no answer for.
        Err(_) => Err(ConnectorError::Interrupted {
            store: place.shown(),
        }),
    }
}

impl Place {
    fn shown(&self) -> String {
        self.address.to_string()
    }
}

#[async_trait]
impl Store for OdbcStore {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn ping(&self) -> Result<()> {
        self.with_session(Access::Read, |_| Ok(())).await
    }

    async fn tables(&self) -> Result<Vec<String>> {
        self.with_session(Access::Read, catalog::tables).await
    }

    async fn discover(&self, table: &str) -> Result<TableInfo> {
        let table = table.to_owned();
        self.with_session(Access::Read, move |session| {
            catalog::discover(session, &table)
        })
        .await
    }

    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck> {
        let (table, key) = (table.to_owned(), key.to_vec());
        self.with_session(Access::Read, move |session| {
            catalog::check_key(session, &table, &key)
        })
        .await
    }

    async fn read(&self, query: Query) -> Result<BatchStream> {
        read::read(self.place(), query).await
    }

    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
        apply::apply(self.place(), plan, changes).await
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        let consumer = consumer.to_owned();
        self.with_session(Access::Read, move |session| session.cursor(&consumer))
            .await
    }

    async fn drop_consumer(&self, consumer: &str) -> Result<()> {
        let consumer = consumer.to_owned();
        self.with_session(Access::Write, move |session| {
            if catalog::find_table(session, CURSOR_TABLE)?.is_none() {
                return Ok(());
            }
            let name = session.text_param(&consumer)?;
            let table = session.quoted(CURSOR_TABLE);
            let sql = format!(
                "DELETE FROM {table} WHERE {} = {}",
                session.quoted("consumer"),
                name.place
            );
            session
                .change(&sql, vec![name.cell], "drop a cursor", CURSOR_TABLE)
                .map(drop)
        })
        .await
    }
}
