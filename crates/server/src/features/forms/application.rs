//! The application form of a sharing request 服务接口申请表, 政务数据共享需求单. Spec: YC-29.2, PDS-12,
//! PDS-13, TP-20a.

use jiff::Timestamp;
use tongqu_domain::{
    catalogue::EntryContent,
    exchange::{ConditionOp, RowCondition, Term},
    law::{Pack, Process, Step},
    request::SharingRequest,
};

use super::{
    sheet::{Sheet, sheet},
    store::Applicant,
};
use crate::{
    features::directory::Department,
    platform::pdf::{Body, Column, Form, Row, Section},
};

/// Values of a condition that are written out; the number of the others is named.
const VALUES_SHOWN: usize = 50;

/// What every requester signs for; the undertakings of the regulation follow it.
const STATEMENT: &str = "本单位承诺：以上内容真实、完整";

/// A sharing request with everything that its form names.
pub struct Application<'a> {
    pub pack: &'a Pack,
    pub process: &'a Process,
    /// The step that it belongs to, see [`super::form_step`].
    pub step: &'a Step,
    /// The number of the request; empty before it is filed.
    pub number: &'a str,
    /// When it was filed; the time of printing before that.
    pub filed_at: Timestamp,
    pub printed_at: Timestamp,
    pub content: &'a SharingRequest,
    pub entry: &'a EntryContent,
    /// The code of the resource.
    pub resource_code: &'a str,
    pub requester: &'a Department,
    pub provider: &'a Department,
    pub applicant: &'a Applicant,
    /// What the regulation has requesters promise. Spec: LY-16.1, PDS-19.1.
    pub undertakings: &'a [String],
    /// Names of the files that go with it, without the stamped form itself.
    pub attachments: &'a [String],
}

/// The application form, filled in.
#[must_use]
pub fn application_form(application: &Application<'_>) -> Form {
    let content = application.content;
    sheet(Sheet {
        pack: application.pack,
        process: application.process,
        step: application.step,
        number: application.number,
        filed_at: application.filed_at,
        printed_at: application.printed_at,
        organisation: &application.requester.name,
        statement: &statement(application.undertakings),
        rows: rows(application),
        sections: vec![
            Section {
                heading: "申请的数据项".to_owned(),
                body: items(content, application.entry),
            },
            Section {
                heading: "用途说明".to_owned(),
                body: Body::Text(content.purpose.clone()),
            },
            Section {
                heading: "履职依据".to_owned(),
                body: Body::Text(content.duty.clone()),
            },
        ],
    })
}

fn statement(undertakings: &[String]) -> String {
    let mut statement = STATEMENT.to_owned();
    for undertaking in undertakings {
        statement.push('；');
        statement.push_str(undertaking);
    }
    statement.push('。');
    statement
}

fn rows(application: &Application<'_>) -> Vec<Row> {
    let content = application.content;
    let mode = application
        .pack
        .exchange_modes()
        .iter()
        .find(|mode| mode.code == content.mode)
        .map_or(content.mode.as_str(), |mode| mode.name.as_str());
    let term = content
        .term_months
        .map_or_else(|| "不限期".to_owned(), |months| format!("{months} 个月"));
    let requester = application.requester;
    let mut rows = vec![
        Row::new("申请单位", &requester.name),
        Row::new("统一社会信用代码", &requester.credit_code),
        Row::new("申请人", &application.applicant.name),
        Row::new("联系电话", &application.applicant.phone),
        Row::new("数据提供单位", &application.provider.name),
        Row::new("资源名称", &application.entry.name),
        Row::new("资源代码", application.resource_code),
        Row::new("共享方式", mode),
        Row::new("数据范围", in_words(&content.condition, application.entry)),
        Row::new("使用目的", content.purpose_kind.label()),
        Row::new("使用系统", &content.consumer_system),
        Row::new("使用期限", term),
    ];
    if !application.attachments.is_empty() {
        rows.push(Row::new("附件", application.attachments.join("\n")));
    }
    rows
}

fn items(content: &SharingRequest, entry: &EntryContent) -> Body {
    if content.columns.is_empty() {
        return Body::Text("整份资源（没有数据项）".to_owned());
    }
    let column = |name: &str, share| Column {
        name: name.to_owned(),
        share,
    };
    let rows = content
        .columns
        .iter()
        .zip(1..)
        .map(|(code, number): (_, u32)| {
            let item = entry.items.iter().find(|item| item.code == *code);
            vec![
                number.to_string(),
                code.clone(),
                item.map_or_else(String::new, |item| item.name.clone()),
                item.map_or_else(String::new, |item| item.data_type.label().to_owned()),
            ]
        });
    Body::Table {
        columns: vec![
            column("序号", 8),
            column("代码", 34),
            column("名称", 40),
            column("类型", 18),
        ],
        rows: rows.collect(),
    }
}

/// Which rows are asked for, as people say it.
fn in_words(condition: &RowCondition, entry: &EntryContent) -> String {
    if condition.covers_all_rows() {
        return "全部数据".to_owned();
    }
    let terms: Vec<String> = condition
        .terms()
        .iter()
        .map(|term| term_in_words(term, entry))
        .collect();
    terms.join("；并且")
}

fn term_in_words(term: &Term, entry: &EntryContent) -> String {
    let item = entry.items.iter().find(|item| item.code == term.column);
    let name = item.map_or(term.column.as_str(), |item| item.name.as_str());
    let shown: Vec<String> = term
        .values
        .iter()
        .take(VALUES_SHOWN)
        .map(|value| format!("“{value}”"))
        .collect();
    let values = shown.join("、");
    let rest = match term.values.len() {
        all if all > VALUES_SHOWN => format!("等 {all} 个值"),
        _ => String::new(),
    };
    match term.op {
        ConditionOp::Eq => format!("{name}为{values}{rest}"),
        ConditionOp::In => format!("{name}为{values}{rest}之一"),
        ConditionOp::Prefix => format!("{name}以{values}{rest}开头"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_said_in_words_and_long_lists_are_counted() {
        let term = |op, values: Vec<String>| Term {
            column: "code".to_owned(),
            op,
            values,
        };
        let entry: EntryContent = serde_json::from_value(serde_json::json!({
            "name": "区划", "class_code": "307001", "summary": "", "format": "database",
            "sharing_class": "conditional", "sharing_condition": null, "legal_basis": null, "modes": ["table"],
            "open": false, "open_condition": null, "update_cycle": "yearly", "grade": 1, "source_system": null,
            "base_library": null, "authorising_contact": {"name": "", "phone": ""},
            "technical_contact": {"name": "", "phone": ""}, "related_codes": [], "declared_unclassified": true,
            "items": [{"name": "区划代码", "code": "code", "data_type": "text", "length": 12, "scale": null,
                "nullable": false, "key": true, "sensitivity": "general", "mask": null, "check": null, "standard": null}],
        }))
        .unwrap();
        let say = |terms| in_words(&RowCondition::new(terms), &entry);
        assert_eq!(say(vec![]), "全部数据");
        assert_eq!(
            say(vec![
                term(ConditionOp::Prefix, vec!["4104".to_owned()]),
                term(ConditionOp::In, vec!["1".to_owned(), "2".to_owned()]),
            ]),
            "区划代码以“4104”开头；并且区划代码为“1”、“2”之一"
        );
        let many = (0..60).map(|n| n.to_string()).collect();
        assert!(say(vec![term(ConditionOp::In, many)]).ends_with("“49”等 60 个值之一"));
    }
}
