//! Each lesson has a command, and each command runs.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Folder, command, line, parsed, words};

/// What makes a command small: the option that is added unless it is there, or with which the one
/// that is there is replaced.
const SMALL: &[(&str, &[(&str, &str)])] = &[
    (
        "racelab time io",
        &[("--runs", "1"), ("--latency", "1ms"), ("--items", "5")],
    ),
    (
        "racelab time sleep",
        &[("--runs", "1"), ("--seconds", "1ms")],
    ),
    (
        "racelab time cpu",
        &[("--runs", "1"), ("--numbers", "1000")],
    ),
    (
        "racelab time primes",
        &[("--runs", "1"), ("--below", "3000")],
    ),
    (
        "racelab time pipe",
        &[("--runs", "1"), ("--messages", "100")],
    ),
    (
        "racelab time busy",
        &[("--runs", "1"), ("--seconds", "10ms")],
    ),
    ("racelab run event-loop", &[("--seconds", "10ms")]),
];

/// The words of a command, at a reduced size.
fn small(command: &str, folder: &Folder) -> Vec<String> {
    let mut words: Vec<String> = words(command).map(str::to_owned).collect();
    let mut known = SMALL.iter().filter(|(start, _)| command.starts_with(start));
    for (option, value) in known.next().map_or(&[][..], |(_, options)| options) {
        match words.iter().position(|word| word == option) {
            Some(place) => (*value).clone_into(&mut words[place + 1]),
            None => words.extend([*option, *value].map(str::to_owned)),
        }
    }
    for word in &mut words {
        if word == "io.html" {
            *word = folder.file(word).display().to_string();
        }
    }
    words
}

fn lessons() -> Vec<Value> {
    let listed = parsed(
        &line("racelab list --lessons --format json")
            .exits(0)
            .quiet(),
    );
    listed.as_array().expect("it is a list").clone()
}

/// Races of the real machine end as they like: with a violation, or with none.
#[test]
fn each_command_of_a_lesson_runs() {
    let folder = Folder::new("lessons");
    for lesson in lessons() {
        let full = lesson["command"].as_str().expect("it has a command");
        let output = command()
            .args(small(full, &folder))
            .stdin(Stdio::null())
            .output()
            .expect("the binary can be run");
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 1)) && !output.stdout.is_empty(),
            "{full}: {code:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn the_list_has_a_lesson_a_command_and_what_it_shows() {
    let text = line("racelab list --lessons").exits(0).quiet().stdout;
    let lessons = lessons();
    assert_eq!(text.matches("\n  $ racelab ").count(), lessons.len());
    for lesson in lessons {
        for key in ["lesson", "command", "shows"] {
            assert!(
                lesson[key].as_str().is_some_and(|text| !text.is_empty()),
                "{lesson}"
            );
        }
    }
}
