//! `tongqu law check`, `tongqu law show` and `tongqu law due`.

mod show;
mod table;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tongqu_domain::{
    calendar::{Calendar, CalendarError},
    law::{
        Ceilings, Facts, Pack, PackFile, StepDue, Unconfirmed,
        due::{EventTimes, fact_value, reckon},
        schema::pack_schema,
    },
};

use crate::platform::packs::{self, Files, PacksError};
use table::Table;

/// What was asked for can't be answered as it was asked.
const USAGE: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Report every fault of rule packs, each with its line and what to do about it.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Print what a rule pack says, for reading.
    Show {
        /// The id of a pack, or a file.
        pack: String,
        #[command(flatten)]
        place: Place,
        /// Print the whole pack as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Reckon by when each step of a process is due.
    Due(Due),
    /// Print the JSON schema of rule packs, for editors.
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct Place {
    /// A folder of packs that add to or replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    packs_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Due {
    /// The id of a pack, or a file.
    #[arg(long)]
    pack: String,
    #[command(flatten)]
    place: Place,
    /// The id of a process, or of a periodic duty.
    #[arg(long)]
    process: String,
    /// What is known about the case, for example class=conditional. What isn't said has its default.
    #[arg(long, num_args = 1.., value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// What happened when, for example application_received=2026-09-21T09:00:00+08:00.
    #[arg(long = "event", num_args = 1.., value_name = "NAME=RFC3339")]
    events: Vec<String>,
    /// Holidays and make-up days (CSV) over the built-in ones.
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `law due --json` prints.
#[derive(Debug, Serialize)]
struct Answer {
    steps: Vec<StepDue>,
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let answered = match command {
        Command::Check { files, place } => {
            return check(&files, place.packs_dir.as_deref()).or_else(|error| refused(&error));
        }
        Command::Show { pack, place, json } => show(&pack, &place, json),
        Command::Due(asked) => due(&asked),
        Command::Schema => serde_json::to_string_pretty(&pack_schema())
            .map(|schema| format!("{schema}\n"))
            .map_err(Into::into),
    };
    match answered {
        Ok(text) => super::print(&text).map(|()| ExitCode::SUCCESS),
        Err(error) => refused(&error),
    }
}

fn refused(error: &anyhow::Error) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stderr(), "error: {error:#}")?;
    Ok(ExitCode::from(USAGE))
}

fn check(files: &[PathBuf], packs_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (said, faults) = report(files, packs_dir)?;
    super::print(&said)?;
    Ok(if faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is to be said about the files, a line each or a line for each fault, and how many faults there are.
fn report(files: &[PathBuf], packs_dir: Option<&Path>) -> anyhow::Result<(String, usize)> {
    let mut around = Files::read(packs_dir)?.packs;
    let read: Vec<Result<PackFile, String>> = files
        .iter()
        .map(|path| packs::read_file(path).map_err(|error| format!("{error:#}")))
        .collect();
    for file in read.iter().flatten() {
        around.add(file.clone());
    }
    let mut lines: Vec<String> = Vec::new();
    let mut faults = 0;
    for (path, file) in files.iter().zip(read) {
        let checked = file.map_err(|error| vec![error]).and_then(|file| {
            let sound = if packs::is_ceilings(path) {
                Ceilings::load(&file.text, &file.name, Unconfirmed::Use)
                    .map(|ceilings| format!("{} ceilings", ceilings.len()))
            } else {
                around
                    .load(&file)
                    .map(|loaded| show::in_short(&loaded.pack))
            };
            sound
                .map(|what| format!("{}: sound, {what}", file.name))
                .map_err(|faults| faults.lines().collect())
        });
        match checked {
            Ok(line) => lines.push(line),
            Err(found) => {
                // Two children have their parent's faults only once.
                let news: Vec<String> = found
                    .into_iter()
                    .filter(|line| !lines.contains(line))
                    .collect();
                faults += news.len();
                lines.extend(news);
            }
        }
    }
    if faults > 0 {
        lines.push(format!("{faults} fault(s)"));
    }
    lines.push(String::new());
    Ok((lines.join("\n"), faults))
}

fn show(pack: &str, place: &Place, as_json: bool) -> anyhow::Result<String> {
    let pack = find(pack, place.packs_dir.as_deref())?;
    if as_json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&pack)?));
    }
    Ok(show::summary(&pack))
}

fn due(asked: &Due) -> anyhow::Result<String> {
    let pack = find(&asked.pack, asked.place.packs_dir.as_deref())?;
    let facts: Facts = pairs("--facts", &asked.facts)?
        .into_iter()
        .map(|(name, value)| (name, fact_value(&value)))
        .collect();
    let events = pairs("--event", &asked.events)?
        .into_iter()
        .map(|(name, at)| {
            let instant = at.parse().map_err(|_| {
                anyhow!("--event {name}: {at} is no instant; write 2026-09-21T09:00:00+08:00")
            })?;
            Ok((name, instant))
        })
        .collect::<anyhow::Result<EventTimes>>()?;
    let calendar = calendar(asked.calendar.as_deref())?;
    let steps = reckon(&pack, &asked.process, &facts, &events, &calendar)?;
    Ok(if asked.json {
        format!("{}\n", serde_json::to_string(&Answer { steps })?)
    } else {
        in_a_table(&pack, &steps)
    })
}

/// A pack by its id, by the prefix of its clauses, or from a file.
fn find(asked: &str, packs_dir: Option<&Path>) -> anyhow::Result<Pack> {
    let files = Files::read(packs_dir)?.packs;
    let path = Path::new(asked);
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return Ok(files.load(&packs::read_file(path)?)?.pack);
    }
    let loaded = files
        .load_all()
        .map_err(|faulty| anyhow!("{}", PacksError::Faulty(faulty)))?;
    let mut packs: Vec<Pack> = loaded.into_iter().map(|loaded| loaded.pack).collect();
    let by_id = |pack: &Pack| pack.meta.id.as_str() == asked;
    // A child may have its parent's prefix, so the one that inherits from nobody goes first.
    let by_prefix =
        |pack: &Pack| pack.meta.inherits.is_none() && pack.meta.prefix.eq_ignore_ascii_case(asked);
    let named = packs.iter().position(by_id);
    let Some(at) = named.or_else(|| packs.iter().position(by_prefix)) else {
        let known: Vec<&str> = packs.iter().map(|pack| pack.meta.id.as_str()).collect();
        bail!(
            "there is no rule pack {asked}; these are there: {}; or name a .toml file",
            known.join(", ")
        );
    };
    Ok(packs.swap_remove(at))
}

fn pairs(flag: &str, texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for text in texts {
        let Some((name, value)) = text.split_once('=') else {
            bail!("{flag} {text}: write NAME=VALUE");
        };
        let (name, value) = (name.trim(), value.trim());
        if pairs.insert(name.to_owned(), value.to_owned()).is_some() {
            bail!("{flag} {name} is given twice");
        }
    }
    Ok(pairs)
}

fn calendar(file: Option<&Path>) -> anyhow::Result<Calendar> {
    let statutory = Calendar::statutory();
    let Some(file) = file else {
        return Ok(statutory);
    };
    let csv = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let own = Calendar::parse_csv(&csv).map_err(|error| match error {
        CalendarError::Unreadable { faults } => {
            let said: Vec<String> = faults
                .iter()
                .map(|fault| format!("{}: {fault}", file.display()))
                .collect();
            anyhow!("{}", said.join("\n"))
        }
        CalendarError::YearNotPublished { .. } => anyhow!("{}: {error}", file.display()),
    })?;
    Ok(statutory.with(own))
}

fn in_a_table(pack: &Pack, steps: &[StepDue]) -> String {
    if steps.is_empty() {
        return "按所给事项，本流程没有环节。\n".to_owned();
    }
    let mut table = Table::new(&["环节", "责任方", "时限", "最迟日期", "条款", "说明"]);
    for step in steps {
        let actor = pack.role(&step.actor);
        let limit = match (step.working_days, step.word) {
            (Some(days), _) => format!("{days}个工作日"),
            (None, Some(word)) => word.label().to_owned(),
            (None, None) => "—".to_owned(),
        };
        let mut notes = Vec::new();
        if let Some(event) = step.waits_for {
            notes.push(format!("待“{}”后起算", event.label()));
        }
        if let (Some(event), Some(_)) = (step.counted_from, step.due_on) {
            notes.push(format!("自“{}”起算", event.label()));
        }
        if step.from_is_reading {
            notes.push("起算点为本平台理解".to_owned());
        }
        if let Some(date) = step.not_before {
            notes.push(format!("{date}起方可办理"));
        }
        let name = format!("{}（{}）", step.name, step.id);
        table.row(vec![
            name,
            actor.map_or(step.actor.to_string(), |role| role.name.clone()),
            limit,
            step.due_on.map_or("—".to_owned(), |date| date.to_string()),
            step.clause.to_string(),
            notes.join("；"),
        ]);
    }
    table.print()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Words {
        #[command(subcommand)]
        command: Command,
    }

    const PACK: &str = "pingdingshan-2020";

    fn asked(words: &str) -> Due {
        let words = ["law", "due"]
            .into_iter()
            .chain(words.split_whitespace())
            .collect::<Vec<_>>();
        match Words::try_parse_from(words).unwrap().command {
            Command::Due(asked) => asked,
            other => panic!("not due: {other:?}"),
        }
    }

    fn answer(words: &str) -> serde_json::Value {
        serde_json::from_str(&due(&asked(&format!("{words} --json"))).unwrap()).unwrap()
    }

    #[test]
    fn due_prints_each_step_with_its_date_and_clause() {
        let answer = answer(&format!(
            "--pack {PACK} --process table_file_subscription_city --facts class=conditional \
             approved=true --facts mode=table --event application_received=2026-09-21T09:00:00+08:00 \
             decided=2026-09-22T01:00:00Z"
        ));
        let steps = answer["steps"].as_array().unwrap();
        let brief: Vec<String> = steps
            .iter()
            .map(|step| {
                format!(
                    "{} {} {} {} {}",
                    step["id"], step["actor"], step["due_on"], step["working_days"], step["clause"]
                )
            })
            .collect();
        assert_eq!(
            brief,
            [
                r#""apply" "requester" null null "PDS-10.1""#,
                r#""notify_provider" "requester" null null "PDS-10.1""#,
                r#""decide" "provider" "2026-09-29" 5 "PDS-10.2b""#,
                r#""authorise" "provider" null null "PDS-10.2b""#,
                r#""deliver_conditional" "platform" "2026-09-28" 3 "PDS-10.2c""#,
            ]
        );
    }

    #[test]
    fn due_says_what_there_is_instead_of_what_is_unknown() {
        for (words, named) in [
            ("--pack nowhere --process x", PACK),
            ("--pack nowhere.toml --process x", "nowhere.toml"),
            ("--pack pds --process x", "cross_level_request"),
            (
                "--pack pds --process dispute --facts x=1",
                "requester_level",
            ),
            ("--pack pds --process dispute --facts class", "NAME=VALUE"),
            (
                "--pack pds --process dispute --facts class=x",
                "unconditional",
            ),
            (
                "--pack pds --process dispute --event x=2026-09-21T09:00:00Z",
                "objection_raised",
            ),
            (
                "--pack pds --process dispute --event objection_raised=2026-09-21",
                "instant",
            ),
            (
                "--pack pds --process dispute --facts class=conditional class=x",
                "twice",
            ),
        ] {
            let error = format!("{:#}", due(&asked(words)).unwrap_err());
            assert!(error.contains(named), "{words}: {error}");
        }
        let refused = run(Command::Due(asked("--pack nowhere --process x"))).unwrap();
        assert_eq!(refused, ExitCode::from(2));
    }

    #[test]
    fn a_later_notice_moves_the_date() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("2027.csv");
        std::fs::write(
            &file,
            "date,kind,name\n2027-01-01,holiday,元旦\n2027-10-01,holiday,国庆节\n",
        )
        .unwrap();
        let words = format!(
            "--pack pds --process correction_by_department --event issue_found=2026-12-31T09:00:00+08:00 \
             --calendar {}",
            file.display()
        );
        assert_eq!(answer(&words)["steps"][0]["due_on"], "2027-01-04");
        let without = words.split(" --calendar").next().unwrap();
        let error = due(&asked(without)).unwrap_err().to_string();
        assert!(error.contains("2027"), "{error}");
        std::fs::write(&file, "date,kind,name\n2027-13-01,holiday,元旦\n").unwrap();
        let error = due(&asked(&words)).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn check_reports_all_faults_of_all_files() {
        let dir = tempfile::tempdir().unwrap();
        let broken = dir.path().join("broken.toml");
        std::fs::write(&broken, "schema = 1\nroles = 1\n").unwrap();
        let child = dir.path().join("child.toml");
        std::fs::write(
            &child,
            format!("schema = 1\n[pack]\nid = \"own\"\ninherits = \"{PACK}\"\ntitel = 1\n"),
        )
        .unwrap();
        let files = [broken.clone(), child, dir.path().join("none.toml")];
        let (said, faults) = report(&files, None).unwrap();
        assert_eq!(faults, 4, "{said}");
        assert!(said.contains("broken.toml:2: file: unknown key roles; did you mean role?"));
        assert!(said.contains("child.toml:5: pack: unknown key titel; did you mean title?"));
        assert!(said.contains("none.toml: No such file"), "{said}");
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../regulations");
        let sound = [
            all.join(format!("{PACK}.toml")),
            all.join("national-ceilings.toml"),
        ];
        let (said, faults) = report(&sound, None).unwrap();
        assert_eq!(faults, 0, "{said}");
    }

    #[test]
    fn a_child_is_shown_with_what_it_inherits() {
        let dir = tempfile::tempdir().unwrap();
        let child = dir.path().join("child.toml");
        std::fs::write(
            &child,
            format!(
                "schema = 1\n[pack]\nid = \"own\"\ninherits = \"{PACK}\"\ntitle = \"本区细则\"\n"
            ),
        )
        .unwrap();
        let by_file = show(
            &child.display().to_string(),
            &Place { packs_dir: None },
            false,
        );
        let place = Place {
            packs_dir: Some(dir.path().to_owned()),
        };
        let by_id = show("own", &place, false).unwrap();
        assert_eq!(by_file.unwrap(), by_id);
        assert!(by_id.contains("本区细则") && by_id.contains("PDS-10.2b"));
    }

    #[test]
    fn show_names_what_the_pack_holds() {
        let text = show("pds", &Place { packs_dir: None }, false).unwrap();
        for part in [
            "平政务和大数据〔2020〕9号",
            "reclaim_unused",
            "PDS-10.2b",
            "usage_statistics",
        ] {
            assert!(text.contains(part), "{part}");
        }
        let json = show("pds", &Place { packs_dir: None }, true).unwrap();
        let pack: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(pack["meta"]["id"], PACK);
    }
}
