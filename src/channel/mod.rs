//! The channels of `crossbeam-channel`, bound at run time: many producers, many consumers.
//!
//! Inside an execution, to send, to receive, to look how full a channel is and to drop an end are
//! steps. To clone an end is none, since nobody can see it. A channel that is made outside is
//! crossbeam's. Without the feature `engine`, everything here *is* crossbeam's.
//!
//! There is no time in an execution: a wait with a limit can time out, and the message of a channel of
//! time ([`after`], [`at`], [`tick`]) can come, wherever nothing else is possible for the thread.
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
mod select;
#[cfg(feature = "engine")]
mod select_macro;
#[cfg(feature = "engine")]
mod timer;

#[cfg(feature = "engine")]
pub use self::{
    modelled::{IntoIter, Iter, Receiver, Sender, TryIter, bounded, unbounded},
    select::{Select, SelectedOperation},
    select_macro::{select, select_biased},
    timer::{after, at, never, tick},
};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use crossbeam_channel::{
    IntoIter, Iter, Receiver, Select, SelectedOperation, Sender, TryIter, after, at, bounded,
    never, select, select_biased, tick, unbounded,
};
pub use crossbeam_channel::{
    ReadyTimeoutError, RecvError, RecvTimeoutError, SelectTimeoutError, SendError,
    SendTimeoutError, TryReadyError, TryRecvError, TrySelectError, TrySendError,
};
