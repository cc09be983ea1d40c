//! What happens to a message between its source and its target.

use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::payload::expect::Condition;

use super::decode::{self, Decode};

/// Which messages pass, what every one of those must be, and how its body is shown.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Only messages that fulfil all of these pass (`--filter`).
    pub filter: Vec<Condition>,
    /// Every message that passes must fulfil all of these (`--expect`).
    pub expect: Vec<Condition>,
    /// The target gets bodies as text (`--decode`); conditions look at them as they came.
    pub decode: Option<Decode>,
}

impl Stages {
    /// Whether the message passes.
    #[inline]
    pub fn pass(&self, message: &Message) -> bool {
        self.filter.is_empty() || self.filter.iter().all(|it| fulfils(it, message))
    }

    /// Checks a message that passed.
    ///
    /// # Errors
    /// [`Kind::Missed`], naming the first condition that it does not fulfil.
    #[inline]
    pub fn check(&self, message: &Message) -> Result<()> {
        let mut expected = self.expect.iter();
        match expected.find(|it| !fulfils(it, message)) {
            None => Ok(()),
            Some(missed) => Err(Error::new(
                Kind::Missed,
                format!("{}: not as expected: {missed}", message.topic),
            )),
        }
    }

    /// The message as its target gets it.
    #[inline]
    pub fn decoded(&self, message: Message) -> Message {
        match &self.decode {
            None => message,
            Some(decode) => decode.decoded(message),
        }
    }
}

/// Whether a message fulfils a condition; a payload that is JSON or CBOR is looked into.
pub fn fulfils(condition: &Condition, message: &Message) -> bool {
    condition.holds(message, || decode::json(message))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::message::{Detail, MqttDetail};

    fn message(topic: &'static str, payload: &'static str) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: topic.into(),
            payload: payload.into(),
            detail: Detail::Mqtt(MqttDetail::default()),
        }
    }

    #[test]
    fn all_conditions_count() {
        let stages = Stages {
            filter: vec![
                "/t > 20".parse().unwrap(),
                "topic contains kitchen".parse().unwrap(),
            ],
            expect: vec!["/t < 30".parse().unwrap()],
            decode: None,
        };
        assert!(stages.pass(&message("home/kitchen", "{\"t\":21}")));
        assert!(!stages.pass(&message("home/bath", "{\"t\":21}")));
        assert!(!stages.pass(&message("home/kitchen", "{\"t\":19}")));
        assert!(stages.check(&message("a", "{\"t\":21}")).is_ok());
        let missed = stages.check(&message("a", "{\"t\":31}")).unwrap_err();
        assert_eq!(
            (missed.exit_code(), missed.text()),
            (7, "a: not as expected: /t < 30")
        );
    }
}
