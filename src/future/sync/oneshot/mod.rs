//! A channel for one message, as in [`tokio::sync::oneshot`].

#[cfg(feature = "engine")]
mod channel;

#[cfg(feature = "engine")]
pub use self::channel::{Receiver, Sender, channel};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::sync::oneshot::{Receiver, Sender, channel};

/// Why the message was not received.
pub mod error {
    pub use tokio::sync::oneshot::error::{RecvError, TryRecvError};
}
