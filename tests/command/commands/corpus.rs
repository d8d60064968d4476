//! The programs of the corpus, by the commands that know the gallery.

use crate::support::{line, parsed};

/// The names of the programs.
fn programs() -> Vec<String> {
    let listed = parsed(&line("racelab list --corpus --format json").exits(0));
    let names = listed.as_array().expect("it is an array").iter();
    names
        .map(|entry| entry["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn list_shows_the_corpus_only_if_it_is_asked_for() {
    let text = line("racelab list --corpus").exits(0).quiet();
    for program in programs() {
        let name = program.strip_prefix("corpus/").expect("it is one of it");
        assert!(text.stdout.contains(&format!("\n  {name} ")), "{name}");
    }
    assert!(!text.stdout.contains("counter"), "{text:?}");
    for gallery in ["racelab list", "racelab list --format json"] {
        assert!(!line(gallery).exits(0).stdout.contains("corpus"));
    }
}

#[test]
fn the_corpus_alone_is_its_first_program() {
    let first = &programs()[0];
    for command in ["show", "explore"] {
        let run = line(&format!("racelab {command} corpus")).quiet();
        assert!(run.stdout.starts_with(&format!("{first}   ")), "{run:?}");
    }
}

#[test]
fn a_program_can_be_shown_explored_replayed_and_run() {
    let program = "corpus/twostage";
    let shown = line(&format!("racelab show {program}")).exits(0).quiet();
    assert!(shown.stdout.contains("atomicity violation"), "{shown:?}");
    let explored = line(&format!("racelab explore {program}")).exits(1).quiet();
    let replay = explored.fact("replay");
    line(replay).exits(1).quiet();
    // On real threads it is a matter of luck.
    let run = line(&format!("racelab run {program}")).quiet();
    assert!([0, 1].contains(&run.code), "{run:?}");
}

#[test]
fn a_size_that_a_program_does_not_have_is_refused() {
    line("racelab explore corpus/account --threads 4").refused("has one size, with --threads 3");
    line("racelab explore corpus/account --ops 2").refused("has one size, with --ops 1");
    line("racelab explore corpus/account --threads 3 --ops 1").exits(1);
    line("racelab explore corpus/dining_philosophers --threads 1").refused("2 to 64 philosophers");
    let dinner = line("racelab explore corpus/dining_philosophers --threads 2").exits(1);
    assert!(
        dinner.fact("replay").ends_with(" --threads 2"),
        "{dinner:?}"
    );
}

#[test]
fn verify_has_the_corpus_only_if_it_is_named() {
    let whole = line("racelab verify --time-limit 0 --engine random --format json");
    assert!(!whole.stdout.contains("corpus/"), "{whole:?}");
    let named = "racelab verify corpus/account --engine dpor --format json";
    let rows = parsed(&line(named).exits(0).quiet());
    assert_eq!(rows[0]["exhibit"], "corpus/account");
    assert_eq!(rows[0]["verdict"], "violated");
}

#[test]
fn an_unknown_program_is_answered_with_the_nearest() {
    line("racelab explore corpus/acount").refused("did you mean `account`?");
    line("racelab explore corpus/acount").refused("`racelab list --corpus` shows them all");
}
