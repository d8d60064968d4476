//! How fast executions are, whether failing ones leave anything behind, and how long the command
//! takes: `cargo bench --bench rate`.
//!
//! Speed is printed as a ratio of two programs that are measured in turns in one process, since
//! rates alone say more of the machine than of the lab.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use racelab::{Engine, Explorer, FailureKind, Report};

fn main() {
    recording();
    memory("panic", FailureKind::Panic, failing_body);
    memory("deadlock", FailureKind::Deadlock, deadlocking_body);
    command();
    // Last, since what loom leaves behind in the allocator is none of the lab's memory.
    recording_loom();
}

/// The racy counter of two threads on the lab: every event is recorded.
fn counter_on_racelab() {
    use racelab::sync::Arc;
    use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use racelab::thread;

    let n = Arc::new(AtomicUsize::new(0));
    let workers = [(); 2].map(|()| {
        let n = Arc::clone(&n);
        thread::spawn(move || {
            let value = n.load(SeqCst);
            n.store(value + 1, SeqCst);
        })
    });
    for worker in workers {
        worker.join().unwrap();
    }
    assert!(n.load(SeqCst) > 0);
}

/// The same counter, directly on shuttle.
fn counter_on_shuttle() {
    use shuttle::sync::Arc;
    use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use shuttle::thread;

    let n = Arc::new(AtomicUsize::new(0));
    let workers = [(); 2].map(|()| {
        let n = Arc::clone(&n);
        thread::spawn(move || {
            let value = n.load(SeqCst);
            n.store(value + 1, SeqCst);
        })
    });
    for worker in workers {
        worker.join().unwrap();
    }
    assert!(n.load(SeqCst) > 0);
}

/// Executions per second of a random walk: the lab against shuttle.
fn recording() {
    const ROUNDS: usize = 11;
    const EXECUTIONS: u32 = 40_000;

    let on_racelab = || {
        let explorer = Explorer::new(Engine::Random).max_executions(EXECUTIONS.into());
        let report = explorer.explore(counter_on_racelab);
        assert_eq!(report.executions, u64::from(EXECUTIONS));
    };
    let on_shuttle = || {
        let mut config = shuttle::Config::default();
        config.failure_persistence = shuttle::FailurePersistence::None;
        let iterations = usize::try_from(EXECUTIONS).expect("a small number");
        let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(1, iterations);
        assert_eq!(
            shuttle::Runner::new(scheduler, config).run(counter_on_shuttle),
            iterations
        );
    };
    // The first round warms up and is left out.
    let rounds: Vec<_> = (0..=ROUNDS)
        .map(|_| (time(on_racelab), time(on_shuttle)))
        .skip(1)
        .collect();
    let ratio = |(lab, shuttle): &(Duration, Duration)| shuttle.as_secs_f64() / lab.as_secs_f64();
    let rate = |times: Vec<f64>| f64::from(EXECUTIONS) / median(times);
    let lab = rate(rounds.iter().map(|(lab, _)| lab.as_secs_f64()).collect());
    let shuttle = rate(
        rounds
            .iter()
            .map(|(_, shuttle)| shuttle.as_secs_f64())
            .collect(),
    );
    let ratio = median(rounds.iter().map(ratio).collect());
    println!("random walk over the racy counter, 2 threads, median of {ROUNDS} rounds in turns");
    println!("  racelab, recording   {lab:>9.0} executions/s");
    println!("  shuttle              {shuttle:>9.0} executions/s");
    verdict("ratio", ratio, 0.5, ratio >= 0.5);
}

/// The same counter, directly on loom.
fn counter_on_loom() {
    use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use loom::thread;
    // Not loom's `Arc`, which would add to its search.
    use std::sync::Arc;

    let n = Arc::new(AtomicUsize::new(0));
    let workers = [(); 2].map(|()| {
        let n = Arc::clone(&n);
        thread::spawn(move || {
            for _ in 0..LOOM_INCREMENTS {
                let value = n.load(SeqCst);
                n.store(value + 1, SeqCst);
            }
        })
    });
    for worker in workers {
        worker.join().unwrap();
    }
    assert!(n.load(SeqCst) > 0);
}

/// Executions per second of loom's own search: through the lab against loom.
fn recording_loom() {
    use racelab::sync::Arc;
    use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use racelab::thread;

    const ROUNDS: usize = 7;

    let on_racelab = || {
        let report = Explorer::new(Engine::Loom).explore(|| {
            let n = Arc::new(AtomicUsize::new(0));
            let workers = [(); 2].map(|()| {
                let n = Arc::clone(&n);
                thread::spawn(move || {
                    for _ in 0..LOOM_INCREMENTS {
                        let value = n.load(SeqCst);
                        n.store(value + 1, SeqCst);
                    }
                })
            });
            for worker in workers {
                worker.join().unwrap();
            }
            assert!(n.load(SeqCst) > 0);
        });
        assert!(report.failure().is_none());
        report.executions
    };
    let on_loom = || {
        let executions = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let count = std::sync::Arc::clone(&executions);
        loom::model::Builder::new().check(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            counter_on_loom();
        });
        executions.load(std::sync::atomic::Ordering::Relaxed)
    };
    // The lab needs fewer, since its joins are no accesses: what counts is the time of each.
    let (of_lab, of_loom) = (on_racelab(), on_loom());
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| (time(on_racelab), time(on_loom)))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rates = |(lab, loom): &(Duration, Duration)| {
        (
            of_lab as f64 / lab.as_secs_f64(),
            of_loom as f64 / loom.as_secs_f64(),
        )
    };
    let rates: Vec<(f64, f64)> = rounds.iter().map(rates).collect();
    let lab = median(rates.iter().map(|(lab, _)| *lab).collect());
    let loom = median(rates.iter().map(|(_, loom)| *loom).collect());
    let ratio = median(rates.iter().map(|(lab, loom)| lab / loom).collect());
    println!(
        "\nloom over the racy counter, 2 threads, {LOOM_INCREMENTS} increments, {of_lab} executions \
         through the lab and {of_loom} without, median of {ROUNDS} rounds in turns"
    );
    println!("  racelab, recording   {lab:>9.0} executions/s");
    println!("  loom                 {loom:>9.0} executions/s");
    verdict("ratio", ratio, 0.7, ratio >= 0.7);
}

/// The increments of each thread of the counter that loom explores.
const LOOM_INCREMENTS: usize = 3;

/// Fails in a thread, with a guard and shared memory alive on each stack.
fn failing_body() {
    use racelab::sync::{Arc, Mutex};
    use racelab::thread;

    let shared = Arc::new(Mutex::new(vec![0_u8; 64]));
    let worker = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let held = shared.lock().unwrap();
            let also_held = Arc::clone(&shared);
            assert!(held.is_empty(), "{} bytes", held.len());
            drop(also_held);
        }
    });
    worker.join().unwrap();
}

/// Deadlocks, with a guard and shared memory alive on each stack.
fn deadlocking_body() {
    use racelab::sync::{Arc, Mutex};
    use racelab::thread;

    let shared = Arc::new(Mutex::new(vec![0_u8; 64]));
    let _held = shared.lock().unwrap();
    let worker = thread::spawn({
        let shared = Arc::clone(&shared);
        move || shared.lock().unwrap().clear()
    });
    worker.join().unwrap();
}

/// Whether the memory of the process grows with failing executions.
fn memory(name: &str, kind: FailureKind, body: fn()) {
    let fail = |executions: u64| {
        let explorer = Explorer::new(Engine::Random)
            .max_executions(executions)
            .past_failures();
        let report: Report = explorer.explore(body);
        assert_eq!(report.violations, executions, "every execution fails");
        assert_eq!(report.failure().map(|failure| failure.kind), Some(kind));
        resident_kib()
    };
    let Some(early) = fail(10_000) else {
        println!("\nresident memory: not known on this system");
        return;
    };
    let late = fail(990_000).expect("known before");
    println!("\nresident memory over executions that end in a {name}");
    println!("  after    10,000      {early:>9.0} KiB");
    println!("  after 1,000,000      {late:>9.0} KiB");
    verdict("ratio", late / early, 1.1, late / early <= 1.1);
}

/// The resident set of this process, where the system tells it.
fn resident_kib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The whole process of one exploration that finds a failure.
fn command() {
    const RUNS: usize = 20;

    let explore = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_racelab"));
        command
            .args(["explore", "counter"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().ok().and_then(|status| status.code())
    };
    // 1 is the exit code of a violation.
    if explore() != Some(1) {
        println!("\nracelab explore counter: does not report a violation, not timed");
        return;
    }
    let times = (0..RUNS)
        .map(|_| time(explore).as_secs_f64() * 1e3)
        .collect();
    let millis = median(times);
    println!("\nracelab explore counter, the whole process, median of {RUNS} runs");
    verdict("milliseconds", millis, 50.0, millis <= 50.0);
}

fn time<T>(f: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    f();
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    f64::midpoint(below, above)
}

fn verdict(what: &str, value: f64, target: f64, met: bool) {
    let met = if met { "met" } else { "missed" };
    println!("  {what:<20} {value:>9.2}   target {target}: {met}");
}
