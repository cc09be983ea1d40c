//! What has happened in a fleet, counted.

use serde_json::{Map, Value as Json};

use super::file::Protocol;
use crate::error::counted;
use crate::pace::clock::Nanos;

/// What is later than this is late, in nanoseconds.
const TOO_LATE: Nanos = 100_000_000;

/// Declares the counters, with the names that reports and assertions have for them.
macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// How often each thing has happened.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Account {
            $($(#[doc = $doc])* pub(crate) $name: u64,)*
        }

        impl Account {
            /// All of them by name, in the order of the report.
            pub(crate) fn figures(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }

            /// The same, with what each counts.
            pub(crate) fn described(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$((stringify!($name), concat!($($doc),*).trim_ascii(), self.$name),)*]
            }
        }
    };
}

counters! {
    /// Devices there are.
    devices,
    /// Connections that could be used.
    connections,
    /// Births published.
    births,
    /// Ends with the offline status and DISCONNECT.
    clean_ends,
    /// Ends without DISCONNECT.
    crashes,
    /// Ends by silence.
    silences,
    /// Connections lost by no wish of the device.
    lost_connections,
    /// Wills that the server has to publish.
    wills_expected,
    /// Readings that were due.
    readings,
    /// Of these, what was not reported: the chance, no change, or an expression that waits for its first values.
    not_reported,
    /// Of these, not reported as the expression failed.
    failed_readings,
    /// Of these, missing by a fault.
    missing,
    /// Of these, while the device was away on purpose.
    while_away,
    /// Of these, while it had no connection.
    while_offline,
    /// Of these, kept without a connection, to be sent later.
    buffered,
    /// Of those that were kept, sent after all.
    forwarded,
    /// Of those that were kept, given up as there was no room for more.
    buffer_dropped,
    /// Of those that were kept, never sent as the run ended.
    buffer_left,
    /// Of these, taken more than 100 ms after they were due, by the machine's clock; and those still due at the end for as long.
    late,
    /// How long after it was due something has happened at most, in milliseconds of the machine's clock.
    lag_max_ms,
    /// Readings sent twice.
    duplicated,
    /// Messages handed to the connection.
    published,
    /// Messages that the server has acknowledged.
    acknowledged,
    /// Messages that nobody confirms: at QoS 0, and over CoAP.
    sent,
    /// Messages that the server has refused.
    refused,
    /// Messages that ended with a crash, or a silence.
    lost,
    /// Messages that were given up, as too many waited for a slow server.
    dropped,
    /// Messages that were given up, as the server closed the connection each time it got them.
    abandoned,
    /// Messages that were not acknowledged at the end.
    unacknowledged,
    /// Readings that were stuck.
    stuck,
    /// Readings that were spikes.
    spikes,
    /// Readings sent after the next one.
    out_of_order,
    /// Commands that came.
    commands,
    /// Of these, carried out.
    executed,
    /// Of these, failed as they were to.
    failed,
    /// Of these, not understood.
    unknown_commands,
    /// Of these, ended with the connection or the run.
    dropped_commands,
    /// Commands that rules gave.
    rule_commands,
    /// Commands that were not given, as rules went in circles.
    stopped_rules,
    /// Reboots.
    reboots,
    /// Batteries that were recharged.
    recharged,
    /// Devices that ended with their battery.
    dead,
    /// Firmware updates that were begun.
    updates,
    /// Of these, confirmed.
    updated,
    /// Of these, after which the device went back.
    rolled_back,
    /// Of these, failed before anything was installed.
    failed_updates,
    /// Manifests that were refused.
    refused_manifests,
    /// Blocks of images that came.
    blocks,
    /// Of these, of no use.
    dropped_blocks,
}

impl Account {
    /// Something happens this long after it was due, by the machine's clock.
    pub(crate) fn lag(&mut self, behind: Nanos, is_reading: bool) {
        self.lag_max_ms = self.lag_max_ms.max(behind / 1_000_000);
        self.late += u64::from(is_reading && behind > TOO_LATE);
    }

    /// What is to be said if more than one reading in a hundred is late.
    pub(crate) fn fell_behind(&self) -> Option<String> {
        let lag = self.lag_max_ms;
        (self.late > self.readings / 100).then(|| {
            format!(
                "the fleet fell behind its schedule ({} late, {lag} ms at most): the machine is too busy for this rate",
                counted(self.late, "reading")
            )
        })
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Map<String, Json> {
        let figures = self.figures().into_iter();
        figures
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect()
    }

    /// What became of messages, as far as that is known.
    const fn fates_known(&self) -> u64 {
        self.acknowledged
            + self.sent
            + self.refused
            + self.lost
            + self.dropped
            + self.abandoned
            + self.unacknowledged
    }

    /// Whether each message is accounted for.
    pub(crate) const fn adds_up(&self) -> bool {
        self.published == self.fates_known()
    }

    /// What nothing is known of at the end is not acknowledged.
    pub(crate) const fn settle(&mut self) {
        self.unacknowledged += self.published.saturating_sub(self.fates_known());
    }

    /// The lines of the report.
    pub(crate) fn lines(&self, protocol: Protocol) -> Vec<String> {
        let mut lines = vec![self.fates(protocol), self.connected()];
        for (what, count, parts) in [
            ("readings", self.readings, self.of_readings()),
            ("commands", self.commands, self.of_commands()),
            ("updates", self.updates, self.of_updates()),
        ] {
            if !parts.is_empty() {
                lines.push(format!("{what} {count}: {parts}"));
            }
        }
        if self.late > 0 {
            let late = counted(self.late, "reading");
            lines.push(format!(
                "schedule: {late} late, {} ms at most",
                self.lag_max_ms
            ));
        }
        let wear = named(&[("recharged", self.recharged), ("devices dead", self.dead)]);
        if !wear.is_empty() {
            lines.push(format!("batteries: {wear}"));
        }
        lines
    }

    fn fates(&self, protocol: Protocol) -> String {
        let sent = match protocol {
            Protocol::Mqtt => format!("sent at QoS 0: {}", self.sent),
            Protocol::Coap | Protocol::Amqp => format!("unconfirmed {}", self.sent),
        };
        let abandoned = match self.abandoned {
            0 => String::new(),
            count => format!(" + abandoned {count}"),
        };
        format!(
            "published {} = acknowledged {} + {sent} + refused {} + lost in crashes {} + dropped {}{abandoned} + unacknowledged {}",
            self.published,
            self.acknowledged,
            self.refused,
            self.lost,
            self.dropped,
            self.unacknowledged
        )
    }

    fn connected(&self) -> String {
        let ends = named(&[
            ("connection|connections", self.connections),
            ("birth|births", self.births),
            ("clean end|clean ends", self.clean_ends),
            ("crash|crashes", self.crashes),
            ("silence|silences", self.silences),
            ("lost connection|lost connections", self.lost_connections),
        ]);
        let devices = counted(self.devices, "device");
        let wills = self.wills_expected;
        match ends.is_empty() {
            true => format!("{devices}; wills expected: {wills}"),
            false => format!("{devices}: {ends}; wills expected: {wills}"),
        }
    }

    fn of_readings(&self) -> String {
        named(&[
            ("not reported", self.not_reported),
            ("failed", self.failed_readings),
            ("missing", self.missing),
            ("while away", self.while_away),
            ("while offline", self.while_offline),
            ("kept in buffers", self.buffered),
            ("sent from buffers", self.forwarded),
            ("dropped from full buffers", self.buffer_dropped),
            ("left in buffers", self.buffer_left),
            ("stuck", self.stuck),
            ("spike|spikes", self.spikes),
            ("sent twice", self.duplicated),
            ("out of order", self.out_of_order),
        ])
    }

    fn of_updates(&self) -> String {
        named(&[
            ("updated", self.updated),
            ("rolled back", self.rolled_back),
            ("failed", self.failed_updates),
            ("manifest refused|manifests refused", self.refused_manifests),
            ("block|blocks", self.blocks),
            ("block dropped|blocks dropped", self.dropped_blocks),
        ])
    }

    fn of_commands(&self) -> String {
        named(&[
            ("executed", self.executed),
            ("failed", self.failed),
            ("unknown", self.unknown_commands),
            ("dropped", self.dropped_commands),
            ("by rules", self.rule_commands),
            ("stopped in circles of rules", self.stopped_rules),
            ("reboot|reboots", self.reboots),
        ])
    }
}

/// Those that there are; where a name has two forms, the first is that of one.
fn named(pairs: &[(&str, u64)]) -> String {
    let there = pairs.iter().filter(|(_, count)| *count > 0);
    let words: Vec<_> = there
        .map(|(name, count)| match (name.split_once('|'), count) {
            (Some((one, _)), 1) => format!("{count} {one}"),
            (Some((_, many)), _) => format!("{count} {many}"),
            (None, _) => format!("{count} {name}"),
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_is_named_so() {
        let account = Account {
            devices: 1,
            connections: 1,
            births: 1,
            crashes: 2,
            ..Account::default()
        };
        assert_eq!(
            account.connected(),
            "1 device: 1 connection, 1 birth, 2 crashes; wills expected: 0"
        );
    }
}
