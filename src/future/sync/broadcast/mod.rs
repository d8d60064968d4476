//! A channel of which each receiver gets each message, as in [`tokio::sync::broadcast`].

#[cfg(feature = "engine")]
mod channel;

#[cfg(feature = "engine")]
pub use self::channel::{Receiver, Sender, WeakSender, channel};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::sync::broadcast::{Receiver, Sender, WeakSender, channel};

/// Why a message was not sent or received.
pub mod error {
    pub use tokio::sync::broadcast::error::{RecvError, SendError, TryRecvError};
}
