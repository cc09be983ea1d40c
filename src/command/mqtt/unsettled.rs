//! What a subscription has handed out, and nobody has settled.

use std::collections::VecDeque;

use crate::mqtt::packet::{Publish, QoS};
use crate::mqtt::session::client::Session;

/// A run of arrivals that are not settled, all of them acknowledged, or none.
struct Run {
    acknowledged: bool,
    length: u64,
}

/// What was handed out and not settled.
#[derive(Default)]
pub(super) struct Unsettled(VecDeque<Run>);

impl Unsettled {
    /// A message was handed out.
    #[inline]
    pub(super) fn handed_out(&mut self, publish: &Publish) {
        // Without an identifier its connection is gone.
        let acknowledged = publish.qos != QoS::AtMostOnce && publish.packet_id != 0;
        match self.0.back_mut() {
            Some(run) if run.acknowledged == acknowledged => run.length += 1,
            _ => self.0.push_back(Run {
                acknowledged,
                length: 1,
            }),
        }
    }

    /// The first `count` are done with: acknowledges them, and says how many acknowledgements that took.
    pub(super) fn settle(&mut self, count: u64, session: &mut Session) -> u64 {
        let (mut left, mut acknowledged) = (count, 0);
        while let Some(run) = self.0.front_mut().filter(|_| left > 0) {
            let length = run.length.min(left);
            acknowledged += if run.acknowledged { length } else { 0 };
            left -= length;
            run.length -= length;
            if run.length == 0 {
                self.0.pop_front();
            }
        }
        if self.0.is_empty() {
            session.accept();
        } else {
            // A window is 16 bits wide.
            session.accept_first(acknowledged as usize);
        }
        acknowledged
    }

    /// Their connection is gone.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
