//! The loader, fault by fault, and what a loaded pack answers.

mod due;
mod faults;
mod inherit;
mod packs;
mod schema;
mod tables;

use std::sync::LazyLock;

use super::*;

pub(crate) const LUYI_2019: &str = include_str!("../../../../regulations/luyi-2019.toml");
pub(crate) const YICHUAN_2020: &str = include_str!("../../../../regulations/yichuan-2020.toml");
pub(crate) const CITY_TEMPLATE: &str = include_str!("../../../../regulations/city-template.toml");
pub(crate) const YANJIN_2019: &str = include_str!("../../../../regulations/yanjin-2019.toml");
pub(crate) const PINGDINGSHAN_2020: &str =
    include_str!("../../../../regulations/pingdingshan-2020.toml");

pub(super) const INVENTED: &str = include_str!("tests/invented.toml");

/// The five regulations, by the name of their file.
pub(crate) const REGULATIONS: &[(&str, &str)] = &[
    ("luyi-2019", LUYI_2019),
    ("yichuan-2020", YICHUAN_2020),
    ("city-template", CITY_TEMPLATE),
    ("yanjin-2019", YANJIN_2019),
    ("pingdingshan-2020", PINGDINGSHAN_2020),
];

/// One of the five, read once.
pub(crate) fn regulation(id: &str) -> Pack {
    static PACKS: LazyLock<Vec<Pack>> = LazyLock::new(|| {
        REGULATIONS
            .iter()
            .map(|(id, source)| {
                Pack::load(source, &format!("{id}.toml"))
                    .unwrap_or_else(|faults| panic!("{faults}"))
            })
            .collect()
    });
    PACKS
        .iter()
        .find(|pack| pack.meta.id.as_str() == id)
        .cloned()
        .unwrap()
}

pub(super) fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

pub(super) fn facts(given: &[(&str, FactValue)]) -> Facts {
    given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}
