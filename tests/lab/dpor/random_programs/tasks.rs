//! Random programs of tasks, and how they run.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use racelab::future;
use racelab::future::sync::mpsc::error::{TryRecvError, TrySendError};
use racelab::future::sync::mpsc::{self, Receiver, Sender};
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicU8, Ordering::SeqCst};
use racelab::thread;

/// What a task does. It waits for nothing while it holds anything.
#[derive(Clone, Debug)]
pub(crate) enum TaskOp {
    Load,
    Add,
    Yield,
    Send,
    TrySend,
    Receive,
    TryReceive,
    DropSender,
}

/// A program of tasks. The first one is run by main, which starts the others and awaits them in the
/// end.
#[derive(Clone)]
pub(crate) struct TaskProgram {
    /// How many messages the channel holds.
    buffer: usize,
    tasks: Vec<Vec<TaskOp>>,
    /// What a thread does that is no task.
    thread: Vec<TaskOp>,
}

impl fmt::Debug for TaskProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n  channel of {}", self.buffer)?;
        for (number, ops) in self.tasks.iter().enumerate() {
            write!(f, "\n  task {number} {ops:?}")?;
        }
        write!(f, "\n  thread {:?}", self.thread)
    }
}

/// Programs of two or three tasks, some with a thread beside them.
pub(crate) fn task_programs() -> impl Strategy<Value = TaskProgram> {
    let op = prop_oneof![
        3 => Just(TaskOp::Load),
        3 => Just(TaskOp::Add),
        1 => Just(TaskOp::Yield),
        3 => Just(TaskOp::Send),
        2 => Just(TaskOp::TrySend),
        3 => Just(TaskOp::Receive),
        2 => Just(TaskOp::TryReceive),
        1 => Just(TaskOp::DropSender),
    ];
    // What needs no waiting.
    let of_thread = prop_oneof![
        Just(TaskOp::Load),
        Just(TaskOp::Add),
        Just(TaskOp::TrySend),
        Just(TaskOp::TryReceive),
        Just(TaskOp::DropSender),
    ];
    let tasks = prop_oneof![
        3 => vec(vec(op.clone(), 1..=2), 2),
        1 => vec(vec(op, 1..=1), 3),
    ];
    (1usize..=2, tasks, vec(of_thread, 0..=1)).prop_map(|(buffer, tasks, thread)| TaskProgram {
        buffer,
        tasks,
        thread,
    })
}

impl TaskProgram {
    /// Runs the program under the lab. Its outcome is what the tasks and the thread have seen.
    pub(crate) fn run(&self) {
        let atomic = Arc::new(AtomicU8::new(0));
        let mut members = self.members(&atomic);
        let of_thread = members.pop().expect("the thread is the last one");
        let of_thread = (!self.thread.is_empty()).then(|| {
            let ops = self.thread.clone();
            thread::spawn(move || of_thread.run_at_once(&ops))
        });
        let tasks = self.tasks.clone();
        let mut seen = future::block_on(async move {
            let mut members = tasks.into_iter().zip(members);
            let own = members.next();
            let others: Vec<_> = members
                .map(|(ops, member)| future::spawn(member.run(ops)))
                .collect();
            let mut seen = Vec::new();
            if let Some((ops, member)) = own {
                seen.push(member.run(ops).await);
            }
            for other in others {
                seen.push(other.await.unwrap());
            }
            seen
        });
        seen.extend(of_thread.map(|thread| thread.join().unwrap()));
        racelab::outcome((seen, atomic.load(SeqCst)));
    }

    /// The tasks and the thread, with the ends that they use: the receiving one is the first one's
    /// that receives.
    fn members(&self, atomic: &Arc<AtomicU8>) -> Vec<Member> {
        let ops: Vec<_> = self.tasks.iter().chain([&self.thread]).collect();
        let has = |ops: &[TaskOp], kinds: fn(&TaskOp) -> bool| ops.iter().any(kinds);
        let sends = |op: &TaskOp| matches!(op, TaskOp::Send | TaskOp::TrySend | TaskOp::DropSender);
        let receives = |op: &TaskOp| matches!(op, TaskOp::Receive | TaskOp::TryReceive);
        let used = ops.iter().any(|ops| has(ops, sends) || has(ops, receives));
        let (mut sender, mut receiver) = if used {
            let (sender, receiver) = mpsc::channel(self.buffer);
            (Some(sender), Some(receiver))
        } else {
            (None, None)
        };
        let last_sender = ops.iter().rposition(|ops| has(ops, sends));
        let members = ops.iter().enumerate().map(|(number, ops)| Member {
            number,
            atomic: Arc::clone(atomic),
            sender: if last_sender == Some(number) {
                sender.take()
            } else if has(ops, sends) {
                sender.clone()
            } else {
                None
            },
            receiver: if has(ops, receives) {
                receiver.take()
            } else {
                None
            },
            seen: Vec::new(),
        });
        members.collect()
    }
}

/// A task, or the thread beside them.
struct Member {
    number: usize,
    atomic: Arc<AtomicU8>,
    sender: Option<Sender<i8>>,
    receiver: Option<Receiver<i8>>,
    seen: Vec<i8>,
}

impl Member {
    async fn run(mut self, ops: Vec<TaskOp>) -> Vec<i8> {
        for op in &ops {
            let message = self.message();
            match (op, &self.sender, &mut self.receiver) {
                (TaskOp::Yield, ..) => future::task::yield_now().await,
                (TaskOp::Send, Some(sender), _) => {
                    let sent = sender.send(message).await;
                    self.seen.push(if sent.is_ok() { 0 } else { -1 });
                }
                (TaskOp::Receive, _, Some(receiver)) => {
                    let received = receiver.recv().await;
                    self.seen.push(received.unwrap_or(-1));
                }
                _ => self.perform(op, message),
            }
        }
        self.seen
    }

    fn run_at_once(mut self, ops: &[TaskOp]) -> Vec<i8> {
        for op in ops {
            let message = self.message();
            self.perform(op, message);
        }
        self.seen
    }

    /// A number that tells which message it is.
    fn message(&self) -> i8 {
        let number = 10 * (self.number + 1) + self.seen.len();
        i8::try_from(number).expect("there are few tasks")
    }

    /// Does what needs no waiting.
    fn perform(&mut self, op: &TaskOp, message: i8) {
        let seen = match (op, &self.sender, &mut self.receiver) {
            (TaskOp::Load, ..) => self.atomic.load(SeqCst).cast_signed(),
            (TaskOp::Add, ..) => self.atomic.fetch_add(1, SeqCst).cast_signed(),
            (TaskOp::TrySend, Some(sender), _) => match sender.try_send(message) {
                Ok(()) => 0,
                Err(TrySendError::Full(_)) => -1,
                Err(TrySendError::Closed(_)) => -2,
            },
            (TaskOp::TryReceive, _, Some(receiver)) => match receiver.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty) => -1,
                Err(TryRecvError::Disconnected) => -2,
            },
            (TaskOp::DropSender, ..) => {
                self.sender = None;
                return;
            }
            _ => return,
        };
        self.seen.push(seen);
    }
}
