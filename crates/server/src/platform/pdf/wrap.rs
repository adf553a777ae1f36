//! Lines: Chinese breaks between any two characters, except where a mark would begin or end a line that
//! mustn't; Latin words and numbers stay whole as long as they fit.

use super::font::{Font, cleaned};

/// Marks that begin no line.
const NEVER_FIRST: &str = "，。、；：？！）］｝》〉」』】〕〗’”…—～·％‰℃,.;:?!)]}%";

/// Marks that end no line.
const NEVER_LAST: &str = "（［｛《〈「『【〔〖‘“([{";

/// Breaks a text into lines no wider than `width`; an empty text is one empty line.
pub(super) fn wrapped(font: &Font, text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in cleaned(text).split('\n') {
        fill(font, paragraph.trim_end(), size, width, &mut lines);
    }
    lines
}

fn fill(font: &Font, paragraph: &str, size: f32, width: f32, lines: &mut Vec<String>) {
    let mut line = String::new();
    let mut used = 0.0;
    for piece in pieces(paragraph) {
        if used + font.width(piece.trim_end(), size) > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0.0;
        }
        for sign in piece.chars() {
            let advance = font.width(sign.encode_utf8(&mut [0; 4]), size);
            // Only a piece that is wider than a whole line comes here with anything but a space.
            if used + advance > width && !sign.is_whitespace() && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            line.push(sign);
            used += advance;
        }
    }
    lines.push(line.trim_end().to_owned());
}

/// The parts between which a line may break.
fn pieces(paragraph: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, sign) in paragraph.char_indices() {
        if before.is_some_and(|before| may_break(before, sign)) {
            pieces.push(&paragraph[start..at]);
            start = at;
        }
        before = Some(sign);
    }
    pieces.push(&paragraph[start..]);
    pieces
}

fn may_break(before: char, after: char) -> bool {
    let in_word = |sign: char| !sign.is_whitespace() && sign < '\u{2000}';
    let within_word = in_word(before) && in_word(after);
    let barred = NEVER_FIRST.contains(after) || NEVER_LAST.contains(before);
    !(after.is_whitespace() || within_word || barred)
}

#[cfg(test)]
mod tests {
    use super::super::font::embedded;
    use super::*;

    fn check(text: &str, width: f32, expected: &[&str]) {
        assert_eq!(wrapped(embedded(), text, 10.0, width), expected, "{text}");
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_closing_and_after_opening_marks() {
        check("政务数据共享交换", 40.0, &["政务数据", "共享交换"]);
        check("政务数据。共享", 40.0, &["政务数", "据。共享"]);
        check("政务数（共享）", 40.0, &["政务数", "（共享）"]);
    }

    #[test]
    fn words_and_numbers_stay_whole_unless_they_are_wider_than_a_line() {
        check("编号 SQ-2026", 45.0, &["编号", "SQ-2026"]);
        let wide = wrapped(embedded(), "ABCDEFGHIJKLMNOPQRST", 10.0, 45.0);
        assert!(wide.len() > 1);
        assert_eq!(wide.concat(), "ABCDEFGHIJKLMNOPQRST");
    }

    #[test]
    fn line_breaks_are_kept_and_nothing_is_lost() {
        check("一\r\n\n二", 40.0, &["一", "", "二"]);
        check("", 40.0, &[""]);
        let text = "。".repeat(30);
        assert_eq!(wrapped(embedded(), &text, 10.0, 40.0).concat(), text);
    }
}
