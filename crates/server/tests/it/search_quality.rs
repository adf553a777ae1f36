//! How well the catalogue is searched: the judged queries of `bench/search/`.

#[path = "../../benches/search/judged.rs"]
mod judged;

/// The part of the queries whose entry has to be among the first five.
const RECALL_MIN: f64 = 0.95;
/// Fewer judged queries say nothing.
const QUERIES_MIN: u32 = 100;

#[test]
fn what_officials_mean_is_among_the_first_five() {
    let judgement = judged::judge().unwrap();
    let (ours, plain) = (&judgement.ours, &judgement.plain);
    assert!(ours.queries >= QUERIES_MIN);
    assert!(ours.recall() >= RECALL_MIN, "{}", judgement.text());
    assert!(
        ours.recall() > plain.recall() && ours.reciprocal_rank() > plain.reciprocal_rank(),
        "a plain scan is as good:\n{}",
        judgement.text()
    );
}
