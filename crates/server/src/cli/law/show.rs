//! A rule pack for reading, in Chinese with the ids that interfaces use.

use std::fmt::Write as _;

use tongqu_domain::law::{
    Condition, Deadline, Limit, Meta, Pack, Process, Step, StepKind, deadline::NotBefore,
    process::FollowUp,
};

use super::table::Table;

/// One line for a list of packs.
pub(super) fn in_short(pack: &Pack) -> String {
    let steps: usize = pack.processes.iter().map(|it| it.steps.len()).sum();
    format!(
        "{} ({} processes, {steps} steps, {} clauses)",
        pack.meta.id,
        pack.processes.len(),
        pack.clauses.len()
    )
}

/// Everything an official would ask about: what it is, since when, who acts, who decides, each process
/// with its steps and limits, what comes round, and the clauses cited.
pub(super) fn summary(pack: &Pack) -> String {
    let mut text = head(pack);
    section(&mut text, "角色", &roles(pack));
    section(
        &mut text,
        "审批权限（依次适用第一条相符的）",
        &deciders(pack),
    );
    for process in &pack.processes {
        section(&mut text, &process_title(process), &steps(pack, process));
    }
    if !pack.periodic.is_empty() {
        section(&mut text, "定期事项", &periodic(pack));
    }
    section(&mut text, "条款", &clauses(pack));
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    let _infallible = write!(text, "\n{title}\n{body}");
}

fn head(pack: &Pack) -> String {
    let Meta {
        id,
        title,
        issuer,
        number,
        jurisdiction,
        forwarded,
        successor,
        ..
    } = &pack.meta;
    let mut lines = vec![
        title.clone(),
        format!("标识      {id}（条款前缀 {}）", pack.meta.prefix),
        format!(
            "适用范围  {}（{}，{}）",
            jurisdiction.name,
            jurisdiction.division.as_deref().unwrap_or("未给区划代码"),
            jurisdiction.clause
        ),
        format!("效力      {}", validity(&pack.meta)),
    ];
    if let Some(issuer) = issuer {
        lines.push(format!("发文机关  {issuer}"));
    }
    if let Some(number) = number {
        lines.push(format!("文号      {number}（{}）", pack.meta.clause));
    }
    for item in forwarded {
        lines.push(format!(
            "转发      {}，{}，{}（{}）",
            item.jurisdiction, item.number, item.date, item.clause
        ));
    }
    if let Some(successor) = successor {
        lines.push(format!("接续规则  {successor}"));
    }
    lines.push(format!("版本      {}", pack.version));
    lines.push(String::new());
    lines.join("\n")
}

fn validity(meta: &Meta) -> String {
    if meta.template {
        return "参考范本，本身不生效".to_owned();
    }
    let first = match (meta.first_day, meta.issued_year) {
        (Some(day), _) => format!("自{day}起"),
        (None, Some(year)) => format!("{year}年印发（原文未写明日期）"),
        (None, None) => "起始日未写明".to_owned(),
    };
    let last = meta
        .last_day
        .map_or("未写明截止日".to_owned(), |day| format!("至{day}止"));
    let clause = meta
        .validity_clause
        .as_ref()
        .map_or(String::new(), |clause| format!("（{clause}）"));
    format!("{first}，{last}{clause}")
}

fn roles(pack: &Pack) -> String {
    let mut table = Table::new(&["角色", "名称", "由谁担任", "条款"]);
    for role in &pack.roles {
        table.row(vec![
            role.id.to_string(),
            role.name.clone(),
            role.body
                .clone()
                .unwrap_or_else(|| role.held_by.label().to_owned()),
            role.clause.to_string(),
        ]);
    }
    table.print()
}

fn deciders(pack: &Pack) -> String {
    if pack.deciders.is_empty() {
        return "原文未规定\n".to_owned();
    }
    let mut table = Table::new(&["条件", "由谁审批", "条款"]);
    for decider in &pack.deciders {
        table.row(vec![
            condition(&decider.when),
            decider.decides.label().to_owned(),
            decider.clause.to_string(),
        ]);
    }
    table.print()
}

fn process_title(process: &Process) -> String {
    let when = if process.when.0.is_empty() {
        String::new()
    } else {
        format!("，适用于 {}", condition(&process.when))
    };
    let start = process
        .starts_on
        .map_or(String::new(), |event| format!("，起于“{}”", event.label()));
    format!(
        "流程 {}（{}，{}{when}{start}）",
        process.name, process.id, process.clause
    )
}

fn steps(pack: &Pack, process: &Process) -> String {
    let mut table = Table::new(&["环节", "名称", "责任方", "时限", "条件", "条款"]);
    for step in &process.steps {
        let role = pack.role(&step.role);
        table.row(vec![
            step.id.to_string(),
            name(step),
            role.map_or(step.role.to_string(), |role| role.name.clone()),
            limit(step),
            if step.when.0.is_empty() {
                String::new()
            } else {
                condition(&step.when)
            },
            step.clause.to_string(),
        ]);
    }
    table.print()
}

fn name(step: &Step) -> String {
    match step.kind {
        StepKind::Required => step.name.clone(),
        StepKind::Automatic | StepKind::Optional | StepKind::Duty => {
            format!("{}（{}）", step.name, step.kind.label())
        }
    }
}

fn limit(step: &Step) -> String {
    let mut parts: Vec<String> = step.deadline.iter().map(deadline).collect();
    parts.extend(step.not_before.iter().map(earliest));
    if let Some(consequence) = &step.on_overdue {
        let follows = match &consequence.follow_up {
            FollowUp::Case(process) => format!("逾期启动 {process}"),
            FollowUp::Finding(code) => format!("逾期记 {code}"),
        };
        parts.push(format!("{follows}（{}）", consequence.clause));
    }
    if parts.is_empty() {
        "原文未规定".to_owned()
    } else {
        parts.join("；")
    }
}

fn deadline(deadline: &Deadline) -> String {
    let from = deadline
        .from
        .map_or(String::new(), |event| format!("自“{}”起", event.label()));
    let reading = if deadline.from_is_reading {
        "（起算点为本平台理解）"
    } else {
        ""
    };
    format!(
        "{from}{}{reading}（{}）",
        length(deadline.limit),
        deadline.clause
    )
}

fn earliest(rule: &NotBefore) -> String {
    format!(
        "“{}”满{}后方可办理（{}）",
        rule.from.label(),
        length(rule.limit),
        rule.clause
    )
}

fn length(limit: Limit) -> String {
    match limit {
        Limit::WorkingDays(days) => format!("{days}个工作日"),
        Limit::Months(months) => format!("{months}个月"),
        Limit::AnnualDate { month, day } => format!("每年{month}月{day}日前"),
        Limit::Word(word) => word.label().to_owned(),
    }
}

fn periodic(pack: &Pack) -> String {
    let mut table = Table::new(&["事项", "名称", "责任方", "时间", "条款"]);
    for duty in &pack.periodic {
        let role = pack.role(&duty.role);
        table.row(vec![
            duty.id.clone(),
            duty.name.clone(),
            role.map_or(duty.role.to_string(), |role| role.name.clone()),
            length(duty.due),
            duty.due_clause.to_string(),
        ]);
    }
    table.print()
}

fn clauses(pack: &Pack) -> String {
    let mut table = Table::new(&["条款", "位置", "要点"]);
    for note in &pack.clauses {
        table.row(vec![
            note.id.to_string(),
            note.place.clone(),
            note.gist.clone(),
        ]);
    }
    table.print()
}

fn condition(condition: &Condition) -> String {
    if condition.0.is_empty() {
        "一律适用".to_owned()
    } else {
        condition.in_words()
    }
}
