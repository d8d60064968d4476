//! Random programs that decide by the counts of an `Arc`, and how they run.

use proptest::collection::vec;
use proptest::prelude::*;
use racelab::sync::counted::{Arc, Weak};
use racelab::thread;

use super::Runs;

/// What a thread does with what it has of an `Arc`, if it has it.
#[derive(Clone, Copy, Debug)]
enum CountOp {
    Clone,
    Drop,
    Downgrade,
    DropWeak,
    Upgrade,
    StrongCount,
    WeakCount,
    GetMut,
    TryUnwrap,
    IntoInner,
}

/// A thread for each list, main the first of them, which all have a strong and a weak one to begin
/// with.
#[derive(Clone, Debug)]
pub(super) struct CountProgram(Vec<Vec<CountOp>>);

pub(super) fn count_programs() -> impl Strategy<Value = CountProgram> {
    let op = prop_oneof![
        1 => Just(CountOp::Clone),
        3 => Just(CountOp::Drop),
        1 => Just(CountOp::Downgrade),
        1 => Just(CountOp::DropWeak),
        2 => Just(CountOp::Upgrade),
        2 => Just(CountOp::StrongCount),
        1 => Just(CountOp::WeakCount),
        1 => Just(CountOp::GetMut),
        1 => Just(CountOp::TryUnwrap),
        1 => Just(CountOp::IntoInner),
    ];
    let threads = prop_oneof![vec(vec(op.clone(), 1..=2), 2), vec(vec(op, 0..=1), 3)];
    threads.prop_map(CountProgram)
}

/// Says that it is dropped.
struct Value(usize);

impl Drop for Value {
    fn drop(&mut self) {
        racelab::outcome("dropped");
    }
}

impl Runs for CountProgram {
    fn run(&self) {
        let first = Arc::new(Value(0));
        let mut parts: Vec<_> = self.0[1..]
            .iter()
            .map(|ops| (ops.clone(), first.clone(), Arc::downgrade(&first)))
            .collect();
        let weak = Arc::downgrade(&first);
        let threads: Vec<_> = parts
            .drain(..)
            .map(|(ops, strong, weak)| thread::spawn(move || perform(&ops, strong, weak)))
            .collect();
        perform(&self.0[0], first, weak);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

fn perform(ops: &[CountOp], strong: Arc<Value>, weak: Weak<Value>) {
    let mut strong = vec![strong];
    let mut weak = vec![weak];
    for op in ops {
        let seen = match op {
            CountOp::Upgrade => weak.last().map(|last| {
                let upgraded = last.upgrade();
                let is_there = upgraded.is_some();
                strong.extend(upgraded);
                usize::from(is_there)
            }),
            CountOp::DropWeak => {
                weak.pop();
                None
            }
            CountOp::WeakCount => weak.last().map(Weak::weak_count),
            CountOp::Clone => {
                let clone = strong.last().cloned();
                strong.extend(clone);
                None
            }
            CountOp::Drop => {
                strong.pop();
                None
            }
            CountOp::Downgrade => {
                weak.extend(strong.last().map(Arc::downgrade));
                None
            }
            CountOp::StrongCount => strong.last().map(Arc::strong_count),
            CountOp::GetMut => strong.last_mut().map(|last| {
                Arc::get_mut(last).map_or(0, |value| {
                    value.0 += 1;
                    value.0
                })
            }),
            CountOp::TryUnwrap => strong.pop().map(|last| match Arc::try_unwrap(last) {
                Ok(_) => 1,
                Err(last) => {
                    strong.push(last);
                    0
                }
            }),
            CountOp::IntoInner => strong
                .pop()
                .map(|last| usize::from(Arc::into_inner(last).is_some())),
        };
        if let Some(seen) = seen {
            racelab::outcome((format!("{op:?}"), seen));
        }
    }
}
