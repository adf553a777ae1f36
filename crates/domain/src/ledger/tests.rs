use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Sizes up to which everything is tried: past 64, so that trees of seven levels are among them.
const SIZE_MAX: u64 = 70;

fn leaf(index: u64) -> TreeHash {
    leaf_hash(&index.to_le_bytes())
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree::new();
    for index in 0..size {
        tree.push(leaf(index));
    }
    tree
}

/// The definition of RFC 9162, 2.1.1, as it stands there.
fn naive_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => empty_root(),
        [only] => *only,
        _ => {
            let mut left = 1;
            while left * 2 < leaves.len() {
                left *= 2;
            }
            node_hash(&naive_root(&leaves[..left]), &naive_root(&leaves[left..]))
        }
    }
}

#[test]
fn sm3_is_the_hash_of_the_standard() {
    // GB/T 32905-2016, appendix A: "abc" is the record without the leading byte, so ask the primitive.
    use sm3::{Digest, Sm3};
    assert_eq!(
        hex::encode(Sm3::digest(b"abc")),
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    );
    assert_eq!(leaf_hash(b"abc").0, <[u8; 32]>::from(Sm3::digest(b"\0abc")));
}

#[test]
fn the_root_of_a_known_tree_never_changes() {
    // Reckoned outside this code: SM3(1 || SM3(1 || SM3(0 || "a") || SM3(0 || "b")) || SM3(0 || "c")).
    let mut tree = Tree::new();
    for record in [b"a", b"b", b"c"] {
        tree.push(leaf_hash(record));
    }
    assert_eq!(
        tree.root(3).unwrap().to_string(),
        "2706e4e4d41c1ed9c3fe7f7822bf360a67abcc052cc2c00022c1313ec3ded965"
    );
}

#[test]
fn roots_agree_with_the_definition_for_every_size() {
    let leaves: Vec<TreeHash> = (0..SIZE_MAX).map(leaf).collect();
    let whole = tree(SIZE_MAX);
    let mut frontier = Frontier::new();
    for size in 0..=SIZE_MAX {
        let expected = naive_root(&leaves[..usize::try_from(size).unwrap()]);
        assert_eq!(whole.root(size), Ok(expected), "tree of {size}");
        assert_eq!(
            (frontier.size(), frontier.root()),
            (size, expected),
            "frontier of {size}"
        );
        if size < SIZE_MAX {
            frontier.push(leaf(size));
        }
    }
}

#[test]
fn every_inclusion_proof_holds_and_no_other_claim_does() {
    let whole = tree(SIZE_MAX);
    for size in 1..=SIZE_MAX {
        let root = whole.root(size).unwrap();
        for index in 0..size {
            let proof = whole.inclusion_proof(index, size).unwrap();
            assert_eq!(
                verify_inclusion(&leaf(index), &proof, &root),
                Ok(()),
                "{index} of {size}"
            );
            let other_leaf = leaf(index + 1);
            assert_eq!(
                verify_inclusion(&other_leaf, &proof, &root),
                Err(ProofFault::Root),
                "{index} of {size}"
            );
            let elsewhere = InclusionProof {
                index: (index + 1) % size,
                ..proof.clone()
            };
            assert_eq!(
                verify_inclusion(&leaf(index), &elsewhere, &root).is_err(),
                size > 1,
                "{index} of {size}"
            );
            let mut longer = proof.clone();
            longer.path.push(root);
            assert_eq!(
                verify_inclusion(&leaf(index), &longer, &root),
                Err(ProofFault::Length)
            );
            let mut shorter = proof.clone();
            if shorter.path.pop().is_some() {
                assert_eq!(
                    verify_inclusion(&leaf(index), &shorter, &root),
                    Err(ProofFault::Length)
                );
            }
        }
    }
}

#[test]
fn every_consistency_proof_holds_and_no_other_claim_does() {
    let whole = tree(SIZE_MAX);
    let wrong = leaf(9999);
    for new_size in 0..=SIZE_MAX {
        let new_root = whole.root(new_size).unwrap();
        for old_size in 0..=new_size {
            let what = format!("{old_size} to {new_size}");
            let old_root = whole.root(old_size).unwrap();
            let proof = whole.consistency_proof(old_size, new_size).unwrap();
            assert_eq!(
                verify_consistency(&proof, &old_root, &new_root),
                Ok(()),
                "{what}"
            );
            assert!(
                verify_consistency(&proof, &wrong, &new_root).is_err(),
                "{what}"
            );
            if old_size > 0 {
                assert!(
                    verify_consistency(&proof, &old_root, &wrong).is_err(),
                    "{what}"
                );
            }
            let mut longer = proof.clone();
            longer.path.push(wrong);
            assert!(
                verify_consistency(&longer, &old_root, &new_root).is_err(),
                "{what}"
            );
            for place in 0..proof.path.len() {
                let mut changed = proof.clone();
                changed.path[place] = wrong;
                assert!(
                    verify_consistency(&changed, &old_root, &new_root).is_err(),
                    "{what}, hash {place}"
                );
            }
        }
    }
}

#[test]
fn a_rewritten_past_is_noticed() {
    let honest = tree(20);
    let mut forged = Tree::new();
    for index in 0..40 {
        forged.push(if index == 7 { leaf(1000) } else { leaf(index) });
    }
    let proof = forged.consistency_proof(20, 40).unwrap();
    let verdict = verify_consistency(&proof, &honest.root(20).unwrap(), &forged.root(40).unwrap());
    assert_eq!(verdict, Err(ProofFault::OldRoot));
}

#[test]
fn questions_beyond_the_end_are_refused() {
    let small = tree(3);
    assert_eq!(
        small.root(4),
        Err(TreeError::SizeBeyondEnd { size: 4, len: 3 })
    );
    assert_eq!(
        small.root(u64::MAX),
        Err(TreeError::SizeBeyondEnd {
            size: u64::MAX,
            len: 3
        })
    );
    assert_eq!(
        small.inclusion_proof(2, 2),
        Err(TreeError::IndexBeyondSize { index: 2, size: 2 })
    );
    assert_eq!(
        small.inclusion_proof(0, 0),
        Err(TreeError::IndexBeyondSize { index: 0, size: 0 })
    );
    assert_eq!(small.consistency_proof(3, 2), Err(TreeError::SizesReversed));
    assert_eq!(small.leaf(3), None);
    assert_eq!(small.leaf(2), Some(leaf(2)));
    let impossible = InclusionProof {
        index: 5,
        size: 5,
        path: vec![],
    };
    assert_eq!(
        verify_inclusion(&leaf(5), &impossible, &empty_root()),
        Err(ProofFault::Sizes)
    );
    let reversed = ConsistencyProof {
        old_size: 2,
        new_size: 1,
        path: vec![],
    };
    assert_eq!(
        verify_consistency(&reversed, &empty_root(), &empty_root()),
        Err(ProofFault::Sizes)
    );
}

proptest! {
    #[test]
    fn a_changed_bit_anywhere_breaks_an_inclusion_proof(
        size in 1_u64..2000, index in any::<u64>(), place in any::<usize>(), bit in 0_usize..256,
    ) {
        let index = index % size;
        let whole = tree(size);
        let root = whole.root(size).unwrap();
        let proof = whole.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf(index), &proof, &root), Ok(()));
        let flip = |hash: &mut TreeHash| hash.0[bit / 8] ^= 1 << (bit % 8);
        let (mut changed_leaf, mut changed_proof, mut changed_root) = (leaf(index), proof.clone(), root);
        flip(&mut changed_leaf);
        prop_assert_eq!(verify_inclusion(&changed_leaf, &proof, &root), Err(ProofFault::Root));
        flip(&mut changed_root);
        prop_assert_eq!(verify_inclusion(&leaf(index), &proof, &changed_root), Err(ProofFault::Root));
        if !changed_proof.path.is_empty() {
            let place = place % changed_proof.path.len();
            flip(&mut changed_proof.path[place]);
            prop_assert_eq!(verify_inclusion(&leaf(index), &changed_proof, &root), Err(ProofFault::Root));
        }
    }

    #[test]
    fn proofs_hold_between_any_two_sizes(a in 0_u64..3000, b in 0_u64..3000) {
        let (old_size, new_size) = (a.min(b), a.max(b));
        let whole = tree(new_size);
        let proof = whole.consistency_proof(old_size, new_size).unwrap();
        let (old_root, new_root) = (whole.root(old_size).unwrap(), whole.root(new_size).unwrap());
        prop_assert_eq!(verify_consistency(&proof, &old_root, &new_root), Ok(()));
        let stored = serde_json::to_string(&proof).unwrap();
        prop_assert_eq!(serde_json::from_str::<ConsistencyProof>(&stored).unwrap(), proof);
    }

    #[test]
    fn hostile_proofs_are_judged_and_never_panic(
        index in any::<u64>(), size in any::<u64>(), hashes in 0_usize..70,
    ) {
        let path = vec![leaf(1); hashes];
        let inclusion = InclusionProof { index, size, path: path.clone() };
        prop_assert!(verify_inclusion(&leaf(0), &inclusion, &leaf(2)).is_err());
        let consistency = ConsistencyProof { old_size: index, new_size: size, path };
        prop_assert!(verify_consistency(&consistency, &leaf(0), &leaf(2)).is_err());
    }
}

// --- canonical JSON -------------------------------------------------------------------------------

#[test]
fn records_are_written_in_one_way() {
    fn check(value: &Value, expected: &str) {
        assert_eq!(canonical_json(value).unwrap(), expected);
    }
    check(
        &json!({"b": 1, "a": [true, null, "x"], "": {}}),
        r#"{"":{},"a":[true,null,"x"],"b":1}"#,
    );
    check(
        &json!({"é": 1, "z": 2, "龙": 3, "Z": 4}),
        r#"{"Z":4,"z":2,"é":1,"龙":3}"#,
    );
    check(
        &json!("tab\tline\nquote\"slash/back\\\u{1}\u{7f}龙𠮷\u{2028}"),
        "\"tab\\tline\\nquote\\\"slash/back\\\\\\u0001\u{7f}龙𠮷\u{2028}\"",
    );
    check(
        &json!([u64::MAX, i64::MIN, 0, -1]),
        "[18446744073709551615,-9223372036854775808,0,-1]",
    );
}

#[test]
fn values_without_one_form_are_refused() {
    assert_eq!(
        canonical_json(&json!({"a": [1.5]})),
        Err(CanonicalError::Number)
    );
    assert_eq!(canonical_json(&json!(1.0)), Err(CanonicalError::Number));
    let nested = |depth: usize| (0..depth).fold(json!(0), |inner, _| json!([inner]));
    assert!(canonical_json(&nested(NESTING_MAX)).is_ok());
    assert_eq!(
        canonical_json(&nested(NESTING_MAX + 1)),
        Err(CanonicalError::TooDeep)
    );
}

#[test]
fn other_spellings_are_not_canonical() {
    fn check(text: &str, expected: CanonicalError) {
        assert_eq!(parse_canonical(text), Err(expected), "{text:?}");
    }
    check(r#"{"a": 1}"#, CanonicalError::NotCanonical);
    check(r#"{"b":1,"a":2}"#, CanonicalError::NotCanonical);
    check(r#"{"a":1,"a":1}"#, CanonicalError::NotCanonical);
    check(r#""\u0041""#, CanonicalError::NotCanonical);
    check(r#""\/""#, CanonicalError::NotCanonical);
    check("-0", CanonicalError::Number);
    check("1.5", CanonicalError::Number);
    check("", CanonicalError::NotJson);
    check("{", CanonicalError::NotJson);
    check(&"[".repeat(100_000), CanonicalError::NotJson);
    assert_eq!(
        parse_canonical(r#"{"a":2,"b":1}"#),
        Ok(json!({"a": 2, "b": 1}))
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in any_json()) {
        let text = canonical_json(&value).unwrap();
        prop_assert!(!text.contains('\t') && !text.contains('\n'));
        prop_assert_eq!(parse_canonical(&text).unwrap(), value);
    }
}

// --- lines and heads ------------------------------------------------------------------------------

#[test]
fn the_form_of_a_line_never_changes() {
    let line = Line::new(&json!({"what": "grant.opened", "grant_id": "g-1", "n": 3})).unwrap();
    insta::assert_snapshot!(String::from_utf8(line.to_bytes()).unwrap());
    let head = Head {
        size: 1,
        root: line.leaf(),
        at: "2026-09-21T01:02:03Z".parse().unwrap(),
        key_id: "node-1".to_owned(),
    };
    insta::assert_snapshot!(String::from_utf8(head.signed_bytes()).unwrap());
}

#[test]
fn a_line_reads_back() {
    let record = json!({"ground": "拒绝\t理由\n", "n": 1});
    let line = Line::new(&record).unwrap();
    let read = Line::parse(&line.to_bytes()).unwrap();
    assert_eq!(read, line);
    assert_eq!(read.record(), record);
    assert_eq!(read.leaf(), leaf_hash(read.json().as_bytes()));
}

#[test]
fn faulty_lines_say_what_is_wrong() {
    fn check(line: &[u8], expected: LineFault) {
        assert_eq!(
            Line::parse(line),
            Err(expected),
            "{:?}",
            String::from_utf8_lossy(line)
        );
    }
    let good = Line::new(&json!({"a": 1})).unwrap().to_bytes();
    let with_hash = |json: &str| format!("{json}\t{}\n", leaf_hash(json.as_bytes())).into_bytes();
    check(b"", LineFault::Torn);
    check(&good[..good.len() - 1], LineFault::Torn);
    check(b"\n", LineFault::Form);
    check(b"{\"a\":1}\n", LineFault::Form);
    check(b"\xff\t00\n", LineFault::NotText);
    check(b"{\"a\":1}\tabc\n", LineFault::Hash);
    check(
        &[&good[..good.len() - 1], b"\r\n"].concat(),
        LineFault::Hash,
    );
    check(
        String::from_utf8(good.clone())
            .unwrap()
            .replace(":1", ":2")
            .as_bytes(),
        LineFault::Changed,
    );
    check(
        &with_hash("{\"a\": 1}"),
        LineFault::Record(CanonicalError::NotCanonical),
    );
    check(&with_hash("1.5"), LineFault::Record(CanonicalError::Number));
    check(&with_hash("x"), LineFault::Record(CanonicalError::NotJson));
    check(
        &with_hash(&format!("\"{}\"", "x".repeat(LINE_BYTES_MAX))),
        LineFault::TooLong,
    );
    assert_eq!(
        Line::new(&json!("x".repeat(LINE_BYTES_MAX))),
        Err(LineFault::TooLong)
    );
    let longest = Line::new(&json!("x".repeat(LINE_BYTES_MAX - 68))).unwrap();
    assert_eq!(longest.to_bytes().len(), LINE_BYTES_MAX);
    assert!(Line::parse(&longest.to_bytes()).is_ok());
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_line_is_noticed(place in any::<usize>(), change in 1_u8..) {
        let mut bytes = Line::new(&json!({"grant_id": "g-1", "rows": 620_573, "ground": "职责"})).unwrap().to_bytes();
        let place = place % bytes.len();
        bytes[place] ^= change;
        prop_assert!(Line::parse(&bytes).is_err());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Line::parse(&bytes);
    }
}

#[test]
fn heads_that_differ_sign_different_bytes() {
    let head = Head {
        size: 10,
        root: leaf(1),
        at: "2026-09-21T01:02:03Z".parse().unwrap(),
        key_id: "node-1".to_owned(),
    };
    let others = [
        Head {
            size: 11,
            ..head.clone()
        },
        Head {
            root: leaf(2),
            ..head.clone()
        },
        Head {
            at: "2026-09-21T01:02:04Z".parse().unwrap(),
            ..head.clone()
        },
        Head {
            key_id: "node-2".to_owned(),
            ..head.clone()
        },
    ];
    for other in others {
        assert_ne!(other.signed_bytes(), head.signed_bytes());
    }
    let stored = serde_json::to_string(&head).unwrap();
    assert_eq!(serde_json::from_str::<Head>(&stored).unwrap(), head);
}
