//! How an execution ends: what counts of it, and what runs on.

use std::fmt;

use crate::trace::{Choice, LeftOut, Race, ThreadId};

use super::Execution;
use super::recorded::Recorded;

/// How an execution came to its end before all threads had finished.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// A panic reached the root of a thread.
    Panicked {
        thread: ThreadId,
        message: String,
        at: Option<String>,
    },
    /// Two accesses of a cell raced.
    Raced(Race),
    /// No thread can go on.
    Deadlocked,
    /// All threads that could go on wait, by reading again and again, for another one.
    Livelocked,
    /// The bound on the steps of an execution was hit.
    OutOfSteps,
    /// The search wants no more of this execution.
    Abandoned,
    /// The code under test does what the lab cannot run.
    Unsupported(String),
    /// The code under test uses the lab wrongly.
    Misused(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Panicked { message, .. } => f.write_str(message),
            Ending::Raced(_) => f.write_str("data race"),
            Ending::Deadlocked => f.write_str("deadlock"),
            Ending::Livelocked => f.write_str("livelock"),
            Ending::OutOfSteps => f.write_str("the bound on steps was reached"),
            Ending::Abandoned => f.write_str("the search wanted no more of this execution"),
            Ending::Unsupported(what) | Ending::Misused(what) => f.write_str(what),
        }
    }
}

/// How far an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The search chooses what happens, and what happens counts.
    Explored,
    /// It has ended as far as the search is concerned, and runs on to its own end.
    RunningOn {
        /// The steps that it has made since.
        steps: usize,
    },
    /// Its threads cannot end, and are unwound; or they have ended, and what they have left behind is
    /// destroyed.
    Unwound,
}

/// How an execution failed that went on, and how far it was then.
#[derive(Debug)]
pub(super) struct Failed {
    ending: Ending,
    steps: usize,
    pub(super) events: usize,
    preemptions: u32,
    pub(super) recorded: Recorded,
}

impl Execution {
    /// Ends what counts of the execution, unless that has ended already or goes on after this
    /// failure.
    pub(crate) fn end(&mut self, ending: Ending) {
        if self.ending.is_none() && self.closing.is_none() {
            if self.runs_on && matches!(ending, Ending::Panicked { .. } | Ending::Raced(_)) {
                if matches!(ending, Ending::Raced(_)) {
                    // Unlike one that panics, it would have gone on.
                    self.left_out.add(LeftOut::AfterRaces);
                }
                if self.failed.is_none() {
                    self.failed = Some(Failed {
                        ending,
                        steps: self.schedule.len(),
                        events: self.events.len(),
                        preemptions: self.preemptions,
                        recorded: self.recorded.clone(),
                    });
                }
                return;
            }
            let current = self.current;
            let others = || self.threads().filter(|(id, _)| *id != current);
            let are_left = others().any(|(_, other)| !other.finished);
            self.was_cut = are_left && !matches!(ending, Ending::Deadlocked);
            let can_end = !matches!(ending, Ending::Deadlocked | Ending::Livelocked);
            self.ending = Some(ending);
            if can_end && self.runtime.runs_on() {
                self.phase = Phase::RunningOn { steps: 0 };
            } else {
                self.doom();
            }
        }
    }

    /// Has all threads unwound that have not ended.
    pub(super) fn doom(&mut self) {
        self.phase = Phase::Unwound;
        self.runtime.doomed();
    }

    /// Whether operations take effect silently from now on.
    #[inline]
    pub(crate) fn is_doomed(&self) -> bool {
        self.phase == Phase::Unwound
    }

    /// Whether what happens counts.
    #[inline]
    pub(crate) fn is_explored(&self) -> bool {
        self.phase == Phase::Explored
    }

    /// Whether the search can be told how the execution has ended. What that is can still change if a
    /// destructor waits while a panic unwinds its thread: it is a failure if it is not caught.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.ending
            .as_ref()
            .is_some_and(|ending| self.is_settled_as(ending))
    }

    fn is_settled_as(&self, ending: &Ending) -> bool {
        let mut threads = self.threads.iter();
        let is_open = matches!(ending, Ending::Unsupported(_))
            && threads.any(|thread| thread.has_waited_panicking && !thread.finished);
        !is_open
    }

    /// Whether a panic unwinds the current thread.
    ///
    /// One OS thread runs all threads and counts the panics of all, so that while another thread
    /// waits in the middle of a panic, its count says nothing.
    #[inline]
    pub(crate) fn is_panicking(&self) -> bool {
        std::thread::panicking() && self.is_panicking_itself()
    }

    fn is_panicking_itself(&self) -> bool {
        let me = self.thread(self.current);
        !me.lingers && (me.panics || !self.others_wait_panicking())
    }

    fn others_wait_panicking(&self) -> bool {
        let mut others = self.threads().filter(|(id, _)| *id != self.current);
        others.any(|(_, other)| other.waits_panicking)
    }

    /// Leaves the current thread behind, which never goes on.
    pub(crate) fn leave_behind(&mut self) {
        let panics = self.is_panicking();
        let thread = self.current_mut();
        thread.waits_panicking = panics;
        thread.finished = true;
        thread.is_left_behind = true;
    }

    /// Whether threads were left behind in the middle of what they did.
    pub(crate) fn left_threads_behind(&self) -> bool {
        self.threads.iter().any(|thread| thread.is_left_behind)
    }

    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// How it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&Ending> {
        let ending = self.ending.as_ref().filter(|ending| {
            matches!(
                ending,
                Ending::Panicked { .. }
                    | Ending::Raced(_)
                    | Ending::Deadlocked
                    | Ending::Livelocked
            )
        });
        self.failed.as_ref().map(|failed| &failed.ending).or(ending)
    }

    /// The schedule up to where it failed, or all of it.
    pub(crate) fn schedule_to_failure(&self) -> &[Choice] {
        match &self.failed {
            Some(failed) => &self.schedule[..failed.steps],
            None => &self.schedule,
        }
    }

    /// The preemptions up to where it failed, or all.
    pub(crate) fn preemptions_to_failure(&self) -> u32 {
        let failed = self.failed.as_ref();
        failed.map_or(self.preemptions, |failed| failed.preemptions)
    }

    /// Whether the execution ended while there were threads that could have gone on.
    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut
    }
}
