//! What can be wrong with a rule pack.

use crate::kind::Kind;
use crate::law::words::words;

words! {
    /// The kind of a fault in a pack file.
    FaultKind {
        Unreadable = "law.unreadable" / "文件格式错误" / "not TOML",
        WrongSchema = "law.wrong_schema" / "版本不支持" / "another schema version",
        MissingKey = "law.missing_key" / "缺少内容" / "something is missing",
        UnknownKey = "law.unknown_key" / "未知的键" / "unknown key",
        WrongType = "law.wrong_type" / "类型不符" / "wrong type",
        UnknownWord = "law.unknown_word" / "未知的词" / "unknown word",
        BadId = "law.bad_id" / "标识不合规" / "malformed identifier",
        Duplicate = "law.duplicate" / "重复" / "given twice",
        MissingClause = "law.missing_clause" / "缺少条款" / "no clause",
        UnknownClause = "law.unknown_clause" / "条款未登记" / "clause not listed",
        BadLimit = "law.bad_limit" / "时限不合理" / "impossible limit",
        BadDate = "law.bad_date" / "日期无效" / "invalid date",
        UnknownRole = "law.unknown_role" / "未知的角色" / "unknown role",
        UnknownEvent = "law.unknown_event" / "未知的事件" / "unknown event",
        UnknownStep = "law.unknown_step" / "未知的环节" / "unknown step",
        UnknownFact = "law.unknown_fact" / "未知的事实" / "unknown fact",
        Cycle = "law.cycle" / "环节循环" / "steps wait for each other",
        Unreachable = "law.unreachable" / "环节不可达" / "the step can never open",
        NobodyCanAct = "law.nobody_can_act" / "无人可办" / "nobody can act",
        OverlappingDeciders = "law.overlapping_deciders" / "审批规则重叠" / "overlapping deciders",
        OverlappingProcesses = "law.overlapping_processes" / "流程重叠" / "overlapping processes",
        NeverWins = "law.never_wins" / "规则无效" / "a rule that never applies",
        Contradiction = "law.contradiction" / "前后矛盾" / "contradiction",
        UnknownParent = "law.unknown_parent" / "没有上位规则" / "no such parent",
        InheritanceCycle = "law.inheritance_cycle" / "继承循环" / "packs inherit from each other",
        NothingToDrop = "law.nothing_to_drop" / "无可删除" / "nothing to drop",
    }
}

/// One fault, with its place and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFault {
    /// The file, where it isn't the one that was loaded but one that it inherits from.
    pub file: Option<String>,
    /// The line in the file, from 1.
    pub line: u32,
    /// The kind.
    pub kind: FaultKind,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl PackFault {
    /// The stable code, for example `law.unknown_event`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// All faults of a pack file, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PackFaults {
    /// The name of the file, as given to the loader.
    pub file: String,
    /// The faults.
    pub faults: Vec<PackFault>,
}

impl PackFaults {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "law.pack_faulty"
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }

    /// Each fault in one line: `file:line: what; advice`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.faults.iter().map(|fault| {
            let file = fault.file.as_ref().unwrap_or(&self.file);
            format!("{file}:{}: {}; {}", fault.line, fault.what, fault.advice)
        })
    }
}

impl std::fmt::Display for PackFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fault(s) in {}", self.faults.len(), self.file)?;
        for line in self.lines() {
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}
