use super::*;

#[test]
fn loads() {
    let _ =
        Pack::load(PINGDINGSHAN_2020, "pingdingshan-2020.toml").unwrap_or_else(|f| panic!("{f}"));
}
