//! How a source is read when its time has come: compared whole, or only what its watched column says has changed.

use tongqu_domain::exchange::Measure;

use super::{engine::Watched, reconcile, store};
use crate::{
    app::App,
    features::catalogue::Mounting,
    platform::db::{Db, DbError},
};

/// How the source is read.
pub(super) struct Reading {
    pub watched: Option<Watched>,
    /// Only rows whose watched column has this value or a higher one; absent: the whole is compared.
    pub from: Option<i64>,
}

impl Reading {
    /// Its name among the steps of a run.
    pub(super) fn step(&self) -> &'static str {
        if self.from.is_some() {
            "collected_since"
        } else {
            "collected"
        }
    }

    /// The whole is compared when somebody asks for a collection, once a day, and until a watched column has been seen.
    pub(super) async fn choose(
        app: &App,
        db: &mut Db,
        mounting: &Mounting,
        is_asked_for: bool,
    ) -> Result<Self, DbError> {
        let now = app.clock.now();
        let scheduled = store::schedule_of(db, &mounting.entry_id).await?;
        let watch = scheduled.and_then(|scheduled| scheduled.watch);
        let watch = watch.filter(|watch| watch.mounting_id == mounting.id);
        let column = |name: &str| mounting.columns.iter().find(|c| c.column.name == name);
        let measured = watch.and_then(|watch| {
            let column = column(&watch.column)?;
            Some((Measure::of(column.column.column_type).ok()?, watch))
        });
        let Some((measure, watch)) = measured else {
            return Ok(Self {
                watched: None,
                from: None,
            });
        };
        let is_due = watch
            .compared_at
            .is_none_or(|at| reconcile::next(app, at) <= now);
        let from = watch.seen.filter(|_| !is_due && !is_asked_for);
        Ok(Self {
            from: from.map(|seen| measure.from(seen, watch.overlap)),
            watched: Some(Watched {
                column: watch.column,
                seen: watch.seen,
                highest: measure.highest_at(now),
            }),
        })
    }
}
