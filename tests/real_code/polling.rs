//! Loops that poll terminate, whichever operation they poll with.

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst, fence};
use racelab::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock, mpsc};
use racelab::trace::LeftOut;
use racelab::{hint, thread};

use super::{PAUSES, fails, holds, holds_but_for, holds_by_reduction};

/// One thread changes what it shares with another one, which looks until it sees that.
fn poll<T: Send + Sync + 'static>(
    pause: fn(),
    new: fn() -> T,
    change: fn(&T),
    sees: fn(&T) -> bool,
) {
    let shared = Arc::new(new());
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || change(&shared)
    });
    while !sees(&shared) {
        pause();
    }
    other.join().unwrap();
}

/// Checks that a loop ends, whatever it does between two looks.
#[track_caller]
fn ends<T: Send + Sync + 'static>(new: fn() -> T, change: fn(&T), sees: fn(&T) -> bool) {
    for pause in PAUSES {
        holds(move || poll(pause, new, change, sees));
    }
}

/// Like [`ends`], of a loop that may change something in each round.
#[track_caller]
fn ends_but_for_rounds<T: Send + Sync + 'static>(
    new: fn() -> T,
    change: fn(&T),
    sees: fn(&T) -> bool,
) {
    for pause in PAUSES {
        let body = move || poll(pause, new, change, sees);
        holds_but_for(LeftOut::RepeatedRounds, body);
    }
}

#[test]
fn a_loop_that_loads_a_flag_ends() {
    ends(
        || AtomicBool::new(false),
        |flag| flag.store(true, SeqCst),
        |flag| flag.load(SeqCst),
    );
}

#[test]
fn a_loop_that_swaps_a_flag_ends() {
    ends(
        || AtomicBool::new(true),
        |flag| flag.store(false, SeqCst),
        |flag| !flag.swap(true, SeqCst),
    );
}

#[test]
fn a_loop_that_compares_and_swaps_a_flag_ends() {
    ends(
        || AtomicBool::new(true),
        |flag| flag.store(false, SeqCst),
        |flag| flag.compare_exchange(false, true, SeqCst, SeqCst).is_ok(),
    );
}

#[test]
fn a_loop_that_sets_a_bit_ends() {
    ends(
        || AtomicUsize::new(1),
        |bits| bits.store(0, SeqCst),
        |bits| bits.fetch_or(1, SeqCst) & 1 == 0,
    );
}

#[test]
fn a_loop_that_adds_nothing_ends() {
    ends(
        || AtomicUsize::new(0),
        |n| n.store(1, SeqCst),
        |n| n.fetch_add(0, SeqCst) == 1,
    );
}

#[test]
fn a_loop_that_looks_for_the_largest_ends() {
    ends(
        || AtomicUsize::new(1),
        |n| n.store(2, SeqCst),
        |n| n.fetch_max(1, SeqCst) == 2,
    );
}

#[test]
fn a_loop_that_updates_what_is_there_ends() {
    for pause in PAUSES {
        // It compares and swaps, which can fail spuriously.
        holds_but_for(LeftOut::RepeatedFailures, move || {
            poll(
                pause,
                || AtomicUsize::new(0),
                |n| n.store(1, SeqCst),
                |n| {
                    let take = |n: usize| n.checked_sub(1);
                    n.fetch_update(SeqCst, SeqCst, take).is_ok()
                },
            );
        });
    }
}

#[test]
fn a_loop_that_locks_a_mutex_ends() {
    ends(
        || Mutex::new(false),
        |flag| *flag.lock().unwrap() = true,
        |flag| *flag.lock().unwrap(),
    );
}

#[test]
fn a_loop_that_tries_to_lock_a_mutex_ends() {
    ends(
        || Mutex::new(0),
        |n| *n.lock().unwrap() += 1,
        |n| n.try_lock().is_ok_and(|n| *n == 1),
    );
}

#[test]
fn a_loop_that_reads_under_a_read_write_lock_ends() {
    ends(
        || RwLock::new(false),
        |flag| *flag.write().unwrap() = true,
        |flag| *flag.read().unwrap(),
    );
}

#[test]
fn a_loop_that_tries_to_read_ends() {
    ends(
        || RwLock::new(false),
        |flag| *flag.write().unwrap() = true,
        |flag| flag.try_read().is_ok_and(|flag| *flag),
    );
}

#[test]
fn a_loop_that_tries_to_write_ends() {
    ends(
        || RwLock::new(false),
        |flag| *flag.write().unwrap() = true,
        |flag| flag.try_write().is_ok_and(|flag| *flag),
    );
}

#[test]
fn a_loop_that_asks_for_what_is_set_once_ends() {
    ends(
        OnceLock::new,
        |once| once.set(5).unwrap(),
        |once| once.get() == Some(&5),
    );
}

#[test]
fn a_loop_that_takes_out_of_a_mutex_ends() {
    ends_but_for_rounds(
        || Mutex::new(None),
        |slot| *slot.lock().unwrap() = Some(5),
        |slot| slot.lock().unwrap().take().is_some(),
    );
}

#[test]
fn a_loop_that_takes_out_of_a_mutex_that_it_tries_to_lock_ends() {
    for pause in PAUSES {
        holds_but_for(LeftOut::RepeatedRounds, move || {
            poll(
                pause,
                || Mutex::new(None),
                |slot| *slot.lock().unwrap() = Some(5),
                |slot| slot.try_lock().is_ok_and(|mut slot| slot.take().is_some()),
            );
        });
    }
}

#[test]
fn a_loop_of_two_looks_with_a_fence_between_ends() {
    let new = || [AtomicBool::new(false), AtomicBool::new(false)];
    let change: fn(&[AtomicBool; 2]) =
        |flags| flags.iter().for_each(|flag| flag.store(true, SeqCst));
    let sees_both: fn(&[AtomicBool; 2]) -> bool = |flags| {
        let first = flags[0].load(SeqCst);
        fence(SeqCst);
        flags[1].load(SeqCst) && first
    };
    // The second look only when the first one has seen something: two loops in one.
    let sees_one_and_then_the_other: fn(&[AtomicBool; 2]) -> bool = |flags| {
        let first = flags[0].load(SeqCst);
        fence(SeqCst);
        first && flags[1].load(SeqCst)
    };
    for sees in [sees_both, sees_one_and_then_the_other] {
        for pause in PAUSES {
            holds_by_reduction(move || poll(pause, new, change, sees));
        }
    }
}

#[test]
fn a_loop_of_looks_at_an_atomic_and_under_a_lock_ends() {
    ends(
        || (Mutex::new(0), AtomicBool::new(false)),
        |(n, done)| {
            *n.lock().unwrap() = 5;
            done.store(true, SeqCst);
        },
        |(n, done)| *n.lock().unwrap() == 5 && done.load(SeqCst),
    );
}

#[test]
fn a_loop_that_tries_to_receive_ends() {
    for pause in PAUSES {
        holds(move || {
            let (sender, receiver) = mpsc::channel();
            let other = thread::spawn(move || sender.send(5).unwrap());
            let got = loop {
                match receiver.try_recv() {
                    Ok(got) => break got,
                    Err(_) => pause(),
                }
            };
            assert_eq!(got, 5);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_loop_that_tries_to_send_ends() {
    for pause in PAUSES {
        holds(move || {
            let (sender, receiver) = mpsc::sync_channel(1);
            let other = thread::spawn(move || receiver.iter().sum::<u8>());
            for n in [1, 2] {
                while sender.try_send(n).is_err() {
                    pause();
                }
            }
            drop(sender);
            assert_eq!(other.join().unwrap(), 3);
        });
    }
}

#[test]
fn a_loop_that_asks_whether_a_thread_has_finished_ends() {
    for pause in PAUSES {
        holds_but_for(LeftOut::RepeatedFailures, move || {
            let n = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || n.store(1, SeqCst)
            });
            while !other.is_finished() {
                pause();
            }
            assert_eq!(n.load(SeqCst), 1);
            other.join().unwrap();
        });
    }
}

#[test]
fn two_threads_that_poll_one_mutex_end() {
    for pause in PAUSES {
        holds_by_reduction(move || {
            let flag = Arc::new(Mutex::new(false));
            let pollers = [(); 2].map(|()| {
                let flag = Arc::clone(&flag);
                thread::spawn(move || {
                    while !*flag.lock().unwrap() {
                        pause();
                    }
                })
            });
            *flag.lock().unwrap() = true;
            for poller in pollers {
                poller.join().unwrap();
            }
        });
    }
}

#[test]
fn two_threads_that_wait_for_each_other_in_turn_end() {
    for pause in PAUSES {
        holds_by_reduction(move || {
            let turn = Arc::new(AtomicUsize::new(0));
            let play = move |turn: &AtomicUsize, first: usize| {
                for round in [first, first + 2] {
                    while turn.load(SeqCst) != round {
                        pause();
                    }
                    turn.store(round + 1, SeqCst);
                }
            };
            let other = thread::spawn({
                let turn = Arc::clone(&turn);
                move || play(&turn, 1)
            });
            play(&turn, 0);
            other.join().unwrap();
        });
    }
}

#[test]
fn who_polls_a_hundred_times_and_then_parks_is_woken() {
    holds(|| {
        let ready = Arc::new(AtomicBool::new(false));
        let poller = thread::current();
        let other = thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                ready.store(true, SeqCst);
                poller.unpark();
            }
        });
        let mut rounds = 0;
        while !ready.load(SeqCst) {
            if rounds < 100 {
                rounds += 1;
                hint::spin_loop();
            } else {
                thread::park();
            }
        }
        other.join().unwrap();
    });
}

#[test]
fn a_lost_wake_up_behind_a_hundred_rounds_is_found() {
    fails(racelab::FailureKind::Deadlock, "", || {
        let shared = Arc::new((AtomicBool::new(false), Mutex::new(()), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.0.store(true, SeqCst);
                shared.2.notify_one();
            }
        });
        let spins = (0..100).any(|_| {
            hint::spin_loop();
            shared.0.load(SeqCst)
        });
        if !spins {
            let guard = shared.1.lock().unwrap();
            drop(shared.2.wait(guard).unwrap());
        }
        other.join().unwrap();
    });
}

#[test]
fn a_loop_that_nobody_ends_is_a_livelock() {
    let kind = racelab::FailureKind::Livelock;
    for pause in PAUSES {
        // Each waits for the other one.
        fails(kind, "", move || {
            let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
            let wait = move |flags: &[AtomicBool; 2], mine: usize| {
                while !flags[1 - mine].load(SeqCst) {
                    pause();
                }
                flags[mine].store(true, SeqCst);
            };
            let other = thread::spawn({
                let flags = Arc::clone(&flags);
                move || wait(&flags, 1)
            });
            wait(&flags, 0);
            other.join().unwrap();
        });
    }
}

#[test]
fn who_polls_behind_a_barrier_ends() {
    for pause in PAUSES {
        holds(move || {
            let shared = Arc::new((Barrier::new(2), AtomicBool::new(false)));
            let other = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    shared.0.wait();
                    shared.1.store(true, SeqCst);
                }
            });
            shared.0.wait();
            while !shared.1.load(SeqCst) {
                pause();
            }
            other.join().unwrap();
        });
    }
}
