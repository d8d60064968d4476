//! How often one more execution allocates: `cargo bench --bench allocations`.
//!
//! Counted, and so the same in each run on whichever machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{Engine, Explorer, thread};

/// The system's allocator, which counts how often it is asked for memory.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(
    unsafe_code,
    reason = "std has no other way to learn of each allocation"
)]
// SAFETY: each call is passed on to the system's allocator as it is, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is the one that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory came from there.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as above; the memory came from there.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// `counter/fetch-add` with two threads.
fn body() {
    let n = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let n = Arc::clone(&n);
            thread::spawn(move || {
                n.fetch_add(1, SeqCst);
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(n.load(SeqCst), 2);
}

/// The allocations of a search that ends after this number of executions.
fn allocations(engine: Engine, executions: u64) -> u64 {
    let before = ALLOCATIONS.load(Relaxed);
    let report = Explorer::new(engine)
        .max_executions(executions)
        .explore(body);
    assert_eq!(report.executions, executions);
    ALLOCATIONS.load(Relaxed) - before
}

fn main() {
    /// The number of executions of the shorter search. The longer one has twice as many.
    const EXECUTIONS: u64 = 10_000;
    const OF_BODY: u64 = 6;

    println!("allocations of one more execution of counter/fetch-add, 2 threads");
    println!(
        "  those of the body are {OF_BODY}: its counter, the list of its threads, and for each \
         thread its closure and the place of its result"
    );
    for engine in [Engine::Random, Engine::Pct] {
        let short = allocations(engine, EXECUTIONS);
        let long = allocations(engine, 2 * EXECUTIONS);
        let more = long - short;
        // What grows by doubling does so once more in the longer search.
        let met = more <= OF_BODY * EXECUTIONS + 100;
        println!(
            "  {engine:<10} {}.{:02}   target {OF_BODY}: {}",
            more / EXECUTIONS,
            more % EXECUTIONS * 100 / EXECUTIONS,
            if met { "met" } else { "missed" }
        );
    }
}
