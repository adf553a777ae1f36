//! Invented numbers with true check digits, in a division that doesn't exist, and chance that falls the
//! same way each time.

/// A division of the province that nobody lives in.
const NOWHERE: &str = "419900";

/// Chance that is the same in every county.
pub(super) struct Dice(u64);

impl Dice {
    /// Chance of its own for a table and a row.
    pub(super) fn of(text: &str, n: u64) -> Self {
        // FNV-1a; nothing here has to be hard to guess.
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for byte in text.bytes().chain(n.to_le_bytes()) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(state)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }

    /// One of these.
    pub(super) fn one<'a>(&mut self, of: &'a [String]) -> &'a str {
        let n = self.below(u64::try_from(of.len()).unwrap_or(1));
        usize::try_from(n)
            .ok()
            .and_then(|n| of.get(n))
            .map_or("", String::as_str)
    }
}

/// The identity number of somebody born on this day, `yyyymmdd`.
pub(super) fn id_number(born: &str, order: u64) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECK: &[u8; 11] = b"10X98765432";
    let head = format!("{NOWHERE}{born}{:03}", order % 1000);
    let sum: u32 = head
        .bytes()
        .zip(WEIGHTS)
        .map(|(d, w)| u32::from(d - b'0') * w)
        .sum();
    let check = usize::try_from(sum % 11).map_or('0', |at| char::from(CHECK[at]));
    format!("{head}{check}")
}

/// The same with a slip in its last digit, as it happens at a counter.
pub(super) fn mistyped(id_number: &str) -> String {
    let (head, last) = id_number.split_at(17);
    format!("{head}{}", if last == "1" { "2" } else { "1" })
}

/// The credit code of an enterprise.
pub(super) fn credit_code(order: u64) -> String {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ];
    let head = format!("91{NOWHERE}{}", organisation(order));
    let at = |sign: u8| SIGNS.iter().position(|s| *s == sign).unwrap_or_default();
    let sum: usize = head
        .bytes()
        .zip(WEIGHTS)
        .map(|(sign, w)| at(sign) * w)
        .sum();
    format!("{head}{}", char::from(SIGNS[(31 - sum % 31) % 31]))
}

/// GB 11714.
fn organisation(order: u64) -> String {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let head = format!("MA{:06}", order % 1_000_000);
    let value = |sign: u8| {
        if sign.is_ascii_digit() {
            u32::from(sign - b'0')
        } else {
            u32::from(sign - b'A') + 10
        }
    };
    let sum: u32 = head
        .bytes()
        .zip(WEIGHTS)
        .map(|(sign, w)| value(sign) * w)
        .sum();
    match 11 - sum % 11 {
        10 => format!("{head}X"),
        11 => format!("{head}0"),
        digit => format!("{head}{digit}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tongqu_domain::codes::{CreditCode, check_id_number};

    use super::*;

    #[test]
    fn the_numbers_hold() {
        for order in 0..500 {
            let number = id_number("19570312", order);
            assert!(
                check_id_number(&number, date(2026, 9, 21)).is_ok(),
                "{number}"
            );
            assert!(check_id_number(&mistyped(&number), date(2026, 9, 21)).is_err());
            let code = credit_code(order * 37);
            assert!(CreditCode::parse(&code).is_ok(), "{code}");
        }
    }

    #[test]
    fn chance_falls_the_same_way() {
        let throw = || {
            (0..5)
                .map(|n| Dice::of("a", n).below(1000))
                .collect::<Vec<_>>()
        };
        assert_eq!(throw(), throw());
    }
}
