//! `racelab diff`.

use std::fs;

use crate::support::{Folder, keys, line, parsed};

/// What a unified diff makes of the old text.
fn patched(old: &str, diff: &str) -> String {
    let mut old = old.lines();
    let mut at = 0;
    let mut new: Vec<String> = Vec::new();
    for line in diff.lines().skip(2) {
        if let Some(hunk) = line.strip_prefix("@@ -") {
            let digits = hunk.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            let start: usize = digits.parse().unwrap();
            while at + 1 < start {
                new.push(old.next().unwrap().to_owned());
                at += 1;
            }
            continue;
        }
        let (sign, text) = line.split_at(1);
        if sign != "+" {
            assert_eq!(old.next(), Some(text), "the diff is of another text");
            at += 1;
        }
        if sign != "-" {
            new.push(text.to_owned());
        }
    }
    new.extend(old.map(str::to_owned));
    new.join("\n") + "\n"
}

#[test]
fn it_turns_one_source_into_the_other() {
    let all = parsed(&line("racelab list --format json"));
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    for to in names {
        let exhibit = to.split('/').next().unwrap();
        let shown = |name: &str| parsed(&line(&format!("racelab show {name} --format json")));
        let (old, new) = (shown(exhibit), shown(to));
        let run = line(&format!("racelab diff {exhibit} {to}"))
            .exits(0)
            .quiet();
        if old["name"] == new["name"] {
            assert_eq!(run.stdout, "");
            continue;
        }
        let head = format!(
            "--- {}\n+++ {}\n@@ -",
            old["file"].as_str().unwrap(),
            new["file"].as_str().unwrap()
        );
        assert!(run.stdout.starts_with(&head), "{run:?}");
        let patched = patched(old["source"].as_str().unwrap(), &run.stdout);
        assert_eq!(patched, new["source"].as_str().unwrap());
    }
}

#[test]
fn a_variant_and_itself_differ_in_nothing() {
    for names in ["counter/mutex counter/mutex", "counter counter/load-store"] {
        let run = line(&format!("racelab diff {names}")).exits(0).quiet();
        assert_eq!(run.stdout, "");
        let json = parsed(&line(&format!("racelab diff {names} --format json")).exits(0));
        assert_eq!(json["diff"], "");
    }
}

#[test]
fn the_json_holds_the_text() {
    let command = "racelab diff counter/load-store counter/mutex";
    let run = line(&format!("{command} --format json --color always")).exits(0);
    assert_eq!(
        keys(&run.stdout),
        ["from", "to", "from_file", "to_file", "diff"]
    );
    let json = parsed(&run.quiet());
    assert_eq!(json["from"], "counter/load-store");
    assert_eq!(json["to"], "counter/mutex");
    assert_eq!(json["from_file"], "src/exhibits/counter/load_store.rs");
    assert_eq!(json["to_file"], "src/exhibits/counter/mutex.rs");
    assert_eq!(json["diff"], line(command).stdout);
}

#[test]
fn colours_come_when_they_are_asked_for_and_change_nothing_else() {
    let command = "racelab diff counter/load-store counter/mutex";
    let plain = line(command).stdout;
    assert!(!plain.contains('\u{1b}'));
    let colored = line(&format!("{command} --color always")).stdout;
    let colors = colored.lines().filter(|line| line.starts_with("\u{1b}[3"));
    let changes = plain
        .lines()
        .skip(2)
        .filter(|line| line.starts_with(['+', '-', '@']));
    assert_eq!(colors.count(), changes.count());
    let mut stripped = colored;
    for code in [
        "\u{1b}[1m",
        "\u{1b}[31m",
        "\u{1b}[32m",
        "\u{1b}[36m",
        "\u{1b}[0m",
    ] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn variants_of_two_exhibits_are_refused() {
    line("racelab diff counter/mutex shared-list/mutex").refused("of two exhibits");
    line("racelab diff counter shared-list --format json").refused("of two exhibits");
}

#[test]
fn bad_names_are_refused() {
    line("racelab diff cuonter counter").refused("did you mean `counter`?");
    line("racelab diff counter counter/mutx").refused("did you mean `mutex`?");
    line("racelab diff counter").refused("<TO>");
    line("racelab diff").refused("<FROM>");
    line("racelab diff counter counter counter").refused("counter");
}

#[test]
fn it_can_be_written_to_a_file() {
    let folder = Folder::new("diff_to_a_file");
    let file = folder.file("out.diff");
    let command = "racelab diff counter/load-store counter/mutex";
    let run = line(&format!("{command} -o {}", file.display()));
    assert_eq!(run.exits(0).quiet().stdout, "");
    assert_eq!(fs::read_to_string(file).unwrap(), line(command).stdout);
    line(&format!("{command} -o /dev/null/x")).refused("/dev/null/x");
}
