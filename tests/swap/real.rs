//! Outside of executions the façade is the real thing, with the feature `lab` and without it: the
//! same programs are compiled with the real crates and with racelab, and run on real threads.
#![expect(unsafe_code, reason = "raw locks are released")]

/// The programs as they are.
mod with_the_real_crates {
    use ::std::{thread, time::Duration};

    mod tokio {
        pub(super) use ::tokio::{spawn, sync, task};
    }

    include!("jobs.rs");
}

/// The programs with their imports swapped.
mod with_racelab {
    use ::std::time::Duration;
    use racelab::{
        channel as crossbeam_channel, future as tokio, queue as crossbeam_queue, thread,
    };

    include!("jobs.rs");
}

/// The program with its locks as they are.
mod cache_with_parking_lot {
    use ::std::{thread, time::Duration};

    include!("cache.rs");
}

/// The program with its locks swapped.
mod cache_with_racelab {
    use ::std::time::Duration;
    use racelab::{parking_lot, thread};

    include!("cache.rs");
}

/// The program with std's imports swapped.
mod pool_with_racelab {
    use racelab as std;

    include!("pool.rs");
}

#[test]
fn threads_with_a_channel_and_a_queue_work() {
    let numbers = [1, 2, 3, 4, 5];
    assert_eq!(with_the_real_crates::sum_of_squares(&numbers, 3, 2), 55);
    for bound in [0, 2] {
        assert_eq!(with_racelab::sum_of_squares(&numbers, 3, bound), 55);
    }
    assert_eq!(pool_with_racelab::sum_of_squares(&numbers, 3, 2), 55);
}

#[test]
fn a_queue_with_a_bound_works() {
    assert_eq!(with_the_real_crates::newest(&[1, 2, 3], 2), [2, 3]);
    assert_eq!(with_racelab::newest(&[1, 2, 3], 2), [2, 3]);
}

#[test]
fn errors_are_the_same() {
    assert_eq!(with_the_real_crates::errors(), [true; 3]);
    assert_eq!(with_racelab::errors(), [true; 3]);
}

#[test]
fn tasks_with_a_channel_work() {
    use racelab::future::block_on;

    let numbers = [1, 2, 3, 4, 5];
    let sum = block_on(with_the_real_crates::sum_in_tasks(&numbers, 1));
    assert_eq!(sum, 55);
    assert_eq!(block_on(with_racelab::sum_in_tasks(&numbers, 1)), 55);
}

#[test]
fn a_cache_with_locks_and_a_queue_works() {
    macro_rules! works {
        ($cache:ident) => {
            let cache = $cache::Cache::new();
            assert_eq!($cache::sum_of_squares(&cache, &[1, 2, 3, 2, 1]), 19);
            assert_eq!(cache.misses(), 3);
            assert_eq!((cache.change(2, 5), cache.change(4, 5)), (Some(5), None));
            assert_eq!((cache.square(2), cache.misses()), (5, 3));
            assert_eq!($cache::raw_locks(), (false, false));
        };
    }
    works!(cache_with_parking_lot);
    works!(cache_with_racelab);
}

/// What has no reason to be slower without the lab is the same type.
#[cfg(not(feature = "engine"))]
#[test]
fn without_the_lab_there_is_nothing_between() {
    let (sender, _receiver): (crossbeam_channel::Sender<u8>, _) = racelab::channel::bounded(1);
    let _named = racelab::Named::named(sender, "sender");
    let _mutex: parking_lot::Mutex<u8> = racelab::parking_lot::const_mutex(1);
    let _queue: crossbeam_queue::SegQueue<u8> = racelab::queue::SegQueue::new();
    let (_sender, _receiver): (tokio::sync::mpsc::Sender<u8>, _) =
        racelab::future::sync::mpsc::channel(1);
    let _mutex: tokio::sync::Mutex<u8> = racelab::future::sync::Mutex::new(1);
    let _notify: tokio::sync::Notify = racelab::future::sync::Notify::new();
}
