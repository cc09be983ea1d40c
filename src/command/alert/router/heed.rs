//! What others do and say: acknowledgements, alarms that explain ours, devices that are not there.

use bytestring::ByteString;

use super::super::keys;
use super::super::others::Said;
use super::{Parts, Watch};
use crate::flow::alarm::Millis;
use crate::message::Message;

impl Watch {
    /// Looks at what others do: acknowledgements, and alarms that explain ours. Whether the message is one of these.
    pub(super) fn heed(&mut self, name: &ByteString, message: &Message, now: Millis) -> bool {
        let pattern = self.parts.acknowledgements.as_ref();
        if let Some(key) = pattern.and_then(|it| keys::key(it, name)) {
            self.parts.alarms.acknowledge(&key);
            return true;
        }
        let said = self.parts.others.see(name, message);
        if said == Said::Ended {
            self.look_again(now);
        }
        let gone = self.parts.gone.see(name, message);
        if gone == Said::Begun {
            let (_, _, now) = self.times(message, now);
            self.time_passed(now);
            self.miss(None, Some(name), now);
        }
        [said, gone] != [Said::Nothing; 2]
    }

    /// The alarms of a device that has said at this topic that it is offline, or this one if its device is, hear nothing more.
    pub(super) fn miss(&mut self, key: Option<&str>, topic: Option<&ByteString>, now: Millis) {
        let Self { parts, notices, .. } = self;
        let Parts {
            alarms,
            keys,
            others,
            gone,
            ..
        } = parts;
        let gone = |it: &str| key.is_none_or(|key| key == it) && gone.covers(topic, keys, it);
        alarms.miss(&gone, now, &|key| others.cover(keys, key), notices);
    }

    fn look_again(&mut self, now: Millis) {
        self.alarms(|alarms, muted, notices| alarms.look_again(now, muted, notices));
    }
}
