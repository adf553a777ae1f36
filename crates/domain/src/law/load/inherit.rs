//! Inheritance: a child pack says only what it changes, and gets all else from its parent.
//!
//! Child and parent are laid over each other before anything is read, so that all checks look at the
//! whole and run once. Every value keeps the place it comes from: a fault is reported in the file that
//! has to be mended.
//!
//! Spec: PDS-25 (departments and districts may make rules on the basis of the city's).

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::fault::FaultKind;
use super::source::Source;

type Value<'a> = Spanned<DeValue<'a>>;

/// What a pack says of itself alone. Whom a parent's rules were forwarded to, what follows it and that
/// it is a template doesn't hold for a child.
const OWN: &[&str] = &["id", "inherits", "template", "forwarded", "successor"];

/// The forms of a limit, of which there is only one.
const LIMITS: &[&str] = &["working_days", "months", "years", "month", "day", "word"];

/// The parent with the child laid over it.
pub(super) fn overlay<'a>(
    source: &Source,
    mut parent: DeTable<'a>,
    child: DeTable<'a>,
) -> DeTable<'a> {
    prepare_pack(&mut parent, &child);
    for (key, value) in child {
        let merged = match (
            key.get_ref().as_ref(),
            parent.remove(key.get_ref().as_ref()),
        ) {
            ("pack" | "clauses" | "received_by", Some(below)) => {
                tables(below, value, |_, _, above| above)
            }
            ("role" | "fact" | "periodic", Some(below)) => list(source, "id", below, value, keep),
            ("sharing_class" | "exchange_mode" | "barred_ground", Some(below)) => {
                list(source, "code", below, value, keep)
            }
            ("process" | "list", Some(below)) => list(source, "id", below, value, nested),
            // Deciders stand in an order: who changes one says them all.
            (_, _) => value,
        };
        parent.insert(key, merged);
    }
    parent
}

/// Takes out of the parent's `[pack]` what isn't inherited.
fn prepare_pack(parent: &mut DeTable<'_>, child: &DeTable<'_>) {
    let Some(DeValue::Table(pack)) = parent.get_mut("pack").map(Spanned::get_mut) else {
        return;
    };
    for key in OWN {
        pack.remove(*key);
    }
    let says_where = child
        .get("pack")
        .and_then(|pack| pack.get_ref().as_table())
        .is_some_and(|pack| pack.contains_key("jurisdiction"));
    // Two packs can't be chosen for one place; a child without a place of its own is chosen by name.
    if !says_where
        && let Some(DeValue::Table(place)) = pack.get_mut("jurisdiction").map(Spanned::get_mut)
    {
        place.remove("division");
    }
}

/// How an entry of a list is laid over the one with the same name: source, key, below, above.
type Join = for<'a> fn(&Source, &str, Value<'a>, Value<'a>) -> Value<'a>;

fn keep<'a>(_: &Source, key: &str, below: Value<'a>, above: Value<'a>) -> Value<'a> {
    match key {
        "deadline" | "not_before" | "due" => limit(below, above),
        _ => above,
    }
}

fn nested<'a>(source: &Source, key: &str, below: Value<'a>, above: Value<'a>) -> Value<'a> {
    match key {
        "step" => list(source, "id", below, above, keep),
        "items" => list(source, "code", below, above, keep),
        _ => keep(source, key, below, above),
    }
}

/// Two tables with the keys of both. It counts as standing where the upper one does.
fn tables<'a>(
    below: Value<'a>,
    above: Value<'a>,
    join: impl Fn(&str, Value<'a>, Value<'a>) -> Value<'a>,
) -> Value<'a> {
    let span = above.span();
    match (below.into_inner(), above.into_inner()) {
        (DeValue::Table(mut below), DeValue::Table(above)) => {
            for (key, value) in above {
                let merged = match below.remove(key.get_ref().as_ref()) {
                    Some(old) => join(key.get_ref().as_ref(), old, value),
                    None => value,
                };
                below.insert(key, merged);
            }
            Spanned::new(span, DeValue::Table(below))
        }
        // What isn't a table is reported by whoever reads it.
        (_, above) => Spanned::new(span, above),
    }
}

/// A changed limit rests on a clause of its own, and has one form only.
fn limit<'a>(below: Value<'a>, above: Value<'a>) -> Value<'a> {
    let Some(changed) = above.get_ref().as_table() else {
        return above;
    };
    let has_limit = LIMITS.iter().any(|form| changed.contains_key(*form));
    let mut below = below;
    if let DeValue::Table(below) = below.get_mut() {
        below.remove("clause");
        for form in LIMITS.iter().filter(|_| has_limit) {
            below.remove(*form);
        }
    }
    tables(below, above, |_, _, above| above)
}

/// Two lists of tables: entries with the same name are laid over each other, new ones come after,
/// those that say `drop = true` are taken out, and `without` names keys that aren't wanted.
fn list<'a>(
    source: &Source,
    name: &'static str,
    below: Value<'a>,
    above: Value<'a>,
    join: Join,
) -> Value<'a> {
    let span = above.span();
    let (below, above) = match (below.into_inner(), above.into_inner()) {
        (DeValue::Array(below), DeValue::Array(above)) => (below, above),
        (_, above) => return Spanned::new(span, above),
    };
    let mut entries: Vec<Value<'a>> = below.into_iter().collect();
    let mut given: Vec<String> = Vec::new();
    for mut value in above {
        let dropped = take_drop(&mut value);
        let without = take_without(&mut value);
        let Some(id) = name_of(&value, name).map(str::to_owned) else {
            entries.push(value);
            continue;
        };
        let line = source.line_of(value.span().start);
        if given.contains(&id) {
            source.fault(
                line,
                FaultKind::Duplicate,
                format!("{id} is given twice"),
                "rename or remove one of them",
            );
            continue;
        }
        let at = entries
            .iter()
            .position(|entry| name_of(entry, name) == Some(id.as_str()));
        match (at, dropped) {
            (Some(at), true) => drop(entries.remove(at)),
            (Some(at), false) => {
                let mut below = entries.remove(at);
                for key in without {
                    if !remove(&mut below, &key) {
                        source.fault(
                            line,
                            FaultKind::NothingToDrop,
                            format!("without: the parent's {id} has no {key}"),
                            "mend the key or leave it out",
                        );
                    }
                }
                let merged = tables(below, value, |key, old, new| join(source, key, old, new));
                entries.insert(at, merged);
            }
            (None, true) => source.fault(
                line,
                FaultKind::NothingToDrop,
                format!("drop: the parent has no {id}"),
                "mend the name or remove the entry",
            ),
            (None, false) => {
                if let Some(key) = without.first() {
                    source.fault(
                        line,
                        FaultKind::NothingToDrop,
                        format!("without {key}: the parent has no {id}"),
                        "mend the name or leave it out",
                    );
                }
                entries.push(value);
            }
        }
        given.push(id);
    }
    Spanned::new(
        span,
        DeValue::Array(entries.into_iter().collect::<DeArray<'a>>()),
    )
}

fn name_of<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v str> {
    value.get_ref().as_table()?.get(name)?.get_ref().as_str()
}

/// Takes `drop = true` out of an entry; whether it was there.
fn take_drop(value: &mut Value<'_>) -> bool {
    let says_so = |value: &DeValue<'_>| value.as_bool() == Some(true);
    take(value, "drop", says_so).is_some()
}

/// Takes `without = ["key"]` out of an entry: the keys that it doesn't want from its parent.
fn take_without(value: &mut Value<'_>) -> Vec<String> {
    let is_list = |value: &DeValue<'_>| {
        value
            .as_array()
            .is_some_and(|keys| keys.iter().all(|key| key.get_ref().is_str()))
    };
    let Some(DeValue::Array(keys)) = take(value, "without", is_list) else {
        return Vec::new();
    };
    keys.iter()
        .filter_map(|key| key.get_ref().as_str().map(str::to_owned))
        .collect()
}

/// Takes a key out of a table if its value is what it should be. Anything else stays and is reported
/// as an unknown key.
fn take<'a>(
    value: &mut Value<'a>,
    key: &str,
    fits: impl Fn(&DeValue<'_>) -> bool,
) -> Option<DeValue<'a>> {
    let DeValue::Table(table) = value.get_mut() else {
        return None;
    };
    if table.get(key).is_some_and(|value| fits(value.get_ref())) {
        table.remove(key).map(Spanned::into_inner)
    } else {
        None
    }
}

fn remove(value: &mut Value<'_>, key: &str) -> bool {
    take(value, key, |_| true).is_some()
}
