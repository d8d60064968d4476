//! An oracle for the searches: small programs, run by naive recursion over all interleavings.
//!
//! It shares nothing with the lab but the rules. The threads of a program are started and joined
//! in their order by the main thread, which loads all variables in the end. Every access, lock,
//! unlock, spawn and join is one step; starts and ends of threads are not.

mod traces;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::collection::vec;
use proptest::prelude::*;
use racelab::sync::atomic::{AtomicU8, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::thread;

pub(crate) const VARIABLES: usize = 2;
pub(crate) const MUTEXES: usize = 2;

/// What a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Load(usize),
    /// Loads a variable, and panics if it has this value.
    LoadNot(usize, u8),
    Store(usize, u8),
    /// Loads a variable, and stores one more than what was loaded: two steps.
    Increment(usize),
    FetchAdd(usize, u8),
    Swap(usize, u8),
    CompareExchange {
        variable: usize,
        current: u8,
        new: u8,
    },
    Lock(usize, Vec<Op>),
    /// Yields so often, which changes nothing.
    Pause(usize),
    /// Does what is inside only if nobody holds the mutex.
    TryLock(usize, Vec<Op>),
}

/// What each thread read, and what the variables were in the end.
pub(crate) type Outcome = (Vec<Vec<u8>>, [u8; VARIABLES]);

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) threads: Vec<Vec<Op>>,
    /// The outcome at which the main thread panics.
    pub(crate) forbidden: Option<Outcome>,
}

/// All there is to know of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) executions: u64,
    /// Executions in which nobody could go on, or somebody panicked.
    pub(crate) violations: u64,
    /// In how many executions each outcome was recorded.
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// Preemptions and steps of the smallest violation.
    pub(crate) smallest: Option<(u32, usize)>,
}

impl Program {
    pub(crate) fn new(threads: Vec<Vec<Op>>) -> Self {
        Program {
            threads,
            forbidden: None,
        }
    }

    /// `threads` threads that do the same `times` times.
    pub(crate) fn alike(threads: usize, times: usize, op: &Op) -> Self {
        Program::new(vec![vec![op.clone(); times]; threads])
    }

    /// Enumerates all interleavings.
    pub(crate) fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        self.visit(&mut |outcome, walk| {
            truth.executions += 1;
            if let Some(outcome) = &outcome {
                *truth.outcomes.entry(format!("{outcome:?}")).or_default() += 1;
            }
            if outcome.is_none() || outcome == self.forbidden {
                truth.violations += 1;
                let size = (walk.preemptions, walk.steps);
                truth.smallest = Some(truth.smallest.map_or(size, |smallest| smallest.min(size)));
            }
        });
        truth
    }

    /// One of the outcomes, `None` if there is none.
    fn some_outcome(&self, index: prop::sample::Index) -> Option<Outcome> {
        let mut outcomes = BTreeSet::new();
        self.visit(&mut |outcome, _| outcomes.extend(outcome));
        let count = outcomes.len();
        if count == 0 {
            None
        } else {
            outcomes.into_iter().nth(index.index(count))
        }
    }

    fn visit(&self, show: &mut dyn FnMut(Option<Outcome>, &Walk)) {
        let machine = Machine::new(self);
        let registers = vec![Vec::new(); self.threads.len()];
        machine.visit(&State::new(&machine), &registers, &Walk::default(), show);
    }

    /// The number of interleavings, counted without going through each.
    pub(crate) fn interleavings(&self) -> u64 {
        let machine = Machine::new(self);
        machine.count(&State::new(&machine), &mut HashMap::new())
    }

    /// The probability that a walk which is uniform over the possible steps deadlocks or panics
    /// in a thread. (A forbidden outcome does not count.)
    pub(crate) fn failure_probability(&self) -> f64 {
        let machine = Machine::new(self);
        machine.probability(&State::new(&machine), &mut HashMap::new())
    }

    /// The program with its last operations left out, so that there are at most `limit`
    /// interleavings.
    fn within(mut self, limit: u64) -> Self {
        while self.interleavings() > limit {
            let longest = self.threads.iter_mut().max_by_key(|ops| ops.len());
            longest.expect("there are threads").pop();
        }
        self
    }

    /// Runs the program under the lab.
    pub(crate) fn run(&self) {
        let shared = Arc::new(Shared::new());
        let threads = self.threads.iter().map(|ops| {
            let (ops, shared) = (ops.clone(), Arc::clone(&shared));
            thread::spawn(move || {
                let mut registers = Vec::new();
                shared.run(&ops, &mut registers);
                registers
            })
        });
        let threads: Vec<_> = threads.collect();
        let registers = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        let outcome: Outcome = (
            registers,
            [0, 1].map(|index| shared.variables[index].load(SeqCst)),
        );
        racelab::outcome(&outcome);
        assert_ne!(Some(outcome), self.forbidden);
    }
}

/// The program as the lab sees it.
struct Shared {
    variables: [AtomicU8; VARIABLES],
    mutexes: [Mutex<()>; MUTEXES],
}

impl Shared {
    fn new() -> Self {
        Shared {
            variables: [(); 2].map(|()| AtomicU8::new(0)),
            mutexes: [(); 2].map(Mutex::new),
        }
    }

    fn run(&self, ops: &[Op], registers: &mut Vec<u8>) {
        for op in ops {
            match op {
                Op::Load(variable) => registers.push(self.variables[*variable].load(SeqCst)),
                Op::LoadNot(variable, wrong) => {
                    let value = self.variables[*variable].load(SeqCst);
                    assert_ne!(value, *wrong);
                    registers.push(value);
                }
                Op::Pause(yields) => (0..*yields).for_each(|_| thread::yield_now()),
                Op::Store(variable, value) => self.variables[*variable].store(*value, SeqCst),
                Op::Increment(variable) => {
                    let value = self.variables[*variable].load(SeqCst);
                    registers.push(value);
                    self.variables[*variable].store(value.wrapping_add(1), SeqCst);
                }
                Op::FetchAdd(variable, value) => {
                    registers.push(self.variables[*variable].fetch_add(*value, SeqCst));
                }
                Op::Swap(variable, value) => {
                    registers.push(self.variables[*variable].swap(*value, SeqCst));
                }
                Op::CompareExchange {
                    variable,
                    current,
                    new,
                } => {
                    let variable = &self.variables[*variable];
                    let result = variable.compare_exchange(*current, *new, SeqCst, SeqCst);
                    registers.extend([
                        u8::from(result.is_ok()),
                        result.unwrap_or_else(|value| value),
                    ]);
                }
                Op::Lock(mutex, inside) => {
                    let _held = self.mutexes[*mutex].lock().unwrap();
                    self.run(inside, registers);
                }
                Op::TryLock(mutex, inside) => {
                    let held = self.mutexes[*mutex].try_lock();
                    registers.push(u8::from(held.is_ok()));
                    if held.is_ok() {
                        self.run(inside, registers);
                    }
                }
            }
        }
    }
}

/// One step of a thread.
#[derive(Clone, Debug)]
enum Instruction {
    Load(usize),
    LoadNot(usize, u8),
    Store(usize, u8),
    /// Stores one more than what the thread read last.
    StoreNext(usize),
    FetchAdd(usize, u8),
    Swap(usize, u8),
    CompareExchange(usize, u8, u8),
    Lock(usize),
    Unlock(usize),
    /// Goes to the instruction with this number if the mutex is held.
    TryLock(usize, usize),
}

fn flatten(ops: &[Op], code: &mut Vec<Instruction>) {
    for op in ops {
        match *op {
            Op::Load(variable) => code.push(Instruction::Load(variable)),
            Op::LoadNot(variable, wrong) => code.push(Instruction::LoadNot(variable, wrong)),
            Op::Pause(_) => {}
            Op::Store(variable, value) => code.push(Instruction::Store(variable, value)),
            Op::Increment(variable) => {
                code.extend([
                    Instruction::Load(variable),
                    Instruction::StoreNext(variable),
                ]);
            }
            Op::FetchAdd(variable, value) => code.push(Instruction::FetchAdd(variable, value)),
            Op::Swap(variable, value) => code.push(Instruction::Swap(variable, value)),
            Op::CompareExchange {
                variable,
                current,
                new,
            } => {
                code.push(Instruction::CompareExchange(variable, current, new));
            }
            Op::Lock(mutex, ref inside) => {
                code.push(Instruction::Lock(mutex));
                flatten(inside, code);
                code.push(Instruction::Unlock(mutex));
            }
            Op::TryLock(mutex, ref inside) => {
                let at = code.len();
                code.push(Instruction::TryLock(mutex, 0));
                flatten(inside, code);
                code.push(Instruction::Unlock(mutex));
                code[at] = Instruction::TryLock(mutex, code.len());
            }
        }
    }
}

/// A program as lists of steps.
struct Machine {
    code: Vec<Vec<Instruction>>,
}

/// All that the future of an execution depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    /// The steps that the main thread has made.
    main: usize,
    /// The next instruction of each thread.
    next: Vec<usize>,
    /// What each thread read last.
    last_read: Vec<u8>,
    variables: [u8; VARIABLES],
    holders: [Option<usize>; MUTEXES],
    panicked: bool,
}

/// How an execution came where it is.
#[derive(Clone, Copy, Default)]
struct Walk {
    /// The thread that made the last step; 0 is the main thread.
    last: Option<usize>,
    preemptions: u32,
    steps: usize,
}

impl State {
    fn new(machine: &Machine) -> Self {
        let threads = machine.code.len();
        State {
            main: 0,
            next: vec![0; threads],
            last_read: vec![0; threads],
            variables: [0; VARIABLES],
            holders: [None; MUTEXES],
            panicked: false,
        }
    }
}

impl Machine {
    fn new(program: &Program) -> Self {
        let code = program.threads.iter().map(|ops| {
            let mut code = Vec::new();
            flatten(ops, &mut code);
            code
        });
        Machine {
            code: code.collect(),
        }
    }

    fn has_ended(&self, state: &State, thread: usize) -> bool {
        state.main > thread && state.next[thread] == self.code[thread].len()
    }

    /// The threads that can make a step; 0 is the main thread.
    fn enabled(&self, state: &State) -> Vec<usize> {
        let threads = self.code.len();
        let mut enabled = Vec::new();
        if state.panicked {
            return enabled;
        }
        let can_main = match state.main {
            spawn if spawn < threads => true,
            join if join < 2 * threads => self.has_ended(state, join - threads),
            load => load < 2 * threads + VARIABLES,
        };
        if can_main {
            enabled.push(0);
        }
        for thread in 0..threads.min(state.main) {
            match self.code[thread].get(state.next[thread]) {
                None => {}
                Some(Instruction::Lock(mutex)) if state.holders[*mutex].is_some() => {}
                Some(_) => enabled.push(thread + 1),
            }
        }
        enabled
    }

    /// Makes a step, and returns what the thread read in it.
    fn step(&self, state: &mut State, chosen: usize) -> Vec<u8> {
        if chosen == 0 {
            state.main += 1;
            return Vec::new();
        }
        let thread = chosen - 1;
        let mut next = state.next[thread] + 1;
        let mut read = Vec::new();
        match self.code[thread][state.next[thread]] {
            Instruction::Load(variable) => read.push(state.variables[variable]),
            Instruction::LoadNot(variable, wrong) => {
                read.push(state.variables[variable]);
                state.panicked = state.variables[variable] == wrong;
            }
            Instruction::Store(variable, value) => state.variables[variable] = value,
            Instruction::StoreNext(variable) => {
                state.variables[variable] = state.last_read[thread].wrapping_add(1);
            }
            Instruction::FetchAdd(variable, value) => {
                read.push(state.variables[variable]);
                state.variables[variable] = state.variables[variable].wrapping_add(value);
            }
            Instruction::Swap(variable, value) => {
                read.push(state.variables[variable]);
                state.variables[variable] = value;
            }
            Instruction::CompareExchange(variable, current, new) => {
                let before = state.variables[variable];
                read.extend([u8::from(before == current), before]);
                if before == current {
                    state.variables[variable] = new;
                }
            }
            Instruction::Lock(mutex) => state.holders[mutex] = Some(thread),
            Instruction::Unlock(mutex) => state.holders[mutex] = None,
            Instruction::TryLock(mutex, otherwise) => {
                read.push(u8::from(state.holders[mutex].is_none()));
                if state.holders[mutex].is_none() {
                    state.holders[mutex] = Some(thread);
                } else {
                    next = otherwise;
                }
            }
        }
        state.next[thread] = next;
        // It has no meaning for the future but between a load and its store.
        let stores_next = matches!(self.code[thread].get(next), Some(Instruction::StoreNext(_)));
        state.last_read[thread] = if stores_next { read[0] } else { 0 };
        read
    }

    fn is_over(&self, state: &State) -> bool {
        state.main == 2 * self.code.len() + VARIABLES
    }

    /// Goes through all interleavings, and shows the end of each: its outcome, or `None` if not
    /// all threads came to their end.
    fn visit(
        &self,
        state: &State,
        registers: &[Vec<u8>],
        walk: &Walk,
        show: &mut dyn FnMut(Option<Outcome>, &Walk),
    ) {
        let enabled = self.enabled(state);
        if enabled.is_empty() {
            show(
                self.is_over(state)
                    .then(|| (registers.to_vec(), state.variables)),
                walk,
            );
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
            let mut state = state.clone();
            let read = self.step(&mut state, chosen);
            let mut registers = registers.to_vec();
            if chosen > 0 {
                registers[chosen - 1].extend(read);
            }
            self.visit(&state, &registers, &walk, show);
        }
    }

    fn count(&self, state: &State, known: &mut HashMap<State, u64>) -> u64 {
        if let Some(count) = known.get(state) {
            return *count;
        }
        let nexts = self.nexts(state);
        let count = match nexts.len() {
            0 => 1,
            _ => nexts.iter().map(|next| self.count(next, known)).sum(),
        };
        known.insert(state.clone(), count);
        count
    }

    fn probability(&self, state: &State, known: &mut HashMap<State, f64>) -> f64 {
        if let Some(probability) = known.get(state) {
            return *probability;
        }
        let nexts = self.nexts(state);
        let probability = if nexts.is_empty() {
            f64::from(u8::from(!self.is_over(state)))
        } else {
            let share = 1.0 / f64::from(u32::try_from(nexts.len()).unwrap());
            nexts
                .iter()
                .map(|next| share * self.probability(next, known))
                .sum()
        };
        known.insert(state.clone(), probability);
        probability
    }

    fn nexts(&self, state: &State) -> Vec<State> {
        let nexts = self.enabled(state).into_iter().map(|chosen| {
            let mut next = state.clone();
            self.step(&mut next, chosen);
            next
        });
        nexts.collect()
    }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let variable = 0..VARIABLES;
    let value = 0u8..3;
    let access = prop_oneof![
        variable.clone().prop_map(Op::Load),
        (variable.clone(), value.clone()).prop_map(|(variable, value)| Op::Store(variable, value)),
        variable.clone().prop_map(Op::Increment),
        (variable.clone(), 1u8..3).prop_map(|(variable, value)| Op::FetchAdd(variable, value)),
        (variable.clone(), value.clone()).prop_map(|(variable, value)| Op::Swap(variable, value)),
        (variable, value.clone(), value).prop_map(|(variable, current, new)| {
            Op::CompareExchange {
                variable,
                current,
                new,
            }
        }),
    ];
    let op = access.prop_recursive(2, 4, 2, |inside| {
        let mutex = 0..MUTEXES;
        prop_oneof![
            3 => (mutex.clone(), vec(inside.clone(), 0..3)).prop_map(|(m, ops)| Op::Lock(m, ops)),
            1 => (mutex, vec(inside, 0..3)).prop_map(|(m, ops)| Op::TryLock(m, ops)),
        ]
    });
    vec(op, 1..4)
}

/// Programs of two or three threads with at most so many interleavings.
pub(crate) fn programs(limit: u64) -> impl Strategy<Value = Program> {
    vec(ops(), 2..4).prop_map(move |threads| Program::new(threads).within(limit))
}

/// Programs that fail in some interleaving: at an outcome, in a thread, or by a deadlock.
pub(crate) fn failing_programs(limit: u64) -> impl Strategy<Value = Program> {
    let wrong = (0..VARIABLES, 0u8..3, any::<prop::sample::Index>());
    let forbid = any::<prop::sample::Index>();
    (programs(limit), forbid, prop::option::weighted(0.3, wrong)).prop_map(
        move |(mut program, forbid, wrong)| {
            if let Some((variable, value, thread)) = wrong {
                let thread = thread.index(program.threads.len());
                program.threads[thread].insert(0, Op::LoadNot(variable, value));
                program = program.within(limit);
            }
            program.forbidden = program.some_outcome(forbid);
            program
        },
    )
}

/// A program in which one thread, or two, yields some times at some place.
pub(crate) fn pausing_programs(limit: u64) -> impl Strategy<Value = Program> {
    let pause = || {
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            1usize..5,
        )
    };
    let pauses = prop::collection::vec(pause(), 1..3);
    (programs(limit), pauses).prop_map(|(mut program, pauses)| {
        for (thread, place, yields) in pauses {
            let thread = thread.index(program.threads.len());
            let ops = &mut program.threads[thread];
            ops.insert(place.index(ops.len() + 1), Op::Pause(yields));
        }
        program
    })
}
