//! Finds a variant by its name.

use crate::exhibits::{self, Exhibit, Kind, Variant};

use super::error::Error;

/// Names that are less alike than this are no typing errors of each other.
const ALIKE: f64 = 0.7;

/// How much of an unknown name is repeated.
const LONGEST_SHOWN: usize = 40;

/// The variant of a name: `exhibit/variant`, or `exhibit` for its first unsafe one.
pub(super) fn variant(name: &str) -> Result<&'static Variant, Error> {
    let (exhibit_name, variant_name) = match name.split_once('/') {
        Some((exhibit, variant)) => (exhibit, Some(variant)),
        None => (name, None),
    };
    let exhibits = exhibits::ALL.iter();
    let Some(exhibit) = exhibits
        .clone()
        .find(|exhibit| exhibit.name == exhibit_name)
    else {
        let names = exhibits.map(|exhibit| exhibit.name);
        return Err(unknown("exhibit", exhibit_name, names));
    };
    let Some(variant_name) = variant_name else {
        return Ok(first_unsafe(exhibit));
    };
    let mut variants = exhibit.variants.iter();
    let found = variants.find(|variant| variant.name == variant_name);
    found.ok_or_else(|| {
        let what = format!("variant of {}", exhibit.name);
        let names = exhibit.variants.iter().map(|variant| variant.name);
        unknown(&what, variant_name, names)
    })
}

/// The exhibit of a variant.
pub(super) fn exhibit_of(variant: &Variant) -> &'static Exhibit {
    let mut exhibits = exhibits::ALL.iter();
    exhibits
        .find(|exhibit| exhibit.name == variant.exhibit)
        .expect("a variant names its exhibit")
}

fn first_unsafe(exhibit: &'static Exhibit) -> &'static Variant {
    let is_unsafe = |variant: &&Variant| matches!(variant.kind, Kind::Unsafe { .. });
    exhibit
        .variants
        .iter()
        .find(is_unsafe)
        .unwrap_or(&exhibit.variants[0])
}

fn unknown(what: &str, name: &str, names: impl Iterator<Item = &'static str> + Clone) -> Error {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = names
        .clone()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match nearest.filter(|nearest| likeness(nearest) >= ALIKE) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there is {};", names.collect::<Vec<_>>().join(", ")),
    };
    let name = shown(name);
    Error::Usage(format!(
        "unknown {what} {name}; {hint} `racelab list` shows them all"
    ))
}

/// A name that somebody gave, cut and with escapes, so that any text makes one readable line.
fn shown(name: &str) -> String {
    let mut chars = name.chars();
    let start: String = chars.by_ref().take(LONGEST_SHOWN).collect();
    let dots = if chars.next().is_some() { "…" } else { "" };
    format!("`{}{dots}`", start.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhibit_alone_is_its_first_unsafe_variant() {
        assert_eq!(
            variant("counter").unwrap().to_string(),
            "counter/load-store"
        );
        assert_eq!(
            variant("counter/mutex").unwrap().to_string(),
            "counter/mutex"
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = |name| variant(name).unwrap_err().to_string();
        assert!(error("conter").contains("did you mean `counter`?"));
        assert!(error("counter/mutx").contains("did you mean `mutex`?"));
        assert!(error("zzz").contains("there is counter"));
        assert!(error("").contains("unknown exhibit ``"));
        assert!(error("counter/").contains("unknown variant of counter ``"));
    }
}
