//! The values of one row, each read by the shape of its column.

use super::super::columns::{Column, List, Need, SEPARATOR, Shape, Sheet, YES_NO};
use super::super::faults::{Code, Faults, fault};
use super::super::grid::{Raw, RawRow, Region, cell_name};
use super::super::{Choice, TemplateOptions};

/// The largest whole number Excel keeps exactly: fifteen digits.
const EXACT_MAX: f64 = 999_999_999_999_999.0;
/// Labels named in a message; a longer list is cut.
const NAMED_LABELS_MAX: usize = 20;

/// Reads the cells of one row and reports what is wrong with them.
pub(super) struct Cells<'a> {
    pub(super) sheet: &'static Sheet,
    pub(super) row: &'a RawRow,
    pub(super) merged: &'a [Region],
    pub(super) options: &'a TemplateOptions,
    pub(super) faults: &'a mut Faults,
    pub(super) is_faulty: bool,
}

impl Cells<'_> {
    fn column(&self, field: &str) -> (usize, &'static Column) {
        let at = self.sheet.position(field);
        (at, &self.sheet.columns[at])
    }

    pub(super) fn report(&mut self, code: Code, field: &'static str, data: &[(&str, String)]) {
        let (at, column) = self.column(field);
        let (sheet, row) = (self.sheet.name, self.row.number);
        self.is_faulty = true;
        self.faults.push(|| {
            let mut data = data.to_vec();
            data.push(("header", column.header.to_owned()));
            fault(code, sheet, cell_name(row, at), column.field, &data)
        });
    }

    pub(super) fn report_outside(&mut self) {
        let width = self.sheet.columns.len();
        for (at, _) in self.row.cells.iter().filter(|(at, _)| *at >= width) {
            self.is_faulty = true;
            self.faults.push(|| {
                fault(
                    Code::OutsideColumns,
                    self.sheet.name,
                    cell_name(self.row.number, *at),
                    "",
                    &[],
                )
            });
        }
    }

    /// The text of a cell, whatever may be wrong with it.
    pub(super) fn peek(&self, field: &str) -> Option<String> {
        match self.row.get(self.column(field).0)? {
            Raw::Text(text) => Some(text.clone()),
            Raw::Number(number) => exact(*number),
            Raw::Bool(_) | Raw::Date(_) | Raw::Error(_) | Raw::Formula(_) => None,
        }
    }

    /// The cell as text; `None` if it is blank or faulty, which is reported.
    fn string(&mut self, field: &'static str) -> Option<String> {
        let (at, column) = self.column(field);
        let code = match self.row.get(at) {
            Some(Raw::Text(text)) if text.starts_with('=') => Code::Formula,
            Some(Raw::Text(text)) => return Some(text.clone()),
            Some(Raw::Number(number)) => match exact(*number) {
                Some(text) => return Some(text),
                None => Code::NumberLossy,
            },
            Some(Raw::Bool(value)) if column.shape == Shape::One(List::YesNo) => {
                return Some(YES_NO[usize::from(!value)].to_owned());
            }
            Some(Raw::Bool(_)) => Code::BooleanValue,
            Some(Raw::Date(_)) => Code::DateValue,
            Some(Raw::Error(_)) => Code::ErrorValue,
            Some(Raw::Formula(_)) => Code::Formula,
            None => {
                self.report_blank(field);
                return None;
            }
        };
        self.report(code, field, &[]);
        None
    }

    fn report_blank(&mut self, field: &'static str) {
        let (at, column) = self.column(field);
        if column.need == Need::Optional {
            return;
        }
        // A merged region blanks the cells it covers; it is told once, at its corner.
        if self
            .merged
            .iter()
            .any(|region| region.covers(self.row.number, at))
        {
            self.is_faulty = true;
        } else {
            self.report(Code::Required, field, &[]);
        }
    }

    /// A text; empty if it is blank or faulty.
    pub(super) fn text(&mut self, field: &'static str) -> String {
        self.optional_text(field).unwrap_or_default()
    }

    pub(super) fn optional_text(&mut self, field: &'static str) -> Option<String> {
        let text = self.string(field)?;
        let (chars_max, breaks) = match self.column(field).1.shape {
            Shape::Line { chars_max } => (chars_max, Breaks::Refused),
            Shape::Paragraph { chars_max } => (chars_max, Breaks::Allowed),
            shape @ (Shape::Number { .. }
            | Shape::One(_)
            | Shape::Several(_)
            | Shape::Lines { .. }) => {
                unreachable!("a column of shape {shape:?} is not read as one text")
            }
        };
        self.checked(field, text, chars_max, breaks)
    }

    fn checked(
        &mut self,
        field: &'static str,
        text: String,
        chars_max: usize,
        breaks: Breaks,
    ) -> Option<String> {
        let length = text.chars().count();
        if length > chars_max {
            self.report(
                Code::TooLong,
                field,
                &[
                    ("max", chars_max.to_string()),
                    ("length", length.to_string()),
                ],
            );
        } else if text.chars().any(is_invisible) {
            self.report(Code::ControlCharacter, field, &[]);
        } else if breaks == Breaks::Refused && text.contains('\n') {
            self.report(Code::LineBreak, field, &[]);
        } else {
            return Some(text);
        }
        None
    }

    /// Texts in one cell, each on its own.
    pub(super) fn lines(&mut self, field: &'static str) -> Vec<String> {
        let Some(text) = self.string(field) else {
            return Vec::new();
        };
        let chars_max = match self.column(field).1.shape {
            Shape::Lines { chars_max } => chars_max,
            shape => unreachable!("a column of shape {shape:?} is not read as several texts"),
        };
        let mut found: Vec<String> = Vec::new();
        for part in parts(&text) {
            match self.checked(field, part.to_owned(), chars_max, Breaks::Refused) {
                Some(part) if !found.contains(&part) => found.push(part),
                Some(_) => {}
                None => return Vec::new(),
            }
        }
        found
    }

    /// One of the list of the column.
    pub(super) fn one<T>(
        &mut self,
        field: &'static str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.string(field)?;
        let found = find(&text);
        if found.is_none() {
            self.report_unknown(field);
        }
        found
    }

    pub(super) fn yes_no(&mut self, field: &'static str) -> Option<bool> {
        self.one(field, |text| match text {
            "是" | "1" => Some(true),
            "否" | "0" => Some(false),
            _ => None,
        })
    }

    /// The codes of the modes, each once, in the order of the pack.
    pub(super) fn modes(&mut self) -> Vec<String> {
        let field = "modes";
        let Some(text) = self.string(field) else {
            return Vec::new();
        };
        let choices = &self.options.modes;
        let codes: Vec<Option<String>> = parts(&text).map(|part| code_of(choices, part)).collect();
        if codes.is_empty() || codes.contains(&None) {
            self.report_unknown(field);
        }
        choices
            .iter()
            .filter(|choice| codes.iter().flatten().any(|code| *code == choice.code))
            .map(|choice| choice.code.clone())
            .collect()
    }

    fn report_unknown(&mut self, field: &'static str) {
        let labels = match self.column(field).1.shape {
            Shape::One(list) | Shape::Several(list) => list.labels(self.options),
            Shape::Line { .. }
            | Shape::Paragraph { .. }
            | Shape::Number { .. }
            | Shape::Lines { .. } => Vec::new(),
        };
        let named = labels
            .iter()
            .take(NAMED_LABELS_MAX)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(SEPARATOR);
        self.report(Code::UnknownValue, field, &[("allowed", named)]);
    }

    pub(super) fn number(&mut self, field: &'static str) -> Option<u32> {
        let (at, column) = self.column(field);
        let Shape::Number { min, max } = column.shape else {
            unreachable!(
                "a column of shape {:?} is not read as a number",
                column.shape
            )
        };
        let text = match self.row.get(at) {
            // 2.5 is not a damaged text here but simply not a whole number.
            Some(Raw::Number(number)) => exact(*number).unwrap_or_default(),
            _ => self.string(field)?,
        };
        let found = text
            .parse::<u32>()
            .ok()
            .filter(|number| (min..=max).contains(number));
        if found.is_none() {
            self.report(
                Code::NotANumber,
                field,
                &[("min", min.to_string()), ("max", max.to_string())],
            );
        }
        found
    }
}

/// Whether a text may have line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Allowed,
    Refused,
}

/// A whole number as it was typed, if Excel can have kept all its digits.
fn exact(number: f64) -> Option<String> {
    let is_exact = number.fract() == 0.0 && number.abs() <= EXACT_MAX;
    // Adding zero turns -0 into 0.
    is_exact.then(|| format!("{:.0}", number + 0.0))
}

/// Control characters and marks that turn the direction of text: they make a text look like another.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The parts of a cell with several values.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(['、', '，', ',', ';', '；', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

pub(super) fn code_of(choices: &[Choice], text: &str) -> Option<String> {
    choices
        .iter()
        .find(|choice| choice.name == text || choice.code == text)
        .map(|choice| choice.code.clone())
}
