//! A run of a body on real threads: what its threads record, and whether all of them have ended.
//!
//! There is no execution then, so that nothing is scheduled and no event recorded. Each thread of
//! the run knows it by a `thread_local!`, which a thread that the façade starts inherits.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::gate::Gate;
use super::recorded::{Lineage, Recorded};
use super::refusal::Refusal;
use super::{cores, delays, message_of};

/// What a panic says, and where it was.
pub(crate) type Panic = (String, Option<String>);

/// A run on real threads. Clones are the same run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RealRun(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    record: Mutex<Record>,
    all_ended: Condvar,
    conditions: Conditions,
    gate: Gate,
    /// How many threads and tasks were started in it, by whichever thread.
    started: AtomicUsize,
    /// How many threads the main thread had started when it first waited for one, or ended.
    together: OnceLock<u32>,
}

/// What is done so that the threads of a run meet. By default nothing is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions {
    /// So many threads, the first that the main thread starts, begin together.
    pub(crate) together: usize,
    /// The place of the core on which the first thread runs that is started. The next one runs on
    /// the next core, and so on. `None` leaves that to the system.
    pub(crate) first_core: Option<usize>,
    /// The seed of random delays before operations.
    pub(crate) delays: Option<u64>,
}

/// What is known of a run.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The threads that were started and have not ended.
    threads: usize,
    /// What the run recorded as its result.
    pub(crate) recorded: Recorded,
    /// The first panic that reached the root of a thread.
    pub(crate) failure: Option<Panic>,
    /// What the system refused that the run needs. Then it says nothing of the body.
    pub(crate) refused: Option<String>,
    /// How many threads the main thread started before it first waited for one.
    pub(crate) together: usize,
}

thread_local! {
    /// What this OS thread runs of a run.
    static CURRENT: RefCell<Option<Arc<RunThread>>> = const { RefCell::new(None) };
    /// The last panic of this OS thread, as the hook saw it.
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

impl RealRun {
    /// A run that has not begun.
    pub(crate) fn new(conditions: Conditions) -> Self {
        RealRun(Arc::new(Shared {
            conditions,
            gate: Gate::new(conditions.together),
            ..Shared::default()
        }))
    }

    /// Makes the main function of an OS thread into one that belongs to the run.
    ///
    /// A panic that reaches it is the failure of the run, and goes on.
    pub(crate) fn thread<T, F: FnOnce() -> T>(self, f: F) -> impl FnOnce() -> T {
        let member = Member::new(RunThread::main(self));
        move || {
            member.run(|| {
                member.0.begin();
                let result = f();
                RealRun::note_join();
                result
            })
        }
    }

    /// Lets a thread that is about to be started belong to the run of the calling one, if there
    /// is one.
    pub(crate) fn inherited<T, F: FnOnce() -> T>(f: F) -> impl FnOnce() -> T {
        let member = RealRun::current().map(|parent| Member::new(parent.child()));
        move || match member {
            Some(member) => member.run(|| {
                member.0.begin();
                f()
            }),
            None => f(),
        }
    }

    /// Notes that the calling thread begins to wait for threads that it has started.
    pub(crate) fn note_join() {
        if let Some(thread) = RealRun::current()
            && thread.lineage.depth() == 0
        {
            let started = thread.spawned.load(Ordering::Relaxed);
            // Only the first time counts.
            let _ = thread.run.0.together.set(started);
        }
    }

    /// Lets a task that is about to be started belong to the run of the calling thread, if there is
    /// one, whichever threads it is polled on.
    pub(crate) fn inherited_by_task<F: Future>(future: F) -> impl Future<Output = F::Output> {
        let member = RealRun::current().map(|parent| Member::new(parent.child()));
        let mut future = Box::pin(future);
        poll_fn(move |context| match &member {
            Some(member) => member.run(|| future.as_mut().poll(context)),
            None => future.as_mut().poll(context),
        })
    }

    /// Waits until all threads of the run have ended, and takes what they have recorded. `None`
    /// if they have not by the deadline.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<Record> {
        let mut record = self.record();
        while record.threads > 0 {
            let all_ended = &self.0.all_ended;
            record = match deadline {
                None => all_ended
                    .wait(record)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let waited = all_ended.wait_timeout(record, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let together = self.0.together.get();
        record.together = together.map_or(0, |together| *together as usize);
        Some(std::mem::take(&mut *record))
    }

    /// Adds to the outcome of the run that the calling thread belongs to, if there is one. The
    /// value is only asked for if there is.
    pub(crate) fn add_outcome(value: impl FnOnce() -> String) {
        if let Some(thread) = RealRun::current() {
            let value = value();
            let lineage = thread.lineage.clone();
            thread.run.record().recorded.add(lineage, &value);
        }
    }

    /// Notes a panic of the calling thread. False if it belongs to no run.
    pub(crate) fn note_panic(panic: Panic) -> bool {
        let is_member = CURRENT.try_with(|current| {
            let current = current.try_borrow();
            current.is_ok_and(|current| current.is_some())
        });
        // What was destroyed with its thread notes nothing.
        is_member.unwrap_or(false)
            && LAST_PANIC
                .try_with(|last| last.replace(Some(panic)))
                .is_ok()
    }

    /// The last panic that the calling thread noted.
    pub(crate) fn last_panic() -> Option<Panic> {
        LAST_PANIC.try_with(RefCell::take).ok().flatten()
    }

    /// What starting a thread has come to. If the system does not let a run start one, the run ends:
    /// what its body would do then says nothing of the body.
    pub(crate) fn started<T>(started: io::Result<T>) -> io::Result<T> {
        match started {
            Err(error) if RealRun::current().is_some() => Refusal::of_thread(&error).unwind(),
            started => started,
        }
    }

    fn current() -> Option<Arc<RunThread>> {
        CURRENT.try_with(|current| current.borrow().clone()).ok()?
    }

    fn fail(&self, payload: &(dyn Any + Send)) {
        if let Some(what) = Refusal::of(payload) {
            self.record().refused.get_or_insert_with(|| what.to_owned());
            return;
        }
        // Without a note the panic did not pass the hook: it was resumed by the code under test,
        // or a hook was installed after the lab's.
        let panic = RealRun::last_panic().unwrap_or_else(|| (message_of(payload), None));
        self.record().failure.get_or_insert(panic);
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        let record = self.0.record.lock();
        record.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread or task of a run, as those know that it starts.
#[derive(Debug)]
struct RunThread {
    run: RealRun,
    lineage: Lineage,
    /// Which thread or task of the run it is, in the order in which they were started.
    number: usize,
    /// How many threads and tasks it has started.
    spawned: AtomicU32,
}

impl RunThread {
    fn main(run: RealRun) -> Self {
        RunThread {
            run,
            lineage: Lineage::default(),
            number: 0,
            spawned: AtomicU32::new(0),
        }
    }

    /// A thread or task that this one is about to start.
    fn child(&self) -> Self {
        let place = self.spawned.fetch_add(1, Ordering::Relaxed);
        RunThread {
            run: self.run.clone(),
            lineage: self.lineage.child(place),
            number: self.run.0.started.fetch_add(1, Ordering::Relaxed) + 1,
            spawned: AtomicU32::new(0),
        }
    }

    /// Begins on the calling thread, which ends with it, under the conditions of the run.
    fn begin(&self) {
        let shared = &self.run.0;
        if let Some(seed) = shared.conditions.delays {
            delays::begin(seed, self.number as u64);
        }
        // The main thread has the number 0, and runs where the system likes.
        if let (Some(first), Some(place)) =
            (shared.conditions.first_core, self.number.checked_sub(1))
        {
            cores::pin(first.wrapping_add(place));
        }
        if self.lineage.depth() == 1 {
            shared.gate.pass();
        }
    }
}

/// A thread or task of a run, from before it starts until it has ended or could not be started.
struct Member(Arc<RunThread>);

impl Member {
    fn new(thread: RunThread) -> Self {
        thread.run.record().threads += 1;
        Member(Arc::new(thread))
    }

    /// Runs a piece of it on the calling thread, which may belong to another run, or to none.
    fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        let other = CURRENT.replace(Some(Arc::clone(&self.0)));
        let result = catch_unwind(AssertUnwindSafe(f));
        // For a panic to pass on, which the hook has seen.
        let result = result.inspect_err(|payload| self.0.run.fail(&**payload));
        CURRENT.set(other);
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let run = &self.0.run;
        let mut record = run.record();
        record.threads -= 1;
        if record.threads == 0 {
            run.0.all_ended.notify_all();
        }
    }
}
