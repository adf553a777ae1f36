//! The font that forms are set in: Noto Serif CJK SC, cut down to the characters of Chinese
//! administration. How the file was made stands in `assets/fonts/README.md`.

use std::sync::LazyLock;

use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId, RawFace, Tag};

static FILE: &[u8] = include_bytes!("../../../assets/fonts/NotoSerifCJKsc-Regular.forms.otf");

/// What stands for a character that the font lacks: the printer's mark for a missing sort.
pub(super) const GETA: char = '〓';

/// The font's own name, to which a subset adds its tag.
pub(super) const NAME: &str = "NotoSerifCJKsc-Regular";

/// The font, opened.
pub(super) struct Font {
    face: Face<'static>,
}

/// The font in the binary.
pub(super) fn embedded() -> &'static Font {
    static FONT: LazyLock<Font> = LazyLock::new(|| Font {
        face: Face::parse(FILE, 0).expect("the font in the binary is whole"),
    });
    &FONT
}

/// The measures of the font that a PDF states, in thousandths of its size.
pub(super) struct Measures {
    pub(super) bounds: [f32; 4],
    pub(super) ascent: f32,
    pub(super) descent: f32,
    pub(super) cap_height: f32,
}

/// A font with nothing but some glyphs, as a PDF embeds it.
pub(super) struct Subset {
    /// The CFF table alone.
    pub(super) cff: Vec<u8>,
    /// Each character with its number in the subset, in the order of the numbers.
    pub(super) glyphs: Vec<(char, u16)>,
}

impl Font {
    /// Whether a character can be drawn.
    pub(super) fn has(&self, sign: char) -> bool {
        self.face.glyph_index(sign).is_some()
    }

    /// The width of a character at size 1000.
    pub(super) fn advance(&self, sign: char) -> f32 {
        let advance = self
            .face
            .glyph_hor_advance(self.glyph(sign))
            .unwrap_or_default();
        f32::from(advance) * 1000.0 / f32::from(self.face.units_per_em())
    }

    /// The width of a text.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|sign| self.advance(sign)).sum::<f32>() * size / 1000.0
    }

    /// The measures of the whole font.
    pub(super) fn measures(&self) -> Measures {
        let per_em = 1000.0 / f32::from(self.face.units_per_em());
        let of = |units: i16| f32::from(units) * per_em;
        let bounds = self.face.global_bounding_box();
        Measures {
            bounds: [
                of(bounds.x_min),
                of(bounds.y_min),
                of(bounds.x_max),
                of(bounds.y_max),
            ],
            ascent: of(self.face.ascender()),
            descent: of(self.face.descender()),
            cap_height: self.face.capital_height().map_or(700.0, of),
        }
    }

    /// The font with the glyphs of these characters only; the same characters give the same bytes.
    pub(super) fn subset(&self, signs: impl IntoIterator<Item = char>) -> Subset {
        let mut remapper = GlyphRemapper::new();
        let mut glyphs: Vec<(char, u16)> = signs
            .into_iter()
            .map(|sign| (sign, remapper.remap(self.glyph(sign).0)))
            .collect();
        glyphs.sort_by_key(|(sign, number)| (*number, *sign));
        let cut = subsetter::subset(FILE, 0, &remapper).expect("the font in the binary is whole");
        let cff = RawFace::parse(&cut, 0)
            .ok()
            .and_then(|face| face.table(Tag::from_bytes(b"CFF ")))
            .expect("a subset of a CFF font has a CFF table")
            .to_vec();
        Subset { cff, glyphs }
    }

    fn glyph(&self, sign: char) -> GlyphId {
        self.face
            .glyph_index(sign)
            .or_else(|| self.face.glyph_index(GETA))
            .unwrap_or(GlyphId(0))
    }
}

/// A text with one kind of line break, spaces for tabs, and without the marks that are invisible by
/// nature (zero-width spaces and joiners, soft hyphens, byte order marks): nothing that could be read is
/// lost with them.
pub(super) fn cleaned(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(|sign| match sign {
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => None,
            sign => Some(sign),
        })
        .collect()
}
