//! What a client does without because its server has it so: a version, being known as a bridge, its session.

use std::time::{Duration, Instant};

use super::{Client, Link, Notice};
use crate::mqtt::packet::{ReasonCode, Version};
use crate::mqtt::session::fault::Fault;

/// Who takes over a session twice in this time is another client, and not what is left of an earlier run.
const TAKEN_OVER: Duration = Duration::from_secs(60);

impl Client {
    /// Tells what the first connection does without.
    pub(super) fn note_concessions(&mut self) {
        if let Some(connect) = self.unanswered.take() {
            if connect.version != self.session.version() {
                self.notices.push(Notice::FellBack);
            }
            if connect.bridge && !self.session.is_bridge() {
                self.notices.push(Notice::NoBridge);
            }
        }
        if let Some((granted, asked)) = self.session.kept_less() {
            self.notices.push(Notice::KeptLess { granted, asked });
        }
    }

    pub(super) fn may_take_back(&mut self, fault: &Fault) -> bool {
        let taken_over =
            matches!(fault, Fault::Closed(it) if it.reason == ReasonCode::SESSION_TAKEN_OVER);
        if !taken_over || !self.takes_back {
            return false;
        }
        let now = Instant::now();
        let before = self.taken_over.replace(now);
        before.is_none_or(|before| now - before > TAKEN_OVER)
    }

    pub(super) fn falls_back(&mut self, fault: &Fault) -> bool {
        if !fault.is_about_the_version() {
            return false;
        }
        if self.may_fall_back && self.session.version() == Version::V5 {
            self.session.lost();
            self.session.fall_back();
            self.notices.push(Notice::FellBack);
        } else if self.session.is_bridge() {
            self.session.lost();
            self.session.be_no_bridge();
            self.notices.push(Notice::NoBridge);
        } else {
            return false;
        }
        self.link = Link::Down;
        true
    }

    /// Whether closing the connection was all the server's answer to what it may not know: MQTT 5, or bridges.
    pub(super) fn may_be_older(&self) -> bool {
        let asks_much =
            self.may_fall_back && self.session.version() == Version::V5 || self.session.is_bridge();
        asks_much && !self.ever_online && self.first_bytes.is_none()
    }

    pub(super) fn try_older(&mut self) {
        self.session.lost();
        let before = match self.session.version() {
            Version::V5 => self.session.fall_back(),
            Version::V31 | Version::V311 => self.session.be_no_bridge(),
        };
        self.unanswered.get_or_insert(before);
        self.link = Link::Down;
    }
}
