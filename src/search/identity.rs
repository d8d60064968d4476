//! The same names for threads and places in all executions of a search.
//!
//! Threads and objects are numbered in the order of their creation, which differs between
//! executions in which independent steps change places. Known again is who made a thread or an
//! object, and as which one of those that it made.
//!
//! An object that is bound where it is used has no maker. It is known again by the steps that are
//! on it: a step is known by all that its thread depends on before it ([`StepKey`]), and is on the
//! same object wherever it is done. An object that no known step is on is taken for a new one. If a
//! later step shows that it was not, the two names become one, and the search has to start again.

use rustc_hash::FxHashMap;

use crate::execution::{Execution, Origin, Spot};
use crate::trace::{ObjectId, ThreadId};

/// A thread of a program, in whichever execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct ThreadKey(pub(super) u32);

impl ThreadKey {
    /// All threads that could go on, which wait behind writers.
    pub(super) const ALL: ThreadKey = ThreadKey(u32::MAX);
}

/// A spot of a program, in whichever execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SpotKey(pub(super) u32);

/// A step of a program, in whichever execution, and which of the objects that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct StepKey {
    /// Stands for all that the thread depends on before the step.
    pub(super) past: u64,
    pub(super) place: u8,
}

/// What is known of a spot in all executions: its kind, what it belongs to, and a number.
#[derive(Clone, Copy)]
enum Known {
    /// A spot of a thread: its kind, below [`KINDS`], and the name of the thread.
    OfThread(usize, u32),
    Other(u8, u32, u64),
}

/// How many kinds of spots of threads there are.
const KINDS: usize = 5;

/// An object of the running execution.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
struct Present {
    /// Its number among the objects that are known by their makers.
    number: u32,
    /// The spot that it is, once it has a name.
    spot: Option<SpotKey>,
}

/// The number of what is not known by its maker.
const BOUND_LATE: u32 = u32::MAX;

/// Finds the names of what there is in an execution.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Identities {
    #[cfg_attr(feature = "cli", serde(with = "super::kept::pairs"))]
    threads: FxHashMap<(u32, u32), ThreadKey>,
    #[cfg_attr(feature = "cli", serde(with = "super::kept::pairs"))]
    objects: FxHashMap<(u32, u32), u32>,
    #[cfg_attr(feature = "cli", serde(with = "super::kept::pairs"))]
    spots: FxHashMap<(u8, u32, u64), SpotKey>,
    /// The spots of threads, by the names of these and then by kind: nearly all steps of some programs
    /// touch one.
    of_threads: Vec<[Option<SpotKey>; KINDS]>,
    /// The threads of the running execution.
    running: Vec<ThreadKey>,
    /// Its objects.
    present: Vec<Present>,
    /// The objects that steps are on, of those that were bound late.
    #[cfg_attr(feature = "cli", serde(with = "super::kept::pairs"))]
    by_step: FxHashMap<StepKey, SpotKey>,
    /// Names of objects that have turned out to be those of others.
    #[cfg_attr(feature = "cli", serde(with = "super::kept::pairs"))]
    merged: FxHashMap<SpotKey, SpotKey>,
    /// Whether two names have become one in the course of this search.
    has_merged: bool,
    /// How many spots have names.
    named: u32,
}

/// How many threads and objects there were at some moment of an execution.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
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
            of_threads: self.of_threads.clone(),
            running: Vec::new(),
            present: Vec::new(),
            by_step: self.by_step.clone(),
            merged: self.merged.clone(),
            has_merged: false,
            named: self.named,
        }
    }

    /// Whether two names have become one, so that what was explored under either is in doubt.
    pub(super) fn have_merged(&self) -> bool {
        self.has_merged
    }

    fn new_spot(&mut self) -> SpotKey {
        self.named += 1;
        SpotKey(self.named - 1)
    }

    /// Forgets the threads and objects of the running execution that came after that.
    pub(super) fn go_back_to(&mut self, census: Census) {
        self.running.truncate(census.threads);
        self.present.truncate(census.objects);
    }

    /// Looks at the threads and objects that have been made.
    #[inline]
    pub(super) fn meet(&mut self, execution: &Execution) -> Census {
        let has_met_all = self.running.len() >= execution.thread_count()
            && self.present.len() >= execution.objects();
        if !has_met_all {
            self.meet_new(execution);
        }
        Census {
            threads: self.running.len(),
            objects: self.present.len(),
        }
    }

    fn meet_new(&mut self, execution: &Execution) {
        for index in self.running.len()..execution.thread_count() {
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
            let present = match execution.origin(object) {
                Origin::Made(thread, number) => {
                    let maker = self.running[thread.index()];
                    let number = *self.objects.entry((maker.0, number)).or_insert(next);
                    let spot = Some(self.spot_of(Known::Other(0, number, 0)));
                    Present { number, spot }
                }
                Origin::BoundLate => Present {
                    number: BOUND_LATE,
                    spot: None,
                },
            };
            self.present.push(present);
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
    #[inline]
    pub(super) fn spot(&mut self, spot: Spot) -> SpotKey {
        match self.known_spot(spot) {
            Some(key) => key,
            None => self.new_name(spot),
        }
    }

    /// Gives a name to a spot that has none.
    fn new_name(&mut self, spot: Spot) -> SpotKey {
        match (self.known(spot), spot) {
            (Ok(Some(key)), _) => key,
            (Ok(None), Spot::Object(object) | Spot::Passage(object, _) | Spot::Guarded(object)) => {
                let key = self.new_spot();
                self.present[object.index()].spot = Some(key);
                self.spot(spot)
            }
            (Ok(None), _) => unreachable!("only objects are known by their names"),
            (Err(known), _) => self.spot_of(known),
        }
    }

    fn spot_of(&mut self, known: Known) -> SpotKey {
        if let Some(key) = self.find(known) {
            return key;
        }
        let key = self.new_spot();
        match known {
            Known::OfThread(kind, thread) => {
                let thread = thread as usize;
                if self.of_threads.len() <= thread {
                    self.of_threads.resize(thread + 1, [None; KINDS]);
                }
                self.of_threads[thread][kind] = Some(key);
            }
            Known::Other(kind, owner, number) => {
                self.spots.insert((kind, owner, number), key);
            }
        }
        key
    }

    #[inline]
    fn find(&self, known: Known) -> Option<SpotKey> {
        match known {
            Known::OfThread(kind, thread) => self.of_threads.get(thread as usize)?[kind],
            Known::Other(kind, owner, number) => self.spots.get(&(kind, owner, number)).copied(),
        }
    }

    /// The name of a spot, if it has one.
    #[inline]
    pub(super) fn known_spot(&self, spot: Spot) -> Option<SpotKey> {
        match self.known(spot) {
            Ok(key) => key,
            Err(known) => self.find(known),
        }
    }

    /// Whether an object that was met is one that was bound where it was used.
    pub(super) fn is_late(&self, object: ObjectId) -> bool {
        self.present[object.index()].number == BOUND_LATE
    }

    /// Whether an object that was met was there already at that moment.
    pub(super) fn was_there(census: Census, object: ObjectId) -> bool {
        object.index() < census.objects
    }

    /// Whether an object that was met has a name.
    pub(super) fn has_name(&self, object: ObjectId) -> bool {
        self.present[object.index()].spot.is_some()
    }

    /// Gives a name to an object that was bound late, which these steps are about to use.
    pub(super) fn name(&mut self, object: ObjectId, steps: impl Iterator<Item = StepKey>) {
        let own = self.present[object.index()].spot;
        let own = own.map(|spot| self.canonical(spot));
        let mut name = own;
        for step in steps {
            let Some(said) = self.by_step.get(&step) else {
                continue;
            };
            let said = self.canonical(*said);
            match name {
                Some(name) if name != said => {
                    self.merged.insert(said, name);
                    self.has_merged = true;
                }
                _ => name = Some(said),
            }
        }
        let name = name.unwrap_or_else(|| self.new_spot());
        self.present[object.index()].spot = Some(name);
    }

    /// Remembers which object a step is on, one that was bound late.
    pub(super) fn remember(&mut self, step: StepKey, object: ObjectId) {
        if let Some(name) = self.present[object.index()].spot {
            self.by_step.insert(step, name);
        }
    }

    /// The name of a spot by now, if it may have become another.
    pub(super) fn canonical(&self, mut spot: SpotKey) -> SpotKey {
        while let Some(other) = self.merged.get(&spot) {
            spot = *other;
        }
        spot
    }

    /// The name of a spot that is an object, if it has one, or what is known of any other. What
    /// belongs to an object that has no name yet is not known either.
    #[inline]
    fn known(&self, spot: Spot) -> Result<Option<SpotKey>, Known> {
        let thread = |thread: ThreadId| self.running[thread.index()].0;
        let object = |object: ObjectId| self.present[object.index()].number;
        Err(match spot {
            Spot::Object(object) => return Ok(self.present[object.index()].spot),
            Spot::Start(of) => Known::OfThread(0, thread(of)),
            Spot::End(of) => Known::OfThread(1, thread(of)),
            Spot::Token(of) => Known::OfThread(2, thread(of)),
            Spot::Woken(of) => Known::OfThread(3, thread(of)),
            Spot::Result(of) => Known::OfThread(4, thread(of)),
            Spot::Receivers(of) => Known::Other(5, object(of), 0),
            Spot::Taken(of, number) => Known::Other(6, object(of), number),
            Spot::Passage(of, times) if self.is_late(of) => {
                let Some(barrier) = self.present[of.index()].spot else {
                    return Ok(None);
                };
                Known::Other(9, barrier.0, times)
            }
            Spot::Passage(of, times) => Known::Other(7, object(of), times),
            // The lock may have been bound late, and then is known by its own name only.
            Spot::Upgradable(of) => match self.present[of.index()].spot {
                Some(lock) => Known::Other(9, lock.0, 0),
                None => return Ok(None),
            },
            Spot::Guarded(of) => match self.present[of.index()].spot {
                Some(lock) => Known::Other(8, lock.0, 0),
                None => return Ok(None),
            },
        })
    }
}
