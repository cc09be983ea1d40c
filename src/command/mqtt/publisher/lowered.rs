//! Messages for a server that takes less than they ask for: they go to it as it takes them.

use super::Publisher;
use crate::mqtt::client::Connection;
use crate::mqtt::packet::{Publish, QoS};
use crate::mqtt::session::client::Unsendable;

/// What was told of it.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    qos: bool,
    retain: bool,
    /// A message that is to be retained is not sent otherwise.
    retains: bool,
}

impl<C: Connection> Publisher<C> {
    /// A message of a QoS that the server does not take is sent at the highest that it takes, and without RETAIN to one that
    /// retains nothing, instead of being refused; each is told once.
    pub(crate) fn lower(&mut self) {
        self.lowered = Some(Lowered::default());
    }

    /// The same of the QoS alone, of which nobody is told: nobody has asked for one.
    pub(crate) fn lower_qos(&mut self) {
        self.lowered = Some(Lowered {
            qos: true,
            retain: false,
            retains: true,
        });
    }

    /// Takes from a message what the server does not; `false`: it stays one that cannot be sent.
    pub(super) fn lowers(&mut self, publish: &mut Publish, why: &Unsendable) -> bool {
        let Some(lowered) = &mut self.lowered else {
            return false;
        };
        let (told, what) = match why {
            Unsendable::QosNotSupported(most) => {
                publish.qos = QoS::from_level(*most).unwrap_or_default();
                let what = match most {
                    0 => "at most QoS 0: messages of QoS 1 and 2 are sent at QoS 0",
                    _ => "at most QoS 1: messages of QoS 2 are sent at QoS 1",
                };
                (&mut lowered.qos, what)
            }
            Unsendable::RetainNotSupported if !lowered.retains => {
                publish.retain = false;
                let what = "no retained messages: they are sent without being retained";
                (&mut lowered.retain, what)
            }
            _ => return false,
        };
        if !std::mem::replace(told, true) {
            let server = self.client.target();
            self.notes.warn(format_args!("{server} supports {what}"));
        }
        true
    }
}
