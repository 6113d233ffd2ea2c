//! The clock. Nothing that must be right depends on it.
#![expect(clippy::disallowed_methods, reason = "the one place that asks for the time and waits")]

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fd::OwnedFd;

pub fn instant() -> Instant {
    Instant::now()
}

/// The time since the beginning of 1970.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Returns what can be read from when so much time has passed: that of a machine that sleeps counts, and nobody can set this clock.
#[cfg(target_os = "linux")]
pub fn alarm(time: Duration) -> io::Result<OwnedFd> {
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
    let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
    // No time at all would mean that it never rings.
    let value = Timespec::try_from(time.max(Duration::from_nanos(1))).map_err(io::Error::other)?;
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    Ok(timer)
}

#[cfg(not(target_os = "linux"))]
pub fn alarm(_: Duration) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Waits.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::host::fs::own;

    #[test]
    fn an_alarm_rings_by_a_clock_that_no_one_sets_and_no_sleep_stops() {
        let told = |time| {
            let alarm = alarm(time).unwrap();
            own::read_text(format!("/proc/self/fdinfo/{}", alarm.as_raw_fd())).unwrap()
        };
        let told_later = told(Duration::from_secs(1800));
        // CLOCK_BOOTTIME of <linux/time.h>; no interval, and no flag of one that follows the clock on the wall.
        assert!(told_later.contains("clockid: 7\n") && told_later.contains("settime flags: 00\n"), "{told_later}");
        assert!(told_later.contains("it_value: (1799, ") && told_later.contains("it_interval: (0, 0)"), "{told_later}");
        assert!(told(Duration::ZERO).contains("it_value: (0, 0)"), "it has rung");
    }
}
