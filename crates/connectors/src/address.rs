//! Where a store lies, and how that is told without its password.

mod attributes;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use self::attributes::Attributes;
use crate::{ConnectorError, Result};

/// The address of a store. Prints itself with the password as `***`, in `Debug` too, so that it can
/// be logged as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    secret: String,
    place: Place,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres,
    Mysql,
    Odbc(Attributes),
    Agent { agent: String, store: String },
}

impl Address {
    /// Reads `sqlite:PATH`, `postgres://...` (or `postgresql://`), `mysql://...` (or `mariadb://`),
    /// `odbc:` with a connection string, such as `odbc:DSN=tax;Pwd=secret`, and `agent://AGENT/STORE`.
    ///
    /// Errors: [`ConnectorError::AddressInvalid`], which doesn't quote the address.
    pub fn parse(url: &str) -> Result<Self> {
        let invalid = |reason: &str| ConnectorError::AddressInvalid {
            reason: reason.to_owned(),
        };
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| invalid("it has no scheme"))?;
        let (place, secret) = match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path.contains('\0') {
                    return Err(invalid("the path of the SQLite file is missing"));
                }
                (Place::Sqlite(PathBuf::from(path)), url.to_owned())
            }
            "postgres" | "postgresql" => (Place::Postgres, url.to_owned()),
            "mysql" => (Place::Mysql, url.to_owned()),
            // The driver knows one scheme for the whole family.
            "mariadb" => (Place::Mysql, format!("mysql:{rest}")),
            "agent" => {
                let names = rest
                    .strip_prefix("//")
                    .and_then(|rest| rest.split_once('/'));
                let (agent, store) = names
                    .filter(|(agent, store)| is_plain_name(agent) && is_plain_name(store))
                    .ok_or_else(|| invalid("it doesn't name an agent and a store beside it"))?;
                let (agent, store) = (agent.to_owned(), store.to_owned());
                (Place::Agent { agent, store }, url.to_owned())
            }
            "odbc" => {
                let attributes = Attributes::parse(rest).map_err(invalid)?;
                (Place::Odbc(attributes), url.to_owned())
            }
            _ => return Err(invalid("its scheme is not known")),
        };
        if matches!(place, Place::Postgres | Place::Mysql) && !rest.starts_with("//") {
            return Err(invalid("a server address needs // after its scheme"));
        }
        Ok(Self { secret, place })
    }

    /// The address of a SQLite file.
    #[must_use]
    pub fn sqlite(path: &Path) -> Self {
        Self {
            secret: format!("sqlite:{}", path.display()),
            place: Place::Sqlite(path.to_owned()),
        }
    }

    /// What answers there: `sqlite`, `postgres`, `mysql`, `odbc`, or `agent` for a store that an agent reaches.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.place {
            Place::Sqlite(_) => "sqlite",
            Place::Postgres => "postgres",
            Place::Mysql => "mysql",
            Place::Odbc(_) => "odbc",
            Place::Agent { .. } => "agent",
        }
    }

    /// The agent, and the name that it gives to the store; `None` if the store is reached directly.
    #[must_use]
    pub fn behind_agent(&self) -> Option<(&str, &str)> {
        match &self.place {
            Place::Agent { agent, store } => Some((agent, store)),
            Place::Sqlite(_) | Place::Postgres | Place::Mysql | Place::Odbc(_) => None,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The address with its password, for the driver only.
    pub(crate) fn reveal(&self) -> &str {
        &self.secret
    }
}

/// Whether this names an agent, or a store beside one: letters, digits, `-` and `_`, at most 64.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&name.len()) && name.chars().all(is_plain)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Place::Sqlite(path) = &self.place {
            return write!(f, "sqlite:{}", path.display());
        }
        if let Place::Odbc(attributes) = &self.place {
            return write!(f, "odbc:{}", attributes.shown());
        }
        let (scheme, rest) = self.secret.split_once("://").unwrap_or(("", &self.secret));
        // The last `@` ends the sign-in, since an unescaped password may hold one.
        match rest.rsplit_once('@') {
            None => write!(f, "{scheme}://{}", without_parameters(rest)),
            Some((login, host)) => match login.split_once(':') {
                None => write!(f, "{scheme}://{login}@{}", without_parameters(host)),
                Some((user, _)) => write!(f, "{scheme}://{user}:***@{}", without_parameters(host)),
            },
        }
    }
}

/// Drivers take passwords after `?` too, and nobody misses the rest.
fn without_parameters(text: &str) -> &str {
    text.split('?').next().unwrap_or_default()
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        let address = Address::parse(url).unwrap();
        assert_eq!(format!("{address:?}"), format!("Address({address})"));
        address.to_string()
    }

    #[test]
    fn passwords_print_as_stars() {
        assert_eq!(
            shown("postgres://tax:s3cret@db:5432/x"),
            "postgres://tax:***@db:5432/x"
        );
        assert_eq!(
            shown("postgres://tax:s3@cr:et@db/x?application_name=a"),
            "postgres://tax:***@db/x"
        );
        assert_eq!(
            shown("postgres://tax:s3?cr/et@db/x"),
            "postgres://tax:***@db/x"
        );
        assert_eq!(
            shown("postgres://db/x?user=tax&password=s3cret"),
            "postgres://db/x"
        );
        assert_eq!(shown("mariadb://tax:s3cret@db/x"), "mysql://tax:***@db/x");
        assert_eq!(shown("postgresql://db/x"), "postgresql://db/x");
        assert_eq!(shown("mysql://tax@db/x"), "mysql://tax@db/x");
    }

    #[test]
    fn a_sqlite_address_is_a_path() {
        assert_eq!(shown("sqlite:/data/a b.db"), "sqlite:/data/a b.db");
        assert_eq!(shown("sqlite:///data/a.db"), "sqlite:/data/a.db");
        assert_eq!(
            Address::parse("sqlite:a.db").unwrap(),
            Address::sqlite(Path::new("a.db"))
        );
    }

    #[test]
    fn a_store_behind_an_agent_is_named() {
        assert_eq!(shown("agent://agt-1/tax_db"), "agent://agt-1/tax_db");
        let address = Address::parse("agent://agt-1/tax_db").unwrap();
        assert_eq!(address.behind_agent(), Some(("agt-1", "tax_db")));
        for url in [
            "agent:agt-1/x",
            "agent://agt-1",
            "agent://a/b/c",
            "agent://a/../b",
            "agent:///b",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_odbc_address_is_a_connection_string() {
        assert_eq!(
            shown("odbc:Driver={DM8 ODBC DRIVER};Server=db;Uid=tax;Pwd={s3;cr}}et};"),
            "odbc:Driver={DM8 ODBC DRIVER};Server=db;Uid=tax;Pwd=***;"
        );
        assert_eq!(
            shown("odbc:DSN=tax;PASSWORD=s3cret"),
            "odbc:DSN=tax;PASSWORD=***;"
        );
    }

    #[test]
    fn nonsense_is_refused_without_quoting_it() {
        for url in [
            "",
            "x",
            "sqlite:",
            "oracle://tax:s3cret@db",
            "postgres:tax:s3cret",
            "odbc:Uid=tax;Pwd=s3cret",
            "odbc:DSN=tax;Pwd={s3cret",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.code(), "store.address_invalid");
            assert!(!error.to_string().contains("s3cret"));
        }
    }
}
