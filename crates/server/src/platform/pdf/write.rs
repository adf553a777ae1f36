//! Pages as a PDF file. Nothing in it depends on the clock or on chance.

use std::{collections::BTreeMap, io::Write as _};

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{
    Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap},
};
use sha2::{Digest as _, Sha256};
use tongqu_domain::time::china_date;

use super::{
    Form,
    font::{self, Font, Subset},
    layout::{Extent, Mark, Page, Weight},
    verification_code,
};

const FONT: Name<'static> = Name(b"F1");
const SYSTEM: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// How far bold type is thickened, by its size; the font is embedded in one weight.
const BOLD: f32 = 0.028;

/// How far the handles of a quarter circle reach, by its radius.
const HANDLE: f32 = 0.5523;

/// Hands out the numbers of objects.
struct Refs(i32);

impl Refs {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

pub(super) fn document(font: &Font, form: &Form, pages: &[Page]) -> Vec<u8> {
    let subset = font.subset(signs(font, pages));
    let numbers: BTreeMap<char, u16> = subset.glyphs.iter().copied().collect();
    let mut refs = Refs(0);
    let (catalog, tree, info, type0) = (refs.next(), refs.next(), refs.next(), refs.next());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog)
        .pages(tree)
        .lang(TextStr("zh-CN"))
        .viewer_preferences()
        .display_doc_title(true);
    let date = china_date(form.generated_at);
    let made = pdf_writer::Date::new(u16::try_from(date.year()).unwrap_or_default())
        .month(u8::try_from(date.month()).unwrap_or(1))
        .day(u8::try_from(date.day()).unwrap_or(1));
    pdf.document_info(info)
        .title(TextStr(&form.title))
        .author(TextStr(&form.organisation))
        .subject(TextStr(&form.number))
        .creator(TextStr("Tongqu"))
        .creation_date(made);
    let id = Sha256::digest(format!("{} {}", verification_code(form), form.generated_at));
    pdf.set_file_id((id.to_vec(), id.to_vec()));

    let extent = Extent::of(form.kind);
    let page_refs: Vec<Ref> = pages.iter().map(|_| refs.next()).collect();
    pdf.pages(tree)
        .kids(page_refs.iter().copied())
        .count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for (page, page_ref) in pages.iter().zip(&page_refs) {
        let contents = refs.next();
        let mut written = pdf.page(*page_ref);
        written
            .parent(tree)
            .media_box(Rect::new(0.0, 0.0, extent.width, extent.height))
            .contents(contents);
        written.resources().fonts().pair(FONT, type0);
        written.finish();
        let drawn = packed(&drawing(page, extent.height, &numbers));
        pdf.stream(contents, &drawn).filter(Filter::FlateDecode);
    }
    write_font(&mut pdf, &mut refs, type0, font, &subset);
    pdf.finish()
}

/// Every character drawn, with 〓 for those that the font lacks.
fn signs(font: &Font, pages: &[Page]) -> Vec<char> {
    let mut signs: Vec<char> = pages
        .iter()
        .flat_map(|page| &page.marks)
        .filter_map(|mark| match mark {
            Mark::Text { text, .. } => Some(text),
            Mark::Line { .. } | Mark::Fill { .. } | Mark::Dashes { .. } => None,
        })
        .flat_map(|text| text.chars())
        .map(|sign| if font.has(sign) { sign } else { font::GETA })
        .collect();
    signs.push(font::GETA);
    signs.sort_unstable();
    signs.dedup();
    signs
}

fn drawing(page: &Page, height: f32, numbers: &BTreeMap<char, u16>) -> Vec<u8> {
    let mut content = Content::new();
    for mark in &page.marks {
        match mark {
            Mark::Text {
                x,
                y,
                size,
                weight,
                grey,
                text,
            } => {
                let geta = numbers.get(&font::GETA).copied().unwrap_or_default();
                let bytes: Vec<u8> = text
                    .chars()
                    .flat_map(|sign| numbers.get(&sign).copied().unwrap_or(geta).to_be_bytes())
                    .collect();
                content
                    .begin_text()
                    .set_font(FONT, *size)
                    .set_fill_gray(*grey);
                match weight {
                    Weight::Regular => {
                        content.set_text_rendering_mode(TextRenderingMode::Fill);
                    }
                    Weight::Bold => {
                        content
                            .set_text_rendering_mode(TextRenderingMode::FillStroke)
                            .set_stroke_gray(*grey)
                            .set_line_width(size * BOLD);
                    }
                }
                content
                    .set_text_matrix([1.0, 0.0, 0.0, 1.0, *x, height - y])
                    .show(Str(&bytes))
                    .end_text();
            }
            Mark::Line { from, to, width } => {
                content
                    .set_stroke_gray(0.0)
                    .set_line_width(*width)
                    .move_to(from.0, height - from.1)
                    .line_to(to.0, height - to.1)
                    .stroke();
            }
            Mark::Fill { at, extent, grey } => {
                content
                    .set_fill_gray(*grey)
                    .rect(at.0, height - at.1 - extent.1, extent.0, extent.1)
                    .fill_nonzero();
            }
            Mark::Dashes {
                centre,
                radius,
                grey,
            } => circle(&mut content, (centre.0, height - centre.1), *radius, *grey),
        }
    }
    content.finish().into_vec()
}

fn circle(content: &mut Content, (x, y): (f32, f32), r: f32, grey: f32) {
    let h = r * HANDLE;
    content
        .save_state()
        .set_stroke_gray(grey)
        .set_line_width(0.6)
        .set_dash_pattern([4.0, 3.0], 0.0)
        .move_to(x + r, y)
        .cubic_to(x + r, y + h, x + h, y + r, x, y + r)
        .cubic_to(x - h, y + r, x - r, y + h, x - r, y)
        .cubic_to(x - r, y - h, x - h, y - r, x, y - r)
        .cubic_to(x + h, y - r, x + r, y - h, x + r, y)
        .close_and_stroke()
        .restore_state();
}

fn write_font(pdf: &mut Pdf, refs: &mut Refs, type0: Ref, font: &Font, subset: &Subset) {
    let (cid, descriptor, to_unicode, file) = (refs.next(), refs.next(), refs.next(), refs.next());
    let name = format!("{}+{}", tag(subset), font::NAME);
    let name = Name(name.as_bytes());
    pdf.type0_font(type0)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(to_unicode);
    let mut written = pdf.cid_font(cid);
    written
        .subtype(CidFontType::Type0)
        .base_font(name)
        .system_info(SYSTEM)
        .font_descriptor(descriptor)
        .default_width(1000.0);
    let mut widths = written.widths();
    for (sign, number) in &subset.glyphs {
        let advance = font.advance(*sign);
        if (advance - 1000.0).abs() > f32::EPSILON {
            widths.consecutive(*number, [advance]);
        }
    }
    widths.finish();
    written.finish();

    let measures = font.measures();
    let [x_min, y_min, x_max, y_max] = measures.bounds;
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC | FontFlags::SERIF)
        .bbox(Rect::new(x_min, y_min, x_max, y_max))
        .italic_angle(0.0)
        .ascent(measures.ascent)
        .descent(measures.descent)
        .cap_height(measures.cap_height)
        .stem_v(80.0)
        .font_file3(file);

    let mut map = UnicodeCmap::new(Name(b"Tongqu-Forms"), SYSTEM);
    for (sign, number) in &subset.glyphs {
        map.pair(*number, *sign);
    }
    let map = packed(map.finish().as_slice());
    pdf.cmap(to_unicode, &map).filter(Filter::FlateDecode);
    pdf.stream(file, &packed(&subset.cff))
        .filter(Filter::FlateDecode)
        .pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
}

/// The six letters that tell subsets of one font apart.
fn tag(subset: &Subset) -> String {
    Sha256::digest(&subset.cff)
        .iter()
        .take(6)
        .map(|byte| char::from(b'A' + byte % 26))
        .collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes whatever is written")
}
