//! The columns of the template: the only place that knows which field stands where.

use tongqu_domain::catalogue::{
    CheckKind, DataType, GRADE_MAX, MaskKind, ResourceFormat, Sensitivity, UpdateCycle,
};

use super::{SHEET_ENTRIES, SHEET_ITEMS, TemplateOptions};

/// Parts several values in one cell when they are written; more separators are understood when they are read.
pub(super) const SEPARATOR: &str = "、";
/// 是 and 否.
pub(super) const YES_NO: [&str; 2] = ["是", "否"];

/// A sheet with a header row.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    /// Path of the field in `EntryContent` or in `DataItem`.
    pub(super) field: &'static str,
    /// Header, without the mark of a required column.
    pub(super) header: &'static str,
    pub(super) need: Need,
    pub(super) shape: Shape,
    /// In characters of the default font.
    pub(super) width: f64,
    /// What to write.
    pub(super) hint: &'static str,
}

/// Whether a cell must be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// What a cell holds. The limits are those of the domain's check, so that what may be stored fits into a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text on one line.
    Line { chars_max: usize },
    /// Text that may have line breaks.
    Paragraph { chars_max: usize },
    /// A whole number.
    Number { min: u32, max: u32 },
    /// One of a list.
    One(List),
    /// Several of a list.
    Several(List),
    /// Several texts, each on its own.
    Lines { chars_max: usize },
}

/// A list to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    YesNo,
    SharingClass,
    Mode,
    BaseLibrary,
    Format,
    Cycle,
    DataType,
    Sensitivity,
    Mask,
    Check,
}

/// Every list, in the order of 填写说明.
pub(super) const LISTS: &[List] = &[
    List::SharingClass,
    List::Mode,
    List::Format,
    List::Cycle,
    List::BaseLibrary,
    List::YesNo,
    List::DataType,
    List::Sensitivity,
    List::Mask,
    List::Check,
];

/// The sheet of entries.
pub(super) const ENTRY_SHEET: Sheet = Sheet {
    name: SHEET_ENTRIES,
    columns: &[
        required(
            "name",
            "资源名称",
            Shape::Line { chars_max: 200 },
            28.0,
            "信息资源名称，同一文件内不得重复；“信息项”表用它对应到本行",
        ),
        required(
            "class_code",
            "资源分类",
            Shape::Line { chars_max: 40 },
            12.0,
            "类、项、目、细目的数字代码，例如 307001",
        ),
        required(
            "summary",
            "资源摘要",
            Shape::Paragraph { chars_max: 2_000 },
            40.0,
            "说明资源的内容、范围和用途",
        ),
        required(
            "format",
            "资源格式",
            Shape::One(List::Format),
            12.0,
            "从下拉列表中选择",
        ),
        required(
            "sharing_class",
            "共享类型",
            Shape::One(List::SharingClass),
            14.0,
            "从下拉列表中选择",
        ),
        optional(
            "sharing_condition",
            "共享条件",
            Shape::Paragraph { chars_max: 2_000 },
            24.0,
            "有条件共享的必须填写",
        ),
        optional(
            "legal_basis",
            "共享依据",
            Shape::Paragraph { chars_max: 2_000 },
            24.0,
            "限制共享的，写明法律、行政法规或政策依据",
        ),
        required(
            "modes",
            "共享方式",
            Shape::Several(List::Mode),
            16.0,
            "可以多选，用“、”分隔",
        ),
        required(
            "open",
            "是否向社会开放",
            Shape::One(List::YesNo),
            16.0,
            "是或否",
        ),
        optional(
            "open_condition",
            "开放条件",
            Shape::Paragraph { chars_max: 2_000 },
            24.0,
            "有条件开放的，写明条件",
        ),
        required(
            "update_cycle",
            "更新周期",
            Shape::One(List::Cycle),
            12.0,
            "从下拉列表中选择",
        ),
        required(
            "grade",
            "数据分级",
            Shape::Number {
                min: 1,
                max: GRADE_MAX as u32,
            },
            10.0,
            "1 至 4 的整数，1 为一般，4 为最高",
        ),
        optional(
            "source_system",
            "来源系统",
            Shape::Line { chars_max: 2_000 },
            20.0,
            "产生数据的业务系统",
        ),
        optional(
            "base_library",
            "所属基础库",
            Shape::One(List::BaseLibrary),
            14.0,
            "属于基础库的，从下拉列表中选择",
        ),
        required(
            "authorising_contact.name",
            "授权办理联系人",
            Shape::Line { chars_max: 200 },
            16.0,
            "办理共享授权的人员姓名",
        ),
        required(
            "authorising_contact.phone",
            "授权办理电话",
            Shape::Line { chars_max: 30 },
            16.0,
            "能接通的电话",
        ),
        required(
            "technical_contact.name",
            "技术支持联系人",
            Shape::Line { chars_max: 200 },
            16.0,
            "负责技术支持的人员姓名",
        ),
        required(
            "technical_contact.phone",
            "技术支持电话",
            Shape::Line { chars_max: 30 },
            16.0,
            "能接通的电话",
        ),
        optional(
            "related_codes",
            "关联资源代码",
            Shape::Lines { chars_max: 60 },
            20.0,
            "可以填写多个，用“、”分隔",
        ),
        required(
            "declared_unclassified",
            "确认不涉密",
            Shape::One(List::YesNo),
            12.0,
            "已经保密审查、不涉及国家秘密的填“是”",
        ),
        optional(
            "recipients",
            "共享范围",
            Shape::Lines { chars_max: 200 },
            20.0,
            "只共享给部分部门的，填写部门全称，用“、”分隔；不填为各部门",
        ),
        optional(
            "purposes",
            "用途",
            Shape::Lines { chars_max: 60 },
            20.0,
            "例如：行政依据、工作参考、数据校核、业务协同",
        ),
        optional(
            "theme",
            "所属主题",
            Shape::Line { chars_max: 60 },
            14.0,
            "属于主题库的，填写主题名称",
        ),
    ],
};

/// Joins an item to its entry.
pub(super) const LINK_FIELD: &str = "entry";

/// The sheet of data items.
pub(super) const ITEM_SHEET: Sheet = Sheet {
    name: SHEET_ITEMS,
    columns: &[
        required(
            LINK_FIELD,
            "资源名称",
            Shape::Line { chars_max: 200 },
            28.0,
            "与“目录”表中的资源名称完全一致，每行都要填写",
        ),
        required(
            "name",
            "信息项名称",
            Shape::Line { chars_max: 200 },
            24.0,
            "中文名称",
        ),
        required(
            "code",
            "英文名",
            Shape::Line { chars_max: 60 },
            22.0,
            "数据库字段名：小写字母、数字和下划线，不以数字开头",
        ),
        required(
            "data_type",
            "数据类型",
            Shape::One(List::DataType),
            14.0,
            "从下拉列表中选择",
        ),
        optional(
            "length",
            "长度",
            Shape::Number {
                min: 1,
                max: 1_000_000,
            },
            8.0,
            "字符数，或数字的总位数",
        ),
        optional(
            "scale",
            "小数位",
            Shape::Number { min: 0, max: 38 },
            8.0,
            "小数点后的位数",
        ),
        required("nullable", "可空", Shape::One(List::YesNo), 8.0, "是或否"),
        optional(
            "key",
            "主键",
            Shape::One(List::YesNo),
            8.0,
            "是或否；不填为否",
        ),
        required(
            "sensitivity",
            "级别",
            Shape::One(List::Sensitivity),
            10.0,
            "从下拉列表中选择",
        ),
        optional(
            "mask",
            "脱敏方式",
            Shape::One(List::Mask),
            14.0,
            "交付时需要脱敏的，从下拉列表中选择",
        ),
        optional(
            "check",
            "校验规则",
            Shape::One(List::Check),
            18.0,
            "需要校验的，从下拉列表中选择",
        ),
        optional(
            "standard",
            "遵循标准",
            Shape::Line { chars_max: 200 },
            20.0,
            "例如 GB 11643",
        ),
    ],
};

const fn required(
    field: &'static str,
    header: &'static str,
    shape: Shape,
    width: f64,
    hint: &'static str,
) -> Column {
    Column {
        field,
        header,
        need: Need::Required,
        shape,
        width,
        hint,
    }
}

const fn optional(
    field: &'static str,
    header: &'static str,
    shape: Shape,
    width: f64,
    hint: &'static str,
) -> Column {
    Column {
        field,
        header,
        need: Need::Optional,
        shape,
        width,
        hint,
    }
}

impl Column {
    /// The header as it stands in the template: a required one is marked.
    pub(super) fn marked_header(&self) -> String {
        match self.need {
            Need::Required => format!("{}*", self.header),
            Need::Optional => self.header.to_owned(),
        }
    }

    /// Whether a header found in a file means this column: blanks, line breaks and the mark don't matter.
    pub(super) fn is_headed_by(&self, found: &str) -> bool {
        let plain: String = found
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊'))
            .collect();
        plain == self.header
    }
}

impl Sheet {
    /// Position of a column, by its field. The fields are constants of this module's users.
    pub(super) fn position(&self, field: &str) -> usize {
        self.columns
            .iter()
            .position(|column| column.field == field)
            .expect("only fields of the table are asked for")
    }

    /// Position of the column that shows a field of the content: the field itself, the first field below it
    /// (`technical_contact`), or the name, for what has no column (`items`, an empty path).
    pub(super) fn position_of_path(&self, path: &str) -> Option<usize> {
        let whole = path.split('[').next().unwrap_or(path);
        if whole.is_empty() || (whole == "items" && self.name == SHEET_ENTRIES) {
            return Some(self.position("name"));
        }
        let is_below = |field: &str| {
            field
                .strip_prefix(whole)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        self.columns
            .iter()
            .position(|column| column.field == whole)
            .or_else(|| {
                self.columns
                    .iter()
                    .position(|column| is_below(column.field))
            })
    }
}

impl List {
    /// Its name in 填写说明.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::YesNo => "是否",
            Self::SharingClass => "共享类型",
            Self::Mode => "共享方式",
            Self::BaseLibrary => "所属基础库",
            Self::Format => "资源格式",
            Self::Cycle => "更新周期",
            Self::DataType => "数据类型",
            Self::Sensitivity => "级别",
            Self::Mask => "脱敏方式",
            Self::Check => "校验规则",
        }
    }

    /// What can be chosen, as shown.
    pub(super) fn labels(self, options: &TemplateOptions) -> Vec<String> {
        fn owned(labels: impl Iterator<Item = &'static str>) -> Vec<String> {
            labels.map(str::to_owned).collect()
        }
        match self {
            Self::YesNo => owned(YES_NO.into_iter()),
            Self::SharingClass => options
                .sharing_classes
                .iter()
                .map(|choice| choice.name.clone())
                .collect(),
            Self::Mode => options
                .modes
                .iter()
                .map(|choice| choice.name.clone())
                .collect(),
            Self::BaseLibrary => options
                .base_libraries
                .iter()
                .map(|choice| choice.name.clone())
                .collect(),
            Self::Format => owned(ResourceFormat::ALL.iter().map(|value| value.label())),
            Self::Cycle => owned(UpdateCycle::ALL.iter().map(|value| value.label())),
            Self::DataType => owned(DataType::ALL.iter().map(|value| value.label())),
            Self::Sensitivity => owned(Sensitivity::ALL.iter().map(|value| value.label())),
            Self::Mask => owned(MaskKind::ALL.iter().map(|value| value.label())),
            Self::Check => owned(CheckKind::ALL.iter().map(|value| value.label())),
        }
    }
}
