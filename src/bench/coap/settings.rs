//! What a load is to be, and what a reader of its report must know.

use std::time::Duration;

use super::super::clock::{Nanos, nanos};
use super::super::plan::Load;
use super::super::result::Report;
use super::super::stamp::Room;
use super::figures::{EARLY_IDS, PARTIAL};
use super::ids::{EXCHANGE_LIFETIME, NON_LIFETIME};
use super::mix::Mix;
use super::rto::RtoEstimator;
use super::session::{Group, Role};
use super::template::{Body, Kind, carries};
use crate::coap::option::Options;
use crate::coap::uri::Uri;
use crate::coap::wire::Framing;
use crate::error::{counted, counted_were};

/// The largest body that a server should get in one message without asking for it in blocks (RFC 7252 §4.6).
const LARGEST_USUAL: usize = 1024;

/// Who asks whom for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Sockets send requests.
    Request,
    /// Each message is a ping.
    Ping,
    /// Each message of the load is a connection.
    Churn,
    /// Sockets are open.
    Idle,
}

/// A CoAP load, complete.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who asks whom for what.
    pub scenario: Scenario,
    /// What is asked for; `{client}` and `{seq}` in path and query are filled in.
    pub uri: Uri,
    /// Options beside those of the URI.
    pub options: Options,
    /// By which methods.
    pub mix: Mix,
    /// Requests are sent again until acknowledged.
    pub confirmable: bool,
    /// What they carry, where the method has a body.
    pub body: Body,
    /// How many sockets.
    pub sockets: usize,
    /// How many more that observe.
    pub observers: usize,
    /// When requests are sent.
    pub load: Load,
    /// Requests under way on a socket at most.
    pub window: usize,
    /// How long to wait for a response before a request is given up.
    pub timeout: Duration,
    /// ACK_TIMEOUT (RFC 7252 §4.8).
    pub ack_timeout: Duration,
    /// MAX_RETRANSMIT.
    pub max_retransmit: u8,
    /// Of this run.
    pub run_id: u64,
    /// Of everything random.
    pub seed: u64,
}

impl Settings {
    /// How many sockets it needs, over all shards.
    pub const fn connections(&self) -> usize {
        self.sockets + self.observers
    }

    pub(super) fn group(&self, framing: Framing) -> Group {
        let role = match self.scenario {
            Scenario::Request => Role::Ask,
            Scenario::Ping => Role::Ping,
            Scenario::Churn => Role::Connect,
            Scenario::Idle => Role::Idle,
        };
        self.group_of(role, framing)
    }

    pub(super) fn group_of(&self, role: Role, framing: Framing) -> Group {
        let datagrams = framing == Framing::Datagrams;
        let asks_once = matches!(role, Role::Ping | Role::Observe);
        Group {
            role,
            framing,
            kind: Kind {
                uri: self.uri.clone(),
                options: self.options.clone(),
                confirmable: self.confirmable,
                filling: self.body.filling(),
                body: self.body.clone(),
                seed: self.seed,
            },
            mix: self.mix.clone(),
            patience: RtoEstimator {
                repeats: datagrams && (self.confirmable || asks_once),
                first: nanos(self.ack_timeout),
                most: self.max_retransmit,
                whole: nanos(self.timeout),
            },
            lifetime: self.lifetime(),
            window: self.window,
            run_id: self.run_id,
            observers: self.observers,
        }
    }

    /// What a reader must know of the run after it.
    pub fn judge(&self, report: &Report) -> Vec<String> {
        let count = |name: &str| report.counts.get(name).copied().unwrap_or(0);
        let mut told = Vec::new();
        let early = count(EARLY_IDS);
        if early > 0 {
            let seconds = self.lifetime() / 1_000_000_000;
            told.push(format!(
                "{} reused a message ID within {seconds} s, so a server may take them for duplicates: a socket has 65,535 IDs, enough for {} requests per second; use more sockets",
                counted(early, "message"),
                65_535 / seconds
            ));
        }
        let partial = count(PARTIAL);
        if partial > 0 {
            told.push(format!(
                "{} the first block of a larger body; the rest was not requested",
                counted_were(partial, "response")
            ));
        }
        if self.observers > 0 && report.messages.received == 0 {
            told.push(String::from("no observer received a notification"));
        }
        let missing = report.messages.missing;
        if self.observers > 0 && missing > 0 {
            told.push(format!(
                "{} missing: a server may skip states that are soon replaced (RFC 7641 §1.3)",
                counted_were(missing, "notification")
            ));
        }
        told
    }

    const fn lifetime(&self) -> Nanos {
        match self.confirmable {
            true => EXCHANGE_LIFETIME,
            false => NON_LIFETIME,
        }
    }

    pub(super) fn warnings(&self, framing: Framing) -> Vec<String> {
        let mut warnings = Vec::new();
        let carry = self.scenario == Scenario::Request
            && self.mix.methods().iter().any(|code| carries(*code));
        let (least, most) = self.body.sizes();
        if carry && self.body.is_stamped() && Room::of(least) == Room::Nothing {
            warnings.push(String::from(
                "payloads under 8 bytes have no room for a stamp, so observers cannot measure latency",
            ));
        }
        if carry && framing == Framing::Datagrams && most > LARGEST_USUAL {
            warnings.push(format!(
                "bodies of up to {most} bytes are sent in one datagram each, not in blocks; servers may refuse them"
            ));
        }
        warnings
    }
}
