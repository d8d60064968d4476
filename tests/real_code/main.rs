//! What people really write: short programs, most of them shaped after public reports of bugs.
//!
//! Each stands here once, in the table of its kind. A correct one holds in every interleaving, under the
//! reduction and under enumeration, and with nothing left out (`RACELAB_REQUIRE=complete`), unless its
//! test names what is. One with a bug fails, with the kind and the message of that bug, and `check` does
//! not pass it. What the lab does in each case, step by step, is tested in `tests/lab`.
#![cfg(not(loom))]

mod async_bugs;
mod atomics;
mod barriers;
mod checks;
mod destructors;
mod drops;
mod locks;
mod outcomes;
mod polling;
mod queues;
mod retries;
mod structures;
mod wake_ups;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use racelab::trace::LeftOut;
use racelab::{Coverage, Engine, Explorer, FailureKind, Verdict, hint, thread};

/// What a thread does between two looks at something: nothing, or it yields.
const PAUSES: [fn(); 3] = [|| (), hint::spin_loop, thread::yield_now];

/// The engines that explore everything.
const EXHAUSTIVE: [Engine; 2] = [Engine::Dpor, Engine::Dfs];

/// Checks that a correct program passes a check that has to be complete.
#[track_caller]
fn holds(body: impl Fn() + Send + Sync + Copy + 'static) {
    for engine in EXHAUSTIVE {
        holds_complete(engine, body);
    }
}

/// Like [`holds`], of a program with too many interleavings to enumerate.
#[track_caller]
fn holds_by_reduction(body: impl Fn() + Send + Sync + Copy + 'static) {
    holds_complete(Engine::Dpor, body);
}

#[track_caller]
fn holds_complete(engine: Engine, body: impl Fn() + Send + Sync + 'static) {
    // It takes a moment, but not on a machine that has other work to do.
    let explorer = Explorer::new(engine).time_limit(Duration::from_secs(120));
    explorer.require_complete().check(body);
}

/// Checks that a correct program holds but for what can come again and again, which the report names.
#[track_caller]
fn holds_but_for(repetition: LeftOut, body: impl Fn() + Send + Sync + Copy + 'static) {
    for engine in EXHAUSTIVE {
        holds_under(engine, repetition, body);
    }
}

/// Like [`holds_but_for`], under one engine.
#[track_caller]
fn holds_under(
    engine: Engine,
    repetition: LeftOut,
    body: impl Fn() + Send + Sync + Copy + 'static,
) {
    let report = Explorer::new(engine).explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.coverage, Coverage::Complete, "{report}");
    assert!(report.left_out.contains(&repetition), "{report}");
}

/// Checks that a program with a bug fails in this way, and in a check.
#[track_caller]
fn fails(kind: FailureKind, message: &str, body: impl Fn() + Send + Sync + Copy + 'static) {
    // A livelock goes on up to the bound.
    let bounded = |engine| Explorer::new(engine).max_steps(3_000);
    for engine in EXHAUSTIVE {
        let report = bounded(engine).explore(body);
        let failure = report
            .failure()
            .unwrap_or_else(|| panic!("{engine}: {report}"));
        assert_eq!(failure.kind, kind, "{report}");
        assert!(failure.message.contains(message), "{report}");
    }
    is_refused("VIOLATED", || bounded(Engine::Dpor).check(body));
}

/// Checks that a check does not pass, and says why, wherever the lines break.
#[track_caller]
fn is_refused(why: &str, check: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("the check passed");
    let message = panic.downcast_ref::<String>().expect("a check says why");
    let words: Vec<_> = message.split_whitespace().collect();
    assert!(words.join(" ").contains(why), "no {why:?} in\n{message}");
}
