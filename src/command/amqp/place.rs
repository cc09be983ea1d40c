//! Where in a stream a consumer goes on after a lost connection.

use std::collections::BTreeMap;

use crate::amqp::consumer::{Delivery, Offset};
use crate::message::AmqpValue;

/// The header by which a stream numbers its messages.
const HEADER: &str = "x-stream-offset";

/// How far a stream was read: other than a queue, it remembers nothing for us.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Behind the last message that was taken.
    next: Option<i64>,
    /// What commands still work on, by delivery tag.
    running: BTreeMap<u64, i64>,
}

impl Place {
    /// The delivery was taken; `running`: a command works on it, whose end is told by its tag.
    pub(crate) fn take(&mut self, delivery: &Delivery, running: bool) {
        let headers = &delivery.detail().properties.headers;
        let offset = headers.iter().find_map(|(name, value)| match value {
            AmqpValue::Int(offset) if *name == HEADER => Some(*offset),
            _ => None,
        });
        let Some(offset) = offset else { return };
        self.next = Some(offset.saturating_add(1));
        if running {
            self.running.insert(delivery.tag, offset);
        }
    }

    /// The command for this delivery has ended.
    pub(crate) fn end(&mut self, tag: u64) {
        self.running.remove(&tag);
    }

    /// Where to go on: with the first message that is not done.
    pub(crate) fn resume(&mut self) -> Option<Offset> {
        let first = self.running.values().min().copied();
        self.running.clear();
        self.next = first.or(self.next);
        self.next.map(Offset::At)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::message::{AmqpDetail, Detail, Message};

    fn delivery(tag: u64, offset: Option<i64>) -> Delivery {
        let mut detail = AmqpDetail::default();
        if let Some(offset) = offset {
            let header = (HEADER.into(), AmqpValue::Int(offset));
            detail.properties.headers.push(header);
        }
        Delivery {
            tag,
            message: Message {
                time: SystemTime::UNIX_EPOCH,
                topic: "s".into(),
                payload: "x".into(),
                detail: Detail::Amqp(Box::new(detail)),
            },
        }
    }

    #[test]
    fn it_goes_on_behind_the_last() {
        let mut place = Place::default();
        assert_eq!(place.resume(), None);
        place.take(&delivery(1, Some(41)), false);
        place.take(&delivery(2, None), false);
        assert_eq!(place.resume(), Some(Offset::At(42)));
    }

    #[test]
    fn what_commands_were_at_comes_again() {
        let mut place = Place::default();
        for (tag, offset) in [(1, 10), (2, 11), (3, 12)] {
            place.take(&delivery(tag, Some(offset)), true);
        }
        place.end(1);
        place.end(3);
        assert_eq!(place.resume(), Some(Offset::At(11)));
        assert_eq!(place.resume(), Some(Offset::At(11)));
    }
}
