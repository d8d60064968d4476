//! tokio's synchronisation: against tokio, and in small programs whose outcomes are known.

mod broadcast;
#[cfg(feature = "tokio-util")]
mod cancellation_token;
mod mpsc;
mod mutex;
mod notify;
mod once_cell;
mod oneshot;
mod rwlock;
mod semaphore;
mod watch;
mod worlds;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use racelab::{Engine, Explorer, Verdict, future};

/// Futures that are polled by hand, and how often each was woken.
struct Futures<'a, T>(Vec<Waiting<'a, T>>);

struct Waiting<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl<'a, T> Futures<'a, T> {
    fn new() -> Self {
        Futures(Vec::new())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a future that is not polled yet.
    fn add(&mut self, future: impl Future<Output = T> + 'a) {
        self.0.push(Waiting {
            future: Box::pin(future),
            wakes: Arc::default(),
        });
    }

    /// Adds a future and polls it.
    fn start(&mut self, future: impl Future<Output = T> + 'a) -> Poll<T> {
        self.add(future);
        self.poll(self.0.len() - 1)
    }

    /// Polls one of them, and takes it out if it is ready.
    fn poll(&mut self, index: usize) -> Poll<T> {
        let index = index % self.0.len();
        let waiting = &mut self.0[index];
        let waker = Waker::from(Arc::clone(&waiting.wakes));
        let polled = waiting
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.drop(index);
        }
        polled
    }

    /// Drops one of them.
    fn drop(&mut self, index: usize) {
        let index = index % self.0.len();
        drop(self.0.remove(index));
    }

    /// How often each of them was woken.
    fn wakes(&self) -> String {
        let wakes = self.0.iter().map(|waiting| waiting.wakes.0.load(SeqCst));
        format!("{:?}", wakes.collect::<Vec<_>>())
    }
}

/// A future that was polled already, as it is to be moved: not at all.
fn pinned<'a, F: Future + 'a>(future: Pin<Box<F>>) -> impl Future<Output = F::Output> + 'a {
    future
}

/// The outcomes of a body, which must be the same under the naive enumeration and the reduced
/// search.
fn outcomes<F: Future<Output = ()>>(
    body: impl Fn() -> F + Send + Sync + Copy + 'static,
) -> Vec<String> {
    let [naive, reduced] = [Engine::Dfs, Engine::Dpor].map(|engine| {
        let explorer = Explorer::new(engine).past_failures();
        let report = explorer.explore(move || future::block_on(body()));
        assert!(
            !matches!(report.verdict, Verdict::Inconclusive(_)),
            "{report:?}"
        );
        let outcomes = report.outcomes.into_iter();
        // Texts as they are.
        let outcomes = outcomes.map(|outcome| outcome.value.replace('"', ""));
        let mut outcomes: Vec<String> = outcomes.collect();
        if let Verdict::Violated(failure) = report.verdict {
            outcomes.push(failure.kind.to_string());
        }
        outcomes
    });
    assert_eq!(naive, reduced);
    naive
}

/// The report of a body that fails, in one line.
fn report(body: impl Fn() + Send + Sync + 'static) -> String {
    let report = super::explore(body).to_string();
    report.split_whitespace().collect::<Vec<_>>().join(" ")
}
