//! `cargo xtask bench portal [--json]`: what the portal costs a visitor with an office PC, and how fast and how well the
//! catalogue is searched, each beside its target. The figures are written to `bench/results/portal.json`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::demo::{self, Profile};
use crate::proc::{self, Output};
use crate::setup::{Purpose, setup};
use crate::{bench, repo, web};

/// Entries of the catalogue in which is searched.
const ENTRIES: &str = "100000";

/// A budget: the name of the figure, what it is, its unit, and the most, or the least, that it may be.
struct Budget {
    key: &'static str,
    what: &'static str,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    Most(f64),
    Least(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::Most(most) => figure <= most,
            Self::Least(least) => figure >= least,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Most(most) => format!("<= {most}"),
            Self::Least(least) => format!(">= {least}"),
        }
    }
}

/// The figures by which a version is judged.
const BUDGETS: &[Budget] = &[
    Budget {
        key: "js_gzip_kb_max",
        what: "script of a route before charts, kB",
        bound: Bound::Most(170.0),
    },
    Budget {
        key: "css_gzip_kb_max",
        what: "style of a route, kB",
        bound: Bound::Most(25.0),
    },
    Budget {
        key: "fcp_office_s_max",
        what: "first paint on the office PC, s",
        bound: Bound::Most(1.5),
    },
    Budget {
        key: "lcp_office_s_max",
        what: "largest paint on the office PC, s",
        bound: Bound::Most(2.5),
    },
    Budget {
        key: "search_100k_p99_ms",
        what: "search among 100,000 entries, 99th percentile, ms",
        bound: Bound::Most(5.0),
    },
    Budget {
        key: "search_recall_at_5",
        what: "judged queries answered in the first five hits",
        bound: Bound::Least(0.95),
    },
];

/// Budgets of the portal's design beside those.
const MORE: &[Budget] = &[
    Budget {
        key: "charts_gzip_kb_max",
        what: "chart code of a route, kB",
        bound: Bound::Most(210.0),
    },
    Budget {
        key: "cls_office_max",
        what: "layout shift on the office PC",
        bound: Bound::Most(0.1),
    },
    Budget {
        key: "key_to_result_ms",
        what: "key press to highlighted result, 100,000 entries, ms",
        bound: Bound::Most(300.0),
    },
];

/// Builds what is measured, measures it, and says what was missed.
pub fn run(words: &[String]) -> Result<()> {
    let is_json = match words {
        [] => false,
        [word] if word == "--json" => true,
        _ => bail!("`cargo xtask bench portal` knows --json only"),
    };
    setup(Purpose::Test)?;
    web::build()?;
    demo::build(Profile::Release)?;
    let search = search_bench()?;
    let searched = last_json(Command::new(&search).args(["--json", "--entries", ENTRIES]))?;
    let visited = last_json(
        Command::new("node")
            .arg(repo::root().join("e2e/bench/portal.mjs"))
            .env("TONGQU_BIN", demo::binary(Profile::Release)?)
            .env("TONGQU_SEARCH_BENCH", &search),
    )?;
    let figures = figures(&searched, &visited)?;
    let file = bench::results(bench::PORTAL);
    let report = json!({ "figures": figures, "search": searched, "portal": visited });
    fs::create_dir_all(file.parent().context("the file has a folder")?)?;
    fs::write(&file, format!("{report:#}\n"))
        .with_context(|| format!("can't write {}", file.display()))?;
    if !is_json {
        println!("{}", routes(&visited));
    }
    for budget in BUDGETS.iter().chain(MORE) {
        if !is_json {
            println!("{}", line(budget, &figures));
        }
    }
    let last: serde_json::Map<String, Value> = BUDGETS
        .iter()
        .chain(MORE)
        .map(|budget| (budget.key.to_owned(), figures[budget.key].clone()))
        .collect();
    println!("{}", Value::Object(last));
    Ok(())
}

/// Builds the benchmark `search` and finds its executable.
fn search_bench() -> Result<String> {
    let said = proc::read(
        bench::command("server", "search")?.args(["--no-run", "--message-format=json"]),
    )?;
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "search")
        .find_map(|message| message["executable"].as_str().map(str::to_owned))
        .context("the build names no executable for the benchmark `search`")
}

/// Runs a program and takes the last line of its output that is a JSON object.
fn last_json(command: &mut Command) -> Result<Value> {
    let outcome = proc::run(command, Output::Tee, None)?;
    if !outcome.ok() {
        bail!("{} {}", proc::describe(command), outcome.describe());
    }
    outcome
        .stdout
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(Value::is_object)
        .with_context(|| format!("{} printed no figures", proc::describe(command)))
}

fn figures(searched: &Value, visited: &Value) -> Result<Value> {
    let routes = visited["routes"]
        .as_array()
        .context("no routes were measured")?;
    let most = |key: &str| {
        routes
            .iter()
            .filter_map(|route| route[key].as_f64())
            .fold(0.0, f64::max)
    };
    Ok(json!({
        "js_gzip_kb_max": most("js_gzip_kb"),
        "css_gzip_kb_max": most("css_gzip_kb"),
        "fcp_office_s_max": most("fcp_s"),
        "lcp_office_s_max": most("lcp_s"),
        "search_100k_p99_ms": searched["all"]["p99_ms"],
        "search_recall_at_5": searched["recall_at_5"],
        "charts_gzip_kb_max": most("charts_gzip_kb"),
        "cls_office_max": most("cls"),
        "whole_office_s_max": most("whole_s"),
        "key_to_result_ms": visited["typing"]["key_to_result_ms"],
        "server_search_ms": visited["typing"]["server_search_ms"],
    }))
}

fn routes(visited: &Value) -> String {
    let mut lines = vec![format!(
        "{:<20} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7}",
        "route", "js kB", "charts", "css kB", "FCP s", "LCP s", "whole s", "CLS"
    )];
    for route in visited["routes"].as_array().into_iter().flatten() {
        lines.push(format!(
            "{:<20} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7}",
            route["route"].as_str().unwrap_or_default(),
            route["js_gzip_kb"].to_string(),
            route["charts_gzip_kb"].to_string(),
            route["css_gzip_kb"].to_string(),
            route["fcp_s"].to_string(),
            route["lcp_s"].to_string(),
            route["whole_s"].to_string(),
            route["cls"].to_string(),
        ));
    }
    lines.join("\n")
}

fn line(budget: &Budget, figures: &Value) -> String {
    let figure = figures[budget.key].as_f64();
    let verdict = match figure {
        Some(figure) if budget.bound.holds(figure) => "held",
        Some(_) => "MISSED",
        None => "NOT MEASURED",
    };
    format!(
        "{:<55} {:>9} {:>8}  {verdict}",
        budget.what,
        figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string()),
        budget.bound.text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_route_counts_and_a_miss_is_called_one() {
        let visited = json!({
            "routes": [
                { "route": "/", "js_gzip_kb": 120.5, "css_gzip_kb": 5.0, "fcp_s": 0.9, "lcp_s": 2.6, "cls": 0.01 },
                { "route": "/catalog", "js_gzip_kb": 150.0, "css_gzip_kb": 4.0, "fcp_s": 1.1, "lcp_s": 1.2, "cls": null },
            ],
            "typing": { "key_to_result_ms": null, "server_search_ms": 1.5 },
        });
        let searched = json!({ "all": { "p99_ms": 4.0 }, "recall_at_5": 0.96 });
        let figures = figures(&searched, &visited).unwrap();
        assert_eq!(figures["js_gzip_kb_max"], 150.0);
        assert_eq!(figures["lcp_office_s_max"], 2.6);
        let verdict = |key: &str| {
            let budget = BUDGETS.iter().chain(MORE).find(|budget| budget.key == key);
            line(budget.unwrap(), &figures)
        };
        assert!(verdict("fcp_office_s_max").ends_with("held"));
        assert!(verdict("lcp_office_s_max").ends_with("MISSED"));
        assert!(verdict("search_recall_at_5").ends_with("held"));
        assert!(verdict("key_to_result_ms").ends_with("NOT MEASURED"));
        assert!(super::figures(&searched, &json!({})).is_err());
    }
}
