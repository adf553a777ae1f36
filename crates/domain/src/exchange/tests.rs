use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::diff::{DiffError, OrderGuard, Step, compare_keys, same_row, step};
use super::*;
use crate::catalogue::tests::a_content;
use crate::catalogue::{CheckKind, DataItem, DataType, MaskKind, Sensitivity};
use crate::grant::Grant;
use crate::grant::tests::a_grant;
use crate::ids::DepartmentId;

const TODAY: Date = date(2026, 9, 21);

fn item(code: &str, data_type: DataType) -> DataItem {
    DataItem {
        name: code.to_owned(),
        code: code.to_owned(),
        data_type,
        length: None,
        scale: None,
        nullable: true,
        key: false,
        sensitivity: Sensitivity::General,
        mask: None,
        check: None,
        standard: None,
    }
}

fn column(name: &str, column_type: ColumnType) -> Column {
    Column {
        name: name.to_owned(),
        column_type,
        nullable: true,
    }
}

const TEXT: ColumnType = ColumnType::Text { chars_max: None };

// --- values ---------------------------------------------------------------------------------------

#[test]
fn equal_numbers_are_the_same_whatever_carries_them() {
    let one = [
        ValueRef::Int(1),
        ValueRef::UInt(1),
        ValueRef::Decimal {
            unscaled: 1,
            scale: 0,
        },
        ValueRef::Decimal {
            unscaled: 100,
            scale: 2,
        },
    ];
    for a in &one {
        for b in &one {
            assert!(a.is_same(b), "{a:?} {b:?}");
            assert_eq!(RowHash::of(&[*a]), RowHash::of(&[*b]));
        }
    }
    assert!(ValueRef::Float(0.0).is_same(&ValueRef::Float(-0.0)));
    assert_eq!(
        RowHash::of(&[ValueRef::Float(0.0)]),
        RowHash::of(&[ValueRef::Float(-0.0)])
    );
    assert!(ValueRef::Float(f64::NAN).is_same(&ValueRef::Float(-f64::NAN)));
}

#[test]
fn values_that_look_alike_are_not_the_same() {
    let distinct = [
        ValueRef::Null,
        ValueRef::Bool(false),
        ValueRef::Int(0),
        ValueRef::Float(0.0),
        ValueRef::Text(""),
        ValueRef::Text(" "),
        ValueRef::Text("0"),
        ValueRef::Bytes(b""),
        ValueRef::Bytes(b"0"),
        ValueRef::Date(0),
        ValueRef::Time(0),
        ValueRef::Timestamp(0),
        ValueRef::Instant(0),
    ];
    for (i, a) in distinct.iter().enumerate() {
        for (j, b) in distinct.iter().enumerate() {
            assert_eq!(a.is_same(b), i == j, "{a:?} {b:?}");
            assert_eq!(
                RowHash::of(&[*a]) == RowHash::of(&[*b]),
                i == j,
                "{a:?} {b:?}"
            );
            assert_eq!(a.total_cmp(b), i.cmp(&j), "{a:?} {b:?}");
        }
    }
}

#[test]
fn exact_numbers_compare_without_losing_a_digit() {
    fn check(a: (i128, i8), b: (i128, i8), expected: Ordering) {
        let value = |(unscaled, scale)| ValueRef::Decimal { unscaled, scale };
        assert_eq!(value(a).total_cmp(&value(b)), expected, "{a:?} {b:?}");
        assert_eq!(
            value(b).total_cmp(&value(a)),
            expected.reverse(),
            "{b:?} {a:?}"
        );
    }
    check((15, 1), (150, 2), Ordering::Equal);
    check((15, 1), (151, 2), Ordering::Less);
    check((-15, 1), (-151, 2), Ordering::Greater);
    check((1, -128), (1, 127), Ordering::Greater);
    check((-1, -128), (1, 127), Ordering::Less);
    check((0, -128), (0, 127), Ordering::Equal);
    check((i128::MAX, 0), (i128::MAX, 1), Ordering::Greater);
    check((i128::MIN, 0), (i128::MIN, 1), Ordering::Less);
    assert_eq!(
        ValueRef::UInt(u64::MAX).total_cmp(&ValueRef::Int(i64::MAX)),
        Ordering::Greater
    );
}

#[test]
fn values_are_written_as_people_write_them() {
    fn check(value: ValueRef<'_>, expected: Option<&str>) {
        assert_eq!(value.plain_text().as_deref(), expected, "{value:?}");
    }
    let decimal = |unscaled, scale| ValueRef::Decimal { unscaled, scale };
    check(decimal(150, 2), Some("1.5"));
    check(decimal(-5, 3), Some("-0.005"));
    check(decimal(-12345, 2), Some("-123.45"));
    check(decimal(12, -2), Some("1200"));
    check(decimal(1200, 2), Some("12"));
    check(decimal(0, 9), Some("0"));
    check(
        decimal(i128::MIN, 0),
        Some("-170141183460469231731687303715884105728"),
    );
    check(ValueRef::UInt(u64::MAX), Some("18446744073709551615"));
    check(ValueRef::Bool(true), Some("true"));
    check(ValueRef::Date(0), Some("1970-01-01"));
    check(ValueRef::Date(20_727), Some("2026-10-01"));
    check(ValueRef::Date(-1), Some("1969-12-31"));
    check(ValueRef::Date(i32::MAX), None);
    check(ValueRef::Date(i32::MIN), None);
    check(ValueRef::Null, None);
    check(ValueRef::Float(1.0), None);
}

#[test]
fn column_types_know_what_they_hold() {
    fn check(column_type: ColumnType, value: ValueRef<'_>, expected: bool) {
        assert_eq!(
            column_type.accepts(&value),
            expected,
            "{column_type} {value:?}"
        );
    }
    let money = ColumnType::Decimal {
        precision: 5,
        scale: 2,
    };
    check(
        money,
        ValueRef::Decimal {
            unscaled: 99_999,
            scale: 2,
        },
        true,
    );
    check(
        money,
        ValueRef::Decimal {
            unscaled: 100_000,
            scale: 2,
        },
        false,
    );
    check(
        money,
        ValueRef::Decimal {
            unscaled: 12_340,
            scale: 4,
        },
        false,
    );
    check(
        money,
        ValueRef::Decimal {
            unscaled: 12_300,
            scale: 4,
        },
        true,
    );
    check(
        money,
        ValueRef::Decimal {
            unscaled: 1,
            scale: 3,
        },
        false,
    );
    check(money, ValueRef::Int(-999), true);
    check(money, ValueRef::Int(1000), false);
    check(
        money,
        ValueRef::Decimal {
            unscaled: 1,
            scale: -100,
        },
        false,
    );
    check(
        ColumnType::Decimal {
            precision: 255,
            scale: 0,
        },
        ValueRef::Decimal {
            unscaled: i128::MIN,
            scale: 0,
        },
        true,
    );
    check(ColumnType::Int16, ValueRef::Int(32_768), false);
    check(ColumnType::Int16, ValueRef::Int(-32_768), true);
    check(ColumnType::Int64, ValueRef::UInt(u64::MAX), false);
    check(ColumnType::UInt64, ValueRef::UInt(u64::MAX), true);
    check(ColumnType::UInt64, ValueRef::Int(-1), false);
    check(ColumnType::Int32, ValueRef::Text("1"), false);
    check(TEXT, ValueRef::Int(1), false);
    check(ColumnType::Timestamp, ValueRef::Instant(0), false);
    check(ColumnType::Boolean, ValueRef::Null, true);
}

#[test]
fn column_types_have_one_stored_form() {
    let types = [
        ColumnType::Boolean,
        ColumnType::Int16,
        ColumnType::UInt64,
        ColumnType::Float32,
        ColumnType::Decimal {
            precision: 10,
            scale: 2,
        },
        ColumnType::Text {
            chars_max: Some(18),
        },
        TEXT,
        ColumnType::Instant,
    ];
    let stored: Vec<String> = types
        .iter()
        .map(|t| format!("{t} {}", serde_json::to_string(t).unwrap()))
        .collect();
    insta::assert_snapshot!(stored.join("\n"));
    for column_type in types {
        let json = serde_json::to_string(&column_type).unwrap();
        assert_eq!(
            serde_json::from_str::<ColumnType>(&json).unwrap(),
            column_type
        );
    }
}

// --- digest ---------------------------------------------------------------------------------------

#[test]
fn the_digest_of_a_known_table_never_changes() {
    // Receipts in old ledgers hold this form; a change here breaks their verification.
    let mut digest = TableDigest::new();
    assert_eq!(digest.to_string(), "0".repeat(64));
    digest.add_row(&[
        ValueRef::Text("410404001002"),
        ValueRef::Null,
        ValueRef::Int(1),
    ]);
    digest.add_row(&[
        ValueRef::Text("龙兴街道"),
        ValueRef::Float(1.5),
        ValueRef::Decimal {
            unscaled: 15,
            scale: 1,
        },
    ]);
    digest.add_row(&[
        ValueRef::Bool(true),
        ValueRef::Bytes(b"\x00\xff"),
        ValueRef::Date(1),
        ValueRef::Time(2),
        ValueRef::Timestamp(3),
        ValueRef::Instant(4),
    ]);
    assert_eq!(
        serde_json::to_string(&digest).unwrap(),
        r#"{"rows":3,"sum":"2eca49a852a687cc777ce879df38ce763404d9ad5a6b6c83b4b0b813ed483fc1"}"#
    );
}

#[test]
fn values_do_not_run_into_each_other() {
    let joined = RowHash::of(&[ValueRef::Text("ab"), ValueRef::Text("c")]);
    assert_ne!(
        joined,
        RowHash::of(&[ValueRef::Text("a"), ValueRef::Text("bc")])
    );
    assert_ne!(joined, RowHash::of(&[ValueRef::Text("abc")]));
    assert_ne!(
        RowHash::of(&[ValueRef::Null]),
        RowHash::of(&[ValueRef::Null, ValueRef::Null])
    );
}

#[test]
fn a_row_that_occurs_twice_counts_twice() {
    let row = [ValueRef::Int(1)];
    let mut once = TableDigest::new();
    once.add_row(&row);
    let mut twice = once;
    twice.add_row(&row);
    assert_eq!(twice.rows(), 2);
    assert_ne!(once.sum_hex(), twice.sum_hex());
    twice.remove_row(&row);
    assert_eq!(once, twice);
}

#[test]
fn sums_carry_over_the_whole_width() {
    let all_ones = TableDigest::from_parts(1, &"f".repeat(64)).unwrap();
    let one = TableDigest::from_parts(1, &format!("{}1", "0".repeat(63))).unwrap();
    assert_eq!(
        all_ones.merge(&one),
        TableDigest::from_parts(2, &"0".repeat(64)).unwrap()
    );
    assert_eq!(TableDigest::new().without(&one).sum_hex(), "f".repeat(64));
}

#[test]
fn texts_that_are_no_digest_are_refused() {
    for text in ["", "00", &"g".repeat(64), &"F".repeat(64), &"0".repeat(66)] {
        assert_eq!(
            TableDigest::from_parts(0, text),
            Err(InvalidDigest),
            "{text:?}"
        );
    }
}

fn any_row() -> impl Strategy<Value = Vec<(u8, i64, String)>> {
    prop::collection::vec((0_u8..6, any::<i64>(), "\\PC{0,6}"), 0..4)
}

fn as_values(row: &[(u8, i64, String)]) -> Vec<ValueRef<'_>> {
    row.iter()
        .map(|(which, number, text)| match which {
            0 => ValueRef::Null,
            1 => ValueRef::Int(*number),
            2 => ValueRef::Decimal {
                unscaled: i128::from(*number) * 1_000_000_007,
                scale: 3,
            },
            3 => ValueRef::Bytes(text.as_bytes()),
            4 => ValueRef::Instant(*number),
            _ => ValueRef::Text(text),
        })
        .collect()
}

proptest! {
    #[test]
    fn order_and_partition_do_not_matter(rows in prop::collection::vec(any_row(), 0..20), cut in 0_usize..20) {
        let mut whole = TableDigest::new();
        let mut reversed = TableDigest::new();
        let (mut first, mut second) = (TableDigest::new(), TableDigest::new());
        for (i, row) in rows.iter().enumerate() {
            whole.add_row(&as_values(row));
            if i < cut { first.add_row(&as_values(row)) } else { second.add_row(&as_values(row)) }
        }
        for row in rows.iter().rev() {
            reversed.add_row(&as_values(row));
        }
        prop_assert_eq!(whole, reversed);
        prop_assert_eq!(whole, first.merge(&second));
        prop_assert_eq!(whole.without(&first), second);
        let stored = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::from_str::<TableDigest>(&stored).unwrap(), whole);
    }

    #[test]
    fn rows_have_one_hash_exactly_when_they_are_the_same(a in any_row(), b in any_row()) {
        let (a, b) = (as_values(&a), as_values(&b));
        prop_assert_eq!(RowHash::of(&a) == RowHash::of(&b), same_row(&a, &b));
    }

    #[test]
    fn decimals_with_trailing_zeros_hash_alike(unscaled in -1_000_000_000_000_i128..1_000_000_000_000, zeros in 0_u32..15, scale in -20_i8..20) {
        let padded = unscaled * 10_i128.pow(zeros);
        let a = ValueRef::Decimal { unscaled, scale };
        let b = ValueRef::Decimal { unscaled: padded, scale: scale + i8::try_from(zeros).unwrap() };
        prop_assert!(a.is_same(&b));
        prop_assert_eq!(RowHash::of(&[a]), RowHash::of(&[b]));
        prop_assert_eq!(a.plain_text(), b.plain_text());
    }
}

// --- masks ----------------------------------------------------------------------------------------

#[test]
fn masks_keep_what_the_conventions_say() {
    fn check(kind: MaskKind, text: &str, expected: &str) {
        assert_eq!(apply_mask(kind, text), expected, "{kind:?} {text:?}");
    }
    check(MaskKind::PersonName, "王小明", "王**");
    check(MaskKind::PersonName, "阿卜杜拉·买买提", "阿*******");
    check(MaskKind::PersonName, "王", "*");
    check(MaskKind::PersonName, "𠮷野家", "𠮷**");
    check(
        MaskKind::IdNumber,
        "11010519491231002X",
        "110*************2X",
    );
    check(MaskKind::IdNumber, "12345", "*****");
    check(
        MaskKind::IdNumberTail,
        "11010519491231002X",
        "110***********002X",
    );
    check(
        MaskKind::IdNumberArea,
        "11010519491231002X",
        "110105********002X",
    );
    check(MaskKind::IdNumberArea, "1101050020", "**********");
    check(
        MaskKind::BankCardIssuer,
        "6222020200112233445",
        "622202*********3445",
    );
    check(
        MaskKind::SoleTraderCode,
        "91411628MA72583345",
        "91411628MA72583345",
    );
    check(
        MaskKind::SoleTraderCode,
        "92411628MA5118215F",
        "92**************5F",
    );
    check(
        MaskKind::SoleTraderCode,
        "91411628MA72583340",
        "91**************40",
    );
    check(
        MaskKind::SoleTraderCode,
        "410400600123456",
        "41***********56",
    );
    for text in ["", "王", "11010519491231002X"] {
        check(MaskKind::Pseudonym, text, "PN**************************");
    }
    check(MaskKind::Phone, "13800001234", "138****1234");
    check(MaskKind::Phone, "1234567", "*******");
    check(MaskKind::Phone, "12345678", "123*5678");
    check(
        MaskKind::BankCard,
        "6222020200112233445",
        "***************3445",
    );
    check(MaskKind::BankCard, "3445", "****");
    check(
        MaskKind::Email,
        "zhangsan@example.gov.cn",
        "z***@example.gov.cn",
    );
    check(MaskKind::Email, "a@b@c", "a***@c");
    check(MaskKind::Email, "no-at-sign", "**********");
    check(MaskKind::Email, "@b", "**");
    check(MaskKind::Email, "a@", "**");
    check(MaskKind::Plate, "豫D12345", "豫D***45");
    check(MaskKind::Plate, "豫D12", "****");
    check(MaskKind::BirthDate, "1990-01-02", "1990-**-**");
    check(MaskKind::BirthDate, "19900102", "1990****");
    check(MaskKind::BirthDate, "1990年1月2日", "1990年*月*日");
    check(MaskKind::BirthDate, "02/01/1990", "**********");
    check(MaskKind::BirthDate, "1990", "1990");
    check(MaskKind::Hidden, "anything", "***");
    check(MaskKind::Hidden, "", "***");
    check(MaskKind::PersonName, "", "");
}

#[test]
fn addresses_are_kept_down_to_the_town() {
    fn check(text: &str, expected: &str) {
        assert_eq!(apply_mask(MaskKind::Address, text), expected, "{text}");
    }
    check(
        "河南省平顶山市石龙区龙兴街道某某路12号",
        "河南省平顶山市石龙区龙兴街道***",
    );
    check(
        "河南省新乡市红旗区洪门镇李村3组",
        "河南省新乡市红旗区洪门镇***",
    );
    check(
        "江西省景德镇市浮梁县鹅湖镇某某街5号",
        "江西省景德镇市浮梁县鹅湖镇***",
    );
    check(
        "河北省石家庄市长安区建北街道某某里",
        "河北省石家庄市长安区建北街道***",
    );
    check("江苏省镇江市京口区某某路8号", "江苏省镇江市京口区***");
    check("河南省郑州市中原区阳光小区3号楼", "河南省郑州市中原区***");
    check("阳光小区3号楼", "***");
    check("某某路12号", "***");
    check("12号", "***");
    check("石龙区龙兴街道", "石龙区龙兴街道");
    check("", "");
}

#[test]
fn other_values_are_masked_as_they_are_written() {
    fn check(kind: MaskKind, value: ValueRef<'_>, expected: Option<&str>) {
        assert_eq!(
            mask_value(kind, &value).as_deref(),
            expected,
            "{kind:?} {value:?}"
        );
    }
    check(MaskKind::BirthDate, ValueRef::Date(0), Some("1970-**-**"));
    check(
        MaskKind::Phone,
        ValueRef::Int(13_800_001_234),
        Some("138****1234"),
    );
    check(MaskKind::Phone, ValueRef::Null, None);
    check(MaskKind::Hidden, ValueRef::Null, Some("***"));
    check(MaskKind::Phone, ValueRef::Float(1.0), Some("***"));
    check(
        MaskKind::Phone,
        ValueRef::Bytes(b"13800001234"),
        Some("***"),
    );
    check(MaskKind::PersonName, ValueRef::Text("王小明"), Some("王**"));
}

proptest! {
    #[test]
    fn a_mask_never_lets_a_whole_text_through(text in "\\PC{2,30}") {
        for kind in [MaskKind::PersonName, MaskKind::IdNumber, MaskKind::Phone, MaskKind::BankCard, MaskKind::Plate,
            MaskKind::IdNumberTail, MaskKind::IdNumberArea, MaskKind::BankCardIssuer, MaskKind::SoleTraderCode] {
            let masked = apply_mask(kind, &text);
            prop_assert_eq!(masked.chars().count(), text.chars().count(), "one star for one character");
            prop_assert!(masked.contains('*'));
        }
    }

    #[test]
    fn masks_answer_for_every_text(text in any::<String>(), which in 0_usize..MaskKind::ALL.len()) {
        let kind = MaskKind::ALL[which];
        let once = apply_mask(kind, &text);
        prop_assert_eq!(apply_mask(kind, &text), once);
    }
}

// --- pseudonyms -----------------------------------------------------------------------------------

fn key_of(requester: &str) -> PseudonymKey {
    let secret = PseudonymSecret::new(&std::array::from_fn(|n| u8::try_from(n).unwrap()));
    secret.key_of(&DepartmentId::parse(requester).unwrap())
}

/// The expected ones were reckoned with OpenSSL's HMAC of SM3.
#[test]
fn pseudonyms_of_a_requester_never_change() {
    fn check(requester: &str, value: ValueRef<'_>, expected: Option<&str>) {
        assert_eq!(
            key_of(requester).pseudonym(&value).as_deref(),
            expected,
            "{requester} {value:?}"
        );
    }
    check(
        "civil-affairs",
        ValueRef::Text("11010519491231002X"),
        Some("PN8J4TZV660FS450JK37HFQ8671P"),
    );
    let number = Some("PNTPBVM3SSD75G5TPYT6F9XK3ZNS");
    check("civil-affairs", ValueRef::Text("410404"), number);
    check("civil-affairs", ValueRef::Int(410_404), number);
    check("civil-affairs", ValueRef::UInt(410_404), number);
    let decimal = ValueRef::Decimal {
        unscaled: 41_040_400,
        scale: 2,
    };
    check("civil-affairs", decimal, number);
    check(
        "tax",
        ValueRef::Text("410404"),
        Some("PNYCD2T062F38584X178D64T52BG"),
    );
    check(
        "civil-affairs",
        ValueRef::Text(""),
        Some("PNZ7RF63BY1BNCF8W821CPCYAT03"),
    );
    check("civil-affairs", ValueRef::Null, None);
}

#[test]
fn a_secret_and_its_keys_are_told_by_ids_only() {
    let secret = PseudonymSecret::new(&std::array::from_fn(|n| u8::try_from(n).unwrap()));
    assert_eq!(secret.id(), "bd16571f981ad889");
    assert_eq!(format!("{secret:?}"), "***");
    let (key, other) = (key_of("civil-affairs"), key_of("tax"));
    assert_eq!(format!("{key:?}"), format!("PseudonymKey({})", key.id()));
    assert_ne!(key, other);
    assert_ne!(
        PseudonymSecret::new(&[7; 32]).key_of(&DepartmentId::parse("tax").unwrap()),
        other
    );
}

proptest! {
    #[test]
    fn pseudonyms_have_one_form_and_keep_values_apart(a in "\\PC{0,20}", b in "\\PC{0,20}", number in any::<i64>()) {
        let key = key_of("civil-affairs");
        let of = |value: ValueRef<'_>| key.pseudonym(&value).unwrap();
        for value in [ValueRef::Text(&a), ValueRef::Int(number), ValueRef::Float(0.5), ValueRef::Timestamp(number)] {
            let pseudonym = of(value);
            prop_assert_eq!(pseudonym.len(), PSEUDONYM_CHARS);
            prop_assert!(pseudonym.starts_with("PN"));
            prop_assert!(pseudonym.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        }
        prop_assert_eq!(of(ValueRef::Text(&a)) == of(ValueRef::Text(&b)), a == b);
        prop_assert_ne!(of(ValueRef::Timestamp(number)), of(ValueRef::Timestamp(number.wrapping_add(1))));
    }
}

// --- checks ---------------------------------------------------------------------------------------

#[test]
fn values_are_checked_by_their_kind() {
    fn check(kind: CheckKind, value: ValueRef<'_>, expected: Result<(), &str>) {
        assert_eq!(
            check_value(kind, value, TODAY).map_err(|fault| fault.code),
            expected,
            "{kind:?} {value:?}"
        );
    }
    check(
        CheckKind::DivisionCode,
        ValueRef::Text("410404001002"),
        Ok(()),
    );
    check(
        CheckKind::DivisionCode,
        ValueRef::Int(410_404_001_002),
        Ok(()),
    );
    check(
        CheckKind::DivisionCode,
        ValueRef::Text("410404"),
        Err("division_code.length"),
    );
    check(
        CheckKind::DivisionCode,
        ValueRef::Text("41040400100A"),
        Err("division_code.character"),
    );
    check(
        CheckKind::DivisionCode,
        ValueRef::Int(-10_404_001_002),
        Err("division_code.character"),
    );
    check(
        CheckKind::DivisionCode,
        ValueRef::Text("990404001002"),
        Err("division_code.province"),
    );
    check(
        CheckKind::DivisionCode,
        ValueRef::Date(1),
        Err("code.not_text"),
    );
    check(
        CheckKind::CreditCode,
        ValueRef::Text("11411628MB95748796"),
        Ok(()),
    );
    check(
        CheckKind::CreditCode,
        ValueRef::Text("11411628MB95748790"),
        Err("credit_code.check_character"),
    );
    check(
        CheckKind::IdNumber,
        ValueRef::Text("11010519491231002X"),
        Ok(()),
    );
    check(
        CheckKind::IdNumber,
        ValueRef::Int(440_524_188_001_010_014),
        Err("code.not_text"),
    );
    for kind in CheckKind::ALL {
        check(*kind, ValueRef::Null, Ok(()));
    }
}

#[test]
fn a_row_reports_its_first_fault() {
    let items = vec![
        DataItem {
            key: true,
            nullable: true,
            check: Some(CheckKind::DivisionCode),
            ..item("code", DataType::Text)
        },
        DataItem {
            length: Some(4),
            nullable: false,
            ..item("name", DataType::Text)
        },
        DataItem {
            length: Some(5),
            scale: Some(2),
            ..item("area", DataType::Number)
        },
    ];
    let columns = [
        column(
            "code",
            ColumnType::Text {
                chars_max: Some(12),
            },
        ),
        column("name", TEXT),
        column(
            "area",
            ColumnType::Decimal {
                precision: 20,
                scale: 6,
            },
        ),
        column("extra", ColumnType::Int16),
    ];
    let check = RowCheck::new(&items, &columns, TODAY).unwrap();
    let good = [
        ValueRef::Text("410404001002"),
        ValueRef::Text("龙兴街道"),
        ValueRef::Decimal {
            unscaled: 99_999,
            scale: 2,
        },
        ValueRef::Null,
    ];
    assert_eq!(check.check(&good), Ok(()));

    let faulty = |place: usize, value| {
        let mut row = good;
        row[place] = value;
        let fault = check.check(&row).unwrap_err();
        format!("{} {}", fault.column, fault.code)
    };
    assert_eq!(
        faulty(0, ValueRef::Null),
        "code row.null",
        "a key is never NULL, whatever the item says"
    );
    assert_eq!(
        faulty(0, ValueRef::Text("41040400100")),
        "code division_code.length"
    );
    assert_eq!(
        faulty(0, ValueRef::Text("4104040010021")),
        "code row.too_long"
    );
    assert_eq!(faulty(1, ValueRef::Null), "name row.null");
    assert_eq!(faulty(1, ValueRef::Text("龙兴街道办")), "name row.too_long");
    assert_eq!(faulty(1, ValueRef::Text("龙\0")), "name row.nul_character");
    assert_eq!(faulty(1, ValueRef::Int(1)), "name row.type");
    assert_eq!(
        faulty(
            2,
            ValueRef::Decimal {
                unscaled: 100_000,
                scale: 2
            }
        ),
        "area row.number_too_long"
    );
    assert_eq!(
        faulty(
            2,
            ValueRef::Decimal {
                unscaled: 1,
                scale: 3
            }
        ),
        "area row.number_too_long"
    );
    assert_eq!(faulty(3, ValueRef::Int(40_000)), "extra row.type");
    assert_eq!(check.check(&good[..3]).unwrap_err().code, "row.width");
}

#[test]
fn a_check_needs_a_column_for_each_item() {
    let error =
        RowCheck::new(&[item("a", DataType::Text)], &[column("b", TEXT)], TODAY).unwrap_err();
    assert_eq!(
        error,
        RowCheckError::ItemWithoutColumn {
            item: "a".to_owned()
        }
    );
}

// --- counts ---------------------------------------------------------------------------------------

#[test]
fn counts_add_up_or_not() {
    let counts = Counts {
        read: 10,
        delivered: 4,
        unchanged: 3,
        out_of_scope: 2,
        quarantined: 1,
        inserted: 4,
        updated: 0,
        deleted: 7,
    };
    assert!(counts.adds_up());
    assert!(counts.merge(&counts).adds_up());
    assert!(!Counts { read: 11, ..counts }.adds_up());
    assert!(
        !Counts {
            delivered: u64::MAX,
            ..counts
        }
        .adds_up(),
        "no overflow"
    );
    assert!(counts.has_too_many_faults(99));
    assert!(!counts.has_too_many_faults(100));
    assert!(!Counts::default().has_too_many_faults(0));
}

// --- condition ------------------------------------------------------------------------------------

fn condition(json: &str) -> RowCondition {
    serde_json::from_str(json).unwrap()
}

fn condition_items() -> Vec<DataItem> {
    vec![
        item("code", DataType::Text),
        item("level", DataType::Integer),
        item("area", DataType::Number),
        item("since", DataType::Date),
        item("active", DataType::Boolean),
        item("score", DataType::Float),
    ]
}

#[test]
fn a_condition_decides_on_rows() {
    fn check(json: &str, expected: bool) {
        let row = |name: &str| match name {
            "code" => ValueRef::Text("410404001002"),
            "level" => ValueRef::Int(5),
            "area" => ValueRef::Decimal {
                unscaled: 1250,
                scale: 2,
            },
            "since" => ValueRef::Date(20_727),
            "active" => ValueRef::Bool(true),
            _ => ValueRef::Null,
        };
        let condition = condition(json);
        assert_eq!(condition.validate(&condition_items()), [], "{json}");
        assert_eq!(condition.matches(row), expected, "{json}");
    }
    check("[]", true);
    check(r#"[{"column":"code","op":"prefix","values":["41"]}]"#, true);
    check(
        r#"[{"column":"code","op":"prefix","values":["42"]}]"#,
        false,
    );
    check(
        r#"[{"column":"code","op":"eq","values":["410404001002"]}]"#,
        true,
    );
    check(r#"[{"column":"code","op":"eq","values":["41"]}]"#, false);
    check(r#"[{"column":"level","op":"in","values":["4","5"]}]"#, true);
    check(r#"[{"column":"level","op":"in","values":["4"]}]"#, false);
    check(r#"[{"column":"area","op":"eq","values":["12.5"]}]"#, true);
    check(
        r#"[{"column":"since","op":"eq","values":["2026-10-01"]}]"#,
        true,
    );
    check(r#"[{"column":"active","op":"eq","values":["true"]}]"#, true);
    check(
        r#"[{"column":"code","op":"prefix","values":["41"]},{"column":"level","op":"eq","values":["4"]}]"#,
        false,
    );
}

#[test]
fn null_matches_no_condition() {
    for json in [
        r#"[{"column":"code","op":"eq","values":[""]}]"#,
        r#"[{"column":"code","op":"in","values":["","null"]}]"#,
        r#"[{"column":"code","op":"prefix","values":["n"]}]"#,
    ] {
        assert!(!condition(json).matches(|_| ValueRef::Null), "{json}");
    }
}

#[test]
fn a_condition_reports_all_its_faults() {
    let faults = condition(
        r#"[{"column":"nope","op":"eq","values":["1"]},
            {"column":"code","op":"eq","values":[]},
            {"column":"code","op":"prefix","values":["1","2"]},
            {"column":"code","op":"in","values":[]},
            {"column":"code","op":"prefix","values":[""]},
            {"column":"level","op":"prefix","values":["4"]},
            {"column":"level","op":"eq","values":["05"]},
            {"column":"area","op":"eq","values":["12.50"]},
            {"column":"area","op":"eq","values":["-0"]},
            {"column":"since","op":"eq","values":["2026-10-1"]},
            {"column":"active","op":"eq","values":["yes"]},
            {"column":"score","op":"eq","values":["1"]}]"#,
    )
    .validate(&condition_items());
    let seen: Vec<String> = faults
        .iter()
        .map(|f| format!("{} {} {}", f.term, f.column, f.code()))
        .collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn a_condition_has_limits() {
    let term = |n: usize| Term {
        column: "code".to_owned(),
        op: ConditionOp::In,
        values: (0..n).map(|i| i.to_string()).collect(),
    };
    let codes = |condition: &RowCondition| -> Vec<&'static str> {
        condition
            .validate(&condition_items())
            .iter()
            .map(ConditionFault::code)
            .collect()
    };
    assert_eq!(
        codes(&RowCondition::new(vec![term(1); CONDITION_TERMS_MAX])),
        [""; 0]
    );
    assert_eq!(
        codes(&RowCondition::new(vec![term(1); CONDITION_TERMS_MAX + 1])),
        ["condition.too_many"]
    );
    assert_eq!(
        codes(&RowCondition::new(vec![term(CONDITION_VALUES_MAX + 1)])),
        ["condition.too_many"]
    );
}

#[test]
fn unknown_operations_and_fields_of_a_condition_are_refused() {
    assert!(
        serde_json::from_str::<RowCondition>(r#"[{"column":"a","op":"like","values":["1"]}]"#)
            .is_err()
    );
    assert!(
        serde_json::from_str::<RowCondition>(
            r#"[{"column":"a","op":"eq","values":["1"],"or":[]}]"#
        )
        .is_err()
    );
}

#[test]
fn joined_conditions_only_narrow() {
    let province = condition(r#"[{"column":"code","op":"prefix","values":["41"]}]"#);
    let city = condition(r#"[{"column":"code","op":"prefix","values":["4104"]}]"#);
    let both = province.clone().and(&city).and(&city);
    assert_eq!(both.terms().len(), 2, "the same term isn't said twice");
    for code in ["410404001002", "410101001002", "420101001002"] {
        let get = |_: &str| ValueRef::Text(code);
        assert_eq!(
            both.matches(get),
            province.matches(get) && city.matches(get)
        );
    }
}

// --- mounting -------------------------------------------------------------------------------------

#[test]
fn a_table_fits_or_tells_every_reason() {
    let items = vec![
        DataItem {
            key: true,
            ..item("code", DataType::Text)
        },
        item("level", DataType::Integer),
        item("since", DataType::Date),
        item("name", DataType::Text),
        item("again", DataType::Text),
    ];
    let columns = [column("DM", TEXT), column("JB", TEXT), column("MC", TEXT)];
    let map: BTreeMap<String, String> = [
        ("code", "DM"),
        ("level", "JB"),
        ("name", "GONE"),
        ("again", "DM"),
    ]
    .into_iter()
    .map(|(a, b)| (a.to_owned(), b.to_owned()))
    .collect();
    let faults = check_mount(&items, &columns, &map).unwrap_err();
    let seen: Vec<_> = faults
        .iter()
        .map(|fault| (fault.item.as_str(), fault.code()))
        .collect();
    assert_eq!(
        seen,
        [
            ("level", "mounting.type_differs"),
            ("since", "mounting.not_mapped"),
            ("name", "mounting.column_missing"),
            ("again", "mounting.column_twice"),
        ]
    );

    let names: Vec<String> = check_mount(&items[..1], &columns, &map)
        .unwrap()
        .into_iter()
        .map(|column| column.name)
        .collect();
    assert_eq!(names, ["DM"]);
    let faults = check_mount(&items[3..4], &[column("GONE", TEXT)], &map).unwrap_err();
    assert_eq!(faults[0].code(), "mounting.no_key");
}

// --- difference -----------------------------------------------------------------------------------

#[test]
fn text_keys_come_in_the_order_of_their_bytes() {
    // Linguistic collations put these otherwise: case, accents, punctuation, Chinese by pinyin.
    let ordered = [
        "", " ", "-a", "A", "B", "a", "aa", "b", "é", "一", "丁", "龙", "\u{ff21}", "𠮷",
    ];
    for pair in ordered.windows(2) {
        assert_eq!(
            compare_keys(&[ValueRef::Text(pair[0])], &[ValueRef::Text(pair[1])]),
            Ordering::Less,
            "{pair:?}"
        );
    }
}

#[test]
fn the_smaller_key_is_taken_first() {
    let one: &[ValueRef<'_>] = &[ValueRef::Text("a"), ValueRef::Int(2)];
    let two: &[ValueRef<'_>] = &[ValueRef::Text("a"), ValueRef::Int(10)];
    assert_eq!(step(Some(one), Some(two)), Some(Step::OnlySource));
    assert_eq!(step(Some(two), Some(one)), Some(Step::OnlyPool));
    assert_eq!(step(Some(one), Some(one)), Some(Step::Both));
    assert_eq!(step(Some(one), None), Some(Step::OnlySource));
    assert_eq!(step(None, Some(one)), Some(Step::OnlyPool));
    assert_eq!(step(None, None), None);
}

#[test]
fn a_side_out_of_order_is_noticed() {
    let mut guard = OrderGuard::new();
    guard
        .admit(&[ValueRef::Text("a"), ValueRef::Bytes(b"x")])
        .unwrap();
    guard
        .admit(&[ValueRef::Text("b"), ValueRef::Bytes(b"a")])
        .unwrap();
    assert_eq!(
        guard.admit(&[ValueRef::Text("b"), ValueRef::Bytes(b"a")]),
        Err(DiffError::DuplicateKey)
    );
    assert_eq!(
        guard.admit(&[ValueRef::Text("B"), ValueRef::Bytes(b"z")]),
        Err(DiffError::NotAscending)
    );
    assert_eq!(
        guard.admit(&[ValueRef::Text("c"), ValueRef::Null]),
        Err(DiffError::NullInKey)
    );
    guard
        .admit(&[ValueRef::Text("b"), ValueRef::Bytes(b"b")])
        .unwrap();
}

proptest! {
    #[test]
    fn the_merge_finds_exactly_the_differences(
        source in prop::collection::btree_map(0_i64..40, 0_u8..3, 0..30),
        pool in prop::collection::btree_map(0_i64..40, 0_u8..3, 0..30),
    ) {
        let mut result = pool.clone();
        let (mut left, mut right) = (source.iter().peekable(), pool.iter().peekable());
        let (mut left_guard, mut right_guard) = (OrderGuard::new(), OrderGuard::new());
        loop {
            let left_key = left.peek().map(|(key, _)| [ValueRef::Int(**key)]);
            let right_key = right.peek().map(|(key, _)| [ValueRef::Int(**key)]);
            let Some(next) = step(left_key.as_ref().map(|k| &k[..]), right_key.as_ref().map(|k| &k[..])) else { break };
            if next != Step::OnlyPool {
                prop_assert_eq!(left_guard.admit(&left_key.unwrap()), Ok(()));
                let (key, value) = left.next().unwrap();
                result.insert(*key, *value);
            }
            if next != Step::OnlySource {
                prop_assert_eq!(right_guard.admit(&right_key.unwrap()), Ok(()));
                let (key, _) = right.next().unwrap();
                if next == Step::OnlyPool {
                    result.remove(key);
                }
            }
        }
        prop_assert_eq!(result, source);
    }

    #[test]
    fn the_order_of_values_is_total(a in any_row(), b in any_row(), c in any_row()) {
        let (a, b, c) = (as_values(&a), as_values(&b), as_values(&c));
        prop_assert_eq!(compare_keys(&a, &b), compare_keys(&b, &a).reverse());
        if compare_keys(&a, &b).is_le() && compare_keys(&b, &c).is_le() {
            prop_assert!(compare_keys(&a, &c).is_le());
        }
    }
}

// --- plan -----------------------------------------------------------------------------------------

/// The columns of `catalogue::tests::a_content` as the pool has them, with its own two at the end.
fn pool_columns() -> Vec<Column> {
    vec![
        column(
            "area",
            ColumnType::Decimal {
                precision: 10,
                scale: 2,
            },
        ),
        Column {
            nullable: false,
            ..column(
                "code",
                ColumnType::Text {
                    chars_max: Some(12),
                },
            )
        },
        column(
            "head",
            ColumnType::Text {
                chars_max: Some(50),
            },
        ),
        column(
            "name",
            ColumnType::Text {
                chars_max: Some(50),
            },
        ),
        column("_seq", ColumnType::Int64),
        column("_deleted", ColumnType::Int16),
    ]
}

#[test]
fn a_plan_delivers_the_granted_and_nothing_else() {
    let (grant, content) = (a_grant(), a_content());
    let plan = Plan::for_grant(&grant, &content.items, &pool_columns(), None).unwrap();
    let target: Vec<String> = plan
        .target_columns()
        .iter()
        .map(|c| format!("{} {} {}", c.name, c.column_type, c.nullable))
        .collect();
    assert_eq!(
        target,
        [
            "code text(12) false",
            "name text(50) true",
            "head text true"
        ]
    );
    assert_eq!(plan.key(), ["code"]);

    let row = |code| {
        [
            ValueRef::Decimal {
                unscaled: 1,
                scale: 0,
            },
            ValueRef::Text(code),
            ValueRef::Text("王小明"),
            ValueRef::Null,
            ValueRef::Int(7),
            ValueRef::Int(0),
        ]
    };
    assert!(plan.is_in_scope(&row("410404001002")));
    assert!(!plan.is_in_scope(&row("420404001002")));
    assert!(!plan.is_in_scope(&[]), "what isn't there isn't in scope");
    let delivered = plan.project(&row("410404001002"));
    let values: Vec<ValueRef<'_>> = delivered.iter().map(Delivered::as_value).collect();
    assert!(same_row(
        &values,
        &[
            ValueRef::Text("410404001002"),
            ValueRef::Null,
            ValueRef::Text("王**")
        ]
    ));
}

/// A key under pseudonyms keeps rows apart, and another secret or requester is another plan.
#[test]
fn a_plan_pseudonymises_keys_as_well() {
    let content = a_content();
    let grant = Grant {
        masks: BTreeMap::from(["code", "name"].map(|code| (code.to_owned(), MaskKind::Pseudonym))),
        condition: RowCondition::all_rows(),
        ..a_grant()
    };
    let plan_under = |key: &PseudonymKey| {
        Plan::for_grant(&grant, &content.items, &pool_columns(), Some(key)).unwrap()
    };
    let key = key_of("civil-affairs");
    let plan = plan_under(&key);
    let target: Vec<String> = plan
        .target_columns()
        .iter()
        .map(|c| format!("{} {} {}", c.name, c.column_type, c.nullable))
        .collect();
    assert_eq!(
        target,
        [
            "code text(28) false",
            "name text(28) true",
            "head text(50) true"
        ]
    );
    assert_eq!(plan.key(), ["code"]);
    let row = [
        ValueRef::Null,
        ValueRef::Text("410404001002"),
        ValueRef::Text("王小明"),
        ValueRef::Null,
    ];
    let delivered = plan.project(&row);
    let expected = key.pseudonym(&ValueRef::Text("410404001002")).unwrap();
    let values: Vec<ValueRef<'_>> = delivered.iter().map(Delivered::as_value).collect();
    assert!(same_row(
        &values,
        &[
            ValueRef::Text(&expected),
            ValueRef::Null,
            ValueRef::Text("王小明")
        ]
    ));
    assert!(plan.reorders_key());
    assert_eq!(plan.fingerprint(), plan_under(&key).fingerprint());
    assert_ne!(
        plan.fingerprint(),
        plan_under(&key_of("tax")).fingerprint(),
        "another key begins the delivery anew"
    );
    let plain = |key: Option<&PseudonymKey>| {
        Plan::for_grant(&a_grant(), &content.items, &pool_columns(), key).unwrap()
    };
    assert_eq!(plain(None).fingerprint(), plain(Some(&key)).fingerprint());
    assert!(!plain(None).reorders_key());
}

#[test]
fn a_plan_without_its_key_or_of_other_types_is_refused() {
    let content = a_content();
    let grant = Grant {
        masks: BTreeMap::from([("head".to_owned(), MaskKind::Pseudonym)]),
        ..a_grant()
    };
    let mut columns = pool_columns();
    let codes = |columns: &[Column], key: Option<&PseudonymKey>| -> Vec<&str> {
        let faults = Plan::for_grant(&grant, &content.items, columns, key).unwrap_err();
        faults.iter().map(PlanFault::code).collect()
    };
    assert_eq!(codes(&columns, None), ["exchange.pseudonym_key_missing"]);
    for column in columns.iter_mut().filter(|column| column.name == "head") {
        column.column_type = ColumnType::Float64;
    }
    assert_eq!(
        codes(&columns, Some(&key_of("tax"))),
        ["grant.pseudonym_unfit"]
    );
}

#[test]
fn a_plan_tells_every_reason_against_it() {
    let mut columns = pool_columns();
    columns.retain(|column| column.name != "name" && column.name != "code");
    let grant = Grant {
        masks: BTreeMap::from([("code".to_owned(), MaskKind::Hidden)]),
        columns: vec!["name".to_owned(), "head".to_owned()],
        ..a_grant()
    };
    let reasons = |grant: &Grant, items: &[DataItem], columns: &[Column]| -> Vec<String> {
        let faults = Plan::for_grant(grant, items, columns, None).unwrap_err();
        faults
            .iter()
            .map(|fault| format!("{} {}", fault.item, fault.code()))
            .collect()
    };
    let items = a_content().items;
    assert_eq!(
        reasons(&grant, &items, &columns),
        [
            "code exchange.key_not_granted",
            "name exchange.column_missing",
            "code exchange.column_missing"
        ]
    );
    let masked_key = Grant {
        masks: grant.masks.clone(),
        ..a_grant()
    };
    assert_eq!(
        reasons(&masked_key, &items, &pool_columns()),
        ["code exchange.key_masked"]
    );
    assert_eq!(
        reasons(&a_grant(), &items[1..], &pool_columns()),
        [" exchange.no_key"]
    );
}

// --- samples --------------------------------------------------------------------------------------

#[test]
fn a_sensitive_item_without_a_mask_is_hidden_in_a_sample() {
    let open = item("town", DataType::Text);
    let mut sensitive = item("name", DataType::Text);
    sensitive.sensitivity = Sensitivity::Sensitive;
    let mut masked = sensitive.clone();
    masked.mask = Some(MaskKind::PersonName);
    let value = ValueRef::Text("王小明");
    let mut pseudonymous = sensitive.clone();
    pseudonymous.mask = Some(MaskKind::Pseudonym);
    for value in [value, ValueRef::Float(1.5), ValueRef::Text("")] {
        assert_eq!(
            sample_value(&pseudonymous, &value).unwrap(),
            "PN**************************",
            "a sample is for everybody, and so tells not even which are equal"
        );
    }
    assert_eq!(sample_value(&open, &value).unwrap(), "王小明");
    assert_eq!(sample_value(&sensitive, &value).unwrap(), "***");
    assert_eq!(sample_value(&masked, &value).unwrap(), "王**");
    assert_eq!(
        sample_value(&sensitive, &ValueRef::Null).unwrap(),
        "***",
        "hidden means that not even its absence is told"
    );
    assert_eq!(sample_value(&open, &ValueRef::Null), None);
    assert_eq!(
        sample_value(&open, &ValueRef::Timestamp(1_700_000_000_000_000)).unwrap(),
        "2023-11-14"
    );
    assert_eq!(
        sample_value(&open, &ValueRef::Text(&"长".repeat(41)))
            .unwrap()
            .chars()
            .count(),
        41,
        "40 characters and the mark of the cut"
    );
}

proptest! {
    /// Every value shown is one of its own column's, and a table too small for mixing gives none.
    #[test]
    fn a_sample_shows_values_of_each_column(rows in 0_usize..100, lines in 1_usize..10, seed in any::<u64>()) {
        let column = |mark: &str| (0..rows).map(|n| Some(format!("{mark}{n}"))).collect::<Vec<_>>();
        let laid = lay_out_sample(vec![column("a"), column("b")], lines, seed);
        prop_assert_eq!(laid.is_some(), rows >= lines * ROWS_FOR_EACH_LINE);
        for line in laid.into_iter().flatten() {
            prop_assert_eq!(line.len(), 2);
            prop_assert!(line[0].as_ref().unwrap().starts_with('a'));
            prop_assert!(line[1].as_ref().unwrap().starts_with('b'));
        }
    }
}

#[test]
fn the_lines_of_a_sample_are_not_the_rows() {
    let column = || (0..400).map(|n| Some(n.to_string())).collect::<Vec<_>>();
    let laid = lay_out_sample(vec![column(), column()], 8, 7).unwrap();
    let whole = laid.iter().filter(|line| line[0] == line[1]).count();
    assert!(whole < 2, "{whole} of 8 lines are rows of the table");
    let mut shown: Vec<_> = laid.iter().map(|line| line[0].clone()).collect();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), 8, "no row is shown twice in a column");
}
