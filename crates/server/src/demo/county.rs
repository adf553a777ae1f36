//! The invented county 云溪县: its departments, its people, and what they hold. Names, codes and
//! telephone numbers are invented; the division data are real.

use tongqu_domain::catalogue::{
    CheckKind, Contact, DataItem, DataType, EntryContent, MaskKind, ResourceFormat, Sensitivity,
    UpdateCycle,
};

/// The password of every invented account.
pub(super) const PASSWORD: &str = "yunxi-2026";

/// The platform's name in the header.
pub(super) const PLATFORM_NAME: &str = "云溪县政务数据共享交换平台";

/// An invented department.
pub(super) struct DemoDepartment {
    /// Name of its exchange store's file.
    pub store: &'static str,
    pub name: &'static str,
    pub short_name: &'static str,
    pub credit_code: &'static str,
}

/// The department that is authority and platform unit.
pub(super) const AUTHORITY: DemoDepartment = DemoDepartment {
    store: "data_bureau",
    name: "云溪县政务服务和大数据管理局",
    short_name: "大数据局",
    credit_code: "11410404MB7563121M",
};

/// All others.
pub(super) const DEPARTMENTS: &[DemoDepartment] = &[
    DemoDepartment {
        store: "statistics",
        name: "云溪县统计局",
        short_name: "统计局",
        credit_code: "11410400MB19549814",
    },
    DemoDepartment {
        store: "civil_affairs",
        name: "云溪县民政局",
        short_name: "民政局",
        credit_code: "11410726MB0612920L",
    },
    DemoDepartment {
        store: "housing",
        name: "云溪县住房和城乡建设局",
        short_name: "住房城乡建设局",
        credit_code: "11411628MB95748796",
    },
];

/// An invented person.
pub(super) struct DemoPerson {
    pub login_name: &'static str,
    pub name: &'static str,
    /// Short name of the department.
    pub department: &'static str,
    pub posts: &'static [&'static str],
    pub contractor: bool,
    /// For the list of sign-ins.
    pub what: &'static str,
}

const fn person(
    login_name: &'static str,
    name: &'static str,
    department: &'static str,
    posts: &'static [&'static str],
    what: &'static str,
) -> DemoPerson {
    DemoPerson {
        login_name,
        name,
        department,
        posts,
        contractor: false,
        what,
    }
}

/// The first administrator, made by the one-time link.
pub(super) const ADMINISTRATOR: &str = "xitong";
/// The company, invented, that runs the platform under contract.
pub(super) const CONTRACTOR: &str = "云溪数科（虚构）有限公司";

/// The security administrator, who gives all others their posts.
pub(super) const SECURITY: &str = "anquan";

/// Everybody, one for each role.
pub(super) const PEOPLE: &[DemoPerson] = &[
    person(
        "tongji",
        "王建国",
        "统计局",
        &["data_officer"],
        "统计局数据专员：编目、挂接、审批",
    ),
    person(
        "minzheng",
        "李敏",
        "民政局",
        &["data_officer"],
        "民政局数据专员：查找、申请、接收",
    ),
    person(
        "zhujian",
        "周航",
        "住房城乡建设局",
        &["data_officer"],
        "住建局数据专员",
    ),
    person("tongji.head", "赵倩", "统计局", &["head"], "统计局负责人"),
    person(
        "zhuguan",
        "孙丽",
        "大数据局",
        &["authority"],
        "主管部门：审核发布目录",
    ),
    DemoPerson {
        login_name: "yunying",
        name: "刘洋",
        department: "大数据局",
        posts: &["operator"],
        contractor: true,
        what: "平台运营（承建方人员）：交换到位",
    },
    person("shenji", "陈晓", "大数据局", &["auditor"], "审计员：查存证"),
    person(
        SECURITY,
        "何静",
        "大数据局",
        &["security_admin"],
        "安全管理员：授予岗位",
    ),
    person(
        ADMINISTRATOR,
        "高翔",
        "大数据局",
        &["system_admin"],
        "系统管理员：机构和人员",
    ),
];

/// Name of the entry that lies open to all departments.
pub(super) const OPEN_ENTRY: &str = "村级行政区划代码信息";
/// Name of the entry whose sharing the provider decides.
pub(super) const CONDITIONAL_ENTRY: &str = "行政区划隶属关系信息";
/// Name of the entry that the authority sends back.
pub(super) const RETURNED_ENTRY: &str = "居民收支调查汇总信息";
/// Name of the entry that gets a second version.
pub(super) const SECOND_VERSION_ENTRY: &str = "规模以上工业企业名录";

fn contact(name: &str, phone: &str) -> Contact {
    Contact {
        name: name.to_owned(),
        phone: phone.to_owned(),
    }
}

fn text_item(name: &str, code: &str, length: u32) -> DataItem {
    DataItem {
        name: name.to_owned(),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(length),
        scale: None,
        nullable: true,
        key: false,
        sensitivity: Sensitivity::General,
        mask: None,
        check: None,
        standard: None,
    }
}

fn key_item(name: &str, code: &str, length: u32) -> DataItem {
    DataItem {
        nullable: false,
        key: true,
        ..text_item(name, code, length)
    }
}

fn division_key() -> DataItem {
    DataItem {
        check: Some(CheckKind::DivisionCode),
        standard: Some("统计用区划代码".to_owned()),
        ..key_item("区划代码", "code", 12)
    }
}

fn number_item(name: &str, code: &str) -> DataItem {
    DataItem {
        data_type: DataType::Integer,
        length: None,
        ..text_item(name, code, 1)
    }
}

/// What a department states about a table of its own.
struct Draft {
    name: &'static str,
    summary: &'static str,
    class: &'static str,
    cycle: UpdateCycle,
    items: Vec<DataItem>,
}

impl Draft {
    fn table(self, condition: Option<&str>, contacts: [(&str, &str); 2]) -> EntryContent {
        EntryContent {
            name: self.name.to_owned(),
            class_code: self.class.to_owned(),
            summary: self.summary.to_owned(),
            format: ResourceFormat::Database,
            sharing_class: if condition.is_some() {
                "conditional"
            } else {
                "unconditional"
            }
            .to_owned(),
            sharing_condition: condition.map(str::to_owned),
            legal_basis: None,
            modes: vec!["table".to_owned()],
            open: false,
            open_condition: None,
            update_cycle: self.cycle,
            grade: 1,
            source_system: Some("统计联网直报系统".to_owned()),
            base_library: None,
            authorising_contact: contact(contacts[0].0, contacts[0].1),
            technical_contact: contact(contacts[1].0, contacts[1].1),
            related_codes: Vec::new(),
            declared_unclassified: true,
            recipients: Vec::new(),
            purposes: Vec::new(),
            theme: None,
            items: self.items,
        }
    }
}

const STATISTICS_CONTACTS: [(&str, &str); 2] =
    [("王建国", "0375-1234501"), ("赵倩", "0375-1234508")];

/// The twelve entries of the statistics bureau, all of them sound.
#[expect(
    clippy::too_many_lines,
    reason = "a list of twelve entries, nothing else"
)]
pub(super) fn statistics_entries() -> Vec<EntryContent> {
    use UpdateCycle::{Monthly, Quarterly, Yearly};
    let open = |draft: Draft| draft.table(None, STATISTICS_CONTACTS);
    let conditional = |draft: Draft| {
        draft.table(
            Some("因履职需要，由统计局审批后提供，不得转给第三方。"),
            STATISTICS_CONTACTS,
        )
    };
    let draft = |name, summary, cycle, items| Draft {
        name,
        summary,
        class: "307001",
        cycle,
        items,
    };
    let enterprise = || {
        vec![
            key_item("统一社会信用代码", "credit_code", 18),
            text_item("单位名称", "name", 200),
        ]
    };
    let yearly = || vec![key_item("年份", "year", 4), number_item("数值", "amount")];
    vec![
        open(draft(
            OPEN_ENTRY,
            "全国村、社区一级的统计用区划代码和名称，供地址规范、业务比对使用。",
            Yearly,
            vec![
                division_key(),
                DataItem {
                    sensitivity: Sensitivity::Sensitive,
                    mask: Some(MaskKind::PersonName),
                    ..text_item("村（社区）名称", "name", 200)
                },
                text_item("乡镇（街道）代码", "street_code", 9),
                text_item("区县代码", "area_code", 6),
                text_item("地市代码", "city_code", 4),
                text_item("省份代码", "province_code", 2),
            ],
        )),
        conditional(draft(
            CONDITIONAL_ENTRY,
            "村、社区与乡镇、区县、地市、省的行政区划隶属关系，用于分级汇总和权限划分。",
            Yearly,
            vec![
                division_key(),
                text_item("乡镇（街道）代码", "street_code", 9),
                text_item("区县代码", "area_code", 6),
                text_item("省份代码", "province_code", 2),
            ],
        )),
        open(draft(
            SECOND_VERSION_ENTRY,
            "规模以上工业企业的名称和代码。",
            Yearly,
            enterprise(),
        )),
        conditional(draft(
            RETURNED_ENTRY,
            "城乡居民人均可支配收入和消费支出汇总。",
            Quarterly,
            yearly(),
        )),
        open(draft(
            "限额以上批发零售企业名录",
            "限额以上批发和零售业企业名录。",
            Yearly,
            enterprise(),
        )),
        open(draft(
            "地区生产总值核算信息",
            "按年度核算的地区生产总值。",
            Yearly,
            yearly(),
        )),
        open(draft(
            "固定资产投资统计信息",
            "固定资产投资完成情况。",
            Monthly,
            yearly(),
        )),
        open(draft(
            "社会消费品零售总额信息",
            "社会消费品零售总额。",
            Monthly,
            yearly(),
        )),
        open(draft(
            "人口抽样调查汇总信息",
            "人口抽样调查的汇总数，不含个人信息。",
            Yearly,
            yearly(),
        )),
        open(draft(
            "农业产值统计信息",
            "农林牧渔业总产值。",
            Quarterly,
            yearly(),
        )),
        open(draft(
            "能源消费统计信息",
            "分品种能源消费量。",
            Yearly,
            yearly(),
        )),
        open(draft(
            "服务业单位名录",
            "规模以上服务业单位名录。",
            Yearly,
            enterprise(),
        )),
    ]
}

/// The same with two faulty entries: a telephone number that is none, and a class code and an item code
/// that don't exist.
pub(super) fn statistics_entries_with_faults() -> Vec<EntryContent> {
    let mut entries = statistics_entries();
    entries[5].technical_contact = contact("赵倩", "见通讯录");
    entries[8].class_code = String::from("907001");
    entries[8].items[1] = number_item("数值", "数 值");
    entries
}

/// The second version of one entry: a data item more, and a better summary.
pub(super) fn second_version() -> EntryContent {
    let mut entry = statistics_entries()
        .into_iter()
        .find(|e| e.name == SECOND_VERSION_ENTRY)
        .expect("the entry is one of the twelve");
    entry.summary = String::from("规模以上工业企业的名称、代码和行业，每年更新。");
    entry.items.push(text_item("行业代码", "industry_code", 5));
    entry
}

/// What the housing department has published before the story begins, so that the portal isn't empty.
pub(super) fn housing_entries() -> Vec<EntryContent> {
    let contacts = [("周航", "0375-1234511"), ("马骏", "0375-1234518")];
    let draft = |name, summary, items| Draft {
        name,
        summary,
        class: "307002",
        cycle: UpdateCycle::Daily,
        items,
    };
    let id = || DataItem {
        sensitivity: Sensitivity::Sensitive,
        mask: Some(MaskKind::IdNumber),
        check: Some(CheckKind::IdNumber),
        ..text_item("公民身份号码", "id_number", 18)
    };
    let name = || DataItem {
        sensitivity: Sensitivity::Sensitive,
        mask: Some(MaskKind::PersonName),
        ..text_item("姓名", "name", 50)
    };
    let condition = Some("办理住房保障、社会救助事项时核验使用。");
    vec![
        draft(
            "公租房保障对象信息",
            "公共租赁住房保障家庭的申请和配租情况。",
            vec![
                key_item("保障编号", "case_number", 20),
                name(),
                id(),
                text_item("配租小区", "estate", 100),
            ],
        )
        .table(condition, contacts),
        draft(
            "商品房预售许可信息",
            "商品房预售许可证的发放情况。",
            vec![
                key_item("许可证号", "licence_number", 40),
                text_item("项目名称", "project", 200),
                text_item("开发企业", "developer", 200),
            ],
        )
        .table(None, contacts),
        draft(
            "建筑业企业资质信息",
            "建筑业企业的资质类别和等级。",
            vec![
                key_item("统一社会信用代码", "credit_code", 18),
                text_item("企业名称", "name", 200),
                text_item("资质等级", "grade", 20),
            ],
        )
        .table(None, contacts),
    ]
}
