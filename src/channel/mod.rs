//! The channels of `crossbeam-channel`, bound at run time: many producers, many consumers.
//!
//! Inside an execution, to send, to receive, to look how full a channel is and to drop an end are
//! steps. To clone an end is none, since nobody can see it. A channel that is made outside is
//! crossbeam's. Without the feature `engine`, everything here *is* crossbeam's.
//!
//! `select!`, deadlines and channels of time (`after`, `tick`) are not offered.
//!
//! ```
//! use racelab::{channel, thread};
//!
//! let (sender, receiver) = channel::bounded(1);
//! let consumers = [receiver.clone(), receiver].map(|receiver| {
//!     thread::spawn(move || receiver.iter().sum::<i32>())
//! });
//! for n in 1..=3 {
//!     sender.send(n).unwrap();
//! }
//! drop(sender);
//! assert_eq!(consumers.map(|consumer| consumer.join().unwrap()).iter().sum::<i32>(), 6);
//! ```

#[cfg(feature = "engine")]
mod modelled;

#[cfg(feature = "engine")]
pub use self::modelled::{IntoIter, Iter, Receiver, Sender, TryIter, bounded, unbounded};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use crossbeam_channel::{IntoIter, Iter, Receiver, Sender, TryIter, bounded, unbounded};
pub use crossbeam_channel::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
