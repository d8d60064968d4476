//! An event loop: one thread that runs tasks in turn.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::sync::mpsc::{Receiver, TryRecvError};

/// Runs tasks on the thread that calls [`run`](Self::run), one at a time: of those that can go on
/// the one that has waited longest. A task has its turn until it gives control back, with an
/// `await`.
pub(in crate::exhibits) struct EventLoop<E> {
    events: Rc<Events<E>>,
    /// The tasks that can go on, the one that has waited longest first.
    ready: VecDeque<Task>,
    /// The tasks that wait for an event.
    waiting: VecDeque<Task>,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The events of a loop, of which each is taken by one task.
pub(in crate::exhibits) struct Events<E> {
    /// Where they come from, until it is known that there will be no more.
    outside: RefCell<Option<Receiver<E>>>,
    arrived: RefCell<VecDeque<E>>,
    /// Whether the task that has its turn waits for an event.
    is_awaited: Cell<bool>,
}

impl<E: 'static> EventLoop<E> {
    /// Makes a loop without tasks. Its events come from other threads, if they come from anywhere.
    pub(in crate::exhibits) fn new(outside: Option<Receiver<E>>) -> Self {
        EventLoop {
            events: Rc::new(Events {
                outside: RefCell::new(outside),
                arrived: RefCell::default(),
                is_awaited: Cell::new(false),
            }),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    /// The events, for a task.
    pub(in crate::exhibits) fn events(&self) -> Rc<Events<E>> {
        Rc::clone(&self.events)
    }

    /// Adds a task, which has its first turn after those that are there.
    pub(in crate::exhibits) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.ready.push_back(Box::pin(task));
    }

    /// Runs the tasks until all of them have ended.
    #[track_caller]
    pub(in crate::exhibits) fn run(mut self) {
        while let Some(mut task) = self.next() {
            // No waker is used: the tasks that wait look again when an event has arrived.
            let turn = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            match turn {
                Poll::Ready(()) => drop(task),
                Poll::Pending if self.events.is_awaited.take() => self.waiting.push_back(task),
                Poll::Pending => {
                    // Who has just had a turn comes after all that have waited meanwhile.
                    self.events.receive_arrived();
                    self.wake();
                    self.ready.push_back(task);
                }
            }
        }
    }

    /// The task that has the next turn, or `None` if all have ended. If none can go on, waits for
    /// an event.
    #[track_caller]
    fn next(&mut self) -> Option<Task> {
        if self.ready.is_empty() && !self.waiting.is_empty() {
            self.events.receive();
            self.wake();
        }
        self.ready.pop_front()
    }

    /// Moves the tasks that wait to those that can go on, if they need not wait any more.
    fn wake(&mut self) {
        if self.events.has_news() {
            self.ready.append(&mut self.waiting);
        }
    }
}

impl<E> Events<E> {
    /// The next event, or `None` when there will be no more. Gives control back until then.
    pub(in crate::exhibits) async fn next(&self) -> Option<E> {
        poll_fn(|_| {
            if self.has_news() {
                return Poll::Ready(self.arrived.borrow_mut().pop_front());
            }
            self.is_awaited.set(true);
            Poll::Pending
        })
        .await
    }

    /// Whether there is an event for a task, or there will be no more.
    fn has_news(&self) -> bool {
        !self.arrived.borrow().is_empty() || self.outside.borrow().is_none()
    }

    /// Receives the events that have arrived.
    #[track_caller]
    fn receive_arrived(&self) {
        let mut outside = self.outside.borrow_mut();
        while let Some(receiver) = &*outside {
            match receiver.try_recv() {
                Ok(event) => self.arrived.borrow_mut().push_back(event),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => *outside = None,
            }
        }
    }

    /// Waits for an event, or until it is known that there will be no more.
    #[track_caller]
    fn receive(&self) {
        let mut outside = self.outside.borrow_mut();
        match outside.as_ref().map(Receiver::recv) {
            Some(Ok(event)) => self.arrived.borrow_mut().push_back(event),
            Some(Err(_)) | None => *outside = None,
        }
    }
}

/// Gives control back, for one turn of each other task.
pub(in crate::exhibits) async fn give_back() {
    let mut has_given_back = false;
    poll_fn(|_| {
        if has_given_back {
            return Poll::Ready(());
        }
        has_given_back = true;
        Poll::Pending
    })
    .await;
}
