use std::path::PathBuf;

use jiff::civil::date;
use tongqu_domain::law::{Event, LimitSource, due::reckon};

use super::*;
use crate::platform::{
    config::Config,
    db::testing::{Bench, monday},
};

const CITY: &str = "pingdingshan-2020";

/// A folder of packs over the built-in ones, and a registry.
struct Site {
    bench: Bench,
    law: Law,
    dir: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut law = Config::load(None).unwrap().law;
        law.packs_dir = dir.path().display().to_string();
        Self {
            bench: Bench::sqlite().await,
            law,
            dir,
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn load(&self) -> Result<Packs, PacksError> {
        Packs::load(&self.law, &self.bench.registry, monday()).await
    }
}

/// A district with rules of its own on the basis of the city's.
fn child(id: &str, division: &str, more: &str) -> String {
    format!(
        "schema = 1\n[pack]\nid = \"{id}\"\ninherits = \"{CITY}\"\nclause = \"PDS-25\"\n\
         jurisdiction = {{ name = \"某区\", level = \"county\", division = \"{division}\", clause = \"PDS-25\" }}\n{more}"
    )
}

fn id(pack: &Pack) -> &str {
    pack.meta.id.as_str()
}

#[tokio::test]
async fn the_index_names_the_default_and_the_setting_goes_before() {
    let mut site = Site::new().await;
    assert_eq!(id(&site.load().await.unwrap().default_pack()), CITY);
    site.write("own.toml", &child("own-2026", "410402", ""));
    site.write("index.toml", "schema = 1\ndefault = \"own-2026\"\n");
    assert_eq!(id(&site.load().await.unwrap().default_pack()), "own-2026");
    site.law.pack = CITY.to_owned();
    assert_eq!(id(&site.load().await.unwrap().default_pack()), CITY);
    site.law.pack = "nowhere".to_owned();
    let error = site.load().await.unwrap_err().to_string();
    assert!(
        error.contains("[law] pack names the rule pack nowhere"),
        "{error}"
    );
    assert!(error.contains("own-2026"), "{error}");
}

/// Spec: PDS-26.
#[tokio::test]
async fn pds_26_shilong_district_is_given_the_citys_pack_by_forwarding() {
    let site = Site::new().await;
    site.write("own.toml", &child("own-2026", "410402", ""));
    site.write("index.toml", "schema = 1\ndefault = \"own-2026\"\n");
    let packs = site.load().await.unwrap();
    let on = date(2026, 9, 21);
    assert_eq!(id(&packs.for_division("410404", on)), CITY);
    assert_eq!(id(&packs.for_division("410400", on)), CITY);
}

/// Spec: PDS-25.
#[tokio::test]
async fn pds_25_a_district_with_rules_of_its_own_is_given_those() {
    let site = Site::new().await;
    let on = date(2026, 9, 21);
    assert_eq!(
        id(&site.load().await.unwrap().for_division("410404", on)),
        CITY
    );
    // Its own go before those that were forwarded to it.
    site.write("own.toml", &child("shilong-2026", "410404", ""));
    let packs = site.load().await.unwrap();
    assert_eq!(id(&packs.for_division("410404", on)), "shilong-2026");
    assert_eq!(id(&packs.for_division("410400", on)), CITY);
    assert_eq!(id(&packs.for_division("999999", on)), CITY, "the default");
}

#[tokio::test]
async fn a_template_is_never_chosen_and_an_ended_pack_only_to_name_its_successor() {
    let site = Site::new().await;
    let validity = "validity = { last_day = 2025-12-31, clause = \"PDS-26\" }\n";
    site.write(
        "template.toml",
        &child("template-1", "410402", "template = true\n"),
    );
    site.write("ended.toml", &child("ended-1", "410403", validity));
    let followed = format!("{validity}successor = \"{CITY}\"\n");
    site.write("followed.toml", &child("followed-1", "410411", &followed));
    let packs = site.load().await.unwrap();
    let chosen = |division: &str, on: Date| id(&packs.for_division(division, on)).to_owned();
    let (before, after) = (date(2025, 12, 31), date(2026, 1, 1));
    assert_eq!(chosen("410402", after), CITY);
    assert_eq!(chosen("410403", before), "ended-1");
    assert_eq!(chosen("410403", after), CITY);
    assert_eq!(chosen("410411", before), "followed-1");
    assert_eq!(chosen("410411", after), "followed-1");
    // A later pack for the place goes before the one that has ended.
    site.write("later.toml", &child("later-1", "410411", ""));
    let packs = site.load().await.unwrap();
    assert_eq!(id(&packs.for_division("410411", after)), "later-1");
}

#[tokio::test]
async fn a_faulty_pack_keeps_the_platform_from_starting_with_all_faults() {
    let site = Site::new().await;
    site.write("a.toml", &child("a-1", "410402", "titel = 1\nizzuer = 1\n"));
    site.write("b.toml", "schema = 1\n");
    site.write(
        "c.toml",
        &child("c-1", "410403", "").replace(CITY, "nowhere-1"),
    );
    let error = site.load().await.unwrap_err();
    let PacksError::Faulty(faulty) = &error else {
        panic!("{error}");
    };
    let lines: Vec<String> = faulty.iter().flat_map(PackFaults::lines).collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for part in [
        "a.toml:7: pack: unknown key titel",
        "a.toml:8: pack: unknown key izzuer",
        "b.toml:1: ",
        "c.toml:4: ",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_reload_takes_new_packs_and_keeps_the_old_ones_if_they_are_faulty() {
    let site = Site::new().await;
    let packs = site.load().await.unwrap();
    let before = packs.default_pack();
    let reload = || packs.reload(&site.bench.registry, monday());

    site.write("own.toml", &child("own-2026", "410402", "titel = 1\n"));
    let error = reload().await.unwrap_err().to_string();
    assert!(error.contains("own.toml:7: "), "{error}");
    assert!(Arc::ptr_eq(&packs.default_pack(), &before));
    assert!(packs.named("own-2026").is_none());

    site.write("own.toml", &child("own-2026", "410402", ""));
    reload().await.unwrap();
    let first = packs.named("own-2026").unwrap();

    // A case goes on under the version that it began under, also after the next start.
    site.write("own.toml", &child("own-2026", "410402", "title = \"新\"\n"));
    reload().await.unwrap();
    assert_eq!(packs.named("own-2026").unwrap().meta.title, "新");
    let started = site.load().await.unwrap();
    for packs in [&packs, &started] {
        assert_eq!(
            packs.of_case("own-2026", &first.version).unwrap().version,
            first.version
        );
    }

    std::fs::remove_dir_all(site.dir.path()).unwrap();
    assert!(matches!(reload().await, Err(PacksError::Unreadable(_))));
    assert_eq!(packs.named("own-2026").unwrap().meta.title, "新");
}

#[tokio::test]
async fn national_ceilings_are_off_unless_asked_for_and_the_shorter_limit_wins() {
    let mut site = Site::new().await;
    site.write(
        "national-ceilings.toml",
        "schema = 1\n\
         [[ceiling]]\nid = \"sure\"\ntopics = [\"table_file_subscription\"]\naction = \"decide\"\nworking_days = 4\n\
         from = \"application_received\"\nconfirmed = true\nclause = \"SC809-21\"\n\
         [[ceiling]]\nid = \"unsure\"\ntopics = [\"table_file_subscription\"]\naction = \"decide\"\nworking_days = 2\n\
         from = \"application_received\"\nclause = \"GF51-1\"\n",
    );
    let expected = [
        (CeilingsInUse::Off, Some(5), LimitSource::Pack, "PDS-10.2b"),
        (
            CeilingsInUse::Confirmed,
            Some(4),
            LimitSource::NationalCeiling,
            "SC809-21",
        ),
        (
            CeilingsInUse::All,
            Some(2),
            LimitSource::NationalCeiling,
            "GF51-1",
        ),
    ];
    for (in_use, working_days, source, clause) in expected {
        site.law.ceilings = in_use;
        let pack = site.load().await.unwrap().default_pack();
        let facts = [("class".to_owned(), "conditional".into())].into();
        let events = [(Event::ApplicationReceived.code().to_owned(), monday())].into();
        let calendar = tongqu_domain::calendar::Calendar::statutory();
        let steps = reckon(
            &pack,
            "table_file_subscription_city",
            &facts,
            &events,
            &calendar,
        )
        .unwrap();
        let decide = steps.iter().find(|step| step.id == "decide").unwrap();
        assert_eq!(decide.working_days, working_days);
        assert_eq!(decide.due_by, Some(source));
        assert_eq!(decide.clause.as_str(), clause);
    }
    site.write("national-ceilings.toml", "schema = 1\n[[ceiling]]\n");
    let error = site.load().await.unwrap_err().to_string();
    assert!(error.contains("national-ceilings.toml:2: "), "{error}");
}

#[test]
fn the_built_in_ceilings_hold_those_that_are_confirmed_and_more() {
    let files = Files::read(None).unwrap();
    let count = |in_use| files.ceilings(in_use).unwrap().len();
    assert_eq!(count(CeilingsInUse::Off), 0);
    assert!(count(CeilingsInUse::Confirmed) > 0);
    assert!(count(CeilingsInUse::All) > count(CeilingsInUse::Confirmed));
}
