//! What must be true after each fault, looked at without the platform's connectors.

use serde_json::Value;

use super::{
    scene::{Resource, STABLE, Scene, Target, code_of},
    sql::{self, Session},
};
use crate::support::{Program, Run, verified};

/// Holds the writers back, has everything run once more, and looks at everything. What was asked for may have failed
/// while a server was away; this run may not.
pub async fn all_is_well(scene: &mut Scene, hub: &Program, after: &str) {
    scene.quiet(after).await;
    let held = scene.writers.hold().await;
    let before = scene.registry("SELECT COUNT(*) FROM runs").await;
    scene.run_all(hub).await;
    scene.quiet(after).await;
    if scene.registry("SELECT COUNT(*) FROM runs").await < before + 6 {
        scene.fails(after, "not everything ran").await;
    }
    for resource in scene.resources.clone() {
        the_last_runs_are_good(scene, hub, &resource, after).await;
        for target in &resource.targets {
            the_target_is_the_source(scene, &resource, target, after).await;
        }
        the_pool_is_the_source(scene, &resource, after).await;
    }
    the_targets_are_whole(scene, after).await;
    let running = "SELECT COUNT(*) FROM runs WHERE state_code = 'running'";
    if scene.registry(running).await != 0 {
        scene.fails(after, "runs are left running").await;
    }
    // Nobody but the platform writes there, so a target that isn't what was sent was left half done, though the
    // platform itself has noticed and brought the whole again.
    let halves =
        "SELECT COUNT(*) FROM runs WHERE failure LIKE '%_differ\"%' OR failure LIKE '%_differs\"%'";
    if scene.registry(halves).await != 0 {
        scene
            .fails(after, "a run met a target that was half done")
            .await;
    }
    drop(held);
}

/// At any moment a target that answers holds one state that the source had, and never an earlier one than before.
pub async fn the_targets_are_whole(scene: &mut Scene, after: &str) {
    let households: i64 = (0..STABLE).step_by(2).map(|row| i64::from(row % 900)).sum();
    let marked = code_of(0);
    let targets: Vec<Target> = scene
        .resources
        .iter()
        .flat_map(|resource| resource.targets.clone())
        .collect();
    for (place, target) in targets.iter().enumerate() {
        let Ok(mut session) = Session::open(&target.url).await else {
            continue;
        };
        let table = &target.table;
        // One statement sees one state.
        let seen = session
            .rows(&format!(
                "SELECT SUM(households), SUM(CASE WHEN code = '{marked}' THEN version ELSE 0 END) FROM {table}"
            ))
            .await;
        // It may have been killed just now.
        let Ok(seen) = seen else { continue };
        let number = |n: usize| seen[0][n].parse::<i64>().unwrap_or(-1);
        if number(0) != households {
            let what = format!(
                "{table} in the target holds half a state: {} households of {households}",
                number(0)
            );
            scene.fails(after, &what).await;
        }
        if number(1) < scene.reached[place] {
            let what = format!(
                "{table} in the target was thrown back from version {} to {}",
                scene.reached[place],
                number(1)
            );
            scene.fails(after, &what).await;
        }
        scene.reached[place] = number(1);
    }
}

/// Row by row: in scope, projected, masked; none is missing, none is there twice.
async fn the_target_is_the_source(
    scene: &Scene,
    resource: &Resource,
    target: &Target,
    after: &str,
) {
    let (from, into) = (resource.table, &target.table);
    let mask = "CONCAT(SUBSTR(phone, 1, 3), '****', SUBSTR(phone, 8))";
    let expected = format!(
        "SELECT code, name, CASE WHEN phone IS NULL THEN NULL ELSE {mask} END, households, version FROM {from} \
         WHERE code LIKE '41%'"
    );
    let mut expected = taken_in(scene, sql::rows(&resource.source, &expected).await);
    let held = format!("SELECT code, name, phone, households, version FROM {into}");
    let mut held = sql::rows(&target.url, &held).await;
    expected.sort_unstable();
    held.sort_unstable();
    if expected == held {
        return;
    }
    let missing: Vec<_> = expected
        .iter()
        .filter(|row| held.binary_search(row).is_err())
        .collect();
    let superfluous: Vec<_> = held
        .iter()
        .filter(|row| expected.binary_search(row).is_err())
        .collect();
    let what = format!(
        "{into} of {} isn't {from}: {} rows of {}, {} missing as {:?}, {} superfluous as {:?}",
        engine_of(&target.url),
        held.len(),
        expected.len(),
        missing.len(),
        missing.first(),
        superfluous.len(),
        superfluous.first()
    );
    scene.fails(after, &what).await;
}

/// Without the rows that are in quarantine.
fn taken_in(scene: &Scene, mut rows: sql::Rows) -> sql::Rows {
    rows.retain(|row| !scene.set_aside.contains(&row[0]));
    rows
}

fn engine_of(url: &str) -> &str {
    url.split(':').next().unwrap_or_default()
}

/// All rows of the source, and each change number once.
async fn the_pool_is_the_source(scene: &Scene, resource: &Resource, after: &str) {
    let columns = "code, name, parent_code, phone, households, version";
    let query = format!("SELECT {columns} FROM {}", resource.table);
    let mut expected = taken_in(scene, sql::rows(&resource.source, &query).await);
    let table = pool_table(scene, resource).await;
    let mut held = pool(
        scene,
        &format!("SELECT {columns} FROM {table} WHERE _deleted = 0"),
    )
    .await;
    expected.sort_unstable();
    held.sort_unstable();
    if expected != held {
        let what = format!("the pool isn't {}", resource.table);
        scene.fails(after, &what).await;
    }
    let twice = pool(
        scene,
        &format!("SELECT COUNT(*) - COUNT(DISTINCT _seq) FROM {table}"),
    )
    .await;
    if twice[0][0] != "0" {
        scene.fails(after, "a change number was given twice").await;
    }
}

async fn pool_table(scene: &Scene, resource: &Resource) -> String {
    let query = format!(
        "SELECT id FROM mountings WHERE entry_id = '{}'",
        resource.entry
    );
    let mounting = scene.registry_rows(&query).await.remove(0).remove(0);
    format!("res_{}", mounting.replace('-', "_"))
}

async fn pool(scene: &Scene, query: &str) -> sql::Rows {
    let url = &scene.platform.stores.pool_url;
    if url.is_empty() {
        let path = scene.platform.data_dir.join("pool.db");
        return crate::support::ExchangeDb::at(&path).rows(query);
    }
    sql::rows(url, query).await
}

/// The last run of each kind ended well, its counts add up, and it says of the target what is there.
async fn the_last_runs_are_good(scene: &Scene, hub: &Program, resource: &Resource, after: &str) {
    let runs = scene.runs(hub, resource).await;
    for run in runs.iter().filter(|run| run["state"] == "succeeded") {
        Run(run.clone()).counts();
    }
    let is_collection = |run: &&Value| run["kind"] == "collection";
    let last = runs.iter().find(is_collection).expect("it was collected");
    if last["state"] != "succeeded" {
        scene.fails(after, "the last collection failed").await;
    }
    for target in &resource.targets {
        let mut delivery = Value::Null;
        for run in runs.iter().filter(|run| run["kind"] == "delivery") {
            let path = format!("/runs/{}", run["run_id"].as_str().unwrap());
            let run = hub.get(&path).await;
            if run["subscription_id"] == target.subscription.as_str() {
                delivery = run;
                break;
            }
        }
        let receipt = &delivery["receipt"];
        if delivery["state"] != "succeeded" || receipt["equal"] != true {
            let what = format!("the last delivery failed: {delivery}");
            scene.fails(after, &what).await;
        }
        if delivery["collection_run_id"] != last["run_id"] {
            let what = "the last delivery isn't of the last collection";
            scene.fails(after, what).await;
        }
        let count = format!("SELECT COUNT(*) FROM {}", target.table);
        let held = sql::number(&target.url, &count).await;
        if receipt["rows_held"] != held {
            let what = format!(
                "{} of {} holds {held} rows, the platform says {}",
                target.table,
                engine_of(&target.url),
                receipt["rows_held"]
            );
            scene.fails(after, &what).await;
        }
    }
}

/// Ends the scene: the writers stop, the hubs finish in order, and each record of evidence is in the ledgers of the
/// nodes once.
pub async fn evidence_is_whole(scene: Scene, hubs: Vec<Program>, ledgers: &[std::path::PathBuf]) {
    for hub in hubs {
        hub.stop().await;
    }
    let (mut records, mut ids) = (0, Vec::new());
    for ledger in ledgers {
        let report = verified(ledger);
        assert_eq!(report["unsigned_records"], 0, "{report}");
        records += report["records"].as_i64().unwrap();
        ids.extend(ids_in(ledger));
    }
    let all = scene.registry("SELECT COUNT(*) FROM evidence").await;
    let placed = "SELECT COUNT(*) FROM evidence WHERE ledger_index IS NOT NULL";
    let placed = scene.registry(placed).await;
    let seed = scene.seed;
    let written = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(written, usize::try_from(records).unwrap());
    assert_eq!(
        (written - ids.len(), placed, records),
        (0, all, all),
        "records doubled, records placed, records in the ledgers; TONGQU_FAULT_SEED={seed}"
    );
    println!(
        "{} transactions in the sources, {all} records of evidence",
        scene.writers.committed()
    );
    scene.writers.stop().await;
}

/// The ids of all records in a ledger's files.
fn ids_in(ledger: &std::path::Path) -> Vec<String> {
    let mut ids = Vec::new();
    for file in std::fs::read_dir(ledger).unwrap() {
        let path = file.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for line in text.lines() {
            // Signed heads lie there too, and are no lines of this form.
            let Some((record, _hash)) = line.split_once('\t') else {
                continue;
            };
            let record: Value = serde_json::from_str(record).unwrap();
            ids.extend(record["id"].as_str().map(str::to_owned));
        }
    }
    ids
}
