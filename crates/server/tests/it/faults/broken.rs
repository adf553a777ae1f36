//! What breaks in the source itself: a row that can't be taken, a column that is gone.

use serde_json::Value;

use super::{
    Rounds,
    scene::{Home, Resource, STABLE, Scene, code_of},
    sql, verdict,
};
use crate::support::Program;

/// One faulty row goes into quarantine with its reason, all others arrive, also where the hub dies over it; mended,
/// the row arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_poisoned() {
    let mut rounds = Rounds::of("poison row");
    let mut scene = Scene::begin(&rounds, Home::Embedded).await;
    let mut hub = scene.hub().await;
    let took = scene.one_run(&hub).await;
    for round in 1..=rounds.count {
        let resource = scene.resources[rounds.random.below(2) as usize].clone();
        let row = round % 1000 * 10 + rounds.random.below(10);
        // Short of a digit, with a letter, of a province that there isn't.
        let poison = match rounds.random.below(3) {
            0 => format!("4104029{row:04}"),
            1 => format!("41040297{row:04}").replace("4104", "41O4"),
            _ => format!("99040297{row:04}"),
        };
        let sound = format!("41040297{row:04}");
        let after = format!("round {round}: the row {poison} in {}", resource.table);
        let insert = format!(
            "INSERT INTO {} (code, name, parent_code, phone, households, version) VALUES ('{poison}', '毒村', \
             '410402000', NULL, 0, 0)",
            resource.table
        );
        println!("{after}");
        sql::run(&resource.source, &insert).await;
        scene.set_aside = vec![poison.clone()];
        scene.run_all(&hub).await;
        tokio::time::sleep(took.mul_f64(rounds.random.share() * 1.2)).await;
        hub.kill();
        hub = scene.hub().await;
        verdict::all_is_well(&mut scene, &hub, &after).await;
        let seen = last_collection(&scene, &hub, &resource).await;
        let keys: Vec<&Value> = seen["quarantine"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["key"])
            .collect();
        if seen["counts"]["quarantined"] != 1 || keys != [poison.as_str()] {
            scene
                .fails(&after, &format!("the quarantine holds {keys:?}"))
                .await;
        }

        let mend = format!(
            "UPDATE {} SET code = '{sound}' WHERE code = '{poison}'",
            resource.table
        );
        sql::run(&resource.source, &mend).await;
        scene.set_aside.clear();
        verdict::all_is_well(&mut scene, &hub, &after).await;
        let seen = last_collection(&scene, &hub, &resource).await;
        let arrived = format!(
            "SELECT COUNT(*) FROM {} WHERE code = '{sound}'",
            resource.targets[0].table
        );
        let arrived = sql::number(&resource.targets[0].url, &arrived).await;
        if seen["counts"]["quarantined"] != 0 || arrived != 1 {
            scene
                .fails(&after, &format!("the mended row didn't arrive: {seen}"))
                .await;
        }
    }
    let ledger = scene.platform.data_dir.join("ledger");
    verdict::evidence_is_whole(scene, vec![hub], &[ledger]).await;
}

/// The last collection of a resource, as the bureau sees it.
async fn last_collection(scene: &Scene, hub: &Program, resource: &Resource) -> Value {
    let runs = scene.runs(hub, resource).await;
    let last = runs.iter().find(|run| run["kind"] == "collection").unwrap();
    let path = format!("/runs/{}", last["run_id"].as_str().unwrap());
    hub.get_as(&scene.platform.sessions["stats"], &path).await
}

/// The deliveries pause, the parties are told, nothing is half done; put back, everything goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_is_dropped() {
    let mut rounds = Rounds::of("dropped column");
    let mut scene = Scene::begin(&rounds, Home::Grown).await;
    let hub = scene.hub().await;
    let took = scene.one_run(&hub).await;
    // Each round waits for the writers to let go of the table, several times.
    for round in 1..=rounds.count.div_ceil(2) {
        let resource = scene.resources[rounds.random.below(2) as usize].clone();
        let moment = took.mul_f64(rounds.random.share());
        let after = format!(
            "round {round}: {} loses a column {moment:?} into a run",
            resource.table
        );
        println!("{after}");
        let told = told(&scene, &hub).await;
        scene.run_all(&hub).await;
        tokio::time::sleep(moment).await;
        let drop = format!("ALTER TABLE {} DROP COLUMN phone", resource.table);
        sql::run(&resource.source, &drop).await;
        scene.quiet(&after).await;
        scene.run_all(&hub).await;
        scene.quiet(&after).await;
        verdict::the_targets_are_whole(&mut scene, &after).await;
        let last = last_collection(&scene, &hub, &resource).await;
        if last["state"] != "failed" || last["failure"]["code"] != "exchange.column_gone" {
            scene
                .fails(&after, &format!("nobody noticed: {last}"))
                .await;
        }
        let now = self::told(&scene, &hub).await;
        for ((person, before), (_, now)) in told.iter().zip(&now) {
            if now <= before {
                scene.fails(&after, &format!("{person} wasn't told")).await;
            }
        }
        let held = format!(
            "SELECT COUNT(*) FROM subscriptions WHERE entry_id = '{}' AND state_code <> 'active'",
            resource.entry
        );
        if scene.registry(&held).await != 2 {
            scene.fails(&after, "the deliveries weren't paused").await;
        }

        let add = format!(
            "ALTER TABLE {} ADD COLUMN phone VARCHAR(20)",
            resource.table
        );
        sql::run(&resource.source, &add).await;
        fill_again(&resource).await;
        verdict::all_is_well(&mut scene, &hub, &after).await;
    }
    let ledger = scene.platform.data_dir.join("ledger");
    verdict::evidence_is_whole(scene, vec![hub], &[ledger]).await;
}

/// How many notices about failed runs each party has.
async fn told(scene: &Scene, hub: &Program) -> Vec<(&'static str, usize)> {
    let mut told = Vec::new();
    for person in ["stats", "civil", "tax"] {
        let session = &scene.platform.sessions[person];
        let notices = hub.get_as(session, "/notices?size=100").await;
        let items = notices["items"].as_array().unwrap();
        let of_runs = items
            .iter()
            .filter(|notice| notice["subject_kind"] == "run");
        told.push((person, of_runs.count()));
    }
    told
}

/// New numbers in the column that was put back. The writers may be in the way, and then it is tried again.
async fn fill_again(resource: &Resource) {
    for province in [0, 1] {
        // By the key, so that the rows of the long transactions aren't waited for.
        let fill = format!(
            "UPDATE {} SET phone = CONCAT('13900', SUBSTR(code, 7)) WHERE code >= '{}' AND code < '{}'",
            resource.table,
            code_of(province),
            code_of(STABLE + province)
        );
        sql::until_done(&resource.source, &fill).await;
    }
}
