//! What a server does wrong on purpose.

use std::time::Duration;

use bytes::Bytes;

use crate::coap::code::Code;
use crate::coap::endpoint::Transport;
use crate::coap::frame;
use crate::coap::message::{Message, Token};
use crate::error::Result;
use crate::server::{self, Keys, When, Wrong};

const FAULTS: &[(&str, &str)] = &[
    ("drop[:way=in]", "drops the message"),
    (
        "delay:by=DURATION[,way=in]",
        "delays the message, so that others overtake it",
    ),
    ("duplicate[:way=in]", "sends the message twice"),
    (
        "reorder[:by=DURATION][,way=in]",
        "holds the message back until the next one was sent, or for this long (default 1s)",
    ),
    (
        "reset",
        "rejects the request with a reset; over TCP and WebSocket by closing the connection",
    ),
    ("token", "responds with an unknown token"),
    ("source", "responds from another port (UDP and DTLS)"),
];

/// What some faults may have besides, for the help page and the man page.
pub(crate) const FAULT_KEYS: &[(&str, &str)] = &[(
    "way=in",
    "for datagrams received by the server; otherwise (way=out) for messages that it sends",
)];

/// Something that is done to messages; written `NAME[:KEY=VALUE[,KEY=VALUE…]]`.
pub(crate) type Fault = server::Fault<Injected>;

/// All faults of a server.
pub(super) type Faults = server::Faults<Injected>;

/// What is done, and to which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected {
    kind: Kind,
    way: Way,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Wrong for Injected {
    const FAULTS: &'static [(&'static str, &'static str)] = FAULTS;

    fn read(name: &str, keys: &mut Keys<'_>, _: When) -> Result<Option<Self>> {
        let kind = match name {
            "drop" => Kind::Drop,
            "delay" => Kind::Delay(keys.needed_duration("by")?),
            "duplicate" => Kind::Duplicate,
            "reorder" => Kind::Reorder(keys.duration("by")?.unwrap_or(Duration::from_secs(1))),
            "reset" => Kind::Reset,
            "token" => Kind::Token,
            "source" => Kind::Source,
            _ => return Ok(None),
        };
        let way = match kind {
            Kind::Reset | Kind::Token | Kind::Source => None,
            _ => keys.take("way"),
        };
        let way = match way {
            None | Some("out") => Way::Out,
            Some("in") => Way::In,
            Some(other) => return Err(keys.wrong(&format!("way={other} is neither in nor out"))),
        };
        Ok(Some(Self { kind, way }))
    }
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

impl Faults {
    /// Whether some answers come from another port.
    pub(super) fn need_another_port(&self) -> bool {
        self.any(|it| it.kind == Kind::Source)
    }

    /// Whether a request is rejected.
    pub(super) fn reset(&mut self) -> bool {
        self.strikes(Kind::Reset)
    }

    /// Whether a response gets a wrong token.
    pub(super) fn spoil_token(&mut self) -> bool {
        self.strikes(Kind::Token)
    }

    /// How the copies of a message arrive: nothing for a message that is lost.
    pub(super) fn fates(&mut self, way: Way) -> Vec<Disposition> {
        let apart = |kind| matches!(kind, Kind::Reset | Kind::Token);
        let mut copies = vec![Disposition::default()];
        let wanted = |it: &Injected| (it.way == way && !apart(it.kind)).then_some(it.kind);
        for kind in self.all(wanted) {
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

    fn strikes(&mut self, kind: Kind) -> bool {
        self.first(|it| (it.kind == kind).then_some(())).is_some()
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
        let read: Vec<Fault> = words.iter().map(|it| it.parse().expect(it)).collect();
        Faults::new(&read)
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
        assert_eq!(copies(&["drop:percent=100"], Way::Out, 2), [0, 0]);
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
    fn every_documented_fault_is_read() {
        for (usage, _) in FAULTS {
            let text = usage.replace(['[', ']'], "").replace("DURATION", "50ms");
            // Two keys, of which each may be left out.
            let text = text.replace("50ms,", "50ms,every=2,");
            assert!(text.parse::<Fault>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        let table = [
            (
                "explode",
                "unknown fault explode",
                "the faults are drop, delay, duplicate",
            ),
            (
                "drop:by=1s",
                "fault drop: unknown key by",
                "its keys are every, nth, percent, way",
            ),
            ("delay", "fault delay: by= is missing", ""),
            (
                "drop:share=5%",
                "fault drop: unknown key share",
                "use percent=5, a whole number",
            ),
            (
                "drop:way=up",
                "fault drop: way=up is neither in nor out",
                "",
            ),
            (
                "reset:way=in",
                "fault reset: unknown key way",
                "its keys are every, nth, percent",
            ),
        ];
        for (text, expected, hint) in table {
            let error = text.parse::<Fault>().unwrap_err();
            assert_eq!(error.text(), expected);
            assert!(
                error.hint_text().unwrap_or_default().contains(hint),
                "{error}"
            );
        }
    }
}
