//! Says so when a thread under test overflows its stack.
//!
//! Rust's own message knows only the stacks of OS threads. Threads under test run on stacks of
//! their own, below which there is a page that cannot be touched: without this, an endless
//! recursion would end the process without a word.

#[cfg(unix)]
pub(super) use unix::{install, note_stack};

#[cfg(not(unix))]
pub(super) fn install() {}

#[cfg(not(unix))]
pub(super) fn note_stack() {}

#[cfg(unix)]
#[expect(unsafe_code, reason = "a signal handler is made of system calls")]
mod unix {
    use std::cell::Cell;
    use std::fmt::Write;
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::{Once, OnceLock};

    use crate::engine::STACK_SIZE;
    use crate::execution;

    thread_local! {
        /// An address on the stack of the thread under test that runs now.
        static STACK: Cell<usize> = const { Cell::new(0) };
    }

    /// What handled a signal before.
    static PREVIOUS: OnceLock<[libc::sigaction; 2]> = OnceLock::new();

    const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

    /// Remembers on which stack the current thread under test runs.
    pub(in crate::engine) fn note_stack() {
        let here = 0u8;
        STACK.set(ptr::from_ref(&here).addr());
    }

    /// Installs the handler, once in a process.
    pub(in crate::engine) fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let previous = SIGNALS.map(|signal| {
                // SAFETY: an all-zero `sigaction` is a valid value of that C struct. The handler
                // has the signature that SA_SIGINFO asks for and lives as long as the process.
                unsafe {
                    let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                    action.sa_sigaction = on_fault as *const () as usize;
                    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                    let mut old: libc::sigaction = MaybeUninit::zeroed().assume_init();
                    libc::sigemptyset(&raw mut action.sa_mask);
                    libc::sigaction(signal, &raw const action, &raw mut old);
                    old
                }
            });
            let _ = PREVIOUS.set(previous);
        });
    }

    extern "C" fn on_fault(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
    ) {
        // SAFETY: the system passes a valid `siginfo_t` to a handler installed with SA_SIGINFO.
        let address = unsafe { (*info).si_addr() }.addr();
        let stack = STACK.get();
        // The noted address lies inside the stack, so that its end is at most its size below.
        if address < stack && stack - address <= STACK_SIZE + (64 << 10) {
            say_last_words();
            // SAFETY: `abort` may be called at any time.
            unsafe { libc::abort() };
        }
        hand_on(signal, info, context);
    }

    /// Does what would have been done without this handler.
    fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let index = SIGNALS
            .iter()
            .position(|&other| other == signal)
            .unwrap_or(0);
        let Some(previous) = PREVIOUS.get().map(|previous| &previous[index]) else {
            return;
        };
        let handler = previous.sa_sigaction;
        if previous.sa_flags & libc::SA_SIGINFO != 0 && handler > libc::SIG_IGN {
            // SAFETY: with SA_SIGINFO the stored handler has exactly this signature.
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        } else {
            // SAFETY: puts back what was there. On return the faulting instruction runs again and
            // meets it.
            unsafe { libc::sigaction(signal, ptr::from_ref(previous), ptr::null_mut()) };
        }
    }

    /// Writes without allocating: the heap may be locked by the code that was interrupted.
    fn say_last_words() {
        let mut text = Line {
            bytes: [0; 512],
            length: 0,
        };
        let _ = write!(
            text,
            "racelab: a thread under test overflowed its stack of {} MiB, most likely by a \
             recursion without an end",
            STACK_SIZE >> 20
        );
        let pulse = execution::try_with(|execution| execution.last_event()).flatten();
        if let Some(last) = pulse {
            let _ = write!(
                text,
                "; its last event was {} {} at {}",
                last.thread, last.operation, last.at
            );
        }
        let _ = text.write_str("\n");
        // SAFETY: the buffer is initialised up to `length`.
        unsafe { libc::write(libc::STDERR_FILENO, text.bytes.as_ptr().cast(), text.length) };
    }

    struct Line {
        bytes: [u8; 512],
        length: usize,
    }

    impl Write for Line {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let free = &mut self.bytes[self.length..];
            let count = text.len().min(free.len());
            free[..count].copy_from_slice(&text.as_bytes()[..count]);
            self.length += count;
            Ok(())
        }
    }
}
