//! How objects of the façade are made.

/// A constructor. It is `const`, unless there is an engine that has to see where objects are made.
macro_rules! constructor {
    (
        $(#[$attribute:meta])*
        pub fn $name:ident($($argument:ident: $type:ty),*) -> Self $make:block
    ) => {
        $(#[$attribute])*
        #[cfg(not(feature = "loom"))]
        #[track_caller]
        pub const fn $name($($argument: $type),*) -> Self $make

        $(#[$attribute])*
        #[cfg(feature = "loom")]
        #[track_caller]
        pub fn $name($($argument: $type),*) -> Self {
            let new: Self = $make;
            new.made();
            new
        }
    };
}
