//! What a delivery under a grant does with each row of the pool: whether it goes, which of its values
//! go, and in what form. A writer that takes only what [`Plan::project`] gives can't deliver a column
//! or a plain value that wasn't granted.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::condition::RowCondition;
use super::mask::mask_value;
use super::pseudonym::{PSEUDONYM_CHARS, PseudonymKey};
use super::value::{Column, ColumnType, ValueRef};
use crate::catalogue::{DataItem, MaskKind};
use crate::grant::Grant;
use crate::kind::Kind;

/// The plan of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    columns: Vec<PlannedColumn>,
    condition: RowCondition,
    /// For each data item named in the condition, its place in a source row.
    condition_places: Vec<(String, usize)>,
    /// The requester's key, if a column is pseudonymised.
    pseudonyms: Option<PseudonymKey>,
}

/// One delivered column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedColumn {
    /// The place of the value in a source row.
    pub source: usize,
    /// The column at the target. Masked columns are text and may be NULL; pseudonyms are NULL where the
    /// value is.
    pub target: Column,
    /// How its values are masked.
    pub mask: Option<MaskKind>,
    /// Whether it belongs to the key.
    pub key: bool,
}

/// A value on its way to the target.
#[derive(Debug, Clone)]
pub enum Delivered<'a> {
    /// As it is.
    Plain(ValueRef<'a>),
    /// Masked; `None` is NULL.
    Masked(Option<String>),
}

impl Delivered<'_> {
    /// The value to write.
    #[must_use]
    pub fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::Plain(value) => *value,
            Self::Masked(Some(text)) => ValueRef::Text(text),
            Self::Masked(None) => ValueRef::Null,
        }
    }
}

/// Why a delivery can't be planned; the subscription is paused and both sides are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data item {item}: {kind}")]
pub struct PlanFault {
    /// The code of the data item; empty where the fault is of the whole.
    pub item: String,
    /// What stands in the way.
    pub kind: PlanFaultKind,
}

/// What can stand in the way of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PlanFaultKind {
    /// The pool has no such column, or none any more.
    #[error("the pool has no column for it any more")]
    ColumnMissing,
    /// The key isn't granted whole, so rows couldn't be told apart at the target.
    #[error("it belongs to the key but isn't granted")]
    KeyNotGranted,
    /// A masked key would make different rows one.
    #[error("it belongs to the key and can't be masked")]
    KeyMasked,
    /// The entry has no key.
    #[error("the entry has no key")]
    NoKey,
    /// Values of this type have no pseudonyms.
    #[error("values of its type have no pseudonyms")]
    PseudonymUnfit,
    /// It is to be pseudonymised, and the requester's key isn't at hand.
    #[error("the key of its pseudonyms isn't at hand")]
    PseudonymKeyMissing,
}

impl PlanFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            PlanFaultKind::ColumnMissing => "exchange.column_missing",
            PlanFaultKind::KeyNotGranted => "exchange.key_not_granted",
            PlanFaultKind::KeyMasked => "exchange.key_masked",
            PlanFaultKind::NoKey => "exchange.no_key",
            PlanFaultKind::PseudonymUnfit => "grant.pseudonym_unfit",
            PlanFaultKind::PseudonymKeyMissing => "exchange.pseudonym_key_missing",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.kind {
            PlanFaultKind::ColumnMissing
            | PlanFaultKind::KeyNotGranted
            | PlanFaultKind::KeyMasked
            | PlanFaultKind::NoKey
            | PlanFaultKind::PseudonymUnfit
            | PlanFaultKind::PseudonymKeyMissing => Kind::Conflict,
        }
    }
}

impl Plan {
    /// Plans the delivery of rows that come in the order of `source`, whose columns are named by the
    /// codes of the data items `items`. It doesn't ask whether the grant is in force; see
    /// [`Grant::is_active_on`]. `pseudonyms` is the key of the grant's requester; only a grant with
    /// pseudonyms needs it.
    ///
    /// Errors: every [`PlanFault`] at once. Spec: YC-24 (only the granted fields), PDS-7.
    pub fn for_grant(
        grant: &Grant,
        items: &[DataItem],
        source: &[Column],
        pseudonyms: Option<&PseudonymKey>,
    ) -> Result<Self, Vec<PlanFault>> {
        let mut faults = Vec::new();
        let mut fault = |item: &str, kind| {
            faults.push(PlanFault {
                item: item.to_owned(),
                kind,
            });
        };
        let place_of = |code: &str| source.iter().position(|column| column.name == code);
        let is_key = |code: &str| items.iter().any(|item| item.key && item.code == code);

        if !items.iter().any(|item| item.key) {
            fault("", PlanFaultKind::NoKey);
        }
        for item in items
            .iter()
            .filter(|item| item.key && !grant.covers(&item.code))
        {
            fault(&item.code, PlanFaultKind::KeyNotGranted);
        }
        let mut columns = Vec::with_capacity(grant.columns.len());
        for code in &grant.columns {
            let (Some(place), mask, key) = (place_of(code), grant.mask_of(code), is_key(code))
            else {
                fault(code, PlanFaultKind::ColumnMissing);
                continue;
            };
            if key && mask.is_some_and(|mask| !mask.keeps_apart()) {
                fault(code, PlanFaultKind::KeyMasked);
            }
            if mask == Some(MaskKind::Pseudonym) {
                if !has_pseudonyms(source[place].column_type) {
                    fault(code, PlanFaultKind::PseudonymUnfit);
                }
                if pseudonyms.is_none() {
                    fault(code, PlanFaultKind::PseudonymKeyMissing);
                }
            }
            columns.push(PlannedColumn {
                source: place,
                target: target_column(&source[place], mask),
                mask,
                key,
            });
        }
        let mut condition_places = Vec::new();
        for term in grant.condition.terms() {
            match place_of(&term.column) {
                Some(place) => condition_places.push((term.column.clone(), place)),
                None => fault(&term.column, PlanFaultKind::ColumnMissing),
            }
        }
        if faults.is_empty() {
            let is_pseudonym = |column: &PlannedColumn| column.mask == Some(MaskKind::Pseudonym);
            let pseudonyms = pseudonyms.filter(|_| columns.iter().any(is_pseudonym));
            Ok(Self {
                columns,
                condition: grant.condition.clone(),
                condition_places,
                pseudonyms: pseudonyms.cloned(),
            })
        } else {
            Err(faults)
        }
    }

    /// The delivered columns, in the order of the grant.
    #[must_use]
    pub fn columns(&self) -> &[PlannedColumn] {
        &self.columns
    }

    /// The columns of the target's table.
    #[must_use]
    pub fn target_columns(&self) -> Vec<Column> {
        self.columns
            .iter()
            .map(|column| column.target.clone())
            .collect()
    }

    /// The names of the key columns.
    #[must_use]
    pub fn key(&self) -> Vec<String> {
        self.columns
            .iter()
            .filter(|column| column.key)
            .map(|column| column.target.name.clone())
            .collect()
    }

    /// Whether the delivered key comes in another order than the source's.
    #[must_use]
    pub fn reorders_key(&self) -> bool {
        self.columns
            .iter()
            .any(|column| column.key && column.mask.is_some())
    }

    /// A short text that is another one whenever rows would be chosen or delivered otherwise, also under
    /// another key of pseudonyms.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let described = serde_json::to_vec(&(&self.columns, &self.condition));
        let mut described = described.expect("plain structures make JSON");
        if let Some(key) = &self.pseudonyms {
            described.extend_from_slice(key.id().as_bytes());
        }
        hex::encode(&Sha256::digest(described)[..8])
    }

    /// Where the key stands among the delivered columns.
    #[must_use]
    pub fn key_positions(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, column)| column.key)
            .map(|(place, _)| place)
            .collect()
    }

    /// Whether the row lies within the grant's condition. A row that doesn't is deleted at the target
    /// if it was delivered before.
    #[must_use]
    pub fn is_in_scope(&self, row: &[ValueRef<'_>]) -> bool {
        self.condition.matches(|code| {
            let place = self
                .condition_places
                .iter()
                .find(|(column, _)| column == code)
                .map(|(_, place)| *place);
            place
                .and_then(|place| row.get(place))
                .copied()
                .unwrap_or(ValueRef::Null)
        })
    }

    /// The values of a row that go to the target, in the order of [`Plan::columns`]. A value the row
    /// doesn't have is NULL.
    #[must_use]
    pub fn project<'a>(&self, row: &[ValueRef<'a>]) -> Vec<Delivered<'a>> {
        self.columns
            .iter()
            .map(|column| {
                let value = row.get(column.source).copied().unwrap_or(ValueRef::Null);
                match column.mask {
                    // Without a key only its form would go, see `mask_value`; a plan has one where it needs it.
                    Some(MaskKind::Pseudonym) => Delivered::Masked(match &self.pseudonyms {
                        Some(key) => key.pseudonym(&value),
                        None => mask_value(MaskKind::Pseudonym, &value),
                    }),
                    Some(mask) => Delivered::Masked(mask_value(mask, &value)),
                    None => Delivered::Plain(value),
                }
            })
            .collect()
    }
}

fn has_pseudonyms(column_type: ColumnType) -> bool {
    match column_type {
        ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::UInt64
        | ColumnType::Decimal { .. }
        | ColumnType::Text { .. }
        | ColumnType::Date => true,
        ColumnType::Boolean
        | ColumnType::Float32
        | ColumnType::Float64
        | ColumnType::Bytes
        | ColumnType::Time
        | ColumnType::Timestamp
        | ColumnType::Instant => false,
    }
}

/// Masking can lengthen a text (an address, a mail address), so a masked column has no limit. Pseudonyms are
/// all of one length, which a key needs on engines that don't index texts without a limit.
fn target_column(source: &Column, mask: Option<MaskKind>) -> Column {
    match mask {
        Some(MaskKind::Pseudonym) => Column {
            column_type: ColumnType::Text {
                chars_max: u32::try_from(PSEUDONYM_CHARS).ok(),
            },
            ..source.clone()
        },
        Some(_) => Column {
            name: source.name.clone(),
            column_type: ColumnType::Text { chars_max: None },
            nullable: true,
        },
        None => source.clone(),
    }
}
