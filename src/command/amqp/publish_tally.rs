//! What has become of the messages of `amqp publish`.

use std::collections::{HashMap, HashSet};

use crate::amqp::publisher::Outcome;
use crate::connect::Target;
use crate::error::{Error, Kind, Result};

use super::session::messages;

/// Counts by message, never by delivery tag, so that a message that is published again counts once.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    numbers: u64,
    /// Handed to the connection, at least once.
    sent: u64,
    /// The highest number sent; numbers go out in order.
    highest: Option<u64>,
    /// Confirmed or, without confirmations, proved to be read.
    confirmed: u64,
    /// Written, and not yet proved to be read.
    written: u64,
    nacked: u64,
    /// What the server said of the first of them, over AMQP 1.0.
    refusal: Option<String>,
    /// Published again after a lost connection.
    again: u64,
    /// No queue got it, with the server's words.
    returned: HashMap<u64, String>,
    /// Read and never sent.
    pub(crate) unsent: u64,
    confirmed_numbers: Confirmed,
}

/// Which numbers are confirmed: all below a mark, and some above it.
#[derive(Debug, Default)]
struct Confirmed {
    below: u64,
    above: HashSet<u64>,
}

impl Confirmed {
    fn insert(&mut self, number: u64) {
        // In order, as nearly all are, nothing has to be remembered.
        if number == self.below {
            self.below += 1;
        } else {
            self.above.insert(number);
        }
        while self.above.remove(&self.below) {
            self.below += 1;
        }
    }

    fn contains(&self, number: u64) -> bool {
        number < self.below || self.above.contains(&number)
    }
}

impl Tally {
    /// A number for a new message, counted from 0.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers - 1
    }

    pub(crate) fn sent(&mut self, number: u64) {
        if self.highest.is_none_or(|highest| number > highest) {
            self.highest = Some(number);
            self.sent += 1;
        }
    }

    /// So many are published again.
    pub(crate) fn again(&mut self, count: u64) {
        self.again += count;
    }

    pub(crate) fn settle(&mut self, number: u64, fate: Outcome) {
        match fate {
            Outcome::Confirmed => {
                self.confirmed += 1;
                self.confirmed_numbers.insert(number);
            }
            Outcome::Written => self.written += 1,
            Outcome::Nacked => self.refuse(number),
            Outcome::Refused(words) => {
                self.refuse(number);
                self.refusal.get_or_insert(words);
            }
            Outcome::Returned(words) => {
                self.returned.insert(number, words);
            }
        }
    }

    fn refuse(&mut self, number: u64) {
        self.nacked += 1;
        // Settled all the same, so that the mark can move on.
        self.confirmed_numbers.insert(number);
    }

    /// The server has read all that was written.
    pub(crate) fn proved(&mut self) {
        self.confirmed += std::mem::take(&mut self.written);
    }

    /// Turns the end into the error that it is, with all numbers when something is missing.
    pub(crate) fn verdict(&self, ended: Result<()>, target: &Target) -> Result<()> {
        let returned = self.returned.keys();
        let returned = returned.filter(|number| self.confirmed_numbers.contains(**number));
        let arrived = self.confirmed - (returned.count() as u64).min(self.confirmed);
        let cause = match ended {
            Err(cause) => cause,
            Ok(()) if arrived == self.sent => return Ok(()),
            Ok(()) => self.refusal(target),
        };
        if self.sent + self.unsent <= 1 && arrived == 0 {
            return Err(cause);
        }
        let error = Error::new(cause.kind(), format!("{cause}: {}", self.numbers(arrived)));
        Err(match cause.hint_text() {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    fn refusal(&self, target: &Target) -> Error {
        let text = match self.returned.values().next() {
            Some(words) if self.nacked == 0 => {
                format!("{target} returned what no queue gets ({words})")
            }
            _ if self.nacked > 0 => {
                let words = self.refusal.as_deref().unwrap_or("nack");
                format!("{target} refused what it cannot take ({words})")
            }
            _ => format!("{target} did not confirm everything"),
        };
        Error::new(Kind::Refused, text)
    }

    fn numbers(&self, arrived: u64) -> String {
        let mut parts = vec![format!(
            "of {} sent, {arrived} are confirmed",
            messages(self.sent)
        )];
        let returned = self.returned.len() as u64;
        let settled = self.confirmed + self.nacked;
        let details = [
            (returned, "returned"),
            (self.nacked, "refused"),
            (self.sent.saturating_sub(settled), "not confirmed"),
            (self.again, "published again"),
        ];
        parts.extend(
            details
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        if self.unsent > 0 {
            parts.push(format!("and {} were read but not sent", self.unsent));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Protocol;

    fn tally(fates: &[(u64, Outcome)]) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..4 {
            let number = tally.number();
            tally.sent(number);
        }
        for (number, fate) in fates {
            tally.settle(*number, fate.clone());
        }
        tally
    }

    fn verdict(tally: &Tally) -> Result<()> {
        tally.verdict(Ok(()), &Target::tcp(Protocol::Amqp, "h", 5672))
    }

    #[test]
    fn all_confirmed_is_success() {
        let all: Vec<_> = (0..4).map(|number| (number, Outcome::Confirmed)).collect();
        assert!(verdict(&tally(&all)).is_ok());
    }

    #[test]
    fn a_returned_message_did_not_arrive_whenever_its_confirmation_comes() {
        let returned = (1, Outcome::Returned(String::from("312 NO_ROUTE")));
        for at in 0..=4 {
            let mut fates: Vec<_> = (0..4).map(|number| (number, Outcome::Confirmed)).collect();
            fates.insert(at, returned.clone());
            let error = verdict(&tally(&fates)).unwrap_err();
            assert_eq!(error.kind(), Kind::Refused);
            assert_eq!(
                error.text(),
                "amqp://h:5672 returned what no queue gets (312 NO_ROUTE): of 4 messages sent, 3 are confirmed, 1 returned"
            );
        }
    }

    #[test]
    fn refused_and_missing_ones_are_counted() {
        let error = verdict(&tally(&[(0, Outcome::Confirmed), (2, Outcome::Nacked)])).unwrap_err();
        assert!(
            error
                .text()
                .ends_with("of 4 messages sent, 1 are confirmed, 1 refused, 2 not confirmed")
        );
    }

    #[test]
    fn published_again_counts_once() {
        let mut tally = tally(&[]);
        tally.again(4);
        for number in 0..4 {
            tally.sent(number);
            tally.settle(number, Outcome::Confirmed);
        }
        assert!(verdict(&tally).is_ok());
    }

    #[test]
    fn without_confirmations_only_the_proof_counts() {
        let written: Vec<_> = (0..4).map(|number| (number, Outcome::Written)).collect();
        let mut tally = tally(&written);
        assert!(verdict(&tally).is_err());
        tally.proved();
        assert!(verdict(&tally).is_ok());
    }
}
