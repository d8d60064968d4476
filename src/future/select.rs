//! Waiting for one of several futures, and for all of them.
//!
//! The macros are ours in every configuration: which branch is first is a way of a step in an execution,
//! and tokio's bring five packages that compile for longer than the lab.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for the first of several futures, as [tokio's macro](https://docs.rs/tokio/latest/tokio/macro.select.html)
/// of this name: `pattern = future, if condition => handler`, `else => handler`, and `biased;` in front.
///
/// In an execution it is a step, which branch is polled first, if there are several. With `biased;` it is
/// the first one.
///
/// ```
/// use racelab::future;
///
/// let first = future::block_on(async {
///     future::select! {
///         biased;
///         n = async { 1 } => n,
///         n = async { 2 } => n,
///     }
/// });
/// assert_eq!(first, 1);
/// ```
///
/// # Panics
///
/// If all branches are disabled and there is no `else`.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // All branches are known.
    (@ $biased:tt [] [$($otherwise:expr)?]) => {
        $crate::__select!(@ none [$($otherwise)?])
    };
    (@ none []) => {
        ::std::compile_error!("`select!` needs at least one branch")
    };
    (@ none [$otherwise:expr]) => { $otherwise };
    (
        @ $biased:tt
        [$(($future:ident $enabled:ident ($($skip:tt)*) $pattern:pat, $of:expr, $condition:expr, $handler:expr))+]
        [$($otherwise:expr)?]
    ) => {{
        $(let mut $enabled = $condition;)+
        let output = {
            $(
                let $future = ::std::future::IntoFuture::into_future($of);
                let mut $future = ::std::pin::pin!($future);
            )+
            ::std::future::poll_fn(|context| {
                let branches = [$($enabled),+];
                let mut is_pending = false;
                for first in $crate::future::__select::in_turn($biased, &branches) {
                    let mut branch = 0;
                    $(
                        if branch == first {
                            match ::std::future::Future::poll($future.as_mut(), context) {
                                ::std::task::Poll::Pending => is_pending = true,
                                ::std::task::Poll::Ready(value) => {
                                    // A pattern that does not fit disables its branch. It is seen without
                                    // moving the value: the guard is never true.
                                    let mut fits = false;
                                    #[allow(
                                        unused_variables, unused_mut, unreachable_code, unreachable_patterns,
                                        clippy::all, clippy::pedantic,
                                        reason = "the pattern is only tried here"
                                    )]
                                    match value {
                                        $pattern if { fits = true; false } => ::std::unreachable!(),
                                        _ => {}
                                    }
                                    if fits {
                                        return ::std::task::Poll::Ready(
                                            $crate::__select!(@ nth [$($skip)*] value)
                                        );
                                    }
                                    $enabled = false;
                                }
                            }
                        }
                        branch += 1;
                    )+
                    let _ = branch;
                }
                if is_pending {
                    ::std::task::Poll::Pending
                } else {
                    ::std::task::Poll::Ready(
                        $crate::__select!(@ last [$($future)+])
                    )
                }
            })
            .await
        };
        #[allow(unreachable_patterns, reason = "a pattern may fit always")]
        match output {
            $($crate::__select!(@ nth [$($skip)*] $pattern) => $handler,)+
            $crate::__select!(@ last [$($future)+]) => $crate::__select!(@ otherwise [$($otherwise)?]),
            _ => ::std::unreachable!("the pattern has fitted before"),
        }
    }};
    (@ nth [] $($inner:tt)+) => { $crate::future::__select::Either::This($($inner)+) };
    (@ nth [$skip:tt $($rest:tt)*] $($inner:tt)+) => {
        $crate::future::__select::Either::Later($crate::__select!(@ nth [$($rest)*] $($inner)+))
    };
    (@ last []) => { $crate::future::__select::Disabled };
    (@ last [$branch:tt $($rest:tt)*]) => {
        $crate::future::__select::Either::Later($crate::__select!(@ last [$($rest)*]))
    };
    (@ otherwise []) => {
        ::std::panic!("all branches are disabled and there is no else branch")
    };
    (@ otherwise [$otherwise:expr]) => { $otherwise };

    // A branch is read. A name that stands here is another one in each round.
    (@ $biased:tt [$($branches:tt)*] ($($skip:tt)*)) => {
        $crate::__select!(@ $biased [$($branches)*] [])
    };
    (@ $biased:tt [$($branches:tt)*] ($($skip:tt)*) else => $otherwise:expr $(,)?) => {
        $crate::__select!(@ $biased [$($branches)*] [$otherwise])
    };
    (
        @ $biased:tt [$($branches:tt)*] ($($skip:tt)*)
        $pattern:pat = $of:expr $(, if $condition:expr)? => $handler:block, $($rest:tt)*
    ) => {
        $crate::__select!(
            @ $biased
            [$($branches)* (future enabled ($($skip)*) $pattern, $of, $crate::__select!(@ if $($condition)?), $handler)]
            ($($skip)* _) $($rest)*
        )
    };
    (
        @ $biased:tt [$($branches:tt)*] ($($skip:tt)*)
        $pattern:pat = $of:expr $(, if $condition:expr)? => $handler:block $($rest:tt)*
    ) => {
        $crate::__select!(
            @ $biased
            [$($branches)* (future enabled ($($skip)*) $pattern, $of, $crate::__select!(@ if $($condition)?), $handler)]
            ($($skip)* _) $($rest)*
        )
    };
    (
        @ $biased:tt [$($branches:tt)*] ($($skip:tt)*)
        $pattern:pat = $of:expr $(, if $condition:expr)? => $handler:expr
    ) => {
        $crate::__select!(
            @ $biased
            [$($branches)* (future enabled ($($skip)*) $pattern, $of, $crate::__select!(@ if $($condition)?), $handler)]
            ($($skip)* _)
        )
    };
    (
        @ $biased:tt [$($branches:tt)*] ($($skip:tt)*)
        $pattern:pat = $of:expr $(, if $condition:expr)? => $handler:expr, $($rest:tt)*
    ) => {
        $crate::__select!(
            @ $biased
            [$($branches)* (future enabled ($($skip)*) $pattern, $of, $crate::__select!(@ if $($condition)?), $handler)]
            ($($skip)* _) $($rest)*
        )
    };
    (@ if) => { true };
    (@ if $condition:expr) => { $condition };

    (biased; $($branches:tt)*) => { $crate::__select!(@ true [] () $($branches)*) };
    ($($branches:tt)*) => { $crate::__select!(@ false [] () $($branches)*) };
}

/// Waits for several futures, as [tokio's macro](https://docs.rs/tokio/latest/tokio/macro.join.html) of
/// this name. Each time another one is polled first, but with `biased;` in front always the first.
///
/// ```
/// use racelab::future;
///
/// let both = future::block_on(async { future::join!(async { 1 }, async { "two" }) });
/// assert_eq!(both, (1, "two"));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __join {
    (@ $result:ident $biased:tt [$(($future:ident $output:ident $of:expr))*]) => {{
        $(
            let $future = ::std::future::IntoFuture::into_future($of);
            let mut $future = ::std::pin::pin!(::std::option::Option::Some($future));
            let mut $output = ::std::option::Option::None;
        )*
        let mut rounds = $crate::future::__select::Rounds::new($biased);
        ::std::future::poll_fn(|context| {
            let mut is_pending = false;
            for first in rounds.next(<[()]>::len(&[$($crate::__join!(@ unit $future)),*])) {
                let mut branch = 0;
                $(
                    if branch == first {
                        is_pending |= $crate::future::__select::poll_once(
                            &mut $future, &mut $output, context,
                        );
                        $crate::__join!(@ end $result $output);
                    }
                    branch += 1;
                )*
                let _ = branch;
            }
            if is_pending {
                ::std::task::Poll::Pending
            } else {
                ::std::task::Poll::Ready($crate::__join!(@ all $result $($output)*))
            }
        })
        .await
    }};
    (@ unit $future:ident) => { () };
    // What the end of one future means: of `values` nothing, of `results` an error is the end of all.
    (@ end values $output:ident) => {};
    (@ end results $output:ident) => {
        if let ::std::option::Option::Some(::std::result::Result::Err(_)) = $output
            && let ::std::option::Option::Some(::std::result::Result::Err(error)) = $output.take()
        {
            return ::std::task::Poll::Ready(::std::result::Result::Err(error));
        }
    };
    (@ all values $($output:ident)*) => { ($($output.take().expect("it has ended"),)*) };
    (@ all results $($output:ident)*) => {
        ::std::result::Result::Ok((
            $($output.take().and_then(::std::result::Result::ok).expect("it has ended"),)*
        ))
    };
    (@ $result:ident $biased:tt [$($futures:tt)*] $of:expr $(, $($rest:tt)*)?) => {
        $crate::__join!(@ $result $biased [$($futures)* (future output $of)] $($($rest)*)?)
    };
    (biased; $($futures:tt)+) => { $crate::__join!(@ values true [] $($futures)+) };
    () => { async {}.await };
    ($($futures:tt)+) => { $crate::__join!(@ values false [] $($futures)+) };
}

/// Waits for several futures, or for the first error, as
/// [tokio's macro](https://docs.rs/tokio/latest/tokio/macro.try_join.html) of this name. Each time another
/// one is polled first, but with `biased;` in front always the first.
///
/// ```
/// use racelab::future;
///
/// let both: Result<_, ()> =
///     future::block_on(async { future::try_join!(async { Ok(1) }, async { Ok("two") }) });
/// assert_eq!(both, Ok((1, "two")));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __try_join {
    (biased; $($futures:tt)+) => { $crate::__join!(@ results true [] $($futures)+) };
    () => { async { ::std::result::Result::Ok(()) }.await };
    ($($futures:tt)+) => { $crate::__join!(@ results false [] $($futures)+) };
}

/// What the branch of a `select!` has come to, whose number is how many `Later`s there are.
#[derive(Debug)]
pub enum Either<A, B> {
    /// It is this branch.
    This(A),
    /// It is one that comes later.
    Later(B),
}

/// None of the branches of a `select!` has come to anything.
#[derive(Debug)]
pub struct Disabled;

/// The enabled branches, in the order in which they are polled.
#[cfg_attr(feature = "engine", track_caller)]
pub fn in_turn(is_biased: bool, branches: &[bool]) -> impl Iterator<Item = usize> {
    let enabled = (0..branches.len()).filter(|branch| branches[*branch]);
    let enabled: Vec<_> = enabled.collect();
    let first = match enabled.len() {
        branches if branches > 1 && !is_biased => first_of(branches),
        _ => 0,
    };
    let count = enabled.len();
    let rotated = (first..count).chain(0..first);
    rotated.map(move |place| enabled[place])
}

/// The place of the branch that is polled first, of `branches`.
#[cfg_attr(feature = "engine", track_caller)]
fn first_of(branches: usize) -> usize {
    #[cfg(feature = "engine")]
    if crate::execution::is_running() {
        let branches = u32::try_from(branches).expect("a macro has fewer than 2^32 branches");
        return crate::model::task::choose_branch(branches) as usize;
    }
    // Each state is keyed at random.
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
    usize::try_from(random % branches as u64).expect("it is less than a usize")
}

/// The rounds in which several futures are polled.
#[derive(Debug)]
pub struct Rounds {
    is_biased: bool,
    first: usize,
}

impl Rounds {
    /// None was.
    pub fn new(is_biased: bool) -> Self {
        Rounds {
            is_biased,
            first: 0,
        }
    }

    /// The order of the next round of `count` futures.
    pub fn next(&mut self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.first;
        if !self.is_biased {
            self.first = (first + 1) % count;
        }
        (first..count).chain(0..first)
    }
}

/// Polls a future that has not ended. When it has, its output is kept, and it is dropped. Returns whether
/// it is pending.
pub fn poll_once<F: Future>(
    future: &mut Pin<&mut Option<F>>,
    output: &mut Option<F::Output>,
    context: &mut Context<'_>,
) -> bool {
    let Some(pending) = future.as_mut().as_pin_mut() else {
        return false;
    };
    match pending.poll(context) {
        Poll::Pending => true,
        Poll::Ready(value) => {
            *output = Some(value);
            future.set(None);
            false
        }
    }
}
