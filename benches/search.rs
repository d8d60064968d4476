//! What the search with reduction costs, beside what one would use instead: `cargo bench --bench
//! search`.
//!
//! All figures of one comparison are measured in turns in one run, since machines are shared.

mod sections;

use std::time::{Duration, Instant};

use racelab::{Coverage, Engine, Explorer, Report};

fn main() {
    sections::run(&[
        ("counts", counts),
        ("against", against_enumeration),
        ("rate", rate),
        ("memory", memory),
        ("jobs", jobs),
    ]);
}

/// A counter on the primitives of one library: each thread does `increment` so often.
macro_rules! counter {
    (
        $(#[$doc:meta])*
        $name:ident on $library:ident, $arc:path: |$n:ident| $increment:block
    ) => {
        $(#[$doc])*
        fn $name(threads: usize, times: usize) -> impl Fn() + Send + Sync + 'static {
            use $arc as Arc;
            use $library::sync::atomic::{AtomicUsize, Ordering::SeqCst};
            use $library::thread;

            move || {
                let n = Arc::new(AtomicUsize::new(0));
                let workers = (0..threads).map(|_| {
                    let $n = Arc::clone(&n);
                    thread::spawn(move || {
                        for _ in 0..times $increment
                    })
                });
                for worker in workers.collect::<Vec<_>>() {
                    worker.join().unwrap();
                }
                assert!(n.load(SeqCst) > 0);
            }
        }
    };
}

counter! {
    /// The racy counter on the lab: each thread loads and then stores, so often.
    counter on racelab, racelab::sync::Arc: |n| {
        let value = n.load(SeqCst);
        n.store(value + 1, SeqCst);
    }
}

counter! {
    /// The same counter, directly on shuttle.
    counter_on_shuttle on shuttle, shuttle::sync::Arc: |n| {
        let value = n.load(SeqCst);
        n.store(value + 1, SeqCst);
    }
}

counter! {
    /// The same counter, directly on loom. Not with loom's `Arc`, which would add to its search.
    counter_on_loom on loom, std::sync::Arc: |n| {
        let value = n.load(SeqCst);
        n.store(value + 1, SeqCst);
    }
}

counter! {
    /// The counter whose threads increment it in one step:
    /// (threads · times)! / times!^threads traces.
    increments on racelab, racelab::sync::Arc: |n| {
        n.fetch_add(1, SeqCst);
    }
}

/// Explores all traces.
fn explore(threads: usize, times: usize) -> Report {
    let report = Explorer::new(Engine::Dpor).explore(counter(threads, times));
    assert_eq!(report.coverage, Coverage::Complete, "{report}");
    assert_eq!(report.blocked, 0, "{report}");
    report
}

/// All traces of the counter, each once.
fn counts() {
    println!("all traces of the racy counter (threads, increments)");
    for (threads, times, traces) in [
        (2, 1, 4),
        (2, 2, 34),
        (2, 3, 328),
        (2, 4, 3_334),
        (3, 1, 36),
        (3, 2, 7_134),
        (4, 1, 576),
        (3, 3, 1_824_912),
    ] {
        let start = Instant::now();
        let report = explore(threads, times);
        let took = start.elapsed().as_secs_f64();
        let met = verdict(report.executions == traces);
        println!(
            "  ({threads},{times})   {:>9} executions, 0 blocked, {took:>8.4} s   target {traces}: {met}",
            report.executions
        );
    }
}

/// The time to a complete answer, against searches without this reduction.
fn against_enumeration() {
    const ROUNDS: usize = 5;

    let on_shuttle = || {
        let mut config = shuttle::Config::default();
        config.failure_persistence = shuttle::FailurePersistence::None;
        let scheduler = shuttle::scheduler::DfsScheduler::new(None, false);
        shuttle::Runner::new(scheduler, config).run(counter_on_shuttle(3, 1))
    };
    let on_loom = || loom::model::Builder::new().check(counter_on_loom(3, 1));
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| (time(|| explore(3, 1)), time(on_shuttle), time(on_loom)))
        .collect();
    let seconds = |of: fn(&(Duration, Duration, Duration)) -> Duration| {
        median(rounds.iter().map(|round| of(round).as_secs_f64()).collect())
    };
    let lab = seconds(|round| round.0);
    println!("\nthe racy counter of 3 threads to the end, median of {ROUNDS} rounds in turns");
    println!("  racelab dpor         {lab:>10.5} s");
    for (name, other, target) in [
        ("shuttle DFS", seconds(|round| round.1), 400.0),
        ("loom", seconds(|round| round.2), 1_500.0),
    ] {
        let ratio = other / lab;
        let met = verdict(ratio >= target);
        println!("  {name:<20} {other:>10.5} s   1/{ratio:.0}, target 1/{target:.0}: {met}");
    }
}

/// Executions per second, against a random walk of shuttle over the same program.
fn rate() {
    const ROUNDS: usize = 11;
    /// So often is the whole search done in a round.
    const SEARCHES: u32 = 300;
    const RANDOM: usize = 20_000;

    let on_racelab = || {
        let executions = (0..SEARCHES).map(|_| explore(2, 2).executions);
        executions.sum::<u64>()
    };
    // One search that is long enough that its beginning does not matter.
    let on_racelab_long = || explore(2, 4).executions;
    let at_random = || {
        let explorer = Explorer::new(Engine::Random).max_executions(RANDOM as u64);
        explorer.explore(counter(2, 2))
    };
    let executions = f64::from(34 * SEARCHES);
    let on_shuttle = |runs: u32, times: usize, executions: usize| {
        for seed in 0..runs {
            let mut config = shuttle::Config::default();
            config.failure_persistence = shuttle::FailurePersistence::None;
            let scheduler =
                shuttle::scheduler::RandomScheduler::new_from_seed(seed.into(), executions);
            shuttle::Runner::new(scheduler, config).run(counter_on_shuttle(2, times));
        }
    };
    let rounds = (0..=ROUNDS).map(|_| {
        [
            time(on_racelab),
            time(|| on_shuttle(SEARCHES, 2, 34)),
            time(on_racelab_long),
            time(|| on_shuttle(1, 4, 3_334)),
            time(at_random),
            time(|| on_shuttle(1, 2, RANDOM)),
        ]
    });
    // The first round warms up and is left out.
    let rounds: Vec<_> = rounds.skip(1).collect();
    let rate = |index: usize, executions: f64| {
        let rates = rounds
            .iter()
            .map(|round: &[Duration; 6]| executions / round[index].as_secs_f64());
        median(rates.collect())
    };
    println!("\nexecutions per second over the racy counter, median of {ROUNDS} rounds in turns");
    let random = f64::from(u32::try_from(RANDOM).expect("it is small"));
    for (size, engine, lab, shuttle, what, target) in [
        (
            "(2,2)",
            "dpor",
            rate(0, executions),
            rate(1, executions),
            "300 searches of 34, each from its start",
            1.5,
        ),
        (
            "(2,4)",
            "dpor",
            rate(2, 3_334.0),
            rate(3, 3_334.0),
            "one search of 3,334",
            1.5,
        ),
        (
            "(2,2)",
            "random",
            rate(4, random),
            rate(5, random),
            "one search of 20,000",
            2.5,
        ),
    ] {
        let ratio = lab / shuttle;
        let met = verdict(ratio >= target);
        println!("  {size}, {what}");
        println!("    racelab {engine:<10} {lab:>9.0}");
        println!("    shuttle random     {shuttle:>9.0}");
        println!("    ratio              {ratio:>9.2}   target {target}: {met}");
    }
}

/// Whether the memory of the process grows with the search.
fn memory() {
    let explore = |executions: u64| {
        let explorer = Explorer::new(Engine::Dpor).max_executions(executions);
        let report = explorer.explore(counter(3, 3));
        assert_eq!(report.executions, executions);
        peak_kib()
    };
    let Some(early) = explore(10_000) else {
        println!("\npeak memory: not known on this system");
        return;
    };
    let late = explore(1_000_000).expect("known before");
    let ratio = late / early;
    let met = verdict(ratio <= 1.2);
    println!("\npeak memory of dpor over the racy counter (3,3)");
    println!("  after    10,000      {early:>9.0} KiB");
    println!("  after 1,000,000      {late:>9.0} KiB");
    println!("  ratio                {ratio:>9.2}   target 1.2: {met}");
}

/// Two workers against one.
fn jobs() {
    const ROUNDS: usize = 5;
    /// 10! / 2!^5.
    const TRACES: u64 = 113_400;

    let explore = |jobs: usize| {
        let report = Explorer::new(Engine::Dpor)
            .jobs(jobs)
            .explore(increments(5, 2));
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
        assert_eq!(report.executions, TRACES);
    };
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| (time(|| explore(1)), time(|| explore(2))))
        .collect();
    let ratios = rounds
        .iter()
        .map(|(one, two)| one.as_secs_f64() / two.as_secs_f64());
    let ratio = median(ratios.collect());
    let met = verdict(ratio >= 1.6);
    println!(
        "\n--jobs 2 against --jobs 1 on a tree of {TRACES} executions, median of {ROUNDS} rounds \
         in turns"
    );
    println!("  ratio                {ratio:>9.2}   target 1.6: {met}");
}

/// The peak of the resident set of this process, where the system tells it.
fn peak_kib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
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

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
