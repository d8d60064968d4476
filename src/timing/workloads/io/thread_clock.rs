//! The processor time of a thread, as seen by another one.

use std::thread::JoinHandle;
use std::time::Duration;

/// The processor time that a thread has taken, which may not have ended. 0 where the system does
/// not tell: only Linux does.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not tell the processor time")]
pub(super) fn cpu_time_of<T>(thread: &JoinHandle<T>) -> Duration {
    use std::mem::MaybeUninit;
    use std::os::unix::thread::JoinHandleExt;

    let mut clock = 0;
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the thread was not joined or detached, since the handle is borrowed, so that its id
    // is valid, and both pointers are to places that the calls may write to. `time` is read only
    // after the call that fills it has returned 0.
    let time = unsafe {
        if libc::pthread_getcpuclockid(thread.as_pthread_t(), &raw mut clock) != 0
            || libc::clock_gettime(clock, time.as_mut_ptr()) != 0
        {
            return Duration::ZERO;
        }
        time.assume_init()
    };
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// The processor time that a thread has taken, which may not have ended. 0 where the system does
/// not tell: only Linux does.
#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time_of<T>(_thread: &JoinHandle<T>) -> Duration {
    Duration::ZERO
}
