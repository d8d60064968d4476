//! `sync::counted`: an `Arc` whose counts are operations.

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::counted::{Arc, Weak};
use racelab::{Engine, Explorer, FailureKind, Verdict, thread};

use super::{explore, outcomes};

/// Has two threads take what they share.
fn take_both(take: fn(Arc<u8>) -> Option<u8>) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        let mine = Arc::new(5);
        let theirs = Arc::clone(&mine);
        let thread = thread::spawn(move || take(theirs));
        let taken = [take(mine), thread.join().unwrap()];
        let count = taken.into_iter().flatten().count();
        assert_eq!(count, 1, "nobody got the value");
    }
}

#[test]
fn try_unwrap_can_fail_in_both_threads() {
    let engines = [
        Engine::Dpor,
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
        #[cfg(feature = "loom")]
        Engine::Loom,
    ];
    for engine in engines {
        let explorer = Explorer::new(engine).max_executions(1_000);
        let report = explorer.explore(take_both(|arc| Arc::try_unwrap(arc).ok()));
        let failure = report
            .failure()
            .unwrap_or_else(|| panic!("{engine}: {report}"));
        assert!(failure.message.contains("nobody got the value"), "{report}");
        let report = explorer.explore(take_both(Arc::into_inner));
        assert!(report.failure().is_none(), "{engine}: {report}");
    }
}

#[test]
fn into_inner_gives_the_value_to_one_thread() {
    let report = explore(take_both(Arc::into_inner));
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert!(report.executions > 1, "{report}");
}

#[test]
fn either_thread_runs_the_destructor() {
    struct Noting;
    impl Drop for Noting {
        fn drop(&mut self) {
            racelab::outcome(thread::current().name().unwrap_or("other").to_owned());
        }
    }
    let seen = outcomes(|| {
        let mine = Arc::new(Noting);
        let theirs = Arc::clone(&mine);
        let thread = thread::spawn(move || drop(theirs));
        drop(mine);
        thread.join().unwrap();
    });
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[test]
fn a_weak_one_is_upgraded_or_not() {
    let seen = outcomes(|| {
        let strong = Arc::new(7);
        let weak = Arc::downgrade(&strong);
        let thread = thread::spawn(move || weak.upgrade().map(|strong| *strong));
        drop(strong);
        racelab::outcome(thread.join().unwrap());
    });
    assert_eq!(seen, ["None", "Some(7)"]);
}

#[test]
fn the_destructor_of_the_last_one_races_with_nobody() {
    use racelab::cell::UnsafeCell;

    struct Slot(UnsafeCell<u32>);
    #[expect(unsafe_code, reason = "a cell that is shared")]
    // SAFETY: one thread writes, and whoever drops the last one reads; the lab reports it if not.
    unsafe impl Sync for Slot {}
    impl Drop for Slot {
        fn drop(&mut self) {
            #[expect(unsafe_code, reason = "a cell is read by a pointer")]
            // SAFETY: nobody else has it any more.
            self.0.with(|slot| assert_eq!(unsafe { *slot }, 1));
        }
    }
    let report = explore(|| {
        let mine = Arc::new(Slot(UnsafeCell::new(0)));
        let theirs = Arc::clone(&mine);
        let thread = thread::spawn(move || {
            #[expect(unsafe_code, reason = "a cell is written by a pointer")]
            // SAFETY: nobody else uses it before this one is dropped.
            theirs.0.with_mut(|slot| unsafe { *slot = 1 });
        });
        drop(mine);
        thread.join().unwrap();
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.left_out, [racelab::trace::LeftOut::StaleValues]);
    assert_eq!(report.outcomes.len(), 0);
}

#[test]
fn who_writes_after_a_look_at_the_count_races() {
    use racelab::cell::UnsafeCell;

    struct Slot(UnsafeCell<u32>);
    #[expect(unsafe_code, reason = "a cell that is shared")]
    // SAFETY: the lab reports the race before the second access.
    unsafe impl Sync for Slot {}
    impl Slot {
        fn set(&self, value: u32) {
            #[expect(unsafe_code, reason = "a cell is written by a pointer")]
            // SAFETY: as above.
            self.0.with_mut(|slot| unsafe { *slot = value });
        }
    }
    // `strong_count` is Relaxed: it orders nothing.
    let report = explore(|| {
        let mine = Arc::new(Slot(UnsafeCell::new(0)));
        let theirs = Arc::clone(&mine);
        let thread = thread::spawn(move || theirs.set(1));
        if Arc::strong_count(&mine) == 1 {
            mine.set(2);
        }
        thread.join().unwrap();
    });
    let failure = report.failure().expect("it races");
    assert_eq!(failure.kind, FailureKind::DataRace, "{report}");
}

#[test]
fn outside_of_executions_it_is_as_stds() {
    let dropped = std::sync::Arc::new(());
    let mut arc = Arc::new(std::sync::Arc::clone(&dropped));
    assert_eq!((Arc::strong_count(&arc), Arc::weak_count(&arc)), (1, 0));
    assert!(Arc::get_mut(&mut arc).is_some());
    let weak = Arc::downgrade(&arc);
    assert!(Arc::get_mut(&mut arc).is_none());
    let other = arc.clone();
    assert!(Arc::ptr_eq(&arc, &other) && arc == other);
    assert_eq!((weak.strong_count(), weak.weak_count()), (2, 1));
    let arc = Arc::try_unwrap(arc).expect_err("there are two");
    drop(arc);
    assert_eq!(weak.upgrade().as_deref(), Some(&dropped));
    assert!(Arc::into_inner(other).is_some());
    assert!(weak.upgrade().is_none());
    assert_eq!(std::sync::Arc::strong_count(&dropped), 1);
    assert!(Weak::<u8>::new().upgrade().is_none());
}

#[test]
fn make_mut_leaves_weak_ones_and_others_what_they_had() {
    let body = || {
        let mut first = Arc::new(1);
        let second = Arc::clone(&first);
        *Arc::make_mut(&mut first) = 2;
        assert_eq!((*first, *second), (2, 1));
        let weak = Arc::downgrade(&first);
        *Arc::make_mut(&mut first) = 3;
        assert!(weak.upgrade().is_none());
        assert_eq!((*first, Arc::strong_count(&first)), (3, 1));
        assert_eq!(Arc::unwrap_or_clone(second), 1);
    };
    body();
    let report = explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn a_cycle_is_made_of_a_weak_one_that_cannot_be_upgraded_yet() {
    struct Own(Weak<Own>);
    let body = || {
        let own = Arc::new_cyclic(|weak: &Weak<Own>| {
            assert!(weak.upgrade().is_none());
            Own(weak.clone())
        });
        assert!(Arc::ptr_eq(&own, &own.0.upgrade().expect("it is made")));
        assert_eq!((Arc::strong_count(&own), Arc::weak_count(&own)), (1, 1));
    };
    body();
    let report = explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn a_trait_object_is_made_of_a_box() {
    trait Counts: Send + Sync {
        fn count(&self) -> usize;
    }
    impl Counts for AtomicUsize {
        fn count(&self) -> usize {
            self.fetch_add(1, SeqCst)
        }
    }
    let seen = outcomes(|| {
        let counter: Arc<dyn Counts> = Arc::from(Box::new(AtomicUsize::new(0)) as Box<dyn Counts>);
        let other = Arc::clone(&counter);
        let thread = thread::spawn(move || other.count());
        racelab::outcome((counter.count(), thread.join().unwrap()));
    });
    assert_eq!(seen, ["(0, 1)", "(1, 0)"]);
}
