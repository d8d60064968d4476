//! What `parking_lot` promises, alone and under every interleaving of small programs.

mod auto_traits;
mod condvar;
mod mutex;
mod once;
mod places;
mod reentrant;
mod rwlock;
