//! The same names for threads and places in all executions of a search.
//!
//! Threads and objects are numbered in the order of their creation, which differs between
//! executions in which independent steps change places. Known again is who made a thread or an
//! object, and as which one of those that it made.

use rustc_hash::FxHashMap;

use crate::execution::{Execution, Origin, Spot};
use crate::trace::{ObjectId, ThreadId};

/// A thread of a program, in whichever execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ThreadKey(pub(super) u32);

/// A spot of a program, in whichever execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SpotKey(pub(super) u32);

/// What is known of a spot in all executions: its kind, what it belongs to, and a number.
type Known = (u8, u32, u64);

/// What there is only once in a program.
const ALL_BOUND_LATE: u32 = u32::MAX;

/// Finds the names of what there is in an execution.
#[derive(Debug, Default)]
pub(super) struct Identities {
    threads: FxHashMap<(u32, u32), ThreadKey>,
    objects: FxHashMap<(u32, u32), u32>,
    spots: FxHashMap<Known, SpotKey>,
    /// The threads of the running execution.
    running: Vec<ThreadKey>,
    /// Its objects: their names, and the spots that they are.
    present: Vec<(u32, SpotKey)>,
}

/// How many threads and objects there were at some moment of an execution.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    threads: usize,
    objects: usize,
}

impl Identities {
    /// The same names, before anything was met.
    pub(super) fn emptied(&self) -> Self {
        Identities {
            threads: self.threads.clone(),
            objects: self.objects.clone(),
            spots: self.spots.clone(),
            running: Vec::new(),
            present: Vec::new(),
        }
    }

    /// Forgets the threads and objects of the running execution that came after that.
    pub(super) fn go_back_to(&mut self, census: Census) {
        self.running.truncate(census.threads);
        self.present.truncate(census.objects);
    }

    /// Looks at the threads and objects that have been made.
    pub(super) fn meet(&mut self, execution: &Execution) -> Census {
        for index in self.running.len()..execution.threads().count() {
            let thread = ThreadId(u32::try_from(index).expect("fewer than 2^32 threads"));
            let next = ThreadKey(u32::try_from(self.threads.len() + 1).expect("few threads"));
            let key = match execution.thread(thread).parent {
                None => ThreadKey(0),
                Some((parent, number)) => {
                    let parent = self.running[parent.index()];
                    *self.threads.entry((parent.0, number)).or_insert(next)
                }
            };
            self.running.push(key);
        }
        for index in self.present.len()..execution.objects() {
            let object = ObjectId(u32::try_from(index).expect("fewer than 2^32 objects"));
            let next = u32::try_from(self.objects.len()).expect("few objects");
            let name = match execution.origin(object) {
                Origin::Made(thread, number) => {
                    let maker = self.running[thread.index()];
                    *self.objects.entry((maker.0, number)).or_insert(next)
                }
                // Who uses it first differs between executions, and there is nothing else to know
                // it by: all of them are taken for one, so that steps on two of them are dependent.
                Origin::BoundLate => ALL_BOUND_LATE,
            };
            let next = SpotKey(u32::try_from(self.spots.len()).expect("few spots"));
            let spot = *self.spots.entry((0, name, 0)).or_insert(next);
            self.present.push((name, spot));
        }
        Census {
            threads: self.running.len(),
            objects: self.present.len(),
        }
    }

    /// The name of a thread that was met.
    pub(super) fn thread(&self, thread: ThreadId) -> ThreadKey {
        self.running[thread.index()]
    }

    /// The thread of the running execution with this name.
    pub(super) fn running(&self, key: ThreadKey) -> Option<ThreadId> {
        let index = self.running.iter().position(|other| *other == key)?;
        Some(ThreadId(u32::try_from(index).expect("few threads")))
    }

    /// The name of a spot of threads and objects that were met.
    pub(super) fn spot(&mut self, spot: Spot) -> SpotKey {
        let known = match self.known(spot) {
            Ok(key) => return key,
            Err(known) => known,
        };
        let next = SpotKey(u32::try_from(self.spots.len()).expect("few spots"));
        *self.spots.entry(known).or_insert(next)
    }

    /// The name of a spot, if it has one.
    pub(super) fn known_spot(&self, spot: Spot) -> Option<SpotKey> {
        match self.known(spot) {
            Ok(key) => Some(key),
            Err(known) => self.spots.get(&known).copied(),
        }
    }

    /// The name of a spot that is an object, or what is known of any other.
    fn known(&self, spot: Spot) -> Result<SpotKey, Known> {
        let thread = |thread: ThreadId| self.running[thread.index()].0;
        let object = |object: ObjectId| self.present[object.index()].0;
        Err(match spot {
            Spot::Object(object) => return Ok(self.present[object.index()].1),
            Spot::Start(of) => (1, thread(of), 0),
            Spot::End(of) => (2, thread(of), 0),
            Spot::Token(of) => (3, thread(of), 0),
            Spot::Woken(of) => (4, thread(of), 0),
            Spot::Receivers(of) => (5, object(of), 0),
            Spot::Taken(of, number) => (6, object(of), number),
            Spot::Passage(of, times) => (7, object(of), times as u64),
            Spot::Result(of) => (8, thread(of), 0),
        })
    }
}
