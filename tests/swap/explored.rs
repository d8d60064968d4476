//! Code of std's needs nothing but other imports: one program, compiled with both.
#![expect(unsafe_code, reason = "raw locks are released")]

use racelab::{Coverage, Engine, Explorer, FailureKind, Verdict};

/// The program as it is.
mod with_std {
    include!("pool.rs");
}

/// The program with its imports swapped.
mod with_racelab {
    use racelab as std;

    include!("pool.rs");
}

/// Statics, as they are.
mod registry_with_std {
    include!("registry.rs");
}

/// Statics, swapped.
mod registry_with_racelab {
    use racelab as std;

    include!("registry.rs");
}

/// The locks of `parking_lot`, swapped.
mod cache_with_racelab {
    use ::std::time::Duration;
    use racelab::{parking_lot, thread};

    include!("cache.rs");
}

#[test]
fn the_program_works_with_std() {
    assert_eq!(with_std::sum_of_squares(&[1, 2, 3, 4, 5], 3, 2), 55);
}

#[test]
fn the_program_works_with_its_imports_swapped_on_real_threads() {
    assert_eq!(with_racelab::sum_of_squares(&[1, 2, 3, 4, 5], 3, 2), 55);
}

#[test]
fn the_program_works_in_every_interleaving_that_a_bounded_search_sees() {
    for engine in [Engine::Dpor, Engine::Random] {
        let explorer = Explorer::new(engine).max_executions(2_000);
        let report = explorer.explore(|| {
            assert_eq!(with_racelab::sum_of_squares(&[1, 2, 3], 2, 1), 14);
        });
        assert!(
            matches!(report.verdict, Verdict::Inconclusive(_)),
            "{report:?}"
        );
        assert_eq!(
            (report.executions, report.violations),
            (2_000, 0),
            "{report:?}"
        );
        assert!(
            matches!(report.coverage, Coverage::Bounded(_)),
            "{report:?}"
        );
    }
}

#[test]
fn statics_and_locks_work_with_either() {
    assert_eq!(registry_with_std::greetings(&["a", "b", "a"]), 2);
    assert_eq!(registry_with_racelab::greetings(&["a", "b", "a"]), 2);
    let report = Explorer::new(Engine::Dpor)
        .max_executions(2_000)
        .explore(|| {
            // In an execution nobody has greeted before.
            assert_eq!(registry_with_racelab::greetings(&["a", "a"]), 1);
        });
    assert!(report.failure().is_none(), "{report:?}");
    assert!(report.executions > 1, "{report:?}");
}

#[test]
fn a_bug_in_the_use_of_the_program_is_found() {
    let report = Explorer::new(Engine::Random).explore(|| {
        // Without workers nobody makes room in the queue.
        with_racelab::sum_of_squares(&[1, 2], 0, 1);
    });
    let failure = report.failure().expect("it stands still");
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert_eq!(failure.trace.threads[1].name.as_deref(), Some("adder"));
}

#[test]
fn locks_of_parking_lot_work_with_their_imports_swapped_in_every_interleaving() {
    let report = Explorer::new(Engine::Dpor)
        .max_executions(2_000)
        .explore(|| {
            let cache = cache_with_racelab::Cache::new();
            assert_eq!(cache_with_racelab::sum_of_squares(&cache, &[1, 2]), 5);
            assert!(cache.change(2, 5) == Some(5));
            assert_eq!(
                (cache.misses(), cache_with_racelab::raw_locks()),
                (2, (false, false))
            );
        });
    assert!(report.failure().is_none(), "{report:?}");
    assert!(report.executions > 1, "{report:?}");
}
