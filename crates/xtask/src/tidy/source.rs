//! A Rust file taken apart into code, strings and comments.

/// A Rust file as the checks see it. All line numbers count from 1.
pub struct Source {
    pub path: String,
    /// The text with comments and the insides of literals blanked, line for line.
    pub code: String,
    /// String literals with the line they begin on.
    pub strings: Vec<(usize, String)>,
    /// Comments, one item per line, without their marks.
    pub comments: Vec<(usize, String)>,
    /// First and last line of each `#[cfg(test)]` item.
    test_ranges: Vec<(usize, usize)>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let mut parts = Splitter::new(text).split();
        let test_ranges = test_ranges(&parts.code);
        parts.comments.retain(|(_, text)| !text.trim().is_empty());
        Self {
            path: path.to_owned(),
            code: parts.code,
            strings: parts.strings,
            comments: parts.comments,
            test_ranges,
        }
    }

    /// Whether a line belongs to tests: in a test file, or in a `#[cfg(test)]` item.
    pub fn is_test(&self, line: usize) -> bool {
        is_test_path(&self.path)
            || self
                .test_ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// The function a comment on `line` speaks of: the one that begins right below, else the one around it.
    pub fn function_at(&self, line: usize) -> Option<&str> {
        let below = self
            .code
            .lines()
            .skip(line)
            .map(str::trim)
            .find(|code| !code.is_empty() && !code.starts_with("#["));
        below.and_then(function_name).or_else(|| {
            self.code
                .lines()
                .take(line)
                .filter_map(|code| function_name(code.trim()))
                .last()
        })
    }
}

/// Whether a file holds nothing but tests and their helpers. The headless story counts: `cargo xtask
/// test` walks it.
pub fn is_test_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let in_folder = ["tests", "benches", "story"]
        .iter()
        .any(|folder| path.split('/').rev().skip(1).any(|part| part == *folder));
    let by_name = stem == "tests"
        || stem == "testing"
        || stem == "story"
        || stem.ends_with("_tests")
        || name.contains(".test.")
        || name.contains(".spec.");
    in_folder || by_name || path.starts_with("e2e/")
}

fn function_name(code: &str) -> Option<&str> {
    let mut words = code.split_whitespace();
    words
        .by_ref()
        .find(|word| {
            !matches!(
                *word,
                "pub" | "async" | "const" | "pub(crate)" | "pub(super)"
            )
        })
        .filter(|word| *word == "fn")?;
    let name = words.next()?;
    Some(name.split(['(', '<']).next().unwrap_or(name))
}

fn test_ranges(code: &str) -> Vec<(usize, usize)> {
    let mark = "#[cfg(test)]";
    let mut ranges = Vec::new();
    for (start, _) in code.match_indices(mark) {
        let first = line_of(code, start);
        let mut depth = 0_usize;
        let mut end = start + mark.len();
        for (offset, sign) in code[end..].char_indices() {
            match sign {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(sign, '}' | ';') {
                end += offset;
                break;
            }
        }
        ranges.push((first, line_of(code, end)));
    }
    ranges
}

/// The line of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

struct Parts {
    code: String,
    strings: Vec<(usize, String)>,
    comments: Vec<(usize, String)>,
}

struct Splitter {
    signs: Vec<char>,
    at: usize,
    line: usize,
    parts: Parts,
}

impl Splitter {
    fn new(text: &str) -> Self {
        let parts = Parts {
            code: String::with_capacity(text.len()),
            strings: Vec::new(),
            comments: Vec::new(),
        };
        Self {
            signs: text.chars().collect(),
            at: 0,
            line: 1,
            parts,
        }
    }

    fn split(mut self) -> Parts {
        while let Some(sign) = self.peek(0) {
            let after_name = self.at > 0 && is_name(self.signs[self.at - 1]);
            match (sign, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('r' | 'b' | 'c', _) if !after_name && self.raw_hashes().is_some() => {
                    self.raw_string();
                }
                ('\'', _) if self.is_char_literal() => self.char_literal(),
                _ => self.keep(),
            }
        }
        self.parts
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.signs.get(self.at + ahead).copied()
    }

    /// Takes one sign over into the code.
    fn keep(&mut self) {
        let sign = self.signs[self.at];
        self.parts.code.push(sign);
        self.count(sign);
    }

    /// Takes one sign, leaving a blank in the code.
    fn blank(&mut self) -> char {
        let sign = self.signs[self.at];
        self.parts.code.push(if sign == '\n' { '\n' } else { ' ' });
        self.count(sign);
        sign
    }

    fn count(&mut self, sign: char) {
        self.at += 1;
        self.line += usize::from(sign == '\n');
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.peek(0).is_some_and(|sign| sign != '\n') {
            text.push(self.blank());
        }
        self.parts
            .comments
            .push((line, text.trim_start_matches(['/', '!']).to_owned()));
    }

    fn block_comment(&mut self) {
        let first = self.line;
        let mut text = String::new();
        let mut depth = 0_usize;
        while let Some(sign) = self.peek(0) {
            let pair = (sign, self.peek(1));
            if pair == ('/', Some('*')) {
                depth += 1;
                text.push(self.blank());
            } else if pair == ('*', Some('/')) {
                depth -= 1;
                text.push(self.blank());
            }
            text.push(self.blank());
            if depth == 0 {
                break;
            }
        }
        for (offset, part) in text.lines().enumerate() {
            self.parts.comments.push((
                first + offset,
                part.trim_matches(['/', '*', '!', ' ']).to_owned(),
            ));
        }
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.keep();
        while let Some(sign) = self.peek(0) {
            if sign == '"' {
                self.keep();
                break;
            }
            text.push(self.blank());
            if sign == '\\' && self.peek(0).is_some() {
                text.push(self.blank());
            }
        }
        self.parts.strings.push((line, text));
    }

    /// The number of hashes if a raw string begins here.
    fn raw_hashes(&self) -> Option<usize> {
        let prefix = match (self.peek(0), self.peek(1)) {
            (Some('r'), _) => 1,
            (Some('b' | 'c'), Some('r')) => 2,
            _ => return None,
        };
        let hashes = self.signs[self.at + prefix..]
            .iter()
            .take_while(|sign| **sign == '#')
            .count();
        (self.peek(prefix + hashes) == Some('"')).then_some(hashes)
    }

    fn raw_string(&mut self) {
        let line = self.line;
        let hashes = self.raw_hashes().expect("the caller saw a raw string");
        while self.peek(0) != Some('"') {
            self.keep();
        }
        self.keep();
        let mut text = String::new();
        while let Some(sign) = self.peek(0) {
            if sign == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                break;
            }
            text.push(self.blank());
        }
        self.parts.strings.push((line, text));
        for _ in 0..=hashes {
            if self.peek(0).is_some() {
                self.keep();
            }
        }
    }

    fn is_char_literal(&self) -> bool {
        self.peek(1) == Some('\\') || self.peek(2) == Some('\'')
    }

    fn char_literal(&mut self) {
        self.keep();
        if self.peek(0) == Some('\\') {
            self.blank();
        }
        self.blank();
        while self.peek(0).is_some_and(|sign| sign != '\'') {
            self.blank();
        }
        if self.peek(0).is_some() {
            self.keep();
        }
    }
}

fn is_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r##"//! Spec: PDS-3.2.
/* a /* nested */
   Spec: YC-11 */
/// Doc.
pub async fn load<'a>(text: &'a str) -> char {
    let sql = "SELECT \"x\" // not a comment";
    let raw = r#"FROM "t" x"#; // why
    let quote = '"'; let back = '\''; let r = br"raw";
    '中'
}

#[cfg(test)]
mod tests {
    // Spec: PDS-9
    #[test]
    fn it_holds() { let x = "}"; }
    fn helper() {
        // inside
    }
}
fn last() {}
"##;

    #[test]
    fn code_strings_and_comments_are_told_apart() {
        let source = Source::new("a.rs", SAMPLE);
        let strings: Vec<&str> = source
            .strings
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(
            strings,
            [
                r#"SELECT \"x\" // not a comment"#,
                r#"FROM "t" x"#,
                "raw",
                "}"
            ]
        );
        assert_eq!(source.strings[1].0, 7);
        assert!(source.comments.contains(&(1, " Spec: PDS-3.2.".to_owned())));
        assert!(source.comments.contains(&(3, "Spec: YC-11".to_owned())));
        assert!(source.comments.contains(&(7, " why".to_owned())));
        assert!(
            !source.code.contains("SELECT")
                && !source.code.contains("nested")
                && source.code.contains("load<'a>")
        );
        assert_eq!(source.code.lines().count(), SAMPLE.lines().count());
    }

    #[test]
    fn tests_are_found_by_attribute_and_by_name() {
        let source = Source::new("a.rs", SAMPLE);
        assert!(
            !source.is_test(8) && source.is_test(13) && source.is_test(18) && !source.is_test(21)
        );
        for path in [
            "crates/domain/src/case/tests.rs",
            "crates/server/tests/it/request.rs",
            "x/store_tests.rs",
            "web/src/a.test.ts",
            "e2e/story.mjs",
        ] {
            assert!(is_test_path(path), "{path}");
        }
        assert!(!is_test_path("crates/domain/src/latest.rs"));
    }

    #[test]
    fn a_comment_belongs_to_the_function_below_or_around() {
        let source = Source::new("a.rs", SAMPLE);
        assert_eq!(source.function_at(14), Some("it_holds"));
        assert_eq!(source.function_at(18), Some("helper"));
        assert_eq!(source.function_at(4), Some("load"));
        assert_eq!(Source::new("b.rs", "// alone\n").function_at(1), None);
    }
}
