//! What a run uses of the machine: processor time and memory.

use std::time::Duration;

/// What was used up to a moment.
#[derive(Debug)]
pub(super) struct Usage {
    /// The processor time of this process and of the children that it has waited for. `None` where
    /// the system does not tell.
    cpu: Option<Duration>,
    /// Whether the peak of the memory counts from then on.
    counts_memory: bool,
}

/// What was used in a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// Processor time. `None` where the system does not tell.
    pub(super) cpu: Option<Duration>,
    /// The most memory of this process that was resident, in bytes. `None` where the system does
    /// not tell.
    pub(super) peak_memory: Option<u64>,
}

impl Usage {
    /// What was used up to now. From now on the peak of the memory counts anew.
    pub(super) fn begin() -> Self {
        Usage {
            counts_memory: system::forget_peak_memory(),
            cpu: system::cpu_time(),
        }
    }

    /// What was used since.
    pub(super) fn until_now(&self) -> Used {
        let cpu = system::cpu_time().zip(self.cpu);
        Used {
            cpu: cpu.map(|(now, before)| now.saturating_sub(before)),
            peak_memory: peak_memory().filter(|_| self.counts_memory),
        }
    }
}

/// The most memory of this process that was resident, in bytes. `None` where the system does not
/// tell.
pub(super) fn peak_memory() -> Option<u64> {
    system::peak_memory()
}

/// The processor time of the calling thread. `None` where the system does not tell.
pub(super) fn cpu_time_of_this_thread() -> Option<Duration> {
    system::cpu_time_of_this_thread()
}

#[cfg(unix)]
mod system {
    use std::fs;
    use std::mem::MaybeUninit;
    use std::time::Duration;

    /// The processor time of this process and of its children that have ended.
    pub(super) fn cpu_time() -> Option<Duration> {
        Some(cpu_time_of(libc::RUSAGE_SELF)? + cpu_time_of(libc::RUSAGE_CHILDREN)?)
    }

    #[expect(unsafe_code, reason = "std does not tell the processor time")]
    pub(super) fn cpu_time_of_this_thread() -> Option<Duration> {
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: the pointer is to a place for one `timespec`, which the call fills if it returns 0.
        let time = unsafe {
            match libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) {
                0 => time.assume_init(),
                _ => return None,
            }
        };
        let seconds = u64::try_from(time.tv_sec).ok()?;
        let nanos = u32::try_from(time.tv_nsec).ok()?;
        Some(Duration::new(seconds, nanos))
    }

    #[expect(unsafe_code, reason = "std does not tell the processor time")]
    fn cpu_time_of(who: libc::c_int) -> Option<Duration> {
        let mut usage = MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: the pointer is to a place for one `rusage`, which the call fills if it returns 0.
        let usage = unsafe {
            match libc::getrusage(who, usage.as_mut_ptr()) {
                0 => usage.assume_init(),
                _ => return None,
            }
        };
        Some(duration(usage.ru_utime)? + duration(usage.ru_stime)?)
    }

    fn duration(time: libc::timeval) -> Option<Duration> {
        let seconds = u64::try_from(time.tv_sec).ok()?;
        let micros = u64::try_from(time.tv_usec).ok()?;
        Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
    }

    /// Lets the peak of the memory begin with what is resident now. Only Linux can.
    pub(super) fn forget_peak_memory() -> bool {
        fs::write("/proc/self/clear_refs", "5").is_ok()
    }

    pub(super) fn peak_memory() -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }
}

#[cfg(not(unix))]
mod system {
    use std::time::Duration;

    pub(super) fn cpu_time() -> Option<Duration> {
        None
    }

    pub(super) fn cpu_time_of_this_thread() -> Option<Duration> {
        None
    }

    pub(super) fn forget_peak_memory() -> bool {
        false
    }

    pub(super) fn peak_memory() -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_that_was_used_before_does_not_count() {
        const LARGE: usize = 64 << 20;
        let before = Usage::begin();
        // Resident until it is measured: other tests of this process begin to count anew as well.
        let resident = std::hint::black_box(vec![1_u8; LARGE]);
        let with = before.until_now().peak_memory.unwrap();
        drop(resident);
        let without = Usage::begin().until_now().peak_memory.unwrap();
        assert!(with > LARGE as u64, "{with}");
        assert!(without < with - LARGE as u64 / 2, "{without} after {with}");
    }

    #[test]
    fn processor_time_of_a_thread_is_its_own() {
        let taken = |act: &dyn Fn()| {
            let before = cpu_time_of_this_thread().unwrap();
            act();
            cpu_time_of_this_thread().unwrap().saturating_sub(before)
        };
        let others = std::sync::Mutex::new(Duration::ZERO);
        let compute = || {
            std::hint::black_box((0..10_000_000_u64).map(std::hint::black_box).sum::<u64>());
        };
        let own = taken(&|| {
            std::thread::scope(|scope| {
                scope.spawn(|| *others.lock().unwrap() = taken(&compute));
            });
        });
        let others = others.into_inner().unwrap();
        assert!(own < others, "{own:?} while it waited for {others:?}");
    }

    #[test]
    fn processor_time_passes_with_work() {
        let before = Usage::begin();
        while before.until_now().cpu.unwrap().is_zero() {
            std::hint::black_box((0..100_000_u64).map(std::hint::black_box).sum::<u64>());
        }
    }
}
