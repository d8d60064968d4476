//! The engine loom on the command line, where it runs in a child process.

use crate::support::{line, parsed};

#[test]
fn the_printed_token_replays_the_failure() {
    let run = line("racelab explore counter --engine loom")
        .exits(1)
        .quiet();
    assert!(run.stdout.contains("C11 memory model"), "{}", run.stdout);
    let replay = run.stdout.lines().last().unwrap();
    let command = replay.trim_start().strip_prefix("replay   ").unwrap();
    assert!(command.contains(" 'loom:"), "{command}");
    let again = line(command).exits(1).quiet();
    assert_eq!(
        run.stdout.split("\n  fix").next(),
        again.stdout.split("\n  fix").next()
    );
}

#[test]
fn a_bound_on_preemptions_is_obeyed_and_named() {
    let command = "racelab explore counter/mutex --engine loom --preemptions 0 --format json";
    let json = parsed(&line(command).exits(3).quiet());
    assert_eq!(json["verdict"], "inconclusive");
    assert_eq!(json["memory_model"], "c11");
    assert_eq!(json["bound"]["kind"], "preemptions");
    assert_eq!(json["bound"]["value"], 0);
    line("racelab explore counter --engine random --preemptions 1")
        .refused("--preemptions is for the engines dpor, dfs and loom");
    line("racelab explore counter --engine loom --preemptions 256").refused("255");
    let run = line("racelab explore counter --engine loom --preemptions 1").exits(1);
    assert!(run.stdout.contains("/bound=1'\n"), "{}", run.stdout);
}

#[test]
fn a_token_that_is_none_is_refused() {
    line("racelab replay counter loom:x").refused("is no execution of loom");
    line("racelab replay counter loom:0").refused("is no execution of loom");
    line("racelab replay counter/mutex loom:100000").refused("there is no execution 100000");
}

#[test]
fn more_threads_than_loom_has_are_a_reason() {
    let run = line("racelab explore counter --engine loom --threads 5")
        .exits(3)
        .quiet();
    assert!(
        run.stdout.contains("at most 4 spawned threads"),
        "{}",
        run.stdout
    );
}

#[cfg(target_os = "linux")]
mod signals {
    use std::fs;
    use std::process::{Child, Command, Output, Stdio};

    use crate::support::assert_ends;

    /// A search that takes hours.
    fn explore(format: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_racelab"));
        command
            .args(["explore", "counter/channel", "--engine", "loom"])
            .args(["--threads", "4", "--ops", "3", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The process that another one has started, once it has gone far enough to install its
    /// handlers.
    fn child_of(parent: u32) -> u32 {
        loop {
            for entry in fs::read_dir("/proc").unwrap().flatten() {
                let name = entry.file_name();
                let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                    continue;
                };
                // It may have ended meanwhile.
                let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
                let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
                let is_child = rest.split_whitespace().nth(1) == Some(&parent.to_string());
                // The search has a thread of its own, and so have the watch over the parent and that
                // for Ctrl-C.
                let threads = fs::read_dir(entry.path().join("task")).map_or(0, Iterator::count);
                if is_child && threads > 3 {
                    return id;
                }
            }
            std::thread::yield_now();
        }
    }

    fn signal(signal: &str, process: u32) {
        let status = Command::new("kill")
            .args([signal, &process.to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    fn end(child: Child) -> Output {
        child.wait_with_output().unwrap()
    }

    #[test]
    fn an_abort_of_the_engine_is_survived_and_reported() {
        let parent = explore("json");
        signal("-ABRT", child_of(parent.id()));
        let output = end(parent);
        assert_eq!(output.status.code(), Some(3));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["verdict"], "inconclusive");
        assert_eq!(json["engine"], "loom");
        let reason = json["reason"].as_str().unwrap();
        assert!(reason.contains("ended by signal 6 (SIGABRT)"), "{reason}");
    }

    #[test]
    fn no_child_outlives_a_command_that_is_ended() {
        for name in ["KILL", "TERM", "HUP"] {
            let mut parent = explore("text");
            let child = child_of(parent.id());
            signal(&format!("-{name}"), parent.id());
            parent.wait().unwrap();
            assert_ends(child);
        }
    }

    #[test]
    fn an_interrupt_reaches_the_engine_which_reports_what_it_knows() {
        let parent = explore("text");
        child_of(parent.id());
        signal("-INT", parent.id());
        let output = end(parent);
        assert_eq!(output.status.code(), Some(130));
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("INCONCLUSIVE   an interrupt"), "{stdout}");
    }
}
