//! What a load is to be, and the groups and drivers that it becomes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::super::clock::{Nanos, nanos};
use super::super::driver::{Dialing, Driver, Session};
use super::super::plan::{Group as Planned, Load};
use super::super::result::Report;
use super::super::stamp::Room;
use super::figures::{EARLY_IDS, PARTIAL};
use super::ids::{EXCHANGE_LIFETIME, NON_LIFETIME};
use super::observer::Observer;
use super::opener::Opener;
use super::patience::Patience;
use super::session::{CoapSession, Group, Role};
use super::template::{Kind, Template, carries};
use super::wire::Framing;
use crate::coap::code::Code;
use crate::coap::option::Options;
use crate::coap::uri::Uri;
use crate::error::{Error, Result};

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

/// What requests with a body carry.
#[derive(Clone, Debug)]
pub enum Body {
    /// A stamp, filled up to between `least` and `most` bytes.
    Sized {
        /// At least.
        least: usize,
        /// At most.
        most: usize,
    },
    /// These bytes as they are.
    Verbatim(Bytes),
}

/// Methods, and how often each has its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    methods: Vec<Code>,
    /// Over and over.
    turns: Vec<u8>,
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

/// Groups for the engine, with a driver for each.
pub struct Made {
    /// For the plan.
    pub groups: Vec<Planned>,
    /// In the same order.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

impl Body {
    /// The fewest and the most bytes.
    pub(super) const fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Sized { least, most } => (*least, *most),
            Self::Verbatim(bytes) => (bytes.len(), bytes.len()),
        }
    }

    pub(super) const fn is_stamped(&self) -> bool {
        matches!(self, Self::Sized { .. })
    }

    fn filling(&self) -> Bytes {
        match self {
            Self::Sized { most, .. } => Bytes::from(vec![b'.'; *most]),
            Self::Verbatim(bytes) => bytes.clone(),
        }
    }
}

impl Mix {
    /// Each method as often as its weight says, spread as evenly as can be.
    ///
    /// # Errors
    /// None at all, or too many turns.
    pub fn new(weights: &[(Code, u32)]) -> Result<Self> {
        let whole: u32 = weights.iter().map(|(_, weight)| *weight).sum();
        if !(1..=10_000).contains(&whole) {
            return Err(Error::usage("the weights of a mix are 1 to 10000 together"));
        }
        // Who has waited longest, measured in turns, is next.
        let mut waited = vec![0_i64; weights.len()];
        let mut turns = Vec::with_capacity(whole as usize);
        for _ in 0..whole {
            for (waited, (_, weight)) in waited.iter_mut().zip(weights) {
                *waited += i64::from(*weight);
            }
            let longest = (0..waited.len()).max_by_key(|at| (waited[*at], usize::MAX - at));
            let next = longest.unwrap_or_default();
            waited[next] -= i64::from(whole);
            turns.push(next as u8);
        }
        Ok(Self {
            methods: weights.iter().map(|(code, _)| *code).collect(),
            turns,
        })
    }

    /// The methods.
    pub fn methods(&self) -> &[Code] {
        &self.methods
    }

    /// Which of the methods message `sequence` has.
    #[inline]
    pub(super) fn turn(&self, sequence: u64) -> usize {
        match self.turns.as_slice() {
            [one] => usize::from(*one),
            turns => usize::from(turns[(sequence % turns.len() as u64) as usize]),
        }
    }
}

impl Settings {
    /// How many sockets it needs, over all shards.
    pub const fn connections(&self) -> usize {
        self.sockets + self.observers
    }

    /// The groups and drivers, all to connect through `opener`.
    ///
    /// # Errors
    /// Requests that no message can carry; no sockets at all.
    pub fn make(&self, opener: &Arc<Opener>) -> Result<Made> {
        if self.connections() == 0 {
            return Err(Error::usage("no sockets: nothing to do"));
        }
        let framing = opener.framing();
        let mut made = Made {
            groups: Vec::new(),
            drivers: Vec::new(),
            warnings: self.warnings(framing),
        };
        // Observers are first: they are open before anything is sent.
        if self.observers > 0 {
            self.check_observed()?;
            let group = self.group_of(Role::Observe, framing);
            self.add(&mut made, "observers", group, self.observers, opener);
        }
        if self.sockets > 0 {
            let group = self.group(framing);
            for code in self.mix.methods() {
                Template::new(&group.kind, *code, self.sockets, framing)?;
            }
            self.add(&mut made, "sockets", group, self.sockets, opener);
        }
        Ok(made)
    }

    fn check_observed(&self) -> Result<()> {
        let mut texts = self.uri.path.iter().chain(&self.uri.query);
        match texts.any(|text| text.contains("{seq}")) {
            true => Err(Error::usage("observers need a path without {seq}")),
            false => Ok(()),
        }
    }

    fn add(
        &self,
        made: &mut Made,
        name: &str,
        group: Group,
        connections: usize,
        opener: &Arc<Opener>,
    ) {
        let silent = matches!(group.role, Role::Idle | Role::Observe);
        let before = made.groups.iter().map(|group| group.connections).sum();
        made.groups.push(Planned {
            name: name.to_owned(),
            connections,
            load: (!silent).then(|| self.load.clone()),
        });
        made.drivers.push(Arc::new(CoapDriver {
            group: Arc::new(group),
            opener: Arc::clone(opener),
            before,
        }));
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
            patience: Patience {
                repeats: datagrams && (self.confirmable || asks_once),
                first: nanos(self.ack_timeout),
                most: self.max_retransmit,
                whole: nanos(self.timeout),
            },
            lifetime: self.lifetime(),
            window: self.window,
            run_id: self.run_id,
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
                "{early} messages had a message id that their socket had used within {seconds} s, and a server may answer \
                 those from memory: a socket has 65,535 ids, {} requests a second; more sockets share the load",
                65_535 / seconds
            ));
        }
        let partial = count(PARTIAL);
        if partial > 0 {
            told.push(format!(
                "{partial} responses were the first block of a larger body, of which no more was asked for"
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

    fn warnings(&self, framing: Framing) -> Vec<String> {
        let mut warnings = Vec::new();
        let carry = self.scenario == Scenario::Request
            && self.mix.methods().iter().any(|code| carries(*code));
        let (least, most) = self.body.sizes();
        if carry && self.body.is_stamped() && Room::of(least) == Room::Nothing {
            warnings.push(String::from(
                "payloads under 8 bytes have no room for a stamp: observers cannot measure latency with them",
            ));
        }
        if carry && framing == Framing::Datagrams && most > LARGEST_USUAL {
            warnings.push(format!(
                "bodies of up to {most} bytes travel in one datagram each, not in blocks: servers may refuse them"
            ));
        }
        warnings
    }
}

struct CoapDriver {
    group: Arc<Group>,
    opener: Arc<Opener>,
    /// Connections of the groups before this one.
    before: usize,
}

impl Driver for CoapDriver {
    fn dial(&self, index: usize) -> Dialing {
        self.opener.dial(self.before + index)
    }

    fn session(&self, index: usize, sender: u32) -> Box<dyn Session> {
        let group = Arc::clone(&self.group);
        match group.role {
            Role::Observe => Box::new(Observer::new(group, index, sender)),
            _ => Box::new(CoapSession::new(group, index, sender)),
        }
    }

    fn receivers(&self, _: usize) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_spread_evenly() {
        let mix = Mix::new(&[(Code::GET, 3), (Code::PUT, 1)]).unwrap();
        let turns: Vec<usize> = (0..8).map(|sequence| mix.turn(sequence)).collect();
        assert_eq!(turns, [0, 0, 1, 0, 0, 0, 1, 0]);
        assert!(Mix::new(&[]).is_err());
        assert!(Mix::new(&[(Code::GET, 20_000)]).is_err());
    }
}
