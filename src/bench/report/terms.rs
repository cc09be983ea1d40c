//! What the words of a report mean: for the man page, the help, and the line under each table.

/// A word of a report.
#[derive(Debug)]
pub(crate) struct Term {
    /// As it stands in reports.
    pub(crate) name: &'static str,
    /// In a few words, for the line under a table.
    pub(crate) brief: &'static str,
    /// In full.
    pub(crate) meaning: &'static str,
}

const fn term(name: &'static str, brief: &'static str, meaning: &'static str) -> Term {
    Term {
        name,
        brief,
        meaning,
    }
}

/// All words, in the order in which a report has them.
pub(crate) static TERMS: [Term; 31] = [
    term(
        "planned",
        "due by the load",
        "Messages due in the measured time: by --rate or --stage, or, with --max, as many as the window allowed. planned = sent + unsent; as a rate, per second.",
    ),
    term(
        "offered",
        "written to the connections",
        "Rate at which messages were written to the connections.",
    ),
    term(
        "accepted",
        "acknowledged by the server",
        "Rate at which the server acknowledged messages: PUBACK or PUBCOMP, a confirm, a response.",
    ),
    term(
        "confirmed",
        "known to have been read by the server",
        "Instead of accepted and acknowledged where messages are not acknowledged (MQTT QoS 0, AMQP without confirms): known to have been read by the server, as it replied to a request sent after them. The others are unconfirmed. They may still not be delivered.",
    ),
    term(
        "reconnected",
        "closed and opened again",
        "Instead of accepted and acknowledged where each message is a connection (--scenario churn and wills): closed, opened again, and accepted by the server. Which wills came is in expected, received and missing; those of connections that were lost otherwise are expected, too.",
    ),
    term(
        "delivered",
        "received for the first time",
        "Rate at which receivers got messages, each counted once.",
    ),
    term(
        "sent",
        "written to a connection",
        "Messages written to a connection, of those planned.",
    ),
    term(
        "unsent",
        "due, but not sent until the end",
        "Messages that were due and could not be sent before the run ended: their connection was away or its window full. They are in no percentile, and infinitely late in thresholds.",
    ),
    term(
        "acknowledged",
        "accepted by the server",
        "Messages that the server accepted. sent = acknowledged + refused + timed out + lost with connection.",
    ),
    term(
        "refused",
        "answered with a failure",
        "Messages that the server answered with a failure.",
    ),
    term(
        "timed out",
        "not answered in time",
        "Messages not answered within --ack-timeout, or at the end of --drain.",
    ),
    term(
        "lost with connection",
        "in flight when it was lost",
        "Messages in flight when their connection was lost, and not sent again.",
    ),
    term(
        "repeated",
        "sent again",
        "Messages sent again after a lost connection or a time-out; each counts once in sent.",
    ),
    term(
        "expected",
        "sent, times the receivers of each",
        "Deliveries that there should be: messages sent, times the receivers of each message.",
    ),
    term(
        "received",
        "came to receivers",
        "Messages that came to receivers. received = unique + duplicate + undecided.",
    ),
    term(
        "unique",
        "came for the first time",
        "Messages that came for the first time.",
    ),
    term("duplicate", "came again", "Messages that came again."),
    term(
        "undecided",
        "first or again, unknown",
        "Messages that came so far behind the newest that they may be duplicates. They are not in unique, so that they cannot hide a loss.",
    ),
    term(
        "missing",
        "expected, and never came",
        "Deliveries that were expected and never came: expected - unique.",
    ),
    term(
        "lost",
        "missing, or not acknowledged",
        "In thresholds: missing, or, without receivers, timed out and lost with connection.",
    ),
    term(
        "reordered",
        "came after a later one",
        "Messages that came after a later one of the same sender.",
    ),
    term(
        "late",
        "came during the drain",
        "Messages that came after the measured time, during --drain.",
    ),
    term(
        "foreign",
        "of another run, or not ours",
        "Messages that receivers got and this run did not send: of another run, or of another program.",
    ),
    term(
        "response",
        "from due to answered",
        "Time from the moment a message was due, whether it could be sent then or not, to its acknowledgement or response. A server that stalls cannot hide behind it.",
    ),
    term(
        "service",
        "from sent to answered",
        "Time from writing a message to its acknowledgement or response. Leaves out the waiting of messages that could not be sent, so it flatters a server that stalls.",
    ),
    term(
        "lag",
        "from due to sent",
        "Time from the moment a message was due to its writing. The generator's own delay, and the waiting for a full window or a lost connection.",
    ),
    term(
        "end_to_end",
        "from due to received",
        "Time from the moment a message was due to its arrival at a receiver.",
    ),
    term(
        "connect",
        "from dialling to the protocol's answer",
        "Time from the start of connecting to the protocol's own answer, such as CONNACK.",
    ),
    term(
        "handshake",
        "from dialling to an open transport",
        "Time from the start of connecting to an open transport: name, TCP, TLS, WebSocket.",
    ),
    term(
        "subscribe",
        "from subscribing to the answer",
        "Time from subscribing, consuming or observing to the answer.",
    ),
    term(
        "catch_up",
        "from a return to the first new message",
        "Time from the return of a receiver to the first message that was due after it: what was kept for it has come.",
    ),
];

/// `offered: written to the connections; accepted: acknowledged by the server`, of the words that are terms.
pub(super) fn line<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let known = names.into_iter().filter_map(|name| {
        let term = TERMS.iter().find(|term| term.name == name)?;
        Some(format!("{name}: {}", term.brief))
    });
    known.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_terms_are_explained() {
        assert_eq!(
            line(["offered", "x", "missing"]),
            "offered: written to the connections; missing: expected, and never came"
        );
    }
}
