//! The figures, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::peers::Peer;

/// Seconds of each run, by what was done.
pub struct Measured {
    pub rows: u64,
    pub raw: Vec<f64>,
    pub last_hop: Vec<f64>,
    pub collection: Vec<f64>,
    pub delivery: Vec<f64>,
    pub difference: Vec<f64>,
    pub watermark: Vec<f64>,
    /// The most memory that the program had, in MB, beyond what it had before.
    pub hub_rss_mb: f64,
    pub peers: Vec<Peer>,
}

/// What is to be reached, as shares of the raw pipe.
const LAST_HOP_MAX: f64 = 1.0;
const WHOLE_ROAD_MAX: f64 = 2.0;
const DIFFERENCE_MAX: f64 = 0.6;
/// In seconds.
const WATERMARK_MAX: f64 = 0.3;

impl Measured {
    fn whole_road(&self) -> Vec<f64> {
        let runs = self.collection.iter().zip(&self.delivery);
        runs.map(|(collection, delivery)| collection + delivery)
            .collect()
    }

    fn ratio(&self, seconds: &[f64]) -> f64 {
        median(seconds) / median(&self.raw)
    }

    fn peers_that_ran(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter().filter(|peer| !peer.seconds.is_empty())
    }

    pub fn json(&self) -> Map<String, Value> {
        let rounded = |x: f64| (x * 1000.0).round() / 1000.0;
        let peers: Map<String, Value> = self
            .peers_that_ran()
            .map(|peer| {
                (
                    peer.name.to_owned(),
                    json!(rounded(self.ratio(&peer.seconds))),
                )
            })
            .collect();
        let figures = json!({
            "rows": self.rows,
            "raw_s": rounded(median(&self.raw)),
            "last_hop_ratio": rounded(self.ratio(&self.last_hop)),
            "whole_road_ratio": rounded(self.ratio(&self.whole_road())),
            "difference_ratio": rounded(self.ratio(&self.difference)),
            "watermark_s": rounded(median(&self.watermark)),
            "hub_rss_mb": self.hub_rss_mb.round(),
            "peers": peers,
        });
        figures.as_object().cloned().unwrap_or_default()
    }

    pub fn text(&self) -> String {
        let mut out = format!(
            "{} rows x 12 columns, PostgreSQL to PostgreSQL; seconds, median of {} interleaved runs\n",
            self.rows,
            self.raw.len()
        );
        let mut line = |what: &str, seconds: &[f64], most: Option<f64>| {
            let (s, ratio) = (median(seconds), self.ratio(seconds));
            let _ = write!(out, "{what:44} {s:8.2} {ratio:7.2} x");
            if let Some(most) = most {
                let verdict = if ratio <= most { "reached" } else { "missed" };
                let _ = write!(out, "  <= {most:.2} x {verdict}");
            }
            out.push('\n');
        };
        line("raw pipe: psql COPY TO | psql COPY FROM", &self.raw, None);
        line(
            "last hop: pool to requester",
            &self.last_hop,
            Some(LAST_HOP_MAX),
        );
        line("collection: read, check, pool", &self.collection, None);
        line(
            "delivery: mask, apply, read back, receipt",
            &self.delivery,
            None,
        );
        line("whole road", &self.whole_road(), Some(WHOLE_ROAD_MAX));
        line(
            "snapshot difference, 2,000 changes",
            &self.difference,
            Some(DIFFERENCE_MAX),
        );
        for peer in self.peers_that_ran() {
            line(
                &format!("last hop by {}, into a table with its key", peer.name),
                &peer.seconds,
                None,
            );
        }
        let watermark = median(&self.watermark);
        let verdict = if watermark <= WATERMARK_MAX {
            "reached"
        } else {
            "missed"
        };
        let _ = writeln!(
            out,
            "{:44} {watermark:8.2}            <= {WATERMARK_MAX:.2} s {verdict}",
            "watched column, 1,500 changes"
        );
        let _ = writeln!(out, "memory of the program: {:.0} MB", self.hub_rss_mb);
        out
    }
}

pub fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}
