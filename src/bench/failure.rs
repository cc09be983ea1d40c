//! Why a run is no success, whatever was asked of it. It follows from the report alone, so that a result that was saved
//! says the same as the run that has just ended.

use super::recorder::NOT_PROVED;
use super::result::{Connections, Messages, Report, Threshold};
use crate::error::{Error, Kind};

/// What a run has failed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class of it, should it end the command.
    pub(crate) kind: Kind,
    /// In words.
    pub(crate) text: String,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind, failure.text)
    }
}

impl Failure {
    fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// What `report` has failed of; `None`: of nothing but its thresholds.
    pub(crate) fn of(report: &Report) -> Option<Self> {
        no_connection(report)
            .or_else(|| unopened(&report.connections, &report.thresholds))
            .or_else(|| nothing_came_through(report))
            .or_else(|| gone(report))
            .or_else(|| most_for_nothing(report))
    }

    /// What kept `report` from measuring anything: no threshold is met then.
    pub(crate) fn whole(report: &Report) -> Option<Self> {
        no_connection(report).or_else(|| nothing_came_through(report))
    }
}

fn no_connection(report: &Report) -> Option<Failure> {
    let text = match report.errors.first() {
        _ if !report.has_no_connection() => return None,
        Some(error) => format!("no connection could be opened: {}", error.cause),
        None => String::from("no connection was opened"),
    };
    Some(Failure::new(Kind::Unreachable, text))
}

/// A run in which every message failed.
fn nothing_came_through(report: &Report) -> Option<Failure> {
    let messages = &report.messages;
    // What the server took and passed on to nobody has got no further than what it never took.
    if messages.acknowledged > 0 && messages.expected > 0 && messages.received == 0 {
        let text = format!(
            "none of {} expected messages was received",
            messages.expected
        );
        return Some(Failure::new(Kind::Lost, text));
    }
    if messages.planned == 0 || messages.acknowledged > 0 || messages.received > 0 {
        return None;
    }
    let (kind, what) = if messages.refused > 0 {
        (Kind::Refused, "accepted")
    } else if report.counts.contains_key(NOT_PROVED) {
        (Kind::Lost, "confirmed to have reached the server")
    } else {
        (Kind::Lost, "acknowledged")
    };
    let text = format!("none of {} messages was {what}", messages.planned);
    Some(Failure::new(kind, text))
}

/// Whether somebody has set a limit to one of these, and so has judged them.
fn are_judged(thresholds: &[Threshold], quantities: &[&str]) -> bool {
    let is_of = |one: &Threshold| {
        let mut quantities = quantities.iter();
        quantities.any(|quantity| one.expression.starts_with(quantity))
    };
    thresholds.iter().any(is_of)
}

/// Connections that could not be opened.
fn unopened(connections: &Connections, thresholds: &[Threshold]) -> Option<Failure> {
    if connections.failed == 0 || are_judged(thresholds, &["connections."]) {
        return None;
    }
    let text = format!(
        "{} of {} connections could not be opened",
        connections.failed, connections.planned
    );
    Some(Failure::new(Kind::Unreachable, text))
}

/// Connections that were lost and were still away at the end, to the harm of messages; or of a run without messages.
fn gone(report: &Report) -> Option<Failure> {
    let Messages {
        planned, unsent, ..
    } = report.messages;
    let lost = lost_for_good(&report.connections)?;
    let judging = [
        "connections.lost",
        "connections.reopened",
        "connections.away",
    ];
    let is_harmless = planned > 0 && harmed(&report.messages) == 0;
    if is_harmless || are_judged(&report.thresholds, &judging) {
        return None;
    }
    let text = match unsent {
        0 => lost,
        _ => format!("{lost}: {unsent} of {planned} messages could not be sent"),
    };
    Some(Failure::new(Kind::Lost, text))
}

/// Connections that were lost and still away at the end, in words; `None` when there are none.
pub(super) fn lost_for_good(connections: &Connections) -> Option<String> {
    let away = connections.lost.saturating_sub(connections.reopened);
    let verb = if away == 1 { "was" } else { "were" };
    (away > 0).then(|| {
        format!(
            "{away} of {} connections {verb} lost and not reopened",
            connections.opened
        )
    })
}

/// A run of which more than half came to nothing, where no threshold says how much may.
fn most_for_nothing(report: &Report) -> Option<Failure> {
    if !report.thresholds.is_empty() {
        return None;
    }
    let Messages {
        planned,
        unsent,
        timed_out,
        lost_with_connection: lost,
        expected,
        missing,
        ..
    } = report.messages;
    // Of some only nothing shows that they were read.
    let not_proved = report.counts.get(NOT_PROVED).copied().unwrap_or(0);
    let unanswered = (timed_out + lost).saturating_sub(not_proved);
    if unsent + unanswered > planned / 2 {
        let kind = match lost > timed_out + unsent {
            true => Kind::Lost,
            false => Kind::TimedOut,
        };
        let parts = [
            (unsent, "not sent"),
            (timed_out, "timed out"),
            (lost, "lost with their connection"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let parts = parts.join(", ");
        // The first of them with what they are parts of.
        let parts = parts.replacen(' ', &format!(" of {planned} "), 1);
        let text = format!("most messages were not acknowledged in time: {parts}");
        return Some(Failure::new(kind, text));
    }
    let text = || format!("most messages were not received: {missing} of {expected} are missing");
    (missing > expected / 2).then(|| Failure::new(Kind::Lost, text()))
}

/// That more than half of what was sent timed out, in words; `not_proved`: so many of them only had nothing that shows that they were
/// read.
pub(super) fn most_timed_out(messages: &Messages, not_proved: u64) -> Option<String> {
    let Messages {
        sent, timed_out, ..
    } = *messages;
    let timed_out = timed_out.saturating_sub(not_proved);
    (timed_out > sent / 2).then(|| {
        format!("most messages were not acknowledged in time: {timed_out} of {sent} timed out")
    })
}

/// Messages that did not get through, but for refusals.
const fn harmed(messages: &Messages) -> u64 {
    messages.unsent + messages.timed_out + messages.lost_with_connection + messages.missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;
    use crate::bench::result::ErrorCount;

    fn said(report: &Report) -> Option<(Kind, String)> {
        Failure::of(report).map(|failure| (failure.kind, failure.text))
    }

    #[test]
    fn a_run_with_some_loss_is_judged_by_its_thresholds() {
        assert_eq!(said(&sample::report()), None);
        assert_eq!(said(&Report::default()), None, "nothing was planned");
    }

    #[test]
    fn no_connection_is_a_failure_with_its_cause() {
        let mut report = Report::default();
        report.connections.planned = 2;
        let text = String::from("no connection was opened");
        assert_eq!(said(&report), Some((Kind::Unreachable, text)));
        report.errors.push(ErrorCount {
            cause: String::from("connection refused"),
            count: 2,
            hint: None,
        });
        let text = String::from("no connection could be opened: connection refused");
        assert_eq!(said(&report), Some((Kind::Unreachable, text)));
    }

    #[test]
    fn what_nobody_received_has_not_come_through() {
        let mut report = sample::report();
        assert!(report.messages.acknowledged > 0);
        (report.messages.expected, report.messages.received) = (20, 0);
        let text = String::from("none of 20 expected messages was received");
        assert_eq!(said(&report), Some((Kind::Lost, text)));
        assert!(Failure::whole(&report).is_some());
        report.messages.received = 1;
        assert_eq!(said(&report), None);
    }

    #[test]
    fn connections_that_failed_count_unless_they_are_judged() {
        let mut report = sample::report();
        (report.connections.opened, report.connections.failed) = (100, 1);
        let text = String::from("1 of 101 connections could not be opened");
        assert_eq!(said(&report), Some((Kind::Unreachable, text)));
        report.thresholds[0].expression = String::from("connections.failed < 2");
        assert_eq!(said(&report), None);
    }

    #[test]
    fn connections_that_stayed_away_count_when_messages_were_harmed() {
        let mut report = sample::report();
        report.connections.reopened = 1;
        let text = "1 of 101 connections was lost and not reopened: \
                    10 of 1500000 messages could not be sent";
        assert_eq!(said(&report), Some((Kind::Lost, text.to_owned())));
        let expression = &mut report.thresholds[0].expression;
        *expression = String::from("connections.opened == 101");
        assert!(Failure::of(&report).is_some(), "they were open once");
        report.thresholds[0].expression = String::from("connections.lost <= 2");
        assert_eq!(said(&report), None, "that is allowed");
        report.thresholds.clear();
        let messages = &mut report.messages;
        (messages.planned, messages.unsent) = (messages.acknowledged, 0);
        assert!(Failure::of(&report).is_some(), "others were lost");
        let messages = &mut report.messages;
        (messages.timed_out, messages.lost_with_connection) = (0, 0);
        messages.missing = 0;
        assert_eq!(said(&report), None, "all came through before");
        report.messages = Messages::default();
        assert!(Failure::of(&report).is_some(), "an idle run");
    }

    #[test]
    fn a_server_that_answers_few_in_time_is_a_failure_unless_that_is_judged() {
        let messages = |timed_out| Messages {
            planned: 120,
            sent: 120,
            acknowledged: 120 - timed_out,
            timed_out,
            ..Messages::default()
        };
        let mut report = Report {
            messages: messages(75),
            ..Report::default()
        };
        report.connections.opened = 1;
        let text = String::from("most messages were not acknowledged in time: 75 of 120 timed out");
        assert_eq!(said(&report), Some((Kind::TimedOut, text)));
        report.counts.insert(NOT_PROVED.to_owned(), 75);
        assert_eq!(said(&report), None, "nothing says that they were read");
        report.counts.clear();
        report.thresholds = sample::report().thresholds;
        assert_eq!(said(&report), None, "the threshold has judged it");
        report.thresholds.clear();
        report.messages = messages(60);
        assert_eq!(said(&report), None);
    }

    #[test]
    fn what_was_held_back_or_lost_or_is_missing_is_half_of_the_messages_too() {
        let mut report = Report::default();
        report.connections.opened = 1;
        // A server that has frozen takes as many as the window has room for.
        report.messages = Messages {
            planned: 1_000,
            unsent: 800,
            sent: 200,
            acknowledged: 100,
            timed_out: 100,
            ..Messages::default()
        };
        let words = "most messages were not acknowledged in time: ";
        let frozen = format!("{words}800 of 1000 not sent, 100 timed out");
        assert_eq!(said(&report), Some((Kind::TimedOut, frozen)));
        report.messages = Messages {
            planned: 1_000,
            sent: 1_000,
            acknowledged: 42,
            lost_with_connection: 958,
            ..Messages::default()
        };
        let lost = format!("{words}958 of 1000 lost with their connection");
        assert_eq!(said(&report), Some((Kind::Lost, lost)));
        report.messages = Messages {
            planned: 1_000,
            sent: 1_000,
            acknowledged: 1_000,
            expected: 1_000,
            received: 4,
            unique: 4,
            missing: 996,
            ..Messages::default()
        };
        let text = String::from("most messages were not received: 996 of 1000 are missing");
        assert_eq!(said(&report), Some((Kind::Lost, text)));
        report.messages.missing = 500;
        assert_eq!(said(&report), None);
        report.messages.missing = 996;
        report.thresholds = sample::report().thresholds;
        assert_eq!(said(&report), None, "that is judged");
    }

    #[test]
    fn nothing_that_came_through_is_a_failure() {
        let mut report = sample::report();
        report.messages = Messages {
            planned: 5,
            sent: 5,
            refused: 5,
            ..Messages::default()
        };
        let text = String::from("none of 5 messages was accepted");
        assert_eq!(said(&report), Some((Kind::Refused, text)));
        assert!(Failure::whole(&report).is_some());
    }
}
