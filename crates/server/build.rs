//! A portal built anew must be embedded anew.
fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
}
