//! Two hubs on one registry: they share the work, take over from each other when one dies or freezes, and do nothing
//! twice.

use std::{path::PathBuf, time::Duration};

use super::{
    Rounds,
    scene::{HASTY, Home, Scene},
    verdict,
};
use crate::support::{Program, Setting};

/// What happens to the hub that holds a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    LivesOn,
    Dies,
    /// It stands still until its lease has run out and another has taken over, and then goes on as if nothing had been.
    Freezes,
}

struct Hub {
    program: Program,
    setting: Setting,
    data_dir: PathBuf,
}

impl Hub {
    async fn start(scene: &Scene, name: &str, data_dir: PathBuf) -> Self {
        let setting = Setting::of(&scene.platform, name, &data_dir, HASTY);
        let program = Program::start(&setting, &scene.platform.sessions["operator"]).await;
        Self {
            program,
            setting,
            data_dir,
        }
    }

    /// What the names of its workers begin with.
    fn node_id(&self) -> String {
        let id = std::fs::read_to_string(self.data_dir.join("node-id")).unwrap();
        id.trim().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_share_the_work() {
    let mut rounds = Rounds::of("two hubs");
    let mut scene = Scene::begin(&rounds, Home::Grown).await;
    let first = scene.platform.data_dir.clone();
    let second = scene.platform.dir.path().join("second");
    std::fs::create_dir(&second).unwrap();
    let mut hubs = [
        Hub::start(&scene, "first.toml", first).await,
        Hub::start(&scene, "second.toml", second).await,
    ];
    let took = scene.one_run(&hubs[0].program).await;
    let mut worked = [0, 0];
    for round in 1..=rounds.count {
        let fate = match rounds.random.below(3) {
            0 => Fate::LivesOn,
            1 => Fate::Dies,
            _ => Fate::Freezes,
        };
        let moment = took.mul_f64(rounds.random.share() * 0.8);
        let after =
            format!("round {round}: a hub with a job {fate:?} {moment:?} into runs of {took:?}");
        println!("{after}");
        let before = Done::of(&scene).await;
        let asked = rounds.random.below(2) as usize;
        scene.much_changes(round).await;
        scene.run_all(&hubs[asked].program).await;
        until_somebody_has_a_job(&scene, &hubs).await;
        tokio::time::sleep(moment).await;
        // Whoever has a job at that moment; perhaps nobody has any more.
        if let Some(holder) = holder(&scene, &hubs).await {
            worked[holder] += 1;
            let other = 1 - holder;
            match fate {
                Fate::LivesOn => {}
                Fate::Dies => {
                    hubs[holder].program.kill();
                    verdict::the_targets_are_whole(&mut scene, &after).await;
                    verdict::all_is_well(&mut scene, &hubs[other].program, &after).await;
                    let session = &scene.platform.sessions["operator"];
                    hubs[holder].program = Program::start(&hubs[holder].setting, session).await;
                }
                Fate::Freezes => {
                    hubs[holder].program.signal("STOP");
                    until_it_has_lost_its_jobs(&scene, &hubs[holder]).await;
                    // Now the other is under way with the same.
                    tokio::time::sleep(moment).await;
                    hubs[holder].program.signal("CONT");
                    verdict::the_targets_are_whole(&mut scene, &after).await;
                }
            }
        }
        scene.quiet(&after).await;
        let now = Done::of(&scene).await;
        let (jobs, runs) = (now.jobs - before.jobs, now.runs - before.runs);
        // On a machine that is busy enough a hub may be taken for dead though it lives.
        if now.taken_over == before.taken_over && jobs != runs {
            let what = format!("{jobs} jobs were done by {runs} runs");
            scene.fails(&after, &what).await;
        }
        verdict::all_is_well(&mut scene, &hubs[asked].program, &after).await;
    }
    println!(
        "jobs were held by the first hub {} times, by the second {}",
        worked[0], worked[1]
    );
    let ledgers: Vec<PathBuf> = hubs.iter().map(|hub| hub.data_dir.join("ledger")).collect();
    let programs = hubs.into_iter().map(|hub| hub.program).collect();
    verdict::evidence_is_whole(scene, programs, &ledgers).await;
}

/// What was done so far.
struct Done {
    jobs: i64,
    /// That ended well.
    runs: i64,
    taken_over: i64,
}

impl Done {
    async fn of(scene: &Scene) -> Self {
        let jobs = "SELECT COUNT(*) FROM jobs WHERE state = 'done'";
        let runs = "SELECT COUNT(*) FROM runs WHERE state_code = 'succeeded'";
        let taken_over = "SELECT COUNT(*) FROM evidence WHERE what = 'job.taken_over'";
        Self {
            jobs: scene.registry(jobs).await,
            runs: scene.registry(runs).await,
            taken_over: scene.registry(taken_over).await,
        }
    }
}

/// Which of the hubs has a job.
async fn holder(scene: &Scene, hubs: &[Hub; 2]) -> Option<usize> {
    let query = "SELECT worker FROM jobs WHERE state = 'running' ORDER BY worker";
    let worker = scene.registry_rows(query).await.into_iter().next()?;
    hubs.iter()
        .position(|hub| worker[0].starts_with(&hub.node_id()))
}

/// A hub looks for work at once, but a busy machine may make it wait; then the moment counts from there.
async fn until_somebody_has_a_job(scene: &Scene, hubs: &[Hub; 2]) {
    for _ in 0..100 {
        if holder(scene, hubs).await.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_it_has_lost_its_jobs(scene: &Scene, hub: &Hub) {
    let query = format!(
        "SELECT COUNT(*) FROM jobs WHERE state = 'running' AND worker LIKE '{}-%'",
        hub.node_id()
    );
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while scene.registry(&query).await > 0 {
        if std::time::Instant::now() > deadline {
            scene
                .fails("a hub froze", "nobody takes its jobs over")
                .await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
