//! Tells whether there is a network.
//!
//! The flag `--cfg loom` reaches every dependency, and tokio has no network under it, so that what
//! needs one is left out. A build script has to say so: `RUSTFLAGS` reach the compiler, but not
//! rustdoc, which would look for what is not there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(network)");
    if std::env::var_os("CARGO_CFG_LOOM").is_none() {
        println!("cargo::rustc-cfg=network");
    }
}
