//! What the command says of itself: help, completions and the manual; and that it holds.

use std::fs;
use std::process::Command;

use crate::support::{Folder, Run, command, line, racelab};

/// All commands that are shown.
const COMMANDS: [&str; 13] = [
    "list",
    "show",
    "diff",
    "run",
    "explore",
    "merge",
    "replay",
    "verify",
    "bench",
    "test",
    "time",
    "completions",
    "man",
];

/// The long options in a help text.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().map(str::trim_start);
    let flags = lines.filter_map(|line| {
        let line = line.strip_prefix("-h, ").unwrap_or(line);
        let line = line.strip_prefix("-o, ").unwrap_or(line);
        let line = line.strip_prefix("-v, ").unwrap_or(line);
        let end = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
        line.starts_with("--")
            .then(|| line.split(end).next().unwrap().to_owned())
    });
    flags.collect()
}

#[test]
fn the_commands_are_all_there_are() {
    let help = line("racelab --help").exits(0).quiet().stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names: Vec<_> = listed
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names[..COMMANDS.len()], COMMANDS);
    assert_eq!(names[COMMANDS.len()..], ["help"]);
}

#[test]
fn short_help_fits_on_a_screen_and_long_help_has_every_option_exit_codes_and_examples() {
    let times = ["io", "cpu", "primes", "sleep", "pipe"].map(|work| format!("time {work}"));
    let commands = COMMANDS.map(str::to_owned).into_iter().chain(times);
    for command in commands {
        let short = line(&format!("racelab {command} -h")).exits(0).quiet();
        assert!(short.stdout.lines().count() <= 40, "{command}");
        let long = line(&format!("racelab {command} --help")).exits(0).quiet();
        for option in options(&short.stdout) {
            assert!(
                options(&long.stdout).contains(&option),
                "{command} {option}"
            );
        }
    }
    let long = line("racelab explore --help").stdout;
    for text in [
        "--checkpoint",
        "--shard",
        "Exit codes: 0 holds; 1 violated; 2 usage",
        "Examples:",
    ] {
        assert!(long.contains(text), "{text}");
    }
}

#[test]
fn the_examples_of_the_help_run() {
    let folder = Folder::new("examples");
    let help = line("racelab explore --help").stdout;
    let examples = help.lines().filter(|line| line.starts_with("    racelab "));
    let mut count = 0;
    for example in examples {
        count += 1;
        let arguments = example.split_whitespace().skip(1);
        let output = command()
            .args(arguments)
            .current_dir(folder.file(""))
            .output();
        let run = Run::of(&output.unwrap());
        assert!([0, 1].contains(&run.code), "{example}: {run:?}");
    }
    assert!(count >= 5);
}

#[test]
fn completions_know_every_command_and_bash_takes_them() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = racelab(["completions", shell]).exits(0).quiet().stdout;
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} {command}");
        }
        assert!(script.contains("preemptions"), "{shell}");
    }
    let folder = Folder::new("completions");
    let file = folder.file("racelab.bash");
    let written = racelab(["completions", "bash", "-o", file.to_str().unwrap()]);
    assert_eq!(written.exits(0).quiet().stdout, "");
    #[cfg(unix)]
    {
        let parsed = Command::new("bash").arg("-n").arg(&file).output().unwrap();
        assert!(parsed.status.success(), "{parsed:?}");
        // What bash itself would offer.
        let script = "source \"$1\"; COMP_WORDS=(racelab explo); COMP_CWORD=1; _racelab racelab \
                      explo racelab; echo \"${COMPREPLY[@]}\"";
        let offered = Command::new("bash")
            .args(["-c", script, "bash"])
            .arg(&file)
            .output();
        let offered = offered.unwrap().stdout;
        assert_eq!(String::from_utf8_lossy(&offered).trim(), "explore");
    }
    racelab(["completions", "tcsh"]).refused("possible values");
}

#[test]
fn the_manual_has_a_page_for_each_command_with_every_option() {
    let folder = Folder::new("man");
    let path = folder.file("");
    racelab(["man", path.to_str().unwrap()]).exits(0).quiet();
    for command in COMMANDS {
        let page = fs::read_to_string(folder.file(&format!("racelab-{command}.1"))).unwrap();
        let page = page.replace("\\-", "-");
        let help = line(&format!("racelab {command} --help")).stdout;
        for option in options(&help) {
            assert!(page.contains(&option), "{command} {option}");
        }
    }
    let names = folder.names();
    assert!(names.contains(&"racelab.1".to_owned()), "{names:?}");
    // What is hidden has no page.
    assert!(!names.contains(&"racelab-worker.1".to_owned()), "{names:?}");
    let made = folder.file("share/man");
    racelab(["man", made.to_str().unwrap()]).exits(0).quiet();
    assert!(made.join("racelab.1").exists());
    let file = folder.file("racelab.1/man");
    racelab(["man", file.to_str().unwrap()]).refused("cannot write to");
}

#[test]
fn a_command_offers_the_formats_that_it_has() {
    for (command, example, formats) in [
        ("list", "list", ["text", "json"].as_slice()),
        ("show", "show counter", &["text", "json"]),
        (
            "diff",
            "diff counter/mutex counter/fetch-add",
            &["text", "json"],
        ),
        ("run", "run counter/mutex", &["text", "json"]),
        ("explore", "explore counter/mutex", &["text", "json"]),
        (
            "replay",
            "replay counter 0*2.1.2*2.1.0*3",
            &["text", "json"],
        ),
        (
            "verify",
            "verify counter/mutex --engine dpor",
            &["text", "json"],
        ),
        (
            "time",
            "time sleep --items 1 --seconds 0",
            &["text", "json", "markdown"],
        ),
        ("completions", "completions bash", &["text"]),
    ] {
        let help = line(&format!("racelab {command} --help")).stdout;
        let offered = help.split_once("--format").map(|(_, rest)| rest);
        assert_eq!(offered.is_some(), formats.len() > 1, "{command}");
        for format in ["text", "json", "markdown"] {
            let run = line(&format!("racelab {example} --format {format}"));
            if formats.contains(&format) {
                assert!([0, 1].contains(&run.code), "{command} {format}: {run:?}");
            } else {
                let run = run.refused(&format!("invalid value '{format}'"));
                assert!(run.stderr.contains(&formats.join(", ")), "{run:?}");
            }
        }
    }
    line("racelab --format json completions bash").refused("--format is not for completions");
}

#[test]
fn the_value_of_another_option_is_taken_or_refused_with_one_message() {
    let folder = Folder::new("values");
    let values = [
        "",
        "x",
        "-1",
        "0",
        "1",
        "1.5",
        "10s",
        "20ms",
        "1/2",
        "2/1",
        "0/0",
        "violated",
        "json",
        "auto",
        "dpor",
        "threads",
        "0*2.1",
        "loom:1",
        "18446744073709551616",
        "1e9",
        "--all",
        "é",
    ];
    let help = line("racelab explore --help").stdout;
    let mut refused = 0;
    for option in options(&help) {
        if ["--help", "--all", "--detail", "--ascii", "--delays"].contains(&option.as_str()) {
            continue;
        }
        for value in values {
            let output = command()
                .args(["explore", "counter", &format!("{option}={value}")])
                .args((option != "--max-executions").then_some("--max-executions=3"))
                .current_dir(folder.file(""))
                .output();
            let run = Run::of(&output.unwrap());
            assert!(
                [0, 1, 2, 3].contains(&run.code),
                "{option}={value}: {run:?}"
            );
            if run.code == 2 {
                refused += 1;
                assert_eq!(run.stdout, "", "{option}={value}: {run:?}");
                let errors = run.stderr.matches("error: ").count();
                assert_eq!(errors, 1, "{option}={value}: {run:?}");
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// The options of a help text that take a value, each with what stands for it: `--jobs` and `N`.
fn options_with_values(help: &str) -> Vec<(String, String)> {
    let lines = help.lines().map(str::trim_start);
    let options = lines.filter_map(|line| {
        let line = line.strip_prefix("-o, ").unwrap_or(line);
        let (option, rest) = line.split_once(" <")?;
        let (value, _) = rest.split_once('>')?;
        option
            .starts_with("--")
            .then(|| (option.to_owned(), value.to_owned()))
    });
    options.collect()
}

#[test]
fn no_option_takes_the_value_of_another_and_the_message_names_it() {
    /// Values of options, by what stands for them in the help.
    const VALUES: [(&[&str], &str); 7] = [
        (&["N", "PORT"], "7"),
        (&["TIME"], "10s"),
        (&["K/N"], "1/2"),
        (&["ENGINE"], "dpor"),
        (&["VERDICT"], "holds"),
        (&["FORMAT"], "json"),
        (&["WHETHER"], "on"),
    ];
    /// What any text can be, or a name that is looked up.
    const ANY: [&str; 3] = ["FILE", "URL", "PROGRAM"];
    let times = ["io", "cpu", "primes", "sleep", "pipe"].map(|work| format!("time {work}"));
    let others = COMMANDS.iter().filter(|command| **command != "time");
    let commands = others.map(|command| (*command).to_owned()).chain(times);
    let mut tried = 0;
    for command in commands {
        let help = line(&format!("racelab {command} --help")).exits(0).stdout;
        for (option, kind) in options_with_values(&help) {
            if ANY.contains(&&*kind) {
                continue;
            }
            // A bare number is a time as well.
            let is_own =
                |kinds: &[&str]| kinds.contains(&&*kind) || kind == "TIME" && kinds.contains(&"N");
            let of_others = VALUES.iter().filter(|(kinds, _)| !is_own(kinds));
            for value in of_others.map(|(_, value)| *value).chain(["nothing"]) {
                let run = line(&format!("racelab {command} {option} {value}")).exits(2);
                let is_named = run.stderr.contains(&option) || run.stderr.contains(value);
                assert!(is_named, "{command} {option} {value}: {run:?}");
                assert_eq!(run.stdout, "", "{command} {option} {value}");
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
}

#[test]
fn the_ranges_in_the_help_are_those_that_are_taken() {
    let help = line("racelab explore --help").exits(0).quiet().stdout;
    let help: Vec<&str> = help.split_whitespace().collect();
    let help = help.join(" ");
    for (option, least, most) in [
        ("--jobs", 1, 1024),
        ("--max-steps", 1, 1_000_000),
        ("--preemptions", 0, 255),
        ("--oversubscribe", 1, 256),
    ] {
        let text = help.split(&format!(" {option} <N> ")).nth(1);
        let text = text.unwrap_or_else(|| panic!("{option} is not in the help"));
        let range = format!("{least} to {most}");
        assert!(
            text.chars().take(120).collect::<String>().contains(&range),
            "{option}: {text}"
        );
        // Only the value decides here: one that is taken goes on to an unknown exhibit.
        for (value, is_taken) in [(least, true), (most, true), (most + 1, false)] {
            let run = line(&format!("racelab explore no-such-exhibit {option} {value}")).exits(2);
            let is_refused = run.stderr.contains(option);
            assert_eq!(is_refused, !is_taken, "{option} {value}: {}", run.stderr);
        }
    }
}
