//! Waiting for a moment, exactly.
//!
//! The runtime's own timer counts in milliseconds and wakes one late, which would be in every latency. The
//! kernel's timer file wakes within microseconds.

use std::task::{Context, Poll};

use super::clock::{Clock, Nanos};
use crate::error::Result;

#[cfg(target_os = "linux")]
pub(crate) use exact::Timer;
#[cfg(not(target_os = "linux"))]
pub(crate) use rough::Timer;

#[cfg(target_os = "linux")]
mod exact {
    use std::num::NonZeroU64;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::{Clock, Context, Nanos, Poll, Result};
    use crate::error::Error;

    /// A timer of this thread's loop.
    pub(crate) struct Timer {
        file: AsyncFd<OwnedFd>,
        clock: Clock,
        /// What it is set to.
        set: Option<Nanos>,
    }

    #[expect(
        deprecated,
        reason = "unsound only for a descriptor that its owner may close; this one is owned by what it is put into"
    )]
    fn register(file: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
        AsyncFd::with_interest(file, Interest::READABLE)
    }

    impl Timer {
        /// A timer that is not set; also takes the slack out of this thread's other waits.
        pub(crate) fn new(clock: Clock) -> Result<Self> {
            // Without it the kernel may round sleeps up by 50 µs; it can be done without.
            let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let file = timerfd_create(TimerfdClockId::Monotonic, flags)
                .map_err(std::io::Error::from)
                .and_then(register)
                .map_err(|cause| Error::local("cannot create a timer", &cause))?;
            Ok(Self {
                file,
                clock,
                set: None,
            })
        }

        /// Sets the moment to wake at; a past one wakes at once.
        pub(crate) fn set(&mut self, at: Nanos) {
            if self.set == Some(at) {
                return;
            }
            self.set = Some(at);
            // Zero would turn the timer off.
            let at = self.clock.to_monotonic(at).max(1);
            let value = Timespec {
                tv_sec: (at / 1_000_000_000) as i64,
                tv_nsec: (at % 1_000_000_000) as i64,
            };
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: value,
            };
            // It fails only for values that cannot be here: a nanosecond part out of range.
            let _ = timerfd_settime(&self.file, TimerfdTimerFlags::ABSTIME, &once);
        }

        /// Ready when the moment has come; the timer is then not set any more.
        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            match self.file.poll_read_ready(cx) {
                Poll::Ready(Ok(mut guard)) => {
                    // Setting it again resets its count, so that nothing has to be read.
                    guard.clear_ready();
                    self.set = None;
                    Poll::Ready(())
                }
                Poll::Ready(Err(_)) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod rough {
    use std::pin::Pin;
    use std::time::Duration;

    use tokio::time::{Sleep, sleep};

    use super::{Clock, Context, Nanos, Poll, Result};

    /// A timer of this thread's loop, by the runtime: a millisecond late.
    pub(crate) struct Timer {
        sleep: Pin<Box<Sleep>>,
        clock: Clock,
        set: Option<Nanos>,
    }

    impl Timer {
        pub(crate) fn new(clock: Clock) -> Result<Self> {
            Ok(Self {
                sleep: Box::pin(sleep(Duration::ZERO)),
                clock,
                set: None,
            })
        }

        pub(crate) fn set(&mut self, at: Nanos) {
            if self.set == Some(at) {
                return;
            }
            self.set = Some(at);
            let wait = Duration::from_nanos(at.saturating_sub(self.clock.now()));
            self.sleep = Box::pin(sleep(wait));
        }

        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            if self.set.is_none() {
                return Poll::Pending;
            }
            self.sleep.as_mut().poll(cx).map(|()| self.set = None)
        }
    }
}
