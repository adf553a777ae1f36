//! Agents that are killed, lines that are cut, slow or away, at random moments of a run.

use std::{sync::atomic::Ordering, time::Duration};

use super::Rounds;
use crate::{agent::Scene, support::more_villages};

/// Rows that each round adds; the first rounds' ones are changed and deleted by later ones.
const ADDED: u32 = 3000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_and_their_lines_break() {
    let mut rounds = Rounds::of("agents break");
    let mut scene = Scene::new().await;
    let (entry, subscription) = scene.delivered(4000).await;
    scene.app.expects_in_log("store.");
    for round in 1..=rounds.count {
        let random = &mut rounds.random;
        let first = 4000 + round * ADDED;
        scene.source.sql(&more_villages(first, ADDED));
        scene.source.sql(&format!(
            "UPDATE division_village SET name = name || '{round}' WHERE households % 7 = {}; \
             DELETE FROM division_village WHERE households % 61 = {}",
            random.below(7),
            random.below(61),
        ));
        let moment = Duration::from_millis(random.below(1200).into());
        let away = Duration::from_millis(random.below(1500).into());
        let fate = scene.network.fate.clone();
        // Every second round is slow, so that something is always under way.
        let rate = if random.below(2) == 0 { 300_000 } else { 0 };
        fate.bytes_a_second.store(rate, Ordering::SeqCst);
        let fault = random.below(4);
        println!(
            "round {round}: fault {fault} {moment:?} into a run, {away:?} away, {rate} bytes a second"
        );
        scene.run_again(&subscription).await;
        tokio::time::sleep(moment).await;
        match fault {
            0 => scene.requester.kill(),
            1 => scene.provider.kill(),
            2 => scene.network.set_down(true),
            _ => fate
                .cut_after
                .store(300_000 + u64::from(random.below(500_000)), Ordering::SeqCst),
        }
        tokio::time::sleep(away).await;
        match fault {
            0 => scene.requester.start(),
            1 => scene.provider.start(),
            2 => scene.network.set_down(false),
            _ => {}
        }
        fate.bytes_a_second.store(0, Ordering::SeqCst);
        scene.arrives().await;
        scene.app.idle().await;
        fate.cut_after.store(0, Ordering::SeqCst);
        assert_eq!(
            scene.held(),
            scene.expected(),
            "seed {}, round {round}",
            rounds.seed
        );
    }
    let run = scene.app.last_run("civil", &entry, "delivery").await;
    assert_eq!(
        (run.state(), &run.0["source_digest"]),
        ("succeeded", &run.0["target_digest"])
    );
    scene.app.finish().await;
}
