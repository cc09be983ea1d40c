//! When to read. A reader that wakes up for each packet makes the peer pay a wake-up for each write.

use std::time::Duration;

use super::super::plan::Coalesce;

const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_micros(500);
/// Messages that a wake-up should bring.
const WORTH_A_WAKE: u64 = 32;
/// And for each connection that was read.
const WORTH_A_READ: u64 = 4;
/// Wake-ups between two decisions.
const ROUND: u64 = 32;

/// Decides how long to let messages gather before reading.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    rule: Coalesce,
    wait: Duration,
    wakes: u64,
    reads: u64,
    messages: u64,
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
            wakes: 0,
            reads: 0,
            messages: 0,
        }
    }

    /// How long to wait now.
    pub(super) const fn wait(&self) -> Duration {
        self.wait
    }

    /// Enters what a wake-up brought. `limit`: messages that can be under way at once.
    pub(super) fn woke(&mut self, reads: u64, messages: u64, limit: u64) {
        if self.rule != Coalesce::Adaptive || reads == 0 {
            return;
        }
        self.wakes += 1;
        self.reads += reads;
        self.messages += messages;
        if self.wakes < ROUND {
            return;
        }
        let wanted = (self.reads * WORTH_A_READ / self.wakes)
            .max(WORTH_A_WAKE)
            .min(limit / 3);
        let brought = self.messages / self.wakes;
        self.wait = if brought < wanted {
            (self.wait + self.wait / 2).clamp(SHORTEST, LONGEST)
        } else if brought > 2 * wanted {
            shorter(self.wait)
        } else {
            self.wait
        };
        (self.wakes, self.reads, self.messages) = (0, 0, 0);
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

    fn after(gather: &mut Gather, rounds: u64, messages: u64) -> Duration {
        for _ in 0..rounds * ROUND {
            gather.woke(1, messages, 1_000);
        }
        gather.wait()
    }

    #[test]
    fn it_waits_longer_while_wake_ups_bring_little() {
        let mut gather = Gather::new(Coalesce::Adaptive);
        assert_eq!(after(&mut gather, 1, 2), SHORTEST);
        assert_eq!(after(&mut gather, 9, 2), LONGEST);
        assert_eq!(after(&mut gather, 1, 40), LONGEST, "enough");
        assert_eq!(after(&mut gather, 9, 500), Duration::ZERO, "plenty");
    }

    #[test]
    fn other_rules_do_not_change() {
        let mut gather = Gather::new(Coalesce::Never);
        assert_eq!(after(&mut gather, 9, 1), Duration::ZERO);
        let mut gather = Gather::new(Coalesce::Fixed(LONGEST));
        assert_eq!(after(&mut gather, 9, 500), LONGEST);
    }
}
