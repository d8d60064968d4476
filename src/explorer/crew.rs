//! The workers of a divided exploration, and the watch over them.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::engine::Coroutines;
use crate::execution::{Patience, Pulse, Refusal};
use crate::search::{Divisible, News, Shared, Sum, Worker};

/// How often the workers are looked after.
const TICK: Duration = Duration::from_millis(50);

/// The workers of one exploration.
pub(super) struct Crew {
    workers: Vec<Member>,
    /// What stands for all of them.
    pulse: Arc<Pulse>,
    stall_limit: Duration,
    /// When all workers were last seen to go on.
    beaten_at: Instant,
}

/// A worker, seen from outside.
struct Member {
    thread: JoinHandle<()>,
    pulse: Arc<Pulse>,
    /// How often it had beaten when all workers were last seen to go on.
    beats: u64,
}

impl Crew {
    /// Starts workers, which send what they have to say: as many as the system lets it, and one at
    /// least.
    pub(super) fn start<S: Divisible>(
        jobs: usize,
        engine: &Coroutines,
        shared: &Arc<Shared<S>>,
        news: &Sender<News>,
        stall_limit: Duration,
    ) -> Self {
        let started = (0..jobs).map(|_| Crew::worker(engine, shared, news.clone()));
        let mut workers = Vec::new();
        for worker in started {
            match worker {
                Ok(worker) => workers.push(worker),
                // Fewer of them come to the same, later.
                Err(_) if !workers.is_empty() => break,
                Err(error) => Refusal::of_thread(&error).unwind(),
            }
        }
        Crew {
            workers,
            pulse: Arc::clone(&engine.pulse),
            stall_limit,
            beaten_at: Instant::now(),
        }
    }

    fn worker<S: Divisible>(
        engine: &Coroutines,
        shared: &Arc<Shared<S>>,
        news: Sender<News>,
    ) -> io::Result<Member> {
        let pulse = Arc::new(Pulse::default());
        let patience = Patience::default();
        let engine = Coroutines {
            pulse: Arc::clone(&pulse),
            patience: patience.clone(),
            ..engine.clone()
        };
        let worker = Worker::new(Arc::clone(shared), patience, Arc::clone(&pulse), news);
        let thread = thread::Builder::new().name("racelab".to_owned());
        let thread = thread.spawn(move || drop(engine.run(worker)));
        Ok(Member {
            thread: thread?,
            pulse,
            beats: 0,
        })
    }

    /// Waits for what the next worker says, for one tick at most. `None` when all workers have
    /// ended, or one of them stands still.
    #[expect(
        clippy::option_option,
        reason = "nothing yet and nothing any more are different"
    )]
    pub(super) fn next<S: Divisible>(
        &mut self,
        news: &Receiver<News>,
        shared: &Shared<S>,
        sum: &Sum,
    ) -> Option<Option<News>> {
        let tick = TICK.min(self.stall_limit / 10);
        let next = match news.recv_timeout(tick) {
            Ok(news) => Some(news),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        self.watch();
        self.publish(shared, sum);
        if self.beaten_at.elapsed() > self.stall_limit.saturating_mul(2) {
            // The report is written already, without this thread.
            shared.give_up();
            return None;
        }
        Some(next)
    }

    /// Lets the pulse of the whole beat when all workers have gone on.
    fn watch(&mut self) {
        let is_silent =
            |member: &&Member| !member.thread.is_finished() && member.pulse.beats() == member.beats;
        match self.workers.iter().find(is_silent) {
            Some(member) => self.pulse.follow(&member.pulse),
            None => {
                for member in &mut self.workers {
                    member.beats = member.pulse.beats();
                }
                self.beaten_at = Instant::now();
                self.pulse.touch();
            }
        }
    }

    /// Says how far the whole is.
    fn publish<S: Divisible>(&self, shared: &Shared<S>, sum: &Sum) {
        self.pulse.show(shared.executions());
        let running = self
            .workers
            .iter()
            .filter(|member| !member.thread.is_finished());
        let running: f64 = running.filter_map(|member| member.pulse.share_done()).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is an estimate, and there are few parts"
        )]
        let (finished, parts) = (sum.finished() as f64, shared.parts() as f64);
        if parts > 0.0 {
            let share = (finished + running) / parts;
            self.pulse.publish_share(Some(share.min(1.0)));
        }
    }

    /// Waits for the end of the workers, which is an error of the lab if it is a panic.
    pub(super) fn dismiss(self) {
        if self.beaten_at.elapsed() > self.stall_limit.saturating_mul(2) {
            return;
        }
        for member in self.workers {
            if let Err(payload) = member.thread.join() {
                std::panic::resume_unwind(payload);
            }
        }
    }
}
