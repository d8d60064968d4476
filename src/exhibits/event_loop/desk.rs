//! The users whose keys the loop answers, and what it computes beside that.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::mpsc::{Receiver, Sender};
use crate::{Named, outcome};

use super::PIECES;
use super::tasks::EventLoop;

/// How many pieces a key may have to wait for. Whatever the loop does, it can be pressed while one
/// is computed.
const PATIENCE: usize = 1;

/// What a person is asked with.
const PROMPT: &str = "Key: ";

/// What the loop is told.
pub(super) enum Event {
    /// A user has pressed a key.
    Key {
        /// The number of the user.
        user: usize,
        /// What it says.
        text: String,
        /// When it was pressed, on a real terminal.
        pressed: Option<Instant>,
    },
    /// The computation has come to this sum.
    Sum(u64),
}

/// Where keys are answered. Only the thread of the loop has it.
pub(super) struct Desk {
    /// How many pieces the thread of the loop has computed. The users look at it.
    pieces: Arc<AtomicUsize>,
    /// The same number, which the thread of the loop knows without a look.
    computed: Cell<usize>,
    /// The user of each key that was answered, and how many pieces there were then.
    answered: RefCell<Vec<(usize, usize)>>,
    sum: Cell<Option<u64>>,
    terminal: Option<Arc<dyn Terminal>>,
}

/// Somebody who presses keys.
pub(super) struct User {
    number: usize,
    pieces: Arc<AtomicUsize>,
    terminal: Option<Arc<dyn Terminal>>,
}

/// A sum of squares, in pieces.
#[derive(Clone, Copy)]
pub(super) struct Computation {
    /// A piece adds the squares of the numbers below this one.
    below: u64,
    /// How long a piece takes at least.
    takes: Duration,
}

impl Desk {
    /// Makes a desk. If there is a terminal, keys are read from it and answered there, and the
    /// computation takes a while.
    pub(super) fn new(terminal: Option<Arc<dyn Terminal>>) -> Self {
        Desk {
            pieces: Arc::new(AtomicUsize::new(0).named("pieces")),
            computed: Cell::new(0),
            answered: RefCell::default(),
            sum: Cell::new(None),
            terminal,
        }
    }

    /// A loop without tasks, whose events come from there. The terminal is shown each turn if it
    /// has asked for that.
    pub(super) fn event_loop(&self, outside: Option<Receiver<Event>>) -> EventLoop<Event> {
        let terminal = self.terminal.clone();
        let terminal = terminal.filter(|terminal| terminal.settings().verbose);
        EventLoop::new(outside).observed(terminal.map(|terminal| {
            let observer = move |turn: &str| terminal.write(&format!("{turn}\n"));
            Box::new(observer) as _
        }))
    }

    /// The user of this number.
    pub(super) fn user(&self, number: usize) -> User {
        User {
            number,
            pieces: Arc::clone(&self.pieces),
            terminal: self.terminal.clone(),
        }
    }

    /// The computation, for any thread.
    pub(super) fn computation(&self) -> Computation {
        let Some(terminal) = &self.terminal else {
            let takes = Duration::ZERO;
            return Computation { below: 2, takes };
        };
        let seconds = terminal.settings().seconds.unwrap_or_default();
        Computation {
            below: 1_000_000,
            takes: seconds / u32::try_from(PIECES).expect("they are few"),
        }
    }

    /// Computes a piece, the first of which is 1, on the thread of the loop. One step.
    #[track_caller]
    pub(super) fn compute(&self, piece: usize) -> u64 {
        let sum = self.computation().compute();
        self.computed.set(piece);
        self.pieces.store(piece, SeqCst);
        sum
    }

    /// Answers a key, or notes the sum.
    pub(super) fn handle(&self, event: Event) {
        let terminal = self.terminal.as_ref();
        match event {
            Event::Key {
                user,
                text,
                pressed,
            } => {
                self.answered.borrow_mut().push((user, self.computed.get()));
                if let (Some(terminal), Some(pressed)) = (terminal, pressed) {
                    terminal.answer(&text, pressed.elapsed());
                }
            }
            Event::Sum(sum) => {
                self.sum.set(Some(sum));
                if let Some(terminal) = terminal {
                    terminal.write(&format!("Sum {sum}\n"));
                }
            }
        }
    }

    /// Records for how many pieces each key of each user has waited, and asserts that they are few
    /// and that the sum is right. `pressed` is what the users have returned.
    #[track_caller]
    pub(super) fn assert_responsive(&self, pressed: &[Vec<usize>], pieces: usize) {
        let answered = self.answered.borrow();
        let waits = pressed.iter().enumerate().map(|(user, pressed)| {
            let own = answered.iter().filter(|(other, _)| *other == user);
            let own: Vec<usize> = own.map(|(_, pieces)| *pieces).collect();
            assert_eq!(own.len(), pressed.len(), "each key is answered once");
            let waits = own.iter().zip(pressed).map(|(a, p)| a.saturating_sub(*p));
            waits.collect()
        });
        let waits: Vec<Vec<usize>> = waits.collect();
        outcome(&waits);
        let below = self.computation().below;
        let squares = (below - 1) * below * (2 * below - 1) / 6;
        assert_eq!(self.sum.get(), Some(pieces as u64 * squares));
        let longest = waits.into_iter().flatten().max().unwrap_or(0);
        assert!(
            longest <= PATIENCE,
            "a key has waited for {longest} pieces of the computation"
        );
    }
}

impl User {
    /// Presses a key, or the lines of the terminal. Returns for each how many pieces the thread of
    /// the loop had computed. Two steps a key.
    #[track_caller]
    pub(super) fn press_keys(&self, events: &Sender<Event>) -> Vec<usize> {
        let mut pressed = Vec::new();
        while let Some(text) = self.key_after(pressed.len()) {
            let event = Event::Key {
                user: self.number,
                text,
                pressed: self.terminal.as_ref().map(|_| Instant::now()),
            };
            events.send(event).unwrap();
            // After the send, so that no key seems to have waited for longer than it has. A load
            // could do that as well, by a stale value; a read-modify-write reads the newest one.
            pressed.push(self.pieces.fetch_add(0, SeqCst));
        }
        pressed
    }

    /// The key that the user presses after so many others, if any.
    fn key_after(&self, count: usize) -> Option<String> {
        match &self.terminal {
            Some(terminal) => terminal.read_line(PROMPT),
            None => (count == 0).then(|| "a".to_owned()),
        }
    }
}

impl Computation {
    /// Computes a piece, on any thread. It is not a step.
    pub(super) fn compute(self) -> u64 {
        let began = Instant::now();
        loop {
            // Opaque, so that the compiler does not make a formula of the loop.
            let sum = (0..self.below).map(|n| black_box(n * n)).sum();
            // A piece that is to take longer is computed again.
            if began.elapsed() >= self.takes {
                return sum;
            }
        }
    }
}
