//! Forms as PDF: what is on the paper, read back from the file.

use tongqu::platform::pdf::{
    Body, Column, Form, Kind, Row, SealArea, Section, missing_characters, render, verification_code,
};

use crate::support::pdf::Pdf;

fn a_form() -> Form {
    Form {
        kind: Kind::Application,
        title: "服务接口申请表".to_owned(),
        number: "SQ-2026-0921-0003".to_owned(),
        date: "2026-09-21".parse().unwrap(),
        organisation: "云溪县民政局".to_owned(),
        rows: vec![
            Row::new("申请人", "王𬇙秀"),
            Row::new("数据范围", "区划代码以“4104”开头（含下级）"),
        ],
        sections: vec![
            Section {
                heading: "申请的数据项".to_owned(),
                body: a_table(3),
            },
            Section {
                heading: "用途说明".to_owned(),
                body: Body::Text("核对最低生活保障对象的所在村。".to_owned()),
            },
        ],
        seal: Some(SealArea {
            heading: "填报单位意见".to_owned(),
            statement: "以上内容真实、完整。".to_owned(),
            handler: "经办人".to_owned(),
            leader: "单位负责人".to_owned(),
            seal: "加盖公章处".to_owned(),
        }),
        clause_text: "依据：第十二条".to_owned(),
        generated_at: "2026-09-21T01:00:00Z".parse().unwrap(),
    }
}

fn a_table(rows: usize) -> Body {
    let column = |name: &str, share| Column {
        name: name.to_owned(),
        share,
    };
    Body::Table {
        columns: vec![column("序号", 10), column("数据项名称", 90)],
        rows: (1..=rows)
            .map(|n| vec![n.to_string(), format!("第{n}项")])
            .collect(),
    }
}

/// Spec: PDS-12, YC-29.2.
#[test]
fn every_word_of_a_form_can_be_selected_in_chinese() {
    let form = a_form();
    let text = Pdf::read(&render(&form)).text();
    for expected in [
        "服务接口申请表",
        "编号：SQ-2026-0921-0003",
        "填表日期：2026年9月21日",
        "填报单位：云溪县民政局",
        "王𬇙秀",
        "区划代码以“4104”开头（含下级）",
        "第3项",
        "用途说明",
        "核对最低生活保障对象的所在村。",
        "以上内容真实、完整。",
        "经办人（签字）：",
        "单位负责人（签字）：",
        "加盖公章处",
        "年　　　月　　　日",
        "依据：第十二条",
        "第 1 页　共 1 页",
        &format!("校验码 {}", verification_code(&form)),
    ] {
        assert!(text.contains(expected), "{expected} isn't in {text}");
    }
}

#[test]
fn the_font_is_embedded_with_the_glyphs_used_only() {
    let small = render(&a_form());
    let (name, size) = Pdf::read(&small).font();
    let (tag, base) = name.split_once('+').unwrap();
    assert!(
        tag.len() == 6 && tag.bytes().all(|b| b.is_ascii_uppercase()),
        "{name}"
    );
    assert_eq!(base, "NotoSerifCJKsc-Regular");
    assert!(
        size > 1000 && small.len() < 60_000,
        "{size} of {}",
        small.len()
    );
}

#[test]
fn equal_forms_give_equal_bytes_and_other_words_another_code() {
    let form = a_form();
    assert_eq!(render(&form), render(&form.clone()));
    let code = verification_code(&form);
    // The paper is stamped before there is a number and scanned on another day.
    let stamped = Form {
        number: String::new(),
        date: "2026-09-18".parse().unwrap(),
        generated_at: "2026-09-18T01:00:00Z".parse().unwrap(),
        ..form.clone()
    };
    assert_eq!(verification_code(&stamped), code);
    let mut altered = form;
    altered.rows[1].value.push('。');
    assert_ne!(verification_code(&altered), code);
}

#[test]
fn a_character_that_the_font_lacks_is_marked_and_named() {
    let mut form = a_form();
    form.rows[0].value = "张𠮷\u{200b}😀".to_owned();
    assert_eq!(missing_characters(&form), ['😀', '𠮷']);
    let text = Pdf::read(&render(&form)).text();
    assert!(text.contains("张〓〓"), "{text}");
    assert!(text.contains("缺字：U+1F600、U+20BB7"), "{text}");
    let whole = Pdf::read(&render(&a_form())).text();
    assert!(!whole.contains('〓') && !whole.contains("缺字"), "{whole}");
}

#[test]
fn a_table_goes_over_pages_under_its_head_and_loses_no_row() {
    goes_over_pages(a_form());
    // A list lies, and its pages have less height.
    goes_over_pages(Form {
        kind: Kind::List,
        ..a_form()
    });
}

fn goes_over_pages(mut form: Form) {
    form.sections[0].body = a_table(120);
    let pages = Pdf::read(&render(&form)).pages();
    assert!(pages.len() > 3, "{} pages", pages.len());
    let mut rows = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let footer = format!("第 {} 页　共 {} 页", number + 1, pages.len());
        assert!(page.contains(&footer), "{footer}");
        let items: Vec<&String> = page
            .iter()
            .filter(|text| text.starts_with('第') && text.ends_with('项'))
            .collect();
        let heads = page.iter().filter(|text| *text == "数据项名称").count();
        assert_eq!(heads, usize::from(!items.is_empty()), "page {}", number + 1);
        if number > 0 {
            assert!(page.contains(&"服务接口申请表（续）".to_owned()));
        }
        rows.extend(items.into_iter().cloned());
    }
    let expected: Vec<String> = (1..=120).map(|n| format!("第{n}项")).collect();
    assert_eq!(rows, expected);
}

#[test]
fn texts_longer_than_a_page_are_cut_between_lines_and_nothing_is_lost() {
    let mut form = a_form();
    let long = "宇宙洪荒辰".repeat(600);
    form.rows[1].value.clone_from(&long);
    let pdf = Pdf::read(&render(&form));
    let lines: String = pdf
        .pages()
        .concat()
        .into_iter()
        .filter(|line| line.chars().all(|sign| long.contains(sign)))
        .collect();
    assert_eq!(lines, long);
}

/// Whatever people write, a form comes to an end.
#[test]
fn the_oddest_form_is_printed() {
    let endless = "极".repeat(4000);
    let form = Form {
        title: endless.clone(),
        organisation: endless.clone(),
        clause_text: endless.clone(),
        sections: vec![Section {
            heading: String::new(),
            body: Body::Table {
                columns: vec![
                    Column {
                        name: endless.clone(),
                        share: 0,
                    },
                    Column {
                        name: endless,
                        share: 0,
                    },
                ],
                rows: vec![Vec::new(), vec!["多".to_owned(); 9]],
            },
        }],
        rows: Vec::new(),
        ..a_form()
    };
    for kind in [Kind::Application, Kind::List] {
        let form = Form {
            kind,
            ..form.clone()
        };
        assert!(!Pdf::read(&render(&form)).pages().is_empty());
    }
}
