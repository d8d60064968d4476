//! Pointers that atomics have handed from one thread to another.
//!
//! A cell that is bound where it is used has not been seen when it was made. But who stores a pointer
//! to it in an atomic has made it before, and who has read the pointer there uses what was made: if
//! nothing orders the two, they race. Of a pointer, what lies within the size of the type that it
//! points to is known.

use smallvec::SmallVec;

use crate::trace::{ObjectId, ThreadId};

/// The pointers that were stored in atomics in an execution.
#[derive(Debug, Default)]
pub(super) struct Publications(Vec<Publication>);

/// That a pointer was stored in an atomic.
#[derive(Debug)]
struct Publication {
    /// In which it was stored.
    atomic: ObjectId,
    address: usize,
    /// How many bytes it points to.
    size: usize,
    maker: Maker,
    /// Who has read it there since.
    readers: SmallVec<[ThreadId; 2]>,
}

/// Who has made what a pointer points to, and before which of its events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maker {
    pub(crate) thread: ThreadId,
    pub(crate) time: u32,
}

impl Publications {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// A thread stores a pointer to `size` bytes.
    pub(super) fn store(&mut self, atomic: ObjectId, address: usize, size: usize, maker: Maker) {
        self.0.push(Publication {
            atomic,
            address,
            size,
            maker,
            readers: SmallVec::new(),
        });
    }

    /// A thread reads a pointer.
    pub(super) fn read(&mut self, atomic: ObjectId, address: usize, reader: ThreadId) {
        let mut newest = self.0.iter_mut().rev();
        if let Some(publication) = newest.find(|it| (it.atomic, it.address) == (atomic, address))
            && !publication.readers.contains(&reader)
        {
            publication.readers.push(reader);
        }
    }

    /// A thread replaces a pointer. It may free what that points to, so that what is made there next is
    /// something else for all others.
    pub(super) fn replace(&mut self, address: usize, thread: ThreadId) {
        for publication in &mut self.0 {
            if publication.address == address {
                publication.readers.retain(|reader| *reader == thread);
            }
        }
    }

    /// Who has made what lies at an address, for a thread that has read a pointer to it. If it has
    /// read several, it is made before the first of them was stored.
    pub(super) fn maker_of(&self, address: usize, reader: ThreadId) -> Option<Maker> {
        let newest = self.0.iter().rev();
        let covers =
            |it: &&Publication| (it.address..it.address + it.size.max(1)).contains(&address);
        let by_others = newest
            .filter(covers)
            .take_while(|it| it.maker.thread != reader);
        let read = by_others.filter(|it| it.readers.contains(&reader));
        read.last().map(|it| it.maker)
    }
}
