//! What the catalogue tells the list, as part of the write in which it happens. Spec: YC-13.1, YC-14.2, LY-9.1.

use tongqu_domain::{
    catalogue::DataItem,
    ids::{DepartmentId, EntryId},
    responsibility::{ListedItem, changes},
};

use super::store::{self, Line, NewVersion};
use crate::platform::{
    db::{DbError, Tx},
    evidence::Entry,
};

/// An entry as it is published.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    pub entry_id: &'a EntryId,
    /// The version that readers see from now on.
    pub version_no: u32,
    pub name: &'a str,
    /// Who is responsible for its items.
    pub department_id: &'a DepartmentId,
    pub items: &'a [DataItem],
}

/// Brings the lines of an entry up to what is published, and gives the list its next version. What is
/// returned belongs into the evidence of the write.
pub async fn published(tx: &mut Tx, entry: Published<'_>) -> Result<Entry, DbError> {
    let before = store::lines_of(tx, entry.entry_id).await?;
    let items: Vec<ListedItem> = entry.items.iter().map(ListedItem::of).collect();
    let lines: Vec<ListedItem> = before.iter().map(|line| line.item.clone()).collect();
    let changed = changes(&lines, &items);
    let version = NewVersion {
        kind: "published",
        entry: Some((entry.entry_id, entry.version_no)),
        name: entry.name,
        added: changed.added.len(),
        removed: changed.removed.len(),
    };
    let no = store::begin_version(tx, &version).await?;
    for code in &changed.removed {
        store::end_line(tx, entry.entry_id, code, no).await?;
    }
    let added: Vec<Line> = changed
        .added
        .into_iter()
        .map(|item| Line {
            // Data that are there under the same code stay there when the item gets another name.
            delivered_at: before
                .iter()
                .find(|line| line.item.code == item.code)
                .and_then(|line| line.delivered_at),
            item,
        })
        .collect();
    store::begin_lines(tx, entry.entry_id, entry.department_id, no, &added).await?;
    for line in &before {
        let gone = changed.removed.contains(&line.item.code);
        if let (true, Some(name)) = (gone, line.item.contested_name()) {
            store::end_void_settlement(tx, &name, no).await?;
        }
    }
    Ok(Entry::by_platform("responsibility.changed")
        .on("responsibility", no)
        .with("no", no)
        .with("entry_id", entry.entry_id.as_str())
        .with("department_id", entry.department_id.as_str())
        .with("added", added.len())
        .with("removed", changed.removed.len()))
}

/// Notes that the data of these items have arrived on the platform. Does nothing for those of which that is
/// known. Spec: YC-13.2.
pub async fn delivered(tx: &mut Tx, entry_id: &EntryId, items: &[&str]) -> Result<(), DbError> {
    let waiting = store::undelivered(tx, entry_id).await?;
    for code in waiting {
        if items.contains(&code.as_str()) {
            store::deliver(tx, entry_id, &code).await?;
        }
    }
    Ok(())
}

/// Notes that an entry is bound to other data, of which nothing has arrived yet.
pub async fn begin_anew(tx: &mut Tx, entry_id: &EntryId) -> Result<(), DbError> {
    store::undeliver(tx, entry_id).await
}
