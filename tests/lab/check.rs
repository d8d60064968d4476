//! `racelab::check` as its users meet it: in a test that fails, and with a changed environment.
//!
//! This file runs itself again: what is in `child` is ignored otherwise.

use std::ffi::OsStr;

use crate::own_process;

mod child {
    //! The tests that are run again, most of them to fail.

    use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use racelab::sync::{Arc, Mutex};
    use racelab::{Named, thread};

    fn lose_an_update() {
        let n = Arc::new(AtomicUsize::new(0).named("n"));
        let add = |n: &AtomicUsize| n.store(n.load(SeqCst) + 1, SeqCst);
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || add(&n)
        });
        add(&n);
        other.join().unwrap();
        assert_eq!(n.load(SeqCst), 2);
    }

    fn add_under_a_lock(threads: usize) {
        let n = Arc::new(Mutex::new(0));
        let others: Vec<_> = (0..threads)
            .map(|_| {
                let n = Arc::clone(&n);
                thread::spawn(move || *n.lock().unwrap() += 1)
            })
            .collect();
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*n.lock().unwrap(), threads);
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn loses_an_update() {
        racelab::check(lose_an_update);
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn loses_an_update_too() {
        racelab::check(lose_an_update);
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn holds() {
        racelab::check(|| add_under_a_lock(2));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn has_too_many_interleavings() {
        racelab::check(|| add_under_a_lock(12));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn always_fails() {
        racelab::check(|| {
            thread::spawn(|| panic!("as always"));
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn uses_an_object_from_outside() {
        let outside = Arc::new(Mutex::new(0));
        racelab::check(move || {
            let other = Arc::clone(&outside);
            let other = thread::spawn(move || *other.lock().unwrap() += 1);
            *outside.lock().unwrap() += 1;
            other.join().unwrap();
        });
    }
}

/// What the run of one test left behind.
#[derive(Debug)]
struct Run {
    passed: bool,
    text: String,
}

/// Runs one test of `child`, with these variables and no others of the lab's.
fn run<V: AsRef<OsStr>>(test: &str, variables: &[(&str, V)]) -> Run {
    run_with(&["--nocapture"], test, variables)
}

fn run_with<V: AsRef<OsStr>>(flags: &[&str], test: &str, variables: &[(&str, V)]) -> Run {
    let mut command = own_process::command(&format!("check::child::{test}"));
    command
        .arg("--ignored")
        .args(flags)
        .env("RUST_BACKTRACE", "0")
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let output = own_process::output(&mut command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let text = text(&output.stdout) + &text(&output.stderr);
    Run {
        passed: output.status.success(),
        text,
    }
}

const NONE: &[(&str, &str)] = &[];

impl Run {
    #[track_caller]
    fn fails(self) -> Run {
        assert!(!self.passed, "{}", self.text);
        assert_eq!(self.text.matches("panicked at").count(), 1, "{}", self.text);
        self
    }

    #[track_caller]
    fn passes(self) -> Run {
        assert!(self.passed, "{}", self.text);
        assert!(!self.text.contains("panicked at"), "{}", self.text);
        self
    }

    #[track_caller]
    fn says(self, what: &str) -> Run {
        assert!(self.text.contains(what), "no {what:?} in\n{}", self.text);
        self
    }

    #[track_caller]
    fn omits(self, what: &str) -> Run {
        assert!(!self.text.contains(what), "{what:?} in\n{}", self.text);
        self
    }

    /// The failure as it was shown: verdict, table and why.
    fn failure(&self) -> &str {
        let start = self.text.find("   VIOLATED   ").expect("it was violated");
        let end = start
            + self.text[start..]
                .find("\n  searched ")
                .expect("the search is described");
        let end = self.text[start..end]
            .find("\n  minimal ")
            .map_or(end, |minimal| start + minimal);
        &self.text[start..end]
    }

    /// The value of `RACELAB_REPLAY` in the line that replays the failure.
    fn replay(&self) -> &str {
        let (_, rest) = self
            .text
            .split_once("  replay   RACELAB_REPLAY='")
            .expect("there is a line that replays it");
        rest.split_once('\'').expect("the quote ends").0
    }
}

mod failures {
    use super::*;

    #[test]
    fn a_failure_shows_the_table_the_reason_and_how_to_replay_it() {
        let run = run("loses_an_update", NONE)
            .fails()
            .says("check::child::loses_an_update   VIOLATED   assertion `left == right` failed: left 1, right 2\n")
            .says("\n  step   main")
            .says("  load  n → 0")
            .says("\n  why      lost update: ")
            .says("\n  minimal  1 preemption; no failing interleaving has fewer\n")
            .says("\n  searched dpor, sequential consistency, ")
            .says("' cargo test check::child::loses_an_update\n");
        assert!(run.replay().starts_with("check::child::loses_an_update@0"));
    }

    #[test]
    fn a_failure_is_reported_at_the_line_of_the_check() {
        let line = include_str!("check.rs")
            .lines()
            .position(|line| line.contains("racelab::check(lose_an_update)"))
            .expect("the line is there")
            + 1;
        run("loses_an_update", NONE)
            .fails()
            .says(&format!("panicked at tests/lab/check.rs:{line}:"));
    }

    #[test]
    fn the_name_of_the_test_does_not_depend_on_how_tests_are_run() {
        for flags in [
            &["--test-threads=1", "--nocapture"][..],
            &["--test-threads=4"],
        ] {
            let run = run_with(flags, "loses_an_update", NONE);
            assert!(run.replay().starts_with("check::child::loses_an_update@"));
        }
    }

    #[test]
    fn a_body_that_holds_passes_in_silence() {
        run("holds", NONE).passes().omits("racelab:");
    }

    #[test]
    fn wrong_use_of_the_lab_fails_and_is_no_verdict_on_the_body() {
        run("uses_an_object_from_outside", NONE)
            .fails()
            .says("INCONCLUSIVE")
            .says("tests/lab/check.rs:");
    }
}

mod replays {
    use super::*;

    #[test]
    fn the_printed_variable_gives_the_same_failure() {
        for engine in ["dpor", "dfs", "random"] {
            let found = run("loses_an_update", &[("RACELAB_ENGINE", engine)]).fails();
            let replayed = run("loses_an_update", &[("RACELAB_REPLAY", found.replay())])
                .fails()
                .says("one execution, as the schedule says");
            assert_eq!(found.failure(), replayed.failure());
            assert_eq!(found.replay(), replayed.replay());
        }
    }

    #[test]
    fn a_replay_of_another_test_is_ignored() {
        let found = run("loses_an_update", NONE).fails();
        let replay = [("RACELAB_REPLAY", found.replay())];
        run("loses_an_update_too", &replay)
            .fails()
            .says("stopped at the first");
        run("holds", &replay).passes().omits("racelab:");
        run("holds", &[("RACELAB_REPLAY", "loses_an_update@nonsense")]).passes();
    }

    #[test]
    fn a_replay_that_does_not_fail_passes_and_says_so() {
        run(
            "loses_an_update",
            &[("RACELAB_REPLAY", "check::child::loses_an_update@0.1*2.0*4")],
        )
        .passes()
        .says("after 1 execution: this execution does not fail");
    }

    #[test]
    fn a_replay_that_cannot_be_followed_fails_and_says_where() {
        run(
            "loses_an_update",
            &[("RACELAB_REPLAY", "check::child::loses_an_update@0.7")],
        )
        .fails()
        .says("step 2 names thread 7");
    }
}

mod settings {
    use super::*;

    #[test]
    fn the_engine_can_be_changed() {
        run("loses_an_update", &[("RACELAB_ENGINE", "random")])
            .fails()
            .says("searched random, sequential consistency, seed 0, ");
    }

    #[test]
    fn real_threads_find_a_failure_of_every_schedule_and_offer_no_replay() {
        run("always_fails", &[("RACELAB_ENGINE", "threads")])
            .fails()
            .says("check::child::always_fails   VIOLATED   as always\n")
            .says("\n  searched threads, the real machine, 1 execution, ")
            .says("\n  replay   not possible: real threads\n");
    }

    #[test]
    fn real_threads_prove_nothing() {
        let variables = [
            ("RACELAB_ENGINE", "threads"),
            ("RACELAB_MAX_EXECUTIONS", "20"),
        ];
        run("holds", &variables)
            .passes()
            .says("racelab: check::child::holds is inconclusive after 20 executions: ")
            .says("none of 20 runs failed");
        let [engine, runs] = variables;
        run("holds", &[engine, runs, ("RACELAB_REQUIRE", "complete")]).fails();
    }

    #[test]
    fn the_seed_can_be_changed() {
        let variables = [("RACELAB_ENGINE", "random"), ("RACELAB_SEED", "41")];
        run("loses_an_update", &variables).fails().says("seed 41");
    }

    #[test]
    fn an_inconclusive_check_passes_with_one_line_on_stderr() {
        let run = run("holds", &[("RACELAB_MAX_EXECUTIONS", "1")])
            .passes()
            .says("racelab: check::child::holds is inconclusive after 1 execution: ");
        let lines = run.text.lines().filter(|line| line.contains("racelab"));
        assert_eq!(lines.count(), 1, "{}", run.text);
    }

    #[test]
    fn an_inconclusive_check_is_seen_although_output_is_captured() {
        run_with(&[], "holds", &[("RACELAB_MAX_EXECUTIONS", "1")])
            .passes()
            .says("racelab: check::child::holds is inconclusive after 1 execution: ");
    }

    #[test]
    fn the_time_limit_can_be_changed() {
        run(
            "has_too_many_interleavings",
            &[("RACELAB_TIME_LIMIT", "20ms")],
        )
        .passes()
        .says("the time limit of 20ms");
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_check_that_runs_out_of_time_without_optimisation_says_what_makes_it_faster() {
        run(
            "has_too_many_interleavings",
            &[("RACELAB_TIME_LIMIT", "20ms")],
        )
        .passes()
        .says("explored; racelab was built without optimisation")
        .says("`racelab.opt-level = 3`");
    }

    #[test]
    fn a_check_can_be_required_to_be_complete() {
        let complete = ("RACELAB_REQUIRE", "complete");
        run("holds", &[complete]).passes();
        run("holds", &[complete, ("RACELAB_MAX_EXECUTIONS", "1")])
            .fails()
            .says("INCONCLUSIVE")
            .says("RACELAB_REQUIRE=complete");
        run("holds", &[complete, ("RACELAB_ENGINE", "random")]).fails();
    }

    #[test]
    fn a_malformed_variable_is_one_clear_message() {
        for (variable, value) in [
            ("RACELAB_ENGINE", "dsf"),
            ("RACELAB_MAX_EXECUTIONS", "many"),
            ("RACELAB_MAX_EXECUTIONS", "0"),
            ("RACELAB_MAX_EXECUTIONS", "-1"),
            ("RACELAB_TIME_LIMIT", "soon"),
            ("RACELAB_SEED", "-1"),
            ("RACELAB_REQUIRE", "all"),
            ("RACELAB_REPLAY", "0*2.1"),
            ("RACELAB_REPLAY", "check::child::holds@x"),
        ] {
            let run = run("holds", &[(variable, value)])
                .fails()
                .says(&format!("\nracelab: {variable}"))
                .says(value.trim_start_matches("check::child::holds@"));
            let lines = run.text.lines().filter(|line| line.contains(variable));
            assert_eq!(lines.count(), 1, "{}", run.text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_not_ignored() {
        use std::os::unix::ffi::OsStrExt;
        let value = OsStr::from_bytes(b"\xff");
        run("holds", &[("RACELAB_ENGINE", value)])
            .fails()
            .says("\nracelab: RACELAB_ENGINE");
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        for variable in [
            "RACELAB_ENGINE",
            "RACELAB_MAX_EXECUTIONS",
            "RACELAB_TIME_LIMIT",
            "RACELAB_SEED",
            "RACELAB_REQUIRE",
            "RACELAB_REPLAY",
        ] {
            run("holds", &[(variable, "")]).passes().omits("racelab:");
        }
    }
}
