//! Small programs over the operations of the façade, and how they run.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use racelab::cell::UnsafeCell;
use racelab::parking_lot::{self, MutexGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
use racelab::queue::{ArrayQueue, SegQueue};
use racelab::sync::atomic::{AtomicBool, AtomicU8, Ordering, Ordering::SeqCst, fence};
use racelab::sync::{
    Arc, Barrier, Condvar, LazyLock, LockResult, Mutex, Once, OnceLock, RwLock, TryLockError,
    TryLockResult,
};
use racelab::thread::{self, JoinHandle, Thread};

use super::channel::{Channel, Ends};

pub(crate) const ATOMICS: usize = 2;
pub(crate) const MUTEXES: usize = 2;

/// In an execution no time passes, and any wait with a limit can time out.
const LIMIT: Duration = Duration::from_secs(1);

/// What a thread does.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Load(usize, Ordering),
    Store(usize, u8, Ordering),
    FetchAdd(usize, u8, Ordering),
    Swap(usize, u8, Ordering),
    /// From a value to another one, with the orderings of success and of failure.
    CompareExchange(usize, [u8; 2], [Ordering; 2]),
    CompareExchangeWeak(usize, [u8; 2], [Ordering; 2]),
    Fence(Ordering),

    /// Adds one to the number in the mutex, and does what is inside while it is held.
    Lock(usize, Vec<Op>),
    /// Likewise, if nobody holds it.
    TryLock(usize, Vec<Op>),
    Read(Vec<Op>),
    TryRead(Vec<Op>),
    Write(Vec<Op>),
    TryWrite(Vec<Op>),
    /// Acquires the lock that can be held upgradably, and does what is inside while it is held so.
    Hold(Way, Vec<Op>),
    /// Like [`Op::Lock`], but may time out.
    LockTimeout(Vec<Op>),
    /// Does what is inside while it has let go of the mutex in between.
    Unlocked(Vec<Op>),

    /// Waits once for a notification, whatever the count is.
    Wait,
    /// Waits for a count above zero, and takes one off.
    WaitWhileZero,
    WaitTimeout,
    NotifyOne,
    NotifyAll,
    /// Adds one to the count under its mutex, and notifies after that.
    CountAndNotifyOne,
    CountAndNotifyAll,

    /// Waits at the barrier, which is for two.
    Arrive,
    CallOnce(Vec<Op>),
    IsCompleted,
    SetOnce(u8),
    GetOnce,
    GetOrInit(u8, Vec<Op>),
    Force,

    Send,
    TrySend,
    SendTimeout,
    Receive,
    TryReceive,
    ReceiveTimeout,
    Length,
    DropSender,
    DropReceiver,

    PushArray,
    ForcePushArray,
    PopArray,
    PushSegment,
    PopSegment,
    LengthOfQueues,

    Park,
    ParkTimeout,
    /// Unparks one of the threads that it knows.
    Unpark(usize),

    /// Starts a thread. Those that are not joined are joined in the end.
    Spawn(Vec<Op>),
    /// Joins the thread that it started first.
    Join,
    /// Looks whether that one has ended.
    IsFinished,
    Scope(Vec<Vec<Op>>),

    Yield,
    /// Waits until an atomic is not 0, by looking again and again.
    Await(usize),
    /// Likewise, but gives up after this number of looks.
    AwaitSome(usize, usize),
    /// Waits until what a mutex guards is not 0.
    AwaitLocked(usize),
    /// Likewise, and takes it, with a look in each round that may change it.
    AwaitTaken(usize),
    /// Waits until what the read-write lock guards is not 0.
    AwaitRead,
    /// Waits until an atomic is not 0, by storing 0.
    AwaitSwapped(usize),
    /// Waits until the low digit of an atomic is not 0, by raising its high digit and undoing that.
    AwaitCounted(usize),
    /// Likewise, and gives up after this number of looks.
    AwaitSomeCounted(usize, usize),
    /// Waits until what a mutex guards is not 0, and gives up after this number of looks.
    AwaitSomeLocked(usize, usize),
    /// Adds one to what the spin lock guards.
    AddSpinning,
    /// Whether the spin lock is locked.
    IsSpinLocked,
    /// Waits until what the spin lock guards has this value at least, by a critical section in each round.
    AwaitSpinning(u8),
    /// Likewise, and gives up after this number of looks.
    AwaitSomeSpinning(u8, usize),

    ReadCell,
    WriteCell(u8),

    /// Panics if an atomic has this value.
    Refuse(usize, u8),
    /// Catches a panic of what is inside.
    Catch(Vec<Op>),
}

/// How a lock is held that can be held upgradably. Who writes adds one to the number in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Read,
    ReadRecursively,
    TryRead,
    ReadUpgradably,
    TryReadUpgradably,
    ReadUpgradablyTimeout,
    Write,
    TryWrite,
    WriteTimeout,
    /// Upgradably, and then to write.
    Upgrade,
    TryUpgrade,
    UpgradeTimeout,
    /// Upgradably, and to write for a moment.
    WithUpgraded,
    /// To write, and then to read.
    Downgrade,
    /// To write, and then upgradably.
    DowngradeToUpgradable,
    /// Upgradably, and then to read.
    DowngradeUpgradable,
}

/// A program. Its first thread is main.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) channel: Option<Channel>,
    pub(crate) threads: Vec<Vec<Op>>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(channel) = self.channel {
            write!(f, "\n  channel {channel:?}")?;
        }
        for (number, ops) in self.threads.iter().enumerate() {
            write!(f, "\n  thread {number} {ops:?}")?;
        }
        Ok(())
    }
}

/// What a thread has read, and then what those have that it joined.
type Seen = Vec<Vec<i8>>;

impl Program {
    /// Runs the program under the lab. Its outcome is what the threads have read, and what the
    /// atomics are in the end.
    pub(crate) fn run(&self) {
        let shared = Arc::new(Shared::new());
        let mut ends = Ends::of_threads(self.channel, &self.threads).into_iter();
        let mut main = Runner::new(0, &shared, Vec::new(), ends.next().unwrap_or_default());
        let mut known = vec![thread::current()];
        for (number, ops) in self.threads.iter().enumerate().skip(1) {
            let ends = ends.next().unwrap_or_default();
            let runner = Runner::new(number, &shared, known.clone(), ends);
            let ops = ops.clone();
            let handle = thread::spawn(move || runner.finish(&ops));
            known.push(handle.thread().clone());
            main.children.push_back(handle);
        }
        main.known = known.split_off(1);
        let seen = match self.threads.first() {
            Some(ops) => main.finish(ops),
            None => main.finish(&[]),
        };
        let atomics = [0, 1].map(|index| shared.atomics[index].load(SeqCst));
        racelab::outcome((seen, atomics));
    }
}

/// The objects that the threads share. Main drops them, since it ends last.
struct Shared {
    atomics: [AtomicU8; ATOMICS],
    mutexes: [Mutex<u8>; MUTEXES],
    lock: RwLock<u8>,
    upgradable: parking_lot::RwLock<u8>,
    timed: parking_lot::Mutex<u8>,
    count: Mutex<u8>,
    counted: Condvar,
    barrier: Barrier,
    once: Once,
    once_lock: OnceLock<u8>,
    lazy: LazyLock<u8>,
    array: ArrayQueue<i8>,
    segments: SegQueue<i8>,
    cell: Plain,
    spin: SpinLock,
}

/// A number behind a lock that is an atomic.
struct SpinLock {
    is_locked: AtomicBool,
    value: Plain,
}

impl SpinLock {
    fn lock(&self) {
        let lock = || {
            let exchanged = self.is_locked.compare_exchange(false, true, SeqCst, SeqCst);
            exchanged.is_ok()
        };
        while !lock() {
            thread::yield_now();
        }
    }

    fn unlock(&self) {
        self.is_locked.store(false, SeqCst);
    }

    fn add(&self) -> u8 {
        self.lock();
        // SAFETY: see `Plain`.
        let value = unsafe { self.value.0.read() } + 1;
        // SAFETY: see `Plain`.
        unsafe { self.value.0.write(value) };
        self.unlock();
        value
    }

    fn get(&self) -> u8 {
        self.lock();
        // SAFETY: see `Plain`.
        let value = unsafe { self.value.0.read() };
        self.unlock();
        value
    }
}

/// A cell that threads share with no care.
struct Plain(UnsafeCell<u8>);

// SAFETY: that accesses can race is what the programs are about. The lab reports a race before the
// second access, and all threads run on one OS thread.
unsafe impl Sync for Plain {}

impl Shared {
    fn new() -> Self {
        Shared {
            atomics: [(); ATOMICS].map(|()| AtomicU8::new(0)),
            mutexes: [(); MUTEXES].map(|()| Mutex::new(0)),
            lock: RwLock::new(0),
            upgradable: parking_lot::RwLock::new(0),
            timed: parking_lot::Mutex::new(0),
            count: Mutex::new(0),
            counted: Condvar::new(),
            barrier: Barrier::new(2),
            once: Once::new(),
            once_lock: OnceLock::new(),
            lazy: LazyLock::new(|| 7),
            array: ArrayQueue::new(1),
            segments: SegQueue::new(),
            cell: Plain(UnsafeCell::new(0)),
            spin: SpinLock {
                is_locked: AtomicBool::new(false),
                value: Plain(UnsafeCell::new(0)),
            },
        }
    }
}

/// A thread of a program.
struct Runner {
    number: usize,
    shared: Arc<Shared>,
    /// The threads that it can unpark.
    known: Vec<Thread>,
    ends: Ends,
    children: VecDeque<JoinHandle<Seen>>,
    seen: Vec<i8>,
    joined: Seen,
    /// How many operations it has begun.
    begun: usize,
}

impl Runner {
    fn new(number: usize, shared: &Arc<Shared>, known: Vec<Thread>, ends: Ends) -> Self {
        Runner {
            number,
            shared: Arc::clone(shared),
            known,
            ends,
            children: VecDeque::new(),
            seen: Vec::new(),
            joined: Vec::new(),
            begun: 0,
        }
    }

    /// A thread that this one starts. It has no ends of the channel.
    fn child(&self) -> Runner {
        let mut known = self.known.clone();
        known.push(thread::current());
        Runner::new(self.number + 4, &self.shared, known, Ends::default())
    }

    /// Runs to the end, and returns what it has read.
    fn finish(mut self, ops: &[Op]) -> Seen {
        self.run(ops);
        drop(self.ends);
        for child in self.children {
            self.joined.extend(child.join().unwrap());
        }
        let mut seen = vec![self.seen];
        seen.extend(self.joined);
        seen
    }

    /// Each operation is called for at a place of its own, as it would be in a program: at which
    /// place a wait has timed out before makes a difference.
    #[expect(
        clippy::match_same_arms,
        reason = "the arms differ in where they stand"
    )]
    fn run(&mut self, ops: &[Op]) {
        for op in ops {
            let place = self.begun;
            self.begun += 1;
            match place {
                0 => self.perform(op),
                1 => self.perform(op),
                2 => self.perform(op),
                3 => self.perform(op),
                4 => self.perform(op),
                5 => self.perform(op),
                6 => self.perform(op),
                _ => self.perform(op),
            }
        }
    }

    /// A number that tells which message it is.
    fn message(&self) -> i8 {
        let number = 10 * (self.number + 1) + self.begun;
        i8::try_from(number).unwrap_or(i8::MAX)
    }

    #[track_caller]
    #[expect(clippy::too_many_lines, reason = "a line or a few for each operation")]
    fn perform(&mut self, op: &Op) {
        let shared = Arc::clone(&self.shared);
        match *op {
            Op::Load(atomic, ordering) => self.see(shared.atomics[atomic].load(ordering)),
            Op::Store(atomic, value, ordering) => shared.atomics[atomic].store(value, ordering),
            Op::FetchAdd(atomic, value, ordering) => {
                self.see(shared.atomics[atomic].fetch_add(value, ordering));
            }
            Op::Swap(atomic, value, ordering) => {
                self.see(shared.atomics[atomic].swap(value, ordering));
            }
            Op::CompareExchange(atomic, [from, to], [success, failure]) => {
                let atomic = &shared.atomics[atomic];
                self.see_either(atomic.compare_exchange(from, to, success, failure));
            }
            Op::CompareExchangeWeak(atomic, [from, to], [success, failure]) => {
                let atomic = &shared.atomics[atomic];
                self.see_either(atomic.compare_exchange_weak(from, to, success, failure));
            }
            Op::Fence(ordering) => fence(ordering),

            Op::Lock(mutex, ref inside) => {
                let mut held = self.not_poisoned(shared.mutexes[mutex].lock());
                *held += 1;
                self.see(*held);
                self.run(inside);
            }
            Op::TryLock(mutex, ref inside) => {
                if let Some(mut held) = self.held(shared.mutexes[mutex].try_lock()) {
                    *held += 1;
                    self.see(*held);
                    self.run(inside);
                }
            }
            Op::Read(ref inside) => {
                let held = self.not_poisoned(shared.lock.read());
                self.see(*held);
                self.run(inside);
            }
            Op::TryRead(ref inside) => {
                if let Some(held) = self.held(shared.lock.try_read()) {
                    self.see(*held);
                    self.run(inside);
                }
            }
            Op::Write(ref inside) => {
                let mut held = self.not_poisoned(shared.lock.write());
                *held += 1;
                self.run(inside);
            }
            Op::TryWrite(ref inside) => {
                if let Some(mut held) = self.held(shared.lock.try_write()) {
                    *held += 1;
                    self.run(inside);
                }
            }

            Op::Hold(way, ref inside) => self.hold(way, inside),
            Op::LockTimeout(ref inside) => {
                let held = shared.timed.try_lock_for(LIMIT);
                self.see(held.is_some());
                if let Some(mut held) = held {
                    *held += 1;
                    self.see_while(held, inside);
                }
            }
            Op::Unlocked(ref inside) => {
                let mut held = shared.timed.lock();
                *held += 1;
                MutexGuard::unlocked(&mut held, || self.run(inside));
                self.see(*held);
            }

            Op::Wait => {
                let count = shared.count.lock().unwrap();
                let count = shared.counted.wait(count).unwrap();
                self.see(*count);
            }
            Op::WaitWhileZero => {
                let count = shared.count.lock().unwrap();
                let count = shared.counted.wait_while(count, |count| *count == 0);
                let mut count = count.unwrap();
                self.see(*count);
                *count -= 1;
            }
            Op::WaitTimeout => {
                let count = shared.count.lock().unwrap();
                let (count, result) = shared.counted.wait_timeout(count, LIMIT).unwrap();
                self.see(result.timed_out());
                self.see(*count);
            }
            Op::NotifyOne => shared.counted.notify_one(),
            Op::NotifyAll => shared.counted.notify_all(),
            Op::CountAndNotifyOne => {
                *shared.count.lock().unwrap() += 1;
                shared.counted.notify_one();
            }
            Op::CountAndNotifyAll => {
                *shared.count.lock().unwrap() += 1;
                shared.counted.notify_all();
            }

            Op::Arrive => self.see(shared.barrier.wait().is_leader()),
            Op::CallOnce(ref inside) => shared.once.call_once(|| {
                self.see(true);
                self.run(inside);
            }),
            Op::IsCompleted => self.see(shared.once.is_completed()),
            Op::SetOnce(value) => self.see(shared.once_lock.set(value).is_ok()),
            Op::GetOnce => self.see(shared.once_lock.get().copied().unwrap_or(9)),
            Op::GetOrInit(value, ref inside) => {
                let value = *shared.once_lock.get_or_init(|| {
                    self.run(inside);
                    value
                });
                self.see(value);
            }
            Op::Force => self.see(*LazyLock::force(&shared.lazy)),

            Op::Send => self.see_code(self.ends.send(self.message())),
            Op::TrySend => self.see_code(self.ends.try_send(self.message())),
            Op::SendTimeout => self.see_code(self.ends.send_timeout(self.message(), LIMIT)),
            Op::Receive => self.see_code(self.ends.receive()),
            Op::TryReceive => self.see_code(self.ends.try_receive()),
            Op::ReceiveTimeout => self.see_code(self.ends.receive_timeout(LIMIT)),
            Op::Length => self.see_code(self.ends.length()),
            Op::DropSender => self.ends.drop_sender(),
            Op::DropReceiver => self.ends.drop_receiver(),

            Op::PushArray => self.see(shared.array.push(self.message()).is_ok()),
            Op::ForcePushArray => {
                let replaced = shared.array.force_push(self.message());
                self.seen.push(replaced.unwrap_or(-1));
            }
            Op::PopArray => self.seen.push(shared.array.pop().unwrap_or(-1)),
            Op::PushSegment => shared.segments.push(self.message()),
            Op::PopSegment => self.seen.push(shared.segments.pop().unwrap_or(-1)),
            Op::LengthOfQueues => {
                self.see(u8::try_from(shared.array.len()).unwrap());
                self.see(u8::try_from(shared.segments.len()).unwrap());
            }

            Op::Park => thread::park(),
            Op::ParkTimeout => thread::park_timeout(LIMIT),
            Op::Unpark(thread) => {
                if !self.known.is_empty() {
                    self.known[thread % self.known.len()].unpark();
                }
            }

            Op::Spawn(ref ops) => {
                let (child, ops) = (self.child(), ops.clone());
                let handle = thread::spawn(move || child.finish(&ops));
                self.children.push_back(handle);
            }
            Op::Join => {
                if let Some(child) = self.children.pop_front() {
                    self.joined.extend(child.join().unwrap());
                }
            }
            Op::IsFinished => {
                if let Some(child) = self.children.front() {
                    let is_finished = child.is_finished();
                    self.see(is_finished);
                }
            }
            Op::Scope(ref threads) => thread::scope(|scope| {
                let spawn = |ops: &Vec<Op>| {
                    let (child, ops) = (self.child(), ops.clone());
                    scope.spawn(move || child.finish(&ops))
                };
                let threads: Vec<_> = threads.iter().map(spawn).collect();
                for thread in threads {
                    self.joined.extend(thread.join().unwrap());
                }
            }),

            Op::Yield => thread::yield_now(),
            Op::Await(atomic) => {
                while shared.atomics[atomic].load(SeqCst) == 0 {
                    thread::yield_now();
                }
            }
            Op::AwaitSome(atomic, looks) => {
                let is_set = || {
                    let is_set = shared.atomics[atomic].load(SeqCst) != 0;
                    if !is_set {
                        thread::yield_now();
                    }
                    is_set
                };
                let is_set = (0..looks).any(|_| is_set());
                self.see(is_set);
            }
            Op::AwaitLocked(mutex) => {
                while *shared.mutexes[mutex].lock().unwrap() == 0 {
                    thread::yield_now();
                }
            }
            Op::AwaitTaken(mutex) => {
                let take = || mem::take(&mut *shared.mutexes[mutex].lock().unwrap());
                let taken = loop {
                    match take() {
                        0 => thread::yield_now(),
                        taken => break taken,
                    }
                };
                self.see(taken);
            }
            Op::AwaitRead => {
                while *shared.lock.read().unwrap() == 0 {
                    thread::yield_now();
                }
            }
            Op::AwaitSwapped(atomic) => {
                while shared.atomics[atomic].swap(0, SeqCst) == 0 {
                    thread::yield_now();
                }
            }
            Op::AwaitCounted(atomic) => {
                while !self.is_low_digit_set(atomic) {
                    thread::yield_now();
                }
            }
            Op::AwaitSomeCounted(atomic, looks) => {
                let is_set = || {
                    let is_set = self.is_low_digit_set(atomic);
                    if !is_set {
                        thread::yield_now();
                    }
                    is_set
                };
                let is_set = (0..looks).any(|_| is_set());
                self.see(is_set);
            }
            Op::AwaitSomeLocked(mutex, looks) => {
                let is_set = || {
                    let is_set = *shared.mutexes[mutex].lock().unwrap() != 0;
                    if !is_set {
                        thread::yield_now();
                    }
                    is_set
                };
                let is_set = (0..looks).any(|_| is_set());
                self.see(is_set);
            }

            Op::AddSpinning => {
                let value = shared.spin.add();
                self.see(value);
            }
            Op::IsSpinLocked => {
                let is_locked = shared.spin.is_locked.load(SeqCst);
                self.see(is_locked);
            }
            Op::AwaitSpinning(value) => {
                while shared.spin.get() < value {
                    thread::yield_now();
                }
            }
            Op::AwaitSomeSpinning(value, looks) => {
                let is_set = || {
                    let is_set = shared.spin.get() >= value;
                    if !is_set {
                        thread::yield_now();
                    }
                    is_set
                };
                let is_set = (0..looks).any(|_| is_set());
                self.see(is_set);
            }

            Op::ReadCell => {
                // SAFETY: see `Plain`.
                let value = unsafe { shared.cell.0.read() };
                self.see(value);
            }
            Op::WriteCell(value) => {
                // SAFETY: see `Plain`.
                unsafe { shared.cell.0.write(value) }
            }

            Op::Refuse(atomic, value) => {
                assert_ne!(shared.atomics[atomic].load(SeqCst), value, "refused");
            }
            Op::Catch(ref inside) => {
                let ran = catch_unwind(AssertUnwindSafe(|| self.run(inside)));
                self.see(ran.is_err());
            }
        }
    }

    #[track_caller]
    fn hold(&mut self, way: Way, inside: &[Op]) {
        let shared = Arc::clone(&self.shared);
        let lock = &shared.upgradable;
        match way {
            Way::Read => self.see_while(lock.read(), inside),
            Way::ReadRecursively => self.see_while(lock.read_recursive(), inside),
            Way::ReadUpgradably => self.see_while(lock.upgradable_read(), inside),
            Way::Write => self.see_while(write(lock.write()), inside),
            Way::TryRead => self.see_while_some(lock.try_read(), inside),
            Way::TryReadUpgradably => self.see_while_some(lock.try_upgradable_read(), inside),
            Way::ReadUpgradablyTimeout => {
                self.see_while_some(lock.try_upgradable_read_for(LIMIT), inside);
            }
            Way::TryWrite => self.see_while_some(lock.try_write().map(write), inside),
            Way::WriteTimeout => self.see_while_some(lock.try_write_for(LIMIT).map(write), inside),
            Way::Upgrade | Way::TryUpgrade | Way::UpgradeTimeout => {
                let held = lock.upgradable_read();
                self.see(*held);
                self.run(inside);
                let upgraded = match way {
                    Way::Upgrade => Ok(RwLockUpgradableReadGuard::upgrade(held)),
                    Way::TryUpgrade => RwLockUpgradableReadGuard::try_upgrade(held),
                    _ => RwLockUpgradableReadGuard::try_upgrade_for(held, LIMIT),
                };
                self.see(upgraded.is_ok());
                drop(upgraded.map(write));
            }
            Way::WithUpgraded => {
                let mut held = lock.upgradable_read();
                held.with_upgraded(|value| *value += 1);
                self.see_while(held, inside);
            }
            Way::Downgrade => {
                let held = RwLockWriteGuard::downgrade(write(lock.write()));
                self.see_while(held, inside);
            }
            Way::DowngradeToUpgradable => {
                let held = RwLockWriteGuard::downgrade_to_upgradable(write(lock.write()));
                self.see_while(held, inside);
            }
            Way::DowngradeUpgradable => {
                let held = RwLockUpgradableReadGuard::downgrade(lock.upgradable_read());
                self.see_while(held, inside);
            }
        }
    }

    /// Looks whether the low digit of an atomic is set, which is raised by its high digit meanwhile.
    fn is_low_digit_set(&self, atomic: usize) -> bool {
        let atomic = &self.shared.atomics[atomic];
        let is_set = atomic.fetch_add(0x10, SeqCst) & 0xF != 0;
        atomic.fetch_sub(0x10, SeqCst);
        is_set
    }

    fn see_while(&mut self, held: impl Deref<Target = u8>, inside: &[Op]) {
        self.see(*held);
        self.run(inside);
    }

    fn see_while_some(&mut self, held: Option<impl Deref<Target = u8>>, inside: &[Op]) {
        self.see(held.is_some());
        if let Some(held) = held {
            self.see_while(held, inside);
        }
    }

    fn see(&mut self, value: impl Into<u8>) {
        let value: u8 = value.into();
        self.seen.push(value.cast_signed());
    }

    /// Notes the value of what was done, or what kept it from being done.
    fn see_either(&mut self, result: Result<u8, u8>) {
        self.see(result.is_ok());
        self.see(result.unwrap_or_else(|value| value));
    }

    /// Notes what an operation of the channel has come to, if the thread has that end.
    fn see_code(&mut self, code: Option<i8>) {
        self.seen.extend(code);
    }

    fn not_poisoned<G>(&mut self, result: LockResult<G>) -> G {
        result.unwrap_or_else(|poisoned| {
            self.seen.push(-1);
            poisoned.into_inner()
        })
    }

    /// The guard, if the lock was free.
    fn held<G>(&mut self, result: TryLockResult<G>) -> Option<G> {
        self.see(!matches!(result, Err(TryLockError::WouldBlock)));
        match result {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => {
                self.seen.push(-1);
                Some(poisoned.into_inner())
            }
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

fn write(mut held: RwLockWriteGuard<'_, u8>) -> RwLockWriteGuard<'_, u8> {
    *held += 1;
    held
}
