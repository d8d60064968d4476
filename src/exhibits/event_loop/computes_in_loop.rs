//! Unsafe: a task that computes all pieces in one turn lets the keys wait until it is done.

use std::rc::Rc;

use crate::exhibits::Terminal;
use crate::sync::{Arc, mpsc};
use crate::{Named, thread};

use super::desk::{Desk, Event};

/// A loop answers the keys that `users` threads press, while `pieces` pieces are computed.
pub(super) fn run(users: usize, pieces: usize, terminal: Option<Arc<dyn Terminal>>) {
    let (sender, receiver) = mpsc::channel();
    let sender = sender.named("events");
    let desk = Rc::new(Desk::new(terminal));
    let mut threads = Vec::new();
    for user in 0..users {
        let (user, sender) = (desk.user(user), sender.clone());
        threads.push(thread::spawn(move || user.press_keys(&sender)));
    }
    let mut event_loop = desk.event_loop(Some(receiver));
    let (events, attendant) = (event_loop.events(), Rc::clone(&desk));
    event_loop.spawn("keys", async move {
        while let Some(event) = events.next().await {
            attendant.handle(event);
        }
    });
    let computer = Rc::clone(&desk);
    event_loop.spawn("sum", async move {
        let mut sum = 0;
        for piece in 1..=pieces {
            sum += computer.compute(piece);
        }
        sender.send(Event::Sum(sum)).unwrap();
    });
    event_loop.run();
    let mut pressed = Vec::new();
    for thread in threads {
        pressed.push(thread.join().unwrap());
    }
    desk.assert_responsive(&pressed, pieces);
}
