//! Tells whether there is a network, what the compiler's std has, and whether the code is optimised.
//!
//! The flag `--cfg loom` reaches every dependency, and tokio has no network under it, so that what
//! needs one is left out. A build script has to say so: `RUSTFLAGS` reach the compiler, but not
//! rustdoc, which would look for what is not there.

use std::env::var_os;
use std::process::Command;

/// What the façade has if std has it, and the minor version since which that is so.
const SINCE: [(&str, u32); 3] = [
    ("atomic_ptr_arithmetic", 91),
    ("rwlock_downgrade", 92),
    ("cold_path", 95),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(network)");
    if var_os("CARGO_CFG_LOOM").is_none() {
        println!("cargo::rustc-cfg=network");
    }
    println!("cargo::rustc-check-cfg=cfg(unoptimised)");
    if var_os("OPT_LEVEL").is_some_and(|level| level == "0") {
        println!("cargo::rustc-cfg=unoptimised");
    }
    // A compiler that does not tell is taken for a new one.
    let minor = minor_version().unwrap_or(u32::MAX);
    for (name, since) in SINCE {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if minor >= since {
            println!("cargo::rustc-cfg={name}");
        }
    }
}

/// The 95 of `rustc 1.95.0 (59807616e 2026-04-14)`.
fn minor_version() -> Option<u32> {
    let output = Command::new(var_os("RUSTC")?).arg("--version").output();
    let output = String::from_utf8(output.ok()?.stdout).ok()?;
    output.split('.').nth(1)?.parse().ok()
}
