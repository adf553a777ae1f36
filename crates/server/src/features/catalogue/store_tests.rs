//! Entries and versions: saved against what was read, listed in pages, one active version at a time.

use tongqu_domain::{
    catalogue::{
        Contact, DataItem, DataType, EntryContent, ResourceFormat, Sensitivity, UpdateCycle,
        VersionState,
    },
    exchange::{Column, ColumnType},
    ids::{DepartmentId, EntryId, MountingId, PersonId, StoreId, VersionId},
};

use super::{
    mount::{ItemColumn, Mounting},
    store::{self, Import},
};
use crate::platform::db::{
    DbError,
    testing::{Bench, PARTIES, commit, monday, store_suite},
};

store_suite!(
    an_entry_gets_the_next_code_of_its_class,
    of_two_savings_of_a_state_the_second_is_stale,
    the_active_version_is_the_one_that_was_activated,
    only_the_newest_version_of_each_entry_is_listed,
    a_mounting_with_other_columns_begins_anew,
    an_import_is_found_again,
);

fn dep(id: &str) -> DepartmentId {
    DepartmentId::parse(id).unwrap()
}

fn person() -> PersonId {
    PersonId::parse("per-a").unwrap()
}

fn content(name: &str, class_code: &str) -> EntryContent {
    let contact = || Contact {
        name: "王".to_owned(),
        phone: "0375-1".to_owned(),
    };
    EntryContent {
        name: name.to_owned(),
        class_code: class_code.to_owned(),
        summary: "摘要".to_owned(),
        format: ResourceFormat::Database,
        sharing_class: "unconditional".to_owned(),
        sharing_condition: None,
        legal_basis: None,
        modes: vec!["table".to_owned()],
        open: false,
        open_condition: None,
        update_cycle: UpdateCycle::Yearly,
        grade: 1,
        source_system: None,
        base_library: None,
        authorising_contact: contact(),
        technical_contact: contact(),
        related_codes: Vec::new(),
        declared_unclassified: true,
        recipients: Vec::new(),
        purposes: Vec::new(),
        theme: None,
        items: vec![DataItem {
            name: "代码".to_owned(),
            code: "code".to_owned(),
            data_type: DataType::Text,
            length: Some(12),
            scale: None,
            nullable: false,
            key: true,
            sensitivity: Sensitivity::General,
            mask: None,
            check: None,
            standard: None,
        }],
    }
}

/// An entry with a first version in draft.
async fn entered(bench: &Bench, department: &str, name: &str) -> (EntryId, VersionId) {
    let mut tx = bench.begin().await;
    let content = content(name, "307001");
    let entry = store::insert_entry(&mut tx, &dep(department), &content)
        .await
        .unwrap();
    let version = store::insert_version(&mut tx, &entry.id, 1, &content, &VersionState::Draft)
        .await
        .unwrap();
    commit(tx).await;
    (entry.id, version)
}

fn submitted() -> VersionState {
    VersionState::Draft.submit(monday(), person()).unwrap()
}

async fn an_entry_gets_the_next_code_of_its_class(bench: Bench) {
    bench.sql(PARTIES).await;
    let mut tx = bench.begin().await;
    let mut codes = Vec::new();
    for (department, name, class) in [
        ("dep-a", "甲", "307001"),
        ("dep-b", "甲", "307001"),
        ("dep-a", "乙", "307002"),
        ("dep-a", "丙", "307001"),
    ] {
        let entry = store::insert_entry(&mut tx, &dep(department), &content(name, class))
            .await
            .unwrap();
        codes.push(entry.code.to_string());
    }
    assert_eq!(codes, ["307001/1", "307001/2", "307002/1", "307001/3"]);
    commit(tx).await;
    let mut tx = bench.begin().await;
    let again = store::insert_entry(&mut tx, &dep("dep-a"), &content("甲", "307001")).await;
    assert!(
        again.unwrap_err().is_unique_violation(),
        "a department has one entry of a name"
    );
    drop(tx);
    let found = store::find_entry_by_name(&mut *bench.read().await, &dep("dep-b"), "甲")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.code.to_string().as_str(), found.active_no),
        ("307001/2", None)
    );
}

async fn of_two_savings_of_a_state_the_second_is_stale(bench: Bench) {
    bench.sql(PARTIES).await;
    let (_, id) = entered(&bench, "dep-a", "甲").await;
    let before = store::find_listed(&mut *bench.read().await, &id)
        .await
        .unwrap()
        .unwrap()
        .version;
    let mut tx = bench.begin().await;
    store::save_state(&mut tx, &before, &submitted(), Some(&person()))
        .await
        .unwrap();
    commit(tx).await;
    let mut tx = bench.begin().await;
    let late = store::save_state(&mut tx, &before, &submitted(), Some(&person())).await;
    assert!(matches!(late, Err(DbError::Stale)));
    let late = store::replace_content(
        &mut tx,
        &before,
        &content("甲", "307001"),
        &VersionState::Draft,
    )
    .await;
    assert!(matches!(late, Err(DbError::Stale)));
    drop(tx);
    let after = store::find_listed(&mut *bench.read().await, &id)
        .await
        .unwrap()
        .unwrap()
        .version;
    assert_eq!(
        (&after.state, after.submitted_by),
        (&submitted(), Some(person()))
    );
}

async fn the_active_version_is_the_one_that_was_activated(bench: Bench) {
    bench.sql(PARTIES).await;
    let (entry_id, first) = entered(&bench, "dep-a", "甲").await;
    assert!(
        store::active_items(&mut *bench.read().await, &entry_id)
            .await
            .unwrap()
            .is_empty()
    );
    let mut tx = bench.begin().await;
    let renamed = content("甲（新）", "307001");
    let second = store::insert_version(&mut tx, &entry_id, 2, &renamed, &VersionState::Draft)
        .await
        .unwrap();
    let twice = store::find_version(&mut tx, &entry_id, 2)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(twice.id, second);
    for id in [&first, &second] {
        let version = store::find_listed(&mut tx, id)
            .await
            .unwrap()
            .unwrap()
            .version;
        store::activate(&mut tx, &version).await.unwrap();
    }
    commit(tx).await;
    let mut db = bench.read().await;
    let entry = store::find_entry(&mut db, &entry_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (entry.active_no, entry.name.as_str()),
        (Some(2), "甲（新）")
    );
    assert_eq!(
        store::versions_of(&mut db, &entry_id)
            .await
            .unwrap()
            .iter()
            .map(|v| v.no)
            .collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(store::entries_count(&mut db).await.unwrap(), 1);
    assert_eq!(
        store::counts_by_department(&mut db, 5).await.unwrap(),
        [("dep-a".to_owned(), 1)]
    );
    let newest = store::newest_published(&mut db, 5).await.unwrap();
    assert_eq!(newest[0].1.published_at, Some(monday()));
}

async fn only_the_newest_version_of_each_entry_is_listed(bench: Bench) {
    bench.sql(PARTIES).await;
    let mut ids = Vec::new();
    for name in ["甲", "乙", "丙"] {
        ids.push(entered(&bench, "dep-a", name).await.0);
    }
    entered(&bench, "dep-b", "丁").await;
    let mut tx = bench.begin().await;
    store::insert_version(
        &mut tx,
        &ids[1],
        2,
        &content("乙", "307001"),
        &VersionState::Draft,
    )
    .await
    .unwrap();
    commit(tx).await;
    let mut db = bench.read().await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = store::newest_of_department(&mut db, &dep("dep-a"), &cursor, 2)
            .await
            .unwrap();
        seen.extend(
            page.iter()
                .take(2)
                .map(|l| (l.entry.id.clone(), l.version.no)),
        );
        if page.len() <= 2 {
            break;
        }
        cursor = page[1].entry.id.to_string();
    }
    let mut expected: Vec<(EntryId, u32)> = ids
        .iter()
        .zip([1, 2, 1])
        .map(|(id, no)| (id.clone(), no))
        .collect();
    expected.sort();
    assert_eq!(seen, expected);
    assert!(store::submitted(&mut db, "", 10).await.unwrap().is_empty());
}

fn mounting(id: &str, entry_id: &EntryId, column: &str) -> Mounting {
    let column = Column {
        name: column.to_owned(),
        column_type: ColumnType::Text {
            chars_max: Some(12),
        },
        nullable: false,
    };
    Mounting {
        id: MountingId::parse(id).unwrap(),
        entry_id: entry_id.clone(),
        store_id: StoreId::parse("sto-a").unwrap(),
        table: "t".to_owned(),
        key: vec![column.name.clone()],
        columns: vec![ItemColumn {
            item: "code".to_owned(),
            column,
        }],
        pooled: false,
        rows_total: None,
        last_arrival_at: None,
    }
}

async fn a_mounting_with_other_columns_begins_anew(bench: Bench) {
    bench.sql(PARTIES).await;
    bench.sql("INSERT INTO stores (id, department_id, name, url, created_at) VALUES ('sto-a', 'dep-a', 's', 'sqlite:x', 'now')").await;
    let (entry_id, _) = entered(&bench, "dep-a", "甲").await;
    let first = mounting("mnt-a", &entry_id, "code");
    let mut tx = bench.begin().await;
    store::save_mounting(&mut tx, &first).await.unwrap();
    store::save_arrival(&mut tx, &first, 42).await.unwrap();
    commit(tx).await;
    // The same binding once more keeps what has arrived; another one has another pool table.
    for (next, pooled) in [(first, true), (mounting("mnt-b", &entry_id, "kode"), false)] {
        let mut tx = bench.begin().await;
        store::save_mounting(&mut tx, &next).await.unwrap();
        commit(tx).await;
        let mut db = bench.read().await;
        let found = store::find_mounting(&mut db, &entry_id).await.unwrap();
        assert_eq!(
            (&found.id, found.pooled, &found.columns, &found.key),
            (&next.id, pooled, &next.columns, &next.key)
        );
        assert_eq!(store::mountings(&mut db).await.unwrap().len(), 1);
    }
    let nothing = EntryId::parse("ent-none").unwrap();
    assert!(
        store::mounting_of(&mut *bench.read().await, &nothing)
            .await
            .unwrap()
            .is_none()
    );
}

async fn an_import_is_found_again(bench: Bench) {
    bench.sql(PARTIES).await;
    let import = Import {
        id: "imp-1".to_owned(),
        department_id: dep("dep-a"),
        file_digest: "abc".to_owned(),
    };
    let mut tx = bench.begin().await;
    store::insert_import(&mut tx, &import, &person(), 3, "[]")
        .await
        .unwrap();
    commit(tx).await;
    let mut db = bench.read().await;
    let found = store::find_import(&mut db, "imp-1").await.unwrap().unwrap();
    assert_eq!(
        (found.department_id, found.file_digest.as_str()),
        (dep("dep-a"), "abc")
    );
    assert!(
        store::find_import(&mut db, "imp-2")
            .await
            .unwrap()
            .is_none()
    );
}
