//! Memory that is freed and comes again is something new: no race is reported between its users.
//!
//! The programs are random, and right: whoever uses a node has it to itself, since it has made it,
//! has swapped it out of a slot, or has it from a mutex. Pointers that are only looked at are never
//! followed.

use std::ptr;

use proptest::prelude::*;
use proptest::test_runner::Config;

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{
    AtomicPtr,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use racelab::sync::{Arc, Mutex};
use racelab::{Coverage, Engine, Explorer, FailureKind, Report, Verdict, thread};

const SLOTS: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Makes a node and frees it, so that its memory is the next to be used.
    Scratch,
    /// Makes a node and swaps it into a slot. What was there is freed.
    Publish(usize),
    /// Takes what is in a slot, uses it and frees it.
    Take(usize),
    /// Moves what is in a slot to the next one. What was there is freed.
    Move(usize),
    /// Reads a pointer that it does not follow.
    Peek(usize),
    /// Moves what is in a slot into the mutex. What was there is freed.
    Lock(usize),
    /// Takes what is in the mutex, uses it and frees it.
    Unlock,
}

type Program = Vec<Vec<Op>>;

fn op() -> impl Strategy<Value = Op> {
    let slot = 0..SLOTS;
    prop_oneof![
        4 => Just(Op::Scratch),
        4 => slot.clone().prop_map(Op::Publish),
        4 => slot.clone().prop_map(Op::Take),
        1 => slot.clone().prop_map(Op::Move),
        4 => slot.clone().prop_map(Op::Peek),
        1 => slot.prop_map(Op::Lock),
        1 => Just(Op::Unlock),
    ]
}

fn program() -> impl Strategy<Value = Program> {
    let threads = |count, ops| prop::collection::vec(prop::collection::vec(op(), 1..=ops), count);
    prop_oneof![threads(2, 5), threads(3, 2)]
}

/// What is made, handed over and freed. It is one cell and something behind it, so that the pointer to
/// it covers more than the cell.
struct Node {
    value: UnsafeCell<usize>,
    more: [UnsafeCell<usize>; 2],
}

impl Node {
    fn new() -> Self {
        Node {
            value: UnsafeCell::new(0),
            more: [UnsafeCell::new(0), UnsafeCell::new(0)],
        }
    }

    /// Makes a node and uses it, behind a pointer that can be handed over.
    fn leaked() -> *mut Node {
        let node = Box::new(Node::new());
        node.touch();
        Box::into_raw(node)
    }

    /// Whoever has the node to itself uses it.
    fn touch(&self) {
        self.value.with_mut(|_| ());
        self.more[1].with(|_| ());
        self.more[1].with_mut(|_| ());
    }
}

#[derive(Default)]
struct Shared {
    slots: [AtomicPtr<Node>; SLOTS],
    held: Mutex<Option<Handed>>,
}

/// A node on its way from one thread to another.
struct Handed(Box<Node>);

#[expect(unsafe_code, reason = "cells are not `Sync`, and so not `Send` here")]
// SAFETY: who has the box has the cells to itself.
unsafe impl Send for Handed {}

impl Shared {
    fn swap(&self, slot: usize, new: *mut Node) -> Option<Box<Node>> {
        let old = self.slots[slot].swap(new, AcqRel);
        #[expect(unsafe_code, reason = "the subject are nodes behind atomic pointers")]
        // SAFETY: what is in a slot came from a box, and who swaps it out has it to itself.
        let old = (!old.is_null()).then(|| unsafe { Box::from_raw(old) });
        if let Some(old) = &old {
            old.touch();
        }
        old
    }

    fn take(&self, slot: usize) -> Option<Box<Node>> {
        self.swap(slot, ptr::null_mut())
    }

    fn run(&self, op: Op) {
        match op {
            Op::Scratch => {
                let node = Box::new(Node::new());
                node.touch();
            }
            Op::Publish(slot) => drop(self.swap(slot, Node::leaked())),
            Op::Take(slot) => drop(self.take(slot)),
            Op::Move(slot) => {
                if let Some(node) = self.take(slot) {
                    drop(self.swap((slot + 1) % SLOTS, Box::into_raw(node)));
                }
            }
            Op::Peek(slot) => drop(self.slots[slot].load(Relaxed)),
            Op::Lock(slot) => {
                if let Some(node) = self.take(slot) {
                    let old = self.held.lock().unwrap().replace(Handed(node));
                    drop(old);
                }
            }
            Op::Unlock => {
                let node = self.held.lock().unwrap().take();
                if let Some(Handed(node)) = node {
                    node.touch();
                }
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for slot in 0..SLOTS {
            drop(self.take(slot));
        }
    }
}

fn body(program: &Program) -> impl Fn() + Send + Sync + 'static {
    let program = program.clone();
    move || {
        let shared = Arc::new(Shared::default());
        let others: Vec<_> = program[1..]
            .iter()
            .map(|ops| {
                let (ops, shared) = (ops.clone(), Arc::clone(&shared));
                thread::spawn(move || ops.into_iter().for_each(|op| shared.run(op)))
            })
            .collect();
        program[0].iter().for_each(|op| shared.run(*op));
        for other in others {
            other.join().unwrap();
        }
    }
}

fn explore(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(engine).max_executions(300).explore(body)
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn memory_that_comes_again_races_with_nothing(program in program()) {
        let report = explore(Engine::Dpor, body(&program));
        let holds = matches!(report.verdict, Verdict::Holds);
        let is_cut = report.coverage != Coverage::Complete && report.failure().is_none();
        prop_assert!(holds || is_cut, "{report}");
        let report = explore(Engine::Random, body(&program));
        prop_assert!(report.failure().is_none(), "{report}");
    }
}

/// The programs above can race: one that publishes too weakly does.
#[test]
fn a_node_that_is_published_without_release_races_with_its_making() {
    let report = explore(Engine::Dpor, || {
        let slot = Arc::new(AtomicPtr::<Node>::default());
        let maker = Arc::clone(&slot);
        let thread = thread::spawn(move || {
            maker.store(Node::leaked(), Relaxed);
        });
        let found = slot.load(Acquire);
        #[expect(unsafe_code, reason = "the subject are nodes behind atomic pointers")]
        // SAFETY: the pointer is null or was made from a box that is freed further below.
        if let Some(node) = unsafe { found.as_ref() } {
            node.touch();
        }
        thread.join().unwrap();
        let made = slot.swap(ptr::null_mut(), AcqRel);
        #[expect(unsafe_code, reason = "the subject are nodes behind atomic pointers")]
        // SAFETY: the only other thread has ended.
        drop(unsafe { Box::from_raw(made) });
    });
    let failure = report.failure().expect("it races");
    assert_eq!(failure.kind, FailureKind::DataRace, "{report}");
}
