//! A catalogue of any size, the same every time: departments of counties, what they hold, and its data items.
//!
//! Names are put together as officials put them together: a place, a thing, the form in which it is kept. Words are
//! therefore as common as in a real catalogue: every second entry is an 信息, every hundredth has 身份证 among its
//! items, and there is no word that only one entry has.

use tongqu::features::catalogue::search::{Doc, DocItem};
use tongqu_domain::catalogue::UpdateCycle;
use tongqu_domain::ids::{DepartmentId, EntryId};

/// The label of what everybody may see.
pub const PUBLIC: &str = "public";
/// The label of what every officer may see.
pub const OFFICERS: &str = "officers";

const PLACES: &[&str] = &[
    "云溪",
    "青山",
    "临江",
    "安河",
    "永宁",
    "平湖",
    "新田",
    "石桥",
    "白沙",
    "龙泉",
    "梅岭",
    "清水",
    "金川",
    "长岭",
    "东港",
    "西塘",
    "南屏",
    "北辰",
    "双流河",
    "大通",
    "高台",
    "丰谷",
    "宜阳坡",
    "海棠",
    "松林",
    "柳河",
    "太平",
    "吉安里",
    "兴隆",
    "和顺",
    "广济",
    "仁寿山",
    "德化",
    "沙洲",
    "琼溪",
    "灵泉",
    "桃源",
    "古渡",
    "花园口",
    "翠屏",
];
const LEVELS: &[&str] = &["县", "区", "市"];

/// What a department is called, and the things it keeps.
pub struct Bureau {
    pub name: &'static str,
    pub things: &'static [&'static str],
    pub items: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
pub const BUREAUS: &[Bureau] = &[
    Bureau { name: "民政局", things: &["最低生活保障对象", "特困供养人员", "婚姻登记", "殡葬火化", "社会组织", "养老机构", "孤儿救助", "残疾人两项补贴", "地名地址", "临时救助", "慈善捐赠", "留守儿童"],
        items: &[("保障金额", "bzje"), ("救助类别", "jzlb"), ("家庭人口数", "jtrks"), ("结婚登记日期", "jhdjrq"), ("火化日期", "hhrq")] },
    Bureau { name: "公安局", things: &["常住人口", "流动人口", "居住证", "机动车", "驾驶证", "出入境证件", "户籍变动", "无犯罪记录", "暂住登记", "身份证件", "枪支管理", "特种行业"],
        items: &[("户口簿编号", "hkbbh"), ("户主姓名", "hzxm"), ("迁入日期", "qrrq"), ("号牌号码", "hphm"), ("车辆识别代号", "clsbdh")] },
    Bureau { name: "市场监督管理局", things: &["企业登记", "个体工商户", "食品经营许可", "药品经营许可", "特种设备", "商标注册", "经营异常名录", "严重违法失信", "股权出质", "动产抵押", "产品质量抽检", "计量器具"],
        items: &[("企业名称", "qymc"), ("法定代表人", "fddbr"), ("注册资本", "zczb"), ("经营范围", "jyfw"), ("成立日期", "clrq")] },
    Bureau { name: "人力资源和社会保障局", things: &["养老保险参保", "失业保险", "工伤保险", "就业登记", "失业登记", "职业技能鉴定", "专业技术职称", "社会保障卡", "劳动仲裁", "创业补贴", "退休人员", "企业用工"],
        items: &[("参保单位", "cbdw"), ("缴费基数", "jfjs"), ("参保日期", "cbrq"), ("社保卡号", "sbkh"), ("待遇金额", "dyje")] },
    Bureau { name: "医疗保障局", things: &["医保参保", "医保缴费", "定点医疗机构", "定点药店", "医疗救助", "门诊慢特病", "异地就医", "生育保险", "药品目录", "医保结算"],
        items: &[("医保编号", "ybbh"), ("结算金额", "jsje"), ("统筹区", "tcq"), ("就诊机构", "jzjg")] },
    Bureau { name: "自然资源局", things: &["不动产登记", "土地出让", "建设用地规划", "采矿许可", "宅基地审批", "国土调查", "地质灾害隐患点", "测绘成果", "耕地保护", "土地抵押"],
        items: &[("不动产权证号", "bdcqzh"), ("坐落", "zl"), ("面积", "mj"), ("权利人", "qlr"), ("用途", "yt")] },
    Bureau { name: "住房和城乡建设局", things: &["商品房预售", "房屋租赁备案", "公租房", "建筑施工许可", "建筑业企业资质", "住房公积金缴存", "危房改造", "物业服务企业", "燃气经营许可", "城市管网"],
        items: &[("项目名称", "xmmc"), ("建筑面积", "jzmj"), ("开发企业", "kfqy"), ("预售证号", "yszh")] },
    Bureau { name: "教育局", things: &["学生学籍", "教师资格", "学校基本", "高考成绩", "幼儿园", "民办培训机构", "学生资助", "毕业证书", "义务教育入学", "校车许可"],
        items: &[("学校名称", "xxmc"), ("学籍号", "xjh"), ("年级", "nj"), ("毕业年份", "bynf")] },
    Bureau { name: "卫生健康委员会", things: &["出生医学证明", "死亡医学证明", "医疗机构", "执业医师", "护士注册", "预防接种", "传染病报告", "母婴保健", "公共场所卫生许可", "家庭医生签约", "献血记录"],
        items: &[("出生日期", "csrq"), ("出生医院", "csyy"), ("母亲姓名", "mqxm"), ("接种疫苗", "jzym")] },
    Bureau { name: "交通运输局", things: &["道路运输经营许可", "营运车辆", "从业资格", "公路里程", "公交线路", "出租汽车", "船舶登记", "超限运输", "客运班线", "停车场"],
        items: &[("车牌号", "cph"), ("线路名称", "xlmc"), ("营运证号", "yyzh")] },
    Bureau { name: "农业农村局", things: &["农村土地承包", "农机购置补贴", "种子经营许可", "动物防疫", "家庭农场", "农民合作社", "耕地地力补贴", "渔业捕捞许可", "农产品检测", "兽药经营"],
        items: &[("承包地块编码", "cbdkbm"), ("补贴金额", "btje"), ("承包方代表", "cbfdb")] },
    Bureau { name: "水利局", things: &["取水许可", "河道采砂", "水库大坝", "水资源费", "水土保持方案", "农村饮水", "水文监测", "河长制巡查"],
        items: &[("取水量", "qsl"), ("水位", "sw"), ("库容", "kr")] },
    Bureau { name: "生态环境局", things: &["排污许可", "环境影响评价", "空气质量监测", "水质监测", "危险废物", "环境处罚", "辐射安全许可", "污染源监测"],
        items: &[("排放量", "pfl"), ("监测点位", "jcdw"), ("浓度", "nd")] },
    Bureau { name: "税务局", things: &["税务登记", "纳税信用", "欠税公告", "增值税申报", "完税证明", "发票领用", "社保费征缴", "税收优惠"],
        items: &[("纳税人名称", "nsrmc"), ("纳税人识别号", "nsrsbh"), ("应纳税额", "ynse")] },
    Bureau { name: "应急管理局", things: &["安全生产许可", "危险化学品", "烟花爆竹经营", "应急物资", "避难场所", "安全检查", "自然灾害灾情", "防汛值守"],
        items: &[("许可范围", "xkfw"), ("隐患等级", "yhdj"), ("物资数量", "wzsl")] },
    Bureau { name: "司法局", things: &["律师执业", "公证文书", "法律援助", "人民调解", "社区矫正", "司法鉴定", "行政复议"],
        items: &[("执业证号", "zyzh"), ("案由", "ay"), ("受理日期", "slrq")] },
    Bureau { name: "退役军人事务局", things: &["退役军人", "优抚对象", "烈士名录", "军属优待", "安置补助"],
        items: &[("服役年限", "fynx"), ("优抚类别", "yflb")] },
    Bureau { name: "残疾人联合会", things: &["残疾人证", "残疾人康复", "残疾人就业", "无障碍改造"],
        items: &[("残疾类别", "cjlb"), ("残疾等级", "cjdj")] },
    Bureau { name: "统计局", things: &["行政区划代码", "人口普查", "经济普查", "居民收入", "固定资产投资", "地区生产总值"],
        items: &[("区划代码", "qhdm"), ("区划名称", "qhmc"), ("指标值", "zbz")] },
    Bureau { name: "发展和改革委员会", things: &["投资项目备案", "价格监测", "行政许可双公示", "信用红黑名单", "能耗统计", "重点项目"],
        items: &[("项目代码", "xmdm"), ("总投资", "ztz"), ("建设地点", "jsdd")] },
    Bureau { name: "财政局", things: &["惠民补贴发放", "政府采购", "非税收入", "会计资格", "预算执行", "国有资产"],
        items: &[("补贴项目", "btxm"), ("发放金额", "ffje"), ("采购单位", "cgdw")] },
    Bureau { name: "文化广电和旅游局", things: &["旅行社", "导游资格", "文物保护单位", "网吧经营许可", "非物质文化遗产", "图书馆藏书"],
        items: &[("景区等级", "jqdj"), ("文物级别", "wwjb")] },
    Bureau { name: "林业局", things: &["林权登记", "林木采伐许可", "古树名木", "森林防火", "野生动物驯养"],
        items: &[("林班号", "lbh"), ("蓄积量", "xjl")] },
    Bureau { name: "气象局", things: &["气象观测", "灾害预警", "防雷检测", "降雨量"],
        items: &[("气温", "qw"), ("降水量", "jsl"), ("观测站", "gcz")] },
    Bureau { name: "政务服务和大数据管理局", things: &["办件过程", "政务服务事项", "电子证照", "好差评", "热线工单", "公共资源交易"],
        items: &[("事项编码", "sxbm"), ("办件编号", "bjbh"), ("申请人", "sqr")] },
];

/// In what form a thing is kept.
#[rustfmt::skip]
pub const FORMS: &[&str] = &[
    "信息", "信息", "名单", "登记信息", "审批结果", "年度统计", "台账", "备案信息", "变更记录", "证照信息",
    "公示信息", "明细", "基本信息", "注销信息", "汇总表", "发放记录", "数据", "核查结果",
];

/// Data items that turn up everywhere, the most common first.
#[rustfmt::skip]
pub const ITEMS: &[(&str, &str)] = &[
    ("姓名", "xm"), ("公民身份号码", "gmsfhm"), ("统一社会信用代码", "tyshxydm"), ("联系电话", "lxdh"), ("性别", "xb"),
    ("单位名称", "dwmc"), ("行政区划代码", "xzqhdm"), ("更新时间", "gxsj"), ("备注", "bz"), ("地址", "dz"), ("状态", "zt"),
    ("出生日期", "csrq"), ("民族", "mz"), ("证件类型", "zjlx"), ("证件号码", "zjhm"), ("有效期起", "yxqq"), ("有效期止", "yxqz"),
    ("发证机关", "fzjg"), ("发证日期", "fzrq"), ("户籍地址", "hjdz"), ("居住地址", "jzdz"), ("办理日期", "blrq"), ("经办人", "jbr"),
    ("申请日期", "sqrq"), ("审批日期", "sprq"), ("审批意见", "spyj"), ("许可证号", "xkzh"), ("登记机关", "djjg"), ("登记日期", "djrq"),
    ("法定代表人姓名", "fddbrxm"), ("婚姻状况", "hyzk"), ("文化程度", "whcd"), ("政治面貌", "zzmm"), ("开户银行", "khyh"),
    ("银行账号", "yhzh"), ("金额", "je"), ("年度", "nd"), ("月份", "yf"), ("数量", "sl"), ("经度", "jd"), ("纬度", "wd"),
    ("邮政编码", "yzbm"), ("电子邮箱", "dzyx"), ("所属乡镇", "ssxz"), ("所属村居", "sscj"), ("与户主关系", "yhzgx"),
    ("行业代码", "hydm"), ("注册地址", "zcdz"), ("企业类型", "qylx"), ("撤销原因", "cxyy"), ("数据来源", "sjly"), ("业务流水号", "ywlsh"),
];

/// Numbers that look drawn and are the same every time (SplitMix64).
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    pub fn one<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// One of the list, the earlier the likelier.
    pub fn early<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        let end = self.below(among.len()) + 1;
        &among[self.below(end)]
    }
}

/// The number of a department and its place, both from the number of an entry.
fn provider(draw: &mut Draw) -> (usize, String) {
    let place = draw.below(PLACES.len());
    let level = draw.below(LEVELS.len());
    let number = place * LEVELS.len() + level;
    (number, format!("{}{}", PLACES[place], LEVELS[level]))
}

/// The entry with this number.
pub fn entry(number: usize) -> Doc {
    let mut draw = Draw::new(u64::try_from(number).unwrap_or(0));
    let (place_no, place) = provider(&mut draw);
    let bureau_no = draw.below(BUREAUS.len());
    let bureau = &BUREAUS[bureau_no];
    let thing = *draw.one(bureau.things);
    let form = *draw.one(FORMS);
    let cycle = *draw.one(UpdateCycle::ALL);
    let name = match draw.below(4) {
        0 => format!("{place}{thing}{form}"),
        1 => format!("{thing}{form}（{}年）", 2015 + draw.below(12)),
        _ => format!("{thing}{form}"),
    };
    let mut items: Vec<DocItem> = Vec::new();
    let wanted = 8 + draw.below(13);
    while items.len() < wanted {
        let (item, code) = if draw.below(5) == 0 && items.len() < wanted / 2 {
            *draw.one(bureau.items)
        } else {
            *draw.early(ITEMS)
        };
        if !items.iter().any(|other| other.name == item) {
            items.push(DocItem {
                name: item.to_owned(),
                code: code.to_owned(),
            });
        }
    }
    let department_id = format!("dep-{place_no:03}-{bureau_no:02}");
    let visible_to = match draw.below(10) {
        0..3 => vec![PUBLIC.to_owned(), OFFICERS.to_owned()],
        3..9 => vec![OFFICERS.to_owned()],
        _ => vec![format!("dept:{department_id}")],
    };
    let sharing_class = ["unconditional", "conditional", "not_shared"][draw.below(20) / 9];
    let mode_count = 1 + draw.below(3);
    Doc {
        entry_id: EntryId::parse(&format!("ent-{number:08}")).expect("letters, digits and dashes"),
        code: format!("{:03}{:03}/{}", 301 + bureau_no, place_no, number % 10_000),
        name,
        summary: format!(
            "{place}{}在办理{thing}业务时产生的{form}，{}更新，供各部门核查{}和开展统计分析使用。",
            bureau.name,
            cycle.label(),
            draw.one(&[
                "申请人资格",
                "企业状况",
                "补贴发放",
                "办件材料",
                "家庭经济状况",
                "信用状况"
            ]),
        ),
        department_id: DepartmentId::parse(&department_id).expect("letters, digits and dashes"),
        department: format!("{place}{}", bureau.name),
        department_short: Some(bureau.name.to_owned()),
        class_code: format!("{:03}{:03}", 301 + bureau_no, place_no),
        sharing_class: sharing_class.to_owned(),
        modes: ["table", "interface", "file"][..mode_count]
            .iter()
            .map(|m| (*m).to_owned())
            .collect(),
        base_library: [
            None,
            None,
            None,
            Some("population"),
            Some("legal_person"),
            Some("geography"),
            Some("credit"),
        ][draw.below(7)]
        .map(str::to_owned),
        update_cycle: cycle,
        grade: u8::try_from(1 + draw.below(4)).unwrap_or(1),
        items,
        mounted: draw.below(5) > 0,
        published_at: 1_700_000_000_000_000
            + i64::try_from(draw.below(80_000_000)).unwrap_or(0) * 1_000_000,
        visible_to,
    }
}
