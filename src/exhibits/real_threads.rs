//! What a variant is on the real machine: at which size it is run, and which variant shows in a model
//! what it does.

use super::{ACROSS_PROCESSES, ALL, Kind, Size, Variant};

/// Variants that need a larger size on real threads than in a model. A list that grows beyond its
/// first few places is moved, and two threads that move it at once free the same memory: with one
/// push each there is nothing to move.
const SIZES: &[(&str, Size)] = &[(
    "shared-list/unsafe-vec",
    Size {
        threads: 2,
        ops: 10,
    },
)];

/// Variants with undefined behaviour or in several processes, each with one that does the same in
/// steps that the model engines know. For the others there is none: what they do needs stale values,
/// is in the code of std, or is done thousands of times.
const COUNTERPARTS: &[(&str, &str)] = &[
    ("counter/unsafe-cell", "counter/load-store"),
    ("shared-list/unsafe-vec", "shared-list/reserve-then-write"),
    ("processes/private-copies", "shared-list/private-copies"),
];

impl Variant {
    /// The size at which it is run on real threads if none is given, where the size is `default`
    /// under other engines.
    pub fn size_on_real_threads(&self, default: Size) -> Size {
        let name = self.to_string();
        let mut sizes = SIZES.iter();
        let size = sizes.find(|(variant, _)| *variant == name);
        size.map_or(default, |(_, size)| *size)
    }

    /// The variant whose traces are compared with the runs of this one on the real machine: itself,
    /// or where no model engine can run it one that does the same. `None` if there is none.
    pub fn in_theory(&'static self) -> Option<&'static Variant> {
        let name = self.to_string();
        let mut counterparts = COUNTERPARTS.iter();
        match counterparts.find(|(variant, _)| *variant == name) {
            Some((_, other)) => variants().find(|variant| variant.to_string() == *other),
            None if matches!(self.kind, Kind::Undefined { .. }) => None,
            None => Some(self),
        }
    }
}

/// All variants but those of the corpus.
fn variants() -> impl Iterator<Item = &'static Variant> {
    let exhibits = ALL.iter().chain(ACROSS_PROCESSES);
    exhibits.flat_map(|exhibit| exhibit.variants)
}

#[cfg(test)]
mod tests {
    use crate::Engine;

    use super::*;

    #[test]
    fn a_counterpart_is_as_safe_and_dpor_can_run_it() {
        for (name, other) in COUNTERPARTS {
            let variant = variants().find(|variant| variant.to_string() == *name);
            let variant = variant.expect("the variant is there");
            let counterpart = variant.in_theory().expect("the counterpart is there");
            assert_eq!(counterpart.to_string(), *other);
            assert_eq!(counterpart.kind.name(), variant.kind.name());
            assert_eq!(counterpart.runs_under(Engine::Dpor), Ok(()));
            assert!(
                !matches!(counterpart.kind, Kind::Undefined { .. }),
                "{other}"
            );
        }
    }

    #[test]
    fn what_a_model_can_run_is_its_own_counterpart() {
        for variant in ALL.iter().flat_map(|exhibit| exhibit.variants) {
            if !matches!(variant.kind, Kind::Undefined { .. }) {
                let counterpart = variant.in_theory().map(ToString::to_string);
                assert_eq!(counterpart, Some(variant.to_string()));
            }
        }
    }
}
