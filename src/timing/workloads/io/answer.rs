//! The body of an answer of the embedded server.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::requests::UnderWay;

/// The server was told to end the connection.
#[derive(Debug, thiserror::Error)]
#[error("the server was told to end the connection")]
pub(super) struct CutOff;

/// A body that may break off. Its request is answered as soon as the last byte is on its way.
#[derive(Debug)]
pub(super) struct Answer {
    bytes: Option<Bytes>,
    /// How many bytes are announced.
    length: u64,
    ending: Ending,
    request: Option<UnderWay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nothing follows the bytes.
    Whole,
    /// More was announced. What there is has to be sent first: hyper drops it otherwise.
    Sends,
    /// It has been sent.
    CutsOff,
}

impl Answer {
    /// All of these bytes.
    pub(super) fn whole(bytes: Bytes, request: UnderWay) -> Self {
        if bytes.is_empty() {
            // hyper never asks for them.
            request.answered();
            return Answer::empty();
        }
        Answer {
            length: bytes.len() as u64,
            bytes: Some(bytes),
            ending: Ending::Whole,
            request: Some(request),
        }
    }

    /// The first half of these bytes, and then the end of the connection.
    pub(super) fn half(bytes: &Bytes, request: UnderWay) -> Self {
        Answer {
            length: bytes.len() as u64,
            bytes: Some(bytes.slice(..bytes.len() / 2)),
            ending: Ending::Sends,
            request: Some(request),
        }
    }

    /// No bytes.
    pub(super) fn empty() -> Self {
        Answer {
            length: 0,
            bytes: None,
            ending: Ending::Whole,
            request: None,
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if let Some(bytes) = self.bytes.take() {
            if self.ending == Ending::Whole
                && let Some(request) = self.request.take()
            {
                // Before the bytes can arrive, so that who has received them finds them counted.
                request.answered();
            }
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Sends => {
                self.ending = Ending::CutsOff;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::CutsOff => Poll::Ready(Some(Err(CutOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.ending == Ending::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
