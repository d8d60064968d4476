//! The list of an exhibit's variants, a line for each.
//!
//! A variant is a file, a `mod` and a line of `variants!`: what else a `Variant` has follows from
//! the name of its module.

/// The variants of an exhibit: its folder, how they are explored at a size, how their programs are
/// run on a terminal, and then a line for each.
///
/// ```text
/// counter, |size| (size.threads, size.ops), |_| (TASKS, INCREMENTS);
///
/// load_store: unsafe "lost update", "load, add, store: three steps", fix: "…";
/// unsafe_cell: undefined "data race", "a plain number", fix: "…";
/// mutex: safe, "one critical section";
/// ```
///
/// This is `counter/load-store`, in `src/exhibits/counter/load_store.rs`, whose body is
/// `load_store::run(size.threads, size.ops)` and whose program is
/// `load_store::run(TASKS, INCREMENTS)`. What differs in one variant is said in its line:
/// `module as "name" in "file.rs"`, `note:` for what source and output do not say, `spurious: Explored`
/// if nothing but a spurious wake-up breaks it, `only: (threads, ops)` for the one size that it has,
/// `body:` and `program:`, in this order.
macro_rules! variants {
    (
        $exhibit:ident, |$size:tt| $explored:tt, |$terminal:tt| $run:tt;
        $(
            $module:ident $(as $name:literal)? $(in $file:literal)?:
            $kind:tt $($bug:literal)?, $about:literal
            $(, fix: $fix:literal)?
            $(, note: $note:literal)?
            $(, spurious: $spurious:ident)?
            $(, only: ($threads:literal, $ops:literal))?
            $(, body: $body:expr)?
            $(, program: $program:expr)?;
        )*
    ) => {
        &[$($crate::exhibits::Variant {
            exhibit: variants!(@name $exhibit),
            name: variants!(@name $module $($name)?),
            kind: variants!(@kind $kind $($bug)?),
            about: $about,
            fix: variants!(@or $($fix;)? ""),
            note: variants!(@or $(Some($note);)? None),
            spurious: variants!(@or
                $($crate::SpuriousWakeUps::$spurious;)? $crate::SpuriousWakeUps::LeftOut
            ),
            file: concat!(
                "src/exhibits/", stringify!($exhibit), "/", variants!(@file $module $($file)?)
            ),
            source: include_str!(variants!(@file $module $($file)?)),
            only_size: variants!(@or
                $(Some($crate::exhibits::Size { threads: $threads, ops: $ops });)? None
            ),
            body: variants!(@or $($body;)? |$size| $module::run $explored),
            program: variants!(@or $($program;)? |$terminal| $module::run $run),
        }),*]
    };
    (@name $module:ident) => {{
        const MODULE: &str = stringify!($module);
        const NAME: [u8; MODULE.len()] = $crate::exhibits::variants::dashed(MODULE);
        match std::str::from_utf8(&NAME) {
            Ok(name) => name,
            Err(_) => unreachable!(),
        }
    }};
    (@name $module:ident $name:literal) => { $name };
    (@file $module:ident) => { concat!(stringify!($module), ".rs") };
    (@file $module:ident $file:literal) => { $file };
    (@kind unsafe $bug:literal) => { $crate::exhibits::Kind::Unsafe { bug: $bug } };
    (@kind undefined $bug:literal) => { $crate::exhibits::Kind::Undefined { bug: $bug } };
    (@kind safe) => { $crate::exhibits::Kind::Safe };
    (@or $default:expr) => { $default };
    (@or $given:expr; $default:expr) => { $given };
}

pub(super) use variants;

/// The name of a module as the command line has it: with dashes in place of underscores.
pub(super) const fn dashed<const LENGTH: usize>(module: &str) -> [u8; LENGTH] {
    let module = module.as_bytes();
    let mut name = [0; LENGTH];
    let mut place = 0;
    while place < LENGTH {
        name[place] = match module[place] {
            b'_' => b'-',
            byte => byte,
        };
        place += 1;
    }
    name
}
