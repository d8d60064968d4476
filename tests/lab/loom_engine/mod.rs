//! The engine loom: what it finds that sequential consistency hides, and what it says of what it
//! cannot do.

mod limits;
mod memory;
mod monitors;
mod parking_lot;
mod replay;
mod waiting;

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use racelab::{Engine, Explorer, FailureKind, Named, Report, Verdict, thread};

use Ordering::{Relaxed, SeqCst};

fn loom(body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(Engine::Loom).explore(body)
}

fn all(body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(Engine::Loom).past_failures().explore(body)
}

#[track_caller]
fn holds(report: &Report) {
    assert!(
        matches!(report.verdict, Verdict::Holds),
        "it does not hold:\n{report}"
    );
}

#[track_caller]
fn fails(report: &Report, kind: FailureKind) {
    let found = report.failure().map(|failure| failure.kind);
    assert_eq!(found, Some(kind), "{report}");
}

fn message_passing(store: Ordering, load: Ordering) -> impl Fn() + Send + Sync + 'static {
    move || {
        let data = Arc::new(AtomicUsize::new(0).named("data"));
        let ready = Arc::new(AtomicBool::new(false).named("ready"));
        let writer = thread::spawn({
            let (data, ready) = (Arc::clone(&data), Arc::clone(&ready));
            move || {
                data.store(1, Relaxed);
                ready.store(true, store);
            }
        });
        if ready.load(load) {
            assert_eq!(data.load(Relaxed), 1, "the data is old");
        }
        writer.join().unwrap();
    }
}

fn store_buffering(order: Ordering, fenced: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let x = Arc::new(AtomicUsize::new(0));
        let y = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let (x, y) = (Arc::clone(&x), Arc::clone(&y));
            move || {
                x.store(1, order);
                if fenced {
                    fence(SeqCst);
                }
                y.load(order)
            }
        });
        y.store(1, order);
        if fenced {
            fence(SeqCst);
        }
        let mine = x.load(order);
        let theirs = other.join().unwrap();
        assert!(mine + theirs > 0, "both read 0");
    }
}
