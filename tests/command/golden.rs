//! What people see, word for word. `UPDATE_EXPECT=1 cargo test` writes the files anew.

use expect_test::{ExpectFile, expect_file};

use racelab::exhibits::{self, Kind, Variant};
use racelab::report::{Style, Subject, text};
use racelab::sync::atomic::{
    AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::SeqCst,
};
use racelab::sync::{Arc, Condvar, Mutex, RwLock};
use racelab::{Engine, Explorer, Named, Report, hint, thread};

use crate::support::line;

/// Compares what commands print, how they end, and what they say on stderr.
fn golden(file: &ExpectFile, commands: &[&str]) {
    let mut seen = String::new();
    for command in commands {
        let run = line(&format!("racelab {command}"));
        seen += &format!("$ racelab {command}\n{}", run.stdout);
        if !run.stderr.is_empty() {
            seen += &format!("--- stderr\n{}", run.stderr);
        }
        seen += &format!("[exit code {}]\n\n", run.code);
    }
    file.assert_eq(&seen);
}

mod commands {
    use super::*;

    #[test]
    fn list_and_show() {
        golden(
            &expect_file!["golden/list.txt"],
            &["list", "list --format json"],
        );
        golden(
            &expect_file!["golden/show.txt"],
            &["show counter", "show counter/mutex"],
        );
    }

    #[test]
    fn explore_a_race() {
        golden(
            &expect_file!["golden/explore.txt"],
            &[
                "explore counter",
                "explore counter --ascii",
                "explore counter --detail",
                "explore counter --threads 3 --ops 2",
            ],
        );
    }

    #[test]
    fn explore_a_race_of_many_threads_as_a_list() {
        golden(
            &expect_file!["golden/explore_list.txt"],
            &[
                "explore counter --threads 5",
                "explore counter --threads 5 --detail --ascii",
            ],
        );
    }

    #[test]
    fn explore_a_race_in_colour() {
        golden(
            &expect_file!["golden/explore_color.txt"],
            &[
                "explore counter --color always",
                "explore counter/mutex --color always",
                "explore counter/mutex --color always --max-executions 1",
            ],
        );
    }

    #[test]
    fn explore_what_breaks() {
        for exhibit in exhibits::ALL {
            let is_unsafe = |variant: &&Variant| variant.kind != Kind::Safe;
            let explore = |variant| format!("explore {variant}");
            let broken = exhibit.variants.iter().filter(is_unsafe);
            let commands: Vec<String> = broken.map(explore).collect();
            let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
            let name = exhibit.name.replace('-', "_");
            golden(
                &expect_file![format!("golden/failures/{name}.txt")],
                &commands,
            );
        }
    }

    #[test]
    fn explore_what_holds() {
        golden(
            &expect_file!["golden/explore_safe.txt"],
            &["explore counter/mutex", "explore counter/mutex --threads 1"],
        );
    }

    #[test]
    fn explore_everything() {
        golden(
            &expect_file!["golden/explore_all.txt"],
            &["explore counter --all", "explore counter/mutex --all"],
        );
    }

    #[test]
    fn explore_within_bounds() {
        golden(
            &expect_file!["golden/explore_bounded.txt"],
            &[
                "explore counter/mutex --max-executions 1",
                "explore counter/channel --max-executions 2 --all",
                "explore counter/mutex --max-steps 3",
                "explore counter/mutex --engine random --max-executions 1000 --seed 7",
            ],
        );
    }

    #[test]
    fn replay_what_fails_and_what_does_not() {
        golden(
            &expect_file!["golden/replay.txt"],
            &[
                "replay counter/load-store 0*2.1.2*2.1.0*3",
                "replay counter/load-store 0*2.1*2.2*2.0*3",
                "replay counter/load-store loom:4",
                // It reads a stale value, although every access is SeqCst.
                "replay counter/load-store loom:1",
            ],
        );
    }

    #[test]
    fn what_is_said_of_bad_input() {
        golden(
            &expect_file!["golden/bad_input.txt"],
            &[
                "explore cuonter",
                "explore queue",
                "explore counter/mutx",
                "explore counter/xyz",
                "explore counter --engine dfx",
                "explore counter --threads 0",
                "explore counter --threads 10000",
                "explore counter --threads nine",
                "explore counter --threads -1",
                "explore counter --threads 99999999999999999999",
                "explore counter --ops 0",
                "explore counter --max-executions 0",
                "explore counter --max-steps 0",
                "explore counter --time-limit x",
                "explore counter --time-limit -1s",
                "explore counter --seed -1",
                "explore counter --expect fails",
                "explore counter --format xml",
                "explore counter --format markdown",
                "explore corpus/account --threads 4",
                "explore corpus/acount",
                "bench --trials 0",
                "explore counter -o /dev/null/report.txt",
                "replay counter x",
                "replay counter é",
                "replay counter 1..2",
                "replay counter 0~",
                "replay counter 0*0",
                "replay counter 0*99999999999",
                "replay counter 7",
                "replay counter 0*2.7",
                "replay counter 0",
                "replay counter 0*2.1.2*2.1.0*4",
                "replay counter 0*2.1.2*2.1.0*3 --threads 3",
                "replay counter/mutex 0*2.1.2*2.1.0*3",
                "replay counter",
                "explore",
                "explore counter --bogus",
                "explor counter",
            ],
        );
    }

    #[test]
    fn diff_of_two_variants() {
        golden(
            &expect_file!["golden/diff.txt"],
            &[
                "diff counter/load-store counter/fetch-add",
                "diff counter/load-store counter/fetch-add --color always",
                "diff counter/load-store counter/fetch-add --format json",
                "diff counter/mutex counter/mutex",
                "diff counter/mutx counter/mutex",
            ],
        );
    }

    #[test]
    fn verify_what_comes_out_the_same_each_time() {
        golden(
            &expect_file!["golden/verify.txt"],
            &[
                "verify counter/load-store counter/mutex counter/channel --engine dpor --engine random",
                "verify counter/load-store counter/mutex --time-limit 0",
                "verify counter/mutex --engine dpor --color always",
                "verify counter/mutex --engine dpor --format json",
                "verify counter/mutx",
                "verify counter --engine dfx",
            ],
        );
    }

    #[test]
    fn bench_what_comes_out_the_same_each_time() {
        let few = "bench --program corpus/lazy01 --program corpus/reorder_3 --program corpus/reorder_10 \
                   --engine dfs --engine random --engine loom --trials 4 --cap 20 --exhaust-cap 50";
        golden(
            &expect_file!["golden/bench.txt"],
            &[
                few,
                &format!("{few} --format markdown"),
                "bench --program corpus/lazy01 --engine random --trials 2 --format json",
                "bench --program corpus/lazy01 --engine random --trials 2 --color always",
                "bench --program corpus/reorder_10 --engine loom",
            ],
        );
    }

    #[test]
    fn list_the_corpus() {
        golden(
            &expect_file!["golden/corpus.txt"],
            &["list --corpus", "list --corpus --format json"],
        );
    }

    #[test]
    fn run_what_comes_out_the_same_each_time() {
        golden(
            &expect_file!["golden/run.txt"],
            &[
                "run counter/mutex",
                "run counter/mutex --time-limit 0",
                "run counter/mutx",
            ],
        );
    }

    #[test]
    fn explore_on_real_threads() {
        golden(
            &expect_file!["golden/explore_threads.txt"],
            &[
                "explore counter/mutex --engine threads --runs 20",
                "explore counter/mutex --engine threads --runs 1 --all",
                "explore counter/mutex --runs 3",
                "explore counter/mutex --engine threads --max-executions 3",
            ],
        );
    }

    #[test]
    fn help() {
        golden(
            &expect_file!["golden/help.txt"],
            &[
                "--help",
                "list --help",
                "show --help",
                "diff --help",
                "run --help",
                "explore --help",
                "replay --help",
                "verify --help",
                "bench --help",
                "time --help",
                "time io --help",
                "",
            ],
        );
    }
}

mod reports {
    //! What the gallery has no example of.

    use super::*;

    fn explore(body: impl Fn() + Send + Sync + 'static) -> Report {
        Explorer::new(Engine::Dpor).explore(body)
    }

    fn shown(report: &Report) -> String {
        let subject = Subject {
            name: "body".to_owned(),
            ..Subject::default()
        };
        text(report, &subject, &Style::default())
    }

    #[test]
    fn a_deadlock_says_who_holds_what_and_who_waits_for_what() {
        let report = explore(|| {
            let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
            let other = thread::spawn({
                let locks = Arc::clone(&locks);
                move || {
                    let _b = locks.1.lock().unwrap();
                    let _a = locks.0.lock().unwrap();
                }
            });
            let a = locks.0.lock().unwrap();
            let b = locks.1.lock().unwrap();
            drop((a, b));
            other.join().unwrap();
        });
        expect_file!["golden/deadlock.txt"].assert_eq(&shown(&report));
    }

    #[test]
    fn a_lost_wake_up_says_who_waits_for_a_notification() {
        let report = explore(|| {
            let shared = Arc::new((Mutex::new(false), Condvar::new()));
            let waiter = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    let ready = *shared.0.lock().unwrap();
                    if !ready {
                        // The lock was let go in between.
                        let guard = shared.0.lock().unwrap();
                        drop(shared.1.wait(guard).unwrap());
                    }
                }
            });
            *shared.0.lock().unwrap() = true;
            shared.1.notify_one();
            waiter.join().unwrap();
        });
        expect_file!["golden/lost_wake_up.txt"].assert_eq(&shown(&report));
    }

    #[test]
    fn a_livelock_says_who_waits_by_reading() {
        let report = explore(|| {
            let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
            let other = thread::spawn({
                let flags = Arc::clone(&flags);
                move || {
                    while !flags[1].load(SeqCst) {
                        hint::spin_loop();
                    }
                    flags[0].store(true, SeqCst);
                }
            });
            while !flags[0].load(SeqCst) {
                hint::spin_loop();
            }
            flags[1].store(true, SeqCst);
            other.join().unwrap();
        });
        expect_file!["golden/livelock.txt"].assert_eq(&shown(&report));
    }

    #[test]
    fn a_stale_read_says_what_was_too_weak() {
        let report = Explorer::new(Engine::Loom).explore(|| {
            let data = Arc::new(AtomicUsize::new(0).named("data"));
            let ready = Arc::new(AtomicBool::new(false).named("ready"));
            let writer = thread::spawn({
                let (data, ready) = (Arc::clone(&data), Arc::clone(&ready));
                move || {
                    data.store(1, Relaxed);
                    ready.store(true, Relaxed);
                }
            });
            if ready.load(Acquire) {
                assert_eq!(data.load(Relaxed), 1);
            }
            writer.join().unwrap();
        });
        expect_file!["golden/stale_read.txt"].assert_eq(&shown(&report));
    }

    #[test]
    fn a_panic_in_a_thread_with_a_name_stands_in_its_column() {
        let report = explore(|| {
            let n = Arc::new(AtomicUsize::new(0));
            let builder = thread::Builder::new().name("worker".to_owned());
            let other = Arc::clone(&n);
            let worker = builder
                .spawn(move || assert!(other.load(Relaxed) == 0, "it was changed"))
                .unwrap();
            n.fetch_add(1, Relaxed);
            worker.join().unwrap();
        });
        expect_file!["golden/panic_in_worker.txt"].assert_eq(&shown(&report));
    }

    #[test]
    fn a_deadlock_behind_a_writer_says_who_waits_behind_whom() {
        let report = explore(|| {
            let shard = Arc::new(RwLock::new(0).named("shard"));
            let writer = thread::spawn({
                let shard = Arc::clone(&shard);
                move || *shard.write().unwrap() += 1
            });
            let first = shard.read().unwrap();
            let second = shard.read().unwrap();
            assert_eq!(*first, *second);
            drop((first, second));
            writer.join().unwrap();
        });
        expect_file!["golden/deadlock_behind_a_writer.txt"].assert_eq(&shown(&report));
    }
}

// At the end, since the places in the reports above are in golden files.
mod processes {
    use super::*;

    #[test]
    fn exhibits_across_processes() {
        golden(
            &expect_file!["golden/processes.txt"],
            &[
                "list --processes",
                "list --processes --format json",
                "show processes/shared-memory-store",
                "diff processes/private-copies processes/manager",
                "diff processes/shared-memory-store processes/shared-memory-fetch-add",
                "explore processes",
                "verify processes --engine dpor",
            ],
        );
    }
}
