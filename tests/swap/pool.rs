// Code as it is written with std: a pool of workers that share a bounded queue. The including
// module decides what `std` is.

use ::std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// A queue that makes who adds to it wait while it is full.
struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    changed: Condvar,
    bound: usize,
    is_closed: AtomicBool,
}

impl<T> Queue<T> {
    fn new(bound: usize) -> Self {
        Queue {
            items: Mutex::new(VecDeque::new()),
            changed: Condvar::new(),
            bound,
            is_closed: AtomicBool::new(false),
        }
    }

    fn push(&self, item: T) {
        let items = self.items.lock().unwrap();
        let is_full = |items: &mut VecDeque<T>| items.len() >= self.bound;
        self.changed.wait_while(items, is_full).unwrap().push_back(item);
        self.changed.notify_all();
    }

    fn pop(&self) -> Option<T> {
        let mut items = self.items.lock().unwrap();
        loop {
            if let Some(item) = items.pop_front() {
                self.changed.notify_all();
                return Some(item);
            }
            if self.is_closed.load(Ordering::Acquire) {
                return None;
            }
            items = self.changed.wait(items).unwrap();
        }
    }

    fn close(&self) {
        let _items = self.items.lock();
        self.is_closed.store(true, Ordering::Release);
        self.changed.notify_all();
    }
}

fn work(queue: &Queue<u32>, results: &Sender<u32>, done: &AtomicUsize) {
    while let Some(number) = queue.pop() {
        results.send(number * number).unwrap();
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Squares the numbers in so many threads, and adds the squares up in another one.
pub(super) fn sum_of_squares(numbers: &[u32], workers: usize, bound: usize) -> u32 {
    let queue = Arc::new(Queue::new(bound));
    let done = AtomicUsize::new(0);
    let (results, squares): (Sender<u32>, Receiver<u32>) = mpsc::channel();
    let adder = thread::Builder::new().name("adder".to_owned());
    let adder = adder.spawn(move || squares.iter().sum()).unwrap();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (queue, results, done) = (Arc::clone(&queue), results.clone(), &done);
            scope.spawn(move || work(&queue, &results, done));
        }
        drop(results);
        for &number in numbers {
            queue.push(number);
        }
        queue.close();
    });
    assert_eq!(done.into_inner(), numbers.len());
    adder.join().unwrap()
}
