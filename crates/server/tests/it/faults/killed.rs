//! SIGKILL of whoever takes part, at random moments of a run.

use std::time::Duration;

use super::{
    Rounds,
    scene::{Home, Place, Scene},
    verdict,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_is_killed() {
    let mut rounds = Rounds::of("hub killed");
    let mut scene = Scene::begin(&rounds, Home::Grown).await;
    let mut hub = scene.hub().await;
    let took = scene.one_run(&hub).await;
    for round in 1..=rounds.count {
        let moment = took.mul_f64(rounds.random.share() * 1.2);
        let after = format!("round {round}: SIGKILL of the hub {moment:?} into runs of {took:?}");
        println!("{after}");
        scene.much_changes(round).await;
        scene.run_all(&hub).await;
        tokio::time::sleep(moment).await;
        hub.kill();
        verdict::the_targets_are_whole(&mut scene, &after).await;
        hub = scene.hub().await;
        verdict::all_is_well(&mut scene, &hub, &after).await;
    }
    some_were_hit(&scene, "%exchange.interrupted%", rounds.count).await;
    let ledger = scene.platform.data_dir.join("ledger");
    verdict::evidence_is_whole(scene, vec![hub], &[ledger]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_source_is_killed() {
    a_server_is_killed("source killed", Home::Embedded, &Place::Source, 0.5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_target_is_killed() {
    a_server_is_killed("target killed", Home::Grown, &Place::Target, 1.2).await;
}

/// Source of one resource and target of both at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_is_killed() {
    a_server_is_killed("mariadb killed", Home::Embedded, &Place::Maria, 1.2).await;
}

/// `reach` is how far into the runs the moments go, in parts of how long they take: a source is read first.
async fn a_server_is_killed(fault: &str, home: Home, place: &Place, reach: f64) {
    let mut rounds = Rounds::of(fault);
    let mut scene = Scene::begin(&rounds, home).await;
    let hub = scene.hub().await;
    let took = scene.one_run(&hub).await;
    for round in 1..=rounds.count {
        let moment = took.mul_f64(rounds.random.share() * reach);
        let away = Duration::from_millis(u64::from(rounds.random.below(600)));
        let after =
            format!("round {round}: {fault} {moment:?} into runs of {took:?}, {away:?} away");
        println!("{after}");
        scene.much_changes(round).await;
        scene.run_all(&hub).await;
        tokio::time::sleep(moment).await;
        scene.server(place).kill().unwrap();
        tokio::time::sleep(away).await;
        scene.server(place).start_again().unwrap();
        verdict::the_targets_are_whole(&mut scene, &after).await;
        verdict::all_is_well(&mut scene, &hub, &after).await;
    }
    some_were_hit(&scene, "%\"store.%", rounds.count).await;
    let ledger = scene.platform.data_dir.join("ledger");
    verdict::evidence_is_whole(scene, vec![hub], &[ledger]).await;
}

/// A suite whose kills all come too late shows nothing. A few may.
async fn some_were_hit(scene: &Scene, failure: &str, rounds: u32) {
    let query = format!("SELECT COUNT(*) FROM runs WHERE failure LIKE '{failure}'");
    let hit = scene.registry(&query).await;
    println!("{hit} runs were cut off in {rounds} rounds");
    if hit == 0 && rounds >= 20 {
        scene.fails("all rounds", "no run was hit").await;
    }
}
