//! The last drop of an `Arc` of std, which the lab does not see.
//!
//! std orders it after all other drops, and so the destructor of what the `Arc` holds after whatever
//! other threads did through their clones. To the lab that destructor's accesses race with theirs. So
//! where an access seems to race, which is rare, the stack is looked at: a destructor that the last
//! drop runs is called by `Arc::drop_slow`, which std never inlines, and which has something left to
//! do after it, so that its frame is there.
//!
//! Whether what raced was reached through that very `Arc` cannot be seen. It is taken to be so where
//! it comes first; if it was not, it can come second as well, and then it races. So that this order is
//! explored, a search that has assumed a last drop is followed by one in which the accesses of cells are
//! steps ([`CellAccesses`](crate::trace::CellAccesses)). Only what did race is taken to come before, and
//! nothing that the other thread did after it: it may have dropped its clone at once.

use std::backtrace::Backtrace;

/// What runs the current code, as far as the stack tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The last drop of an `Arc`.
    LastDrop,
    /// Something else.
    Other,
    /// The program has no names of functions, or the stack cannot be read.
    Unknown,
}

/// Looks at the stack of the current thread under test.
#[cold]
pub(super) fn caller() -> Caller {
    caller_in(&Backtrace::force_capture().to_string())
}

fn caller_in(stack: &str) -> Caller {
    let functions = stack.lines().filter_map(function);
    let mut has_names = false;
    for function in functions {
        // Below it is the engine, which may itself run in a destructor.
        if function.starts_with("racelab::execution::root::") {
            break;
        }
        if is_last_drop(function) {
            return Caller::LastDrop;
        }
        has_names |= function != "<unknown>";
    }
    if has_names {
        Caller::Other
    } else {
        Caller::Unknown
    }
}

/// The function in a line as `  12: alloc::sync::Arc<T,A>::drop_slow`; other lines have places.
fn function(line: &str) -> Option<&str> {
    let (number, function) = line.trim_start().split_once(": ")?;
    let is_numbered = number.bytes().all(|byte| byte.is_ascii_digit());
    is_numbered.then_some(function)
}

/// Names differ by how they are mangled: `alloc::sync::Arc<T,A>::drop_slow` and
/// `<alloc::sync::Arc<program::Slot>>::drop_slow`, with a hash behind them where they are not
/// demangled in short.
fn is_last_drop(function: &str) -> bool {
    let function = function.strip_prefix('<').unwrap_or(function);
    let Some((_, method)) = function
        .strip_prefix("alloc::sync::Arc<")
        .and_then(|rest| rest.rsplit_once(">::"))
    else {
        return false;
    };
    method == "drop_slow" || method.starts_with("drop_slow::h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_drop_is_told_from_its_name() {
        for last in [
            "alloc::sync::Arc<T,A>::drop_slow",
            "alloc::sync::Arc<T,A>::drop_slow::h0123456789abcdef",
            "<alloc::sync::Arc<program::Slot>>::drop_slow",
            "<alloc::sync::Arc<alloc::vec::Vec<u8>, alloc::alloc::Global>>::drop_slow",
        ] {
            assert!(is_last_drop(last), "{last}");
        }
        for other in [
            "alloc::rc::Rc<T,A>::drop_slow",
            "<alloc::sync::Arc<T,A> as core::ops::drop::Drop>::drop",
            "core::ptr::drop_in_place<alloc::sync::Arc<program::Slot>>",
            "program::drop_slow",
            "<unknown>",
        ] {
            assert!(!is_last_drop(other), "{other}");
        }
    }

    #[test]
    fn the_stack_below_the_thread_under_test_is_not_its_own() {
        let stack = "   0: program::Slot::drop\n\
                     \x20            at ./src/main.rs:10:9\n\
                     \x20  1: racelab::execution::root::run_thread\n\
                     \x20  2: alloc::sync::Arc<T,A>::drop_slow\n";
        assert_eq!(caller_in(stack), Caller::Other);
    }

    #[test]
    fn a_stack_without_names_says_nothing() {
        assert_eq!(
            caller_in("   0: <unknown>\n   1: <unknown>\n"),
            Caller::Unknown
        );
        assert_eq!(caller_in("disabled backtrace"), Caller::Unknown);
    }
}
