//! Workbooks that nobody should upload, made from good ones.

use std::io::{Cursor, Write as _};

use calamine::{Reader as _, Xlsx};
use rust_xlsxwriter::{Formula, Workbook};

/// The cells of a workbook, to be changed one by one.
pub struct Sheets(Vec<(String, Vec<Vec<Cell>>)>);

/// What stands in a cell.
#[derive(Clone)]
pub enum Cell {
    Text(String),
    Formula(&'static str),
}

impl Sheets {
    /// Reads a workbook.
    pub fn of(bytes: &[u8]) -> Self {
        let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let names = workbook.sheet_names();
        Self(
            names
                .into_iter()
                .map(|name| {
                    let range = workbook.worksheet_range(&name).unwrap();
                    let (rows, columns) = range.end().map_or((0, 0), |(r, c)| (r + 1, c + 1));
                    let cell = |r, c| {
                        Cell::Text(
                            range
                                .get_value((r, c))
                                .map(ToString::to_string)
                                .unwrap_or_default(),
                        )
                    };
                    let cells = (0..rows)
                        .map(|r| (0..columns).map(|c| cell(r, c)).collect())
                        .collect();
                    (name, cells)
                })
                .collect(),
        )
    }

    /// The rows of a sheet, the header first.
    pub fn rows(&mut self, sheet: &str) -> &mut Vec<Vec<Cell>> {
        &mut self
            .0
            .iter_mut()
            .find(|(name, _)| name == sheet)
            .unwrap_or_else(|| panic!("no sheet {sheet}"))
            .1
    }

    /// Writes the workbook.
    pub fn bytes(&self) -> Vec<u8> {
        let mut workbook = Workbook::new();
        for (name, rows) in &self.0 {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name).unwrap();
            for (r, row) in (0_u32..).zip(rows) {
                for (c, cell) in (0_u16..).zip(row) {
                    match cell {
                        Cell::Text(text) if text.is_empty() => {}
                        Cell::Text(text) => {
                            sheet.write_string(r, c, text).unwrap();
                        }
                        Cell::Formula(formula) => {
                            sheet.write_formula(r, c, Formula::new(*formula)).unwrap();
                        }
                    }
                }
            }
        }
        workbook.save_to_buffer().unwrap()
    }
}

/// A ZIP archive with a text file in it, as somebody gets it who renames `notes.zip` to `catalogue.xlsx`.
pub fn renamed_zip() -> Vec<u8> {
    let (name, text) = ("notes.txt", "不是工作簿".as_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(text);
    let size = u32::try_from(text.len()).unwrap();
    let mut zip = Vec::new();
    // Local header: version 2.0, no flags, stored, a date, checksum, sizes, name.
    let common = |out: &mut Vec<u8>| {
        for short in [20_u16, 0, 0, 0, 0x5821] {
            out.write_all(&short.to_le_bytes()).unwrap();
        }
        for long in [crc.sum(), size, size] {
            out.write_all(&long.to_le_bytes()).unwrap();
        }
        out.write_all(&u16::try_from(name.len()).unwrap().to_le_bytes())
            .unwrap();
        out.write_all(&0_u16.to_le_bytes()).unwrap();
    };
    zip.extend_from_slice(b"PK\x03\x04");
    common(&mut zip);
    zip.extend_from_slice(name.as_bytes());
    zip.extend_from_slice(text);
    let directory_at = u32::try_from(zip.len()).unwrap();
    zip.extend_from_slice(b"PK\x01\x02\x14\x00");
    common(&mut zip);
    zip.extend_from_slice(&[0; 14]);
    zip.extend_from_slice(name.as_bytes());
    let directory_size = u32::try_from(zip.len()).unwrap() - directory_at;
    zip.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    zip.extend_from_slice(&directory_size.to_le_bytes());
    zip.extend_from_slice(&directory_at.to_le_bytes());
    zip.extend_from_slice(&[0; 2]);
    zip
}
