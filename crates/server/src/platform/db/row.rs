//! Reading columns: each helper names the column in its error, so that a broken row is found on read.

use jiff::{Timestamp, civil::Date};
use serde::de::DeserializeOwned;
use sqlx::{Row, any::AnyRow};

use super::DbError;

/// Typed access to the columns of a registry row.
pub trait RowExt {
    /// A TEXT column.
    fn text(&self, column: &'static str) -> Result<String, DbError>;
    /// A TEXT column that may be NULL.
    fn opt_text(&self, column: &'static str) -> Result<Option<String>, DbError>;
    /// A BIGINT column.
    fn int(&self, column: &'static str) -> Result<i64, DbError>;
    /// A BIGINT column that may be NULL.
    fn opt_int(&self, column: &'static str) -> Result<Option<i64>, DbError>;

    /// A flag stored as 0 or 1.
    fn flag(&self, column: &'static str) -> Result<bool, DbError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(broken(column, format!("{other} is no flag"))),
        }
    }

    /// A TEXT column parsed by `T`, for ids, instants and dates.
    fn parsed<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, DbError>
    where
        T::Err: std::fmt::Display,
    {
        self.text(column)?
            .parse()
            .map_err(|e: T::Err| broken(column, e.to_string()))
    }

    /// An instant.
    fn instant(&self, column: &'static str) -> Result<Timestamp, DbError> {
        self.parsed(column)
    }

    /// An instant that may be NULL.
    fn opt_instant(&self, column: &'static str) -> Result<Option<Timestamp>, DbError> {
        self.opt_parsed(column)
    }

    /// A civil date that may be NULL.
    fn opt_date(&self, column: &'static str) -> Result<Option<Date>, DbError> {
        self.opt_parsed(column)
    }

    /// A TEXT column parsed by `T` that may be NULL.
    fn opt_parsed<T: std::str::FromStr>(&self, column: &'static str) -> Result<Option<T>, DbError>
    where
        T::Err: std::fmt::Display,
    {
        self.opt_text(column)?
            .map(|t| t.parse().map_err(|e: T::Err| broken(column, e.to_string())))
            .transpose()
    }

    /// One of our identifiers.
    fn id<T: TryFrom<String>>(&self, column: &'static str) -> Result<T, DbError>
    where
        T::Error: std::fmt::Display,
    {
        T::try_from(self.text(column)?).map_err(|e| broken(column, e.to_string()))
    }

    /// One of our identifiers that may be NULL.
    fn opt_id<T: TryFrom<String>>(&self, column: &'static str) -> Result<Option<T>, DbError>
    where
        T::Error: std::fmt::Display,
    {
        self.opt_text(column)?
            .map(|t| T::try_from(t).map_err(|e| broken(column, e.to_string())))
            .transpose()
    }

    /// A structure stored as JSON text.
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, DbError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| broken(column, e.to_string()))
    }

    /// A structure stored as JSON text that may be NULL.
    fn opt_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, DbError> {
        self.opt_text(column)?
            .map(|t| serde_json::from_str(&t).map_err(|e| broken(column, e.to_string())))
            .transpose()
    }
}

impl RowExt for AnyRow {
    fn text(&self, column: &'static str) -> Result<String, DbError> {
        Ok(self.try_get(column)?)
    }

    fn opt_text(&self, column: &'static str) -> Result<Option<String>, DbError> {
        Ok(self.try_get(column)?)
    }

    fn int(&self, column: &'static str) -> Result<i64, DbError> {
        Ok(self.try_get(column)?)
    }

    fn opt_int(&self, column: &'static str) -> Result<Option<i64>, DbError> {
        Ok(self.try_get(column)?)
    }
}

fn broken(column: &'static str, reason: String) -> DbError {
    DbError::BrokenRow { column, reason }
}
