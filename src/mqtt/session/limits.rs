//! What a server takes of messages, as it says in CONNACK (MQTT 5.0 §3.2.2.3).

use super::client::Unsendable;
use crate::mqtt::packet::{Properties, QoS};

/// What a server takes; it ends the connection over a message that goes beyond it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    maximum_qos: QoS,
    retain_available: bool,
    topic_alias_maximum: u16,
}

impl Limits {
    /// Those of a server that has said this.
    pub(crate) fn of(server: &Properties) -> Self {
        let maximum_qos = server.maximum_qos().and_then(QoS::from_level);
        Self {
            maximum_qos: maximum_qos.unwrap_or(QoS::ExactlyOnce),
            retain_available: server.retain_available() != Some(0),
            topic_alias_maximum: server.topic_alias_maximum().unwrap_or(0),
        }
    }

    /// Whether a message like this may be sent.
    ///
    /// # Errors
    /// The limit that it goes beyond.
    #[inline]
    pub(crate) fn check(&self, qos: QoS, retain: bool) -> Result<(), Unsendable> {
        if qos > self.maximum_qos {
            return Err(Unsendable::QosNotSupported(self.maximum_qos.level()));
        }
        if retain && !self.retain_available {
            return Err(Unsendable::RetainNotSupported);
        }
        Ok(())
    }

    /// Whether an alias that the user chose may be sent.
    ///
    /// # Errors
    /// The highest that may be.
    pub(crate) const fn check_alias(&self, alias: Option<u16>) -> Result<(), Unsendable> {
        match alias {
            Some(alias) if alias > self.topic_alias_maximum => {
                Err(Unsendable::TopicAliasNotSupported(self.topic_alias_maximum))
            }
            _ => Ok(()),
        }
    }

    /// The highest QoS of a message.
    pub(crate) const fn maximum_qos(&self) -> QoS {
        self.maximum_qos
    }

    /// The highest alias of a topic; 0: none.
    pub(crate) const fn topic_alias_maximum(&self) -> u16 {
        self.topic_alias_maximum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::Property;

    #[test]
    fn what_a_server_does_not_take_is_named() {
        let server = [
            Property::MaximumQos(1),
            Property::RetainAvailable(0),
            Property::TopicAliasMaximum(2),
        ];
        let limits = Limits::of(&server.into_iter().collect());
        assert_eq!(limits.check(QoS::AtLeastOnce, false), Ok(()));
        let refused = |refused: Result<(), Unsendable>| refused.unwrap_err().to_string();
        assert_eq!(
            refused(limits.check(QoS::ExactlyOnce, false)),
            "the server supports at most QoS 1"
        );
        assert_eq!(
            refused(limits.check(QoS::AtMostOnce, true)),
            "the server does not support retained messages"
        );
        assert_eq!(limits.check_alias(None), Ok(()));
        assert_eq!(limits.check_alias(Some(2)), Ok(()));
        assert_eq!(
            refused(limits.check_alias(Some(3))),
            "the server supports topic aliases up to 2"
        );
        let limits = Limits::of(&Properties::default());
        assert_eq!(limits.check(QoS::ExactlyOnce, true), Ok(()));
        assert_eq!(
            refused(limits.check_alias(Some(1))),
            "the server does not support topic aliases"
        );
    }
}
