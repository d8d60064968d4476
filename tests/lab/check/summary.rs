//! The file with a line of each check.

use super::*;

/// A file in the directory for temporary files of the tests, that is not there.
fn new_file(name: &str) -> std::path::PathBuf {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&file);
    file
}

#[test]
fn each_check_adds_a_line() {
    let file = new_file("summary.txt");
    let summary = ("RACELAB_SUMMARY", file.to_str().expect("it is UTF-8"));
    run("holds", &[summary]).passes();
    run("loses_an_update", &[summary]).fails();
    run("holds", &[summary, ("RACELAB_MAX_EXECUTIONS", "1")]).passes();
    run("is_all_of_std", &[summary]).fails();
    run("shares_a_mutex_of_std", &[summary]).passes();
    let text = std::fs::read_to_string(&file).expect("it was written");
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "check::child::holds holds in every interleaving: 2 traces",
        "check::child::loses_an_update fails: assertion `left == right` failed: left 1, right 2",
        "check::child::holds is inconclusive after 1 execution: the bound of 1 execution",
        "check::child::is_all_of_std fails: the body used nothing of racelab",
        "check::child::shares_a_mutex_of_std holds in every interleaving: 1 trace, but its threads",
    ];
    assert_eq!(lines.len(), expected.len(), "{text}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_one_clear_error() {
    let file = new_file("no-folder/summary.txt");
    let summary = ("RACELAB_SUMMARY", file.to_str().expect("it is UTF-8"));
    run("holds", &[summary])
        .fails()
        .says("\nracelab: RACELAB_SUMMARY=")
        .says("this file cannot be written: ");
}
