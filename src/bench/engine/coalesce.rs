//! When to read. A reader that wakes up for each packet makes the peer pay a wake-up for each write.
//!
//! Letting messages gather saves both sides time as long as the peer has something left to do meanwhile. Where it has
//! not, because few messages may be under way or because it answers them faster than the reader sleeps, gathering itself
//! would limit the rate. How far that is cannot be known, so it is tried: a longer wait is taken on only when stretches
//! with it bring as many messages in the same time as stretches without.

use std::time::Duration;

use super::super::clock::Nanos;
use super::super::plan::Coalesce;

const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_micros(500);
/// Messages that a wake-up should bring.
const WORTH_A_WAKE: u64 = 32;
/// And for each connection that was read.
const WORTH_A_READ: u64 = 4;
/// Wake-ups in a stretch at least, and how long it lasts at least.
const ROUND: u64 = 32;
const STRETCH: Nanos = 5_000_000;
/// Stretches of a trial: half of them with the wait that is tried, in turns.
const TRIAL: u32 = 8;
/// What is left of the rate where a longer wait costs nothing.
const COST: f64 = 0.97;
/// Stretches between two trials, at first and at most.
const PAUSE: u32 = 16;
const LONGEST_PAUSE: u32 = 512;

/// Decides how long to let messages gather before reading.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    rule: Coalesce,
    /// What has been settled on.
    wait: Duration,
    trial: Option<Trial>,
    stretch: Stretch,
    /// Stretches until the next trial, and after it when it changes nothing.
    pause: u32,
    next_pause: u32,
    /// The last trial was of a longer wait, which cost messages: the one that was settled on may do so too.
    refused: bool,
}

/// Wake-ups in a row with the same wait.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    since: Option<Nanos>,
    wakes: u64,
    reads: u64,
    messages: u64,
}

/// Another wait in turns with the one that was settled on.
#[derive(Clone, Debug)]
struct Trial {
    wait: Duration,
    /// Stretches that are left.
    left: u32,
    /// Messages in a nanosecond of each stretch: with the settled wait, and with the other.
    rates: [Vec<f64>; 2],
}

impl Gather {
    pub(super) const fn new(rule: Coalesce) -> Self {
        let wait = match rule {
            Coalesce::Fixed(wait) => wait,
            Coalesce::Never | Coalesce::Adaptive => Duration::ZERO,
        };
        Self {
            rule,
            wait,
            trial: None,
            stretch: Stretch {
                since: None,
                wakes: 0,
                reads: 0,
                messages: 0,
            },
            pause: 0,
            next_pause: PAUSE,
            refused: false,
        }
    }

    /// How long to wait now.
    pub(super) const fn wait(&self) -> Duration {
        match &self.trial {
            Some(trial) if trial.is_others_turn() => trial.wait,
            _ => self.wait,
        }
    }

    /// Enters what a wake-up brought by `now`. `limit`: messages that can be under way at once.
    pub(super) fn woke(&mut self, now: Nanos, reads: u64, messages: u64, limit: u64) {
        if self.rule != Coalesce::Adaptive || reads == 0 {
            return;
        }
        let stretch = &mut self.stretch;
        let since = *stretch.since.get_or_insert(now);
        stretch.wakes += 1;
        stretch.reads += reads;
        stretch.messages += messages;
        let took = now.saturating_sub(since);
        if stretch.wakes < ROUND || took < STRETCH {
            return;
        }
        let done = std::mem::take(stretch);
        self.stretch.since = Some(now);
        match &mut self.trial {
            Some(trial) => {
                let rates = &mut trial.rates[usize::from(trial.is_others_turn())];
                rates.push(done.messages as f64 / took as f64);
                trial.left -= 1;
                if trial.left == 0 {
                    self.judge();
                }
            }
            None => self.consider(done, limit),
        }
    }

    /// Whether another wait is worth a trial.
    fn consider(&mut self, stretch: Stretch, limit: u64) {
        let wanted = (stretch.reads * WORTH_A_READ / stretch.wakes)
            .max(WORTH_A_WAKE)
            .min(limit / 3);
        let brought = stretch.messages / stretch.wakes;
        if brought > 2 * wanted {
            self.wait = shorter(self.wait);
        }
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        let longer = (self.wait + self.wait / 2).clamp(SHORTEST, LONGEST);
        let refused = std::mem::take(&mut self.refused);
        let other = match brought < wanted && self.wait < longer && !refused {
            true => longer,
            // What was settled on is not the best for ever.
            false => Duration::ZERO,
        };
        if other != self.wait {
            self.trial = Some(Trial {
                wait: other,
                left: TRIAL,
                rates: [Vec::new(), Vec::new()],
            });
        }
    }

    /// Settles on the longer wait of a trial unless it has cost messages each time. On a machine that does something else
    /// besides, one stretch says little of the next, and chance alone would lead back to no wait again and again.
    fn judge(&mut self) {
        let Some(trial) = self.trial.take() else {
            return;
        };
        let [settled, other] = &trial.rates;
        let is_longer = trial.wait > self.wait;
        let (longer, shorter) = match is_longer {
            true => (other, settled),
            false => (settled, other),
        };
        let mut turns = longer.iter().zip(shorter);
        let costs = turns.all(|(longer, shorter)| *longer < COST * shorter);
        let changes = costs != is_longer;
        self.refused = costs && is_longer;
        if changes {
            self.wait = trial.wait;
        }
        // A step up may be followed by another at once; what changes nothing is tried ever more rarely.
        (self.pause, self.next_pause) = match (changes, is_longer) {
            (true, true) => (0, PAUSE),
            (true, false) => (PAUSE, PAUSE),
            (false, _) => (self.next_pause, (2 * self.next_pause).min(LONGEST_PAUSE)),
        };
    }
}

impl Trial {
    const fn is_others_turn(&self) -> bool {
        self.left.is_multiple_of(2)
    }
}

fn shorter(wait: Duration) -> Duration {
    let shorter = wait * 2 / 3;
    if shorter < SHORTEST {
        Duration::ZERO
    } else {
        shorter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// A peer with messages to answer, and how long waking up for them takes the reader.
    struct Peer {
        /// Under way at most.
        window: u64,
        /// Nanoseconds that it takes for one, and for being woken up itself.
        each: Nanos,
        woken: Nanos,
    }

    /// Messages in a second, and the wait, after `seconds` of a load on this peer.
    fn load(peer: &Peer, gather: &mut Gather, seconds: u64) -> (u64, Duration) {
        load_beside(peer, gather, seconds, || 1.0)
    }

    /// The same where everything takes longer by a factor, drawn for each millisecond.
    fn load_beside(
        peer: &Peer,
        gather: &mut Gather,
        seconds: u64,
        mut slower: impl FnMut() -> f64,
    ) -> (u64, Duration) {
        let (mut factor, mut drawn) = (slower(), 0);
        let (mut now, mut messages) = (0, 0);
        while now < seconds * 1_000_000_000 {
            // Sleeping takes a little longer than it was meant to.
            let slept = match gather.wait() {
                Duration::ZERO => 10_000,
                wait => wait.as_nanos() as Nanos + 50_000,
            };
            let answered = slept.saturating_sub(peer.woken) / peer.each;
            let brought = answered.clamp(1, peer.window);
            let took = slept.max(peer.woken + brought * peer.each);
            if now / 1_000_000 > drawn {
                (factor, drawn) = (slower(), now / 1_000_000);
            }
            now += (took as f64 * factor) as Nanos;
            messages += brought;
            gather.woke(now, 1, brought, 1_000);
        }
        (messages / seconds, gather.wait)
    }

    #[test]
    fn it_waits_where_that_brings_more() {
        let peer = Peer {
            window: 1_000,
            each: 5_000,
            woken: 9_000,
        };
        let (never, _) = load(&peer, &mut Gather::new(Coalesce::Never), 2);
        let (rate, wait) = load(&peer, &mut Gather::new(Coalesce::Adaptive), 2);
        assert!(rate > 2 * never, "{rate} against {never}");
        assert!(wait >= SHORTEST, "{wait:?}");
    }

    #[test]
    fn it_does_not_wait_where_that_costs_messages() {
        for window in [1, 4, 10, 20] {
            let peer = Peer {
                window,
                each: 4_000,
                woken: 1_000,
            };
            let (never, _) = load(&peer, &mut Gather::new(Coalesce::Never), 2);
            let (rate, wait) = load(&peer, &mut Gather::new(Coalesce::Adaptive), 2);
            assert_eq!(wait, Duration::ZERO, "window {window}");
            assert!(rate > never * 95 / 100, "{rate} against {never}");
        }
    }

    #[test]
    fn it_waits_on_a_machine_that_does_something_else_besides() {
        let peer = Peer {
            window: 1_000,
            each: 5_000,
            woken: 9_000,
        };
        let waits = (0..20).filter(|&seed| {
            let mut random = Random::new(seed, 1);
            let mut gather = Gather::new(Coalesce::Adaptive);
            let busy = || 1.0 + 3.0 * random.fraction();
            let (_, wait) = load_beside(&peer, &mut gather, 3, busy);
            wait >= SHORTEST
        });
        assert!(waits.count() >= 18);
    }

    #[test]
    fn it_does_not_wait_for_ever() {
        let mut gather = Gather::new(Coalesce::Adaptive);
        let patient = Peer {
            window: 1_000,
            each: 5_000,
            woken: 9_000,
        };
        load(&patient, &mut gather, 1);
        assert!(gather.wait >= SHORTEST);
        let hasty = Peer {
            window: 10,
            each: 4_000,
            woken: 1_000,
        };
        gather.stretch = Stretch::default();
        let (_, wait) = load(&hasty, &mut gather, 10);
        assert_eq!(wait, Duration::ZERO);
    }

    #[test]
    fn it_reads_at_once_what_comes_by_the_hundred() {
        let mut gather = Gather::new(Coalesce::Adaptive);
        gather.wait = LONGEST;
        for number in 1..ROUND * 20 {
            gather.woke(number * STRETCH, 1, 500, 10_000);
        }
        assert_eq!(gather.wait, Duration::ZERO);
    }

    #[test]
    fn other_rules_do_not_change() {
        for (rule, wait) in [
            (Coalesce::Never, Duration::ZERO),
            (Coalesce::Fixed(LONGEST), LONGEST),
        ] {
            let mut gather = Gather::new(rule);
            for number in 1..ROUND * 20 {
                gather.woke(number * STRETCH, 1, 1, 1_000);
            }
            assert_eq!(gather.wait(), wait);
        }
    }
}
