//! What the documents show is what the commands print.

use std::fs;
use std::path::Path;
use std::process::Command;

use racelab::exhibits::{self, Exhibit, Kind};
use racelab::{Engine, MemoryModel};

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
    "<!-- The table of the gallery. UPDATE_EXPECT=1 cargo test --test command documents writes it. -->\n",
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
fn the_guide_shows_what_the_commands_print_and_names_no_flag_that_they_do_not_have() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut commands = 0;
    for entry in fs::read_dir(docs).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        check(&format!("docs/{name}"));
        for Shown { command, .. } in shown(&fs::read_to_string(&path).unwrap()) {
            if command.starts_with("racelab ") {
                // Some take minutes. With this flag the others are read only.
                run(&format!("{command} --help"));
                commands += 1;
            }
        }
    }
    assert_ne!(commands, 0, "no command was found");
}

/// What stands round the table of the corpus in its page.
const BENCH: (&str, &str) = (
    "<!-- The table of the corpus. The command above writes it. -->\n",
    "<!-- The end of the table. -->\n",
);

/// The cells of a line of a table in Markdown.
fn cells(line: &str) -> Vec<&str> {
    let line = line
        .strip_prefix('|')
        .and_then(|line| line.strip_suffix('|'));
    let cells = line.expect("it is a line of a table").split('|');
    cells.map(str::trim).collect()
}

#[test]
fn the_page_of_the_corpus_has_a_row_for_each_program_and_a_column_for_each_engine() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/corpus.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(BENCH.0).expect("the table begins");
    let (table, _) = rest.split_once(BENCH.1).expect("the table ends");
    let lines: Vec<Vec<&str>> = table
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect();

    let mut columns = vec!["program".to_owned()];
    for engine in Engine::ALL {
        if engine.memory_model() != MemoryModel::Sc || *engine == Engine::Dfs {
            continue;
        }
        columns.push(engine.to_string());
        if engine.is_exhaustive() {
            columns.push(format!("{engine}, to exhaust"));
        }
    }
    assert_eq!(lines[0], columns, "the command in the page writes it anew");

    let programs = exhibits::CORPUS.iter().flat_map(|exhibit| exhibit.variants);
    let programs: Vec<String> = programs.map(ToString::to_string).collect();
    let rows: Vec<&str> = lines[2..].iter().map(|line| line[0]).collect();
    assert_eq!(rows, programs);
    for line in &lines[1..] {
        assert_eq!(line.len(), columns.len(), "{line:?}");
        assert!(line.iter().all(|cell| !cell.is_empty()), "{line:?}");
    }
}

#[test]
fn the_page_of_the_corpus_says_of_each_program_what_its_bug_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/corpus.md");
    let text = fs::read_to_string(path).unwrap();
    for program in exhibits::corpus::EXHIBIT.variants {
        let bug = program.kind.bug().expect("it is unsafe");
        let mut lines = text.lines().filter(|line| line.starts_with('|')).map(cells);
        let row = lines.find(|line| line[0].split(',').next() == Some(program.name));
        let row = row.unwrap_or_else(|| panic!("{program} is not in the page"));
        assert_eq!(row[1], bug, "{program}");
    }
}
