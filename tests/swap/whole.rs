//! The façade has the whole of std's interface: a list of it is compiled with either.

/// The list as it is.
#[expect(deprecated, reason = "std still has it")]
#[expect(clippy::incompatible_msrv, reason = "the list is that of today's std")]
#[expect(
    clippy::type_complexity,
    reason = "signatures are as complex as they are"
)]
mod with_std {
    macro_rules! only_of_std {
        ($($items:tt)*) => { $($items)* };
    }

    /// Functions that are `const` and `unsafe`.
    macro_rules! const_unsafe_functions {
        ($($function:path: ($($name:ident: $argument:ty),*) -> $result:ty;)*) => {$({
            #[expect(unsafe_code, reason = "no function of it is called")]
            const unsafe fn constant($($name: $argument),*) -> $result {
                // SAFETY: the same as of the function itself.
                unsafe { $function($($name),*) }
            }
            let _: unsafe fn($($argument),*) -> $result = constant;
        })*};
    }

    include!("interface.rs");
}

/// The list with its imports swapped.
#[expect(deprecated, reason = "std still has it")]
#[expect(clippy::incompatible_msrv, reason = "the list is that of today's std")]
#[expect(
    clippy::type_complexity,
    reason = "signatures are as complex as they are"
)]
mod with_racelab {
    use racelab as std;

    macro_rules! only_of_std {
        ($($items:tt)*) => {};
    }

    include!("interface.rs");
}

#[test]
fn what_std_has_stands_in_the_list_and_compiles_with_either() {
    for part in with_std::PARTS.iter().chain(&with_racelab::PARTS) {
        part();
    }
}
