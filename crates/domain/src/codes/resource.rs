//! The resource code 信息资源代码 of the national catalogue guide: `class code / sequence number`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::CodeFault;

/// The longest class code in characters; the guide leaves 细目 open, a store needs an end.
pub const CLASS_CODE_CHARS_MAX: usize = 32;

/// The longest sequence number in digits.
pub const SEQUENCE_DIGITS_MAX: usize = 18;

/// A class code 信息资源分类: 类 (1 basic, 2 theme, 3 department), 项 (2 digits), 目 (3 digits), 细目 (any
/// letters and digits). The lists of 项 and 目 are open, so only the form is checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClassCode(String);

impl ClassCode {
    /// Checks the form.
    ///
    /// Errors: [`CodeFault::ClassCodePattern`].
    pub fn parse(text: &str) -> Result<Self, CodeFault> {
        let bytes = text.as_bytes();
        let fits = (6..=CLASS_CODE_CHARS_MAX).contains(&bytes.len())
            && matches!(bytes[0], b'1'..=b'3')
            && bytes[1..6].iter().all(u8::is_ascii_digit)
            && bytes[6..].iter().all(u8::is_ascii_alphanumeric);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(CodeFault::ClassCodePattern)
        }
    }

    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ClassCode {
    type Error = CodeFault;
    fn try_from(text: String) -> Result<Self, CodeFault> {
        Self::parse(&text)
    }
}

impl From<ClassCode> for String {
    fn from(code: ClassCode) -> String {
        code.0
    }
}

/// A resource code, for example `307001/12`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceCode(String);

impl ResourceCode {
    /// Makes the code of the resource with number `sequence` in its class.
    ///
    /// Errors: [`CodeFault::ClassCodePattern`], and [`CodeFault::ResourceCodePattern`] if the number
    /// has more than [`SEQUENCE_DIGITS_MAX`] digits.
    pub fn new(class_code: &str, sequence: u64) -> Result<Self, CodeFault> {
        let class_code = ClassCode::parse(class_code)?;
        Self::parse(&format!("{class_code}/{sequence}"))
    }

    /// Reads a code. Leading zeros of the sequence number stay, as other platforms write them.
    ///
    /// Errors: [`CodeFault::ResourceCodePattern`].
    pub fn parse(text: &str) -> Result<Self, CodeFault> {
        let (class_code, sequence) = text.split_once('/').ok_or(CodeFault::ResourceCodePattern)?;
        ClassCode::parse(class_code).map_err(|_| CodeFault::ResourceCodePattern)?;
        let fits = (1..=SEQUENCE_DIGITS_MAX).contains(&sequence.len())
            && sequence.bytes().all(|b| b.is_ascii_digit());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(CodeFault::ResourceCodePattern)
        }
    }

    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    #[must_use]
    pub fn class_code(&self) -> &str {
        self.0
            .split_once('/')
            .map_or("", |(class_code, _)| class_code)
    }

    /// The part after the slash, as written.
    #[must_use]
    pub fn sequence(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, sequence)| sequence)
    }
}

impl fmt::Display for ResourceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ResourceCode {
    type Error = CodeFault;
    fn try_from(text: String) -> Result<Self, CodeFault> {
        Self::parse(&text)
    }
}

impl From<ResourceCode> for String {
    fn from(code: ResourceCode) -> String {
        code.0
    }
}
