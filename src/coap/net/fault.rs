//! What a server does wrong on purpose.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use crate::coap::code::Code;
use crate::coap::endpoint::Transport;
use crate::coap::frame;
use crate::coap::message::{Message, Token};
use crate::coap::random::Random;

/// Something that is done to messages: to every Nth, or to a share of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    kind: Kind,
    way: Way,
    when: When,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Drop,
    Delay(Duration),
    Duplicate,
    /// The next one overtakes it; when none comes for so long, it goes.
    Reorder(Duration),
    Reset,
    Token,
    Source,
}

/// Which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Those that come.
    In,
    /// Those that go.
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Always,
    Every(u64),
    Nth(u64),
    Share(f64),
}

/// The faults and their keys, as help lists them.
pub const FAULTS: &[(&str, &str)] = &[
    ("drop", "lose the message"),
    (
        "delay:by=TIME",
        "let it come later by TIME (default 1s), others overtake it",
    ),
    ("duplicate", "let it come twice"),
    (
        "reorder:by=TIME",
        "let the next one overtake it; when none comes for TIME (default 1s), it goes",
    ),
    (
        "reset",
        "reject the request by a reset; over TCP and WebSocket by closing the connection",
    ),
    ("token", "answer with a token that nobody has used"),
    ("source", "answer from another port (UDP and DTLS)"),
    ("every=N", "every Nth message only"),
    ("nth=N", "the Nth message only, counted from 1"),
    ("share=P%", "so many of a hundred, by chance"),
    (
        "way=in",
        "datagrams that come to the server, instead of messages that it sends",
    ),
];

const NAMES: &str = "drop, delay, duplicate, reorder, reset, token, source";

impl FromStr for Fault {
    type Err = String;

    /// Reads `NAME[:KEY=VALUE[,KEY=VALUE]...]`: `drop:every=3`, `delay:by=200ms`, `duplicate:share=5%,way=in`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (name, keys) = word.split_once(':').unwrap_or((word, ""));
        let second = Duration::from_secs(1);
        let kind = match name {
            "drop" => Kind::Drop,
            "delay" => Kind::Delay(second),
            "duplicate" => Kind::Duplicate,
            "reorder" => Kind::Reorder(second),
            "reset" => Kind::Reset,
            "token" => Kind::Token,
            "source" => Kind::Source,
            _ => return Err(format!("{name:?} is none of {NAMES}")),
        };
        let mut fault = Self {
            kind,
            way: Way::Out,
            when: When::Always,
        };
        for key in keys.split(',').filter(|key| !key.is_empty()) {
            fault.take(key)?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn take(&mut self, key: &str) -> Result<(), String> {
        let wrong = || {
            format!(
                "{key:?} is none of every=N, nth=N, share=P%, by=TIME (delay, reorder), way=in and way=out (not reset, token, source)"
            )
        };
        let (name, value) = key.split_once('=').ok_or_else(wrong)?;
        let number = value.parse::<u64>().ok().filter(|number| *number > 0);
        let one_way = matches!(self.kind, Kind::Reset | Kind::Token | Kind::Source);
        match (name, self.kind) {
            ("every", _) => self.when = When::Every(number.ok_or_else(wrong)?),
            ("nth", _) => self.when = When::Nth(number.ok_or_else(wrong)?),
            ("share", _) => {
                let percent = value.strip_suffix('%').unwrap_or(value).parse::<f64>();
                let percent = percent.ok().filter(|it| (0.0..=100.0).contains(it));
                self.when = When::Share(percent.ok_or_else(wrong)? / 100.0);
            }
            ("way", _) if value == "in" && !one_way => self.way = Way::In,
            ("way", _) if value == "out" && !one_way => self.way = Way::Out,
            ("by", Kind::Delay(_)) => self.kind = Kind::Delay(time(value).ok_or_else(wrong)?),
            ("by", Kind::Reorder(_)) => self.kind = Kind::Reorder(time(value).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

fn time(value: &str) -> Option<Duration> {
    humantime::parse_duration(value).ok()
}

/// How one copy of a message arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    /// So much later.
    pub(super) delay: Duration,
    /// No later than the next message of the same way and peer.
    pub(super) overtaken: bool,
    /// From another port.
    pub(super) elsewhere: bool,
}

/// All faults of a server, and how far each has counted.
pub(super) struct Faults {
    faults: Vec<(Fault, u64)>,
    random: Random,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.faults).finish()
    }
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self {
            faults: faults.into_iter().map(|fault| (fault, 0)).collect(),
            random: Random::from_system(),
        }
    }

    /// Whether everything is done right.
    pub(super) fn are_none(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether some answers come from another port.
    pub(super) fn need_another_port(&self) -> bool {
        self.faults.iter().any(|(it, _)| it.kind == Kind::Source)
    }

    /// Whether a request is rejected.
    pub(super) fn reset(&mut self) -> bool {
        self.struck(|it| it.kind == Kind::Reset).count() > 0
    }

    /// Whether a response gets a wrong token.
    pub(super) fn spoil_token(&mut self) -> bool {
        self.struck(|it| it.kind == Kind::Token).count() > 0
    }

    /// How the copies of a message arrive: nothing for a message that is lost.
    pub(super) fn fates(&mut self, way: Way) -> Vec<Disposition> {
        let apart = |kind| matches!(kind, Kind::Reset | Kind::Token);
        let mut copies = vec![Disposition::default()];
        for kind in self.struck(|it| it.way == way && !apart(it.kind)) {
            match kind {
                Kind::Drop => copies.clear(),
                Kind::Delay(by) => copies.iter_mut().for_each(|it| it.delay += by),
                Kind::Duplicate => copies.extend_from_within(..),
                Kind::Reorder(by) => copies.iter_mut().for_each(|it| {
                    it.delay += by;
                    it.overtaken = true;
                }),
                Kind::Source => copies.iter_mut().for_each(|it| it.elsewhere = true),
                Kind::Reset | Kind::Token => {}
            }
        }
        copies
    }

    /// Counts a message for the chosen faults; those that trigger it.
    fn struck(&mut self, chosen: impl Fn(&Fault) -> bool) -> impl Iterator<Item = Kind> {
        let Self { faults, random } = self;
        let mut trigger = |(fault, count): &mut (Fault, u64)| {
            *count += 1;
            let strikes = match fault.when {
                When::Always => true,
                When::Every(number) => count.is_multiple_of(number),
                When::Nth(number) => *count == number,
                When::Share(share) => random.fraction() < share,
            };
            strikes.then_some(fault.kind)
        };
        let chosen = faults.iter_mut().filter(|(fault, _)| chosen(fault));
        chosen
            .filter_map(&mut trigger)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// The code of a message as it stands on the wire; `None` for the signals of a connection (RFC 8323 §5).
pub(super) fn code_of(transport: Transport, bytes: &[u8]) -> Option<Code> {
    let code = decoded(transport, bytes).map(|it| it.code);
    code.filter(|it| !it.is_signal())
}

fn decoded(transport: Transport, bytes: &[u8]) -> Option<Message> {
    match transport {
        Transport::Datagram => Message::decode(bytes).ok(),
        Transport::WebSocket => frame::decode_websocket(bytes).ok(),
        Transport::Stream => {
            let mut decoder = frame::Decoder::new(usize::MAX);
            decoder.push(bytes);
            decoder.take().ok().flatten()
        }
    }
}

/// The same message with a token that nobody has used.
pub(super) fn with_another_token(transport: Transport, bytes: Bytes) -> Bytes {
    let Some(mut message) = decoded(transport, &bytes) else {
        return bytes;
    };
    let mut token = message.token.bytes().to_vec();
    match token.first_mut() {
        Some(byte) => *byte ^= 0xFF,
        None => token.push(0xFF),
    }
    // It is no longer than a token may be.
    message.token = Token::new(&token).unwrap_or_default();
    let written = match transport {
        Transport::Datagram => message.encode(),
        Transport::Stream => frame::encode_stream(&message),
        Transport::WebSocket => frame::encode_websocket(&message),
    };
    written.unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(words: &[&str]) -> Faults {
        Faults::new(words.iter().map(|it| it.parse().expect(it)).collect())
    }

    fn copies(words: &[&str], way: Way, count: usize) -> Vec<usize> {
        let mut faults = faults(words);
        (0..count).map(|_| faults.fates(way).len()).collect()
    }

    #[test]
    fn faults_strike_when_they_should() {
        assert_eq!(copies(&["drop:every=2"], Way::Out, 4), [1, 0, 1, 0]);
        assert_eq!(copies(&["drop:nth=1"], Way::Out, 3), [0, 1, 1]);
        assert_eq!(copies(&["duplicate"], Way::Out, 2), [2, 2]);
        assert_eq!(copies(&["drop:way=in"], Way::Out, 2), [1, 1]);
        assert_eq!(copies(&["drop:share=100%"], Way::Out, 2), [0, 0]);
        assert_eq!(copies(&["reset", "token"], Way::Out, 1), [1]);
    }

    #[test]
    fn copies_arrive_as_they_are_told() {
        let fate = Disposition {
            delay: Duration::from_millis(200),
            ..Disposition::default()
        };
        let delayed = faults(&["delay:by=200ms,every=1"]).fates(Way::Out);
        assert_eq!(delayed, [fate]);
        let overtaken = true;
        let reordered = faults(&["reorder:by=200ms"]).fates(Way::Out);
        assert_eq!(reordered, [Disposition { overtaken, ..fate }]);
        let elsewhere = faults(&["source"]).fates(Way::Out);
        assert!(elsewhere[0].elsewhere && faults(&["source"]).need_another_port());
    }

    #[test]
    fn tokens_and_resets_are_counted_apart_from_messages() {
        let mut faults = faults(&["token:nth=2", "reset:nth=1"]);
        faults.fates(Way::Out);
        assert!(faults.reset() && !faults.reset());
        assert!(!faults.spoil_token() && faults.spoil_token());
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for word in [
            "explode",
            "drop:by=1s",
            "drop:every=0",
            "delay:by=soon",
            "drop:share=101%",
            "drop:x",
            "reset:way=in",
            "source:by=1s",
        ] {
            assert!(word.parse::<Fault>().is_err(), "{word}");
        }
    }
}
