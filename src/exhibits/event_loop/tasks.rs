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
    /// The tasks that wait for an event. When one arrives, all of them look for it in turn.
    waiting: VecDeque<Task>,
    /// Who is shown each turn.
    observer: Option<Observer>,
}

/// Is told of a turn, in a line.
pub(super) type Observer = Box<dyn Fn(&str)>;

struct Task {
    name: &'static str,
    body: Pin<Box<dyn Future<Output = ()>>>,
}

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
            observer: None,
        }
    }

    /// Lets somebody be shown who has each turn, and which tasks are ready and which wait then.
    pub(super) fn observed(self, observer: Option<Observer>) -> Self {
        EventLoop { observer, ..self }
    }

    /// The events, for a task.
    pub(in crate::exhibits) fn events(&self) -> Rc<Events<E>> {
        Rc::clone(&self.events)
    }

    /// Adds a task, which has its first turn after those that are there.
    pub(in crate::exhibits) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + 'static,
    ) {
        let body = Box::pin(task);
        self.ready.push_back(Task { name, body });
    }

    /// Runs the tasks until all of them have ended.
    #[track_caller]
    pub(in crate::exhibits) fn run(mut self) {
        let mut turns = 0;
        while let Some(mut task) = self.next() {
            turns += 1;
            self.show(turns, &task);
            // No waker is used: the tasks that wait look again when an event has arrived.
            let mut context = Context::from_waker(Waker::noop());
            let turn = task.body.as_mut().poll(&mut context);
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

    /// Shows a turn that is about to begin, and who does not have it.
    fn show(&self, turn: usize, task: &Task) {
        if let Some(observer) = &self.observer {
            observer(&format!(
                "turn {turn}: {}   ready {}   waiting {}",
                task.name,
                names(&self.ready),
                names(&self.waiting)
            ));
        }
    }

    /// Moves the tasks that wait to those that can go on, if they need not wait any more.
    fn wake(&mut self) {
        if self.events.has_news() {
            self.ready.append(&mut self.waiting);
        }
    }
}

/// The names of tasks, in the order in which they have waited.
fn names(tasks: &VecDeque<Task>) -> String {
    let names: Vec<_> = tasks.iter().map(|task| task.name).collect();
    format!("[{}]", names.join(", "))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::mpsc;

    /// What tasks have noted, in the order in which they had their turns.
    type Notes = Rc<RefCell<Vec<String>>>;

    /// A task that notes its name, and gives control back between its notes.
    async fn note(notes: Notes, name: &'static str, times: usize) {
        for _ in 0..times {
            notes.borrow_mut().push(name.to_owned());
            give_back().await;
        }
    }

    /// A task that notes the events that it gets, up to the end.
    async fn note_events(notes: Notes, name: &'static str, events: Rc<Events<u32>>) {
        while let Some(event) = events.next().await {
            notes.borrow_mut().push(format!("{name} gets {event}"));
        }
        notes.borrow_mut().push(format!("{name} ends"));
    }

    #[test]
    fn the_task_that_has_waited_longest_has_the_next_turn() {
        let notes = Notes::default();
        let mut event_loop = EventLoop::<u32>::new(None);
        for (name, times) in [("a", 3), ("b", 1), ("c", 2)] {
            event_loop.spawn(name, note(Rc::clone(&notes), name, times));
        }
        event_loop.run();
        assert_eq!(notes.take().concat(), "abcaca");
    }

    #[test]
    fn a_task_whose_event_has_arrived_goes_before_the_one_that_gave_control_back() {
        let notes = Notes::default();
        let (sender, receiver) = mpsc::channel();
        sender.send(7).unwrap();
        let mut event_loop = EventLoop::new(Some(receiver));
        event_loop.spawn(
            "w",
            note_events(Rc::clone(&notes), "w", event_loop.events()),
        );
        event_loop.spawn("a", note(Rc::clone(&notes), "a", 2));
        drop(sender);
        event_loop.run();
        assert_eq!(notes.take(), ["a", "w gets 7", "w ends", "a"]);
    }

    #[test]
    fn an_event_is_taken_by_one_task_and_the_end_is_told_to_all() {
        let notes = Notes::default();
        let (sender, receiver) = mpsc::channel();
        let mut event_loop = EventLoop::new(Some(receiver));
        for name in ["v", "w"] {
            event_loop.spawn(
                name,
                note_events(Rc::clone(&notes), name, event_loop.events()),
            );
        }
        event_loop.spawn("sender", async move {
            give_back().await;
            sender.send(7).unwrap();
        });
        event_loop.run();
        assert_eq!(notes.take(), ["v gets 7", "v ends", "w ends"]);
    }

    #[test]
    fn an_observer_is_shown_who_is_ready_and_who_waits_at_each_turn() {
        let (notes, shown) = (Notes::default(), Notes::default());
        let (sender, receiver) = mpsc::channel();
        sender.send(7).unwrap();
        drop(sender);
        let to = Rc::clone(&shown);
        let observer = move |line: &str| to.borrow_mut().push(line.to_owned());
        let mut event_loop = EventLoop::new(Some(receiver)).observed(Some(Box::new(observer)));
        event_loop.spawn(
            "w",
            note_events(Rc::clone(&notes), "w", event_loop.events()),
        );
        event_loop.spawn("a", note(notes, "a", 2));
        event_loop.run();
        let shown = shown.take();
        let expected = [
            "turn 1: w   ready [a]   waiting []",
            "turn 2: a   ready []   waiting [w]",
            "turn 3: w   ready [a]   waiting []",
            "turn 4: a   ready []   waiting []",
            "turn 5: a   ready []   waiting []",
        ];
        assert_eq!(shown, expected);
    }
}
