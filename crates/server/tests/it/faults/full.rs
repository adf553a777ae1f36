//! A disk fills up while rows move: that of the pool, of a target in PostgreSQL, of a target in MariaDB. Each is a
//! small disk in memory, which takes the rights to mount one.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{
    Rounds,
    scene::{Home, Plan, Resource, Scene, code_of},
    sql, verdict,
};

/// The disks, by the folder that they are mounted on, and whose fault it is when they are full.
const PLACES: [(&str, &str); 3] = [
    ("pool", "platform"),
    ("target", "requester"),
    ("maria", "requester"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_fills_up() {
    let mut rounds = Rounds::of("disk full");
    let disks = Disks::mount();
    let plan = Plan {
        home: Home::Grown,
        disk: Some(disks.folder.path().to_owned()),
    };
    let mut scene = Scene::of(&rounds, plan).await;
    let hub = scene.hub().await;
    let took = scene.one_run(&hub).await;
    let first = rounds.random.below(3) as usize;
    // Each takes long, because every run is tried several times.
    for round in 1..=rounds.count.div_ceil(2).min(ROUNDS_MAX) {
        let (place, side) = PLACES[(round as usize + first) % PLACES.len()];
        let moment = took.mul_f64(rounds.random.share());
        let after =
            format!("round {round}: the disk of {place} is full {moment:?} into runs of {took:?}");
        println!("{after}");
        let failed_before = failed(&scene, side).await;
        pack(&scene).await;
        scene.run_all(&hub).await;
        tokio::time::sleep(moment).await;
        let ballast = disks.fill(place);
        scene.quiet(&after).await;
        for resource in &scene.resources {
            many_rows_come(resource).await;
        }
        scene.run_all(&hub).await;
        scene.quiet(&after).await;
        verdict::the_targets_are_whole(&mut scene, &after).await;
        if failed(&scene, side).await == failed_before {
            scene
                .fails(&after, "nothing failed for want of space")
                .await;
        }
        std::fs::remove_file(ballast).unwrap();
        // They arrive now; next time there is again no room for them.
        verdict::all_is_well(&mut scene, &hub, &after).await;
        for resource in &scene.resources {
            let (first, end) = (code_of(EXTRA.start), code_of(EXTRA.end));
            let table = resource.table;
            let gone = format!("DELETE FROM {table} WHERE code >= '{first}' AND code < '{end}'");
            sql::until_done(&resource.source, &gone).await;
        }
        verdict::all_is_well(&mut scene, &hub, &after).await;
    }
    let ledger = scene.platform.data_dir.join("ledger");
    verdict::evidence_is_whole(scene, vec![hub], &[ledger]).await;
    drop(disks);
}

/// Disks are filled at most this often.
const ROUNDS_MAX: u32 = 24;

/// Rows for which no table has room within its files; every second number, so that all are in scope.
const EXTRA: std::ops::Range<u32> = 500_000..540_000;

async fn many_rows_come(resource: &Resource) {
    let name = "长".repeat(60);
    let rows: Vec<u32> = EXTRA.step_by(2).collect();
    for some in rows.chunks(5000) {
        let values: Vec<String> = some
            .iter()
            .map(|row| format!("('{}', '{name}', '410402000', 0, 0)", code_of(*row)))
            .collect();
        let insert = format!(
            "INSERT INTO {} (code, name, parent_code, households, version) VALUES {}",
            resource.table,
            values.join(", ")
        );
        sql::until_done(&resource.source, &insert).await;
    }
}

/// Takes away what is free within the files, which would be used up first.
async fn pack(scene: &Scene) {
    for resource in &scene.resources {
        let maria = &resource.targets[1];
        let pack = format!("ALTER TABLE {} FORCE", maria.table);
        sql::until_done(&maria.url, &pack).await;
    }
    let target = &scene.resources[0].targets[0].url;
    for database in [target, &scene.platform.stores.pool_url] {
        sql::until_done(database, "VACUUM FULL").await;
    }
}

/// Runs that failed for want of space, and for which `side` has to act. A PostgreSQL that has no room for the files
/// that it writes at a sign-in says so in words only.
async fn failed(scene: &Scene, side: &str) -> i64 {
    let query = format!(
        "SELECT COUNT(*) FROM runs WHERE failure LIKE '%\"{side}\"%' \
         AND (failure LIKE '%store.space_lacking%' OR failure LIKE '%store.database_failed%')"
    );
    scene.registry(&query).await
}

/// Mounts the disks and unmounts them when its standard input ends, however this process ends.
const KEEPER: &str = r#"
trap '' INT TERM
for place in "$@"; do
  mkdir "$place" && mount -t tmpfs -o size=192m,mode=0755 tmpfs "$place" || exit 1
done
echo mounted
read -r _
umount -l "$@"
"#;

/// Small disks of the suite's own.
struct Disks {
    keeper: Child,
    folder: tempfile::TempDir,
}

impl Disks {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let is_root = nix::unistd::geteuid().is_root();
        let words: &[&str] = if is_root {
            &["sh"]
        } else {
            &["sudo", "-n", "sh"]
        };
        let mut keeper = Command::new(words[0])
            .args(&words[1..])
            .args(["-c", KEEPER, "keeper"])
            .args(PLACES.map(|(place, _)| folder.path().join(place)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let stdout = keeper.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut said).unwrap();
        assert_eq!(
            said, "mounted\n",
            "small disks can't be mounted: this test must be root or have sudo, in a container also CAP_SYS_ADMIN"
        );
        Self { keeper, folder }
    }

    /// Leaves no room on a disk; what takes it up is at the path.
    fn fill(&self, place: &str) -> PathBuf {
        let path = self.folder.path().join(place).join("ballast");
        let mut file = File::create(&path).unwrap();
        let block = vec![0_u8; 4096];
        while file.write_all(&block).is_ok() {}
        path
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // The folder is removed next.
        let _unmounted = self.keeper.wait();
    }
}
