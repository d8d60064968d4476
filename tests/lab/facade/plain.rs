//! A plain cell that is shared although nothing guards it: the race that is looked for.
#![expect(unsafe_code, reason = "cells are there for code that is unsafe")]

use racelab::cell::UnsafeCell;

/// A plain cell.
#[derive(Default)]
pub(super) struct Plain(UnsafeCell<u32>);

// SAFETY: the accesses are what the lab looks at: those that race do not take place.
unsafe impl Sync for Plain {}

impl Plain {
    #[track_caller]
    pub(super) fn set(&self, value: u32) {
        // SAFETY: ordered, or found to race before it takes place.
        unsafe { self.0.write(value) }
    }

    #[track_caller]
    pub(super) fn get(&self) -> u32 {
        // SAFETY: ordered, or found to race before it takes place.
        unsafe { self.0.read() }
    }
}
