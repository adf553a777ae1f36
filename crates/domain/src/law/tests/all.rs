use super::*;
#[test]
fn all_load() {
    for entry in
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../regulations")).unwrap()
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            if let Err(faults) = Pack::load(&text, path.to_str().unwrap()) {
                panic!("{faults}");
            }
        }
    }
}
