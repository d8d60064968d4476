//! Which variant shows in a model what another one does on real threads.

use super::{ALL, Kind, Variant};

/// Variants with undefined behaviour, each with one that does the same in steps that the model
/// engines know. For the others there is none: what they do wrong needs stale values, or is in the
/// code of std.
const COUNTERPARTS: &[(&str, &str)] = &[
    ("counter/unsafe-cell", "counter/load-store"),
    ("shared-list/unsafe-vec", "shared-list/reserve-then-write"),
];

impl Variant {
    /// The variant whose traces are compared with the runs of this one on real threads: itself, or
    /// for undefined behaviour one that goes wrong in the same way. `None` if there is none.
    pub fn in_theory(&'static self) -> Option<&'static Variant> {
        if !matches!(self.kind, Kind::Undefined { .. }) {
            return Some(self);
        }
        let name = self.to_string();
        let mut counterparts = COUNTERPARTS.iter();
        let (_, counterpart) = counterparts.find(|(variant, _)| *variant == name)?;
        variants().find(|variant| variant.to_string() == *counterpart)
    }
}

fn variants() -> impl Iterator<Item = &'static Variant> {
    ALL.iter().flat_map(|exhibit| exhibit.variants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counterpart_is_of_the_same_exhibit_and_without_undefined_behaviour() {
        for (name, other) in COUNTERPARTS {
            let variant = variants().find(|variant| variant.to_string() == *name);
            let variant = variant.expect("the variant is there");
            let counterpart = variant.in_theory().expect("the counterpart is there");
            assert_eq!(counterpart.to_string(), *other);
            assert_eq!(counterpart.exhibit, variant.exhibit);
            assert!(matches!(counterpart.kind, Kind::Unsafe { .. }), "{other}");
        }
    }

    #[test]
    fn what_is_defined_is_its_own_counterpart() {
        for variant in variants() {
            let counterpart = variant.in_theory().map(ToString::to_string);
            if !matches!(variant.kind, Kind::Undefined { .. }) {
                assert_eq!(counterpart, Some(variant.to_string()));
            }
        }
    }
}
