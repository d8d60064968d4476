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
        let (_, sentence) = line.rsplit_once('\t').expect("it has fields");
        assert!(sentence.starts_with(expected), "{text}");
    }
    let fields = |line: &str| {
        line.split('\t')
            .take(11)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let fields: Vec<_> = lines.into_iter().map(fields).collect();
    let searched: Vec<_> = fields.iter().map(|fields| fields[9].as_str()).collect();
    assert_eq!(searched[0], "complete", "{text}");
    assert_eq!(searched[1], "stopped at the first failure", "{text}");
    assert_eq!(searched[2], "the bound of 1 execution", "{text}");
    assert_eq!(
        fields[0][..9],
        [
            "racelab/check/1",
            "lab",
            "check::child::holds",
            &fields[0][3],
            "dpor",
            "sc",
            "passed",
            "holds",
            "2"
        ]
    );
    assert!(
        fields[0][3].starts_with("tests/lab/check/child.rs:"),
        "{text}"
    );
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
