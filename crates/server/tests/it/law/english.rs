//! What a regulation names is shown in English to whoever reads English. The wording of its clauses stays Chinese.

use serde_json::{Value, json};

use super::pingdingshan::{granted_interface, interface_application};
use crate::support::{TestApp, villages_entry};

/// The wording of a regulation, and the names of places and offices in it.
const WORDING: &[&str] = &[
    "body",
    "clause",
    "forwarded",
    "issuer",
    "jurisdiction",
    "number",
    "process_clause",
    "validity_clause",
];

fn is_chinese(text: &str) -> bool {
    text.chars().any(|sign| sign >= '\u{2e80}')
}

/// All texts of a page but the wording of clauses.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !WORDING.contains(&key.as_str()))
            .flat_map(|(_, value)| texts(value))
            .collect(),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

async fn read(app: &TestApp, person: &str, path: &str) -> Value {
    app.as_person(person).in_english().get(path).await.ok()
}

#[tokio::test]
async fn names_of_a_regulation_are_english_for_whoever_reads_english() {
    let app = TestApp::under_pingdingshan().await;
    let (request, life) = granted_interface(&app).await;
    let entry = request["entry_id"].as_str().unwrap();
    let asked = interface_application(&app, entry).await;
    let suspended = json!({ "outcome": "suspended", "ground": "over_scope" });
    app.take("stats", &life, "suspend_or_end", suspended).await;

    let id = |of: &Value, key: &str| of[key].as_str().unwrap().to_owned();
    let request_path = format!("/requests/{}", id(&request, "request_id"));
    let life_path = format!("/cases/{}", id(&life, "case_id"));
    let law = "/law/packs/pingdingshan-2020";
    let english = texts(&read(&app, "civil", law).await);
    // The number of a document, 〔2018〕45号, is wording too.
    let is_left = |it: &&String| is_chinese(it) && !it.contains('〔');
    let left: Vec<&String> = english.iter().filter(is_left).collect();
    assert_eq!(left, Vec::<&String>::new());
    let mut chinese = texts(&app.as_person("civil").get(law).await.ok());
    chinese.retain(|it| is_left(&it));
    assert!(chinese.len() > 150, "{}", chinese.len());
    let pages = [
        ("civil", "/desk".to_owned(), 1),
        ("operator", "/desk".to_owned(), 1),
        ("civil", "/requests".to_owned(), 1),
        ("civil", request_path.clone(), 4),
        (
            "stats",
            format!("/requests/{}", id(&asked, "request_id")),
            4,
        ),
        ("civil", "/cases".to_owned(), 1),
        ("stats", life_path.clone(), 4),
        ("civil", "/processes".to_owned(), 30),
        ("civil", format!("/catalogue/entries/{entry}"), 1),
        ("civil", "/catalogue/entries".to_owned(), 1),
        ("civil", "/law/packs".to_owned(), 30),
    ];
    for (person, path, least) in pages {
        let page = read(&app, person, &path).await;
        let texts = texts(&page);
        let left: Vec<&String> = texts.iter().filter(|it| chinese.contains(*it)).collect();
        assert_eq!(left, Vec::<&String>::new(), "{path} as {person}: {page}");
        let named = texts.iter().filter(|it| english.contains(*it)).count();
        assert!(named >= least, "{path} as {person} names {named}: {page}");
    }

    let page = read(&app, "stats", &life_path).await;
    let event = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| !event["ground"].is_null())
        .unwrap();
    assert_eq!(event["ground"], "Beyond the scope of the grant");
    let grants = read(&app, "civil", "/grants?side=received").await;
    assert_eq!(
        grants["items"][0]["ground"],
        "Beyond the scope of the grant"
    );
    // The wording of a clause is the law's own, and so in Chinese.
    let clause = page["process_clause"]["place"].as_str().unwrap();
    assert!(is_chinese(clause), "{clause}");
    // Whoever reads Chinese reads Chinese.
    let page = app.as_person("stats").get(&life_path).await.ok();
    assert!(is_chinese(page["process_name"].as_str().unwrap()), "{page}");
    app.finish().await;
}

/// A notice keeps the names that were told when it was written, and is shown with those of the reader's language.
#[tokio::test]
async fn a_notice_names_steps_in_the_readers_language() {
    let app = TestApp::under_pingdingshan().await;
    let (_, life) = granted_interface(&app).await;
    let suspended = json!({ "outcome": "suspended", "ground": "over_scope" });
    app.take("stats", &life, "suspend_or_end", suspended).await;
    let told = |page: Value| {
        let notices = page["items"].as_array().unwrap().clone();
        notices
            .into_iter()
            .find(|notice| notice["kind"] == "case.step_taken")
            .unwrap()["facts"]
            .clone()
    };
    let chinese = told(app.as_person("civil").get("/notices").await.ok());
    let english = told(read(&app, "civil", "/notices").await);
    for fact in ["step", "process", "outcome"] {
        let text = |facts: &Value| facts[fact].as_str().unwrap().to_owned();
        assert!(is_chinese(&text(&chinese)), "{chinese}");
        assert!(
            !is_chinese(&text(&english)) && !text(&english).is_empty(),
            "{english}"
        );
    }
    // The number is data and stays.
    assert_eq!(english["number"], chinese["number"]);
    app.finish().await;
}

/// Data types, levels, masks, checks, formats and update cycles have names in both languages.
#[tokio::test]
async fn the_words_of_the_catalogue_follow_the_reader() {
    const WORDS: [&str; 6] = [
        "type_name",
        "sensitivity_name",
        "mask_name",
        "check_name",
        "format_name",
        "update_cycle_name",
    ];
    fn words(value: &Value) -> Vec<String> {
        match value {
            Value::Object(fields) => fields
                .iter()
                .flat_map(|(key, value)| match value {
                    Value::String(word) if WORDS.contains(&key.as_str()) => vec![word.clone()],
                    value => words(value),
                })
                .collect(),
            Value::Array(items) => items.iter().flat_map(words).collect(),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        }
    }
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    let path = format!("/catalogue/entries/{entry}");
    let chinese = words(&app.as_person("civil").get(&path).await.ok());
    let english = words(&read(&app, "civil", &path).await);
    assert!(chinese.len() > 10 && chinese.iter().all(|word| is_chinese(word)));
    assert_eq!(english.len(), chinese.len());
    assert!(!english.iter().any(|word| is_chinese(word)), "{english:?}");
    app.finish().await;
}
