use std::collections::BTreeMap;
use std::sync::OnceLock;

use tempfile::TempDir;
use tongqu_domain::catalogue::UpdateCycle;
use tongqu_domain::ids::{DepartmentId, EntryId};

use super::*;

fn doc(id: &str, name: &str) -> Doc {
    Doc {
        entry_id: EntryId::parse(id).unwrap(),
        code: format!("307001/{}", id.len()),
        name: name.to_owned(),
        summary: String::new(),
        department_id: DepartmentId::parse("statistics").unwrap(),
        department: "云溪县统计局".to_owned(),
        department_short: Some("统计局".to_owned()),
        class_code: "307001".to_owned(),
        sharing_class: "unconditional".to_owned(),
        modes: vec!["table".to_owned()],
        base_library: None,
        update_cycle: UpdateCycle::Yearly,
        grade: 1,
        items: Vec::new(),
        mounted: true,
        published_at: 1_000,
        visible_to: vec!["public".to_owned()],
    }
}

fn items(names: &[(&str, &str)]) -> Vec<DocItem> {
    names
        .iter()
        .map(|(name, code)| DocItem {
            name: (*name).to_owned(),
            code: (*code).to_owned(),
        })
        .collect()
}

/// A small county: enough entries that every search has something to leave out.
fn county() -> Vec<Doc> {
    vec![
        Doc {
            items: items(&[
                ("区划代码", "division_code"),
                ("区划名称", "division_name"),
                ("城乡分类代码", "urban_rural"),
            ]),
            summary: "全国统计用区划代码和城乡划分代码".to_owned(),
            base_library: Some("geography".to_owned()),
            published_at: 5_000,
            ..doc("divisions", "行政区划代码")
        },
        Doc {
            department_id: DepartmentId::parse("civil-affairs").unwrap(),
            department: "云溪县民政局".to_owned(),
            department_short: Some("民政局".to_owned()),
            items: items(&[
                ("姓名", "xm"),
                ("公民身份号码", "sfzhm"),
                ("保障金额", "amount"),
            ]),
            summary: "享受最低生活保障的家庭成员名单，每月更新".to_owned(),
            sharing_class: "conditional".to_owned(),
            modes: vec!["table".to_owned(), "interface".to_owned()],
            update_cycle: UpdateCycle::Monthly,
            base_library: Some("population".to_owned()),
            grade: 3,
            published_at: 4_000,
            ..doc("allowance", "最低生活保障对象信息")
        },
        Doc {
            department_id: DepartmentId::parse("civil-affairs").unwrap(),
            department: "云溪县民政局".to_owned(),
            department_short: Some("民政局".to_owned()),
            items: items(&[("村名", "village"), ("行政区划代码", "xzqhdm")]),
            summary: "村民委员会基本情况".to_owned(),
            published_at: 3_000,
            ..doc("villages", "村民委员会名录")
        },
        Doc {
            department_id: DepartmentId::parse("market").unwrap(),
            department: "云溪县市场监督管理局".to_owned(),
            department_short: Some("市监局".to_owned()),
            items: items(&[("统一社会信用代码", "uscc"), ("企业名称", "name")]),
            summary: "营业执照登记的企业，注册地含行政区划".to_owned(),
            base_library: Some("legal_person".to_owned()),
            sharing_class: "conditional".to_owned(),
            grade: 2,
            mounted: false,
            published_at: 2_000,
            ..doc("companies", "企业登记信息")
        },
        Doc {
            visible_to: vec!["dept:police".to_owned()],
            ..doc("secret", "行政区划勘界档案")
        },
        Doc {
            items: items(&[("开户银行", "bank")]),
            ..doc("banks", "银行网点分布")
        },
    ]
}

struct Built {
    index: Index,
    folder: TempDir,
}

fn built(docs: Vec<Doc>) -> Built {
    let folder = TempDir::new().unwrap();
    let index = Index::open(folder.path()).unwrap();
    index.rebuild(docs).unwrap();
    Built { index, folder }
}

/// The county, built once for all tests that only read.
fn shared() -> &'static Index {
    static SHARED: OnceLock<Built> = OnceLock::new();
    &SHARED.get_or_init(|| built(county())).index
}

fn typed(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.to_owned(),
        labels: vec!["public".to_owned()],
        limit: 20,
        ..SearchQuery::default()
    }
}

fn ids(page: &SearchPage) -> Vec<&str> {
    page.hits.iter().map(|hit| hit.entry_id.as_str()).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let page = shared().search(&typed(text)).unwrap();
    assert_eq!(ids(&page), expected, "for {text}");
    assert_eq!(page.total, expected.len());
}

fn marked(segments: &[Segment]) -> Vec<&str> {
    segments
        .iter()
        .filter(|segment| segment.marked)
        .map(|segment| segment.text.as_str())
        .collect()
}

#[test]
fn a_name_ranks_above_an_item_and_an_item_above_a_summary() {
    check("行政区划", &["divisions", "villages", "companies"]);
}

#[test]
fn a_part_of_a_word_is_found() {
    check("政区划代", &["divisions", "villages"]);
    check("活保障", &["allowance"]);
    check("勾", &[]);
}

#[test]
fn pinyin_finds_in_full_and_unfinished() {
    check("xingzhengquhuadaima", &["divisions", "villages"]);
    check("xingzhengquhua", &["divisions", "villages"]);
    check("zuidishenghuo", &["allowance"]);
    check("zuidishengh", &["allowance"]);
    check("minzhengju", &["allowance", "villages"]);
}

#[test]
fn initials_find_names_items_and_departments() {
    check("xzqh", &["divisions", "villages"]);
    check("zdshbz", &["allowance"]);
    check("mzj", &["allowance", "villages"]);
    check("sjj", &["companies"]);
}

#[test]
fn a_character_with_two_readings_is_found_by_both() {
    check("yinhangwangdian", &["banks"]);
    check("yhwd", &["banks"]);
    check("khyh", &["banks"]);
}

#[test]
fn codes_are_found_whole_and_by_their_beginning() {
    check("division_code", &["divisions"]);
    check("divis", &["divisions"]);
    check("SFZHM", &["allowance"]);
    check("307001/5", &["banks"]);
    check("307001/8", &["villages"]);
}

#[test]
fn another_name_of_the_same_thing_is_found() {
    check("身份证", &["allowance"]);
    check("低保", &["allowance"]);
    check("信用代码", &["companies"]);
}

#[test]
fn words_may_lie_in_different_places() {
    check("民政局 保障金额", &["allowance"]);
    check("民政局的低保名单", &["allowance"]);
}

#[test]
fn a_common_word_need_not_be_there() {
    let page = shared().search(&typed("银行信息")).unwrap();
    assert_eq!(
        page.matched,
        Matched::Exactly,
        "the common word is not missed"
    );
    check("银行信息", &["banks"]);
    check("信息", &["allowance", "companies"]);
}

#[test]
fn a_word_ranks_above_an_accident_of_two_neighbours() {
    let accident = Doc {
        published_at: 9_000,
        ..doc("services", "产品和服务清单")
    };
    let both = built(vec![accident, doc("kimonos", "日本和服清单册")]);
    assert_eq!(
        ids(&both.index.search(&typed("和服")).unwrap()),
        ["kimonos", "services"]
    );
}

#[test]
fn one_wrong_character_of_four_is_forgiven() {
    for text in ["行攻区划代码", "行政驱化代码", "最低活保障", "最低生话保障"]
    {
        let page = shared().search(&typed(text)).unwrap();
        assert_eq!(page.matched, Matched::Similar, "for {text}");
        let wanted = if text.starts_with('行') {
            "divisions"
        } else {
            "allowance"
        };
        assert_eq!(page.hits[0].entry_id.as_str(), wanted, "for {text}");
    }
    let page = shared().search(&typed("公民身份证号码")).unwrap();
    assert_eq!(ids(&page), ["allowance"]);
}

#[test]
fn a_wrong_letter_in_pinyin_or_code_is_forgiven() {
    for (text, wanted) in [
        ("xinzhenquhua", "divisions"),
        ("divison", "divisions"),
        ("zuidisenghuo", "allowance"),
    ] {
        let page = shared().search(&typed(text)).unwrap();
        assert_eq!(
            page.hits.first().map(|hit| hit.entry_id.as_str()),
            Some(wanted),
            "for {text}"
        );
    }
}

#[test]
fn two_characters_are_only_forgiven_when_they_sound_alike() {
    check("区华", &["divisions", "villages"]);
    check("区刘", &[]);
}

#[test]
fn half_of_the_words_are_enough_when_all_are_nowhere() {
    let page = shared().search(&typed("低保 殡葬 银行")).unwrap();
    assert_eq!(page.matched, Matched::Exactly);
    assert_eq!(page.total, 0, "one of three is too little");
    let page = shared().search(&typed("低保 殡葬 名单")).unwrap();
    assert_eq!(page.matched, Matched::Partly);
    assert_eq!(ids(&page), ["allowance"]);
}

#[test]
fn what_a_viewer_may_not_see_is_neither_shown_nor_counted() {
    let mut query = typed("行政区划勘界");
    assert!(!ids(&shared().search(&query).unwrap()).contains(&"secret"));
    query.labels.push("dept:police".to_owned());
    assert_eq!(ids(&shared().search(&query).unwrap()), ["secret"]);

    let mut all = typed("");
    let public = shared().search(&all).unwrap();
    assert_eq!(public.total, 5);
    assert_eq!(
        public.facets[&Facet::DepartmentId]
            .iter()
            .map(|count| count.count)
            .sum::<usize>(),
        5
    );
    all.labels = Vec::new();
    assert_eq!(shared().search(&all).unwrap().total, 0);
    all.labels = vec!["publi".to_owned()];
    assert_eq!(shared().search(&all).unwrap().total, 0);
}

fn counts(page: &SearchPage, facet: Facet) -> Vec<(&str, usize)> {
    page.facets[&facet]
        .iter()
        .map(|count| (count.value.as_str(), count.count))
        .collect()
}

#[test]
fn the_counts_of_a_facet_leave_its_own_filter_out() {
    let mut query = typed("");
    query.filters = BTreeMap::from([(Facet::SharingClass, vec!["conditional".to_owned()])]);
    let page = shared().search(&query).unwrap();
    assert_eq!(page.total, 2);
    assert_eq!(
        counts(&page, Facet::SharingClass),
        [("unconditional", 3), ("conditional", 2)]
    );
    assert_eq!(counts(&page, Facet::Mode), [("table", 2), ("interface", 1)]);
    assert_eq!(counts(&page, Facet::Grade), [("2", 1), ("3", 1)]);

    query
        .filters
        .insert(Facet::Mounted, vec!["true".to_owned()]);
    let page = shared().search(&query).unwrap();
    assert_eq!(ids(&page), ["allowance"]);
    assert_eq!(
        counts(&page, Facet::SharingClass),
        [("unconditional", 3), ("conditional", 1)]
    );
    assert_eq!(counts(&page, Facet::Mounted), [("false", 1), ("true", 1)]);
    assert_eq!(counts(&page, Facet::BaseLibrary), [("population", 1)]);
}

#[test]
fn values_of_one_facet_are_alternatives() {
    let mut query = typed("");
    query.filters = BTreeMap::from([(
        Facet::BaseLibrary,
        vec!["population".to_owned(), "geography".to_owned()],
    )]);
    assert_eq!(
        ids(&shared().search(&query).unwrap()),
        ["divisions", "allowance"]
    );
    query.filters = BTreeMap::from([(Facet::Mode, vec!["interface".to_owned()])]);
    assert_eq!(ids(&shared().search(&query).unwrap()), ["allowance"]);
    query.filters = BTreeMap::from([(Facet::Mode, vec!["no such mode".to_owned()])]);
    assert_eq!(shared().search(&query).unwrap().total, 0);
    query.filters = BTreeMap::from([(Facet::Mode, Vec::new())]);
    assert_eq!(
        shared().search(&query).unwrap().total,
        5,
        "an empty filter filters nothing"
    );
}

#[test]
fn a_filter_that_leaves_nothing_does_not_loosen_the_search() {
    let mut query = typed("行政区划");
    query.filters = BTreeMap::from([(Facet::Grade, vec!["4".to_owned()])]);
    let page = shared().search(&query).unwrap();
    assert_eq!((page.total, page.matched), (0, Matched::Exactly));
    assert_eq!(counts(&page, Facet::Grade), [("1", 2), ("2", 1)]);
}

#[test]
fn an_entry_without_data_sinks_below_its_equal() {
    let both = built(vec![
        Doc {
            mounted: false,
            published_at: 9,
            ..doc("aa", "不动产登记")
        },
        doc("ab", "不动产登记"),
    ]);
    assert_eq!(
        ids(&both.index.search(&typed("不动产")).unwrap()),
        ["ab", "aa"]
    );
    assert_eq!(ids(&both.index.search(&typed("")).unwrap()), ["ab", "aa"]);
}

#[test]
fn without_text_the_newest_comes_first() {
    check(
        "",
        &["divisions", "allowance", "villages", "banks", "companies"],
    );
    let page = shared()
        .search(&SearchQuery {
            sort: Sort::PublishedAt,
            ..typed("  \t ")
        })
        .unwrap();
    assert_eq!(
        ids(&page),
        ["divisions", "allowance", "villages", "companies", "banks"]
    );
    let page = shared()
        .search(&SearchQuery {
            sort: Sort::PublishedAt,
            ..typed("区划")
        })
        .unwrap();
    assert_eq!(ids(&page), ["divisions", "villages", "companies"]);
}

#[test]
fn pages_join_without_gap_or_overlap() {
    let docs: Vec<Doc> = (0..250)
        .map(|n| Doc {
            published_at: n / 10,
            ..doc(&format!("e{n}"), "低保对象")
        })
        .collect();
    let many = built(docs);
    let mut seen = Vec::new();
    for offset in (0..250).step_by(40) {
        let page = many
            .index
            .search(&SearchQuery {
                offset,
                limit: 40,
                ..typed("低保")
            })
            .unwrap();
        assert_eq!(page.total, 250);
        seen.extend(page.hits.into_iter().map(|hit| hit.entry_id));
    }
    assert_eq!(seen.len(), 250);
    assert_eq!(
        seen.iter().collect::<std::collections::BTreeSet<_>>().len(),
        250
    );
    let far = many
        .index
        .search(&SearchQuery {
            offset: usize::MAX,
            limit: usize::MAX,
            ..typed("低保")
        })
        .unwrap();
    assert!(far.hits.is_empty());
    let wide = many
        .index
        .search(&SearchQuery {
            limit: usize::MAX,
            ..typed("低保")
        })
        .unwrap();
    assert_eq!(wide.hits.len(), LIMIT_MAX);
    let none = many
        .index
        .search(&SearchQuery {
            limit: 0,
            ..typed("低保")
        })
        .unwrap();
    assert_eq!((none.hits.len(), none.total), (0, 250));
}

#[test]
fn hits_are_marked_where_they_were_hit() {
    let page = shared().search(&typed("行政区划")).unwrap();
    assert_eq!(marked(&page.hits[0].name), ["行政区划"]);
    assert_eq!(Segment::plain(&page.hits[0].name), "行政区划代码");
    assert_eq!(marked(&page.hits[1].matched_items[0].name), ["行政区划"]);
    assert_eq!(page.hits[1].matched_items.len(), 1);
    assert_eq!(marked(&page.hits[2].summary), ["行政区划"]);

    let page = shared().search(&typed("quhua")).unwrap();
    assert_eq!(marked(&page.hits[0].name), ["区划"]);
    let page = shared().search(&typed("SFZ")).unwrap();
    assert_eq!(marked(&page.hits[0].matched_items[0].code), ["sfz"]);
    let page = shared().search(&typed("身份证")).unwrap();
    assert_eq!(
        marked(&page.hits[0].matched_items[0].name),
        ["公民身份号码"]
    );
    let page = shared().search(&typed("mzj")).unwrap();
    assert_eq!(marked(&page.hits[0].department), ["民政局"]);
    let page = shared().search(&typed("行攻区划代码")).unwrap();
    assert_eq!(marked(&page.hits[0].name), ["行政区划代码"]);
}

#[test]
fn a_long_summary_is_cut_around_the_hit() {
    let filler = "前面的话".repeat(200);
    let long = built(vec![Doc {
        summary: format!("{filler}特殊词语{filler}"),
        ..doc("long", "名称")
    }]);
    let page = long.index.search(&typed("特殊词语")).unwrap();
    let summary = &page.hits[0].summary;
    assert_eq!(marked(summary), ["特殊词语"]);
    assert_eq!(Segment::plain(summary).chars().count(), 162);
    assert_eq!(
        (
            summary[0].text.as_str(),
            summary.last().unwrap().text.as_str()
        ),
        ("…", "…")
    );
}

#[test]
fn full_width_and_upper_case_are_the_same() {
    let docs = vec![Doc {
        items: items(&[("遵循ＧＢ１１６４３标准", "Id_Card")]),
        ..doc("gb", "标准")
    }];
    let one = built(docs);
    for text in [
        "GB11643",
        "gb 11643",
        "ＧＢ11643",
        "ID_CARD",
        "ｉｄ＿ｃａｒｄ",
    ] {
        assert_eq!(
            ids(&one.index.search(&typed(text)).unwrap()),
            ["gb"],
            "for {text}"
        );
    }
}

#[test]
fn hostile_text_is_never_an_error() {
    let long = "行政区划".repeat(5_000);
    let letters = "a".repeat(20_000);
    let syllables = "xian".repeat(3_000);
    let texts = [
        "AND OR NOT",
        "name:*",
        "\"",
        "((((",
        "a^9999",
        "[a TO z]",
        "+-!(){}[]^\"~*?:\\/",
        "\u{0}\u{1}",
        "<img src=x onerror=alert(1)>",
        "' OR 1=1 --",
        "\u{202e}划区政行",
        "👨‍👩‍👧‍👦",
        "???",
        "ﷺ",
        "İstanbul ß ǆ",
        "\u{20000}\u{2a6d6}",
        "1e400",
        "的",
        "的 了 和",
        &long,
        &letters,
        &syllables,
    ];
    for text in texts {
        let page = shared().search(&typed(text)).unwrap();
        assert!(page.hits.len() <= 20, "for {text}");
    }
    assert_eq!(
        shared().search(&typed("???")).unwrap().total,
        0,
        "nothing to look for is not everything"
    );
    assert_eq!(
        ids(&shared().search(&typed("<行政区划>")).unwrap()),
        ["divisions", "villages", "companies"]
    );
}

#[test]
fn hostile_entries_are_taken() {
    let huge = Doc {
        name: "超".repeat(20_000),
        summary: "\u{0}\t制表符".repeat(5_000),
        items: (0..5_000)
            .map(|n| DocItem {
                name: format!("项\t{n}"),
                code: "c".repeat(300),
            })
            .collect(),
        modes: vec!["x".repeat(70_000)],
        visible_to: vec!["public".to_owned(), String::new()],
        ..doc("huge", "")
    };
    let one = built(vec![
        huge,
        Doc {
            name: String::new(),
            ..doc("empty", "")
        },
    ]);
    assert_eq!(one.index.search(&typed("")).unwrap().total, 2);
    assert_eq!(ids(&one.index.search(&typed("超超超")).unwrap()), ["huge"]);
}

#[test]
fn putting_again_replaces_and_removing_removes() {
    let county = built(county());
    county
        .index
        .put(&Doc {
            published_at: 9_000,
            ..doc("divisions", "地名地址")
        })
        .unwrap();
    assert_eq!(
        ids(&county.index.search(&typed("行政区划代码")).unwrap())[0],
        "divisions",
        "not before the commit"
    );
    county.index.commit().unwrap();
    assert_eq!(
        ids(&county.index.search(&typed("行政区划代码")).unwrap()),
        ["villages", "companies"]
    );
    assert_eq!(
        ids(&county.index.search(&typed("地名")).unwrap()),
        ["divisions"]
    );
    county.index.remove(&EntryId::parse("divisions").unwrap());
    county.index.remove(&EntryId::parse("never-was").unwrap());
    county.index.commit().unwrap();
    assert_eq!(county.index.search(&typed("地名")).unwrap().total, 0);
    assert_eq!(county.index.entries(), 5);
}

#[test]
fn what_is_put_as_it_was_is_not_written_again() {
    let county = built(county());
    let meta = || std::fs::read_to_string(county.folder.path().join("meta.json")).unwrap();
    let put = |doc: &Doc| {
        county.index.put(doc).unwrap();
        county.index.commit().unwrap();
    };
    let place = doc("place", "地名地址");
    put(&place);
    let written = meta();
    put(&place);
    assert_eq!(meta(), written);
    put(&doc("place", "门牌号"));
    assert_ne!(meta(), written);
    put(&place);
    assert_eq!(county.index.search(&typed("地名")).unwrap().total, 1);
    county.index.remove(&EntryId::parse("place").unwrap());
    put(&place);
    assert_eq!(
        county.index.search(&typed("地名")).unwrap().total,
        1,
        "what was taken out is put in again"
    );
    county.index.rebuild(self::county()).unwrap();
    put(&place);
    assert_eq!(
        county.index.entries(),
        7,
        "a rebuilding takes it out as well"
    );
}

#[test]
fn each_of_many_that_write_at_once_sees_its_own() {
    let county = built(county());
    let index = &county.index;
    std::thread::scope(|threads| {
        for n in 0..8 {
            threads.spawn(move || {
                let id = format!("n{n}");
                index.put(&doc(&id, &format!("编号{n}号"))).unwrap();
                index.commit().unwrap();
                let found = index.search(&typed(&format!("编号{n}号"))).unwrap();
                assert!(ids(&found).contains(&id.as_str()));
            });
        }
    });
    assert_eq!(index.entries(), 14);
}

#[test]
fn the_index_outlives_the_process_and_knows_whether_it_is_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("search");
    let index = Index::open(&path).unwrap();
    assert!(
        !index.is_fresh(),
        "an empty folder holds nothing of the registry"
    );
    index.rebuild(county()).unwrap();
    assert!(index.is_fresh());
    drop(index);

    let index = Index::open(&path).unwrap();
    assert!(index.is_fresh());
    assert_eq!(index.entries(), 6);
    drop(index);

    std::fs::write(path.join("tongqu-schema-version"), "0").unwrap();
    let index = Index::open(&path).unwrap();
    assert!(!index.is_fresh());
    assert_eq!(
        index.entries(),
        0,
        "terms of another version would not be found"
    );
    index.rebuild(county()).unwrap();
    drop(index);

    std::fs::write(path.join("meta.json"), "{").unwrap();
    let index = Index::open(&path).unwrap();
    assert!(!index.is_fresh());
}

#[test]
fn rebuilding_replaces_everything() {
    let county = built(county());
    county.index.rebuild(vec![doc("only", "唯一")]).unwrap();
    assert_eq!(ids(&county.index.search(&typed("")).unwrap()), ["only"]);
}

#[test]
fn a_rebuilding_cut_short_is_known_as_such() {
    let county = built(county());
    let cut_short = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let docs = (0..3).map(|n| {
            if n == 2 {
                panic!("the registry went away")
            } else {
                doc(&format!("n{n}"), "新")
            }
        });
        county.index.rebuild(docs)
    }));
    assert!(cut_short.is_err());
    assert!(!county.index.is_fresh());
    assert_eq!(county.index.entries(), 6, "searches see the old content");
    county.index.put(&doc("later", "后来")).unwrap();
    county.index.commit().unwrap();
    assert_eq!(
        county.index.entries(),
        7,
        "nothing of the half is committed"
    );
    county.index.put(&doc("pending", "未提交")).unwrap();
    county.index.rebuild(vec![doc("whole", "整")]).unwrap();
    assert!(county.index.is_fresh());
    assert_eq!(ids(&county.index.search(&typed("")).unwrap()), ["whole"]);
}

#[test]
fn afolder_with_something_else_is_left_alone() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("thesis.docx"), "years of work").unwrap();
    let refused = Index::open(folder.path()).err().unwrap();
    assert_eq!(refused.code(), "search.not_an_index");
    assert!(folder.path().join("thesis.docx").exists());
}
