//! Finds a variant by its name.

use crate::Engine;
use crate::exhibits::{self, Exhibit, Kind, Missing, Size, Variant};

use super::error::Error;

/// Names that are less alike than this are no typing errors of each other.
const ALIKE: f64 = 0.7;

/// How much of an unknown name is repeated.
const LONGEST_SHOWN: usize = 40;

/// The variant of a name: `exhibit/variant`, or `exhibit` for its first unsafe one.
pub(super) fn variant(name: &str) -> Result<&'static Variant, Error> {
    let (exhibit, variant) = named(name)?;
    Ok(variant.unwrap_or_else(|| first_unsafe(exhibit)))
}

/// The variants of some names, of which an exhibit alone is all of its own, or those of the whole
/// gallery if there are no names. They are in the order of the gallery, each only once, and then
/// those of the corpus, and those that start processes.
pub(super) fn variants(names: &[String]) -> Result<Vec<&'static Variant>, Error> {
    let named: Vec<_> = names
        .iter()
        .map(|name| named(name))
        .collect::<Result<_, _>>()?;
    let is_named = |variant: &Variant| {
        named.iter().any(|(exhibit, only)| {
            exhibit.name == variant.exhibit && only.is_none_or(|only| only.name == variant.name)
        })
    };
    Ok(if named.is_empty() {
        variants_of(exhibits::ALL).collect()
    } else {
        let all = all_exhibits().flat_map(|exhibit| exhibit.variants);
        all.filter(|variant| is_named(variant)).collect()
    })
}

/// The programs of the corpus.
pub(super) fn corpus() -> Vec<&'static Variant> {
    variants_of(exhibits::CORPUS).collect()
}

fn variants_of(exhibits: &'static [&Exhibit]) -> impl Iterator<Item = &'static Variant> {
    exhibits.iter().flat_map(|exhibit| exhibit.variants)
}

/// The gallery, and what stands beside it.
fn all_exhibits() -> impl Iterator<Item = &'static Exhibit> + Clone {
    let beside = exhibits::CORPUS.iter().chain(exhibits::ACROSS_PROCESSES);
    exhibits::ALL.iter().chain(beside).copied()
}

/// The exhibit of a name, and the variant if the name has one.
fn named(name: &str) -> Result<(&'static Exhibit, Option<&'static Variant>), Error> {
    let (exhibit_name, variant_name) = match name.split_once('/') {
        Some((exhibit, variant)) => (exhibit, Some(variant)),
        None => (name, None),
    };
    let Some(exhibit) = all_exhibits().find(|exhibit| exhibit.name == exhibit_name) else {
        let names = all_exhibits().map(|exhibit| exhibit.name);
        return Err(unknown("exhibit", exhibit_name, names, "racelab list"));
    };
    let Some(variant_name) = variant_name else {
        return Ok((exhibit, None));
    };
    let mut variants = exhibit.variants.iter();
    let found = variants.find(|variant| variant.name == variant_name);
    let found = found.ok_or_else(|| {
        let what = format!("variant of {}", exhibit.name);
        let names = exhibit.variants.iter().map(|variant| variant.name);
        unknown(&what, variant_name, names, list_of(exhibit))
    });
    Ok((exhibit, Some(found?)))
}

/// Why no variant is run under its engine, if that is so.
pub(super) fn why_none_runs(pairs: &[(&Variant, Engine)]) -> Option<String> {
    let mut why = None;
    for (variant, engine) in pairs {
        match runs_under(variant, *engine) {
            Ok(()) => return None,
            Err(missing) => {
                why.get_or_insert(format!("{variant} is not for {engine}, since {missing}"));
            }
        }
    }
    Some(why.unwrap_or_else(|| "no variant is selected".to_owned()))
}

/// Whether the engine can run a variant at its default size, in this process or in a child.
pub(super) fn runs_under(variant: &Variant, engine: Engine) -> Result<(), Missing> {
    match variant.runs_under(engine) {
        Err(_) if needs_child(variant, engine) => Ok(()),
        runs => runs,
    }
}

/// Whether a variant can do anything to the process that it runs in under this engine.
pub(super) fn needs_child(variant: &Variant, engine: Engine) -> bool {
    variant.runs_under(engine) == Err(Missing::UndefinedBehaviour)
}

/// Refuses what starts processes if the engine is a model, none of which has processes.
pub(super) fn refuse_processes(variant: &Variant, engine: Engine) -> Result<(), Error> {
    match variant.runs_under(engine) {
        Err(missing @ Missing::Processes) => Err(Error::Usage(format!(
            "{variant} is not for the engine {engine}: {missing}, as `racelab run {variant}` and \
             `racelab explore {variant} --engine threads` do"
        ))),
        _ => Ok(()),
    }
}

/// The exhibit of a variant.
pub(super) fn exhibit_of(variant: &Variant) -> &'static Exhibit {
    all_exhibits()
        .find(|exhibit| exhibit.name == variant.exhibit)
        .expect("a variant names its exhibit")
}

/// The size at which a variant is explored if none is given.
pub(super) fn default_size(variant: &Variant) -> Size {
    exhibit_of(variant).default_size_of(variant)
}

fn first_unsafe(exhibit: &'static Exhibit) -> &'static Variant {
    let is_unsafe = |variant: &&Variant| matches!(variant.kind, Kind::Unsafe { .. });
    exhibit
        .variants
        .iter()
        .find(is_unsafe)
        .unwrap_or(&exhibit.variants[0])
}

/// The command that lists an exhibit.
fn list_of(exhibit: &Exhibit) -> &'static str {
    let is_it = |other: &&Exhibit| other.name == exhibit.name;
    if exhibits::CORPUS.iter().any(is_it) {
        "racelab list --corpus"
    } else if exhibits::ACROSS_PROCESSES.iter().any(is_it) {
        "racelab list --processes"
    } else {
        "racelab list"
    }
}

fn unknown(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'static str> + Clone,
    list: &str,
) -> Error {
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
        "unknown {what} {name}; {hint} `{list}` shows them all"
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
    fn a_selection_is_in_the_order_of_the_gallery_and_without_repeats() {
        let selected = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let variants = variants(&names).unwrap();
            variants.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let all = selected(&["counter"]);
        assert_eq!(all[0], "counter/load-store");
        assert_eq!(all.len(), exhibits::counter::EXHIBIT.variants.len());
        assert_eq!(
            selected(&["counter/mutex", "counter", "counter/mutex"]),
            all
        );
        assert_eq!(
            selected(&["counter/mutex", "counter/load-store"]),
            ["counter/load-store", "counter/mutex"]
        );
        assert!(selected(&[]).starts_with(&all));
        assert!(variants(&["counter".to_owned(), "cuonter".to_owned()]).is_err());
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
