//! The sentences that people read, by code and language: `messages.toml` beside this file.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::Language;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentence {
    zh: String,
    en: String,
}

static SENTENCES: LazyLock<BTreeMap<String, Sentence>> = LazyLock::new(|| {
    toml::from_str(include_str!("messages.toml")).expect("messages.toml is read by a test")
});

/// The sentence for `code` with its placeholders `{name}` filled in. A code without a sentence gives
/// the general one, so that nobody ever reads a bare code.
#[must_use]
pub fn sentence(code: &str, language: Language, args: &[(&'static str, String)]) -> String {
    let found = SENTENCES.get(code).unwrap_or_else(|| {
        tracing::warn!(code, "no sentence for this code in messages.toml");
        &SENTENCES["platform.refused"]
    });
    let mut text = match language {
        Language::Chinese => found.zh.clone(),
        Language::English => found.en.clone(),
    };
    for (name, value) in args {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// Whether a sentence for `code` exists; tests ask this for every code of the domain.
#[must_use]
pub fn has_sentence(code: &str) -> bool {
    SENTENCES.contains_key(code)
}
