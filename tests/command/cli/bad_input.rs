//! What is refused, and how.

use super::*;

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    line("racelab explore cuonter").refused("did you mean `counter`?");
    line("racelab show counter/mutx").refused("did you mean `mutex`?");
    line("racelab replay counter/fetchadd 0").refused("did you mean `fetch-add`?");
    line("racelab explore counter --engine dfx").refused("'dfs'");
    line("racelab explore counter --engine shutle").refused("'shuttle'");
    line("racelab explore xyz").refused("there is counter, ");
    line("racelab explore counter --engine xyz").refused("dfs, random");
    line("racelab explor counter").refused("'explore'");
    racelab(["explore", ""]).refused("unknown exhibit");
    line("racelab explore counter/").refused("unknown variant");
    line("racelab explore /").refused("unknown exhibit");
    line("racelab explore counter/mutex/x").refused("unknown variant");
}

#[test]
fn a_name_of_any_length_and_kind_makes_a_short_message() {
    racelab(["explore", &"x".repeat(100_000)]).refused("unknown exhibit");
    racelab(["explore", "a\nb\u{1b}[31m"]).refused(r"a\nb\u{1b}[31m");
    racelab(["explore", &format!("counter/{}", "é".repeat(9999))]).refused("unknown variant");
}

#[test]
fn a_number_out_of_range_is_refused_with_the_range() {
    for (flags, message) in [
        ("--threads 0", "1 to 64"),
        ("--threads 65", "1 to 64"),
        ("--threads 10000", "1 to 64"),
        ("--threads nine", "nine"),
        ("--threads -1", "-1"),
        ("--threads 99999999999999999999", "99999999999999999999"),
        ("--ops 0", "1 to 1000"),
        ("--ops 1001", "1 to 1000"),
        ("--ops -5", "-5"),
        ("--max-executions 0", "from 1"),
        ("--max-executions -1", "from 1"),
        ("--max-executions 99999999999999999999", "from 1"),
        ("--max-steps 0", "from 1 to 1000000"),
        ("--max-steps 1000001", "from 1 to 1000000"),
        ("--max-steps -3", "from 1 to 1000000"),
        ("--time-limit x", "20ms, 10s"),
        ("--time-limit -1s", "20ms, 10s"),
        ("--time-limit 99999999999999999999999h", "20ms, 10s"),
        (
            "--engine random --preemptions 1",
            "for the engines dpor, dfs and loom",
        ),
        ("--engine loom --preemptions 256", "0 to 255"),
        ("--engine loom --preemptions -1", "0 to 255"),
        ("--seed -1", "from 0"),
        ("--seed 99999999999999999999", "from 0"),
        ("--seed x", "from 0"),
        ("--expect fails", "violated"),
        ("--format xml", "json"),
        ("--color sometimes", "auto"),
    ] {
        let run = line(&format!("racelab explore counter {flags}")).refused(message);
        assert!(!run.stderr.contains("to pass '-"), "misleading: {run:?}");
    }
}

#[test]
fn a_malformed_schedule_is_refused_in_one_line() {
    let long = "x".repeat(100_000);
    let long_part = format!("0.{}", "1".repeat(100_000));
    for schedule in [
        "",
        "x",
        "0*99999999999",
        "1..2",
        "0~",
        "0*",
        "0*0",
        ".",
        "0.",
        "é",
        "０",
        "0\n1",
        "0\u{1b}[2J",
        " 0",
        "99999999999",
        &long,
        &long_part,
    ] {
        let run = racelab(["replay", "counter", schedule]).refused("malformed schedule");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
}

#[test]
fn a_schedule_of_a_megabyte_is_refused_and_not_feared() {
    // One argument is 128 KiB at most, so that a longer one never reaches the command. The
    // longest possible one is well-formed here, and stands for a million steps.
    let schedule = format!("{}0*999000", "0.1.".repeat(250));
    racelab(["replay", "counter", &schedule]).refused("cannot follow");
    let schedule = "0.".repeat(65_000) + "0";
    racelab(["replay", "counter", &schedule]).refused("cannot follow");
}

#[test]
fn a_schedule_of_something_else_is_refused_with_the_step() {
    for (command, message) in [
        ("counter 7", "step 1 names thread 7"),
        ("counter 0*2.7.0", "step 3 names thread 7"),
        ("counter 4294967295", "thread 4294967295"),
        ("counter 0", "ends before step 2"),
        ("counter -", "ends before step 1"),
        ("counter 0*2.1.2*2.1.0*2", "ends before step 9"),
        ("counter 0*2.1.2*2.1.0*4", "ends after 9 steps"),
        ("counter 0~1", "step 1 is 0~1"),
        ("counter/mutex 0*2.1.2*2.1.0*3", "step 4"),
        ("counter/fetch-add 0*2.1.2*2.1.0*3", "step 5"),
        ("counter 0*2.1.2*2.1.0*3 --threads 3", "step "),
        ("counter 0*2.1.2*2.1.0*3 --ops 2", "step "),
    ] {
        let run = line(&format!("racelab replay {command}")).refused("cannot follow");
        assert!(run.stderr.contains(message), "{run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        line(&format!("racelab replay {command} --format json")).refused(message);
    }
}

#[test]
fn a_missing_or_a_superfluous_argument_is_named() {
    line("racelab explore").refused("<EXHIBIT>");
    line("racelab replay counter").refused("<SCHEDULE>");
    line("racelab explore counter counter").refused("counter");
    line("racelab explore counter --threads").refused("--threads");
    line("racelab explore counter --thread 2").refused("--threads");
    line("racelab explore counter --all --all").refused("--all");
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    for args in [
        ["explore".as_ref(), bytes],
        ["replay".as_ref(), bytes],
        [bytes, bytes],
    ] {
        racelab(args).exits(2);
    }
}
