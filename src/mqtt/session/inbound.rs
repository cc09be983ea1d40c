//! The receiver's side of QoS 1 and 2 (MQTT 5.0 §4.3): what was received and not yet released.

use std::collections::HashSet;

/// What a QoS 2 PUBLISH turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Not seen before: to be delivered, then answered with PUBREC.
    Fresh,
    /// Sent again before its PUBREL: to be answered with PUBREC and not delivered again.
    Repeated,
}

/// The packet identifiers of QoS 2 messages between PUBLISH and PUBREL.
///
/// Session state: it outlives the network connection.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    unreleased: HashSet<u16>,
}

impl Inbound {
    /// Notes a QoS 2 PUBLISH.
    pub(crate) fn publish(&mut self, packet_id: u16) -> Arrival {
        if self.unreleased.insert(packet_id) {
            Arrival::Fresh
        } else {
            Arrival::Repeated
        }
    }

    /// Whether a message with this identifier waits for its PUBREL.
    pub(crate) fn holds(&self, packet_id: u16) -> bool {
        self.unreleased.contains(&packet_id)
    }

    /// Forgets a message that was refused with a failing PUBREC: its identifier is free again (MQTT 5.0 §4.3.3).
    pub(crate) fn refuse(&mut self, packet_id: u16) {
        self.unreleased.remove(&packet_id);
    }

    /// Notes a PUBREL; false for an identifier that is not known, which is answered with PUBCOMP all the
    /// same (reason 0x92 in MQTT 5): after a lost PUBCOMP the sender asks again.
    pub(crate) fn release(&mut self, packet_id: u16) -> bool {
        self.unreleased.remove(&packet_id)
    }

    /// How many messages wait for their PUBREL.
    pub(crate) fn len(&self) -> usize {
        self.unreleased.len()
    }

    /// Forgets everything: the session is gone.
    pub(crate) fn clear(&mut self) {
        self.unreleased.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_before_release_is_known_and_one_after_it_is_fresh() {
        let mut inbound = Inbound::default();
        assert_eq!(inbound.publish(7), Arrival::Fresh);
        assert_eq!(inbound.publish(7), Arrival::Repeated);
        assert!(inbound.release(7));
        assert!(!inbound.release(7));
        assert_eq!(inbound.publish(7), Arrival::Fresh);
    }
}
