//! The macros that select one of several operations.

/// Like [`crossbeam_channel::select!`]: waits until one of several operations is possible, does it, and
/// goes on with its arm. With `default` it does not wait, or at most for the duration.
///
/// In an execution it is a [`Select`](crate::channel::Select): each of the operations that are possible
/// is explored.
///
/// ```
/// use racelab::channel::{self, select};
///
/// let (sender, receiver) = channel::bounded(1);
/// let sent = select! {
///     recv(receiver) -> message => message.is_ok(),
///     send(sender, 1) -> result => result.is_ok(),
/// };
/// assert!(sent);
/// select! {
///     recv(receiver) -> message => assert_eq!(message, Ok(1)),
///     default => unreachable!("there is a message"),
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __channel_select {
    (@parse $mode:ident [] [] $default:tt) => {
        $crate::__channel_select!(@finish $mode [] $default)
    };
    (@parse $mode:ident [$($arms:tt)+] [] $default:tt) => {
        $crate::__channel_select!(@add $mode [] [$($arms)+] $default)
    };
    // A comma between two arms.
    (@parse $mode:ident $arms:tt [, $($rest:tt)*] $default:tt) => {
        $crate::__channel_select!(@parse $mode $arms [$($rest)*] $default)
    };
    (@parse $mode:ident [$($arms:tt)*] [recv($r:expr $(,)?) -> $result:pat => $body:block $($rest:tt)*] $default:tt) => {
        $crate::__channel_select!(@parse $mode [$($arms)* {recv [$r] [] $result => $body}] [$($rest)*] $default)
    };
    (@parse $mode:ident [$($arms:tt)*] [recv($r:expr $(,)?) -> $result:pat => $body:expr $(, $($rest:tt)*)?] $default:tt) => {
        $crate::__channel_select!(@parse $mode [$($arms)* {recv [$r] [] $result => $body}] [$($($rest)*)?] $default)
    };
    (@parse $mode:ident [$($arms:tt)*] [send($s:expr, $message:expr $(,)?) -> $result:pat => $body:block $($rest:tt)*] $default:tt) => {
        $crate::__channel_select!(@parse $mode [$($arms)* {send [$s] [$message] $result => $body}] [$($rest)*] $default)
    };
    (@parse $mode:ident [$($arms:tt)*] [send($s:expr, $message:expr $(,)?) -> $result:pat => $body:expr $(, $($rest:tt)*)?] $default:tt) => {
        $crate::__channel_select!(@parse $mode [$($arms)* {send [$s] [$message] $result => $body}] [$($($rest)*)?] $default)
    };
    (@parse $mode:ident $arms:tt [default $(())? => $body:block $($rest:tt)*] []) => {
        $crate::__channel_select!(@parse $mode $arms [$($rest)*] [try_select() $body])
    };
    (@parse $mode:ident $arms:tt [default $(())? => $body:expr $(, $($rest:tt)*)?] []) => {
        $crate::__channel_select!(@parse $mode $arms [$($($rest)*)?] [try_select() $body])
    };
    (@parse $mode:ident $arms:tt [default($timeout:expr $(,)?) => $body:block $($rest:tt)*] []) => {
        $crate::__channel_select!(@parse $mode $arms [$($rest)*] [select_timeout($timeout) $body])
    };
    (@parse $mode:ident $arms:tt [default($timeout:expr $(,)?) => $body:expr $(, $($rest:tt)*)?] []) => {
        $crate::__channel_select!(@parse $mode $arms [$($($rest)*)?] [select_timeout($timeout) $body])
    };
    (@parse $mode:ident $arms:tt [default $($rest:tt)*] [$($default:tt)+]) => {
        compile_error!("there can be only one `default` case in a `select!` block")
    };
    (@parse $mode:ident $arms:tt [$($rest:tt)*] $default:tt) => {
        compile_error!(concat!(
            "expected `recv(receiver) -> result => …`, `send(sender, message) -> result => …` or \
             `default => …` in a `select!` block, found `",
            stringify!($($rest)*),
            "`"
        ))
    };

    // Each end is evaluated once, before anything is selected.
    (@add $mode:ident [$($added:tt)*] [{recv [$r:expr] [] $result:pat => $body:expr} $($rest:tt)*] $default:tt) => {
        match $r {
            ref receiver => {
                let receiver: &$crate::channel::Receiver<_> = receiver;
                $crate::__channel_select!(@add $mode [$($added)* {recv receiver [] $result => $body}] [$($rest)*] $default)
            }
        }
    };
    (@add $mode:ident [$($added:tt)*] [{send [$s:expr] $message:tt $result:pat => $body:expr} $($rest:tt)*] $default:tt) => {
        match $s {
            ref sender => {
                let sender: &$crate::channel::Sender<_> = sender;
                $crate::__channel_select!(@add $mode [$($added)* {send sender $message $result => $body}] [$($rest)*] $default)
            }
        }
    };
    (@add $mode:ident $added:tt [] $default:tt) => {
        $crate::__channel_select!(@finish $mode $added $default)
    };

    (@finish $mode:ident [$({$kind:ident $end:ident $message:tt $result:pat => $body:expr})*] []) => {{
        let selected = {
            let mut select = $crate::channel::Select::$mode();
            $(select.$kind($end);)*
            select.select()
        };
        $crate::__channel_select!(@complete selected (0) [$({$kind $end $message $result => $body})*])
    }};
    (@finish $mode:ident [$({$kind:ident $end:ident $message:tt $result:pat => $body:expr})*] [$choose:ident($($timeout:expr)?) $default:expr]) => {{
        let selected = {
            let mut select = $crate::channel::Select::$mode();
            $(select.$kind($end);)*
            select.$choose($($timeout)?)
        };
        match selected {
            ::core::result::Result::Err(_) => $default,
            ::core::result::Result::Ok(selected) => {
                $crate::__channel_select!(@complete selected (0) [$({$kind $end $message $result => $body})*])
            }
        }
    }};

    (@complete $selected:ident $index:tt []) => {{
        let _ = $selected;
        ::core::unreachable!("one of the operations was selected")
    }};
    (@complete $selected:ident $index:tt [{recv $receiver:ident [] $result:pat => $body:expr} $($rest:tt)*]) => {
        if $selected.index() == $index {
            let $result = $selected.recv($receiver);
            $body
        } else {
            $crate::__channel_select!(@complete $selected ($index + 1) [$($rest)*])
        }
    };
    (@complete $selected:ident $index:tt [{send $sender:ident [$message:expr] $result:pat => $body:expr} $($rest:tt)*]) => {
        if $selected.index() == $index {
            let $result = $selected.send($sender, $message);
            $body
        } else {
            $crate::__channel_select!(@complete $selected ($index + 1) [$($rest)*])
        }
    };

    () => {
        compile_error!("empty `select!` block")
    };
    ($($arms:tt)+) => {
        $crate::__channel_select!(@parse new [] [$($arms)+] [])
    };
}

/// Like [`crossbeam_channel::select_biased!`]: a [`select!`](crate::channel::select) that takes the first
/// of the operations that are possible.
#[doc(hidden)]
#[macro_export]
macro_rules! __channel_select_biased {
    () => {
        compile_error!("empty `select_biased!` block")
    };
    ($($arms:tt)+) => {
        $crate::__channel_select!(@parse new_biased [] [$($arms)+] [])
    };
}

pub use {__channel_select as select, __channel_select_biased as select_biased};
