//! Generators of random programs, one for each kind of operation, and one for all together.

use proptest::collection::vec;
use proptest::prelude::*;
use racelab::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::channel::Channel;
use super::program::{ATOMICS, MUTEXES, Op, Program, Way};

type Ops = BoxedStrategy<Op>;

/// Programs of two or three threads, one of them main, whose operations are these.
pub(crate) fn programs(op: Ops) -> impl Strategy<Value = Program> {
    threads(op).prop_map(|threads| Program {
        channel: None,
        threads,
    })
}

/// Programs with a channel of one of these kinds.
pub(crate) fn programs_with(
    channels: &'static [Channel],
    op: Ops,
) -> impl Strategy<Value = Program> {
    let channel = prop::sample::select(channels);
    (channel, threads(op)).prop_map(|(channel, threads)| Program {
        channel: Some(channel),
        threads,
    })
}

fn threads(op: Ops) -> impl Strategy<Value = Vec<Vec<Op>>> {
    prop_oneof![
        vec(vec(op.clone(), 1..=3), 2),
        // Main only starts and joins the others.
        vec(vec(op.clone(), 1..=3), 2).prop_map(|mut threads| {
            threads.insert(0, Vec::new());
            threads
        }),
        vec(vec(op, 1..=2), 3),
    ]
}

fn atomic() -> impl Strategy<Value = usize> + Clone {
    0..ATOMICS
}

fn value() -> impl Strategy<Value = u8> + Clone {
    0u8..3
}

fn loading() -> impl Strategy<Value = Ordering> {
    prop::sample::select(&[SeqCst, Relaxed, Acquire])
}

fn storing() -> impl Strategy<Value = Ordering> {
    prop::sample::select(&[SeqCst, Relaxed, Release])
}

fn modifying() -> impl Strategy<Value = Ordering> {
    prop::sample::select(&[SeqCst, Relaxed, Acquire, Release, AcqRel])
}

/// Accesses of atomics with any ordering.
pub(crate) fn atomics() -> Ops {
    let values = || [value(), value()];
    let orderings = || (modifying(), loading()).prop_map(|(success, failure)| [success, failure]);
    prop_oneof![
        3 => (atomic(), loading()).prop_map(|(a, o)| Op::Load(a, o)),
        3 => (atomic(), value(), storing()).prop_map(|(a, v, o)| Op::Store(a, v, o)),
        1 => (atomic(), 1u8..3, modifying()).prop_map(|(a, v, o)| Op::FetchAdd(a, v, o)),
        1 => (atomic(), value(), modifying()).prop_map(|(a, v, o)| Op::Swap(a, v, o)),
        1 => (atomic(), values(), orderings()).prop_map(|(a, v, o)| Op::CompareExchange(a, v, o)),
        1 => (atomic(), values(), orderings())
            .prop_map(|(a, v, o)| Op::CompareExchangeWeak(a, v, o)),
        1 => prop::sample::select(&[SeqCst, Acquire, Release, AcqRel]).prop_map(Op::Fence),
    ]
    .boxed()
}

/// A sequentially consistent access, to have something to do in between.
fn access() -> Ops {
    prop_oneof![
        atomic().prop_map(|a| Op::Load(a, SeqCst)),
        (atomic(), 1u8..3).prop_map(|(a, v)| Op::Store(a, v, SeqCst)),
        atomic().prop_map(|a| Op::FetchAdd(a, 1, SeqCst)),
    ]
    .boxed()
}

fn inside(op: &Ops) -> impl Strategy<Value = Vec<Op>> + use<> {
    vec(op.clone(), 0..=1)
}

/// Critical sections, one of them in another one now and then, and accesses.
pub(crate) fn mutexes() -> Ops {
    let mutex = || 0..MUTEXES;
    let section = |op: Ops| {
        prop_oneof![
            2 => (mutex(), inside(&op)).prop_map(|(m, ops)| Op::Lock(m, ops)),
            2 => (mutex(), inside(&op)).prop_map(|(m, ops)| Op::TryLock(m, ops)),
        ]
    };
    prop_oneof![
        2 => section(access()),
        1 => section(section(access()).boxed()),
        1 => access(),
    ]
    .boxed()
}

/// Critical sections, one of them in another one of the same lock now and then.
pub(crate) fn read_write_locks() -> Ops {
    let section = |op: Ops| {
        prop_oneof![
            2 => inside(&op).prop_map(Op::Read),
            2 => inside(&op).prop_map(Op::Write),
            1 => inside(&op).prop_map(Op::TryRead),
            1 => inside(&op).prop_map(Op::TryWrite),
        ]
    };
    prop_oneof![
        3 => section(access()),
        3 => section(section(access()).boxed()),
        1 => access(),
    ]
    .boxed()
}

/// Read-write locks that are read in each other, with what else a thread can wait for meanwhile.
pub(crate) fn nested_reads() -> Ops {
    let way = prop::sample::select(&[
        Way::Read,
        Way::Read,
        Way::Read,
        Way::ReadRecursively,
        Way::ReadUpgradably,
        Way::Write,
        Way::Write,
        Way::Upgrade,
        Way::DowngradeUpgradable,
    ]);
    let section = |op: BoxedStrategy<Vec<Op>>| {
        prop_oneof![
            4 => op.clone().prop_map(Op::Read),
            3 => op.clone().prop_map(Op::Write),
            5 => (way.clone(), op.clone()).prop_map(|(way, ops)| Op::Hold(way, ops)),
            1 => (0..MUTEXES, op).prop_map(|(m, ops)| Op::Lock(m, ops)),
        ]
        .boxed()
    };
    let none = section(Just(Vec::new()).boxed());
    let other = prop_oneof![
        4 => none.clone(),
        1 => access(),
        1 => Just(Op::Arrive),
    ]
    .boxed();
    let nested = section(vec(other.clone(), 1..=2).boxed());
    let child = vec(none.clone(), 1).prop_map(Op::Spawn);
    let joined = section(Just(vec![Op::Join]).boxed());
    prop_oneof![
        2 => none,
        5 => nested,
        1 => child,
        1 => joined,
        1 => access(),
        1 => Just(Op::Join),
    ]
    .boxed()
}

pub(crate) fn timed_mutexes() -> Ops {
    prop_oneof![
        2 => inside(&access()).prop_map(Op::LockTimeout),
        1 => inside(&access()).prop_map(Op::Unlocked),
        1 => access(),
    ]
    .boxed()
}

pub(crate) fn upgradable_locks() -> Ops {
    let way = prop::sample::select(&[
        Way::Read,
        Way::Read,
        Way::TryRead,
        Way::ReadUpgradably,
        Way::TryReadUpgradably,
        Way::ReadUpgradablyTimeout,
        Way::Write,
        Way::TryWrite,
        Way::WriteTimeout,
        Way::Upgrade,
        Way::TryUpgrade,
        Way::UpgradeTimeout,
        Way::WithUpgraded,
        Way::Downgrade,
        Way::DowngradeToUpgradable,
        Way::DowngradeUpgradable,
    ]);
    let section = |op: Ops| (way.clone(), inside(&op)).prop_map(|(way, ops)| Op::Hold(way, ops));
    prop_oneof![
        2 => section(access()),
        1 => section(section(access()).boxed()),
        1 => access(),
    ]
    .boxed()
}

pub(crate) fn condition_variables() -> Ops {
    prop_oneof![
        1 => Just(Op::Wait),
        3 => Just(Op::WaitWhileZero),
        1 => Just(Op::WaitTimeout),
        1 => Just(Op::NotifyOne),
        1 => Just(Op::NotifyAll),
        3 => Just(Op::CountAndNotifyOne),
        2 => Just(Op::CountAndNotifyAll),
    ]
    .boxed()
}

pub(crate) fn barriers() -> Ops {
    prop_oneof![2 => Just(Op::Arrive), 3 => access()].boxed()
}

pub(crate) fn initialisations() -> Ops {
    prop_oneof![
        2 => inside(&access()).prop_map(Op::CallOnce),
        1 => Just(Op::IsCompleted),
        1 => value().prop_map(Op::SetOnce),
        1 => Just(Op::GetOnce),
        2 => (value(), inside(&access())).prop_map(|(v, ops)| Op::GetOrInit(v, ops)),
        1 => Just(Op::Force),
        1 => access(),
    ]
    .boxed()
}

pub(crate) const MPSC: &[Channel] = &[
    Channel::Mpsc,
    Channel::MpscBounded(1),
    Channel::MpscBounded(0),
];

pub(crate) const CROSSBEAM: &[Channel] = &[
    Channel::Crossbeam,
    Channel::CrossbeamBounded(1),
    Channel::CrossbeamBounded(0),
];

pub(crate) const CHANNELS: &[Channel] = &[
    Channel::Mpsc,
    Channel::MpscBounded(1),
    Channel::MpscBounded(0),
    Channel::Crossbeam,
    Channel::CrossbeamBounded(1),
    Channel::CrossbeamBounded(0),
];

pub(crate) fn messages() -> Ops {
    prop_oneof![
        4 => Just(Op::Send),
        2 => Just(Op::TrySend),
        1 => Just(Op::SendTimeout),
        4 => Just(Op::Receive),
        2 => Just(Op::TryReceive),
        1 => Just(Op::ReceiveTimeout),
        1 => Just(Op::Length),
        1 => Just(Op::DropSender),
        1 => Just(Op::DropReceiver),
        1 => access(),
    ]
    .boxed()
}

pub(crate) fn queues() -> Ops {
    prop_oneof![
        2 => Just(Op::PushArray),
        1 => Just(Op::ForcePushArray),
        2 => Just(Op::PopArray),
        2 => Just(Op::PushSegment),
        2 => Just(Op::PopSegment),
        1 => Just(Op::LengthOfQueues),
    ]
    .boxed()
}

pub(crate) fn parking() -> Ops {
    prop_oneof![
        1 => Just(Op::Park),
        1 => Just(Op::ParkTimeout),
        3 => (0usize..3).prop_map(Op::Unpark),
        4 => access(),
    ]
    .boxed()
}

pub(crate) fn threads_of_threads() -> Ops {
    let ops = || vec(access(), 0..=2);
    prop_oneof![
        2 => ops().prop_map(Op::Spawn),
        1 => Just(Op::Join),
        1 => Just(Op::IsFinished),
        1 => vec(ops(), 1..=2).prop_map(Op::Scope),
        3 => access(),
    ]
    .boxed()
}

/// Yields, and looks that are given up.
fn yields() -> Ops {
    prop_oneof![
        1 => Just(Op::Yield),
        1 => (atomic(), 1usize..3).prop_map(|(a, looks)| Op::AwaitSome(a, looks)),
    ]
    .boxed()
}

/// Programs in which one thread waits by looking again, and another one writes, mostly.
pub(crate) fn spinning_programs() -> impl Strategy<Value = Program> {
    let spinning = prop_oneof![atomic().prop_map(Op::Await), yields()];
    let spins = vec(spinning, 1..=2).boxed();
    programs_that_spin(spins, || vec(access(), 1..=2).boxed(), 2)
}

/// The same with looks under a lock, or that store what is there.
pub(crate) fn programs_that_spin_under_locks() -> impl Strategy<Value = Program> {
    let mutex = || 0..MUTEXES;
    let spinning = prop_oneof![
        2 => mutex().prop_map(Op::AwaitLocked),
        2 => mutex().prop_map(Op::AwaitTaken),
        1 => Just(Op::AwaitRead),
        1 => atomic().prop_map(Op::AwaitSwapped),
        2 => (mutex(), 1usize..4).prop_map(|(m, looks)| Op::AwaitSomeLocked(m, looks)),
    ];
    let other = move || {
        prop_oneof![
            3 => mutex().prop_map(|m| Op::Lock(m, vec![])),
            1 => mutex().prop_map(|m| Op::TryLock(m, vec![])),
            1 => mutex().prop_map(Op::AwaitLocked),
            1 => mutex().prop_map(Op::AwaitTaken),
            1 => Just(Op::Write(vec![])),
            1 => Just(Op::Read(vec![])),
            1 => access(),
        ]
    };
    let spins = vec(spinning, 1).boxed();
    // More threads have too many interleavings.
    programs_that_spin(spins, move || vec(other(), 1..=2).boxed(), 1)
}

/// The same with rounds that undo what they write.
pub(crate) fn programs_that_undo_rounds() -> impl Strategy<Value = Program> {
    let counted = || {
        prop_oneof![
            2 => atomic().prop_map(Op::AwaitCounted),
            1 => (atomic(), 1usize..5).prop_map(|(a, looks)| Op::AwaitSomeCounted(a, looks)),
        ]
    };
    let other = move || {
        prop_oneof![
            3 => access(),
            1 => atomic().prop_map(Op::Await),
            1 => counted(),
        ]
    };
    let spins = vec(counted(), 1).boxed();
    programs_that_spin(spins, move || vec(other(), 1..=2).boxed(), 1)
}

/// The same with rounds that are critical sections of a spin lock, for which each of them can wait.
pub(crate) fn programs_that_poll_under_a_spin_lock() -> impl Strategy<Value = Program> {
    let spinning = prop_oneof![
        2 => (1u8..3).prop_map(Op::AwaitSpinning),
        1 => (1u8..3, 1usize..5).prop_map(|(v, looks)| Op::AwaitSomeSpinning(v, looks)),
    ];
    let other = move || {
        prop_oneof![
            3 => Just(Op::AddSpinning),
            1 => Just(Op::IsSpinLocked),
            1 => (1u8..3).prop_map(Op::AwaitSpinning),
            1 => access(),
        ]
    };
    let spins = vec(spinning, 1).boxed();
    programs_that_spin(spins, move || vec(other(), 1..=2).boxed(), 1)
}

fn programs_that_spin(
    spins: BoxedStrategy<Vec<Op>>,
    ops: impl Fn() -> BoxedStrategy<Vec<Op>>,
    most_others: usize,
) -> impl Strategy<Value = Program> {
    let place = any::<prop::sample::Index>();
    let others = vec(ops(), 1..=most_others);
    (ops(), others, spins, place).prop_map(|(mut first, others, spins, place)| {
        let place = place.index(first.len() + 1);
        first.splice(place..place, spins);
        let mut threads = vec![first];
        threads.extend(others);
        Program {
            channel: None,
            threads,
        }
    })
}

/// Accesses of a plain cell, guarded or not, with what may order them.
pub(crate) fn cells() -> Ops {
    let cell = prop_oneof![Just(Op::ReadCell), (1u8..3).prop_map(Op::WriteCell)].boxed();
    prop_oneof![
        2 => (0..MUTEXES, inside(&cell)).prop_map(|(m, ops)| Op::Lock(m, ops)),
        1 => cell,
        3 => atomics(),
    ]
    .boxed()
}

/// Assertions, some of which fail, some of them caught, and locks that they poison.
pub(crate) fn panics() -> Ops {
    let refuse = (atomic(), value())
        .prop_map(|(a, v)| Op::Refuse(a, v))
        .boxed();
    let section = prop_oneof![
        (0..MUTEXES, inside(&refuse)).prop_map(|(m, ops)| Op::Lock(m, ops)),
        inside(&refuse).prop_map(Op::Write),
        inside(&refuse).prop_map(Op::Read),
        inside(&refuse).prop_map(Op::CallOnce),
    ]
    .boxed();
    prop_oneof![
        1 => refuse,
        3 => inside(&section).prop_map(Op::Catch),
        2 => section,
        2 => (0..MUTEXES).prop_map(|m| Op::TryLock(m, vec![])),
        3 => access(),
    ]
    .boxed()
}

/// Everything but waits that can go on for ever, since livelocks take very many steps.
pub(crate) fn mixed() -> Ops {
    prop_oneof![
        3 => atomics(),
        2 => mutexes(),
        1 => read_write_locks(),
        2 => condition_variables(),
        1 => barriers(),
        1 => initialisations(),
        3 => messages(),
        1 => queues(),
        1 => parking(),
        1 => threads_of_threads(),
        1 => yields(),
        1 => cells(),
        1 => panics(),
    ]
    .boxed()
}
