//! Pages: where each line of text, each rule and each shade of a form goes. Lengths are in points; `y`
//! is counted from the top edge, for text down to its base line.

use jiff::fmt::strtime;
use tongqu_domain::time::china;

use super::{
    Body, Column, Form, Kind, Row, SealArea, Section,
    font::{Font, cleaned},
    missing_characters, verification_code,
    wrap::wrapped,
};

/// A4, by its short and its long edge.
const A4: (f32, f32) = (595.28, 841.89);

const LEFT: f32 = 70.9; // 25 mm, room for the binding
const MARGIN: f32 = 56.7; // 20 mm on the right
const TOP: f32 = 62.4; // 22 mm
const FOOT: f32 = 45.4; // the last base line of the footer, 16 mm above the edge

const TITLE: f32 = 20.0;
const HEADING: f32 = 12.0;
const BODY: f32 = 10.5; // 五号
const SMALL: f32 = 8.5;

/// Height of a line, by the size of its type.
const LEADING: f32 = 1.5;
/// From the top of a line to its base line, by the size of its type.
const BASE: f32 = 1.08;
/// Room between the border of a cell and its text.
const PAD: f32 = 5.0;
/// Share of the labels in the width of the table of what was filled in.
const LABEL_SHARE: u16 = 26;
/// A row no higher than this goes to the next page whole rather than be cut in two.
const WHOLE_LINES: usize = 14;
/// The least of a cut row that stays on a page.
const CUT_LINES_MIN: usize = 2;

/// The footer never takes more lines than this for the clause.
const CLAUSE_LINES_MAX: usize = 6;

const HAIR: f32 = 0.5;
const RULE: f32 = 0.8;
const INK: f32 = 0.0;
const GREY: f32 = 0.4;
const TINT: f32 = 0.94;

/// The seal of an office is 42 mm across at most.
const SEAL_RADIUS: f32 = 59.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Something drawn on a page.
pub(super) enum Mark {
    Text {
        x: f32,
        y: f32,
        size: f32,
        weight: Weight,
        grey: f32,
        text: String,
    },
    Line {
        from: (f32, f32),
        to: (f32, f32),
        width: f32,
    },
    Fill {
        at: (f32, f32),
        extent: (f32, f32),
        grey: f32,
    },
    Dashes {
        centre: (f32, f32),
        radius: f32,
        grey: f32,
    },
}

/// A page of A4, upright or lying.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Extent {
    /// A form stands upright; a list has many columns and lies.
    pub(super) fn of(kind: Kind) -> Self {
        let (short, long) = A4;
        let (width, height) = match kind {
            Kind::Application => (short, long),
            Kind::List => (long, short),
        };
        Self { width, height }
    }

    /// The right edge of what is printed.
    fn right(self) -> f32 {
        self.width - MARGIN
    }

    /// The width of what is printed.
    fn room(self) -> f32 {
        self.right() - LEFT
    }

    /// The last base line of the footer.
    fn foot(self) -> f32 {
        self.height - FOOT
    }
}

/// What is drawn on one page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) marks: Vec<Mark>,
}

/// Lays a form out.
pub(super) fn pages(font: &Font, form: &Form) -> Vec<Page> {
    let extent = Extent::of(form.kind);
    let mut clause = match form.clause_text.as_str() {
        "" => Vec::new(),
        text => wrapped(font, text, SMALL, extent.room()),
    };
    clause.truncate(CLAUSE_LINES_MAX);
    let mut paper = Paper {
        font,
        form,
        extent,
        bottom: extent.foot() - SMALL * LEADING * count(clause.len() + 1) - 6.0,
        pages: vec![Page::default()],
        y: TOP,
    };
    paper.title();
    paper.filled_in(&form.rows);
    for section in &form.sections {
        paper.section(section);
    }
    if let Some(seal) = &form.seal {
        paper.seal(seal);
    }
    paper.missing();
    paper.footers(&clause);
    paper.pages
}

/// A number of lines as a factor.
fn count(lines: usize) -> f32 {
    u16::try_from(lines).map_or(f32::from(u16::MAX), f32::from)
}

/// A table that goes on over pages.
struct Grid {
    /// Left edges of the columns, and the right edge of the last.
    edges: Vec<f32>,
    head: Option<Vec<Vec<String>>>,
    /// The first column holds labels.
    labelled: bool,
}

struct Paper<'a> {
    font: &'a Font,
    form: &'a Form,
    extent: Extent,
    /// Where the room above the footer ends.
    bottom: f32,
    pages: Vec<Page>,
    y: f32,
}

impl Paper<'_> {
    fn draw(&mut self, mark: Mark) {
        let page = self.pages.last_mut().expect("there is a first page");
        page.marks.push(mark);
    }

    /// Text whose line begins at height `y`.
    fn text(&mut self, at: (f32, f32), size: f32, weight: Weight, text: &str) {
        self.draw(Mark::Text {
            x: at.0,
            y: at.1 + size * BASE,
            size,
            weight,
            grey: INK,
            text: text.to_owned(),
        });
    }

    fn note(&mut self, at: (f32, f32), text: &str) {
        self.draw(Mark::Text {
            x: at.0,
            y: at.1,
            size: SMALL,
            weight: Weight::Regular,
            grey: GREY,
            text: text.to_owned(),
        });
    }

    fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32) {
        self.draw(Mark::Line { from, to, width });
    }

    fn turn_page(&mut self) {
        self.pages.push(Page::default());
        self.y = TOP;
        let title = cleaned(&self.form.title).replace('\n', "");
        let number = cleaned(&self.form.number).replace('\n', "");
        let right = self.extent.right() - self.font.width(&number, SMALL);
        let room = right - LEFT - 20.0;
        let mut lines = wrapped(self.font, &format!("{title}（续）"), SMALL, room);
        lines.truncate(1);
        let y = TOP - 12.0;
        for line in lines {
            self.note((LEFT, y), &line);
        }
        self.note((right, y), &number);
        self.line((LEFT, y + 4.0), (self.extent.right(), y + 4.0), HAIR);
    }

    /// Goes to the next page unless there is room for `height`.
    fn keep_together(&mut self, height: f32) {
        if self.y + height > self.bottom && self.y > TOP {
            self.turn_page();
        }
    }

    fn title(&mut self) {
        for line in wrapped(self.font, &self.form.title, TITLE, self.extent.room()) {
            let x = LEFT + (self.extent.room() - self.font.width(&line, TITLE)) / 2.0;
            self.text((x, self.y), TITLE, Weight::Bold, &line);
            self.y += TITLE * LEADING;
        }
        self.y += 8.0;
        let date = self.form.date;
        let (year, month, day) = (date.year(), date.month(), date.day());
        let (dated, by) = match self.form.kind {
            Kind::Application => ("填表日期", "填报单位"),
            Kind::List => ("制表日期", "单位"),
        };
        let mut right = vec![format!("{dated}：{year}年{month}月{day}日")];
        if !self.form.number.is_empty() {
            right.insert(0, format!("编号：{}", self.form.number));
        }
        let widest = right
            .iter()
            .map(|line| self.font.width(line, BODY))
            .fold(0.0, f32::max);
        let organisation = format!("{by}：{}", self.form.organisation);
        let left = wrapped(
            self.font,
            &organisation,
            BODY,
            self.extent.room() - widest - 24.0,
        );
        let start = self.y;
        for (at, line) in left.iter().enumerate() {
            let y = start + BODY * LEADING * count(at);
            self.text((LEFT, y), BODY, Weight::Regular, line);
        }
        for (at, line) in right.iter().enumerate() {
            let y = start + BODY * LEADING * count(at);
            self.text(
                (self.extent.right() - widest, y),
                BODY,
                Weight::Regular,
                line,
            );
        }
        self.y = start + BODY * LEADING * count(left.len().max(right.len())) + 5.0;
    }

    fn filled_in(&mut self, rows: &[Row]) {
        let edge = LEFT + self.extent.room() * f32::from(LABEL_SHARE) / 100.0;
        let grid = Grid {
            edges: vec![LEFT, edge, self.extent.right()],
            head: None,
            labelled: true,
        };
        let cells = rows.iter().map(|row| vec![&row.label, &row.value]);
        self.grid(&grid, cells.collect());
    }

    fn section(&mut self, section: &Section) {
        let heading = wrapped(self.font, &section.heading, HEADING, self.extent.room());
        let height = HEADING * LEADING * count(heading.len());
        // A heading stays with a row of its table and the head, or with a few lines.
        self.keep_together(14.0 + height + (BODY * LEADING + 2.0 * PAD) * 2.0);
        if self.y > TOP {
            self.y += 12.0;
        }
        for line in heading {
            self.text((LEFT, self.y), HEADING, Weight::Bold, &line);
            self.y += HEADING * LEADING;
        }
        self.y += 2.0;
        match &section.body {
            Body::Text(text) => {
                let grid = Grid {
                    edges: vec![LEFT, self.extent.right()],
                    head: None,
                    labelled: false,
                };
                self.grid(&grid, vec![vec![text]]);
            }
            Body::Table { columns, rows } => {
                let grid = self.grid_of(columns);
                self.grid(&grid, rows.iter().map(|row| row.iter().collect()).collect());
            }
        }
    }

    fn grid_of(&self, columns: &[Column]) -> Grid {
        let all: f32 = columns.iter().map(|column| f32::from(column.share)).sum();
        let mut edges = vec![LEFT];
        let mut edge = LEFT;
        for column in columns {
            edge += self.extent.room() * f32::from(column.share) / all.max(1.0);
            edges.push(edge);
        }
        let head = columns
            .iter()
            .zip(edges.windows(2))
            .map(|(column, edges)| self.cell(&column.name, edges))
            .collect();
        Grid {
            edges,
            head: Some(head),
            labelled: false,
        }
    }

    /// The lines of a cell between two edges.
    fn cell(&self, text: &str, edges: &[f32]) -> Vec<String> {
        let width = edges.last().copied().unwrap_or(self.extent.right())
            - edges.first().copied().unwrap_or(LEFT)
            - 2.0 * PAD;
        wrapped(self.font, text, BODY, width.max(BODY))
    }

    fn grid(&mut self, grid: &Grid, rows: Vec<Vec<&String>>) {
        self.head(grid);
        let mut fresh = TOP;
        for row in rows {
            let mut left: Vec<Vec<String>> = grid
                .edges
                .windows(2)
                .enumerate()
                .map(|(at, edges)| self.cell(row.get(at).map_or("", |text| text.as_str()), edges))
                .collect();
            loop {
                let tallest = left.iter().map(Vec::len).max().unwrap_or_default();
                let fitting = self.lines_that_fit();
                if tallest <= fitting {
                    self.band(grid, &left, Weight::Regular);
                    break;
                }
                // A new page has no more room than this one had, if this one is new itself.
                let on_new_page = self.y <= fresh;
                if on_new_page || (fitting >= CUT_LINES_MIN && tallest > WHOLE_LINES) {
                    let fitting = fitting.max(1);
                    let part: Vec<Vec<String>> = left
                        .iter_mut()
                        .map(|lines| lines.drain(..fitting.min(lines.len())).collect())
                        .collect();
                    self.band(grid, &part, Weight::Regular);
                    if left.iter().all(Vec::is_empty) {
                        break;
                    }
                }
                self.turn_page();
                self.head(grid);
                fresh = self.y;
            }
        }
    }

    fn lines_that_fit(&self) -> usize {
        let mut lines = 0;
        while self.y + height_of(lines + 1) <= self.bottom {
            lines += 1;
        }
        lines
    }

    fn head(&mut self, grid: &Grid) {
        if let Some(head) = &grid.head {
            let lines = head.iter().map(Vec::len).max().unwrap_or_default();
            self.keep_together(height_of(lines) + height_of(1));
            self.band(grid, head, Weight::Bold);
        }
    }

    /// One row with its borders.
    fn band(&mut self, grid: &Grid, cells: &[Vec<String>], weight: Weight) {
        let lines = cells.iter().map(Vec::len).max().unwrap_or_default();
        let (top, height) = (self.y, height_of(lines));
        let tinted = match weight {
            Weight::Bold => Some(self.extent.room()),
            Weight::Regular if grid.labelled => grid.edges.get(1).map(|edge| edge - LEFT),
            Weight::Regular => None,
        };
        if let Some(width) = tinted {
            self.draw(Mark::Fill {
                at: (LEFT, top),
                extent: (width, height),
                grey: TINT,
            });
        }
        for (cell, edge) in cells.iter().zip(&grid.edges) {
            for (at, line) in cell.iter().enumerate() {
                let y = top + PAD + BODY * LEADING * count(at) + BODY * (LEADING - 1.2) / 2.0;
                self.text((edge + PAD, y), BODY, weight, line);
            }
        }
        for edge in &grid.edges {
            self.line((*edge, top), (*edge, top + height), HAIR);
        }
        self.line((LEFT, top), (self.extent.right(), top), HAIR);
        self.line(
            (LEFT, top + height),
            (self.extent.right(), top + height),
            HAIR,
        );
        self.y = top + height;
    }

    fn seal(&mut self, seal: &SealArea) {
        let statement = wrapped(
            self.font,
            &seal.statement,
            BODY,
            self.extent.room() - 4.0 * PAD,
        );
        let head = HEADING * LEADING + BODY * LEADING * count(statement.len());
        let height = head + 2.0 * SEAL_RADIUS + 4.0 * PAD + 8.0;
        self.keep_together(height + 12.0);
        if self.y > TOP {
            self.y += 12.0;
        }
        let top = self.y;
        self.text(
            (LEFT + 2.0 * PAD, top + PAD),
            HEADING,
            Weight::Bold,
            &seal.heading,
        );
        for (at, line) in statement.iter().enumerate() {
            let y = top + PAD + HEADING * LEADING + BODY * LEADING * count(at);
            self.text((LEFT + 2.0 * PAD, y), BODY, Weight::Regular, line);
        }
        self.signatures(seal, top + head + 2.0 * PAD);
        for (from, to) in [
            ((LEFT, top), (self.extent.right(), top)),
            ((LEFT, top + height), (self.extent.right(), top + height)),
            ((LEFT, top), (LEFT, top + height)),
            (
                (self.extent.right(), top),
                (self.extent.right(), top + height),
            ),
        ] {
            self.line(from, to, RULE);
        }
        self.y = top + height;
    }

    /// Signature lines on the left, the place of the seal on the right, the date across its lower part as
    /// is the custom.
    fn signatures(&mut self, seal: &SealArea, top: f32) {
        let centre = (
            self.extent.right() - SEAL_RADIUS - 30.0,
            top + SEAL_RADIUS + 4.0,
        );
        if !seal.seal.is_empty() {
            self.place_of_seal(centre, &seal.seal);
        }
        let x = LEFT + 2.0 * PAD;
        for (label, y) in [(&seal.handler, top + 24.0), (&seal.leader, top + 68.0)] {
            let label = format!("{label}（签字）：");
            let end = x + self.font.width(&label, BODY);
            self.text((x, y), BODY, Weight::Regular, &label);
            let y = y + BODY * BASE + 2.0;
            self.line((end, y), ((end + 120.0).max(x + 220.0), y), HAIR);
        }
        let date = "年　　　月　　　日";
        let x = self.extent.right() - 3.0 * PAD - self.font.width(date, BODY);
        self.text((x, centre.1 + 32.0), BODY, Weight::Regular, date);
    }

    fn place_of_seal(&mut self, centre: (f32, f32), words: &str) {
        self.draw(Mark::Dashes {
            centre,
            radius: SEAL_RADIUS,
            grey: GREY,
        });
        let width = self.font.width(words, BODY);
        self.draw(Mark::Text {
            x: centre.0 - width / 2.0,
            y: centre.1,
            size: BODY,
            weight: Weight::Regular,
            grey: GREY,
            text: words.to_owned(),
        });
    }

    /// Names the characters that were drawn as 〓.
    fn missing(&mut self) {
        let missing = missing_characters(self.form);
        if missing.is_empty() {
            return;
        }
        let points: Vec<String> = missing
            .iter()
            .map(|sign| format!("U+{:04X}", u32::from(*sign)))
            .collect();
        let text = format!(
            "缺字：{}（打印字库没有这些字，以〓代替，请手写补上）",
            points.join("、")
        );
        self.y += 8.0;
        for line in wrapped(self.font, &text, SMALL, self.extent.room()) {
            self.keep_together(SMALL * LEADING);
            self.y += SMALL * LEADING;
            self.note((LEFT, self.y), &line);
        }
    }

    fn footers(&mut self, clause: &[String]) {
        let at = self.form.generated_at.to_zoned(china());
        let printed = strtime::format("%Y-%m-%d %H:%M", &at).unwrap_or_default();
        let code = format!("校验码 {}　生成于 {printed}", verification_code(self.form));
        let total = self.pages.len();
        let top = self.extent.foot() - SMALL * LEADING * count(clause.len());
        let mut pages = std::mem::take(&mut self.pages);
        for (number, page) in pages.iter_mut().enumerate() {
            self.pages = vec![std::mem::take(page)];
            let pages_text = format!("第 {} 页　共 {total} 页", number + 1);
            let right = self.extent.right() - self.font.width(&pages_text, SMALL);
            self.line(
                (LEFT, top - SMALL * LEADING),
                (self.extent.right(), top - SMALL * LEADING),
                HAIR,
            );
            self.note((LEFT, top), &code);
            self.note((right, top), &pages_text);
            for (at, line) in clause.iter().enumerate() {
                self.note((LEFT, top + SMALL * LEADING * count(at + 1)), line);
            }
            *page = self.pages.pop().unwrap_or_default();
        }
        self.pages = pages;
    }
}

/// The height of a row of so many lines.
fn height_of(lines: usize) -> f32 {
    BODY * LEADING * count(lines) + 2.0 * PAD
}
