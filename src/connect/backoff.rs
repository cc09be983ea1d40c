//! When to try again after a failure.

use std::time::{Duration, Instant};

use super::args::Retry;
use crate::random::Random;

/// The first wait is at most this long.
const FIRST: Duration = Duration::from_millis(100);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(10);
/// A wait is at most this part of the outage so far.
const PART_OF_OUTAGE: u32 = 3;
/// A connection that lived this long has held, and with it the outage before it is over. Less under a shorter
/// [`Retry::For`].
const HELD: Duration = Duration::from_secs(5);
/// How often the same reason is told.
const TOLD: Duration = Duration::from_secs(10);

/// Exponential back-off with full jitter, under a [`Retry`] rule.
///
/// A wait is drawn evenly from zero to a ceiling: a third of the outage so far, at least 100 ms, at
/// most 10 s. So the waits grow with each failure, and a peer that was away for three seconds is
/// found again within one, while a long outage is asked about only every few seconds and thousands
/// of clients come back spread out.
///
/// A connection ends the outage only once it has held for five seconds: a server that takes connections and closes them at
/// once, or after each message, is asked less and less often too.
#[derive(Clone, Debug)]
pub struct Backoff {
    retry: Retry,
    random: Random,
    /// When the first failure of this outage was seen.
    since: Option<Instant>,
    /// The same since something got through last, for the limit of a [`Retry::For`].
    stuck_since: Option<Instant>,
    /// Since when there has been a connection that may end it.
    connected: Option<Instant>,
    /// Why it failed, as it was told last since there was a connection, and when.
    told: Option<(String, Instant)>,
}

impl Backoff {
    /// A back-off whose waits differ from run to run.
    pub fn new(retry: Retry) -> Self {
        Self::with(retry, Random::from_system())
    }

    /// A back-off whose waits follow from `seed`, for tests.
    pub const fn seeded(retry: Retry, seed: u64) -> Self {
        Self::with(retry, Random::new(seed, 0))
    }

    const fn with(retry: Retry, random: Random) -> Self {
        Self {
            retry,
            random,
            since: None,
            stuck_since: None,
            connected: None,
            told: None,
        }
    }

    /// There is a connection since `now`; [`Backoff::next`] judges whether it has held.
    pub fn connected(&mut self, now: Instant) {
        self.connected = Some(now);
        self.told = None;
    }

    /// Whether the user is to be told of a failure at `now`: of the first, of other reasons, and now and then.
    pub fn tells(&mut self, why: &str, now: Instant) -> bool {
        let known = self
            .told
            .as_ref()
            .is_some_and(|(told, at)| told == why && now.saturating_duration_since(*at) < TOLD);
        if !known {
            self.told = Some((why.to_owned(), now));
        }
        !known
    }

    /// How long to wait before the next try, after a failure at `now`; `None`: give up.
    ///
    /// The last try of a limited rule is made at its end, never later.
    pub fn next(&mut self, now: Instant) -> Option<Duration> {
        self.next_after(now, Duration::ZERO)
    }

    /// The same where the peer has said that it will be away for `least`; a rule that is over by then gives up at once.
    pub fn next_after(&mut self, now: Instant, least: Duration) -> Option<Duration> {
        let held = match self.retry {
            Retry::For(limit) => HELD.min(limit),
            Retry::Never | Retry::Forever => HELD,
        };
        if let Some(since) = self.connected.take()
            && now.saturating_duration_since(since) >= held
        {
            self.reset();
        }
        let outage = now.saturating_duration_since(*self.since.get_or_insert(now));
        let stuck = now.saturating_duration_since(*self.stuck_since.get_or_insert(now));
        let left = match self.retry {
            Retry::Never => return None,
            Retry::For(limit) => limit.checked_sub(stuck).filter(|left| !left.is_zero())?,
            Retry::Forever => Duration::MAX,
        };
        let ceiling = (outage / PART_OF_OUTAGE).clamp(FIRST, LONGEST);
        let wait = ceiling.mul_f64(self.random.fraction()).min(left);
        (least <= left).then_some(wait.max(least))
    }

    /// Something got through: the limit counts anew, and the waits are as long as before.
    pub const fn progressed(&mut self) {
        self.stuck_since = None;
    }

    /// The outage is over: the next failure starts a new one.
    pub const fn reset(&mut self) {
        self.since = None;
        self.stuck_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retry: Retry, seed: u64, count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::seeded(retry, seed);
        let mut now = Instant::now();
        let mut waits = Vec::new();
        while let Some(wait) = backoff.next(now).filter(|_| waits.len() < count) {
            waits.push(wait);
            now += wait;
        }
        waits
    }

    #[test]
    fn an_outage_is_told_at_first_and_every_ten_seconds_and_when_the_reason_changes() {
        let start = Instant::now();
        let mut backoff = Backoff::seeded(Retry::Forever, 1);
        let mut tells = |why, after| backoff.tells(why, start + Duration::from_secs(after));
        assert!(tells("lost", 0) && tells("refused", 0));
        assert!(!tells("refused", 1) && !tells("refused", 9));
        assert!(tells("refused", 10) && !tells("refused", 19));
        assert!(tells("unreachable", 19));
        backoff.connected(start);
        assert!(backoff.tells("unreachable", start + Duration::from_secs(20)));
    }

    #[test]
    fn never_gives_up_at_once() {
        assert_eq!(Backoff::seeded(Retry::Never, 1).next(Instant::now()), None);
    }

    #[test]
    fn the_same_seed_waits_the_same_and_another_one_does_not() {
        assert_eq!(waits(Retry::Forever, 7, 20), waits(Retry::Forever, 7, 20));
        assert_ne!(waits(Retry::Forever, 7, 20), waits(Retry::Forever, 8, 20));
    }

    #[test]
    fn no_wait_is_longer_than_a_third_of_the_outage_or_the_bounds() {
        for seed in 1..50 {
            let mut outage = Duration::ZERO;
            for wait in waits(Retry::Forever, seed, 200) {
                assert!(
                    wait <= (outage / 3).clamp(FIRST, LONGEST),
                    "{wait:?} after {outage:?}"
                );
                outage += wait;
            }
            assert!(
                outage > Duration::from_secs(60),
                "the waits grow: {outage:?}"
            );
        }
    }

    #[test]
    fn a_limit_ends_it_with_one_try_at_the_limit() {
        let limit = Duration::from_secs(5);
        for seed in 1..50 {
            let total: Duration = waits(Retry::For(limit), seed, usize::MAX).iter().sum();
            assert_eq!(total, limit);
        }
    }

    /// A server that closes every connection after `life`, for a minute: how often it is asked.
    fn asked_in_a_minute(life: Duration, seed: u64) -> usize {
        let mut backoff = Backoff::seeded(Retry::Forever, seed);
        let start = Instant::now();
        let (mut now, mut asked) = (start, 0);
        while now < start + Duration::from_secs(60) {
            backoff.connected(now);
            now += life;
            // For ever is never given up.
            now += backoff.next(now).unwrap();
            asked += 1;
        }
        asked
    }

    #[test]
    fn a_server_that_closes_at_once_is_asked_less_and_less_often() {
        for seed in 1..50 {
            let asked = asked_in_a_minute(Duration::from_millis(5), seed);
            assert!((5..80).contains(&asked), "{asked} times");
        }
    }

    #[test]
    fn a_connection_that_held_ends_the_outage() {
        for seed in 1..50 {
            // 60 s of connections that live 5 s and waits of at most 100 ms.
            assert!((11..=12).contains(&asked_in_a_minute(HELD, seed)));
        }
    }

    #[test]
    fn under_a_limit_a_server_that_closes_at_once_is_given_up() {
        let limit = Duration::from_secs(2);
        let mut backoff = Backoff::seeded(Retry::For(limit), 5);
        let start = Instant::now();
        let mut now = start;
        while let Some(wait) = backoff.next(now) {
            now += wait;
            backoff.connected(now);
            now += Duration::from_millis(10);
        }
        let gave_up = now - start;
        assert!(gave_up >= limit && gave_up < 2 * limit, "{gave_up:?}");
        // One that lives as long as the limit is worth another try.
        backoff.connected(now);
        assert!(backoff.next(now + limit).is_some());
    }

    #[test]
    fn after_a_reset_the_outage_counts_anew() {
        let start = Instant::now();
        let mut backoff = Backoff::seeded(Retry::For(Duration::from_secs(1)), 3);
        assert!(backoff.next(start).is_some());
        let later = start + Duration::from_secs(60);
        assert_eq!(backoff.next(later), None);
        backoff.reset();
        assert!(backoff.next(later).is_some_and(|wait| wait <= FIRST));
    }

    #[test]
    fn what_gets_through_extends_the_limit_and_not_the_haste() {
        let mut now = Instant::now();
        let mut backoff = Backoff::seeded(Retry::For(Duration::from_secs(30)), 5);
        let mut longest = Duration::ZERO;
        // A server that takes a message and closes, each time.
        for _ in 0..100 {
            let wait = backoff.next(now).unwrap();
            longest = longest.max(wait);
            now += wait;
            backoff.connected(now);
            backoff.progressed();
        }
        assert!(longest > Duration::from_secs(5), "{longest:?}");
    }
}
