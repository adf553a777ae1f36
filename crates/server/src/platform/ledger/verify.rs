//! Checking a ledger on any machine, with nothing but its folder.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;
use tongqu_domain::ledger::{Frontier, InclusionProof, Line, Tree};

use super::{
    LedgerError, SignedHead,
    files::{for_each_line, heads_path, segment_path, segments},
    keys::{is_signed, public_key},
};

/// The most faults that are listed; more would say nothing new.
const FAULTS_MAX: usize = 100;

/// Something that isn't as it was written.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// `record 17` or `head 3`, counted from 0.
    pub place: String,
    /// The file.
    pub file: String,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// The verdict on a ledger.
#[derive(Debug, Serialize)]
pub struct Report {
    pub records: u64,
    pub heads: u64,
    /// Records behind the last head: written, but not yet signed for.
    pub unsigned_records: u64,
    /// Root over all records; absent if a record can't be read.
    pub root: Option<String>,
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks every record against its hash, every head against the records and its signature.
///
/// `trusted_key` is the id of the key that the heads must be signed with, known from elsewhere; without
/// it any key in the folder is taken, which shows accidents and single changes but not a forger who
/// replaced everything.
pub fn verify(dir: &Path, trusted_key: Option<&str>) -> Result<Report, LedgerError> {
    let mut faults = Vec::new();
    let heads = read_heads(dir, trusted_key, &mut faults)?;
    let mut by_size: BTreeMap<u64, Vec<(usize, &SignedHead)>> = BTreeMap::new();
    for (n, head) in &heads {
        by_size.entry(head.head.size).or_default().push((*n, head));
    }
    let mut frontier = Frontier::new();
    let mut index = 0_u64;
    let mut readable = true;
    for number in segments(dir)? {
        let path = segment_path(dir, number);
        let file = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        for_each_line::<LedgerError>(&path, |_, bytes| {
            match Line::parse(bytes) {
                Ok(line) => frontier.push(line.leaf()),
                Err(fault) => {
                    readable = false;
                    note(
                        &mut faults,
                        Fault {
                            place: format!("record {index}"),
                            file: file.clone(),
                            code: fault.code(),
                            message: fault.to_string(),
                        },
                    );
                }
            }
            index += 1;
            if readable {
                for (n, head) in by_size.get(&index).into_iter().flatten() {
                    if frontier.root() != head.head.root {
                        note(
                            &mut faults,
                            head_fault(
                                *n,
                                "ledger.root_differs",
                                format!(
                                    "the records up to {index} don't give the root that was signed"
                                ),
                            ),
                        );
                    }
                }
            }
            Ok(())
        })?;
    }
    let signed = by_size.keys().next_back().copied().unwrap_or(0);
    if signed > index {
        for (n, _) in by_size.range(index + 1..).flat_map(|(_, heads)| heads) {
            note(
                &mut faults,
                head_fault(
                    *n,
                    "ledger.records_missing",
                    format!("{signed} records were signed for, {index} are there"),
                ),
            );
        }
    }
    Ok(Report {
        records: index,
        heads: u64::try_from(heads.len()).unwrap_or(0),
        unsigned_records: index.saturating_sub(signed),
        root: readable.then(|| frontier.root().to_string()),
        faults,
    })
}

fn note(faults: &mut Vec<Fault>, fault: Fault) {
    if faults.len() < FAULTS_MAX {
        faults.push(fault);
    }
}

fn head_fault(n: usize, code: &'static str, message: String) -> Fault {
    Fault {
        place: format!("head {n}"),
        file: "heads.log".to_owned(),
        code,
        message,
    }
}

fn read_heads(
    dir: &Path,
    trusted_key: Option<&str>,
    faults: &mut Vec<Fault>,
) -> Result<Vec<(usize, SignedHead)>, LedgerError> {
    let path = heads_path(dir);
    let mut heads: Vec<(usize, SignedHead)> = Vec::new();
    if !path.exists() {
        return Ok(heads);
    }
    let mut n = 0;
    for_each_line::<LedgerError>(&path, |_, bytes| {
        match serde_json::from_slice::<SignedHead>(bytes) {
            Ok(head) => {
                if let Some(fault) = signature_fault(dir, trusted_key, n, &head) {
                    note(faults, fault);
                }
                if heads
                    .last()
                    .is_some_and(|(_, earlier)| earlier.head.size > head.head.size)
                {
                    note(
                        faults,
                        head_fault(
                            n,
                            "ledger.head_order",
                            "a later head covers fewer records".to_owned(),
                        ),
                    );
                }
                heads.push((n, head));
            }
            Err(_) => note(
                faults,
                head_fault(
                    n,
                    "ledger.head_unreadable",
                    "the head can't be read".to_owned(),
                ),
            ),
        }
        n += 1;
        Ok(())
    })?;
    Ok(heads)
}

fn signature_fault(
    dir: &Path,
    trusted_key: Option<&str>,
    n: usize,
    head: &SignedHead,
) -> Option<Fault> {
    let id = &head.head.key_id;
    if trusted_key.is_some_and(|trusted| trusted != id) {
        return Some(head_fault(
            n,
            "ledger.key_untrusted",
            format!("signed with key {id}, which isn't the trusted one"),
        ));
    }
    let Some(key) = public_key(dir, id) else {
        return Some(head_fault(
            n,
            "ledger.key_missing",
            format!("the public key {id} isn't in the folder"),
        ));
    };
    (!is_signed(&key, &head.head.signed_bytes(), &head.signature)).then(|| {
        head_fault(
            n,
            "ledger.signature_wrong",
            "the signature isn't of this head".to_owned(),
        )
    })
}

/// The record at `index` and the proof that it is among all records written so far.
///
/// Errors: [`LedgerError::Missing`], [`LedgerError::Broken`].
pub fn prove(dir: &Path, index: u64) -> Result<(String, InclusionProof, String), LedgerError> {
    let mut tree = Tree::new();
    let mut wanted = None;
    for number in segments(dir)? {
        for_each_line::<LedgerError>(&segment_path(dir, number), |_, bytes| {
            let line = Line::parse(bytes).map_err(|fault| LedgerError::Broken {
                index: tree.len(),
                fault,
            })?;
            if tree.len() == index {
                wanted = Some(line.json().to_owned());
            }
            tree.push(line.leaf());
            Ok(())
        })?;
    }
    let record = wanted.ok_or(LedgerError::Missing(index))?;
    let size = tree.len();
    let proof = tree
        .inclusion_proof(index, size)
        .map_err(|_| LedgerError::Missing(index))?;
    let root = tree.root(size).map_err(|_| LedgerError::Missing(index))?;
    Ok((record, proof, root.to_string()))
}
