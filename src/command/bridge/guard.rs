//! Maps that would carry a message round and round, and patterns that no message has: what is refused at the beginning, and in a file
//! that is read again.

use super::topics::{self, Map};
use super::{Place, Side};
use crate::command::ends::{End, SourceEnd, TargetEnd, is_same};
use crate::connect::Protocol;
use crate::error::{Error, Result};

/// What is known of the two servers before anything is connected.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// What users call each of them, and the protocol that it speaks.
    places: [(String, Option<Protocol>); 2],
    /// Both are one.
    one: bool,
    /// One of them is one of ours, which sends nobody what it was sent.
    gateway: bool,
    /// One of them is told nothing of whom a message has crossed, and does not say it.
    blind: bool,
}

impl Guard {
    /// Of the servers that these sources and targets are at.
    ///
    /// # Errors
    /// A context that does not tell its protocol.
    pub(super) fn of(
        places: &[Place; 2],
        sources: &[(Side, SourceEnd)],
        targets: &[TargetEnd],
    ) -> Result<Self> {
        let mut pairs = sources.iter().zip(targets);
        let one = pairs
            .next()
            .is_some_and(|((_, source), target)| is_same(&source.name(), &target.name()));
        // Port 0 is another one each time.
        let is_free =
            |place: &Place| matches!(&place.end, End::Listen(listen) if listen.address.port() == 0);
        let named =
            |place: &Place| -> Result<_> { Ok((place.end.to_string(), place.end.protocol()?)) };
        let [from, to] = places;
        let mut protocols = targets.iter().filter_map(TargetEnd::protocol);
        Ok(Self {
            places: [named(from)?, named(to)?],
            one: one && !places.iter().any(is_free),
            gateway: places.iter().any(|it| matches!(it.end, End::Listen(_))),
            blind: protocols.any(|it| it == Protocol::Coap),
        })
    }

    /// Refuses what cannot go well.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) that names the maps, with lines that would part them.
    pub(super) fn check(&self, maps: &[Map]) -> Result<()> {
        let fed = topics::feeding_itself(maps);
        if self.one && !fed.is_empty() {
            let shown: Vec<String> = fed.iter().map(ToString::to_string).collect();
            let text = format!(
                "both ends are the same server, so {} would loop",
                shown.join(" and ")
            );
            let parts = topics::parting(&fed, |maps| !topics::feeding_itself(maps).is_empty());
            return Err(Error::usage(text).hint(apart(parts)));
        }
        if let Some((out, back)) = topics::feeding(maps)
            && self.blind
            && !self.gateway
        {
            let text = format!("these two feed each other: {out}, and back {back}");
            let parts = topics::parting(&[out, back], |maps| topics::feeding(maps).is_some());
            return Err(Error::usage(text).hint(apart(parts)));
        }
        maps.iter().try_for_each(|map| self.check_pattern(map))
    }

    /// Refuses a pattern that is a binding key, and no topic.
    fn check_pattern(&self, map: &Map) -> Result<()> {
        let (name, protocol) = &self.places[map.side.index()];
        let dotted = map.filter.replace("spBv1.0", "").contains('.');
        if !dotted || *protocol != Some(Protocol::Amqp) {
            return Ok(());
        }
        let text = format!(
            "--topic {}: no message of {name} has such a topic",
            map.filter
        );
        Err(Error::usage(text)
            .hint("write / where a routing key has a dot, and + and # for * and #"))
    }
}

/// How maps are kept apart, with lines that do it.
fn apart(lines: Option<Vec<String>>) -> String {
    let lines = lines.unwrap_or_default();
    let lines: Vec<String> = lines.iter().map(|line| format!("'{line}'")).collect();
    match lines.as_slice() {
        [] => String::from("use prefixes that keep the topics apart"),
        lines => format!(
            "use prefixes that keep the topics apart, such as -t {}",
            lines.join(" -t ")
        ),
    }
}

#[cfg(test)]
impl Guard {
    /// Of two servers of MQTT, or of one.
    pub(super) fn of_mqtt(one: bool) -> Self {
        let place = |name: &str| (name.to_owned(), Some(Protocol::Mqtt));
        Self {
            places: [place("mqtt://a"), place("mqtt://b")],
            one,
            gateway: false,
            blind: false,
        }
    }
}
