//! The memory of the command: what happens when there is no more.

#![expect(unsafe_code, reason = "an allocator is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Write, stderr};

use super::error::Exit;

/// How what the command says begins when there is no more memory.
pub(super) const NO_MORE: &str = "error: the system gives no more memory";

/// Code that asks for this much at once asks whether it is there (`try_reserve`), and says itself what it
/// is for.
const LARGE: usize = 256 << 20;

/// The allocator of the system. If that gives no more memory the process ends with a sentence, in
/// place of the signal that would be taken for a crash of the program under test.
#[derive(Debug)]
pub struct Memory;

// SAFETY: all calls go to the system's allocator as they are, which keeps the contract. What it
// returns is returned, unless nothing returns.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[inline]
fn given(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() && size < LARGE {
        end(size);
    }
    memory
}

/// Ends the process at once: whatever else was done could need memory.
#[cold]
fn end(size: usize) -> ! {
    // Standard error has no buffer, and this is formatted as it is written.
    let _ = writeln!(
        stderr(),
        "{NO_MORE}: it refused {size} bytes; allow more (`ulimit -v`), take fewer `--jobs`, or a \
         smaller size"
    );
    #[cfg(unix)]
    // SAFETY: it takes any number, and runs nothing of this process.
    unsafe {
        libc::_exit(i32::from(Exit::Inconclusive.code()))
    }
    #[cfg(not(unix))]
    std::process::exit(Exit::Inconclusive.code().into())
}
