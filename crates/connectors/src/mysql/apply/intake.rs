//! How rows get to the server: one LOAD DATA that is fed as they come, or, where the server takes none, many inserts.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mysql_async::prelude::Queryable;
use mysql_async::{InfileData, Params, Row, ServerError};
use tokio::sync::mpsc;

use super::super::said_failure;
use super::Applying;
use super::encode::{Bound, Encoder, Lines, Output as _};
use crate::text::joined;
use crate::{BatchStream, ConnectorError, Result};

/// Chunks that may wait for the socket.
const CHUNKS_WAITING_MAX: usize = 2;

/// How the server takes many rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Load,
    Inserts,
}

impl Applying {
    /// Sends the changes into `table`, within the transaction that has been begun.
    pub(super) async fn take_in(
        &mut self,
        table: &str,
        encoder: &mut Encoder,
        changes: BatchStream,
    ) -> Result<()> {
        match self.way(table, encoder).await? {
            Way::Load => self.load(table, encoder, changes).await,
            Way::Inserts => self.insert(table, encoder, changes).await,
        }
    }

    /// Asks by loading nothing: the server, or what stands before it, may refuse files of clients.
    async fn way(&mut self, table: &str, encoder: &Encoder) -> Result<Way> {
        let sql = "SHOW VARIABLES WHERE Variable_name IN \
                   ('version', 'version_comment', 'wsrep_load_data_splitting')";
        let set = self
            .session
            .rows(sql, (), "look at its settings", table)
            .await?;
        let text = |row: &Row, place| row.get::<String, _>(place).unwrap_or_default();
        if set
            .iter()
            .any(|row| loads_in_parts(&text(row, 0), &text(row, 1)))
        {
            return Ok(Way::Inserts);
        }
        self.session.conn.set_infile_handler(nothing());
        match self.session.conn.query_drop(encoder.load(table)).await {
            Ok(()) => Ok(Way::Load),
            Err(mysql_async::Error::Server(_)) => Ok(Way::Inserts),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &mysql_async::Error) -> ConnectorError {
        let table = &self.plan.table;
        self.session.failure("take in the rows", table, error)
    }

    async fn load(
        &mut self,
        table: &str,
        encoder: &mut Encoder,
        changes: BatchStream,
    ) -> Result<()> {
        let (sender, receiver) = mpsc::channel(CHUNKS_WAITING_MAX);
        self.session.conn.set_infile_handler(chunks(receiver));
        let statement = encoder.load(table);
        let conn = &mut self.session.conn;
        let loading = async {
            let loaded = conn.query_drop(statement).await;
            // A server that never asked for the rows has left them with the connection, and who writes them waiting.
            conn.set_infile_handler(nothing());
            loaded
        };
        let (loaded, fed) = tokio::join!(loading, feed(encoder, changes, sender));
        // What the server took of changes that broke off is undone with the transaction.
        fed?;
        loaded.map_err(|error| self.failed(&error))?;
        self.check_loaded(encoder).await
    }

    /// LOAD DATA of a client's file leaves out rows and changes values where an INSERT would fail, and warns.
    async fn check_loaded(&mut self, encoder: &Encoder) -> Result<()> {
        let conn = &self.session.conn;
        let left_out = encoder.sent().saturating_sub(conn.affected_rows());
        if conn.get_warnings() == 0 && left_out == 0 {
            return Ok(());
        }
        let warnings = "SHOW WARNINGS";
        let table = self.plan.table.clone();
        let warnings = self
            .session
            .conn
            .query::<(String, u16, String), _>(warnings)
            .await;
        let warnings = warnings.map_err(|error| self.failed(&error))?;
        let said = warnings.into_iter().map(|(_, code, message)| ServerError {
            code,
            message,
            state: String::new(),
        });
        let mut meant = said.map(|said| {
            said_failure(
                self.session.store.clone(),
                "take in the rows",
                &table,
                &said,
            )
        });
        // Duplicates come as one warning each, of which the server keeps few.
        Err(match meant.next() {
            Some(ConnectorError::KeyDuplicates { table, .. }) => ConnectorError::KeyDuplicates {
                table,
                duplicates: left_out,
            },
            Some(other) => other,
            None => {
                let reason = format!("the server left out {left_out} row(s) without a reason");
                ConnectorError::Stopped { reason }
            }
        })
    }

    async fn insert(
        &mut self,
        table: &str,
        encoder: &mut Encoder,
        mut changes: BatchStream,
    ) -> Result<()> {
        let mut bound = Bound::new(encoder.width());
        while let Some(batch) = changes.next().await {
            let batch = batch?;
            let mut next = encoder.encode(&batch, 0, &mut bound)?;
            loop {
                if bound.is_full() {
                    self.insert_bound(table, encoder, &mut bound).await?;
                }
                if next >= batch.num_rows() {
                    break;
                }
                next = encoder.encode(&batch, next, &mut bound)?;
            }
        }
        self.insert_bound(table, encoder, &mut bound).await
    }

    async fn insert_bound(
        &mut self,
        table: &str,
        encoder: &Encoder,
        bound: &mut Bound,
    ) -> Result<()> {
        let (rows, values) = bound.take();
        if rows == 0 {
            return Ok(());
        }
        let row = format!("({})", joined(0..encoder.width(), ",", |_| "?".to_owned()));
        let rows = joined(0..rows, ",", |_| row.clone());
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {rows}",
            super::super::quoted_table(table),
            encoder.names()
        );
        let values = Params::Positional(values);
        self.session
            .execute(&sql, values, "take in the rows", &self.plan.table)
            .await
            .map(drop)
    }
}

/// Whether a variable of the server tells that LOAD DATA makes its rows last part by part, whatever transaction has
/// been begun: clusters may be set to do so, and some databases that speak MySQL's protocol always do.
fn loads_in_parts(variable: &str, value: &str) -> bool {
    let value = value.to_lowercase();
    match variable {
        "wsrep_load_data_splitting" => value != "off",
        _ => value.contains("tidb") || value.contains("oceanbase"),
    }
}

/// A file without rows.
async fn nothing() -> mysql_async::Result<InfileData> {
    Ok(stream::empty().boxed())
}

/// A file of what is sent.
async fn chunks(receiver: mpsc::Receiver<Bytes>) -> mysql_async::Result<InfileData> {
    let next = |mut receiver: mpsc::Receiver<Bytes>| async move {
        receiver.recv().await.map(|chunk| (Ok(chunk), receiver))
    };
    Ok(stream::unfold(receiver, next).boxed())
}

/// Writes the changes down for the driver.
async fn feed(
    encoder: &mut Encoder,
    mut changes: BatchStream,
    sender: mpsc::Sender<Bytes>,
) -> Result<()> {
    let mut lines = Lines::default();
    loop {
        // A refusal of the server is told at once, even if the stream would make us wait.
        let batch = tokio::select! {
            biased;
            () = sender.closed() => return Ok(()),
            batch = changes.next() => batch,
        };
        let Some(batch) = batch else { break };
        let batch = batch?;
        let mut next = 0;
        loop {
            next = encoder.encode(&batch, next, &mut lines)?;
            if lines.is_full() && give(&mut lines, &sender).await.is_err() {
                return Ok(());
            }
            if next >= batch.num_rows() {
                break;
            }
        }
    }
    let _ = give(&mut lines, &sender).await;
    Ok(())
}

/// Hands on what has been gathered, in pieces that every server takes.
async fn give(
    lines: &mut Lines,
    sender: &mpsc::Sender<Bytes>,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    let mut rest = Bytes::from(lines.take());
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(Lines::PIECE_BYTES));
        sender.send(piece).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_load_in_parts_are_known() {
        for (variable, value) in [
            ("version", "8.0.11-TiDB-v7.5.1"),
            ("version", "5.7.25-OceanBase-v4.2.1.8"),
            (
                "version_comment",
                "OceanBase_CE 4.3.0 (r1) (Built Mar 1 2024)",
            ),
            ("wsrep_load_data_splitting", "ON"),
        ] {
            assert!(loads_in_parts(variable, value), "{value}");
        }
        for (variable, value) in [
            ("version", "10.11.19-MariaDB-0+deb12u1"),
            ("version", "8.4.3"),
            ("version_comment", "MySQL Community Server - GPL"),
            ("wsrep_load_data_splitting", "OFF"),
        ] {
            assert!(!loads_in_parts(variable, value), "{value}");
        }
    }
}
