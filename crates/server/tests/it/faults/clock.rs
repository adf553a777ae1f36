//! The machine's clock is set forward and back while rows move.

use std::path::{Path, PathBuf};

use super::{
    Rounds,
    scene::{Home, Scene},
    verdict,
};
use crate::support::{Program, Random};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_jumps() {
    let mut rounds = Rounds::of("clock jump");
    let mut scene = Scene::begin(&rounds, Home::Grown).await;
    let shift = scene.platform.dir.path().join("shift");
    // Always ahead of the day on which the grants begin: before that nothing may move.
    set(&shift, 3 * DAY);
    scene.setting = scene
        .setting
        .clone()
        .with("LD_PRELOAD", library().display().to_string())
        .with("FAKETIME_TIMESTAMP_FILE", shift.display().to_string())
        .with("FAKETIME_NO_CACHE", "1".to_owned())
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned());
    let mut hub = scene.hub().await;
    hub.sign_in("operator").await;
    let took = scene.one_run(&hub).await;
    for round in 1..=rounds.count {
        let shift_s = shift_s(&mut rounds.random);
        let moment = took.mul_f64(rounds.random.share() * 1.2);
        let dies = rounds.random.below(3) == 0;
        let after = format!(
            "round {round}: the clock is {shift_s} s ahead from {moment:?} into runs of {took:?} on, the hub {}",
            if dies { "dies then" } else { "lives on" }
        );
        println!("{after}");
        scene.much_changes(round).await;
        scene.run_all(&hub).await;
        tokio::time::sleep(moment).await;
        set(&shift, shift_s);
        if dies {
            hub.kill();
            hub = scene.hub().await;
        }
        verdict::the_targets_are_whole(&mut scene, &after).await;
        scene.quiet(&after).await;
        // A session has an end, which may have come.
        hub.sign_in("operator").await;
        verdict::all_is_well(&mut scene, &hub, &after).await;
    }
    is_moved(&scene, &mut hub, &shift).await;
    let ledger = scene.platform.data_dir.join("ledger");
    verdict::evidence_is_whole(scene, vec![hub], &[ledger]).await;
}

const DAY: i64 = 24 * 60 * 60;

/// Some minutes, some hours or some days.
fn shift_s(random: &mut Random) -> i64 {
    let share = random.share() * 2.0 - 1.0;
    let reach = [600.0, 5.0 * 3600.0, 2.0 * 86400.0][random.below(3) as usize];
    #[expect(clippy::cast_possible_truncation, reason = "some days in seconds")]
    let seconds = (share * reach) as i64;
    3 * DAY + seconds
}

/// Sets the program's clock so many seconds ahead of the machine's.
fn set(file: &Path, shift_s: i64) {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{shift_s:+}\n")).unwrap();
    // At once, because the program may read it at any moment.
    std::fs::rename(new, file).unwrap();
}

/// What moves a program's clock.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let places = folders.flatten().map(|entry| entry.path());
    places
        .map(|place| place.join("faketime/libfaketimeMT.so.1"))
        .find(|place| place.exists())
        .expect("libfaketime is missing (Debian: apt-get install faketime)")
}

/// That the clock was moved at all is seen in what the program writes down.
async fn is_moved(scene: &Scene, hub: &mut Program, shift: &Path) {
    set(shift, 6 * DAY);
    hub.sign_in("operator").await;
    scene.run_all(hub).await;
    scene.quiet("the end").await;
    let days = scene
        .registry_rows("SELECT MIN(created_at), MAX(created_at) FROM runs")
        .await
        .remove(0);
    assert!(days[0][..10] < days[1][..10], "{days:?}");
}
