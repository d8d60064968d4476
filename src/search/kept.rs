//! How what a search knows is written into a file and read again.

use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// Maps, as lists of their entries: keys of JSON are texts.
pub(super) mod pairs {
    use std::hash::{BuildHasher, Hash};

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::search) fn serialize<'a, M, K, V, S>(map: M, to: S) -> Result<S::Ok, S::Error>
    where
        M: IntoIterator<Item = (&'a K, &'a V)>,
        K: Serialize + 'a,
        V: Serialize + 'a,
        S: Serializer,
    {
        to.collect_seq(map)
    }

    pub(in crate::search) fn deserialize<'de, K, V, B, D>(
        from: D,
    ) -> Result<std::collections::HashMap<K, V, B>, D::Error>
    where
        K: Deserialize<'de> + Eq + Hash,
        V: Deserialize<'de>,
        B: BuildHasher + Default,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(from)?;
        Ok(pairs.into_iter().collect())
    }
}

/// What has a text of its own, such as a schedule.
pub(super) mod text {
    use std::fmt::Display;

    use super::{Deserialize, Deserializer, Error, FromStr, Serializer};

    pub(in crate::search) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in crate::search) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// An operation, by its name.
pub(super) mod operation {
    use crate::trace::Operation;

    use super::{Deserialize, Deserializer, Error, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde gives a reference to the field"
    )]
    pub(in crate::search) fn serialize<S: Serializer>(
        operation: &Operation,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(operation.name())
    }

    pub(in crate::search) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Operation, D::Error> {
        let name = String::deserialize(from)?;
        let operation = Operation::ALL.into_iter().find(|it| it.name() == name);
        operation.ok_or_else(|| D::Error::custom(format!("no operation is called `{name}`")))
    }
}

/// The address of a place in the source, as its distance from another one: the program is elsewhere
/// in the memory of each process.
///
/// In another build it can be another place. That costs executions and no more: what is remembered
/// of a place only makes a search look closer at it.
pub(super) mod place {
    use std::ptr;

    use super::{Deserialize, Deserializer, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde gives a reference to the field"
    )]
    pub(in crate::search) fn serialize<S: Serializer>(
        place: &usize,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(place.wrapping_sub(origin()) as u64)
    }

    pub(in crate::search) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<usize, D::Error> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was written by a process of the same machine"
        )]
        let distance = u64::deserialize(from)? as usize;
        Ok(distance.wrapping_add(origin()))
    }

    fn origin() -> usize {
        static ORIGIN: u8 = 0;
        ptr::from_ref(&ORIGIN).addr()
    }
}

/// What executions have used of the lab, by its name.
pub(crate) mod sharing {
    use crate::verdict::Sharing;

    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde gives a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(
        sharing: &Option<Sharing>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        sharing.map(Sharing::name).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Sharing>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        let named = |name: String| {
            let found = Sharing::ALL.into_iter().find(|it| it.name() == name);
            found.ok_or_else(|| D::Error::custom(format!("nothing is shared as `{name}`")))
        };
        name.map(named).transpose()
    }
}

/// Loops, with the names of their operations.
pub(crate) mod loops {
    use serde::{Deserialize, Serialize};

    use crate::trace::Operation;
    use crate::verdict::Loop;

    use super::{Deserializer, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Kept {
        thread: String,
        rounds: u64,
        round: Vec<Step>,
    }

    #[derive(Serialize, Deserialize)]
    struct Step {
        #[serde(with = "super::operation")]
        op: Operation,
        at: String,
    }

    pub(crate) fn serialize<S: Serializer>(loops: &[Loop], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(loops.iter().map(|found| {
            let steps = found.round.iter();
            Kept {
                thread: found.thread.clone(),
                rounds: found.rounds,
                round: steps
                    .map(|(op, at)| Step {
                        op: *op,
                        at: at.clone(),
                    })
                    .collect(),
            }
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Loop>, D::Error> {
        let kept = Vec::<Kept>::deserialize(from)?;
        let loops = kept.into_iter().map(|found| Loop {
            thread: found.thread,
            rounds: found.rounds,
            round: {
                let steps = found.round.into_iter();
                steps.map(|step| (step.op, step.at)).collect()
            },
        });
        Ok(loops.collect())
    }
}
