//! What a department states about one resource: the core metadata of the national catalogue guide.
//!
//! Spec: YC-11, PDS-6.1 (catalogue), PDS-6.3 (contacts).

use serde::{Deserialize, Serialize};

use crate::law::Named;

/// The content of one version of a catalogue entry.
///
/// Texts are as the department wrote them, trimmed. `sharing_class` and the `modes` are codes of the
/// rule pack in force (`law::Pack::sharing_classes`, `law::Pack::exchange_modes`), not an enum here,
/// because regulations differ in the classes they know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryContent {
    /// 信息资源名称.
    pub name: String,
    /// 信息资源分类 类/项/目/细目, digits `1 + 2 + 3 + any`, for example `307001`.
    pub class_code: String,
    /// 信息资源摘要.
    pub summary: String,
    /// 信息资源格式.
    pub format: ResourceFormat,
    /// 共享类型: a code of the pack, for example `unconditional`.
    pub sharing_class: String,
    /// 共享条件; required for conditional sharing.
    pub sharing_condition: Option<String>,
    /// 依据; required where the class demands a legal basis.
    pub legal_basis: Option<String>,
    /// 共享方式: codes of the pack, for example `table`.
    pub modes: Vec<String>,
    /// 是否向社会开放.
    pub open: bool,
    /// 开放条件.
    pub open_condition: Option<String>,
    /// 更新周期.
    pub update_cycle: UpdateCycle,
    /// 数据分级, 1 (general) to 4 (highest); see `GRADE_MAX`.
    pub grade: u8,
    /// 来源系统.
    pub source_system: Option<String>,
    /// 所属基础库, a code of the pack, for example `population`.
    pub base_library: Option<String>,
    /// 授权办理 contact. Spec: PDS-6.3.
    pub authorising_contact: Contact,
    /// 技术支持 contact. Spec: PDS-6.3.
    pub technical_contact: Contact,
    /// 关联资源代码.
    pub related_codes: Vec<String>,
    /// The department declares that the resource holds no state secret 不涉密. Spec: PDS-3.1.
    pub declared_unclassified: bool,
    /// 共享范围: the departments to which it may go, by name; empty: any. Spec: TP-8b, YC-24, YJ-3.1.3b.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// 用途: what it may be used for, in the words of the regulation. Spec: TP-20a, YJ-3.1.3b.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// 所属主题: the name of a theme of the pack, or another. Spec: LY-3.1, YC-25.3, TP-9b, YJ-3.1.5.
    #[serde(default)]
    pub theme: Option<String>,
    /// 信息项, in the order of the template.
    pub items: Vec<DataItem>,
}

/// The highest classification grade of an entry.
pub const GRADE_MAX: u8 = 4;

/// A named person to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The person's name.
    pub name: String,
    /// Telephone number as dialled.
    pub phone: String,
}

/// One data item 信息项 of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataItem {
    /// 信息项名称 in Chinese.
    pub name: String,
    /// 英文名: the column name, `[a-z_][a-z0-9_]*`, at most 60 characters.
    pub code: String,
    /// 数据类型.
    pub data_type: DataType,
    /// 长度 in characters, or total digits of a number.
    pub length: Option<u32>,
    /// Digits after the decimal point.
    pub scale: Option<u32>,
    /// 可空.
    pub nullable: bool,
    /// Part of the primary key 主键.
    pub key: bool,
    /// 级别.
    pub sensitivity: Sensitivity,
    /// How the item is masked when delivered; `None` delivers it as it is.
    pub mask: Option<MaskKind>,
    /// What each value must satisfy.
    pub check: Option<CheckKind>,
    /// 遵循标准, as written.
    pub standard: Option<String>,
}

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal / $label:literal / $english:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// Every value, in the order of the national guide.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code in stores and interfaces.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The Chinese label used in the template.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// Finds a value by its code or by its Chinese label; `None` if it is neither.
            #[must_use]
            pub fn find(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.code() == text || v.label() == text)
            }
        }

        impl Named for $name {
            fn name(&self) -> &str {
                self.label()
            }

            fn name_en(&self) -> &str {
                match self { $(Self::$variant => $english,)+ }
            }
        }
    };
}

coded! {
    /// 信息资源格式, the seven kinds of the national guide.
    ResourceFormat {
        Document = "document" / "电子文件" / "Document",
        Spreadsheet = "spreadsheet" / "电子表格" / "Spreadsheet",
        Database = "database" / "数据库" / "Database",
        Image = "image" / "图形图像" / "Image",
        Stream = "stream" / "流媒体" / "Audio or video stream",
        SelfDescribing = "self_describing" / "自描述格式" / "Self-describing",
        Interface = "interface" / "服务接口" / "Service interface",
    }
}

coded! {
    /// 更新周期.
    UpdateCycle {
        Realtime = "realtime" / "实时" / "Real time",
        Daily = "daily" / "每日" / "Daily",
        Weekly = "weekly" / "每周" / "Weekly",
        Monthly = "monthly" / "每月" / "Monthly",
        Quarterly = "quarterly" / "每季度" / "Quarterly",
        Yearly = "yearly" / "每年" / "Yearly",
        Other = "other" / "其他" / "Other",
    }
}

coded! {
    /// 数据类型 of a data item.
    DataType {
        Text = "text" / "字符型" / "Text",
        Number = "number" / "数值型" / "Number",
        Integer = "integer" / "整型" / "Whole number",
        Float = "float" / "双精度型" / "Floating point",
        Date = "date" / "日期型" / "Date",
        DateTime = "datetime" / "日期时间型" / "Date and time",
        Boolean = "boolean" / "逻辑型" / "Yes or no",
        Memo = "memo" / "备注型" / "Long text",
        Binary = "binary" / "通用型" / "Binary",
    }
}

coded! {
    /// 级别 of a data item.
    Sensitivity {
        General = "general" / "一般" / "General",
        Sensitive = "sensitive" / "敏感" / "Sensitive",
    }
}

coded! {
    /// Ways to mask a value on delivery; conventions, chosen per data item.
    MaskKind {
        /// First character kept, the rest starred; names of sole traders are personal information as well.
        PersonName = "person_name" / "姓名" / "Name",
        /// First 3 and last 2 kept.
        IdNumber = "id_number" / "身份证号" / "Identity number",
        /// First 3 and last 4 kept.
        IdNumberTail = "id_number_3_4" / "身份证号（前3后4）" / "Identity number (first 3, last 4)",
        /// First 6 (the county) and last 4 kept, for officials with a need.
        IdNumberArea = "id_number_6_4" / "身份证号（前6后4）" / "Identity number (first 6, last 4)",
        /// First 3 and last 4 kept.
        Phone = "phone" / "手机号" / "Mobile number",
        /// Last 4 kept.
        BankCard = "bank_card" / "银行卡号" / "Bank card",
        /// First 6 (the bank) and last 4 kept.
        BankCardIssuer = "bank_card_6_4" / "银行卡号（前6后4）" / "Bank card (first 6, last 4)",
        /// Kept down to town or street.
        Address = "address" / "住址" / "Address",
        /// First character and domain kept.
        Email = "email" / "电子邮箱" / "Email",
        /// First 2 and last 2 kept.
        Plate = "plate" / "车牌" / "Number plate",
        /// Year kept.
        BirthDate = "birth_date" / "出生日期" / "Date of birth",
        /// Credit codes of sole traders (92) keep the first 2 and last 2, those of others stay whole.
        SoleTraderCode = "sole_trader_code" / "个体工商户代码" / "Sole trader's code",
        /// Nothing kept but which values are equal, and that for one requester only 假名化.
        Pseudonym = "pseudonym" / "假名化" / "Pseudonym",
        /// Nothing kept.
        Hidden = "hidden" / "全部隐藏" / "Hidden",
    }
}

impl MaskKind {
    /// Whether values of this type can be masked so. A pseudonym stands for a number or text by which
    /// things are told apart; amounts of floating point, times, flags and bytes are none.
    #[must_use]
    pub fn fits(self, data_type: DataType) -> bool {
        self != Self::Pseudonym
            || matches!(
                data_type,
                DataType::Text
                    | DataType::Memo
                    | DataType::Number
                    | DataType::Integer
                    | DataType::Date
            )
    }

    /// Whether different values stay different under it, so that a key can be masked so.
    #[must_use]
    pub fn keeps_apart(self) -> bool {
        self == Self::Pseudonym
    }
}

coded! {
    /// What the values of a data item must satisfy.
    CheckKind {
        /// GB 11643 citizen identity number.
        IdNumber = "id_number" / "公民身份号码" / "Citizen identity number",
        /// GB 32100 unified social credit code.
        CreditCode = "credit_code" / "统一社会信用代码" / "Unified social credit code",
        /// Twelve-digit statistical division code.
        DivisionCode = "division_code" / "统计用区划代码" / "Statistical division code",
    }
}
