//! On which cores the threads of a run on real threads run.

/// Lets the calling thread run on one core only: of those that the process may use the one in this
/// place, counted round and round. Where the system cannot do that it stays where it is.
pub(super) fn pin(place: usize) {
    #[cfg(target_os = "linux")]
    linux::pin(place);
    #[cfg(not(target_os = "linux"))]
    let _ = place;
}

#[cfg(target_os = "linux")]
mod linux {
    #![expect(unsafe_code, reason = "cores are chosen by system calls")]

    use std::mem;
    use std::sync::OnceLock;

    pub(super) fn pin(place: usize) {
        static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
        let allowed = ALLOWED.get_or_init(of_process);
        // With one core there is nothing to choose.
        if allowed.len() < 2 {
            return;
        }
        let core = allowed[place % allowed.len()];
        // SAFETY: a set of cores is plain bits, of which zero is the empty set; `core` was found in
        // such a set, so that it is in bounds. The call reads the set, which is as large as it is
        // told, and 0 is the calling thread.
        unsafe {
            let mut set: libc::cpu_set_t = mem::zeroed();
            libc::CPU_SET(core, &mut set);
            // It can be refused, and the thread then runs where the system likes.
            libc::sched_setaffinity(0, mem::size_of::<libc::cpu_set_t>(), &raw const set);
        }
    }

    /// The cores that the process may use, by the first thread of it that is still as it was begun.
    fn of_process() -> Vec<usize> {
        // SAFETY: as above, and the call writes no more than it is told the set can hold. The
        // number of the process is that of its first thread.
        let set = unsafe {
            let mut set: libc::cpu_set_t = mem::zeroed();
            let size = mem::size_of::<libc::cpu_set_t>();
            if libc::sched_getaffinity(libc::getpid(), size, &raw mut set) != 0 {
                return Vec::new();
            }
            set
        };
        let most = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
        // SAFETY: `core` is less than the number of bits in the set.
        let is_in = |core: &usize| unsafe { libc::CPU_ISSET(*core, &set) };
        (0..most).filter(is_in).collect()
    }
}
