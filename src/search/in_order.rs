//! A search through executions that the engine puts in order itself, as loom and shuttle do.

use crate::engine::Search;
use crate::execution::Execution;

use super::exploration::Strategy;

/// All executions, as they come.
#[derive(Debug)]
pub(crate) struct InOrder;

impl Search for InOrder {
    fn wants_execution(&mut self) -> bool {
        true
    }

    fn finished(&mut self, _execution: &Execution) {}
}

impl Strategy for InOrder {}
