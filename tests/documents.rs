//! What the documents show is what the commands print.
#![cfg(not(loom))]

use std::fs;
use std::path::Path;
use std::process::Command;

use racelab::exhibits::{self, Exhibit, Kind};

/// A command in a document, and the output that stands below it.
struct Shown {
    command: String,
    output: String,
}

/// The commands in the `console` blocks of a document. Lines without output below them are only
/// instructions.
fn shown(document: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut in_console = false;
    for line in document.lines() {
        if let Some(language) = line.strip_prefix("```") {
            in_console = language == "console";
        } else if in_console {
            match (line.strip_prefix("$ "), shown.last_mut()) {
                (Some(command), _) => {
                    shown.push(Shown {
                        command: command.to_owned(),
                        output: String::new(),
                    });
                }
                (None, Some(last)) => last.output += &format!("{line}\n"),
                (None, None) => panic!("output without a command: {line}"),
            }
        }
    }
    shown
}

/// Runs a command of a document with the programs of this build.
fn run(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let (["racelab", arguments @ ..] | ["cargo", "run", "--release", "--", arguments @ ..]) =
        words.as_slice()
    else {
        panic!("a document shows the output of `{command}`, which this test cannot run");
    };
    let output = Command::new(env!("CARGO_BIN_EXE_racelab"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.stderr.is_empty(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn check(document: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(&path).unwrap();
    let with_output = shown(&text)
        .into_iter()
        .filter(|shown| !shown.output.is_empty());
    let checked = with_output.map(|Shown { command, output }| {
        assert_eq!(
            output.trim_end(),
            run(&command).trim_end(),
            "{document}: $ {command}"
        );
    });
    checked.count()
}

#[test]
fn the_readme_shows_what_the_command_prints() {
    assert_ne!(check("README.md"), 0, "no command was found");
}

/// What stands round the table of the gallery in the README.
const TABLE: (&str, &str) = (
    "<!-- The table of the gallery. UPDATE_EXPECT=1 cargo test --test documents writes it. -->\n",
    "<!-- The end of the table. -->\n",
);

/// The gallery as a table in Markdown.
fn gallery() -> String {
    let rows = |exhibit: &&Exhibit| {
        let rows = exhibit.variants.iter().map(|variant| {
            let (kind, bug) = match variant.kind {
                Kind::Unsafe { bug } => ("unsafe", bug),
                Kind::Undefined { bug } => ("unsafe, undefined behaviour", bug),
                Kind::Safe => ("safe", ""),
            };
            format!(
                "| {} | {} | {kind} | {bug} | {} |\n",
                variant.exhibit, variant.name, variant.about
            )
        });
        rows.collect::<String>()
    };
    let rows: String = exhibits::ALL.iter().map(rows).collect();
    format!("\n| exhibit | variant | kind | bug | how |\n|---|---|---|---|---|\n{rows}\n")
}

#[test]
fn the_readme_has_the_table_of_the_gallery() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(TABLE.0).expect("the table begins");
    let (table, after) = rest.split_once(TABLE.1).expect("the table ends");
    if table != gallery() && std::env::var_os("UPDATE_EXPECT").is_some() {
        let (begin, end) = TABLE;
        fs::write(path, format!("{before}{begin}{}{end}{after}", gallery())).unwrap();
        return;
    }
    assert_eq!(table, gallery(), "UPDATE_EXPECT=1 writes it anew");
}

#[test]
fn the_guide_shows_what_the_commands_print() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for entry in fs::read_dir(docs).unwrap() {
        let name = entry.unwrap().file_name();
        check(&format!("docs/{}", name.to_str().unwrap()));
    }
}
