//! Who does the work in one process: threads, the threads of rayon, tasks of an event loop; and how
//! many of each the machine can have.

mod cost;
mod event_loop;
mod in_flight;
mod thread_limit;
mod thread_pool;
mod work_stealing;

pub(in crate::timing) use cost::costs;
pub(in crate::timing) use event_loop::event_loop;
pub(in crate::timing) use event_loop::{on_event_loop, recorded_event_loop};
pub(in crate::timing) use in_flight::InFlight;
pub(in crate::timing) use thread_limit::{
    refuse_too_many_of_rayon, refuse_too_many_processes, refuse_too_many_threads,
};
pub(in crate::timing) use thread_pool::on_threads;
pub(in crate::timing) use work_stealing::on_rayon;
