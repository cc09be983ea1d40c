//! What the server has answered to a SUBSCRIBE or UNSUBSCRIBE, in words.

use bytestring::ByteString;

use super::Subscribed;
use crate::connect::Target;
use crate::error::{Error, brief};
use crate::mqtt::client::Connection;
use crate::mqtt::packet::{QoS, ReasonCode};

impl<C: Connection> Subscribed<'_, C> {
    /// That the server grants a lower QoS than it was asked for, and what that means; told once.
    pub(super) fn granted_less(&mut self, answers: &[(ByteString, ReasonCode)]) -> Option<String> {
        if self.told_granted || self.wanted.takes_as_acknowledged || self.wanted.any_qos {
            return None;
        }
        let mut lower = answers.iter().filter_map(|(filter, reason)| {
            let asked = self.client.look(|session| session.asked(filter))?.level();
            let needed = match self.wanted.at_least_once {
                true => asked.min(QoS::AtLeastOnce.level()),
                false => asked,
            };
            (!reason.is_failure() && reason.0 < needed).then_some((filter, reason.0, asked))
        });
        let (filter, granted, asked) = lower.next()?;
        let more = match lower.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let loss = match granted {
            0 => "be lost",
            _ => "come twice",
        };
        self.told_granted = true;
        Some(format!(
            "{} grants QoS {granted} to {}{more}, and not QoS {asked}: messages may {loss}",
            self.client.target(),
            brief(filter)
        ))
    }

    pub(super) fn unsubscribed(&mut self, answers: &[(ByteString, ReasonCode)]) {
        for (filter, reason) in answers {
            if reason.is_failure() {
                let text = format!(
                    "{} refused to unsubscribe {filter}: {reason}",
                    self.client.target()
                );
                self.refused
                    .get_or_insert_with(|| Error::new(reason.kind(), text));
            } else if *reason == ReasonCode::NO_SUBSCRIPTION_EXISTED {
                self.notes
                    .note(format_args!("there was no subscription to {filter}"));
            }
        }
    }
}

/// The server refuses a subscription.
pub(in crate::command::mqtt) fn refusal(
    server: &Target,
    filter: &str,
    reason: ReasonCode,
    reason_string: Option<&str>,
) -> String {
    let words = reason_string
        .map(|text| format!(": {}", brief(text)))
        .unwrap_or_default();
    format!("{server} refused the subscription to {filter}: {reason}{words}")
}
