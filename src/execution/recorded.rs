//! What the threads of an execution, or of a run on real threads, record as its result.
//!
//! The result must not depend on the order in which different threads record: it is not ordered by
//! what they do, and a search that leaves out equivalent executions sees only one order.

use std::borrow::Cow;

/// By what a thread is known again in another execution: by which of the threads of its parent it
/// is, from the main thread on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage(Vec<u32>);

impl Lineage {
    /// The lineage of a thread, from its place among the threads of its parent, up to that of an
    /// ancestor that the main thread has started.
    pub(super) fn upwards(places: impl Iterator<Item = u32>) -> Self {
        let mut places: Vec<u32> = places.collect();
        places.reverse();
        Lineage(places)
    }

    /// The lineage of a child, from its place among all.
    pub(super) fn child(&self, place: u32) -> Self {
        Lineage(self.0.iter().copied().chain([place]).collect())
    }

    /// How many threads are between it and the main thread, itself included: 0 for the main thread.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// The main thread first, then its children, then the children of the first of them, and so on.
    fn rank(&self) -> (usize, &[u32]) {
        (self.0.len(), &self.0)
    }
}

/// The values that were recorded, thread by thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded(Vec<(Lineage, String)>);

impl Recorded {
    /// Adds a value to those that the thread has recorded before.
    pub(super) fn add(&mut self, thread: Lineage, value: &str) {
        let values = &mut self.0;
        let index = values.partition_point(|(other, _)| other.rank() < thread.rank());
        match values.get_mut(index) {
            Some((other, text)) if *other == thread => {
                text.push_str(", ");
                text.push_str(value);
            }
            _ => values.insert(index, (thread, value.to_owned())),
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// All values, those of each thread in the order in which it has recorded them. `None` if there
    /// are none.
    pub(crate) fn outcome(&self) -> Option<Cow<'_, str>> {
        match self.0.as_slice() {
            [] => None,
            [(_, text)] => Some(Cow::Borrowed(text)),
            threads => {
                let texts: Vec<&str> = threads.iter().map(|(_, text)| text.as_str()).collect();
                Some(Cow::Owned(texts.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_does_not_depend_on_the_order_in_which_threads_record() {
        let lineage = |places: &[u32]| Lineage(places.to_vec());
        let threads = [&[][..], &[1], &[2], &[1, 1], &[1, 2], &[2, 1]].map(lineage);
        let outcome = |order: &mut dyn Iterator<Item = usize>| {
            let mut recorded = Recorded::default();
            for index in order {
                recorded.add(threads[index].clone(), &index.to_string());
            }
            recorded.outcome().map(Cow::into_owned)
        };
        let expected = Some("0, 1, 2, 3, 4, 5".to_owned());
        assert_eq!(outcome(&mut (0..6)), expected);
        assert_eq!(outcome(&mut (0..6).rev()), expected);
        assert_eq!(outcome(&mut [3, 0, 5, 1, 4, 2].into_iter()), expected);
        assert_eq!(outcome(&mut std::iter::empty()), None);
    }

    #[test]
    fn the_values_of_a_thread_stay_in_their_order() {
        let mut recorded = Recorded::default();
        let child = Lineage::default().child(1);
        for (thread, value) in [(&child, "b"), (&Lineage::default(), "x"), (&child, "a")] {
            recorded.add(thread.clone(), value);
        }
        assert_eq!(recorded.outcome().as_deref(), Some("x, b, a"));
    }
}
