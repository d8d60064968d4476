//! Structures without locks, after reports of bugs in them.

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst, fence};
use racelab::sync::{Arc, Mutex};
use racelab::{FailureKind, hint, thread};

use super::{fails, holds, holds_by_reduction};

const NONE: usize = 0xff;

/// A list of free nodes: a stack whose head is an index, with a tag above it that may change with each pop.
struct FreeList {
    head: AtomicUsize,
    next: [AtomicUsize; 3],
    tags: bool,
}

impl FreeList {
    fn new(tags: bool) -> Self {
        FreeList {
            head: AtomicUsize::new(0),
            next: [1, 2, NONE].map(AtomicUsize::new),
            tags,
        }
    }

    fn pop(&self) -> Option<usize> {
        loop {
            let head = self.head.load(SeqCst);
            let node = head & NONE;
            if node == NONE {
                return None;
            }
            let tag = if self.tags { (head >> 8) + 1 } else { 0 };
            let below = self.next[node].load(SeqCst) | tag << 8;
            if self
                .head
                .compare_exchange(head, below, SeqCst, SeqCst)
                .is_ok()
            {
                return Some(node);
            }
        }
    }

    fn push(&self, node: usize) {
        loop {
            let head = self.head.load(SeqCst);
            self.next[node].store(head & NONE, SeqCst);
            let tag = if self.tags { (head >> 8) + 1 } else { 0 };
            let above = node | tag << 8;
            if self
                .head
                .compare_exchange(head, above, SeqCst, SeqCst)
                .is_ok()
            {
                return;
            }
        }
    }
}

/// One thread takes two nodes, and another one takes two and gives the first one back.
fn take_nodes(tags: bool) {
    let list = Arc::new(FreeList::new(tags));
    let owned = Arc::new(Mutex::new([false; 3]));
    let own = |owned: &Mutex<[bool; 3]>, node: Option<usize>| {
        if let Some(node) = node {
            let was_owned = std::mem::replace(&mut owned.lock().unwrap()[node], true);
            assert!(!was_owned, "a node has two owners");
        }
    };
    let other = thread::spawn({
        let (list, owned) = (Arc::clone(&list), Arc::clone(&owned));
        move || {
            let first = list.pop();
            own(&owned, list.pop());
            if let Some(first) = first {
                list.push(first);
            }
        }
    });
    own(&owned, list.pop());
    own(&owned, list.pop());
    other.join().unwrap();
}

#[test]
fn a_stack_that_compares_only_its_head_is_deceived_by_a_node_that_comes_back() {
    fails(FailureKind::Panic, "a node has two owners", || {
        take_nodes(false);
    });
}

#[test]
fn a_stack_with_a_tag_is_not_deceived() {
    holds_by_reduction(|| take_nodes(true));
}

/// The ends of a queue, which only grow.
#[derive(Default)]
struct Ends {
    head: AtomicUsize,
    tail: AtomicUsize,
}

impl Ends {
    fn len(&self, looks_again: bool) -> usize {
        loop {
            let tail = self.tail.load(SeqCst);
            let head = self.head.load(SeqCst);
            if !looks_again || self.tail.load(SeqCst) == tail {
                return tail.checked_sub(head).expect("a length below 0");
            }
        }
    }
}

/// One thread asks for the length while another one puts something in and takes it out, twice.
fn ask_for_the_length(looks_again: bool) {
    let ends = Arc::new(Ends::default());
    let other = thread::spawn({
        let ends = Arc::clone(&ends);
        move || {
            for _ in 0..2 {
                ends.tail.fetch_add(1, SeqCst);
                ends.head.fetch_add(1, SeqCst);
            }
        }
    });
    assert!(ends.len(looks_again) <= 1);
    other.join().unwrap();
}

#[test]
fn a_length_of_two_looks_at_two_times_is_below_zero() {
    fails(FailureKind::Panic, "a length below 0", || {
        ask_for_the_length(false);
    });
}

#[test]
fn a_length_of_looks_between_which_nothing_came_is_right() {
    holds(|| ask_for_the_length(true));
}

/// Two numbers that belong together, and a version that is odd while they change.
#[derive(Default)]
struct Pair {
    version: AtomicUsize,
    halves: [AtomicUsize; 2],
}

impl Pair {
    fn write(&self, value: usize) {
        self.version.fetch_add(1, SeqCst);
        for half in &self.halves {
            half.store(value, SeqCst);
        }
        self.version.fetch_add(1, SeqCst);
    }

    fn read(&self, looks_again: bool) -> [usize; 2] {
        loop {
            let version = self.version.load(SeqCst);
            if version.is_multiple_of(2) {
                let halves = [0, 1].map(|half: usize| self.halves[half].load(SeqCst));
                fence(SeqCst);
                if !looks_again || self.version.load(SeqCst) == version {
                    return halves;
                }
            }
            hint::spin_loop();
        }
    }
}

/// One thread reads while another one writes.
fn read_a_pair(looks_again: bool) {
    let pair = Arc::new(Pair::default());
    let other = thread::spawn({
        let pair = Arc::clone(&pair);
        move || pair.write(1)
    });
    let [left, right] = pair.read(looks_again);
    assert_eq!(left, right, "half of the pair");
    other.join().unwrap();
}

#[test]
fn a_pair_under_a_version_is_read_whole() {
    holds(|| read_a_pair(true));
}

#[test]
fn a_pair_whose_version_is_not_looked_at_again_is_torn() {
    fails(FailureKind::Panic, "half of the pair", || {
        read_a_pair(false);
    });
}

/// A channel whose first sender makes its block, and whose receiver frees it when it closes.
#[derive(Default)]
struct Blocks {
    sent: AtomicUsize,
    tail: AtomicUsize,
    head: AtomicUsize,
    freed: AtomicUsize,
}

impl Blocks {
    fn send(&self) {
        let is_first =
            self.tail.load(SeqCst) == 0 && self.tail.compare_exchange(0, 7, SeqCst, SeqCst).is_ok();
        if is_first {
            self.head.store(7, SeqCst);
        }
        self.sent.fetch_add(1, SeqCst);
    }

    fn free(&self) {
        assert_eq!(self.freed.fetch_add(1, SeqCst), 0, "freed twice");
    }

    /// Waits for a block that is being made, and has to take it out then.
    fn close(&self, takes_it_out: bool) {
        let sent = self.sent.load(SeqCst);
        let mut block = self.head.swap(0, SeqCst);
        if sent > 0 {
            while block == 0 {
                hint::spin_loop();
                block = self.head.load(SeqCst);
            }
            if takes_it_out {
                self.head.store(0, SeqCst);
            }
        }
        if block != 0 {
            self.free();
        }
    }
}

/// Two threads send while the channel is closed, and what is left in the end is freed.
fn send_and_close(takes_it_out: bool) {
    let blocks = Arc::new(Blocks::default());
    let senders = [(); 2].map(|()| {
        let blocks = Arc::clone(&blocks);
        thread::spawn(move || blocks.send())
    });
    blocks.close(takes_it_out);
    for sender in senders {
        sender.join().unwrap();
    }
    if blocks.head.load(SeqCst) != 0 {
        blocks.free();
    }
}

#[test]
fn a_block_that_a_closing_receiver_waited_for_is_freed_twice() {
    fails(FailureKind::Panic, "freed twice", || send_and_close(false));
}

#[test]
fn a_block_that_a_closing_receiver_takes_out_is_freed_once() {
    holds(|| send_and_close(true));
}
