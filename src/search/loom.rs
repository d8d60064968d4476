//! Searches through executions in loom's order.

use crate::engine::{LoomSearch, Search};
use crate::execution::Execution;

use super::exploration::{Exploration, Tally};
use super::in_order::InOrder;
use super::replay::End;

impl LoomSearch for Exploration<InOrder> {
    fn begin_again(&mut self) {
        self.tally = Tally {
            begun: self.tally.begun,
            ..Tally::default()
        };
    }
}

/// The executions up to a certain one, of which it is the last that counts.
#[derive(Debug)]
pub(crate) struct Nth {
    number: u64,
    begun: u64,
    /// The execution with the number, once it is over.
    end: Option<End>,
}

impl Nth {
    /// The execution with this number, from 1 on.
    pub(crate) fn new(number: u64) -> Self {
        Nth {
            number,
            begun: 0,
            end: None,
        }
    }

    /// What there was at the end of the execution, or else how many executions there are.
    pub(crate) fn result(self) -> Result<End, u64> {
        self.end.ok_or(self.begun)
    }
}

impl Search for Nth {
    fn wants_execution(&mut self) -> bool {
        let wants = self.begun < self.number;
        self.begun += u64::from(wants);
        wants
    }

    fn finished(&mut self, execution: &Execution) {
        if self.begun == self.number {
            self.end = Some(End::new(execution));
        }
    }
}

impl LoomSearch for Nth {
    fn begin_again(&mut self) {
        self.end = None;
    }
}
