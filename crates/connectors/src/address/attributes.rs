//! The connection string of ODBC: `KEYWORD=value;` with values in braces where they hold a semicolon.

use crate::text::joined;

/// The attributes of a connection string, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes(Vec<(String, String)>);

/// Attributes whose values are secret, in lower case.
const SECRET: [&str; 5] = ["pwd", "password", "passwd", "pass", "pqopt"];

/// Attributes that name the driver or the data source; one of them has to be there.
const WHERE: [&str; 2] = ["driver", "dsn"];

/// Attributes by which a driver would read or write other files, load other libraries or note values down.
const REFUSED: [&str; 6] = [
    "filedsn",
    "savefile",
    "loadext",
    "tracefile",
    "debug",
    "commlog",
];

impl Attributes {
    /// Takes a connection string apart, or says what is wrong with it without quoting it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut attributes = Vec::new();
        let mut rest = text.trim_matches([' ', ';']);
        while !rest.is_empty() {
            let (name, after) = rest
                .split_once('=')
                .ok_or("an attribute of the ODBC connection string has no value")?;
            let (value, after) = take_value(after)?;
            let name = name.trim();
            if name.is_empty() {
                return Err("an attribute of the ODBC connection string has no name");
            }
            if is_among(name, &REFUSED) {
                return Err(
                    "an attribute of the ODBC connection string names files, libraries or logs",
                );
            }
            if name.eq_ignore_ascii_case("driver") && value.contains('/') {
                return Err("the ODBC driver is to be named as in odbcinst.ini, not by its file");
            }
            attributes.push((name.to_owned(), value.to_owned()));
            rest = after.trim_start_matches([' ', ';']);
        }
        if text.contains('\0') {
            return Err("the ODBC connection string holds a zero character");
        }
        let names_a_place = |(name, _): &(String, String)| is_among(name, &WHERE);
        if !attributes.iter().any(names_a_place) {
            return Err("the ODBC connection string needs Driver={...} or DSN=...");
        }
        Ok(Self(attributes))
    }

    /// The string as it may be shown.
    pub(crate) fn shown(&self) -> String {
        self.written(|name, value| {
            if is_among(name, &SECRET) {
                "***".to_owned()
            } else {
                value.to_owned()
            }
        })
    }

    /// The string with `more` behind it, as far as it doesn't say otherwise itself: of a repeated attribute the first
    /// one counts.
    #[cfg(feature = "odbc")]
    pub(crate) fn with(&self, more: &[(&str, &str)]) -> String {
        let mut all = self.clone();
        for (name, value) in more {
            let is_said = |(said, _): &(String, String)| said.eq_ignore_ascii_case(name);
            if !self.0.iter().any(is_said) {
                all.0.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        all.written(|_, value| value.to_owned())
    }

    /// The driver's name, if the address tells it.
    #[cfg(feature = "odbc")]
    pub(crate) fn driver(&self) -> &str {
        let mut all = self.0.iter();
        let driver = all.find(|(name, _)| name.eq_ignore_ascii_case("driver"));
        driver.map_or("", |(_, value)| value.trim_matches(['{', '}']))
    }

    /// The secrets, so that they can be kept out of what is said.
    #[cfg(feature = "odbc")]
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = self.0.iter().filter(|(name, _)| is_among(name, &SECRET));
        secret.map(|(_, value)| value.trim_start_matches('{').trim_end_matches('}'))
    }

    fn written(&self, value_of: impl Fn(&str, &str) -> String) -> String {
        joined(&self.0, "", |(name, value)| {
            format!("{name}={};", value_of(name, value))
        })
    }
}

fn is_among(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The value at the beginning, with its braces, and what follows it. In braces, `}}` stands for one.
fn take_value(text: &str) -> Result<(&str, &str), &'static str> {
    let Some(inside) = text.strip_prefix('{') else {
        return Ok(text.split_once(';').unwrap_or((text, "")));
    };
    let mut from = 0;
    while let Some(at) = inside[from..].find('}') {
        let end = from + at + 1;
        if inside[end..].starts_with('}') {
            from = end + 1;
            continue;
        }
        let (value, after) = text.split_at(end + 1);
        return if after.is_empty() || after.trim_start().starts_with(';') {
            Ok((value, after))
        } else {
            Err("something follows a closing brace in the ODBC connection string")
        };
    }
    Err("a brace in the ODBC connection string isn't closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_whatever_their_spelling_and_braces() {
        for (given, shown) in [
            (
                "Driver={PostgreSQL Unicode};Uid=tax;Pwd=s3cret;",
                "Driver={PostgreSQL Unicode};Uid=tax;Pwd=***;",
            ),
            (
                "DSN=tax; PASSWORD = s3;cret=1",
                "DSN=tax;PASSWORD=***;cret=1;",
            ),
            ("dsn=tax;pwd={a;b}}c;};x=1", "dsn=tax;pwd=***;x=1;"),
            ("PWD=s3cret;Driver=DM8", "PWD=***;Driver=DM8;"),
        ] {
            assert_eq!(Attributes::parse(given).unwrap().shown(), shown);
        }
    }

    #[cfg(feature = "odbc")]
    #[test]
    fn a_secret_is_known_without_its_braces() {
        let braces = Attributes::parse("dsn=tax;pwd={a;b}").unwrap();
        assert_eq!(braces.secrets().collect::<Vec<_>>(), ["a;b"]);
    }

    #[cfg(feature = "odbc")]
    #[test]
    fn attributes_are_added_only_where_the_address_is_silent() {
        let given = Attributes::parse("DSN=a;fetch=7").unwrap();
        let more = [("Fetch", "100"), ("StepAPI", "1")];
        assert_eq!(given.with(&more), "DSN=a;fetch=7;StepAPI=1;");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "Uid=tax;Pwd=x",
            "DSN",
            "DSN=a;=b",
            "DSN=a;Pwd={b",
            "DSN=a;Pwd={b}c",
            "DSN=a\0",
            "Driver=/lib/a.so",
            "Driver={../a.so}",
            "DSN=a;SaveFile=/etc/a",
            "FileDSN=/etc/a",
        ] {
            assert!(Attributes::parse(text).is_err(), "{text}");
        }
    }
}
