//! What a worker costs before it has done anything: how long its start takes, and how much memory
//! it has.

use std::fs;
use std::io;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::event_loop;
use crate::timing::{Cost, Costs};

/// How many threads are started to see what one costs.
const THREADS: u32 = 200;

/// How many tasks are started to see what one costs.
const TASKS: u32 = 10_000;

/// What threads and tasks cost on this machine, now: many are started, which then wait. `None` where
/// the system does not tell the memory of this process, or starts no more threads.
pub(in crate::timing) fn costs() -> Option<Costs> {
    Some(Costs {
        thread: of_threads().ok()?,
        task: of_tasks()?,
    })
}

/// Starts threads, each of which tells that it runs and then waits for the end.
fn of_threads() -> io::Result<Cost> {
    let before = resident()?;
    let (running, started) = channel();
    let start = Instant::now();
    let threads = (0..THREADS).map(|_| {
        let running = running.clone();
        let (end, ended) = channel::<()>();
        let thread = thread::Builder::new().spawn(move || {
            // Nobody listens any more if a thread could not be started.
            let _ = running.send(());
            // An error says that the other end is gone, which is the end.
            let _ = ended.recv();
        })?;
        Ok((end, thread))
    });
    let threads = threads.collect::<io::Result<Vec<_>>>()?;
    let runs = started.iter().take(threads.len()).count();
    let time = start.elapsed();
    let after = resident()?;
    for (end, thread) in threads {
        drop(end);
        thread.join().map_err(|_| io::Error::other("it panicked"))?;
    }
    Ok(cost(time, after.saturating_sub(before), runs as u64))
}

/// Starts tasks of one event loop, each of which is polled once and then waits for the end.
fn of_tasks() -> Option<Cost> {
    let runtime = event_loop().ok()?;
    runtime.block_on(async {
        let mut ends = Vec::with_capacity(TASKS as usize);
        let mut tasks = Vec::with_capacity(TASKS as usize);
        let before = resident().ok()?;
        let start = Instant::now();
        for _ in 0..TASKS {
            let (end, ended) = oneshot::channel::<()>();
            ends.push(end);
            tasks.push(tokio::spawn(ended));
        }
        // Each has had its turn before this one has it again.
        tokio::task::yield_now().await;
        let time = start.elapsed();
        let after = resident().ok()?;
        drop(ends);
        for task in tasks {
            // What a task comes to is that its end was dropped.
            let _ = task.await;
        }
        Some(cost(time, after.saturating_sub(before), u64::from(TASKS)))
    })
}

#[expect(clippy::cast_precision_loss, reason = "it is a small number")]
fn cost(time: Duration, memory: u64, workers: u64) -> Cost {
    Cost {
        start_seconds: time.as_secs_f64() / workers.max(1) as f64,
        memory_bytes: memory / workers.max(1),
    }
}

/// How much memory of this process is resident, in bytes. The counts of `/proc/self/status` are not
/// exact while threads start.
fn resident() -> io::Result<u64> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let kibibytes = rollup.lines().find_map(|line| {
        let rest = line.strip_prefix("Rss:")?.trim();
        rest.strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    let kibibytes = kibibytes.ok_or_else(|| io::Error::other("there is no Rss"))?;
    Ok(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_costs_more_than_a_task() {
        let Costs { thread, task } = costs().expect("the system tells");
        assert!(task.start_seconds > 0.0);
        assert!(
            thread.start_seconds > task.start_seconds,
            "{thread:?} {task:?}"
        );
    }
}
