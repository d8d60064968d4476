//! When each worker of a run was at work, and when it waited.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use super::resources::cpu_time_of_this_thread;
use crate::timing::{Activity, Lane, Span};

/// The lanes of one run.
///
/// A worker records into a [`Recorder`] of its own, without a lock, and hands it in when it is
/// dropped: to record costs a worker two looks at the clock for each span, and two at the processor
/// time of its thread.
///
/// Clones are the same timeline.
#[derive(Clone, Debug)]
pub struct Timeline {
    began: Instant,
    records: bool,
    lanes: Arc<Mutex<Vec<(usize, Lane)>>>,
    thread_of_tasks: Arc<Mutex<Option<Lane>>>,
}

/// Records the lane of one worker.
#[derive(Debug)]
pub struct Recorder {
    timeline: Timeline,
    place: usize,
    lane: Lane,
    /// Whether the last span was a wait for what its worker is to work on next.
    has_waited: bool,
}

/// Records the lane of the one thread on which tasks take turns.
#[derive(Debug)]
pub(crate) struct ThreadRecorder {
    timeline: Timeline,
    recorded: Mutex<(Lane, Option<Moment>)>,
}

/// A moment of a thread.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// The seconds since the run began.
    at: f64,
    /// The seconds of processor time that the thread has taken. `None` where the system does not
    /// tell.
    cpu: Option<f64>,
}

/// How many polls of a future are added up, so that a lane does not become long.
const POLLS: u32 = 64;

/// A poll that takes less, in seconds, is so short that not each one like it is timed.
const SHORT: f64 = 8e-6;

/// How many polls in a row are not timed at most.
const UNTIMED: u32 = 63;

/// How many polls need not be timed after one that took this many seconds, so that timing, which
/// takes some 50 ns, is less than a hundredth of all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn untimed_after(seconds: f64) -> u32 {
    ((SHORT / seconds) as u32).min(UNTIMED)
}

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
    pub fn recording() -> Self {
        Timeline {
            began: Instant::now(),
            records: true,
            lanes: Arc::default(),
            thread_of_tasks: Arc::default(),
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
    pub fn began(&self) -> Instant {
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
            has_waited: false,
        }
    }

    /// The lane of the calling thread, which is about to let tasks take turns. It is at work from
    /// now on. `None` if nothing is recorded.
    pub(crate) fn thread_of_tasks(&self) -> Option<ThreadRecorder> {
        let lane = Lane {
            name: "thread".to_owned(),
            spans: Vec::new(),
        };
        self.records.then(|| ThreadRecorder {
            timeline: self.clone(),
            recorded: Mutex::new((lane, self.begin())),
        })
    }

    /// Takes the lane of the thread on which tasks took turns, if there was one.
    pub(crate) fn take_thread_of_tasks(&self) -> Option<Lane> {
        let lane = self.thread_of_tasks.lock();
        lane.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The seconds since the run began. `None` if nothing is recorded.
    fn now(&self) -> Option<f64> {
        self.records.then(|| self.began.elapsed().as_secs_f64())
    }

    /// The moment in which the calling thread begins something. `None` if nothing is recorded.
    ///
    /// The processor time is asked for last, and by [`end`](Self::end) first: the system likes to
    /// give the core to another thread when it returns from a call, and that it was missing then is
    /// part of what the thread has begun, not a gap beside it.
    fn begin(&self) -> Option<Moment> {
        let at = self.now()?;
        let cpu = self.cpu();
        Some(Moment { at, cpu })
    }

    /// The moment in which the calling thread has ended something. `None` if nothing is recorded.
    fn end(&self) -> Option<Moment> {
        let cpu = self.cpu();
        let at = self.now()?;
        Some(Moment { at, cpu })
    }

    /// The seconds of processor time of the calling thread. `None` if nothing is recorded.
    fn cpu(&self) -> Option<f64> {
        let cpu = self.records.then(cpu_time_of_this_thread)??;
        Some(cpu.as_secs_f64())
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
    pub fn take_lanes(&self) -> Vec<Lane> {
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
    pub fn work<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.record(Activity::Work, work)
    }

    /// Waits for something.
    pub fn wait<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        self.record(Activity::Wait, wait)
    }

    /// Does some work with many short waits in it. They are added up: the lane shows the work as if
    /// it had come first, and then all of the waiting.
    pub(crate) fn work_with_waits<T>(&mut self, work: impl FnOnce(&mut Waits) -> T) -> T {
        let mut waits = Waits {
            records: self.timeline.records,
            seconds: 0.0,
        };
        let start = self.timeline.begin();
        let value = work(&mut waits);
        if let (Some(start), Some(end)) = (start, self.timeline.end()) {
            let work = end.at - start.at - waits.seconds;
            self.note_both(start.at, work, end.at, start.cpu_until(end));
        }
        value
    }

    /// Waits for a future. It counts as waiting for all of its time, although it may have done
    /// some work between its waits.
    pub(crate) async fn wait_for<T>(&mut self, future: impl Future<Output = T>) -> T {
        let start = self.timeline.now();
        let value = future.await;
        if let (Some(start), Some(end)) = (start, self.timeline.now()) {
            self.note(Activity::Wait, [start, end], None);
        }
        value
    }

    /// Runs a future. It works while it is polled, and waits from one poll to the next: for what it
    /// awaits, and then for its turn on the event loop.
    ///
    /// Polls can be many and short. Some at a time are added up: the lane shows their work as if it
    /// had come first, and then all of the waiting. Where polls are so short that to time each would
    /// take a part of them that matters, some are not timed, and count as long as the one before.
    pub(crate) async fn work_in_turns<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut began = self.timeline.now();
        let (mut work, mut polls) = (0.0, 0);
        let (mut last, mut untimed) = (0.0, 0);
        poll_fn(|context| {
            let Some(began) = &mut began else {
                return future.as_mut().poll(context);
            };
            let now = |is_meant: bool| is_meant.then(|| self.timeline.now()).flatten();
            let start = now(untimed == 0);
            let polled = future.as_mut().poll(context);
            if let (Some(start), Some(end)) = (start, now(untimed == 0)) {
                last = end - start;
                untimed = untimed_after(last);
            } else {
                untimed -= 1;
            }
            work += last;
            polls += 1;
            if (polls >= POLLS || polled.is_ready())
                && let Some(end) = self.timeline.now()
            {
                self.note_both(*began, work, end, None);
                (*began, work, polls) = (end, 0.0, 0);
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
        let start = self.timeline.begin();
        let value = run();
        if let (Some(start), Some(end)) = (start, self.timeline.end()) {
            self.note(activity, [start.at, end.at], start.cpu_until(end));
        }
        value
    }

    /// Notes this many seconds of work since the start, and that the rest was waiting.
    fn note_both(&mut self, start: f64, work: f64, end: f64, cpu: Option<f64>) {
        let middle = (start + work).clamp(start, end);
        self.lane.spans.extend([
            Span {
                start,
                end: middle,
                activity: Activity::Work,
                cpu,
                begins_item: true,
            },
            Span {
                start: middle,
                end,
                activity: Activity::Wait,
                cpu: None,
                begins_item: false,
            },
        ]);
        self.has_waited = false;
    }

    /// Notes a span. An item is some work, with the wait before it if there was one.
    fn note(&mut self, activity: Activity, [start, end]: [f64; 2], cpu: Option<f64>) {
        self.lane.spans.push(Span {
            start,
            end,
            activity,
            cpu,
            begins_item: activity == Activity::Wait || !self.has_waited,
        });
        self.has_waited = activity == Activity::Wait;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let lane = std::mem::take(&mut self.lane);
        self.timeline.add(self.place, lane);
    }
}

impl ThreadRecorder {
    /// The thread has nothing to do from now on.
    pub(crate) fn rests(&self) {
        self.note(Activity::Work);
    }

    /// The thread has something to do again.
    pub(crate) fn goes_on(&self) {
        self.note(Activity::Wait);
    }

    /// Notes what the thread did up to now.
    fn note(&self, activity: Activity) {
        let Some(now) = self.timeline.end() else {
            return;
        };
        let recorded = self.recorded.lock();
        let (lane, since) = &mut *recorded.unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = since.replace(now) {
            lane.spans.push(Span {
                start: since.at,
                end: now.at,
                activity,
                cpu: since.cpu_until(now),
                begins_item: false,
            });
        }
    }
}

impl Drop for ThreadRecorder {
    fn drop(&mut self) {
        self.note(Activity::Work);
        let recorded = self.recorded.get_mut();
        let (lane, _) = recorded.unwrap_or_else(PoisonError::into_inner);
        let given = self.timeline.thread_of_tasks.lock();
        *given.unwrap_or_else(PoisonError::into_inner) = Some(std::mem::take(lane));
    }
}

impl Moment {
    /// The processor time that the thread takes up to a later moment, in seconds.
    fn cpu_until(self, later: Moment) -> Option<f64> {
        Some((later.cpu? - self.cpu?).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::workers::{on_event_loop, recorded_event_loop};

    fn lane_of(timeline: &Timeline) -> Lane {
        timeline.take_lanes().pop().expect("a lane was handed in")
    }

    #[test]
    fn an_item_is_work_with_the_wait_before_it_or_a_wait_alone() {
        let timeline = Timeline::recording();
        let mut lane = timeline.lane(0, "main");
        for _ in 0..2 {
            lane.wait(|| ());
            lane.work(|| ());
        }
        lane.work(|| ());
        lane.wait(|| ());
        lane.work_with_waits(|waits| waits.wait(|| ()));
        drop(lane);
        let lane = lane_of(&timeline);
        let items: Vec<usize> = lane.items().map(<[Span]>::len).collect();
        assert_eq!(items, [2, 2, 1, 1, 2]);
    }

    #[test]
    fn polls_are_timed_one_by_one_unless_they_are_very_short() {
        let untimed = [1e-3, 9e-6, 6e-6, 3e-6, 0.0].map(untimed_after);
        assert_eq!(untimed, [0, 0, 1, 2, UNTIMED]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_has_its_processor_time_and_a_wait_takes_next_to_none() {
        let timeline = Timeline::recording();
        let mut lane = timeline.lane(0, "main");
        lane.work(|| (0..1_000_000_u64).map(std::hint::black_box).sum::<u64>());
        // Another thread computes meanwhile.
        lane.wait(|| {
            let compute = || (0..1_000_000_u64).map(std::hint::black_box).sum::<u64>();
            std::thread::spawn(compute).join()
        })
        .unwrap();
        drop(lane);
        let [work, wait] = lane_of(&timeline).spans[..] else {
            panic!("two spans were recorded");
        };
        assert!(work.cpu > Some(0.0), "{work:?}");
        assert!(work.cpu <= Some(work.seconds() * 1.05 + 1e-4), "{work:?}");
        assert!(wait.cpu < work.cpu, "{wait:?} beside {work:?}");
    }

    // Under `--cfg loom` tokio does not tell when its thread rests.
    #[cfg(network)]
    #[test]
    fn tasks_have_the_lane_of_their_thread_which_works_and_rests_in_turns() {
        let timeline = Timeline::recording();
        let tasks = (0..2).map(|_| async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            Ok(())
        });
        on_event_loop(&recorded_event_loop(&timeline).unwrap(), tasks).unwrap();
        let lane = timeline.take_thread_of_tasks().expect("a thread ran them");
        assert!(lane.spans.len() >= 3, "{lane:?}");
        for (place, span) in lane.spans.iter().enumerate() {
            let works = place % 2 == 0;
            assert_eq!(span.activity == Activity::Work, works, "{lane:?}");
        }
        let ends = lane.spans.iter().map(|span| span.end.to_bits());
        let starts = lane.spans.iter().map(|span| span.start.to_bits());
        assert!(starts.skip(1).zip(ends).all(|(start, end)| start == end));
    }

    #[test]
    fn nothing_is_recorded_if_it_is_off() {
        let timeline = Timeline::off();
        timeline.lane(0, "main").work(|| ());
        let tasks = std::iter::once(async { Ok(()) });
        on_event_loop(&recorded_event_loop(&timeline).unwrap(), tasks).unwrap();
        assert!(timeline.take_lanes().is_empty());
        assert!(timeline.take_thread_of_tasks().is_none());
    }
}
