//! Channels with many senders and one receiver, as in [`tokio::sync::mpsc`].

#[cfg(feature = "engine")]
mod bounded;
#[cfg(feature = "engine")]
mod ends;
#[cfg(feature = "engine")]
mod permit;
#[cfg(feature = "engine")]
mod unbounded;

#[cfg(feature = "engine")]
pub use self::{
    bounded::{Receiver, Sender, WeakSender, channel},
    permit::{OwnedPermit, Permit, PermitIterator},
    unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel},
};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::sync::mpsc::{
    OwnedPermit, Permit, PermitIterator, Receiver, Sender, UnboundedReceiver, UnboundedSender,
    WeakSender, WeakUnboundedSender, channel, unbounded_channel,
};

/// Why a message was not sent or received.
pub mod error {
    pub use tokio::sync::mpsc::error::{SendError, TryRecvError, TrySendError};
}
