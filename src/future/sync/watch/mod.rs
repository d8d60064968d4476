//! A channel that holds the newest value only, as in [`tokio::sync::watch`].

#[cfg(feature = "engine")]
mod channel;

#[cfg(feature = "engine")]
pub use self::channel::{Receiver, Ref, Sender, channel};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::sync::watch::{Receiver, Ref, Sender, channel};

/// Why a value was not sent or received.
pub mod error {
    pub use tokio::sync::watch::error::{RecvError, SendError};
}
