//! How many messages were taken, and what became of them.

use crate::error::{Error, Kind, Result, counted};
use crate::output::Console;

use super::Outcome;
use super::reasons::Reasons;
use super::select::Skips;
use super::until::messages;

/// What an account counts, which decides its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Messages, which the receiver acknowledges.
    #[default]
    Message,
    /// Requests, which a response answers.
    Request,
}

impl Unit {
    fn counted(self, count: u64) -> String {
        match self {
            Self::Message => messages(count),
            Self::Request => counted(count, "request"),
        }
    }

    /// What became of those that went well, and of those of which nothing is known.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Message => ("acknowledged", "not acknowledged"),
            Self::Request => ("succeeded", "without a response"),
        }
    }
}

/// Counts by message: one that is sent again counts once.
#[derive(Debug, Default)]
pub struct Account {
    /// Whether they are messages or requests.
    pub unit: Unit,
    /// Handed over by the source.
    pub received: u64,
    /// Not let through.
    pub filtered: u64,
    /// Let through, and not passed on.
    pub skipped: Skips,
    /// The target has them.
    pub delivered: u64,
    /// Their bodies could not be decoded, and were passed on as they came.
    pub undecoded: u64,
    /// Their lifetime was over before the target could take them.
    pub expired: u64,
    /// Others with their keys are there.
    pub duplicates: u64,
    /// The target does not want them, and the one for such messages has them.
    pub dead_lettered: u64,
    /// The target does not want them.
    pub refused: u64,
    /// Their answer did not come in time.
    pub timed_out: u64,
    /// Their answer is not as it was expected to be.
    pub missed: u64,
    /// They cannot be sent at all.
    pub unsendable: u64,
    /// They failed in another way.
    pub failed: u64,
    /// They may have arrived or not.
    pub in_doubt: u64,
    /// Why that is not known of the first of them that no lost connection explains.
    pub doubt: Option<Error>,
    /// Delivered again by the source, or void with its connection.
    pub void: u64,
    /// Sent once more after a lost connection.
    pub again: u64,
    /// Read and never handed over.
    pub unsent: u64,
    /// Why the first that failed did.
    pub refusal: Option<Error>,
    /// How many failed for which reasons.
    pub(super) reasons: Reasons,
}

/// What waits on the disk for a target, and what went on from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many messages are left.
    pub messages: u64,
    /// As many bytes they take there.
    pub bytes: u64,
    /// How many were given up, as there was no room.
    pub dropped: u64,
    /// How many have gone on, or nowhere: they were delivered, or another one with their key was, refused, filtered out, expired,
    /// dead-lettered, or are in doubt.
    pub outcomes: [u64; 7],
    /// How many are handed over and have no outcome.
    pub in_flight: u64,
}

impl Account {
    /// What became of messages, in the order of [`Backlog::outcomes`].
    pub(super) const fn outcomes(&self) -> [u64; 7] {
        [
            self.delivered,
            self.duplicates,
            self.failures(),
            self.filtered,
            self.expired,
            self.dead_lettered,
            self.in_doubt,
        ]
    }

    /// A message was refused, or failed in another way.
    pub fn refuse(&mut self, why: Error) {
        let count = match why.kind() {
            Kind::Refused | Kind::Unauthorized => &mut self.refused,
            Kind::TimedOut => &mut self.timed_out,
            Kind::Missed => &mut self.missed,
            Kind::Usage => &mut self.unsendable,
            _ => &mut self.failed,
        };
        *count += 1;
        self.reasons.count(why.text());
        self.refusal.get_or_insert(why);
    }

    /// A message has this outcome, which is its first and last.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted => self.delivered += 1,
            Outcome::InDoubt(why) => {
                self.in_doubt += 1;
                self.doubt = self.doubt.take().or(why);
            }
            Outcome::Filtered => self.filtered += 1,
            Outcome::Expired => self.expired += 1,
            Outcome::Duplicate => self.duplicates += 1,
            Outcome::DeadLettered => self.dead_lettered += 1,
            Outcome::Dropped(why) | Outcome::Refused(why) => self.refuse(why),
            Outcome::Again(_) => {}
        }
    }

    /// How many were refused or failed.
    pub const fn failures(&self) -> u64 {
        self.refused + self.timed_out + self.missed + self.unsendable + self.failed
    }

    /// How many messages went to the target.
    const fn sent(&self) -> u64 {
        self.received
            .saturating_sub(self.filtered)
            .saturating_sub(self.unsendable)
    }

    /// What has no outcome; `None`: there are more outcomes than messages.
    fn open(&self) -> Option<u64> {
        let passed_over = self.filtered + self.skipped.sum() + self.expired + self.dead_lettered;
        let known = passed_over
            + self.duplicates
            + self.delivered
            + self.failures()
            + self.in_doubt
            + self.void;
        self.received.checked_sub(known)
    }

    /// One line about what was received, when not all of it was processed.
    ///
    /// # Errors
    /// [`Kind::Lost`] for an account that does not add up.
    pub fn receipt(&self) -> Result<Option<String>> {
        let open = self.open().ok_or_else(|| self.wrong())?;
        let passed_over = self.filtered + self.skipped.sum() + self.undecoded;
        let passed_on = self.expired + self.dead_lettered + self.duplicates;
        match passed_over + passed_on + self.failures() + self.in_doubt + open {
            0 => Ok(None),
            _ => self.line("processed").map(Some),
        }
    }

    /// One line about what was received, and what became of it; `kept`: on the disk, from where it goes on.
    ///
    /// # Errors
    /// [`Kind::Lost`] for an account that does not add up.
    pub fn summary(&self, kept: bool) -> Result<String> {
        self.line(if kept { "spooled" } else { "delivered" })
    }

    /// Names the reasons for which messages failed, where the first alone does not say all.
    pub(super) fn tell_reasons(&self, console: Console) {
        if self.failures() > 1 {
            let lines = self.reasons.lines();
            lines.iter().for_each(|line| console.note(line));
        }
    }

    /// One line about what went on from the disk.
    ///
    /// # Errors
    /// [`Kind::Lost`] for an account that does not add up.
    pub fn forwarded(&self) -> Result<String> {
        let done = format!("{} delivered", self.delivered);
        self.tally("from the spool", &done, self.filtered)
    }

    /// One line about messages that lead to others, `led_to`: that most lead to nothing is as it should be.
    ///
    /// # Errors
    /// [`Kind::Lost`] for an account that does not add up.
    pub fn judged(&self, led_to: &str) -> Result<String> {
        self.tally("received", led_to, 0)
    }

    fn line(&self, done: &str) -> Result<String> {
        let done = format!("{} {done}", self.delivered);
        self.tally("received", &done, self.filtered)
    }

    fn tally(&self, what: &str, done: &str, filtered: u64) -> Result<String> {
        let open = self.open().ok_or_else(|| self.wrong())?;
        let mut text = format!("{what} {}: {done}", messages(self.received));
        let details = [
            (self.undecoded, "not decoded"),
            (filtered, "filtered out"),
            (self.skipped.sampled, "not sampled"),
            (self.skipped.unchanged, "unchanged"),
            (self.skipped.throttled, "throttled"),
            (self.expired, "expired"),
            (self.duplicates, "duplicates"),
            (self.dead_lettered, "dead-lettered"),
            (self.failures(), "failed"),
            (self.in_doubt, "in doubt"),
            (self.void, "lost with their connection"),
            (open, "not acknowledged"),
        ];
        for (count, what) in details.iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {what}"));
        }
        Ok(text)
    }

    fn wrong(&self) -> Error {
        let text = format!("the totals do not add up: {}", self.numbers(0));
        Error::new(Kind::Lost, text)
    }

    /// Turns the end of a flow that was to deliver everything into the error that it is, with all numbers, when something
    /// is missing. It is a usage error only where nothing was sent.
    ///
    /// # Errors
    /// `ended`; the first refusal; [`Kind::Lost`] for messages in doubt or without an outcome, and for an account that does not add up.
    pub fn verdict(&mut self, ended: Result<()>, target: &str) -> Result<()> {
        let open = self.open().ok_or_else(|| self.wrong())?;
        let cause = match (ended, self.refusal.take()) {
            (Err(cause), _) => cause,
            (Ok(()), Some(refusal)) if self.in_doubt == 0 => refusal,
            (Ok(()), None) if self.in_doubt + open == 0 => return Ok(()),
            (Ok(()), _) => self.doubt.take().unwrap_or_else(|| {
                Error::new(Kind::Lost, format!("the connection to {target} was lost"))
            }),
        };
        let kind = match cause.kind() {
            Kind::Usage if self.has_sent(open) => Kind::Local,
            _ if self.is_told_by_cause() => return Err(cause),
            kind => kind,
        };
        let text = format!("{cause}: {}", self.numbers(open));
        Err(cause.reworded(text).of_kind(kind))
    }

    /// Whether the cause alone says all that the numbers would.
    const fn is_told_by_cause(&self) -> bool {
        match (self.sent() + self.unsendable + self.unsent, self.unit) {
            (0, _) => true,
            (1, Unit::Request) => self.delivered == 0,
            (1, Unit::Message) => self.failures() == 1,
            _ => false,
        }
    }

    /// Whether anything has reached the target. What ended the flow may have been the last message that is open.
    const fn has_sent(&self, open: u64) -> bool {
        let failed = self.failures() - self.unsendable;
        self.delivered + self.in_doubt + failed + open.saturating_sub(1) > 0
    }

    fn numbers(&self, open: u64) -> String {
        let (done, unanswered) = self.unit.words();
        let mut text = format!(
            "of {} sent, {} {done}",
            self.unit.counted(self.sent()),
            self.delivered
        );
        let details = [
            (self.refused, "refused"),
            (self.timed_out, "timed out"),
            (self.missed, "missed the expectation"),
            (self.failed, "failed"),
            (self.in_doubt, "in doubt"),
            (open, unanswered),
            (self.unsendable, "not sendable"),
            (self.again, "sent again"),
            (self.unsent, "read but not sent"),
        ];
        for (count, what) in details.iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {what}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(mut account: Account, ended: Result<()>) -> (u8, String) {
        match account.verdict(ended, "amqp://h") {
            Ok(()) => (0, String::new()),
            Err(error) => (error.exit_code(), error.text().to_owned()),
        }
    }

    fn refusal() -> Option<Error> {
        Some(Error::new(Kind::Refused, "no"))
    }

    #[test]
    fn everything_delivered_is_success() {
        let all = Account {
            received: 4,
            filtered: 1,
            delivered: 3,
            again: 2,
            ..Account::default()
        };
        assert_eq!(verdict(all, Ok(())), (0, String::new()));
    }

    #[test]
    fn what_is_missing_is_counted() {
        let account = Account {
            received: 9,
            delivered: 4,
            refused: 3,
            again: 1,
            unsent: 5,
            refusal: refusal(),
            ..Account::default()
        };
        let text = "no: of 9 messages sent, 4 acknowledged, 3 refused, 2 not acknowledged, 1 sent again, 5 read but not sent";
        assert_eq!(verdict(account, Ok(())), (1, String::from(text)));
    }

    #[test]
    fn a_single_refusal_needs_no_numbers() {
        let account = Account {
            received: 1,
            refused: 1,
            refusal: refusal(),
            ..Account::default()
        };
        assert_eq!(verdict(account, Ok(())), (1, String::from("no")));
        let nothing = Err(Error::new(Kind::Unreachable, "no host"));
        assert_eq!(
            verdict(Account::default(), nothing),
            (3, String::from("no host"))
        );
    }

    #[test]
    fn doubt_is_a_lost_connection_and_the_end_comes_first() {
        let account = || Account {
            received: 2,
            delivered: 1,
            in_doubt: 1,
            ..Account::default()
        };
        let text =
            "the connection to amqp://h was lost: of 2 messages sent, 1 acknowledged, 1 in doubt";
        assert_eq!(verdict(account(), Ok(())), (6, String::from(text)));
        let stopped = Err(Error::new(Kind::Terminated, "interrupted"));
        assert_eq!(
            verdict(account(), stopped),
            (
                143,
                String::from("interrupted: of 2 messages sent, 1 acknowledged, 1 in doubt")
            )
        );
    }

    #[test]
    fn doubt_has_another_cause_where_one_is_known() {
        let mut account = Account {
            received: 2,
            ..Account::default()
        };
        account.count(Outcome::Accepted);
        let why = Error::new(Kind::Lost, "amqp://h has forgotten it");
        account.count(Outcome::InDoubt(Some(why)));
        let text = "amqp://h has forgotten it: of 2 messages sent, 1 acknowledged, 1 in doubt";
        assert_eq!(verdict(account, Ok(())), (6, String::from(text)));
    }

    #[test]
    fn each_failure_of_a_request_is_called_what_it_is() {
        let mut account = Account {
            unit: Unit::Request,
            received: 7,
            delivered: 1,
            ..Account::default()
        };
        for kind in [
            Kind::TimedOut,
            Kind::Missed,
            Kind::Refused,
            Kind::Unauthorized,
            Kind::Lost,
        ] {
            account.refuse(Error::new(kind, "no"));
        }
        let text = "no: of 7 requests sent, 1 succeeded, 2 refused, 1 timed out, 1 missed the expectation, 1 failed, 1 without a response";
        assert_eq!(verdict(account, Ok(())), (5, String::from(text)));
        let one = Account {
            unit: Unit::Request,
            received: 1,
            ..Account::default()
        };
        let lost = Err(Error::new(Kind::Lost, "gone"));
        assert_eq!(verdict(one, lost), (6, String::from("gone")));
    }

    #[test]
    fn a_usage_error_is_one_only_while_nothing_was_sent() {
        let account = |received, delivered| Account {
            received,
            delivered,
            ..Account::default()
        };
        let wrong = || Err(Error::usage("wrong"));
        assert_eq!(verdict(account(0, 0), wrong()).0, 2);
        // The first message was what was wrong.
        assert_eq!(verdict(account(1, 0), wrong()).0, 2);
        for (received, delivered) in [(1, 1), (2, 0), (2, 1)] {
            assert_eq!(verdict(account(received, delivered), wrong()).0, 8);
        }
        let mut unsendable = account(1, 0);
        unsendable.refuse(Error::usage("wrong"));
        assert_eq!(verdict(unsendable, Ok(())), (2, String::from("wrong")));
        let mut some = account(3, 1);
        some.refuse(Error::usage("wrong"));
        some.refuse(Error::usage("wrong"));
        let text = "wrong: of 1 message sent, 1 acknowledged, 2 not sendable";
        assert_eq!(verdict(some, Ok(())), (8, String::from(text)));
    }

    #[test]
    fn a_receipt_is_for_what_was_not_delivered() {
        let all = Account {
            received: 3,
            delivered: 2,
            void: 1,
            ..Account::default()
        };
        assert_eq!(all.receipt().unwrap(), None);
        let some = Account {
            received: 9,
            filtered: 4,
            refused: 1,
            ..all
        };
        assert_eq!(
            some.receipt().unwrap().as_deref(),
            Some(
                "received 9 messages: 2 processed, 4 filtered out, 1 failed, 1 lost with their connection, 1 not acknowledged"
            )
        );
        let skipped = Account {
            received: 10,
            delivered: 4,
            skipped: Skips {
                sampled: 1,
                unchanged: 2,
                throttled: 3,
            },
            ..Account::default()
        };
        assert_eq!(
            skipped.receipt().unwrap().as_deref(),
            Some("received 10 messages: 4 processed, 1 not sampled, 2 unchanged, 3 throttled")
        );
        let wrong = Account {
            received: 1,
            filtered: 2,
            ..Account::default()
        };
        assert_eq!(wrong.receipt().unwrap_err().exit_code(), 6);
    }

    #[test]
    fn an_account_that_does_not_add_up_is_an_error() {
        let account = Account {
            received: 1,
            delivered: 2,
            ..Account::default()
        };
        assert_eq!(verdict(account, Ok(())).0, 6);
    }
}
