// Code as it is written with parking_lot: a cache that is read far more often than it is written, a
// bounded queue, and statics. The including module decides what `parking_lot` is.

use ::std::collections::{HashMap, VecDeque};
use parking_lot::lock_api::{RawMutex as _, RawRwLock as _};
use parking_lot::{
    Condvar, MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard,
    Once, OnceState, RawMutex, RawRwLock, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, WaitTimeoutResult, const_mutex, const_rwlock,
};

static PAUSES: Mutex<()> = const_mutex(());
static START: Once = Once::new();
static BOUND: RwLock<usize> = const_rwlock(2);

/// Squares of numbers, each of which is computed once.
pub(super) struct Cache {
    squares: RwLock<HashMap<u32, u32>>,
    computed: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    misses: usize,
    hits: usize,
}

impl Cache {
    pub(super) fn new() -> Self {
        Cache {
            squares: RwLock::new(HashMap::new()),
            computed: Mutex::default(),
        }
    }

    pub(super) fn square(&self, number: u32) -> u32 {
        if let Some(square) = self.squares.read().get(&number) {
            *self.hits() += 1;
            return *square;
        }
        let squares = self.squares.upgradable_read();
        if let Some(square) = squares.get(&number) {
            *self.hits() += 1;
            return *square;
        }
        self.computed.lock().misses += 1;
        let square = number * number;
        RwLockUpgradableReadGuard::upgrade(squares).insert(number, square);
        square
    }

    fn hits(&self) -> MappedMutexGuard<'_, usize> {
        MutexGuard::map(self.computed.lock(), |counts| &mut counts.hits)
    }

    pub(super) fn misses(&self) -> usize {
        self.computed.lock().misses
    }

    fn entry(&self, number: u32) -> Option<MappedRwLockReadGuard<'_, u32>> {
        RwLockReadGuard::try_map(self.squares.read(), |squares| squares.get(&number)).ok()
    }

    /// Changes an entry, and says what it is for those who read from then on.
    pub(super) fn change(&self, number: u32, square: u32) -> Option<u32> {
        let squares = self.squares.try_write()?;
        let changed = RwLockWriteGuard::try_map(squares, |squares| squares.get_mut(&number));
        let mut changed: MappedRwLockWriteGuard<'_, u32> = changed.ok()?;
        *changed = square;
        drop(changed);
        self.entry(number).map(|entry| *entry)
    }
}

/// A queue that makes who adds to it wait while it is full.
#[derive(Default)]
struct Queue {
    items: Mutex<VecDeque<u32>>,
    changed: Condvar,
}

impl Queue {
    fn push(&self, item: u32) {
        let bound = *BOUND.read();
        let mut items = self.items.lock();
        self.changed.wait_while(&mut items, |items| items.len() >= bound);
        items.push_back(item);
        self.changed.notify_one();
    }

    fn pop(&self) -> u32 {
        let mut items = self.items.lock();
        loop {
            if let Some(item) = items.pop_front() {
                self.changed.notify_all();
                return item;
            }
            self.changed.wait(&mut items);
        }
    }
}

/// Sends the numbers through a queue to a thread that looks up their squares, and adds them up.
pub(super) fn sum_of_squares(cache: &Cache, numbers: &[u32]) -> u32 {
    START.call_once(|| drop(PAUSES.lock()));
    let queue = Queue::default();
    let sum = thread::scope(|scope| {
        let squares = || numbers.iter().map(|_| cache.square(queue.pop())).sum::<u32>();
        let thread = scope.spawn(squares);
        for &number in numbers {
            queue.push(number);
        }
        thread.join().unwrap()
    });
    assert_eq!(START.state(), OnceState::Done);
    let mut items = queue.items.lock();
    let result: WaitTimeoutResult = queue.changed.wait_for(&mut items, Duration::ZERO);
    assert!(result.timed_out() && items.is_empty());
    sum
}

/// Who writes generic code names the raw locks.
pub(super) fn raw_locks() -> (bool, bool) {
    let (mutex, lock) = (RawMutex::INIT, RawRwLock::INIT);
    mutex.lock();
    lock.lock_shared();
    let tried = (mutex.try_lock(), lock.try_lock_exclusive());
    // SAFETY: both were acquired.
    unsafe {
        mutex.unlock();
        lock.unlock_shared();
    }
    tried
}
