//! `IN` lists of one fixed length, so that a statement stays one text however many values it is asked for.

/// How many values an `IN` list of [`in_places!`] takes.
pub const PLACES: usize = 20;

/// The list itself, to be set into a statement; further parameters begin with `$21`.
macro_rules! in_places {
    () => {
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
    };
}
pub(crate) use in_places;

/// The values in groups that fill such a list; spare places repeat the group's last value.
pub fn placed<T: ToString>(values: &[T]) -> impl Iterator<Item = Vec<String>> {
    values.chunks(PLACES).map(|group| {
        let mut places: Vec<String> = group.iter().map(ToString::to_string).collect();
        let spare = places.last().cloned().unwrap_or_default();
        places.resize(PLACES, spare);
        places
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_place_and_spare_places_ask_for_nothing_new() {
        let values: Vec<u32> = (0..45).collect();
        let groups: Vec<_> = placed(&values).collect();
        assert_eq!(groups.len(), 3);
        assert!(groups.iter().all(|group| group.len() == PLACES));
        let mut asked: Vec<String> = groups.into_iter().flatten().collect();
        asked.dedup();
        assert_eq!(asked.len(), 45);
        assert_eq!(in_places!().matches('$').count(), PLACES);
        assert_eq!(placed::<u32>(&[]).count(), 0);
    }
}
