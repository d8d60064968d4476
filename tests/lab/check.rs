//! `racelab::check` as its users meet it: in a test that fails, and with a changed environment.
//!
//! This file runs itself again: what is in `child` is ignored otherwise.

use std::ffi::OsStr;

use crate::own_process;

mod child {
    //! The tests that are run again, most of them to fail.

    use std::collections::HashMap;
    use std::time::Duration;

    use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use racelab::sync::{Arc, Mutex};
    use racelab::{Engine, Explorer, Named, thread};

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

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn is_all_of_std() {
        racelab::check(|| {
            let n = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let other = std::thread::spawn({
                let n = Arc::clone(&n);
                move || n.store(n.load(SeqCst) + 1, SeqCst)
            });
            other.join().unwrap();
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn shares_a_mutex_of_std() {
        racelab::check(|| {
            let n = Arc::new(std::sync::Mutex::new(0));
            let add = |n: &std::sync::Mutex<usize>| {
                let seen = *n.lock().unwrap();
                *n.lock().unwrap() = seen + 1;
            };
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || add(&n)
            });
            add(&n);
            other.join().unwrap();
            assert_eq!(*n.lock().unwrap(), 2);
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn starts_no_thread() {
        racelab::check(|| assert_eq!(AtomicUsize::new(1).load(SeqCst), 1));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn never_ends() {
        racelab::check(|| {
            let n = AtomicUsize::new(0);
            loop {
                n.fetch_add(1, SeqCst);
            }
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn may_not_end() {
        racelab::check(|| {
            let is_set = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let is_set = Arc::clone(&is_set);
                move || is_set.store(1, SeqCst)
            });
            let rounds = AtomicUsize::new(0);
            if is_set.load(SeqCst) == 0 {
                loop {
                    rounds.fetch_add(1, SeqCst);
                }
            }
            other.join().unwrap();
        });
    }

    /// Looks into a queue, then whether the sender is gone: what is sent between the two looks is
    /// lost.
    fn poll(pause: fn(), looks_again: bool) {
        let queue = Arc::new(Mutex::new(None));
        let senders = Arc::new(AtomicUsize::new(1));
        let sender = thread::spawn({
            let (queue, senders) = (Arc::clone(&queue), Arc::clone(&senders));
            move || {
                *queue.lock().unwrap() = Some(5);
                senders.fetch_sub(1, SeqCst);
            }
        });
        let got = loop {
            let message = queue.lock().unwrap().take();
            if message.is_some() {
                break message;
            }
            if senders.load(SeqCst) == 0 {
                break if looks_again {
                    queue.lock().unwrap().take()
                } else {
                    None
                };
            }
            pause();
        };
        sender.join().unwrap();
        assert_eq!(got, Some(5));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn polls_and_misses_a_message() {
        racelab::check(|| poll(thread::yield_now, false));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn polls_without_a_pause_and_misses_a_message() {
        racelab::check(|| poll(|| (), false));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn polls_and_misses_nothing() {
        racelab::check(|| poll(thread::yield_now, true));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn follows_a_hash_map() {
        racelab::check(|| {
            let atomics = (0..16).map(|key| (key, AtomicUsize::new(key)));
            let atomics: Arc<HashMap<_, _>> = Arc::new(atomics.collect());
            let other = thread::spawn({
                let atomics = Arc::clone(&atomics);
                move || atomics[&0].load(SeqCst)
            });
            for atomic in atomics.values() {
                atomic.fetch_add(1, SeqCst);
            }
            other.join().unwrap();
        });
    }

    /// A body in which what is done differs from one execution to the next.
    fn count_up(then: fn(usize, &AtomicUsize)) {
        static EXECUTIONS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || n.load(SeqCst)
        });
        then(EXECUTIONS.fetch_add(1, SeqCst), &n);
        n.load(SeqCst);
        other.join().unwrap();
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn decides_by_a_clock() {
        racelab::check(|| {
            count_up(|now, n| {
                if now.is_multiple_of(2) {
                    n.store(1, SeqCst);
                }
            });
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn writes_a_time_and_decides_by_it() {
        racelab::check(|| {
            count_up(|now, n| {
                n.store(now, SeqCst);
                if now.is_multiple_of(2) {
                    n.store(1, SeqCst);
                }
            });
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn waits_for_a_channel_of_std() {
        let explorer = Explorer::new(Engine::Dpor).stall_limit(Duration::from_millis(200));
        explorer.check(|| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let other = thread::spawn(move || sender.send(1).unwrap());
            receiver.recv().unwrap();
            other.join().unwrap();
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn starts_threads_of_std() {
        racelab::check(|| {
            let n = Arc::new(Mutex::new(0));
            let others = [1, 2].map(|step| {
                let n = Arc::clone(&n);
                std::thread::spawn(move || *n.lock().unwrap() += step)
            });
            for other in others {
                other.join().unwrap();
            }
            assert_eq!(*n.lock().unwrap(), 3);
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn starts_threads_of_both() {
        racelab::check(|| {
            let n = Arc::new(AtomicUsize::new(0));
            n.fetch_add(1, SeqCst);
            let add = |n: Arc<AtomicUsize>| move || n.fetch_add(1, SeqCst);
            let ours = thread::spawn(add(Arc::clone(&n)));
            let foreign = std::thread::spawn(add(Arc::clone(&n)));
            foreign.join().unwrap();
            ours.join().unwrap();
            assert_eq!(n.load(SeqCst), 3);
        });
    }

    #[cfg(feature = "cli")]
    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn starts_threads_of_rayon() {
        racelab::check(|| {
            let n = Mutex::new(0);
            rayon::scope(|scope| scope.spawn(|_| *n.lock().unwrap() += 1));
            assert_eq!(*n.lock().unwrap(), 1);
        });
    }

    #[cfg(feature = "future")]
    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn starts_tasks_of_tokio() {
        racelab::check(|| {
            let n = Arc::new(Mutex::new(0));
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap();
            let task = runtime.spawn({
                let n = Arc::clone(&n);
                async move { *n.lock().unwrap() += 1 }
            });
            runtime.block_on(task).unwrap();
            assert_eq!(*n.lock().unwrap(), 1);
        });
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn checks_inside_of_a_check() {
        racelab::check(|| racelab::check(|| add_under_a_lock(2)));
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn has_settings_in_code() {
        let explorer = Explorer::new(Engine::Random).seed(3);
        explorer.max_executions(7).check(lose_an_update);
    }

    #[test]
    #[ignore = "run by other tests, with a changed environment"]
    fn is_required_to_be_complete_in_code() {
        let explorer = Explorer::new(Engine::Dpor).max_executions(1);
        explorer.require_complete().check(|| add_under_a_lock(2));
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

    /// Like [`says`](Run::says), wherever the lines break.
    #[track_caller]
    fn tells(self, what: &str) -> Run {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        assert!(
            words.join(" ").contains(what),
            "no {what:?} in\n{}",
            self.text
        );
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

mod what_was_not_checked {
    use super::*;

    #[test]
    fn a_body_that_uses_nothing_of_racelab_fails() {
        run("is_all_of_std", NONE)
            .fails()
            .tells("racelab: check::child::is_all_of_std explored nothing: the body used nothing of racelab: use `racelab::sync` and `racelab::thread`");
    }

    #[test]
    fn threads_that_share_nothing_of_racelab_are_a_warning() {
        let run = run("shares_a_mutex_of_std", NONE)
            .passes()
            .tells("racelab: check::child::shares_a_mutex_of_std holds in every interleaving: 1 trace, but its threads share nothing of racelab");
        let lines = run.text.lines().filter(|line| line.contains("racelab"));
        assert_eq!(lines.count(), 1, "{}", run.text);
    }

    #[test]
    fn a_body_that_starts_no_thread_of_racelab_is_a_warning() {
        run("starts_no_thread", NONE)
            .passes()
            .tells("but the body started no thread of racelab");
    }

    #[test]
    fn a_body_of_which_no_execution_ends_fails_and_shows_its_loop() {
        let line = include_str!("check.rs")
            .lines()
            .position(|line| line.contains("n.fetch_add(1, SeqCst);"))
            .expect("the line is there")
            + 1;
        run("never_ends", NONE)
            .fails()
            .tells("INCONCLUSIVE")
            .tells("did not end within 10,000 steps")
            .tells(&format!(
                "main went round 10,000 times: rmw tests/lab/check.rs:{line}"
            ))
            .tells("no execution came to its end, so that nothing was checked");
    }

    #[test]
    fn a_time_that_is_over_before_an_execution_ends_fails() {
        run("holds", &[("RACELAB_TIME_LIMIT", "0")])
            .fails()
            .tells("no execution came to its end, so that nothing was checked");
    }

    #[test]
    fn a_body_that_does_not_end_in_some_interleavings_passes_and_says_where_it_goes_round() {
        let limits = [
            ("RACELAB_MAX_STEPS", "200"),
            ("RACELAB_TIME_LIMIT", "500ms"),
        ];
        run("may_not_end", &limits)
            .passes()
            .tells("racelab: check::child::may_not_end is inconclusive after 1 execution: ")
            .tells("an execution did not end within 200 steps")
            .tells("main went round")
            .tells("times: rmw tests/lab/check.rs:")
            .tells("of surw and")
            .tells("of random did not fail either");
    }

    #[test]
    fn a_bug_does_not_hide_behind_a_loop_that_polls() {
        for test in [
            "polls_and_misses_a_message",
            "polls_without_a_pause_and_misses_a_message",
        ] {
            run(test, &[("RACELAB_TIME_LIMIT", "4s")])
                .fails()
                .tells("VIOLATED assertion `left == right` failed: left None, right Some(5)");
        }
        run(
            "polls_and_misses_nothing",
            &[("RACELAB_TIME_LIMIT", "500ms")],
        )
        .passes();
    }

    #[test]
    fn a_body_that_is_not_deterministic_fails_and_says_what_to_do() {
        run("follows_a_hash_map", NONE)
            .fails()
            .tells("the body is not deterministic")
            .tells("let it do the same in each execution")
            .tells("on another object or value in each execution: likely the order of a HashMap");
        run("decides_by_a_clock", NONE)
            .fails()
            .tells("main did store tests/lab/check.rs:")
            .tells("what decides between them is likely an Instant, a random number");
        run("writes_a_time_and_decides_by_it", NONE)
            .fails()
            .tells("with another value in each execution: likely an Instant");
    }

    #[test]
    fn a_body_that_stalls_fails_and_names_what_of_std_can_block() {
        run("waits_for_a_channel_of_std", NONE)
            .fails()
            .tells("the body made no step for 200ms")
            .tells("std's Mutex, Condvar, mpsc or thread::sleep");
    }

    #[test]
    fn objects_that_threads_of_others_use_fail_with_one_message() {
        let tests = [
            "starts_threads_of_std",
            #[cfg(feature = "cli")]
            "starts_threads_of_rayon",
            #[cfg(feature = "future")]
            "starts_tasks_of_tokio",
        ];
        for test in tests {
            run(test, NONE)
                .fails()
                .tells("INCONCLUSIVE a thread that racelab did not start has used the Mutex")
                .tells("start threads with `racelab::thread`");
        }
    }

    #[test]
    fn an_atomic_that_a_foreign_thread_uses_as_well_is_no_failure_of_the_body() {
        let run = run("starts_threads_of_both", NONE);
        assert!(!run.passed, "{}", run.text);
        assert!(run.text.lines().count() < 40, "{}", run.text);
        run.tells("INCONCLUSIVE a thread that racelab did not start has used the")
            .omits("VIOLATED");
    }

    #[test]
    fn a_check_inside_of_a_check_fails_and_says_where() {
        run("checks_inside_of_a_check", NONE)
            .fails()
            .tells("a check was begun at tests/lab/check.rs:")
            .tells("inside of the body of another one");
    }

    #[test]
    fn a_closed_stderr_changes_nothing() {
        for (test, passes) in [("holds", true), ("loses_an_update", false)] {
            let (reader, writer) = std::io::pipe().expect("the system gives a pipe");
            drop(reader);
            let mut command = own_process::command(&format!("check::child::{test}"));
            command
                .args(["--ignored", "--nocapture"])
                .env("RACELAB_MAX_EXECUTIONS", "3")
                .stderr(writer);
            let status = own_process::output(&mut command).status;
            assert_eq!(status.code(), Some(if passes { 0 } else { 101 }), "{test}");
        }
    }
}

mod summary {
    use super::*;

    /// A file in the directory for temporary files of the tests, that is not there.
    fn new_file(name: &str) -> std::path::PathBuf {
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_file(&file);
        file
    }

    #[test]
    fn each_check_adds_a_line() {
        let file = new_file("summary.txt");
        let summary = ("RACELAB_SUMMARY", file.to_str().expect("it is UTF-8"));
        run("holds", &[summary]).passes();
        run("loses_an_update", &[summary]).fails();
        run("holds", &[summary, ("RACELAB_MAX_EXECUTIONS", "1")]).passes();
        run("is_all_of_std", &[summary]).fails();
        run("shares_a_mutex_of_std", &[summary]).passes();
        let text = std::fs::read_to_string(&file).expect("it was written");
        let lines: Vec<&str> = text.lines().collect();
        let expected = [
            "check::child::holds holds in every interleaving: 2 traces",
            "check::child::loses_an_update fails: assertion `left == right` failed: left 1, right 2",
            "check::child::holds is inconclusive after 1 execution: the bound of 1 execution",
            "check::child::is_all_of_std fails: the body used nothing of racelab",
            "check::child::shares_a_mutex_of_std holds in every interleaving: 1 trace, but its threads",
        ];
        assert_eq!(lines.len(), expected.len(), "{text}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_one_clear_error() {
        let file = new_file("no-folder/summary.txt");
        let summary = ("RACELAB_SUMMARY", file.to_str().expect("it is UTF-8"));
        run("holds", &[summary])
            .fails()
            .says("\nracelab: RACELAB_SUMMARY=")
            .says("this file cannot be written: ");
    }
}

mod settings {
    use super::*;

    #[test]
    fn they_can_be_said_in_code_and_changed_by_the_environment() {
        run("has_settings_in_code", NONE)
            .fails()
            .says("searched random, sequential consistency, seed 3, ");
        run("has_settings_in_code", &[("RACELAB_SEED", "5")])
            .fails()
            .says("searched random, sequential consistency, seed 5, ");
        run("is_required_to_be_complete_in_code", NONE)
            .fails()
            .says("`Explorer::require_complete` does not allow that");
    }

    #[test]
    fn a_variable_that_there_is_not_is_an_error_that_names_those_that_there_are() {
        run("holds", &[("RACELAB_TIMELIMIT", "1s")])
            .fails()
            .says("\nracelab: RACELAB_TIMELIMIT is no variable of racelab: there are RACELAB_ENGINE, ")
            .says("RACELAB_TIME_LIMIT");
    }

    #[test]
    fn the_bounds_and_the_number_of_threads_can_be_changed() {
        run("holds", &[("RACELAB_MAX_STEPS", "3")])
            .fails()
            .says("did not end within 3 steps");
        run("loses_an_update", &[("RACELAB_PREEMPTIONS", "0")])
            .passes()
            .says("the bound of 0 preemptions");
        run(
            "holds",
            &[("RACELAB_JOBS", "2"), ("RACELAB_REQUIRE", "complete")],
        )
        .passes();
    }

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
            "RACELAB_SUMMARY",
        ] {
            run("holds", &[(variable, "")]).passes().omits("racelab:");
        }
    }
}
