//! One's own code under the lab: two transfers between two accounts.
//!
//! `cargo run --example transfer` shows how the first version gets stuck, and that the second one
//! does not.

use racelab::sync::{Arc, Mutex};
use racelab::{Engine, Explorer, Named, thread};

/// Money, and who has it.
struct Account {
    number: u32,
    balance: Mutex<u64>,
}

impl Account {
    fn new(number: u32, name: &'static str) -> Arc<Self> {
        Arc::new(Account {
            number,
            balance: Mutex::new(100).named(name),
        })
    }
}

/// Locks the account that pays, then the one that is paid.
fn transfer_as_asked(from: &Account, to: &Account, amount: u64) {
    let mut payer = from.balance.lock().unwrap();
    let mut payee = to.balance.lock().unwrap();
    *payer -= amount;
    *payee += amount;
}

/// Locks the account with the smaller number first, whoever pays.
fn transfer_in_order(from: &Account, to: &Account, amount: u64) {
    let (first, second) = if from.number < to.number {
        (from, to)
    } else {
        (to, from)
    };
    let mut first = first.balance.lock().unwrap();
    let mut second = second.balance.lock().unwrap();
    let (payer, payee) = if from.number < to.number {
        (&mut *first, &mut *second)
    } else {
        (&mut *second, &mut *first)
    };
    *payer -= amount;
    *payee += amount;
}

/// Two threads transfer in opposite directions at the same time.
fn cross_transfers(transfer: fn(&Account, &Account, u64)) {
    let (anna, ben) = (Account::new(1, "anna"), Account::new(2, "ben"));
    let other = thread::spawn({
        let (anna, ben) = (Arc::clone(&anna), Arc::clone(&ben));
        move || transfer(&ben, &anna, 10)
    });
    transfer(&anna, &ben, 30);
    other.join().unwrap();
    assert_eq!(*anna.balance.lock().unwrap(), 80);
    assert_eq!(*ben.balance.lock().unwrap(), 120);
}

fn main() {
    // In a test, `racelab::check` would panic with this report.
    let report = Explorer::new(Engine::Dpor).explore(|| cross_transfers(transfer_as_asked));
    println!("{report}");

    racelab::check(|| cross_transfers(transfer_in_order));
    println!("With the locks taken in order, every interleaving holds.");
}
