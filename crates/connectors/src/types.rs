//! Which column type can carry the values of which other without changing any.

use tongqu_domain::exchange::ColumnType;

use crate::text::DECIMAL_DIGITS_MAX;

/// Whether a column of type `wide` takes every value of type `narrow` unchanged.
///
/// The length of text is left out on purpose: whether a long column's values fit a shorter one is
/// decided by the values, which the stores check before they change anything.
pub(crate) fn holds(wide: ColumnType, narrow: ColumnType) -> Result<(), String> {
    let fits = match (wide, narrow) {
        (ColumnType::Text { .. }, ColumnType::Text { .. })
        | (ColumnType::Int32, ColumnType::Int16)
        | (ColumnType::Int64, ColumnType::Int16 | ColumnType::Int32)
        | (ColumnType::Float64, ColumnType::Float32) => true,
        (ColumnType::Decimal { precision, scale }, other) => {
            whole_digits(other).is_some_and(|(whole, fraction)| {
                fraction <= i16::from(scale) && whole <= i16::from(precision) - i16::from(scale)
            })
        }
        (wide, narrow) => wide == narrow,
    };
    if fits {
        Ok(())
    } else {
        Err(format!(
            "it is {wide}, which can't carry every {narrow}; declare it wide enough"
        ))
    }
}

/// Digits before and after the point that the type needs, for the exact number types.
fn whole_digits(column_type: ColumnType) -> Option<(i16, i16)> {
    match column_type {
        ColumnType::Int16 => Some((5, 0)),
        ColumnType::Int32 => Some((10, 0)),
        ColumnType::Int64 => Some((19, 0)),
        ColumnType::UInt64 => Some((20, 0)),
        ColumnType::Decimal { precision, scale } => {
            Some((i16::from(precision) - i16::from(scale), i16::from(scale)))
        }
        _ => None,
    }
}

/// A decimal type if 128 bits and every engine can hold it, else the reason for refusing it.
pub(crate) fn decimal(precision: u32, scale: i32) -> Result<ColumnType, String> {
    let limit = u32::from(DECIMAL_DIGITS_MAX);
    if precision == 0 || precision > limit {
        return Err(format!(
            "it has {precision} digits, at most {limit} are carried exactly; declare fewer"
        ));
    }
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) if (0..=i16::from(precision)).contains(&i16::from(scale)) => {
            Ok(ColumnType::Decimal { precision, scale })
        }
        _ => Err(format!(
            "its scale {scale} doesn't lie between 0 and its {precision} digits"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_carried_only_by_one_that_takes_all_its_values() {
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        let text = |chars_max| ColumnType::Text { chars_max };
        for (wide, narrow, fits) in [
            (ColumnType::Int64, ColumnType::Int16, true),
            (ColumnType::Int16, ColumnType::Int32, false),
            (ColumnType::Int64, ColumnType::UInt64, false),
            (decimal(20, 0), ColumnType::UInt64, true),
            (decimal(19, 0), ColumnType::UInt64, false),
            (decimal(12, 2), decimal(10, 2), true),
            (decimal(12, 4), decimal(10, 2), true),
            (decimal(12, 1), decimal(10, 2), false),
            (decimal(10, 2), decimal(12, 2), false),
            (ColumnType::Float64, ColumnType::Float32, true),
            (ColumnType::Float32, ColumnType::Float64, false),
            (text(Some(3)), text(None), true),
            (ColumnType::Timestamp, ColumnType::Instant, false),
            (ColumnType::Timestamp, ColumnType::Date, false),
            (ColumnType::Boolean, ColumnType::Int16, false),
            (text(None), ColumnType::Int16, false),
        ] {
            assert_eq!(holds(wide, narrow).is_ok(), fits, "{wide} for {narrow}");
        }
    }

    #[test]
    fn decimals_beyond_38_digits_are_refused() {
        assert!(super::decimal(38, 38).is_ok());
        assert!(super::decimal(39, 0).is_err());
        assert!(super::decimal(5, 6).is_err());
        assert!(super::decimal(5, -1).is_err());
    }
}
