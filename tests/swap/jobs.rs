// Code as it is written with crossbeam and tokio: workers that share a channel and a queue, and
// tasks that do the same. The including module decides what these crates are.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded, unbounded};
use crossbeam_queue::{ArrayQueue, SegQueue};

/// Squares the numbers in so many threads, and adds the squares up.
pub(super) fn sum_of_squares(numbers: &[u32], workers: usize, bound: usize) -> u32 {
    let (jobs, todo): (Sender<u32>, Receiver<u32>) = bounded(bound);
    let (done, ends) = unbounded();
    let squares = SegQueue::new();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (todo, done, squares) = (todo.clone(), done.clone(), &squares);
            scope.spawn(move || {
                for number in &todo {
                    squares.push(number * number);
                }
                done.send(()).unwrap();
            });
        }
        drop((todo, done));
        for &number in numbers {
            jobs.send(number).unwrap();
        }
        assert_eq!((jobs.capacity(), jobs.same_channel(&jobs)), (Some(bound), true));
        drop(jobs);
        assert_eq!(ends.into_iter().count(), workers);
    });
    squares.into_iter().sum()
}

/// Keeps the newest items only.
pub(super) fn newest(items: &[u32], count: usize) -> Vec<u32> {
    let queue = ArrayQueue::new(count);
    for &item in items {
        if let Err(item) = queue.push(item) {
            queue.force_push(item);
        }
    }
    assert!(queue.is_full() || queue.len() == items.len());
    queue.into_iter().collect()
}

/// What can be told of a channel that nobody else uses.
pub(super) fn errors() -> [bool; 3] {
    let (sender, receiver) = bounded(1);
    sender.send_timeout(1, Duration::ZERO).unwrap();
    let is_full = matches!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(receiver.try_iter().collect::<Vec<i32>>(), [1]);
    let is_late = receiver.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout);
    drop(sender);
    [is_full, is_late, receiver.recv().is_err()]
}

/// Squares the numbers in a task each, and adds the squares up.
pub(super) async fn sum_in_tasks(numbers: &[u32], bound: usize) -> u32 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(bound);
    let tasks = numbers.iter().map(|&number| {
        let sender = sender.clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            let sent: Result<(), tokio::sync::mpsc::error::SendError<u32>> =
                sender.send(number * number).await;
            sent.is_ok()
        })
    });
    let tasks: Vec<tokio::task::JoinHandle<bool>> = tasks.collect();
    drop(sender);
    let mut sum = 0;
    while let Some(square) = receiver.recv().await {
        sum += square;
    }
    for task in tasks {
        assert!(task.await.unwrap());
    }
    sum
}
