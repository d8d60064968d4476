//! Handles to threads.

use std::sync::Arc;
use std::thread as real;

use crate::execution::{is_running, with};
use crate::{model, trace};

/// Like [`std::thread::Thread`]: a handle to a thread, to name it and to unpark it.
#[derive(Clone, Debug)]
pub struct Thread(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real(real::Thread),
    Modelled {
        id: trace::ThreadId,
        name: Option<Arc<str>>,
    },
}

/// Like [`std::thread::ThreadId`]: tells threads apart.
///
/// Inside an execution it is the number of the thread in the trace, the same in every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(IdKind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum IdKind {
    Real(real::ThreadId),
    Modelled(trace::ThreadId),
}

impl Thread {
    pub(super) fn real(thread: real::Thread) -> Self {
        Thread(Kind::Real(thread))
    }

    pub(super) fn modelled(id: trace::ThreadId, name: Option<&str>) -> Self {
        Thread(Kind::Modelled {
            id,
            name: name.map(Arc::from),
        })
    }

    /// The identity of the thread.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.0 {
            Kind::Real(thread) => IdKind::Real(thread.id()),
            Kind::Modelled { id, .. } => IdKind::Modelled(*id),
        })
    }

    /// The name given with [`Builder::name`](super::Builder::name), or `main` for the thread that
    /// runs the body.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Real(thread) => thread.name(),
            Kind::Modelled {
                id: trace::ThreadId::MAIN,
                ..
            } => Some("main"),
            Kind::Modelled { name, .. } => name.as_deref(),
        }
    }

    /// Hands the thread its token, with which it can pass a [`park`](super::park). One step.
    #[track_caller]
    pub fn unpark(&self) {
        match &self.0 {
            Kind::Real(thread) => thread.unpark(),
            Kind::Modelled { id, .. } if is_running() => {
                model::park::unpark(*id);
            }
            // The execution of the thread is over.
            Kind::Modelled { .. } => {}
        }
    }
}

/// Like [`std::thread::current`]: a handle to the calling thread.
pub fn current() -> Thread {
    if !is_running() {
        return Thread::real(real::current());
    }
    with(|execution| {
        let id = execution.me();
        Thread::modelled(id, execution.thread(id).name.as_deref())
    })
}
