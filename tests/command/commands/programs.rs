//! `racelab run`, of programs that read and print.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

#[cfg(target_os = "linux")]
use crate::support::interrupt;
use crate::support::{Folder, Run, command, line, parsed, words};

/// Runs a command with this input.
fn with_input(line: &str, input: &[u8]) -> Run {
    let mut child = command()
        .args(words(line))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The command may print before it has read everything, or end before that.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let run = Run::of(&child.wait_with_output().unwrap());
    writer.join().unwrap();
    run
}

/// The same with a variant of `CONSUMERS`. One with undefined behaviour can go wrong on real threads, and is
/// run again then: 20 times in a row it does not.
fn consumed(line: &str, input: &[u8]) -> Run {
    let mut runs = (0..20).map(|_| with_input(line, input));
    let is_wrong = |run: &Run| line.contains("unsafe") && !matches!(run.code, 0 | 2);
    let right = runs.find(|run| !is_wrong(run));
    right.unwrap_or_else(|| panic!("{line}: never comes out right"))
}

/// Variants whose programs read and print, the last one in a child process.
const CONSUMERS: [&str; 3] = ["condvar", "mpsc", "unsafe-deque"];

#[test]
fn the_json_holds_what_the_program_prints() {
    for variant in CONSUMERS {
        let command = format!("racelab run queue-consumer/{variant} --format json");
        let json = parsed(&consumed(&command, b"a\nb\n").exits(0).quiet());
        assert_eq!(json["output"], "From queue a\nFrom queue b\n");
        assert_eq!(json["outcome"], r#"["a", "b"]"#);
    }
}

#[test]
fn a_file_gets_the_result_and_stdout_what_the_program_prints() {
    let folder = Folder::new("programs_to_a_file");
    for variant in CONSUMERS {
        let file = folder.file(variant);
        let command = format!("racelab run queue-consumer/{variant} -o {}", file.display());
        let run = consumed(&command, b"a\n").exits(0).quiet();
        assert_eq!(run.stdout, "From queue a\n");
        let result = fs::read_to_string(file).unwrap();
        assert!(result.starts_with("outcome  [\"a\"]\n"), "{result}");
    }
}

#[test]
fn a_hang_is_ended_by_the_time_limit() {
    // Two consumers, and one message that says stop: always a deadlock.
    let command = "racelab run queue-consumer/one-sentinel --time-limit 1";
    let run = with_input(command, b"a\n").exits(3).quiet();
    assert!(
        run.stdout
            .starts_with("From queue a\n\nendless  did not end within 1s: a deadlock"),
        "{run:?}"
    );
}

#[test]
fn a_program_that_always_fails_exits_with_1() {
    let run = line("racelab run shared-list/private-copies")
        .exits(1)
        .quiet();
    assert!(
        run.stdout.starts_with("outcome  []\nfailed   assertion "),
        "{run:?}"
    );
}

/// The lines of a program that prints them in some order, sorted.
fn sorted_lines(run: &Run) -> Vec<&str> {
    let (printed, _) = run.stdout.split_once("\n\n").expect("an empty line");
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_safe_session_downloads_each_page_as_it_is() {
    let size = |page: usize| if page % 2 == 1 { 10_490 } else { 278 };
    let lines = (1..=160).map(|page| format!("Read {} from /{page}", size(page)));
    let mut expected: Vec<String> = lines.collect();
    expected.sort_unstable();
    for variant in ["mutex", "thread-local", "pool", "event-loop"] {
        let run = line(&format!("racelab run session/{variant}"))
            .exits(0)
            .quiet();
        assert_eq!(sorted_lines(&run), expected, "{variant}");
    }
}

#[test]
fn a_session_that_threads_share_downloads_as_many_pages() {
    for variant in ["shared", "lock-per-call"] {
        let run = line(&format!("racelab run session/{variant}")).quiet();
        // Whether the threads come into each other's way is left to the machine.
        match run.code {
            0 => assert!(!run.stdout.contains("\nfailed "), "{run:?}"),
            _ => assert!(
                run.code == 1 && run.stdout.contains("failed   asked for page "),
                "{run:?}"
            ),
        }
        assert_eq!(sorted_lines(&run).len(), 160, "{variant}");
    }
}

#[test]
fn a_responsive_loop_answers_all_keys_and_shows_the_sum() {
    for variant in ["gives-back", "worker"] {
        let command = format!("racelab run event-loop/{variant} --seconds 0.1");
        let run = with_input(&command, b"a\nb\n").exits(0).quiet();
        let lines = sorted_lines(&run);
        let answered = ["Key a, answered after ", "Key b, answered after "];
        assert!(lines[0].starts_with(answered[0]), "{run:?}");
        assert!(lines[1].starts_with(answered[1]), "{run:?}");
        assert_eq!(lines[2..], ["Sum 6666656666670000000"], "{variant}");
    }
}

/// How long each key waited for its answer while a sum was computed for half a second.
fn waits(variant: &str) -> Vec<f64> {
    let command = format!("racelab run event-loop/{variant} --seconds 0.5 --format json");
    let json = parsed(&with_input(&command, b"a\nb\n").quiet());
    let answers = json["answers"].as_array().expect("it has answers");
    let keys: Vec<_> = answers.iter().map(|answer| &answer["key"]).collect();
    assert_eq!(keys, ["a", "b"]);
    let seconds = answers.iter().map(|answer| answer["seconds"].as_f64());
    seconds.map(|seconds| seconds.expect("a number")).collect()
}

#[test]
fn a_key_waits_for_the_whole_sum_where_the_loop_computes_it() {
    // Whatever else the machine does, one of ten runs shows it: the keys are there from the start.
    let is_blocked = || waits("computes-in-loop").iter().all(|wait| *wait > 0.2);
    let is_responsive = || waits("worker").iter().all(|wait| *wait < 0.2);
    assert!((0..10).any(|_| is_blocked()));
    assert!((0..10).any(|_| is_responsive()));
}

#[test]
fn each_turn_of_a_loop_shows_who_is_ready_and_who_waits() {
    let run = with_input(
        "racelab run event-loop/worker --verbose --seconds 0",
        b"a\n",
    );
    let run = run.exits(0).quiet();
    let turns: Vec<_> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("turn "))
        .collect();
    assert_eq!(turns[0], "turn 1: keys   ready []   waiting []");
    // With one task, as long as events come.
    assert!(turns.len() > 1, "{run:?}");

    let computes = "racelab run event-loop/computes-in-loop -v --seconds 0";
    let run = with_input(computes, b"a\n").quiet();
    let first =
        "turn 1: keys   ready [sum]   waiting []\nturn 2: sum   ready []   waiting [keys]\n";
    assert!(run.stdout.starts_with(first), "{run:?}");
}

#[test]
fn printers_that_wait_for_each_other_take_longer_than_those_that_wait_at_once() {
    let command = "racelab run print-lock/one-after-another --seconds 0.05";
    let run = line(command).exits(0).quiet();
    let time = run
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("time     "));
    let time = time.expect("it says the times");
    assert!(
        time.contains(" s one after another, ") && time.ends_with(" s at once"),
        "{time}"
    );
    let json = parsed(&line(&format!("{command} --format json")).exits(0).quiet());
    let parts = json["parts"].as_array().expect("it has parts");
    let seconds = |part: usize| parts[part]["seconds"].as_f64().expect("a number");
    assert!(seconds(0) >= 0.25, "{json}");
    assert!(seconds(1) >= 0.05, "{json}");
    for variant in [
        "text-then-newline",
        "lock-per-line",
        "one-write",
        "printer-thread",
    ] {
        let run = line(&format!("racelab run print-lock/{variant} --seconds 0.01")).quiet();
        assert!(run.stdout.contains("\ntime     0."), "{run:?}");
    }
}

mod a_word_that_says_stop {
    use super::*;

    #[test]
    fn loses_what_is_behind_it() {
        let run = with_input("racelab run queue-consumer/in-band-stop", b"a\nstop\nb\n");
        let run = run.exits(1).quiet();
        let expected = "From queue a\n\noutcome  [\"a\"]\nfailed   not each item was consumed once: \
                        consumed [\"a\"], given [\"a\", \"b\", \"stop\"], at \
                        src/exhibits/queue_consumer/in_band_stop.rs:";
        assert!(run.stdout.starts_with(expected), "{run:?}");
    }

    #[test]
    fn is_an_item_where_the_stop_is_something_else() {
        for variant in ["enum-stop", "mpsc", "condvar"] {
            let command = format!("racelab run queue-consumer/{variant}");
            let run = with_input(&command, b"a\nstop\nb\n").exits(0).quiet();
            assert!(
                run.stdout.contains("\noutcome  [\"a\", \"stop\", \"b\"]\n"),
                "{run:?}"
            );
        }
    }
}

#[test]
fn a_loop_in_which_a_task_blocks_is_ended_by_the_time_limit() {
    let command = "racelab run event-loop/never-gives-back --time-limit 1";
    let run = with_input(command, b"a\n").exits(3).quiet();
    assert!(run.stdout.starts_with("Key a, answered after "), "{run:?}");
    assert!(
        run.stdout
            .contains("\n\nendless  did not end within 1s: a deadlock"),
        "{run:?}"
    );
}

mod input {
    use super::*;

    #[test]
    fn piped_lines_are_items_and_nobody_is_asked() {
        for variant in CONSUMERS {
            for input in ["a\nb\nc\n", "a\r\nb\r\nc", "a\nb\nc"] {
                let command = format!("racelab run queue-consumer/{variant}");
                let run = consumed(&command, input.as_bytes()).exits(0).quiet();
                assert!(
                    run.stdout.starts_with(
                        "From queue a\nFrom queue b\nFrom queue c\n\noutcome  [\"a\", \"b\", \"c\"]\n"
                    ),
                    "{run:?}"
                );
            }
        }
    }

    #[test]
    fn nine_items_are_taken_unless_another_number_is_asked_for() {
        let numbers: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
        let input = numbers.join("\n");
        for (flags, items) in [("", 9), (" --items 2", 2), (" --items 20", 12)] {
            for variant in CONSUMERS {
                let command = format!("racelab run queue-consumer/{variant}{flags} --format json");
                let json = parsed(&consumed(&command, input.as_bytes()).exits(0).quiet());
                let expected: Vec<String> = (1..=items).map(|n| n.to_string()).collect();
                assert_eq!(json["outcome"], format!("{expected:?}"), "{command}");
            }
        }
    }

    #[test]
    fn what_a_program_does_not_look_at_is_refused() {
        line("racelab run queue-consumer --items 0").refused("it takes a number from 1");
        line("racelab run queue-consumer --items many").refused("it takes a number from 1");
        line("racelab run counter --items 3").refused("--items is not for counter");
        line("racelab run counter --seconds 3").refused("event-loop, print-lock");
        line("racelab run event-loop --seconds soon").refused("20ms, 10s");
        line("racelab run queue-consumer -v").refused("--verbose is not for queue-consumer");
    }

    #[test]
    fn an_empty_input_is_no_items() {
        for variant in CONSUMERS {
            let command = format!("racelab run queue-consumer/{variant}");
            let run = consumed(&command, b"").exits(0).quiet();
            assert!(run.stdout.starts_with("outcome  []\n"), "{run:?}");
        }
    }

    #[test]
    fn empty_lines_are_items() {
        let run = with_input("racelab run queue-consumer/mpsc", b"\n\n").exits(0);
        assert!(
            run.stdout.starts_with("From queue \nFrom queue \n"),
            "{run:?}"
        );
    }

    #[test]
    fn a_line_of_ten_megabytes_is_an_item() {
        let item = "x".repeat(10_000_000);
        for variant in CONSUMERS {
            let command = format!("racelab run queue-consumer/{variant}");
            let run = consumed(&command, item.as_bytes());
            assert_eq!((run.code, run.stderr.as_str()), (0, ""));
            assert!(run.stdout.starts_with(&format!("From queue {item}\n")));
        }
    }

    #[test]
    fn input_that_is_no_text_is_one_message_that_names_the_line() {
        for variant in CONSUMERS {
            let command = format!("racelab run queue-consumer/{variant}");
            let run = consumed(&command, b"a\nb\xff\xfe\nc\n").exits(2);
            assert_eq!(
                run.stderr,
                "error: line 2 of the input is not UTF-8, and a program reads text\n"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn input_that_cannot_be_read_is_one_message() {
        let folder = Folder::new("run_reads_a_folder");
        let output = command()
            .args(words("racelab run queue-consumer/mpsc"))
            .stdin(File::open(folder.file("")).unwrap())
            .output();
        let run = Run::of(&output.unwrap()).exits(2);
        assert!(
            run.stderr.starts_with("error: cannot read the input: "),
            "{run:?}"
        );
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
}

mod output {
    use super::*;

    #[test]
    fn a_closed_stdout_is_quiet() {
        for variant in CONSUMERS {
            let input = tempfile_with("run_closed", b"a\nb\nc\n");
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = command()
                .args(words(&format!("racelab run queue-consumer/{variant}")))
                .stdin(File::open(input.file("input")).unwrap())
                .stdout(writer)
                .output();
            Run::of(&output.unwrap()).exits(0).quiet();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_one_message() {
        for variant in CONSUMERS {
            let input = tempfile_with("run_full", b"a\n");
            let full = fs::OpenOptions::new().write(true).open("/dev/full");
            let output = command()
                .args(words(&format!("racelab run queue-consumer/{variant}")))
                .stdin(File::open(input.file("input")).unwrap())
                .stdout(full.unwrap())
                .output();
            let run = Run::of(&output.unwrap()).refused("standard output");
            assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        }
    }

    fn tempfile_with(test: &str, text: &[u8]) -> Folder {
        let folder = Folder::new(test);
        fs::write(folder.file("input"), text).unwrap();
        folder
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_a_program_that_waits_for_input() {
    let mut process = command()
        .args(words("racelab run queue-consumer/mpsc"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = process.stdin.take();
    interrupt(&mut process);
    let run = Run::of(&process.wait_with_output().unwrap());
    drop(stdin);
    run.exits(130).quiet();
}
