//! When each worker of a run was at work, and when it waited.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use crate::timing::{Activity, Lane, Span};

/// The lanes of one run.
///
/// A worker records into a [`Recorder`] of its own, without a lock, and hands it in when it is
/// dropped: to record costs a worker two looks at the clock for each span.
///
/// Clones are the same timeline.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    began: Instant,
    records: bool,
    lanes: Arc<Mutex<Vec<(usize, Lane)>>>,
}

/// Records the lane of one worker.
#[derive(Debug)]
pub(crate) struct Recorder {
    timeline: Timeline,
    place: usize,
    lane: Lane,
}

/// How many polls of a future are added up, so that a lane does not become long.
const POLLS: u32 = 16;

/// Adds up how long a worker waits within some work.
#[derive(Debug)]
pub(crate) struct Waits {
    records: bool,
    seconds: f64,
}

impl Waits {
    /// How long it has waited so far, in seconds. 0 if nothing is recorded.
    #[cfg(test)]
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Waits for something.
    pub(crate) fn wait<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        if !self.records {
            return wait();
        }
        let start = Instant::now();
        let value = wait();
        self.seconds += start.elapsed().as_secs_f64();
        value
    }
}

impl Timeline {
    /// A timeline that begins now.
    pub(crate) fn recording() -> Self {
        Timeline {
            began: Instant::now(),
            records: true,
            lanes: Arc::default(),
        }
    }

    /// A timeline that records nothing, to see what recording costs.
    pub(crate) fn off() -> Self {
        Timeline {
            records: false,
            ..Timeline::recording()
        }
    }

    /// A timeline of a run that began elsewhere, in another process.
    pub(crate) fn recording_since(began: SystemTime) -> Self {
        let now = Instant::now();
        let passed = began.elapsed().unwrap_or_default();
        Timeline {
            began: now.checked_sub(passed).unwrap_or(now),
            ..Timeline::recording()
        }
    }

    /// When the run began, for another process that records for it. `None` if nothing is recorded.
    pub(crate) fn records_since(&self) -> Option<SystemTime> {
        let began = SystemTime::now().checked_sub(self.began.elapsed());
        began.filter(|_| self.records)
    }

    /// When the run began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The lane of a worker, which comes in this place among all.
    pub(crate) fn lane(&self, place: usize, name: impl Into<String>) -> Recorder {
        Recorder {
            timeline: self.clone(),
            place,
            lane: Lane {
                name: name.into(),
                spans: Vec::new(),
            },
        }
    }

    /// Adds a lane that was recorded elsewhere, by a process.
    pub(crate) fn add(&self, place: usize, lane: Lane) {
        if self.records {
            let lanes = self.lanes.lock();
            let mut lanes = lanes.unwrap_or_else(PoisonError::into_inner);
            lanes.push((place, lane));
        }
    }

    /// The most waits that were under way at once in the lanes that were handed in. `None` if nothing
    /// is recorded.
    pub(crate) fn most_waits_at_once(&self) -> Option<u64> {
        let lanes = self.lanes.lock();
        let lanes = lanes.unwrap_or_else(PoisonError::into_inner);
        let spans = lanes.iter().flat_map(|(_, lane)| &lane.spans);
        let waits = spans.filter(|span| span.activity == Activity::Wait);
        let mut changes: Vec<(f64, i64)> = waits
            .flat_map(|wait| [(wait.start, 1), (wait.end, -1)])
            .collect();
        // Where one ends as another begins, they were not under way at once.
        changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let counts = changes.iter().scan(0, |now, (_, change)| {
            *now += change;
            Some(*now)
        });
        let most = counts.max().unwrap_or(0);
        self.records.then(|| u64::try_from(most).unwrap_or(0))
    }

    /// Takes all lanes that were handed in, in the order of their places.
    pub(crate) fn take_lanes(&self) -> Vec<Lane> {
        let lanes = self.lanes.lock();
        let mut lanes = std::mem::take(&mut *lanes.unwrap_or_else(PoisonError::into_inner));
        lanes.sort_by_key(|(place, _)| *place);
        lanes.into_iter().map(|(_, lane)| lane).collect()
    }
}

impl Recorder {
    /// The name of the worker.
    pub(crate) fn name(&self) -> &str {
        &self.lane.name
    }

    /// Does some work.
    pub(crate) fn work<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.record(Activity::Work, work)
    }

    /// Waits for something.
    pub(crate) fn wait<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        self.record(Activity::Wait, wait)
    }

    /// Does some work with many short waits in it. They are added up: the lane shows the work as if
    /// it had come first, and then all of the waiting.
    pub(crate) fn work_with_waits<T>(&mut self, work: impl FnOnce(&mut Waits) -> T) -> T {
        let mut waits = Waits {
            records: self.timeline.records,
            seconds: 0.0,
        };
        let start = self.now();
        let value = work(&mut waits);
        if let (Some(start), Some(end)) = (start, self.now()) {
            self.note_both(start, end - start - waits.seconds, end);
        }
        value
    }

    /// Waits for a future. It counts as waiting for all of its time, although it may have done
    /// some work between its waits.
    pub(crate) async fn wait_for<T>(&mut self, future: impl Future<Output = T>) -> T {
        let start = self.now();
        let value = future.await;
        self.note(Activity::Wait, start);
        value
    }

    /// Runs a future. It works while it is polled, and waits from one poll to the next: for what it
    /// awaits, and then for its turn on the event loop.
    ///
    /// Polls can be many and short. Some at a time are added up: the lane shows their work as if it
    /// had come first, and then all of the waiting.
    pub(crate) async fn work_in_turns<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut began = self.now();
        let mut work = 0.0;
        let mut polls = 0;
        poll_fn(|context| {
            let start = self.now();
            let polled = future.as_mut().poll(context);
            if let (Some(began), Some(start), Some(end)) = (&mut began, start, self.now()) {
                work += end - start;
                polls += 1;
                if polls == POLLS || polled.is_ready() {
                    self.note_both(*began, work, end);
                    (*began, work, polls) = (end, 0.0, 0);
                }
            }
            polled
        })
        .await
    }

    /// Takes what was recorded so far, to be added to a lane elsewhere.
    pub(crate) fn take_spans(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.lane.spans)
    }

    fn record<T>(&mut self, activity: Activity, run: impl FnOnce() -> T) -> T {
        let start = self.now();
        let value = run();
        self.note(activity, start);
        value
    }

    /// The seconds since the run began. `None` if nothing is recorded.
    fn now(&self) -> Option<f64> {
        let began = self.timeline.began;
        self.timeline.records.then(|| began.elapsed().as_secs_f64())
    }

    /// Notes so many seconds of work since the start, and that the rest was waiting.
    fn note_both(&mut self, start: f64, work: f64, end: f64) {
        let middle = (start + work).clamp(start, end);
        for (start, end, activity) in [
            (start, middle, Activity::Work),
            (middle, end, Activity::Wait),
        ] {
            self.lane.spans.push(Span {
                start,
                end,
                activity,
            });
        }
    }

    fn note(&mut self, activity: Activity, start: Option<f64>) {
        if let (Some(start), Some(end)) = (start, self.now()) {
            self.lane.spans.push(Span {
                start,
                end,
                activity,
            });
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let lane = std::mem::take(&mut self.lane);
        self.timeline.add(self.place, lane);
    }
}
