//! Reads a PDF of ours back the way a reader does when text is selected: pages, the strings they show, and
//! the table that gives characters for glyph numbers.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read as _,
};

/// A PDF taken apart.
pub struct Pdf {
    objects: BTreeMap<u32, Object>,
}

struct Object {
    dict: String,
    stream: Vec<u8>,
}

impl Pdf {
    pub fn read(bytes: &[u8]) -> Self {
        assert!(bytes.starts_with(b"%PDF-1."), "no PDF");
        let mut objects = BTreeMap::new();
        let mut at = 0;
        while let Some(found) = find(&bytes[at..], b" 0 obj\n") {
            let start = at + found;
            let digits = bytes[..start]
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_digit());
            let number =
                String::from_utf8_lossy(&bytes[start - digits.count()..start]).into_owned();
            let body = &bytes[start + 7..];
            let end = find(body, b"endobj").unwrap();
            let (dict, stream) = match find(&body[..end], b"stream\n") {
                Some(cut) => {
                    let dict = String::from_utf8_lossy(&body[..cut]).into_owned();
                    let length: usize = number_after(&dict, "/Length ").unwrap() as usize;
                    (dict, body[cut + 7..cut + 7 + length].to_vec())
                }
                None => (
                    String::from_utf8_lossy(&body[..end]).into_owned(),
                    Vec::new(),
                ),
            };
            at = start + 7 + stream.len();
            objects.insert(number.parse().unwrap(), Object { dict, stream });
        }
        Self { objects }
    }

    /// The texts that each page shows, in the order in which they are drawn.
    pub fn pages(&self) -> Vec<Vec<String>> {
        let characters = self.characters();
        let tree = self.with("/Type /Pages");
        let kids = tree
            .dict
            .split("/Kids [")
            .nth(1)
            .unwrap()
            .split(']')
            .next()
            .unwrap();
        kids.split(" 0 R")
            .filter_map(|kid| kid.trim().parse().ok())
            .map(|kid: u32| {
                let contents = number_after(&self.objects[&kid].dict, "/Contents ").unwrap();
                let content = inflated(&self.objects[&contents]);
                shown(&content)
                    .iter()
                    .map(|bytes| text(bytes, &characters))
                    .collect()
            })
            .collect()
    }

    /// Everything that is shown, without breaks.
    pub fn text(&self) -> String {
        self.pages().concat().concat()
    }

    /// The name of the font and the size of its file as embedded, in bytes.
    pub fn font(&self) -> (String, usize) {
        let descriptor = &self.with("/Type /FontDescriptor").dict;
        let name = descriptor.split("/FontName /").nth(1).unwrap();
        let file = number_after(descriptor, "/FontFile3 ").unwrap();
        let name = name.split_whitespace().next().unwrap().to_owned();
        (name, self.objects[&file].stream.len())
    }

    fn characters(&self) -> HashMap<u16, char> {
        let map = number_after(&self.with("/Type0").dict, "/ToUnicode ").unwrap();
        let map = String::from_utf8(inflated(&self.objects[&map])).unwrap();
        let mut characters = HashMap::new();
        for line in map.lines() {
            let pair: Vec<&str> = line
                .split(['<', '>'])
                .filter(|part| !part.trim().is_empty())
                .collect();
            let [number, units] = pair.as_slice() else {
                continue;
            };
            let units: Vec<u16> = (0..units.len() / 4)
                .filter_map(|n| u16::from_str_radix(&units[n * 4..n * 4 + 4], 16).ok())
                .collect();
            if let (Ok(number), Ok(text)) =
                (u16::from_str_radix(number, 16), String::from_utf16(&units))
            {
                characters.extend(text.chars().next().map(|sign| (number, sign)));
            }
        }
        characters
    }

    fn with(&self, mark: &str) -> &Object {
        let mut all = self.objects.values();
        all.find(|object| object.dict.contains(mark))
            .unwrap_or_else(|| panic!("no object has {mark}"))
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

fn number_after(text: &str, mark: &str) -> Option<u32> {
    let rest = text.split(mark).nth(1)?;
    rest.split(|sign: char| !sign.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn inflated(object: &Object) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(object.stream.as_slice())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

fn text(bytes: &[u8], characters: &HashMap<u16, char>) -> String {
    bytes
        .chunks(2)
        .map(|pair| characters[&u16::from_be_bytes([pair[0], pair[1]])])
        .collect()
}

/// The strings of a content stream, literal or hexadecimal.
fn shown(content: &[u8]) -> Vec<Vec<u8>> {
    let mut strings = Vec::new();
    let mut at = 0;
    while at < content.len() {
        match content[at] {
            b'(' => {
                let (string, length) = literal(&content[at + 1..]);
                strings.push(string);
                at += length + 1;
            }
            b'<' => {
                let end = find(&content[at..], b">").unwrap();
                strings.push(hex::decode(&content[at + 1..at + end]).unwrap());
                at += end + 1;
            }
            _ => at += 1,
        }
    }
    strings
}

fn literal(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut string = Vec::new();
    let mut depth = 1;
    let mut at = 0;
    while depth > 0 {
        match bytes[at] {
            b'\\' => {
                at += 1;
                string.push(match bytes[at] {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    b'0'..=b'7' => {
                        let octal = std::str::from_utf8(&bytes[at..at + 3]).unwrap();
                        at += 2;
                        u8::from_str_radix(octal, 8).unwrap()
                    }
                    plain => plain,
                });
            }
            b')' if depth == 1 => depth = 0,
            sign => {
                depth += i32::from(sign == b'(') - i32::from(sign == b')');
                string.push(sign);
            }
        }
        at += 1;
    }
    (string, at)
}
