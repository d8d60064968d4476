//! The variants that start processes, by the commands that know the gallery.

use std::collections::BTreeSet;

use crate::support::{Folder, Run, command, line, parsed, words};

/// The names of the variants.
fn variants() -> Vec<String> {
    let listed = parsed(&line("racelab list --processes --format json").exits(0));
    let names = listed.as_array().expect("it is an array").iter();
    names
        .map(|entry| entry["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn list_shows_them_only_if_it_is_asked_for() {
    let text = line("racelab list --processes").exits(0).quiet();
    assert!(text.stdout.starts_with("processes: "), "{text:?}");
    for gallery in ["racelab list", "racelab list --corpus"] {
        assert!(!line(gallery).exits(0).stdout.contains("processes:"));
    }
    line("racelab list --corpus --processes").refused("cannot be used with");
}

#[test]
fn only_the_real_machine_runs_them() {
    let listed = parsed(&line("racelab list --processes --format json").exits(0));
    for entry in listed.as_array().unwrap() {
        assert_eq!(entry["engines"], serde_json::json!(["threads"]), "{entry}");
    }
    for variant in variants() {
        for engine in ["dpor", "dfs", "random", "loom"] {
            line(&format!("racelab explore {variant} --engine {engine}"))
                .refused("it starts processes, which only the real machine can run");
        }
        line(&format!("racelab replay {variant} 0.1")).refused("it starts processes");
        let verified = line(&format!("racelab verify {variant} --engine dpor")).exits(4);
        assert!(
            verified.stderr.contains("it starts processes"),
            "{verified:?}"
        );
    }
}

/// What a run of a program came to, of which it is a matter of luck whether it fails.
fn outcome(variant: &str) -> (i32, String) {
    let run = line(&format!("racelab run processes/{variant} --format json")).quiet();
    let ended = parsed(&run);
    let outcome = ended["outcome"].as_str();
    (
        run.code,
        outcome.unwrap_or_else(|| panic!("{run:?}")).to_owned(),
    )
}

/// What processes have printed of their lists, by their numbers, main last: `From child 1812 [0]`.
fn lists(run: &Run) -> Vec<(u32, Vec<u64>)> {
    let (printed, _) = run.stdout.split_once("\n\n").expect("an empty line");
    let lines: Vec<_> = printed.lines().collect();
    let (main, children) = lines.split_last().expect("there are lines");
    let list = |line: &str, who: &str| {
        let line = line
            .strip_prefix(who)
            .unwrap_or_else(|| panic!("{who}: {line}"));
        let (number, list) = line.split_once(' ').expect("a number and a list");
        (number.parse().unwrap(), serde_json::from_str(list).unwrap())
    };
    let children = children.iter().map(|line| list(line, "From child "));
    children.chain([list(main, "From main ")]).collect()
}

#[test]
fn a_list_of_one_process_is_not_that_of_another_one() {
    assert_eq!(outcome("private-copies"), (1, "[]".to_owned()));
    let run = line("racelab run processes/private-copies")
        .exits(1)
        .quiet();
    let lists = lists(&run);
    let numbers: BTreeSet<_> = lists.iter().map(|(number, _)| number).collect();
    assert_eq!(numbers.len(), 3, "{lists:?}");
    let mut children: Vec<_> = lists[..2].iter().map(|(_, list)| list.clone()).collect();
    children.sort();
    assert_eq!(children, [(0..10).collect::<Vec<_>>(), (10..20).collect()]);
    assert_eq!(lists[2].1, [0; 0]);
}

#[test]
fn through_the_manager_the_process_that_ends_last_sees_all_numbers() {
    let run = line("racelab run processes/manager").exits(0).quiet();
    let lists = lists(&run);
    assert_eq!(lists.len(), 3);
    let main = &lists[2].1;
    let longest = lists[..2]
        .iter()
        .map(|(_, list)| list)
        .max_by_key(|list| list.len());
    assert_eq!(longest.unwrap(), main);
    assert_eq!(main.len(), 20);
}

#[test]
fn through_the_manager_all_processes_have_one_list() {
    let (code, list) = outcome("manager");
    assert_eq!(code, 0);
    let list: Vec<u64> = serde_json::from_str(&list).unwrap();
    let of = |numbers: std::ops::Range<u64>| -> Vec<u64> {
        let mine = list.iter().copied();
        mine.filter(|number| numbers.contains(number)).collect()
    };
    // Each process has appended in its order.
    assert_eq!(of(0..10), (0..10).collect::<Vec<_>>());
    assert_eq!(of(10..20), (10..20).collect::<Vec<_>>());
    assert_eq!(list.len(), 20);
}

#[test]
fn stores_to_shared_memory_lose_updates_of_other_processes() {
    // With one core the processes may come one after the other in a run.
    for _ in 0..100 {
        let (code, total) = outcome("shared-memory-store");
        let total: u64 = total.parse().unwrap();
        assert!((1..=2_000_000).contains(&total), "{total}");
        assert_eq!(code, i32::from(total < 2_000_000), "{total}");
        if code == 1 {
            return;
        }
    }
    panic!("no update was lost in 100 runs");
}

#[test]
fn additions_in_shared_memory_lose_nothing() {
    for _ in 0..5 {
        assert_eq!(
            outcome("shared-memory-fetch-add"),
            (0, "2000000".to_owned())
        );
    }
    let alone =
        "racelab explore processes/shared-memory-store --engine threads --runs 3 --threads 1";
    line(alone).exits(3).quiet();
}

#[test]
fn a_number_in_a_file_is_not_changed_in_one_step() {
    // With one core the processes may come one after the other in a run.
    for _ in 0..100 {
        let (code, total) = outcome("file-read-change-write");
        let total: u64 = total.parse().unwrap();
        assert!((1..=20_000).contains(&total), "{total}");
        assert_eq!(code, i32::from(total < 20_000), "{total}");
        if code == 1 {
            return;
        }
    }
    panic!("no update was lost in 100 runs");
}

#[test]
fn a_file_that_is_locked_meanwhile_or_only_appended_to_loses_nothing() {
    for variant in ["file-lock", "file-append"] {
        for _ in 0..5 {
            assert_eq!(outcome(variant), (0, "20000".to_owned()));
        }
    }
}

#[cfg(unix)]
mod a_file_of_the_user {
    use std::fs::{self, File};

    use super::*;

    const VARIANTS: [&str; 3] = ["file-read-change-write", "file-lock", "file-append"];

    #[test]
    fn has_what_the_processes_have_done() {
        let folder = Folder::new("updated");
        let file = folder.file("counter");
        let run = line(&format!(
            "racelab run processes/file-lock --file {}",
            file.display()
        ));
        run.exits(0).quiet();
        assert_eq!(fs::read_to_string(&file).unwrap().trim(), "20000");
    }

    #[test]
    fn that_is_not_empty_is_left_as_it_is() {
        let folder = Folder::new("not-empty");
        let file = folder.file("letter");
        fs::write(&file, "Dear all").unwrap();
        for variant in VARIANTS {
            let run = line(&format!(
                "racelab run processes/{variant} --file {}",
                file.display()
            ));
            let run = run.exits(3).quiet();
            assert!(run.stdout.contains("it is not empty"), "{run:?}");
            assert_eq!(fs::read_to_string(&file).unwrap(), "Dear all");
        }
    }

    #[test]
    fn that_another_process_holds_is_told_in_one_message() {
        let folder = Folder::new("held");
        let path = folder.file("counter");
        let file = File::create(&path).unwrap();
        file.lock().unwrap();
        for variant in VARIANTS {
            let run = line(&format!(
                "racelab run processes/{variant} --file {}",
                path.display()
            ));
            let run = run.exits(3).quiet();
            let told = format!(
                "refused  the machine does not let the program run: {}: another process holds a \
                 lock on it: wait until that has ended, or name another file\n",
                path.display()
            );
            assert_eq!(run.stdout, told);
        }
    }

    #[test]
    fn is_for_the_variants_that_update_one() {
        line("racelab run processes/manager --file x").refused("processes/file-lock");
        let missing = line("racelab run processes/file-lock --file /dev/null/x").exits(3);
        assert!(missing.stdout.contains("/dev/null/x: "), "{missing:?}");
    }

    #[test]
    fn is_one_that_is_removed_if_none_is_named() {
        let folder = Folder::new("no-file-is-left");
        for variant in VARIANTS {
            let output = command()
                .args(words(&format!("racelab run processes/{variant}")))
                .env("TMPDIR", folder.file(""))
                .output();
            assert!(Run::of(&output.unwrap()).stdout.contains("outcome"));
            assert_eq!(folder.names(), [""; 0]);
            let missing = folder.file("is not there");
            let output = command()
                .args(words(&format!("racelab run processes/{variant}")))
                .env("TMPDIR", &missing)
                .output();
            let run = Run::of(&output.unwrap()).exits(3).quiet();
            let named = format!("cannot make a file in {}: ", missing.display());
            assert!(run.stdout.contains(&named), "{run:?}");
        }
    }
}

#[test]
fn each_process_downloads_by_a_session_of_its_own() {
    let run = line("racelab run processes/session-per-process")
        .exits(0)
        .quiet();
    let (printed, _) = run.stdout.split_once("\n\n").expect("an empty line");
    let mut read = BTreeSet::new();
    for process in ["process 1: ", "process 2: "] {
        let lines = printed
            .lines()
            .filter_map(|line| line.strip_prefix(process));
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 80, "{run:?}");
        read.extend(lines);
    }
    // Which process has which half is left to the machine.
    let size = |page: usize| if page % 2 == 1 { 10_490 } else { 278 };
    let expected = (0..160).map(|page| format!("Read {} from /{page}", size(page)));
    let expected: BTreeSet<_> = expected.collect();
    assert_eq!(read, expected.iter().map(String::as_str).collect());
}

#[test]
fn all_messages_come_through_the_pipe_in_their_order() {
    let run = line("racelab run processes/pipe").exits(0).quiet();
    let all = ["hello", "hey", "hru?", "END"];
    // The receiver takes the last one for what it is, and does not print it.
    for (said, expected) in [
        ("Sent the message: ", &all[..]),
        ("Received the message: ", &all[..3]),
    ] {
        let lines = run.stdout.lines();
        let messages: Vec<_> = lines.filter_map(|line| line.strip_prefix(said)).collect();
        assert_eq!(messages, expected, "{said}");
    }
    assert!(
        run.stdout
            .contains("note     a message can be received before"),
        "{run:?}"
    );
    assert_eq!(run.fact_of_run(), r#"["hello", "hey", "hru?", "END"]"#);
}

trait FactOfRun {
    fn fact_of_run(&self) -> &str;
}

impl FactOfRun for Run {
    fn fact_of_run(&self) -> &str {
        let mut lines = self.stdout.lines();
        let outcome = lines.find_map(|line| line.strip_prefix("outcome  "));
        outcome.expect("there is an outcome")
    }
}

#[test]
fn each_variant_can_be_explored_on_the_real_machine() {
    for variant in variants() {
        let run = line(&format!(
            "racelab explore {variant} --engine threads --runs 3 --all"
        ));
        let is_certain = variant == "processes/private-copies";
        let can_lose = ["shared-memory-store", "file-read-change-write"];
        let can_fail = is_certain
            || can_lose
                .iter()
                .any(|unsafe_one| variant.ends_with(unsafe_one));
        assert!(
            run.code == 3 && !is_certain || run.code == 1 && can_fail,
            "{run:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_left_of_shared_memory() {
    let folder = Folder::new("shared-memory");
    for variant in ["store", "fetch-add"] {
        let line = format!("racelab run processes/shared-memory-{variant}");
        let output = command()
            .args(words(&line))
            .env("TMPDIR", folder.file(""))
            .output();
        assert!(Run::of(&output.unwrap()).stdout.contains("outcome"));
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[cfg(unix)]
#[test]
fn what_the_system_refuses_is_no_failure_of_the_program() {
    let folder = Folder::new("no-shared-memory");
    let missing = folder.file("is not there");
    let refused = |line: &str| {
        let output = command().args(words(line)).env("TMPDIR", &missing).output();
        Run::of(&output.unwrap()).exits(3).quiet()
    };
    for variant in ["store", "fetch-add"] {
        let explore =
            format!("racelab explore processes/shared-memory-{variant} --engine threads --runs 3");
        let text = refused(&explore).stdout;
        assert!(text.contains("INCONCLUSIVE"), "{text}");
        let json = parsed(&refused(&format!("{explore} --format json")));
        assert_eq!(json["verdict"], "inconclusive");
        assert_eq!(json["executions"], 0);
        assert_eq!(json["violations"], 0);
        assert_eq!(json["bad_share_interval"], serde_json::Value::Null);
        let reason = json["reason"].as_str().unwrap();
        let folder = missing.to_str().unwrap();
        let named = format!("cannot have memory in common by a file in {folder}: ");
        assert!(reason.contains(&named), "{reason}");

        let run = format!("racelab run processes/shared-memory-{variant}");
        let text = refused(&run).stdout;
        assert!(
            text.starts_with("refused  the machine does not let the program run: "),
            "{text}"
        );
        let json = parsed(&refused(&format!("{run} --format json")));
        assert_eq!(
            (&json["result"], &json["reason"]),
            (&"refused".into(), &reason.into())
        );
        assert_eq!(json["failure"], serde_json::Value::Null);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_files_is_no_failure_of_the_program() {
    use crate::support::limited;

    for variant in variants() {
        // Up to a limit with which it comes to its end.
        for files in 8..64 {
            let line = format!("racelab run {variant} --format json");
            let run = limited(files, &line).quiet();
            let json = parsed(&run);
            if json["result"] != "refused" {
                let is_right = json["result"] == "passed" && run.code == 0;
                let safe = [
                    "manager",
                    "pipe",
                    "fetch-add",
                    "file-lock",
                    "file-append",
                    "session-per-process",
                ];
                let can_fail = !safe.iter().any(|safe| variant.ends_with(safe));
                assert!(is_right || can_fail, "{files}: {run:?}");
                break;
            }
            assert_eq!(run.code, 3, "{files}: {run:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_outlives_a_command_that_is_ended() {
    use std::ffi::OsStr;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use crate::support::{processes_with, send};

    const MARK: &str = "RACELAB_TEST_OF_PROCESSES";
    /// How long they may take to end at the most, on a machine that does much else.
    const LONG: Duration = Duration::from_mins(1);
    for variant in ["manager", "pipe", "shared-memory-store"] {
        for signal in ["KILL", "INT", "TERM"] {
            let value = format!("{}-{variant}-{signal}", std::process::id());
            let processes = || processes_with(MARK, OsStr::new(&value));
            let line =
                format!("racelab explore processes/{variant} --engine threads --runs 1000000");
            let mut explore = command()
                .args(words(&line))
                .env(MARK, &value)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // The command, the process of its runs, and the two that a run starts.
            while processes().len() < 4 {
                assert_eq!(explore.try_wait().unwrap(), None);
                std::thread::yield_now();
            }
            send(signal, explore.id());
            explore.wait().unwrap();
            let start = Instant::now();
            while !processes().is_empty() {
                assert!(
                    start.elapsed() < LONG,
                    "{variant}, {signal}: {:?}",
                    processes()
                );
                std::thread::yield_now();
            }
        }
    }
}

#[test]
fn the_command_of_workers_is_not_for_people() {
    for command in ["racelab worker", "racelab worker nonsense"] {
        line(command).exits(2);
    }
    let help = line("racelab --help").exits(0).stdout;
    assert!(!help.contains("worker"), "{help}");
    // It is a test of them that has a worker for drills.
    line("racelab drill").exits(2);
    line("racelab worker drill").exits(2);
}

#[test]
fn variants_of_the_list_differ_in_what_holds_the_list() {
    let names: BTreeSet<_> = variants().into_iter().collect();
    assert_eq!(names.len(), 9);
    let diff = line("racelab diff processes/private-copies processes/manager").exits(0);
    assert!(diff.stdout.contains("-    list: Vec<u64>,"), "{diff:?}");
    assert!(diff.stdout.contains("+    list: Proxy,"), "{diff:?}");
}
