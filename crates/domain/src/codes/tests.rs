use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

const TODAY: Date = date(2026, 9, 21);

/// Invented numbers with computed check characters: area, type, valid, and the same with a wrong end.
const CREDIT_CODES: &[(&str, &str, &str)] = &[
    ("11", "11411628MB95748796", "11411628MB95748790"),
    ("12", "12411628MB8822279D", "12411628MB88222790"),
    ("51", "51411628MJ25932081", "51411628MJ25932080"),
    ("91", "91411628MA72583345", "91411628MA72583340"),
    ("92", "92411628MA5118215F", "92411628MA51182150"),
    ("93", "93411628MA1387864U", "93411628MA13878640"),
    ("11", "11410329MB5418174L", "11410329MB54181740"),
    ("12", "12410329MB6877532M", "12410329MB68775320"),
    ("51", "51410329MJ0350990M", "51410329MJ03509900"),
    ("91", "91410329MA26744514", "91410329MA26744510"),
    ("92", "92410329MA6341240M", "92410329MA63412400"),
    ("93", "93410329MA51341941", "93410329MA51341940"),
    ("11", "11410726MB0612920L", "11410726MB06129200"),
    ("12", "12410726MB2392044F", "12410726MB23920440"),
    ("51", "51410726MJ3437768H", "51410726MJ34377680"),
    ("91", "91410726MA7349121D", "91410726MA73491210"),
    ("92", "92410726MA6973803B", "92410726MA69738030"),
    ("93", "93410726MA1738003U", "93410726MA17380030"),
    ("11", "11410400MB19549814", "11410400MB19549810"),
    ("12", "12410400MB9591927X", "12410400MB95919270"),
    ("51", "51410400MJ65676999", "51410400MJ65676990"),
    ("91", "91410400MA7907525D", "91410400MA79075250"),
    ("92", "92410400MA7107480N", "92410400MA71074800"),
    ("93", "93410400MA936363XN", "93410400MA936363X0"),
    ("11", "11410404MB7563121M", "11410404MB75631210"),
    ("12", "12410404MB7622646W", "12410404MB76226460"),
    ("51", "51410404MJ90718677", "51410404MJ90718670"),
    ("91", "91410404MA8111174G", "91410404MA81111740"),
    ("92", "92410404MA6897812P", "92410404MA68978120"),
    ("93", "93410404MA6006338B", "93410404MA60063380"),
];

/// The two printed examples of GB 11643-1999.
const ID_NUMBERS: &[&str] = &["11010519491231002X", "440524188001010014"];

#[test]
fn credit_codes_agree_with_the_vectors() {
    for (organisation_type, valid, invalid) in CREDIT_CODES {
        let code = CreditCode::parse(valid).unwrap();
        assert_eq!(&code.as_str()[..2], *organisation_type);
        assert!(code.type_label().is_some());
        assert_eq!(
            CreditCode::parse(invalid),
            Err(CodeFault::CreditCodeCheck),
            "{invalid}"
        );
    }
}

#[test]
fn a_credit_code_tells_its_parts() {
    let code = CreditCode::parse("92411628ma5118215f").unwrap();
    assert_eq!(code.to_string(), "92411628MA5118215F");
    assert_eq!(code.division(), "411628");
    assert_eq!(code.organisation_code(), "MA5118215");
    assert_eq!(code.type_label(), Some("个体工商户"));
    assert!(code.is_individual_business());
}

#[test]
fn faulty_credit_codes_say_which_rule_they_break() {
    fn check(text: &str, fault: CodeFault) {
        assert_eq!(CreditCode::parse(text), Err(fault), "{text:?}");
    }
    check("", CodeFault::CreditCodeLength);
    check("11411628MB9574879", CodeFault::CreditCodeLength);
    check("11411628MB957487966", CodeFault::CreditCodeLength);
    check("11411628MB9574879I", CodeFault::CreditCodeCharacter);
    check("11411628MB9574879。", CodeFault::CreditCodeCharacter);
    check(
        "统一社会信用代码统一社会信用代码十八",
        CodeFault::CreditCodeCharacter,
    );
    check("1141162AMB95748796", CodeFault::CreditCodeCharacter);
    check("14411628MB95748796", CodeFault::CreditCodeType);
    check("00411628MB95748796", CodeFault::CreditCodeType);
    // The whole agrees modulo 31 but the organisation code inside doesn't.
    check(
        &with_check("11411628MB9574870"),
        CodeFault::CreditCodeOrganisation,
    );
}

#[test]
fn every_listed_type_passes_and_99_has_no_label() {
    for code in ["A1", "A9", "N1", "N2", "N3", "N9", "Y1", "35", "13"] {
        let code = CreditCode::parse(&with_check(&format!("{code}411628MB9574879"))).unwrap();
        assert!(code.type_label().is_some(), "{code}");
    }
    assert_eq!(
        CreditCode::parse(&with_check("99411628MB9574879"))
            .unwrap()
            .type_label(),
        None
    );
}

/// Appends the check character, reckoned with powers instead of the table of weights.
fn with_check(body: &str) -> String {
    let alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mut power = 1;
    let mut sum = 0;
    for c in body.chars() {
        sum += alphabet.find(c).unwrap() * power;
        power = power * 3 % 31;
    }
    let check = alphabet.chars().nth((31 - sum % 31) % 31).unwrap();
    format!("{body}{check}")
}

#[test]
fn identity_numbers_agree_with_the_standard() {
    let first = check_id_number(ID_NUMBERS[0], TODAY).unwrap();
    assert_eq!(first.born_on(), date(1949, 12, 31));
    assert_eq!(first.division(), "110105");
    assert_eq!(first.sex(), Sex::Female);
    let second = check_id_number(ID_NUMBERS[1], TODAY).unwrap();
    assert_eq!(second.born_on(), date(1880, 1, 1));
    assert_eq!(second.sex(), Sex::Male);
    assert_eq!(
        check_id_number("11010519491231002x", TODAY)
            .unwrap()
            .as_str(),
        ID_NUMBERS[0]
    );
}

#[test]
fn faulty_identity_numbers_say_which_rule_they_break() {
    fn check(text: &str, fault: CodeFault) {
        assert_eq!(check_id_number(text, TODAY).unwrap_err(), fault, "{text:?}");
    }
    check("110105194912310021", CodeFault::IdNumberCheck);
    check("440524188001010015", CodeFault::IdNumberCheck);
    check("11010519491331002X", CodeFault::IdNumberBirthDate);
    check("11010519490229002X", CodeFault::IdNumberBirthDate);
    check("110105491231002", CodeFault::IdNumberLength);
    check("", CodeFault::IdNumberLength);
    check("1101051949123100２X", CodeFault::IdNumberCharacter);
    check("X1010519491231002X", CodeFault::IdNumberCharacter);
    check("11010519491231002Y", CodeFault::IdNumberCharacter);
    check(
        "公民身份号码公民身份号码公民身份号码",
        CodeFault::IdNumberCharacter,
    );
}

#[test]
fn nobody_is_born_tomorrow() {
    let born_on = date(1949, 12, 31);
    assert!(check_id_number(ID_NUMBERS[0], born_on).is_ok());
    let fault = check_id_number(ID_NUMBERS[0], born_on.yesterday().unwrap()).unwrap_err();
    assert_eq!(fault, CodeFault::IdNumberBornInFuture);
}

#[test]
fn an_identity_number_does_not_reach_a_log_by_debug() {
    let number = check_id_number(ID_NUMBERS[0], TODAY).unwrap();
    assert!(!format!("{number:?}").contains("1949"));
}

#[test]
fn division_codes_know_their_level() {
    fn check(text: &str, level: DivisionLevel, prefix: &str) {
        let code = DivisionCode::parse(text).unwrap();
        assert_eq!((code.level(), code.prefix()), (level, prefix), "{text}");
    }
    check("410000", DivisionLevel::Province, "41");
    check("410400", DivisionLevel::City, "4104");
    check("410404", DivisionLevel::County, "410404");
    check("410404000", DivisionLevel::County, "410404");
    check("410404001", DivisionLevel::Town, "410404001");
    check("410404001002", DivisionLevel::Village, "410404001002");
    check("410000000000", DivisionLevel::Province, "41");
    assert_eq!(
        DivisionCode::parse("410404").unwrap().province_name(),
        "河南省"
    );
}

#[test]
fn a_division_lies_within_those_above_it() {
    let code = |text| DivisionCode::parse(text).unwrap();
    assert!(code("410404001002").is_within(&code("410000")));
    assert!(code("410404001002").is_within(&code("410404000")));
    assert!(code("410404").is_within(&code("410404")));
    assert!(!code("410404").is_within(&code("410404001")));
    assert!(!code("420100").is_within(&code("410000")));
}

#[test]
fn faulty_division_codes_say_which_rule_they_break() {
    fn check(text: &str, fault: CodeFault) {
        assert_eq!(DivisionCode::parse(text), Err(fault), "{text:?}");
    }
    check("41", CodeFault::DivisionCodeLength);
    check("41040400100", CodeFault::DivisionCodeLength);
    check("41o404", CodeFault::DivisionCodeCharacter);
    check("４１０４０４", CodeFault::DivisionCodeCharacter);
    check("400404", CodeFault::DivisionCodeProvince);
    assert_eq!(
        verify_statistical_division("410404"),
        Err(CodeFault::DivisionCodeLength)
    );
    assert_eq!(verify_statistical_division("410404001002"), Ok(()));
}

#[test]
fn resource_codes_follow_the_national_guide() {
    assert_eq!(
        ResourceCode::new("307001", 12).unwrap().to_string(),
        "307001/12"
    );
    let code = ResourceCode::parse("101002ab9/000123").unwrap();
    assert_eq!(
        (code.class_code(), code.sequence()),
        ("101002ab9", "000123")
    );
    for text in [
        "",
        "307001",
        "307001/",
        "307001/1a",
        "407001/1",
        "30700/1",
        "3070O1/1",
        "307001-x/1",
        "307001/1/2",
        "/1",
    ] {
        assert_eq!(
            ResourceCode::parse(text),
            Err(CodeFault::ResourceCodePattern),
            "{text:?}"
        );
    }
    assert_eq!(ResourceCode::new("9", 1), Err(CodeFault::ClassCodePattern));
    assert_eq!(
        ResourceCode::new("307001", u64::MAX),
        Err(CodeFault::ResourceCodePattern)
    );
    let json = serde_json::to_string(&ResourceCode::new("307001", 1).unwrap()).unwrap();
    assert_eq!(json, "\"307001/1\"");
    assert!(serde_json::from_str::<ResourceCode>("\"x\"").is_err());
}

proptest! {
    #[test]
    fn any_single_wrong_character_is_noticed_in_an_identity_number(place in 0_usize..18, digit in 0_u8..10) {
        let mut bytes = ID_NUMBERS[1].as_bytes().to_vec();
        prop_assume!(bytes[place] != b'0' + digit);
        bytes[place] = b'0' + digit;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(check_id_number(&changed, TODAY).is_err());
    }

    #[test]
    fn any_single_wrong_character_is_noticed_in_a_credit_code(which in 0_usize..30, place in 0_usize..18, other in 0_usize..31) {
        let mut bytes = CREDIT_CODES[which].1.as_bytes().to_vec();
        let other = b"0123456789ABCDEFGHJKLMNPQRTUWXY"[other];
        prop_assume!(bytes[place] != other);
        bytes[place] = other;
        prop_assert!(CreditCode::parse(&String::from_utf8(bytes).unwrap()).is_err());
    }

    #[test]
    fn no_text_makes_a_check_panic(text in "\\PC{0,20}") {
        let _ = check_id_number(&text, TODAY);
        let _ = CreditCode::parse(&text);
        let _ = DivisionCode::parse(&text);
        let _ = ResourceCode::parse(&text);
    }
}

#[test]
fn divisions_share_a_city_or_not() {
    let code = |text| DivisionCode::parse(text).unwrap();
    let shares = |one, other| code(one).shares(DivisionLevel::City, &code(other));
    assert!(shares("410404", "410400"));
    assert!(shares("410404", "410422"));
    assert!(!shares("410404", "410105"), "another city");
    assert!(!shares("410404", "410000"), "a province lies in no city");
    assert!(!shares("410000", "410000"));
}
