//! The distinct traces of a program, and how many preemptions each of them needs.
//!
//! Two interleavings are of one trace if they differ only in the order of independent steps. That
//! is so if each step of each thread has the same steps before it, which is what is compared here:
//! each step is stamped with a clock that says how many steps of each thread are before it.
//!
//! Steps are dependent if they are of one thread, or on one variable or mutex and not both of them
//! only looks. A failed compare-and-swap and a failed `try_lock` are looks. A spawn is before the
//! thread, and the end of a thread before its join.

use std::collections::HashMap;

use super::{Instruction, MUTEXES, Machine, Program, State, VARIABLES, Walk};

/// How many steps of each thread are before some point; 0 is the main thread.
type Clock = Vec<u32>;

/// The clocks of the steps of each thread, which are the same for all interleavings of a trace.
type Trace = Vec<Vec<Clock>>;

/// The distinct traces of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// How many traces need so many preemptions.
    needing: Vec<u64>,
}

impl Traces {
    /// The number of traces.
    pub(crate) fn count(&self) -> u64 {
        self.needing.iter().sum()
    }

    /// The number of traces of which some interleaving has at most 0, 1, 2, … preemptions. The last
    /// one is that of all traces.
    pub(crate) fn within_preemptions(&self) -> Vec<u64> {
        let mut sum = 0;
        let sums = self.needing.iter().map(|traces| {
            sum += traces;
            sum
        });
        sums.collect()
    }
}

impl Program {
    /// Enumerates all interleavings, and counts those that differ in more than the order of
    /// independent steps.
    ///
    /// # Panics
    ///
    /// If two interleavings of one trace end differently, which would be a mistake in here.
    pub(crate) fn traces(&self) -> Traces {
        let machine = Machine::new(self);
        let mut found = HashMap::new();
        let order = Order::new(self.threads.len() + 1);
        machine.collect(
            &State::new(&machine),
            &order,
            &Walk::default(),
            &mut |trace, state, preemptions| {
                let (least, end) = found
                    .entry(trace.clone())
                    .or_insert_with(|| (preemptions, state.clone()));
                assert!(end == state, "two interleavings of a trace end alike");
                *least = preemptions.min(*least);
            },
        );
        let mut needing = Vec::new();
        for (least, _) in found.into_values() {
            let least = usize::try_from(least).expect("a program is small");
            needing.resize(needing.len().max(least + 1), 0);
            needing[least] += 1;
        }
        Traces { needing }
    }
}

/// What is before what, so far.
#[derive(Clone)]
struct Order {
    threads: Vec<Clock>,
    variables: [Object; VARIABLES],
    mutexes: [Object; MUTEXES],
    trace: Trace,
}

/// The steps on a variable or a mutex that later ones can depend on.
#[derive(Clone)]
struct Object {
    changes: Clock,
    looks: Clock,
}

/// What a step does.
enum Footprint {
    Spawns(usize),
    Joins(usize),
    LooksAt(usize),
    Changes(usize),
    LooksAtMutex(usize),
    ChangesMutex(usize),
}

impl Order {
    fn new(threads: usize) -> Self {
        let nothing = vec![0; threads];
        let object = || Object {
            changes: nothing.clone(),
            looks: nothing.clone(),
        };
        Order {
            threads: vec![nothing.clone(); threads],
            variables: [(); VARIABLES].map(|()| object()),
            mutexes: [(); MUTEXES].map(|()| object()),
            trace: vec![Vec::new(); threads],
        }
    }

    fn add(&mut self, thread: usize, footprint: &Footprint) {
        let mut clock = self.threads[thread].clone();
        if let Footprint::Joins(other) = *footprint {
            join(&mut clock, &self.threads[other]);
        }
        let (object, changes) = match *footprint {
            Footprint::LooksAt(variable) => (Some(&mut self.variables[variable]), false),
            Footprint::Changes(variable) => (Some(&mut self.variables[variable]), true),
            Footprint::LooksAtMutex(mutex) => (Some(&mut self.mutexes[mutex]), false),
            Footprint::ChangesMutex(mutex) => (Some(&mut self.mutexes[mutex]), true),
            Footprint::Spawns(_) | Footprint::Joins(_) => (None, false),
        };
        if let Some(object) = &object {
            join(&mut clock, &object.changes);
            if changes {
                join(&mut clock, &object.looks);
            }
        }
        clock[thread] += 1;
        if let Some(object) = object {
            let steps = if changes {
                &mut object.changes
            } else {
                &mut object.looks
            };
            join(steps, &clock);
        }
        if let Footprint::Spawns(other) = *footprint {
            self.threads[other].clone_from(&clock);
        }
        self.threads[thread].clone_from(&clock);
        self.trace[thread].push(clock);
    }
}

fn join(clock: &mut Clock, other: &Clock) {
    for (steps, others) in clock.iter_mut().zip(other) {
        *steps = (*steps).max(*others);
    }
}

impl Machine {
    /// Goes through all interleavings, and shows of each the trace, the end, and the preemptions.
    fn collect(
        &self,
        state: &State,
        order: &Order,
        walk: &Walk,
        show: &mut dyn FnMut(&Trace, &State, u32),
    ) {
        let enabled = self.enabled(state);
        if enabled.is_empty() {
            show(&order.trace, state, walk.preemptions);
        }
        for &chosen in &enabled {
            let preempts = walk
                .last
                .is_some_and(|last| last != chosen && enabled.contains(&last));
            let walk = Walk {
                last: Some(chosen),
                preemptions: walk.preemptions + u32::from(preempts),
                steps: walk.steps + 1,
            };
            let mut order = order.clone();
            order.add(chosen, &self.footprint(state, chosen));
            let mut state = state.clone();
            self.step(&mut state, chosen);
            self.collect(&state, &order, &walk, show);
        }
    }

    /// What the next step of a thread would do in this state.
    fn footprint(&self, state: &State, chosen: usize) -> Footprint {
        let threads = self.code.len();
        if chosen == 0 {
            return match state.main {
                spawn if spawn < threads => Footprint::Spawns(spawn + 1),
                join if join < 2 * threads => Footprint::Joins(join - threads + 1),
                load => Footprint::LooksAt(load - 2 * threads),
            };
        }
        let thread = chosen - 1;
        match self.code[thread][state.next[thread]] {
            Instruction::Load(variable) | Instruction::LoadNot(variable, _) => {
                Footprint::LooksAt(variable)
            }
            Instruction::CompareExchange(variable, current, _)
                if state.variables[variable] != current =>
            {
                Footprint::LooksAt(variable)
            }
            Instruction::Store(variable, _)
            | Instruction::StoreNext(variable)
            | Instruction::FetchAdd(variable, _)
            | Instruction::Swap(variable, _)
            | Instruction::CompareExchange(variable, ..) => Footprint::Changes(variable),
            Instruction::TryLock(mutex, _) if state.holders[mutex].is_some() => {
                Footprint::LooksAtMutex(mutex)
            }
            Instruction::Lock(mutex)
            | Instruction::Unlock(mutex)
            | Instruction::TryLock(mutex, _) => Footprint::ChangesMutex(mutex),
        }
    }
}
