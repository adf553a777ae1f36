use super::*;

fn item(code: &str, name: &str) -> ListedItem {
    ListedItem {
        code: code.to_owned(),
        name: name.to_owned(),
        key: false,
    }
}

#[test]
fn only_what_differs_changes() {
    let before = [item("a", "甲"), item("b", "乙"), item("c", "丙")];
    let after = [item("a", "甲"), item("b", "乙（新）"), item("d", "丁")];
    let found = changes(&before, &after);
    assert_eq!(found.added, [item("b", "乙（新）"), item("d", "丁")]);
    assert_eq!(found.removed, ["b", "c"]);
    assert_eq!(changes(&before, &before), Changes::default());
    assert_eq!(changes(&[], &before).added, before);
}

/// YC-13.2
#[test]
fn yc_13_2_eight_of_ten_are_eighty_percent() {
    let rate = |items, delivered| Fulfilment { items, delivered }.percent();
    assert_eq!(rate(10, 8), Some(80));
    assert_eq!(rate(3, 2), Some(66));
    assert_eq!(rate(1000, 999), Some(99), "100 % means everything");
    assert_eq!(rate(10, 10), Some(100));
    assert_eq!(rate(0, 0), None);
}

/// YC-13.1
#[test]
fn yc_13_1_keys_are_nobodys_alone() {
    let key = ListedItem {
        key: true,
        ..item("code", "统一社会信用代码")
    };
    assert_eq!(key.contested_name(), None);
    assert_eq!(
        item("x", "注册 资本").contested_name(),
        item("y", "注册资本").contested_name()
    );
}
