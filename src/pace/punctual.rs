//! Waking up in time: the kernel takes some microseconds to wake a thread, so it is asked that much earlier.
//!
//! How much is learned while the run goes on. Whoever wakes up too early waits for the rest awake, which is short: a
//! few microseconds for each message that is waited for on its own.

use super::clock::Nanos;

/// The earliest that is asked for; a machine that takes longer is too busy to be helped.
const MOST: Nanos = 50_000;
/// Learned from a wake-up that came too late, and from one that came in time: one in six may be late.
const UP: Nanos = 500;
const DOWN: Nanos = 100;

/// How much earlier than a moment to ask for waking up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Punctual {
    ahead: Nanos,
    /// What the timer was set to, for which moment.
    asked: Option<(Nanos, Nanos)>,
}

impl Punctual {
    /// When to ask for waking up, to be awake at `moment`.
    pub(crate) const fn ask(&mut self, moment: Nanos) -> Nanos {
        let at = moment.saturating_sub(self.ahead);
        self.asked = Some((at, moment));
        at
    }

    /// Nothing is to be in time.
    pub(crate) const fn forget(&mut self) {
        self.asked = None;
    }

    /// Awake at `now`: until when to stay awake, if the moment asked for is near.
    pub(crate) const fn woke(&mut self, now: Nanos) -> Option<Nanos> {
        let Some((at, moment)) = self.asked.take() else {
            return None;
        };
        if now < at {
            // Something else has come first.
            return None;
        }
        self.ahead = if now > moment {
            let longer = self.ahead + UP;
            if longer > MOST { MOST } else { longer }
        } else {
            self.ahead.saturating_sub(DOWN)
        };
        if now < moment { Some(moment) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lateness after each of many wake-ups that take `delay(n)`.
    fn late(mut delay: impl FnMut(u64) -> Nanos) -> Vec<Nanos> {
        let mut punctual = Punctual::default();
        (1..2_000)
            .map(|number| {
                let moment = number * 1_000_000;
                let awake = punctual.ask(moment) + delay(number);
                let until = punctual.woke(awake).unwrap_or(awake);
                assert!(until >= moment, "never too early");
                until - moment
            })
            .collect()
    }

    #[test]
    fn an_even_delay_is_made_up_for() {
        let late = late(|_| 20_000);
        assert_eq!(late[0], 20_000);
        assert!(late[100..].iter().all(|late| *late < 600), "{late:?}");
    }

    #[test]
    fn rare_long_delays_do_not_make_the_others_wait() {
        let mut punctual = Punctual::default();
        for number in 1..2_000 {
            let moment = number * 1_000_000;
            let delay = if number % 50 == 0 { 3_000_000 } else { 5_000 };
            let awake = punctual.ask(moment) + delay;
            punctual.woke(awake);
        }
        assert!(punctual.ahead < 8_000, "{}", punctual.ahead);
    }

    #[test]
    fn what_comes_first_teaches_nothing() {
        let mut punctual = Punctual::default();
        let at = punctual.ask(1_000_000);
        assert_eq!(punctual.woke(at - 1), None);
        assert_eq!(punctual.woke(at + 9), None, "it was not asked for again");
        assert_eq!(punctual.ahead, 0);
    }
}
