//! The ledger, when everything is closed.

use std::path::Path;

use anyhow::ensure;
use serde_json::json;

use super::told::Told;
use crate::platform::ledger;

/// Checks the ledger when everything is closed: whole as it is, and not whole with one byte changed.
pub(super) async fn prove(data: &Path, told: &mut Told) -> anyhow::Result<()> {
    told.step("ledger.whole", async {
        let report = ledger::verify(&data.join("ledger"), None)?;
        ensure!(
            report.is_whole(),
            "the ledger isn't whole: {:?}",
            report.faults.first()
        );
        ensure!(
            report.unsigned_records == 0 && report.heads > 0,
            "{} records aren't signed for",
            report.unsigned_records
        );
        Ok(json!({ "records": report.records, "heads": report.heads, "root": report.root }))
    })
    .await?;
    told.step("ledger.one_byte_changed_is_named", async {
        let copy = data.join("ledger-changed");
        std::fs::create_dir_all(&copy)?;
        for file in std::fs::read_dir(data.join("ledger"))? {
            let file = file?;
            std::fs::copy(file.path(), copy.join(file.file_name()))?;
        }
        let path = copy.join("records-000001.log");
        let mut bytes = std::fs::read(&path)?;
        let at = bytes.len() / 2;
        let record = bytes[..at].split(|b| *b == b'\n').count() - 1;
        bytes[at] ^= 1;
        std::fs::write(&path, bytes)?;
        let report = ledger::verify(&copy, None)?;
        std::fs::remove_dir_all(&copy)?;
        let place = format!("record {record}");
        ensure!(
            report.faults.iter().any(|f| f.place == place),
            "{place} isn't named: {:?}",
            report.faults
        );
        Ok(json!({ "named": place }))
    })
    .await?;
    Ok(())
}
