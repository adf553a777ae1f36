//! Invented people: twelve columns as a register of persons has them, with the values at which transports stumble.
//!
//! No row can name a real person: division codes 85 to 89 and telephone numbers that begin with 12 are assigned
//! to nobody.

use std::io::{self, Write};

use jiff::{SignedDuration, Span, civil};

/// The table, for PostgreSQL; `{table}` stands for its name.
pub const POSTGRES: &str = "CREATE TABLE person (id_card char(18) PRIMARY KEY, name varchar(40) NOT NULL, \
     sex smallint, birth date, ethnicity varchar(20), address varchar(100), phone varchar(20), marital smallint, \
     household_id bigint, income numeric(12,2), updated_at timestamptz(6) NOT NULL, remark text)";

const SURNAMES: [&str; 14] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "欧阳", "司马", "上官", "诸葛",
];
const GIVEN: [&str; 18] = [
    "伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "洋", "艳", "浩然", "欣怡", "若曦", "㛃",
    "喆", "翀", "彧", "梓涵",
];
/// Outside the basic plane, or in its extensions: real in civil registers.
const RARE: [&str; 5] = ["𠮷", "𬱖", "𫖯", "㐂", "䶮"];
const CITIES: [&str; 6] = ["安和市", "永泰市", "清河市", "长宁市", "金水市", "宁远市"];
const ROADS: [&str; 6] = [
    "人民路",
    "建设大道",
    "中山路",
    "文化街",
    "滨河南路",
    "工业一路",
];
const PEOPLES: [&str; 8] = [
    "汉族",
    "汉族",
    "汉族",
    "汉族",
    "壮族",
    "回族",
    "维吾尔族",
    "蒙古族",
];
const REMARKS: [&str; 5] = [
    "已核验身份信息",
    "低保家庭,需按月复核",
    "户籍迁入,原户口所在地待确认",
    "居住证已办理;有效期三年",
    "双方证件号码不一致,待人工核对",
];
const AWKWARD: [&str; 14] = [
    "他说\"可以\",我说'不行'",
    "制表符\t在中间",
    "第一行\n第二行\n",
    "回车换行\r\n结尾",
    "C:\\temp\\new\\",
    "😀👨‍👩‍👧表情",
    "\\N",
    "NULL",
    "  前后有空格  ",
    "𠮷野家𬱖",
    "控制符\u{1}与\u{1f}与\u{7f}",
    "\u{feff}带标记",
    "零宽\u{200b}字符\u{200d}",
    "\\.",
];
const WEIGHTS: [u64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: &[u8; 11] = b"10X98765432";

/// The same numbers from the same seed, on every machine and for ever.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        let count = u64::try_from(texts.len()).expect("a list is short");
        texts[usize::try_from(self.below(count)).expect("an index")]
    }
}

/// People, one after the other, no identity number twice.
pub struct People {
    dice: Dice,
    count: u64,
}

/// One person, each value as text; `None` is NULL.
pub struct Person {
    pub id_card: String,
    pub values: [Option<String>; 11],
}

impl People {
    pub fn new(seed: u64) -> Self {
        Self {
            dice: Dice(seed),
            count: 0,
        }
    }

    pub fn next(&mut self) -> Person {
        let (id_card, birth, sex) = self.identity();
        let dice = &mut self.dice;
        let name = match dice.below(1000) {
            0..4 => format!("{}{}", dice.one_of(&SURNAMES), dice.one_of(&RARE)),
            _ => format!("{}{}", dice.one_of(&SURNAMES), dice.one_of(&GIVEN)),
        };
        let address = format!(
            "云川省{}{}{}号幸福小区{}栋{}单元{}室",
            dice.one_of(&CITIES),
            dice.one_of(&ROADS),
            1 + dice.below(2000),
            1 + dice.below(60),
            1 + dice.below(7),
            101 + dice.below(3300)
        );
        let income = match dice.below(2000) {
            0..160 => None,
            160 => Some("9999999999.99".to_owned()),
            161 => Some("-0.01".to_owned()),
            162..200 => Some("0.00".to_owned()),
            _ => Some(format!("{}.{:02}", dice.below(40_000), dice.below(100))),
        };
        let household = match dice.below(1000) {
            0 => dice.below(1 << 62),
            _ => 600_000_000_000 + dice.below(400_000),
        };
        let remark = self.remark();
        let dice = &mut self.dice;
        let values = [
            Some(name),
            Some(sex.to_string()),
            Some(birth.to_string()),
            Some(dice.one_of(&PEOPLES).to_owned()),
            Some(address),
            Some(format!("12{:09}", dice.below(1_000_000_000))),
            Some(((dice.below(4) + 1) * 10).to_string()),
            Some(household.to_string()),
            income,
            Some(self.stamp(civil::date(2019, 1, 1))),
            remark,
        ];
        Person { id_card, values }
    }

    /// A valid number of nobody, its date of birth and its sex. No number comes twice, since the multiplier
    /// has no divisor in common with how many numbers there are.
    fn identity(&mut self) -> (String, civil::Date, u64) {
        const AREAS: u64 = 5 * 2_999;
        const DAYS: u64 = 34_000;
        const SERIALS: u64 = 1_000;
        let all = u128::from(AREAS * DAYS * SERIALS);
        let nth = u128::from(self.count) * 314_159_265_359 % all;
        self.count += 1;
        let nth = u64::try_from(nth).expect("less than all");
        let (serial, rest) = (nth % SERIALS, nth / SERIALS);
        let (day, area) = (rest % DAYS, rest / DAYS);
        let days = i64::try_from(day).expect("less than a century");
        let birth = civil::date(1930, 1, 1).saturating_add(Span::new().days(days));
        let (province, place) = (85 + area % 5, 1 + area / 5);
        let digits = format!(
            "{province}{place:04}{}{serial:03}",
            birth.strftime("%Y%m%d")
        );
        let sum: u64 = digits
            .bytes()
            .zip(WEIGHTS)
            .map(|(digit, weight)| u64::from(digit - b'0') * weight)
            .sum();
        let check = CHECK[usize::try_from(sum % 11).expect("a remainder")];
        (
            format!("{digits}{}", char::from(check)),
            birth,
            2 - serial % 2,
        )
    }

    fn remark(&mut self) -> Option<String> {
        let dice = &mut self.dice;
        match dice.below(100) {
            0..60 => None,
            60..66 => Some(String::new()),
            66..72 => Some(dice.one_of(&AWKWARD).to_owned()),
            _ => Some(format!(
                "{}(第{}次)",
                dice.one_of(&REMARKS),
                1 + dice.below(8)
            )),
        }
    }

    /// An instant in UTC with microseconds.
    fn stamp(&mut self, from: civil::Date) -> String {
        let seconds = i64::try_from(self.dice.below(189_302_400)).expect("six years");
        let micros = match self.dice.below(100) {
            0 => 0,
            1 => 999_999,
            _ => i64::try_from(self.dice.below(1_000_000)).expect("less than a million"),
        };
        let at = from
            .at(0, 0, 0, 0)
            .saturating_add(SignedDuration::from_micros(seconds * 1_000_000 + micros));
        at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
    }
}

/// Writes `rows` people as lines of COPY's text form, with `zone` behind each time.
pub fn write_rows(
    out: &mut impl Write,
    people: &mut People,
    rows: u64,
    zone: &str,
) -> io::Result<()> {
    for _ in 0..rows {
        let person = people.next();
        write!(out, "{}", person.id_card)?;
        for (column, value) in person.values.iter().enumerate() {
            match value {
                None => write!(out, "\t\\N")?,
                Some(text) if column == STAMP => write!(out, "\t{text}{zone}")?,
                Some(text) => write!(out, "\t{}", escaped(text))?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Where the time of the last change stands among the values.
const STAMP: usize = 9;

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// How many rows a change set updates, inserts and deletes.
#[derive(Clone, Copy)]
pub struct Changes {
    pub updated: u64,
    pub inserted: u64,
    pub deleted: u64,
}

/// What a comparison has to find.
pub const ALL: Changes = Changes {
    updated: 1_000,
    inserted: 500,
    deleted: 500,
};
/// What the column `updated_at` tells.
pub const STAMPED: Changes = Changes { deleted: 0, ..ALL };

/// The `nth` change set over a table of the first `rows` people, as SQL for PostgreSQL: updates and deletes spread
/// over the whole table, and people that weren't there, whom `people` gives. No two sets change the same row, and each
/// is stamped later than those before.
pub fn changes(people: &mut People, rows: u64, nth: u64, changes: Changes) -> String {
    let Changes {
        updated,
        inserted,
        deleted,
    } = changes;
    let step = rows / (ALL.updated + ALL.deleted);
    let stamp = format!("timestamptz '2027-01-01 00:00+00' + interval '{nth} hours'");
    let mut sql = "SET timezone = 'UTC'; BEGIN;\n".to_owned();
    let mut register = People::new(0);
    for n in 0..updated + deleted {
        register.count = n * step + nth;
        let (id, ..) = register.identity();
        if deleted > 0 && n % 3 == 2 {
            sql += &format!("DELETE FROM person WHERE id_card = '{id}';\n");
        } else {
            let income = people.dice.below(90_000);
            sql += &format!(
                "UPDATE person SET income = {income}.07, remark = NULL, \
                 updated_at = {stamp} + interval '{n} seconds' WHERE id_card = '{id}';\n"
            );
        }
    }
    for _ in 0..inserted {
        let person = people.next();
        let values = person.values.iter().enumerate();
        let values = values.map(|(column, value)| match value {
            None => "NULL".to_owned(),
            Some(_) if column == STAMP => stamp.clone(),
            Some(text) => format!("'{}'", text.replace('\'', "''")),
        });
        let values: Vec<String> = values.collect();
        sql += &format!(
            "INSERT INTO person VALUES ('{}', {});\n",
            person.id_card,
            values.join(", ")
        );
    }
    sql + "COMMIT;\n"
}
