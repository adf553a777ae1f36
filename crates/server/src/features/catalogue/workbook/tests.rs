use std::io::Write as _;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use tongqu_domain::catalogue::{
    CheckKind, ClassRule, ClassRules, Contact, DataItem, DataType, EntryContent, MaskKind,
    ResourceFormat, Sensitivity, UpdateCycle, check_content,
};

use super::columns::{ENTRY_SHEET, ITEM_SHEET, Shape, Sheet};
use super::*;

fn choices(pairs: &[(&str, &str)]) -> Vec<Choice> {
    pairs
        .iter()
        .map(|(code, name)| Choice {
            code: (*code).to_owned(),
            name: (*name).to_owned(),
        })
        .collect()
}

fn options() -> TemplateOptions {
    TemplateOptions {
        unclassed: Unclassed::Fault,
        sharing_classes: choices(&[
            ("unconditional", "无条件共享"),
            ("conditional", "有条件共享"),
            ("not_shared", "不予共享"),
        ]),
        modes: choices(&[("table", "库表"), ("file", "文件"), ("interface", "接口")]),
        base_libraries: choices(&[("population", "人口"), ("legal_person", "法人")]),
    }
}

fn item(name: &str, code: &str) -> DataItem {
    DataItem {
        name: name.to_owned(),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(12),
        scale: None,
        nullable: false,
        key: true,
        sensitivity: Sensitivity::General,
        mask: None,
        check: Some(CheckKind::DivisionCode),
        standard: None,
    }
}

fn entry(name: &str) -> EntryContent {
    EntryContent {
        name: name.to_owned(),
        class_code: "307001".to_owned(),
        summary: "第一行\n第二行".to_owned(),
        format: ResourceFormat::Database,
        sharing_class: "conditional".to_owned(),
        sharing_condition: Some("仅限履行职责".to_owned()),
        legal_basis: None,
        modes: vec!["table".to_owned(), "interface".to_owned()],
        open: false,
        open_condition: None,
        update_cycle: UpdateCycle::Monthly,
        grade: 3,
        source_system: None,
        base_library: Some("population".to_owned()),
        authorising_contact: Contact {
            name: "王五".to_owned(),
            phone: "0375-7654321".to_owned(),
        },
        technical_contact: Contact {
            name: "赵六".to_owned(),
            phone: "13800000000".to_owned(),
        },
        related_codes: vec!["307001/1".to_owned(), "307001/2".to_owned()],
        declared_unclassified: true,
        recipients: Vec::new(),
        purposes: Vec::new(),
        theme: None,
        items: vec![
            item("区划代码", "division_code"),
            DataItem {
                length: None,
                nullable: true,
                key: false,
                sensitivity: Sensitivity::Sensitive,
                mask: Some(MaskKind::Phone),
                check: None,
                standard: Some("GB 11643".to_owned()),
                ..item("电话", "phone")
            },
        ],
    }
}

fn read_back(bytes: &[u8]) -> Import {
    read(bytes, &options(), &Limits::default()).unwrap()
}

/// One cell of a sheet under test.
enum Put {
    Text(&'static str),
    Number(f64),
    Formula(&'static str),
    Date,
    Bool(bool),
    Blank,
}

/// A workbook with the headers of the template and one sound entry with one item, then changed cell by cell.
struct Sheets {
    workbook: Workbook,
}

impl Sheets {
    fn new() -> Self {
        let mut workbook = Workbook::new();
        for sheet in [&ENTRY_SHEET, &ITEM_SHEET] {
            let worksheet = workbook.add_worksheet();
            worksheet.set_name(sheet.name).unwrap();
            for (at, column) in sheet.columns.iter().enumerate() {
                worksheet
                    .write_string(0, u16::try_from(at).unwrap(), column.marked_header())
                    .unwrap();
            }
        }
        let mut sheets = Self { workbook };
        sheets.sound_entry(2, "资源");
        sheets.sound_item(2, "资源");
        sheets
    }

    fn worksheet(&mut self, name: &str) -> &mut Worksheet {
        self.workbook.worksheet_from_name(name).unwrap()
    }

    fn sound_entry(&mut self, row: u32, name: &'static str) {
        let values = [
            name,
            "307001",
            "摘要",
            "数据库",
            "有条件共享",
            "条件",
            "",
            "库表",
            "否",
            "",
            "每月",
            "2",
            "",
            "",
            "王五",
            "1",
            "赵六",
            "2",
            "",
            "是",
        ];
        self.put_row(SHEET_ENTRIES, row, &values);
    }

    fn sound_item(&mut self, row: u32, name: &'static str) {
        self.put_row(
            SHEET_ITEMS,
            row,
            &[
                name,
                "项",
                "code",
                "字符型",
                "",
                "",
                "否",
                "",
                "一般",
                "",
                "",
                "",
            ],
        );
    }

    fn put_row(&mut self, sheet: &str, row: u32, values: &[&str]) {
        let worksheet = self.worksheet(sheet);
        for (at, value) in values
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_empty())
        {
            worksheet
                .write_string(row - 1, u16::try_from(at).unwrap(), *value)
                .unwrap();
        }
    }

    fn put(mut self, sheet: &'static str, cell: (u32, &str), value: Put) -> Self {
        let table = [&ENTRY_SHEET, &ITEM_SHEET]
            .into_iter()
            .find(|found| found.name == sheet)
            .unwrap();
        let column = u16::try_from(table.position(cell.1)).unwrap();
        let row = cell.0 - 1;
        let worksheet = self.worksheet(sheet);
        match value {
            Put::Text(text) => worksheet.write_string(row, column, text).unwrap(),
            Put::Number(number) => worksheet.write_number(row, column, number).unwrap(),
            Put::Formula(formula) => worksheet
                .write_formula(row, column, Formula::new(formula).set_result("7"))
                .unwrap(),
            Put::Date => {
                let date = ExcelDateTime::from_ymd(2026, 10, 1).unwrap();
                worksheet
                    .write_datetime_with_format(
                        row,
                        column,
                        &date,
                        &Format::new().set_num_format("yyyy-mm-dd"),
                    )
                    .unwrap()
            }
            Put::Bool(value) => worksheet.write_boolean(row, column, value).unwrap(),
            Put::Blank => worksheet
                .write_blank(row, column, &Format::new().set_bold())
                .unwrap(),
        };
        self
    }

    fn bytes(mut self) -> Vec<u8> {
        self.workbook.save_to_buffer().unwrap()
    }

    fn read(self) -> Import {
        read_back(&self.bytes())
    }
}

fn told(import: &Import) -> Vec<(&str, &str, &str)> {
    import
        .faults
        .iter()
        .map(|fault| {
            (
                fault.sheet.as_str(),
                fault.cell.as_str(),
                fault.code.as_str(),
            )
        })
        .collect()
}

#[track_caller]
fn check_fault(sheets: Sheets, expected: (&str, &str, &str)) {
    let import = sheets.read();
    assert_eq!(told(&import), [expected]);
    assert_eq!(
        import.entries[0].content, None,
        "a faulty entry has no content to store"
    );
}

#[test]
fn the_sound_sheet_of_these_tests_is_sound() {
    let import = Sheets::new().read();
    assert_eq!(told(&import), []);
    assert!(import.is_clean());
    assert_eq!(
        import.entries[0].content.as_ref().unwrap().items[0].code,
        "code"
    );
}

#[test]
fn what_is_filled_in_is_read_back() {
    let entries = vec![
        entry("甲"),
        entry("乙"),
        EntryContent {
            items: Vec::new(),
            modes: vec!["file".to_owned()],
            ..entry("丙")
        },
    ];
    let bytes = filled(&options(), &entries).unwrap();
    let import = read_back(&bytes);
    assert_eq!(told(&import), []);
    let contents: Vec<EntryContent> = import
        .entries
        .iter()
        .map(|entry| entry.content.clone().unwrap())
        .collect();
    assert_eq!(contents, entries);
    assert_eq!(
        import.entries[1].row, 4,
        "below the header, the example and the first"
    );
}

#[test]
fn what_the_domain_just_accepts_fits_into_the_workbook() {
    let text = |chars: usize| "字".repeat(chars);
    let longest = EntryContent {
        name: text(200),
        summary: text(2_000),
        sharing_condition: Some(text(2_000)),
        legal_basis: Some(text(2_000)),
        open: true,
        open_condition: Some(text(2_000)),
        source_system: Some(text(2_000)),
        authorising_contact: Contact {
            name: text(200),
            phone: "1".repeat(30),
        },
        technical_contact: Contact {
            name: text(200),
            phone: "1".repeat(30),
        },
        items: vec![DataItem {
            name: text(200),
            code: "c".repeat(60),
            standard: Some(text(200)),
            ..item("", "")
        }],
        ..entry("")
    };
    let rules = ClassRules {
        classes: vec![ClassRule {
            code: "conditional".to_owned(),
            name: "有条件共享".to_owned(),
            needs_condition: true,
            needs_legal_basis: false,
            requirements: Vec::new(),
            clause: None,
        }],
        modes: vec!["table".to_owned(), "interface".to_owned()],
        ..ClassRules::default()
    };
    let faults = check_content(&longest, &rules);
    assert_eq!(faults, [], "the domain accepts it");
    let import = read_back(&filled(&options(), std::slice::from_ref(&longest)).unwrap());
    assert_eq!(told(&import), []);
    assert_eq!(import.entries[0].content.as_ref(), Some(&longest));
}

#[test]
fn every_fault_of_the_domain_finds_a_cell() {
    let mut broken = entry("坏");
    broken.class_code = "x".to_owned();
    broken.summary = String::new();
    broken.modes = vec!["nothing".to_owned()];
    broken.authorising_contact.phone = String::new();
    broken.related_codes = vec!["y".to_owned()];
    broken.declared_unclassified = false;
    broken.items[1].code = "Bad Code".to_owned();
    let import = read_back(&filled(&options(), &[entry("好"), entry("坏")]).unwrap());
    let faults = check_content(&broken, &ClassRules::default());
    assert!(faults.len() >= 8, "{faults:?}");
    for fault in faults {
        let field = fault.field.to_string();
        assert!(import.cell_of(1, &field).is_some(), "no cell for {field}");
    }
    assert_eq!(
        import.cell_of(1, "items[1].code"),
        Some((SHEET_ITEMS, "C8".to_owned()))
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(template(&options()).unwrap(), template(&options()).unwrap());
}

#[test]
fn an_empty_template_says_that_it_is_empty() {
    let bytes = template(&options()).unwrap();
    let refused = read(&bytes, &options(), &Limits::default()).unwrap_err();
    assert_eq!(refused.code(), "workbook.empty");
}

#[test]
fn every_shape_of_column_is_as_its_field_is_read() {
    for (sheet, field) in [
        (&ENTRY_SHEET, "grade"),
        (&ITEM_SHEET, "length"),
        (&ITEM_SHEET, "scale"),
    ] {
        assert!(matches!(
            sheet.columns[sheet.position(field)].shape,
            Shape::Number { .. }
        ));
    }
    let headers = |sheet: &Sheet| {
        sheet
            .columns
            .iter()
            .map(|column| column.header)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert_eq!(
        headers(&ENTRY_SHEET),
        ENTRY_SHEET.columns.len(),
        "headers tell columns apart"
    );
    assert_eq!(headers(&ITEM_SHEET), ITEM_SHEET.columns.len());
}

#[test]
fn codes_of_faults_are_stable_and_different() {
    let codes: Vec<&str> = faults::Code::ALL.iter().map(|code| code.code()).collect();
    let different: std::collections::BTreeSet<&&str> = codes.iter().collect();
    assert_eq!(different.len(), codes.len());
    assert!(codes.iter().all(|code| code.starts_with("workbook.")));
}

#[test]
fn a_formula_is_refused_in_its_cell() {
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "class_code"), Put::Formula("=1+6"));
    check_fault(sheets, ("目录", "B2", "workbook.formula"));
    let sheets = Sheets::new().put(SHEET_ITEMS, (2, "code"), Put::Formula("=A2"));
    check_fault(sheets, ("信息项", "C2", "workbook.formula"));
    let sheets = Sheets::new().put(
        SHEET_ENTRIES,
        (2, "summary"),
        Put::Text("=HYPERLINK(\"http://x\")"),
    );
    check_fault(sheets, ("目录", "C2", "workbook.formula"));
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "grade"), Put::Formula("=1+1"));
    check_fault(sheets, ("目录", "L2", "workbook.formula"));
}

#[test]
fn a_required_cell_must_be_filled_in() {
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "technical_contact.phone"), Put::Blank);
    let import = sheets.read();
    assert_eq!(told(&import), [("目录", "R2", "workbook.required")]);
    assert_eq!(import.faults[0].message, "“技术支持电话”是必填项，请填写。");
    assert_eq!(import.faults[0].field, "technical_contact.phone");
    let sheets = Sheets::new().put(SHEET_ITEMS, (2, "nullable"), Put::Text(" \u{3000}\n"));
    check_fault(sheets, ("信息项", "G2", "workbook.required"));
    let import = Sheets::new()
        .put(SHEET_ITEMS, (2, "key"), Put::Blank)
        .read();
    assert!(!import.entries[0].content.as_ref().unwrap().items[0].key);
}

#[test]
fn a_value_outside_the_list_is_told_with_the_list() {
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "sharing_class"), Put::Text("随便共享"));
    let import = sheets.read();
    assert_eq!(told(&import), [("目录", "E2", "workbook.unknown_value")]);
    assert_eq!(
        import.faults[0].message,
        "“共享类型”没有这个选项，请改为：无条件共享、有条件共享、不予共享。"
    );
    for (sheet, field, cell) in [
        (SHEET_ENTRIES, "format", "D2"),
        (SHEET_ENTRIES, "modes", "H2"),
        (SHEET_ENTRIES, "update_cycle", "K2"),
        (SHEET_ENTRIES, "base_library", "N2"),
        (SHEET_ENTRIES, "declared_unclassified", "T2"),
        (SHEET_ITEMS, "data_type", "D2"),
        (SHEET_ITEMS, "sensitivity", "I2"),
        (SHEET_ITEMS, "mask", "J2"),
        (SHEET_ITEMS, "check", "K2"),
    ] {
        let sheets = Sheets::new().put(sheet, (2, field), Put::Text("没有的值"));
        check_fault(sheets, (sheet, cell, "workbook.unknown_value"));
    }
}

#[test]
fn modes_may_be_several_in_any_order() {
    for written in [
        "接口、库表",
        "库表,接口",
        "interface；table",
        "库表\n接口、库表",
    ] {
        let import = Sheets::new()
            .put(SHEET_ENTRIES, (2, "modes"), Put::Text(written))
            .read();
        assert_eq!(
            import.entries[0].content.as_ref().unwrap().modes,
            ["table", "interface"],
            "for {written}"
        );
    }
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "modes"), Put::Text("库表、传真"));
    check_fault(sheets, ("目录", "H2", "workbook.unknown_value"));
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "modes"), Put::Text("、"));
    check_fault(sheets, ("目录", "H2", "workbook.unknown_value"));
}

#[test]
fn whole_numbers_are_taken_as_text_exactly() {
    let phone = |number| {
        Sheets::new().put(
            SHEET_ENTRIES,
            (2, "technical_contact.phone"),
            Put::Number(number),
        )
    };
    let import = phone(13_800_000_000.0).read();
    assert_eq!(
        import.entries[0]
            .content
            .as_ref()
            .unwrap()
            .technical_contact
            .phone,
        "13800000000"
    );
    let import = Sheets::new()
        .put(SHEET_ENTRIES, (2, "class_code"), Put::Number(307_001.0))
        .read();
    assert_eq!(
        import.entries[0].content.as_ref().unwrap().class_code,
        "307001"
    );
    check_fault(
        phone(410_402_199_001_011_234.0),
        ("目录", "R2", "workbook.number_lossy"),
    );
    check_fault(phone(375.5), ("目录", "R2", "workbook.number_lossy"));
    check_fault(phone(1e300), ("目录", "R2", "workbook.number_lossy"));
}

#[test]
fn a_number_must_be_whole_and_within_its_bounds() {
    let grade = |value| Sheets::new().put(SHEET_ENTRIES, (2, "grade"), value);
    for value in [
        Put::Number(5.0),
        Put::Number(0.0),
        Put::Number(-1.0),
        Put::Number(2.5),
        Put::Text("三"),
        Put::Text("99999999999"),
    ] {
        check_fault(grade(value), ("目录", "L2", "workbook.not_a_number"));
    }
    for value in [Put::Number(4.0), Put::Text("4")] {
        assert_eq!(
            grade(value).read().entries[0]
                .content
                .as_ref()
                .unwrap()
                .grade,
            4
        );
    }
    check_fault(grade(Put::Date), ("目录", "L2", "workbook.date_value"));
}

#[test]
fn dates_booleans_and_errors_are_not_text() {
    let phone = |value| Sheets::new().put(SHEET_ENTRIES, (2, "authorising_contact.phone"), value);
    check_fault(phone(Put::Date), ("目录", "P2", "workbook.date_value"));
    check_fault(
        phone(Put::Bool(true)),
        ("目录", "P2", "workbook.boolean_value"),
    );
    let import = Sheets::new()
        .put(SHEET_ENTRIES, (2, "open"), Put::Bool(true))
        .read();
    assert!(
        import.entries[0].content.as_ref().unwrap().open,
        "TRUE means 是 where 是 or 否 is asked"
    );
}

#[test]
fn long_broken_and_invisible_text_is_told() {
    let long: &'static str = Box::leak("长".repeat(2_001).into_boxed_str());
    let import = Sheets::new()
        .put(SHEET_ENTRIES, (2, "source_system"), Put::Text(long))
        .read();
    assert_eq!(told(&import), [("目录", "M2", "workbook.too_long")]);
    assert_eq!(
        import.faults[0].message,
        "“来源系统”最多 2000 个字，现在是 2001 个，请缩短。"
    );
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "source_system"), Put::Text("上\n下"));
    check_fault(sheets, ("目录", "M2", "workbook.line_break"));
    let sheets = Sheets::new().put(SHEET_ENTRIES, (2, "summary"), Put::Text("正\u{202e}反"));
    check_fault(sheets, ("目录", "C2", "workbook.control_character"));
}

#[test]
fn two_entries_of_one_name_are_told_at_the_second() {
    let mut sheets = Sheets::new();
    sheets.sound_entry(3, "资源");
    let import = sheets.read();
    assert_eq!(told(&import), [("目录", "A3", "workbook.duplicate_name")]);
    assert_eq!(import.faults[0].data["row"], "2");
    assert!(import.entries[0].content.is_some());
    assert_eq!(import.entries[1].content, None);
}

#[test]
fn an_item_of_no_entry_is_told() {
    let mut sheets = Sheets::new();
    sheets.sound_item(3, "资源 ");
    sheets.sound_item(4, "别的");
    let import = sheets.read();
    assert_eq!(told(&import), [("信息项", "A4", "workbook.orphan_item")]);
    assert_eq!(
        import.entries[0].content.as_ref().unwrap().items.len(),
        2,
        "blanks at the end don't matter"
    );
}

#[test]
fn all_faults_are_told_at_once() {
    let import = Sheets::new()
        .put(SHEET_ENTRIES, (2, "class_code"), Put::Formula("=1"))
        .put(SHEET_ENTRIES, (2, "update_cycle"), Put::Text("偶尔"))
        .put(SHEET_ENTRIES, (2, "grade"), Put::Blank)
        .put(SHEET_ITEMS, (2, "code"), Put::Blank)
        .put(SHEET_ITEMS, (2, "data_type"), Put::Text("文字"))
        .read();
    assert_eq!(
        told(&import),
        [
            ("目录", "B2", "workbook.formula"),
            ("目录", "K2", "workbook.unknown_value"),
            ("目录", "L2", "workbook.required"),
            ("信息项", "C2", "workbook.required"),
            ("信息项", "D2", "workbook.unknown_value"),
        ]
    );
}

#[test]
fn a_faulty_item_makes_its_entry_faulty_and_no_other() {
    let mut sheets = Sheets::new();
    sheets.sound_entry(3, "另一个");
    sheets.sound_item(3, "另一个");
    let import = sheets
        .put(SHEET_ITEMS, (3, "code"), Put::Formula("=1"))
        .read();
    assert!(import.entries[0].content.is_some());
    assert_eq!(import.entries[1].content, None);
    assert_eq!(import.entries[1].for_checking().unwrap().items.len(), 1);
}

#[test]
fn faults_beyond_the_limit_are_counted() {
    let mut sheets = Sheets::new();
    for row in 3..103 {
        sheets.sound_item(row, "别的");
    }
    let limits = Limits {
        faults_max: 10,
        ..Limits::default()
    };
    let import = read(&sheets.bytes(), &options(), &limits).unwrap();
    assert_eq!((import.faults.len(), import.faults_total), (10, 100));
    assert!(!import.is_clean());
}

#[test]
fn merged_cells_are_told_once() {
    let mut sheets = Sheets::new();
    sheets.sound_item(3, "");
    sheets.sound_item(4, "");
    sheets
        .worksheet(SHEET_ITEMS)
        .merge_range(1, 0, 3, 0, "资源", &Format::new())
        .unwrap();
    let import = sheets.read();
    assert_eq!(told(&import), [("信息项", "A2", "workbook.merged")]);
    assert_eq!(
        import.faults[0].message,
        "A2:A4 是合并单元格。请取消合并，并在每一行单独填写。"
    );
}

#[test]
fn text_beside_the_table_is_not_lost_silently() {
    let mut sheets = Sheets::new();
    sheets
        .worksheet(SHEET_ENTRIES)
        .write_string(1, 25, "备注")
        .unwrap();
    check_fault(sheets, ("目录", "Z2", "workbook.outside_columns"));
}

/// A workbook whose entry sheet has these headers.
fn headed(headers: &[String]) -> Vec<u8> {
    let mut sheets = Sheets::new();
    let worksheet = sheets.worksheet(SHEET_ENTRIES);
    for at in 0..30_u16 {
        let header = headers.get(usize::from(at)).map_or(" ", String::as_str);
        worksheet.write_string(0, at, header).unwrap();
    }
    sheets.bytes()
}

fn header_faults(headers: &[String]) -> Vec<CellFault> {
    let refused = read(&headed(headers), &options(), &Limits::default()).unwrap_err();
    assert_eq!(refused.code(), "workbook.headers");
    refused.faults().to_vec()
}

fn headers() -> Vec<String> {
    ENTRY_SHEET
        .columns
        .iter()
        .map(columns::Column::marked_header)
        .collect()
}

#[test]
fn a_missing_column_is_named_with_its_cell() {
    let mut shifted = headers();
    shifted.remove(2);
    let faults = header_faults(&shifted);
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (faults[0].cell.as_str(), faults[0].code.as_str()),
        ("C1", "workbook.column_missing")
    );
    assert_eq!(
        faults[0].message,
        "这里缺少“资源摘要*”列，后面的列都错位了（现在是“资源格式*”）。请按模板补上这一列。"
    );
}

#[test]
fn an_added_column_is_named_with_its_cell() {
    let mut shifted = headers();
    shifted.insert(4, "备注".to_owned());
    let faults = header_faults(&shifted);
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (faults[0].cell.as_str(), faults[0].code.as_str()),
        ("E1", "workbook.column_extra")
    );
    assert_eq!(
        (
            faults[0].data["expected"].as_str(),
            faults[0].data["found"].as_str()
        ),
        ("共享类型*", "备注")
    );
}

#[test]
fn renamed_and_swapped_columns_are_named() {
    let mut renamed = headers();
    renamed[1] = "类别".to_owned();
    let faults = header_faults(&renamed);
    assert_eq!(
        (
            faults.len(),
            faults[0].cell.as_str(),
            faults[0].code.as_str()
        ),
        (1, "B1", "workbook.header")
    );
    let mut swapped = headers();
    swapped.swap(0, 1);
    assert!(!header_faults(&swapped).is_empty());
    assert_eq!(header_faults(&[]).len(), ENTRY_SHEET.columns.len());
    let mut last = headers();
    last.pop();
    assert_eq!(
        header_faults(&last)
            .iter()
            .map(|fault| fault.cell.as_str())
            .collect::<Vec<_>>(),
        ["W1"]
    );
}

#[test]
fn blanks_and_marks_in_headers_do_not_matter() {
    let loose: Vec<String> = headers()
        .iter()
        .map(|header| format!(" {}\n", header.replace('*', "＊")))
        .collect();
    assert!(read(&headed(&loose), &options(), &Limits::default()).is_ok());
}

#[test]
fn sheets_and_template_version_must_be_ours() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("Sheet1").unwrap();
    let refused = read(
        &workbook.save_to_buffer().unwrap(),
        &options(),
        &Limits::default(),
    )
    .unwrap_err();
    assert!(matches!(
        refused,
        WorkbookError::SheetMissing { sheet: "目录" }
    ));

    let mut sheets = Sheets::new();
    let marker = sheets.workbook.add_worksheet();
    marker.set_name("_模板").unwrap();
    marker.write_string(0, 1, "99").unwrap();
    let refused = read(&sheets.bytes(), &options(), &Limits::default()).unwrap_err();
    assert_eq!(refused.code(), "workbook.version");
    assert!(refused.message().contains("第 1 版"));
}

#[test]
fn too_many_rows_are_refused() {
    let limits = Limits {
        entries_max: 2,
        items_max: 3,
        ..Limits::default()
    };
    let entries = |count: usize| {
        (0..count)
            .map(|n| EntryContent {
                items: Vec::new(),
                ..entry(&n.to_string())
            })
            .collect::<Vec<_>>()
    };
    assert!(
        read(
            &filled(&options(), &entries(2)).unwrap(),
            &options(),
            &limits
        )
        .is_ok(),
        "the example doesn't count"
    );
    let refused = read(
        &filled(&options(), &entries(3)).unwrap(),
        &options(),
        &limits,
    )
    .unwrap_err();
    assert!(matches!(
        refused,
        WorkbookError::TooManyEntries { entries_max: 2 }
    ));
    assert_eq!(
        refused.message(),
        "“目录”表超过 2 行。请拆成几个文件，每个不超过 2 行。"
    );
    let refused = read(
        &filled(&options(), &[entry("甲"), entry("乙")]).unwrap(),
        &options(),
        &limits,
    )
    .unwrap_err();
    assert_eq!(refused.code(), "workbook.too_many_items");
}

#[test]
fn a_returned_workbook_reads_the_same_again() {
    let mut sheets = Sheets::new();
    sheets.sound_entry(5, "另一个");
    sheets.sound_item(7, "别的");
    let first = sheets
        .put(SHEET_ENTRIES, (2, "class_code"), Put::Formula("=1+6"))
        .put(SHEET_ENTRIES, (2, "authorising_contact.phone"), Put::Date)
        .put(
            SHEET_ENTRIES,
            (2, "technical_contact.phone"),
            Put::Number(375.25),
        )
        .put(SHEET_ENTRIES, (5, "grade"), Put::Blank)
        .put(SHEET_ENTRIES, (5, "open"), Put::Bool(false))
        .put(
            SHEET_ENTRIES,
            (5, "summary"),
            Put::Text("两\n行 & <标记> \"引\""),
        )
        .read();
    assert_eq!(first.faults_total, 5);
    let returned = annotated(&first, &options(), &first.faults).unwrap();
    let second = read_back(&returned);
    assert_eq!(second.faults, first.faults);
    assert_eq!(second.entries, first.entries);
    let third = read_back(&annotated(&second, &options(), &second.faults).unwrap());
    assert_eq!(third, second, "returning again changes nothing");
}

#[test]
fn a_returned_workbook_can_be_corrected_and_is_then_clean() {
    let first = Sheets::new()
        .put(SHEET_ENTRIES, (2, "grade"), Put::Text("高"))
        .read();
    let mut corrected = first.clone();
    for (at, raw) in &mut corrected.entry_sheet.rows[0].cells {
        if *at == ENTRY_SHEET.position("grade") {
            *raw = grid::Raw::Number(4.0);
        }
    }
    let returned = annotated(&corrected, &options(), &first.faults).unwrap();
    let second = read_back(&returned);
    assert!(second.is_clean());
    assert_eq!(second.entries[0].content.as_ref().unwrap().grade, 4);
}

/// Text of a part of a workbook.
fn part(bytes: &[u8], name: &str) -> String {
    use calamine::Reader as _;
    let mut workbook: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let range = workbook.worksheet_range(name).unwrap();
    range
        .rows()
        .map(|row| {
            row.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_returned_workbook_tells_the_faults_beside_their_row() {
    let first = Sheets::new()
        .put(SHEET_ENTRIES, (2, "grade"), Put::Text("高"))
        .read();
    let returned = annotated(&first, &options(), &first.faults).unwrap();
    let entries = part(&returned, SHEET_ENTRIES);
    assert!(entries.lines().next().unwrap().ends_with("|问题"));
    assert!(
        entries
            .lines()
            .nth(1)
            .unwrap()
            .ends_with("|L2：“数据分级”应为 1 至 4 的整数，请修改。")
    );
    let items = part(&returned, SHEET_ITEMS);
    assert!(
        !items.contains("问题"),
        "a sheet without faults has no such column"
    );
}

#[test]
fn faults_of_the_content_find_their_cells() {
    let mut sheets = Sheets::new();
    sheets.sound_item(5, "资源");
    let import = sheets
        .put(SHEET_ITEMS, (2, "mask"), Put::Text("没有"))
        .read();
    assert_eq!(
        import.cell_of(0, "name"),
        Some((SHEET_ENTRIES, "A2".to_owned()))
    );
    assert_eq!(
        import.cell_of(0, "technical_contact.phone"),
        Some((SHEET_ENTRIES, "R2".to_owned()))
    );
    assert_eq!(
        import.cell_of(0, "technical_contact"),
        Some((SHEET_ENTRIES, "Q2".to_owned()))
    );
    assert_eq!(
        import.cell_of(0, "related_codes[1]"),
        Some((SHEET_ENTRIES, "S2".to_owned()))
    );
    assert_eq!(
        import.cell_of(0, "items"),
        Some((SHEET_ENTRIES, "A2".to_owned()))
    );
    assert_eq!(
        import.cell_of(0, "items[1].code"),
        Some((SHEET_ITEMS, "C5".to_owned()))
    );
    assert_eq!(
        import.cell_of(0, "items[1]"),
        Some((SHEET_ITEMS, "B5".to_owned()))
    );
    for nowhere in [
        "items[2].code",
        "items[x].code",
        "items[0].nothing",
        "nothing",
        "items[",
    ] {
        assert_eq!(import.cell_of(0, nowhere), None, "for {nowhere}");
    }
    assert_eq!(import.cell_of(1, "name"), None);

    let fault = import
        .content_fault(0, "items[1].code", "catalogue.item_code", "英文名重复")
        .unwrap();
    assert_eq!(
        (
            fault.sheet.as_str(),
            fault.cell.as_str(),
            fault.code.as_str()
        ),
        ("信息项", "C5", "catalogue.item_code")
    );
    let known = Sheets::new()
        .put(SHEET_ENTRIES, (2, "class_code"), Put::Formula("=1"))
        .read();
    assert_eq!(
        known.content_fault(0, "class_code", "catalogue.class_code", "空"),
        None,
        "what follows from a known fault"
    );
}

#[test]
fn other_files_are_told_apart() {
    let found = |bytes: &[u8]| match read(bytes, &options(), &Limits::default()).unwrap_err() {
        WorkbookError::NotXlsx { found } => found,
        other => panic!("{other}"),
    };
    assert_eq!(found(b""), FoundFormat::Nothing);
    assert_eq!(found(b"name,code\n1,2\n"), FoundFormat::Other);
    assert_eq!(
        found(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest of an old file"),
        FoundFormat::OldOfficeOrEncrypted
    );
    assert_eq!(
        found(&archive(&[("readme.txt", b"hello", b"hello".len())])),
        FoundFormat::OtherArchive
    );
    let broken = read(
        b"PK\x03\x04 and then nothing",
        &options(),
        &Limits::default(),
    )
    .unwrap_err();
    assert_eq!(broken.code(), "workbook.unreadable");
    let hollow = archive(&[
        ("[Content_Types].xml", b"<x/>", 4),
        ("xl/workbook.xml", b"<x/>", 4),
    ]);
    assert!(matches!(
        read(&hollow, &options(), &Limits::default()),
        Err(WorkbookError::Unreadable | WorkbookError::SheetMissing { .. })
    ));
}

/// An archive of deflated parts; each claims the size given, true or not.
fn archive(parts: &[(&str, &[u8], usize)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, content, claimed) in parts {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let at = u32::try_from(out.len()).unwrap();
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
        common.extend(crc.sum().to_le_bytes());
        common.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        common.extend(u32::try_from(*claimed).unwrap().to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let at = u32::try_from(out.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for field in [count.as_slice(), &count, &size, &at, &[0, 0]] {
        out.extend(field);
    }
    out
}

const CONTENT_TYPES: (&str, &[u8], usize) = ("[Content_Types].xml", b"<Types/>", 8);

#[test]
fn an_archive_that_swells_is_refused_whatever_size_it_claims() {
    let zeros = vec![b' '; 700_000];
    let limits = Limits {
        unpacked_bytes_max: 1_000_000,
        part_bytes_max: 600_000,
        ..Limits::default()
    };
    let held = archive(&[
        CONTENT_TYPES,
        ("xl/workbook.xml", b"<x/>", 4),
        ("xl/sharedStrings.xml", &zeros, 10),
    ]);
    assert!(held.len() < 2_000);
    let refused = read(&held, &options(), &limits).unwrap_err();
    assert_eq!(
        refused.code(),
        "workbook.unpacks_too_large",
        "held in memory as a whole"
    );
    let sheets = archive(&[
        CONTENT_TYPES,
        ("xl/workbook.xml", b"<x/>", 4),
        ("xl/worksheets/sheet1.xml", &zeros, 10),
        ("xl/worksheets/sheet2.xml", &zeros, 10),
    ]);
    let refused = read(&sheets, &options(), &limits).unwrap_err();
    assert_eq!(
        refused.code(),
        "workbook.unpacks_too_large",
        "all parts together"
    );
    let refused = read(
        &[b'P'; 101],
        &options(),
        &Limits {
            bytes_max: 100,
            ..limits
        },
    )
    .unwrap_err();
    assert_eq!(refused.code(), "workbook.file_too_large");
}

#[test]
fn a_file_that_announces_a_billion_texts_is_refused_before_room_is_made() {
    for announced in [
        "uniqueCount=\"99999999999\"",
        "uniqueCount = '2000001'",
        "uniqueCoununiqueCount=\"9000000000000000000000\"",
    ] {
        // The announcement lies across the border of two chunks of the scan.
        let strings = format!("{}<sst {announced}></sst>", " ".repeat(16_384 - 12));
        let bytes = archive(&[
            CONTENT_TYPES,
            ("xl/workbook.xml", b"<x/>", 4),
            ("xl/sharedStrings.xml", strings.as_bytes(), 1),
        ]);
        let refused = read(&bytes, &options(), &Limits::default()).unwrap_err();
        assert_eq!(refused.code(), "workbook.unreadable", "for {announced}");
        assert!(
            package::inspect(&bytes, &Limits::default()).is_err(),
            "before anything is parsed: {announced}"
        );
    }
    let utf16: Vec<u8> = "<sst uniqueCount=\"99999999999\"/>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bytes = archive(&[
        CONTENT_TYPES,
        ("xl/workbook.xml", b"<x/>", 4),
        ("xl/sharedStrings.xml", &utf16, 1),
    ]);
    assert!(package::inspect(&bytes, &Limits::default()).is_err());
}

#[test]
fn damaged_files_never_panic_and_never_pass_for_others() {
    let sound = filled(&options(), &[entry("甲")]).unwrap();
    let limits = Limits::default();
    for cut in (0..sound.len()).step_by(211) {
        assert!(
            read(&sound[..cut], &options(), &limits).is_err(),
            "cut at {cut}"
        );
    }
    // A fixed pseudo-random sequence: each run damages the same bytes.
    let mut state: u32 = 12_345;
    for _ in 0..300 {
        let mut damaged = sound.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = usize::try_from(state).unwrap() % damaged.len();
            damaged[at] ^= u8::try_from(state >> 24).unwrap() | 1;
        }
        let _unharmed = read(&damaged, &options(), &limits);
    }
}

/// A workbook from sheet XML written by hand, the way no office program would.
fn crafted(entries: &str) -> Vec<u8> {
    let workbook = r#"<workbook xmlns:r="r"><sheets><sheet name="目录" sheetId="1" r:id="rId1"/><sheet name="信息项" sheetId="2" r:id="rId2"/></sheets></workbook>"#;
    let package = r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let relations = r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#;
    let header = |sheet: &Sheet| {
        let cells = sheet
            .columns
            .iter()
            .map(|column| format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", column.header));
        cells.collect::<Vec<_>>().concat()
    };
    let sheet1 = format!(
        "<worksheet><sheetData><row r=\"1\">{}</row>{entries}</sheetData></worksheet>",
        header(&ENTRY_SHEET)
    );
    let sheet2 = format!(
        "<worksheet><sheetData><row r=\"1\">{}</row></sheetData></worksheet>",
        header(&ITEM_SHEET)
    );
    let parts = [
        ("[Content_Types].xml", "<Types/>"),
        ("_rels/.rels", package),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", &sheet1),
        ("xl/worksheets/sheet2.xml", &sheet2),
    ];
    let parts: Vec<(&str, &[u8], usize)> = parts
        .iter()
        .map(|(name, text)| (*name, text.as_bytes(), text.len()))
        .collect();
    archive(&parts)
}

#[test]
fn crafted_cells_are_refused_or_told() {
    let read_crafted = |entries: &str| read(&crafted(entries), &options(), &Limits::default());
    let plain =
        read_crafted("<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>甲</t></is></c></row>")
            .unwrap();
    assert_eq!(
        plain.faults[0].cell, "B2",
        "the sound case of this test is read"
    );
    let refused = read_crafted(
        "<row r=\"5\"><c r=\"A5\"><v>1</v></c></row><row r=\"3\"><c r=\"A3\"><v>1</v></c></row>",
    )
    .unwrap_err();
    assert_eq!(refused.code(), "workbook.unreadable", "rows out of order");
    for odd in [
        "<row r=\"2\"><c r=\"ZZZZZZZZZZ2\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"A99999999999\"><v>1</v></c></row>",
        "<row r=\"0\"><c r=\"A0\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>77</v></c></row>",
        "<row r=\"2\"><c r=\"A2\"><f t=\"shared\" si=\"99999999999\">1</f></c></row>",
        "<row r=\"2\"><c r=\"A2\"><v>&lol;</v></c></row>",
    ] {
        let _unharmed = read_crafted(odd);
    }
    let shared =
        read_crafted("<row r=\"2\"><c r=\"A2\"><f t=\"shared\" si=\"0\"/><v>7</v></c></row>")
            .unwrap();
    assert_eq!(
        (
            shared.faults[0].cell.as_str(),
            shared.faults[0].code.as_str()
        ),
        ("A2", "workbook.formula")
    );
}
