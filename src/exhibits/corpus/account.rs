//! Unsafe: the check can run before, between or behind the two changes, and its total is wrong once
//! both were made.
//!
//! The bug is an order violation: the checker takes for granted that it never comes last, and
//! nothing keeps it from that. `SCTBench` calls the program `account_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

/// What the checker expects of 1, with 2 paid in and 4 drawn out: it is -1.
const WRONG_TOTAL: i32 = 3;

struct Account {
    m: Mutex<()>,
    balance: AtomicI32,
    has_deposited: AtomicBool,
    has_withdrawn: AtomicBool,
}

/// A checker, a deposit and a withdrawal, each one critical section.
pub(super) fn run() {
    let account = Arc::new(Account {
        m: Mutex::new(()).named("m"),
        balance: AtomicI32::new(1).named("balance"),
        has_deposited: AtomicBool::new(false).named("deposited"),
        has_withdrawn: AtomicBool::new(false).named("withdrawn"),
    });
    let checker = spawn(&account, Account::total);
    let depositor = spawn(&account, Account::deposit);
    let withdrawer = spawn(&account, Account::withdraw);
    let total = checker.join().unwrap();
    depositor.join().unwrap();
    withdrawer.join().unwrap();
    if let Some(total) = total {
        assert_eq!(total, WRONG_TOTAL);
    }
}

impl Account {
    /// The balance, once both changes were made.
    fn total(&self) -> Option<i32> {
        let _held = self.m.lock().unwrap();
        let is_final = self.has_deposited.load(SeqCst) && self.has_withdrawn.load(SeqCst);
        is_final.then(|| self.balance.load(SeqCst))
    }

    fn deposit(&self) {
        let _held = self.m.lock().unwrap();
        let balance = self.balance.load(SeqCst);
        self.balance.store(balance + 2, SeqCst);
        self.has_deposited.store(true, SeqCst);
    }

    fn withdraw(&self) {
        let _held = self.m.lock().unwrap();
        let balance = self.balance.load(SeqCst);
        self.balance.store(balance - 4, SeqCst);
        self.has_withdrawn.store(true, SeqCst);
    }
}
