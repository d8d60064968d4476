//! The sections of a benchmark, all of them or those that are named.

/// Runs the sections whose names the command line gives, as `cargo bench --bench time -- io` does, or
/// all if it gives none.
pub(crate) fn run(sections: &[(&str, fn())]) {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let named: Vec<&str> = named
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with('-'))
        .collect();
    for (name, section) in sections {
        if named.is_empty() || named.contains(name) {
            section();
        }
    }
}
