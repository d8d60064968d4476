//! The channel of a random program, and who has which of its ends.

use std::time::Duration;

use racelab::{channel as crossbeam, sync::mpsc};

use super::program::Op;

/// Which channel a program has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Channel {
    Mpsc,
    MpscBounded(usize),
    Crossbeam,
    CrossbeamBounded(usize),
}

/// The ends of the channel that a thread has.
#[derive(Default)]
pub(crate) struct Ends {
    sender: Option<Sender>,
    receiver: Option<Receiver>,
}

#[derive(Clone)]
enum Sender {
    Mpsc(mpsc::Sender<i8>),
    MpscBounded(mpsc::SyncSender<i8>),
    Crossbeam(crossbeam::Sender<i8>),
}

enum Receiver {
    Mpsc(mpsc::Receiver<i8>),
    Crossbeam(crossbeam::Receiver<i8>),
}

/// What an operation has come to: a message, or one of these.
const SENT: i8 = 0;
const FULL: i8 = -1;
const EMPTY: i8 = -1;
const TIMED_OUT: i8 = -2;
const DISCONNECTED: i8 = -3;

impl Channel {
    fn make(self) -> (Sender, Receiver) {
        match self {
            Channel::Mpsc => {
                let (sender, receiver) = mpsc::channel();
                (Sender::Mpsc(sender), Receiver::Mpsc(receiver))
            }
            Channel::MpscBounded(bound) => {
                let (sender, receiver) = mpsc::sync_channel(bound);
                (Sender::MpscBounded(sender), Receiver::Mpsc(receiver))
            }
            Channel::Crossbeam => {
                let (sender, receiver) = crossbeam::unbounded();
                (Sender::Crossbeam(sender), Receiver::Crossbeam(receiver))
            }
            Channel::CrossbeamBounded(capacity) => {
                let (sender, receiver) = crossbeam::bounded(capacity);
                (Sender::Crossbeam(sender), Receiver::Crossbeam(receiver))
            }
        }
    }
}

impl Ends {
    /// The ends for each thread: those that it uses, apart from the receiving end of a channel that
    /// has only one, which the first one has. An end that nobody uses is dropped.
    pub(crate) fn of_threads(channel: Option<Channel>, threads: &[Vec<Op>]) -> Vec<Ends> {
        let mut ends: Vec<Ends> = threads.iter().map(|_| Ends::default()).collect();
        let Some(channel) = channel else {
            return ends;
        };
        let (sender, receiver) = channel.make();
        let using = |uses: fn(&Op) -> bool| {
            let using = threads
                .iter()
                .enumerate()
                .filter(move |(_, ops)| ops.iter().any(|op| does(op, uses)));
            using.map(|(number, _)| number)
        };
        // The end itself goes to the last one, so that there is none too many.
        let mut sender = Some(sender);
        let senders: Vec<_> = using(sends).collect();
        for (index, &thread) in senders.iter().enumerate() {
            ends[thread].sender = if index + 1 == senders.len() {
                sender.take()
            } else {
                sender.clone()
            };
        }
        let receivers: Vec<_> = using(receives).collect();
        match receiver {
            Receiver::Mpsc(receiver) => {
                if let Some(&thread) = receivers.first() {
                    ends[thread].receiver = Some(Receiver::Mpsc(receiver));
                }
            }
            Receiver::Crossbeam(receiver) => {
                let mut receiver = Some(receiver);
                for (index, &thread) in receivers.iter().enumerate() {
                    let end = if index + 1 == receivers.len() {
                        receiver.take()
                    } else {
                        receiver.clone()
                    };
                    ends[thread].receiver = end.map(Receiver::Crossbeam);
                }
            }
        }
        ends
    }

    // Each of them returns `None` if the thread has not got the end.

    #[track_caller]
    pub(crate) fn send(&self, message: i8) -> Option<i8> {
        let is_sent = match self.sender.as_ref()? {
            Sender::Mpsc(sender) => sender.send(message).is_ok(),
            Sender::MpscBounded(sender) => sender.send(message).is_ok(),
            Sender::Crossbeam(sender) => sender.send(message).is_ok(),
        };
        Some(if is_sent { SENT } else { DISCONNECTED })
    }

    /// A channel without a bound has no such operation in std: it is an ordinary one there.
    #[track_caller]
    pub(crate) fn try_send(&self, message: i8) -> Option<i8> {
        let result = match self.sender.as_ref()? {
            Sender::Mpsc(_) => return self.send(message),
            Sender::MpscBounded(sender) => sender.try_send(message).map_err(|error| match error {
                mpsc::TrySendError::Full(_) => FULL,
                mpsc::TrySendError::Disconnected(_) => DISCONNECTED,
            }),
            Sender::Crossbeam(sender) => sender.try_send(message).map_err(|error| match error {
                crossbeam::TrySendError::Full(_) => FULL,
                crossbeam::TrySendError::Disconnected(_) => DISCONNECTED,
            }),
        };
        Some(result.map_or_else(|error| error, |()| SENT))
    }

    /// The channels of std have no such operation: it is an ordinary one there.
    #[track_caller]
    pub(crate) fn send_timeout(&self, message: i8, limit: Duration) -> Option<i8> {
        let result = match self.sender.as_ref()? {
            Sender::Mpsc(_) | Sender::MpscBounded(_) => return self.send(message),
            Sender::Crossbeam(sender) => sender.send_timeout(message, limit),
        };
        Some(match result {
            Ok(()) => SENT,
            Err(crossbeam::SendTimeoutError::Timeout(_)) => TIMED_OUT,
            Err(crossbeam::SendTimeoutError::Disconnected(_)) => DISCONNECTED,
        })
    }

    #[track_caller]
    pub(crate) fn receive(&self) -> Option<i8> {
        let received = match self.receiver.as_ref()? {
            Receiver::Mpsc(receiver) => receiver.recv().ok(),
            Receiver::Crossbeam(receiver) => receiver.recv().ok(),
        };
        Some(received.unwrap_or(DISCONNECTED))
    }

    #[track_caller]
    pub(crate) fn try_receive(&self) -> Option<i8> {
        let received = match self.receiver.as_ref()? {
            Receiver::Mpsc(receiver) => receiver.try_recv().map_err(|error| match error {
                mpsc::TryRecvError::Empty => EMPTY,
                mpsc::TryRecvError::Disconnected => DISCONNECTED,
            }),
            Receiver::Crossbeam(receiver) => receiver.try_recv().map_err(|error| match error {
                crossbeam::TryRecvError::Empty => EMPTY,
                crossbeam::TryRecvError::Disconnected => DISCONNECTED,
            }),
        };
        Some(received.unwrap_or_else(|error| error))
    }

    #[track_caller]
    pub(crate) fn receive_timeout(&self, limit: Duration) -> Option<i8> {
        let received = match self.receiver.as_ref()? {
            Receiver::Mpsc(receiver) => receiver.recv_timeout(limit).map_err(|error| match error {
                mpsc::RecvTimeoutError::Timeout => TIMED_OUT,
                mpsc::RecvTimeoutError::Disconnected => DISCONNECTED,
            }),
            Receiver::Crossbeam(receiver) => {
                receiver.recv_timeout(limit).map_err(|error| match error {
                    crossbeam::RecvTimeoutError::Timeout => TIMED_OUT,
                    crossbeam::RecvTimeoutError::Disconnected => DISCONNECTED,
                })
            }
        };
        Some(received.unwrap_or_else(|error| error))
    }

    /// How many messages are in it, which std does not tell.
    #[track_caller]
    pub(crate) fn length(&self) -> Option<i8> {
        let length = match (&self.sender, &self.receiver) {
            (Some(Sender::Crossbeam(sender)), _) => sender.len(),
            (_, Some(Receiver::Crossbeam(receiver))) => receiver.len(),
            _ => return None,
        };
        Some(i8::try_from(length).expect("few messages are sent"))
    }

    pub(crate) fn drop_sender(&mut self) {
        self.sender = None;
    }

    pub(crate) fn drop_receiver(&mut self) {
        self.receiver = None;
    }
}

fn sends(op: &Op) -> bool {
    matches!(
        op,
        Op::Send | Op::TrySend | Op::SendTimeout | Op::DropSender
    )
}

fn receives(op: &Op) -> bool {
    matches!(
        op,
        Op::Receive | Op::TryReceive | Op::ReceiveTimeout | Op::DropReceiver
    )
}

/// Whether an operation, or one inside of it, is of this kind. Threads that it starts do not count.
fn does(op: &Op, is_of_kind: fn(&Op) -> bool) -> bool {
    is_of_kind(op)
        || match op {
            Op::Lock(_, inside)
            | Op::TryLock(_, inside)
            | Op::Read(inside)
            | Op::TryRead(inside)
            | Op::Write(inside)
            | Op::TryWrite(inside)
            | Op::CallOnce(inside)
            | Op::GetOrInit(_, inside)
            | Op::Catch(inside) => inside.iter().any(|op| does(op, is_of_kind)),
            _ => false,
        }
}
