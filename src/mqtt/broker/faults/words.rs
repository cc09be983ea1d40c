//! Reads `ACTION[:KEY=VALUE[,KEY=VALUE…]]`.

use super::{Action, FAULTS, Injected, Kind};
use crate::error::Result;
use crate::mqtt::packet::ReasonCode;
use crate::mqtt::topic;
use crate::server::{Keys, When, Wrong};

impl Wrong for Injected {
    const FAULTS: &'static [(&'static str, &'static str)] = FAULTS;

    fn read(name: &str, keys: &mut Keys<'_>, when: When) -> Result<Option<Self>> {
        let client = keys.take("client").map(str::to_owned);
        let Some(action) = action(name, keys, when)? else {
            return Ok(None);
        };
        let kind = match (name, action) {
            ("no-suback", _) => Some(Kind::SubAck),
            (_, Action::DropAck | Action::DelayAck(_) | Action::DuplicateAck) => keys.kind()?,
            _ => None,
        };
        let topic = if has_topic(action) {
            keys.topic()?
        } else {
            None
        };
        Ok(Some(Self {
            action,
            kind,
            client,
            topic,
        }))
    }
}

/// Whether what happens, happens on a topic.
const fn has_topic(action: Action) -> bool {
    matches!(
        action,
        Action::DropPublish
            | Action::DelayPublish(_)
            | Action::DuplicatePublish
            | Action::ReorderPublish
            | Action::RefusePublish(_)
            | Action::RefuseSubscribe(_)
    )
}

fn action(name: &str, keys: &mut Keys<'_>, when: When) -> Result<Option<Action>> {
    Ok(Some(match name {
        "drop-ack" | "no-suback" => Action::DropAck,
        "delay-ack" => Action::DelayAck(keys.needed_duration("by")?),
        "duplicate-ack" => Action::DuplicateAck,
        "drop-publish" => Action::DropPublish,
        "delay-publish" => Action::DelayPublish(keys.needed_duration("by")?),
        "duplicate-publish" => Action::DuplicatePublish,
        "reorder-publish" => Action::ReorderPublish,
        "close" => match keys.number("after")? {
            None if when == When::Always => return Err(keys.wrong("needs after=N or every=N")),
            after => Action::Close { after },
        },
        "refuse-connect" => Action::RefuseConnect(keys.code()?),
        "refuse-publish" => Action::RefusePublish(keys.code()?),
        "refuse-subscribe" => Action::RefuseSubscribe(keys.code()?),
        "forget-sessions" => Action::ForgetSessions,
        "stall" => Action::Stall {
            after: keys.needed_number("after")?,
            during: keys.duration("for")?,
        },
        "malformed" => Action::Malformed {
            after: keys.needed_number("after")?,
        },
        "dribble" => Action::Dribble,
        "server-keep-alive" => Action::ServerKeepAlive(keys.seconds()?),
        _ => return Ok(None),
    }))
}

/// What only these faults have.
trait PacketKeys {
    /// Whole seconds.
    fn seconds(&mut self) -> Result<u16>;

    /// A failing reason code, decimal or as `0x87`.
    fn code(&mut self) -> Result<ReasonCode>;

    fn kind(&mut self) -> Result<Option<Kind>>;

    fn topic(&mut self) -> Result<Option<String>>;
}

impl PacketKeys for Keys<'_> {
    fn seconds(&mut self) -> Result<u16> {
        let text = self.take("seconds");
        let text = self.needed("seconds", text)?;
        let wrong = |_| self.wrong(&format!("seconds={text} is not a number up to 65535"));
        text.parse().map_err(wrong)
    }

    /// A failing reason code, decimal or as `0x87`.
    fn code(&mut self) -> Result<ReasonCode> {
        let text = self.take("code");
        let text = self.needed("code", text)?;
        let code = match text.strip_prefix("0x") {
            Some(hex) => u8::from_str_radix(hex, 16),
            None => text.parse(),
        };
        let code = code.ok().map(ReasonCode).filter(|code| code.is_failure());
        code.ok_or_else(|| {
            self.wrong(&format!(
                "code={text} is not a reason code from 0x80 to 0xff"
            ))
        })
    }

    fn kind(&mut self) -> Result<Option<Kind>> {
        let Some(text) = self.take("packet") else {
            return Ok(None);
        };
        let wrong = || {
            let known = Kind::NAMES.join(", ");
            self.wrong(&format!("unknown packet {text}"))
                .hint(format!("the packets are {known}"))
        };
        Kind::named(text).ok_or_else(wrong).map(Some)
    }

    fn topic(&mut self) -> Result<Option<String>> {
        let Some(text) = self.take("topic") else {
            return Ok(None);
        };
        topic::check_filter(text).map_err(|error| self.wrong(&error.to_string()))?;
        Ok(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Fault;
    use super::*;

    fn parsed(text: &str) -> Fault {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_documented_fault_is_read() {
        for (usage, _) in FAULTS {
            let text = usage.replace(['[', ']'], "").replace("DURATION", "50ms");
            let text = text
                .replace("CODE", "0x87")
                .replace("KIND", "puback")
                .replace("=N", "=3");
            parsed(&text);
        }
    }

    #[test]
    fn keys_become_values() {
        assert_eq!(
            *parsed("delay-ack:by=1s,packet=pubrec,every=3,client=dev").wrong(),
            Injected {
                action: Action::DelayAck(Duration::from_secs(1)),
                kind: Some(Kind::PubRec),
                client: Some(String::from("dev")),
                topic: None,
            }
        );
        assert_eq!(parsed("no-suback"), parsed("drop-ack:packet=suback"));
        assert_eq!(
            parsed("refuse-publish:code=135").wrong().action,
            Action::RefusePublish(ReasonCode(0x87))
        );
    }

    #[test]
    fn what_is_unknown_or_missing_is_named() {
        let table = [
            ("drop", "unknown fault drop", "drop-ack, delay-ack"),
            ("delay-ack", "fault delay-ack: by= is missing", ""),
            (
                "drop-ack:packet=x",
                "fault drop-ack: unknown packet x",
                "puback, pubrec",
            ),
            (
                "drop-publish:packet=puback",
                "fault drop-publish: unknown key packet",
                "every, nth, percent, client",
            ),
            ("close", "fault close: needs after=N or every=N", ""),
            (
                "close:after=0",
                "fault close: after=0 is not a number from 1",
                "",
            ),
            (
                "refuse-connect:code=0",
                "fault refuse-connect: code=0 is not a reason code from 0x80 to 0xff",
                "",
            ),
            ("dribble:x", "fault dribble: expected KEY=VALUE, not x", ""),
            (
                "dribble:every=1,nth=2",
                "fault dribble: every, nth and percent exclude each other",
                "",
            ),
            (
                "delay-ack:by=x",
                "fault delay-ack: by=x is not a duration such as 50ms",
                "",
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
