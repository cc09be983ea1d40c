//! What the forms for people show, before it is laid out.

use crate::bench::failure::Failure;
use crate::bench::mqtt::CLEARED;
use crate::bench::recorder::NOT_PROVED;
use crate::bench::result::{
    ErrorCount, Generator, Latency, Messages, Report, TOO_SHORT_S, Threshold,
};

use super::units::{bytes, count, percent, rate, seconds, time};

/// The names in [`Report::setup`] under which a search for the highest rate says what it has found, what kept it from
/// finding more if that was not the peer, and its steps.
pub(crate) const MAX_RATE: &str = "max_rate";
pub(crate) const MAX_RATE_LIMIT: &str = "max_rate_limit";
pub(crate) const MAX_RATE_STEPS: &str = "max_rate_steps";

/// The quantities in the order in which people look for them; others follow by name.
const FIRST: [&str; 4] = ["response", "end_to_end", "service", "lag"];

/// The columns of the latency table after the quantity's name.
pub(super) const LATENCY_COLUMNS: [&str; 6] = ["p50", "p90", "p99", "p99.9", "max", "count"];

/// A whole and the parts that it must be the sum of.
pub(super) struct Identity {
    pub(super) name: &'static str,
    pub(super) whole: u64,
    pub(super) parts: Vec<(&'static str, u64)>,
}

impl Identity {
    fn new<const N: usize>(
        name: &'static str,
        whole: u64,
        parts: [(&'static str, u64); N],
    ) -> Self {
        Self {
            name,
            whole,
            parts: parts.into(),
        }
    }

    /// `=`, or `≠` when messages are unaccounted for.
    pub(super) fn sign(&self) -> &'static str {
        let sum: u64 = self.parts.iter().map(|(_, part)| part).sum();
        if sum == self.whole { "=" } else { "≠" }
    }

    /// `= sent 12`, `+ unsent 3`; of a sum without the parts that are 0, but for the first.
    pub(super) fn terms(&self) -> Vec<String> {
        let signs = std::iter::once(self.sign()).chain(std::iter::repeat("+"));
        let term =
            |(sign, (name, part)): (&str, &(&str, u64))| format!("{sign} {name} {}", count(*part));
        signs.zip(self.shown()).map(term).collect()
    }

    fn shown(&self) -> impl Iterator<Item = &(&'static str, u64)> {
        let adds_up = self.sign() == "=";
        let mut parts = self.parts.iter().enumerate();
        std::iter::from_fn(move || parts.find(|(at, (_, part))| *at == 0 || *part > 0 || !adds_up))
            .map(|(_, part)| part)
    }

    /// The words of the row.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.shown().map(|(name, _)| *name))
    }
}

/// `iotctl 0.1.0 · run 123456789 · 2026-11-20T21:00:00Z`.
pub(super) fn title(report: &Report) -> String {
    format!(
        "{} · run {} · {}",
        report.tool, report.run_id, report.started_at
    )
}

/// How long each phase took.
pub(super) fn phases(report: &Report) -> Vec<(&'static str, String)> {
    let phases = &report.phases;
    let all = [
        ("connect", phases.connect_s),
        ("warm-up", phases.warmup_s),
        ("measured", phases.measured_s),
        ("drain", phases.drain_s),
    ];
    let took = all
        .into_iter()
        .filter(|(name, lasted)| *name == "measured" || *lasted > 0.0);
    took.map(|(name, lasted)| (name, seconds(lasted))).collect()
}

/// Whether the server acknowledges nothing, so that what counts as acknowledged is confirmed otherwise.
fn is_only_confirmed(report: &Report) -> bool {
    let counted = report.messages.acknowledged > 0 || report.counts.contains_key(NOT_PROVED);
    counted && !report.latency.contains_key("response")
}

/// What the server has done with what counts as acknowledged, where it is not just that.
fn other_answer(report: &Report) -> Option<&'static str> {
    let scenario = report.setup.get("scenario").map(String::as_str);
    match scenario {
        // Each message is a connection; a will is not acknowledged by anybody.
        Some("churn" | "wills") => Some("reconnected"),
        _ => is_only_confirmed(report).then_some("confirmed"),
    }
}

/// Messages per second; rates of 0 are omitted.
pub(super) fn rates(report: &Report) -> Vec<(&'static str, String)> {
    let rates = &report.rates;
    let accepted = other_answer(report).unwrap_or("accepted");
    let all = [
        ("planned", rates.planned_per_s),
        ("offered", rates.offered_per_s),
        (accepted, rates.accepted_per_s),
        ("delivered", rates.delivered_per_s),
    ];
    let some = all.into_iter().filter(|(_, per_s)| *per_s > 0.0);
    some.map(|(name, per_s)| (name, rate(per_s))).collect()
}

/// What `--find-max` has found, and each rate that it tried with what came of it.
pub(super) fn maximum(report: &Report) -> Option<(String, Vec<String>)> {
    let found = report.setup.get(MAX_RATE)?;
    let steps = report.setup.get(MAX_RATE_STEPS);
    let steps = steps.into_iter().flat_map(|steps| steps.split(", "));
    let found = match report.setup.get(MAX_RATE_LIMIT) {
        Some(limit) => format!("{found}; {limit} was the limit: the server may take more"),
        None => found.clone(),
    };
    Some((found, steps.map(str::to_owned).collect()))
}

/// The outcomes of the messages; each row adds up. Sides without messages are omitted, and so is what only says that all
/// that was sent was read.
pub(super) fn identities(report: &Report) -> Vec<Identity> {
    let m = &report.messages;
    let by_replies = is_only_confirmed(report);
    let mut rows = Vec::new();
    if m.planned > 0 || m.sent > 0 {
        rows.push(Identity::new(
            "planned",
            m.planned,
            [("sent", m.sent), ("unsent", m.unsent)],
        ));
        let accepted = other_answer(report).unwrap_or("acknowledged");
        if !by_replies || m.acknowledged != m.sent {
            rows.push(Identity::new(
                "sent",
                m.sent,
                [
                    (accepted, m.acknowledged),
                    ("refused", m.refused),
                    ("timed out", m.timed_out),
                    ("lost with connection", m.lost_with_connection),
                ],
            ));
        }
    }
    if m.expected > 0 || m.received > 0 {
        let mut parts = vec![("unique", m.unique), ("duplicate", m.duplicate)];
        if m.undecided > 0 {
            parts.push(("undecided", m.undecided));
        }
        rows.push(Identity {
            name: "received",
            whole: m.received,
            parts,
        });
    }
    rows
}

/// The counters that are not part of a sum; of those that are 0 only `missing`, where there are receivers.
pub(super) fn other_counters(messages: &Messages) -> Vec<(&'static str, u64)> {
    let m = messages;
    let all = [
        ("expected", m.expected),
        ("missing", m.missing),
        ("reordered", m.reordered),
        ("late", m.late),
        ("foreign", m.foreign),
        ("repeated", m.repeated),
    ];
    let receives = m.expected > 0;
    all.into_iter()
        .filter(|(name, number)| *number > 0 || receives && *name == "missing")
        .collect()
}

/// The words about messages that a reader may not know: the sums say what the others are.
pub(super) fn message_terms(report: &Report) -> Vec<&'static str> {
    const PLAIN: [&str; 9] = [
        "planned",
        "sent",
        "acknowledged",
        "refused",
        "timed out",
        "lost with connection",
        "received",
        "unique",
        "duplicate",
    ];
    let rows = identities(report);
    let others = other_counters(&report.messages);
    let all = rows
        .iter()
        .flat_map(Identity::names)
        .chain(others.into_iter().map(|(name, _)| name));
    all.filter(|name| !PLAIN.contains(name)).collect()
}

/// The words about latencies, but for those of connections.
pub(super) fn latency_terms(report: &Report) -> impl Iterator<Item = &str> {
    const PLAIN: [&str; 3] = ["connect", "handshake", "subscribe"];
    let names = quantities(report).into_iter().map(|(name, _)| name);
    names.filter(|name| !PLAIN.contains(name))
}

/// `432 MB written, 431 MB read`.
pub(super) fn traffic(messages: &Messages) -> String {
    format!(
        "{} written, {} read",
        bytes(messages.sent_bytes as f64),
        bytes(messages.received_bytes as f64)
    )
}

/// What the forms for people call a key of the report; most keys are words for people already.
pub(super) fn label(key: &str) -> &str {
    match key {
        NOT_PROVED => "unconfirmed",
        "peer" => "server",
        CLEARED => "retained messages cleared",
        key => key,
    }
}

/// How the run was set up: `scenario`, `fan-in`; without what stands elsewhere.
pub(super) fn setup(report: &Report) -> impl Iterator<Item = (&str, &str)> {
    let elsewhere = [MAX_RATE, MAX_RATE_LIMIT, MAX_RATE_STEPS];
    let setup = report.setup.iter();
    let own = setup.filter(move |(key, _)| !elsewhere.contains(&key.as_str()));
    own.map(|(key, value)| (label(key), value.as_str()))
}

/// Protocol-specific counters: `req_attempt` 12, `retransmissions` 3.
pub(super) fn counts(report: &Report) -> impl ExactSizeIterator<Item = (&str, u64)> {
    let counts = report.counts.iter();
    counts.map(|(name, number)| (label(name), *number))
}

/// The distributions, best-known quantities first.
pub(in crate::bench) fn quantities(report: &Report) -> Vec<(&str, &Latency)> {
    let known = FIRST.iter().filter_map(|name| {
        let latency = report.latency.get(*name)?;
        Some((*name, latency))
    });
    let others = report
        .latency
        .iter()
        .filter(|(name, _)| !FIRST.contains(&name.as_str()))
        .map(|(name, latency)| (name.as_str(), latency));
    known.chain(others).collect()
}

/// One row of the latency table, under [`LATENCY_COLUMNS`].
pub(in crate::bench) fn latency_row(latency: &Latency) -> [String; 6] {
    if latency.count == 0 {
        return ["–", "–", "–", "–", "–", "0"].map(str::to_owned);
    }
    [
        time(latency.p50_ms),
        time(latency.p90_ms),
        time(latency.p99_ms),
        time(latency.p999_ms),
        time(latency.max_ms),
        count(latency.count),
    ]
}

/// A note on the distributions that hold only a part of what was measured.
pub(super) fn negative_notes(report: &Report) -> Vec<String> {
    let negative = quantities(report)
        .into_iter()
        .filter(|(_, latency)| latency.negative > 0);
    negative
        .map(|(name, latency)| {
            format!(
                "{} negative values of {name} are excluded: the clocks differ",
                count(latency.negative)
            )
        })
        .collect()
}

/// The outcomes of the connections.
pub(super) fn connections(report: &Report) -> Vec<(&'static str, String)> {
    let c = &report.connections;
    let counts = [
        ("failed", c.failed),
        ("lost", c.lost),
        ("reopened", c.reopened),
    ];
    let mut rows = vec![("planned", count(c.planned)), ("opened", count(c.opened))];
    let some = counts.into_iter().filter(|(_, number)| *number > 0);
    rows.extend(some.map(|(name, number)| (name, count(number))));
    if c.away_s > 0.0 {
        rows.push(("downtime", seconds(c.away_s)));
    }
    if c.rate_per_s > 0.0 {
        rows.push(("rate", rate(c.rate_per_s)));
    }
    if c.tls_full + c.tls_resumed > 0 {
        rows.push(("TLS handshakes", count(c.tls_full)));
        rows.push(("resumed", count(c.tls_resumed)));
    }
    rows
}

/// `1,002 × connection lost: reset by peer`, without the hint.
pub(super) fn error_line(error: &ErrorCount) -> String {
    format!("{} × {}", count(error.count), error.cause)
}

/// The resources used by the generator, in one line.
pub(super) fn generator_line(generator: &Generator) -> String {
    format!(
        "CPU {} of one core, {} CPU per million messages, memory {}, threads {}, coalescing {}",
        percent(generator.cpu_percent),
        seconds(generator.cpu_s_per_million),
        bytes(generator.max_rss_bytes as f64),
        generator.threads,
        match generator.coalesce.as_str() {
            "" => "unknown",
            coalesce => coalesce,
        }
    )
}

/// What the run has failed of, or whether its figures can be trusted, in a sentence.
pub(super) fn verdict(report: &Report) -> String {
    let generator = &report.generator;
    if let Some(failure) = Failure::whole(report) {
        return failure.text;
    }
    let words = match generator.verdict.as_str() {
        "" if generator.limited => String::from("the generator was the limit, not the server"),
        words if generator.limited => {
            format!("the generator was the limit, not the server: {words}")
        }
        words => words.to_owned(),
    };
    let measured = report.phases.measured_s;
    let steady = match generator.steady {
        _ if measured < TOO_SHORT_S => {
            let lasted = seconds(measured);
            format!("the run was too short to judge: {lasted} were measured")
        }
        true => String::from("throughput and latency were stable"),
        false => String::from("throughput or latency varied"),
    };
    let failure = Failure::of(report).map(|failure| failure.text);
    let is_said = |words: &str| {
        failure
            .as_deref()
            .is_some_and(|text| text.starts_with(words))
    };
    let words = Some(words).filter(|words| !words.is_empty() && !is_said(words));
    // What has failed says more than that the throughput of the rest was stable.
    let steady = (failure.is_none() || !generator.steady).then_some(steady);
    let messages = &report.messages;
    let missing = (messages.missing > 0).then(|| {
        let (missing, expected) = (count(messages.missing), count(messages.expected));
        format!("{missing} of {expected} expected messages were not received")
    });
    let all = failure
        .into_iter()
        .chain(missing)
        .chain(words)
        .chain(steady);
    all.collect::<Vec<_>>().join("; ")
}

/// The outcome in a few words, and whether it is good: of the thresholds, or what the run has failed of; `None` of a run
/// of which nothing was asked and that has not failed.
pub(super) fn headline(report: &Report) -> Option<(bool, String)> {
    let missed = report.thresholds.iter().filter(|one| !one.passed).count();
    match (missed, report.thresholds.len(), Failure::of(report)) {
        (0, _, Some(failure)) => Some((false, format!("failed: {}", failure.text))),
        (0, 0, None) => None,
        (0, all, None) => Some((true, format!("all {all} thresholds passed"))),
        (missed, all, _) => Some((false, format!("{missed} of {all} thresholds missed"))),
    }
}

/// `passed`, or by how much it was missed.
pub(super) fn outcome(threshold: &Threshold) -> String {
    match threshold.missed_by.as_str() {
        _ if threshold.passed => String::from("passed"),
        "" => String::from("missed"),
        by if by.starts_with(|first: char| first.is_ascii_digit()) => format!("missed by {by}"),
        why => format!("missed: {why}"),
    }
}

/// The warnings of the report, and those that follow from its figures.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    // What the verdict says already is not said again.
    let said = |warning: &&String| !report.generator.verdict.contains(warning.as_str());
    let mut warnings: Vec<String> = report.warnings.iter().filter(said).cloned().collect();
    warnings.extend(negative_notes(report));
    let broken = identities(report)
        .into_iter()
        .filter(|identity| identity.sign() != "=");
    warnings.extend(broken.map(|identity| {
        format!(
            "inconsistent counters: {} is not the sum of its parts",
            identity.name
        )
    }));
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;
    use crate::bench::result::Connections;

    #[test]
    fn messages_add_up_or_say_so() {
        let mut report = sample::report();
        let rows = identities(&report);
        assert_eq!(rows[0].terms(), ["= sent 1,499,990", "+ unsent 10"]);
        assert_eq!(warnings(&report).len(), 1);
        report.messages.unsent = 11;
        assert_eq!(identities(&report)[0].sign(), "≠");
        assert_eq!(
            warnings(&report)[1],
            "inconsistent counters: planned is not the sum of its parts"
        );
    }

    #[test]
    fn parts_and_counters_that_are_0_are_left_out() {
        let mut report = sample::report();
        let messages = &mut report.messages;
        (messages.planned, messages.unsent) = (messages.sent, 0);
        (messages.late, messages.missing) = (0, 0);
        assert_eq!(identities(&report)[0].terms(), ["= sent 1,499,990"]);
        let names: Vec<&str> = other_counters(&report.messages)
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, ["expected", "missing", "reordered", "repeated"]);
        report.connections = Connections {
            planned: 1,
            opened: 1,
            ..Connections::default()
        };
        assert_eq!(connections(&report).len(), 2);
        report.rates.delivered_per_s = 0.0;
        assert_eq!(rates(&report).len(), 3);
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_and_proved() {
        let mut report = sample::report();
        report.latency.remove("response");
        let rows = identities(&report);
        assert_eq!(rows[1].terms()[0], "= confirmed 1,498,800");
        assert_eq!(rates(&report)[2].0, "confirmed");
        report.messages.acknowledged = report.messages.sent;
        let names: Vec<&str> = identities(&report).iter().map(|row| row.name).collect();
        assert_eq!(names, ["planned", "received"]);
        report.messages.acknowledged -= 1;
        assert!(message_terms(&report).contains(&"confirmed"));
    }

    #[test]
    fn the_best_known_quantities_come_first() {
        let report = sample::report();
        let names: Vec<&str> = quantities(&report).iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["response", "end_to_end", "service", "lag", "connect"]
        );
    }

    #[test]
    fn negative_latencies_are_told() {
        let mut report = sample::report();
        report.latency.get_mut("end_to_end").unwrap().negative = 1200;
        assert_eq!(
            negative_notes(&report),
            ["1,200 negative values of end_to_end are excluded: the clocks differ"]
        );
    }

    #[test]
    fn the_verdict_names_the_limit() {
        let mut report = Report::default();
        report.generator.steady = true;
        report.phases.measured_s = 0.00495;
        assert_eq!(
            verdict(&report),
            "the run was too short to judge: 4.95 ms were measured"
        );
        report.phases.measured_s = 1.0;
        assert_eq!(verdict(&report), "throughput and latency were stable");
        report.generator.limited = true;
        report.generator.verdict = String::from("99 % of one core");
        assert_eq!(
            verdict(&report),
            "the generator was the limit, not the server: 99 % of one core; throughput and latency were stable"
        );
        report.generator.limited = false;
        report.generator.verdict.clear();
        (report.messages.missing, report.messages.expected) = (3, 20);
        assert_eq!(
            verdict(&report),
            "3 of 20 expected messages were not received; throughput and latency were stable"
        );
    }

    #[test]
    fn a_failure_comes_before_all_else() {
        let mut report = sample::report();
        report.thresholds.clear();
        assert_eq!(headline(&report), None);
        report.connections.reopened = 0;
        let lost = "2 of 101 connections were lost and not reopened: 10 of 1500000 messages could not be sent";
        assert_eq!(headline(&report), Some((false, format!("failed: {lost}"))));
        let said = verdict(&report);
        assert!(said.starts_with(lost) && !said.contains("stable"), "{said}");
        report.messages = Messages::default();
        report.messages.planned = 9;
        let nothing = "none of 9 messages was acknowledged";
        assert_eq!(verdict(&report), nothing);
        assert_eq!(
            headline(&report),
            Some((false, format!("failed: {nothing}")))
        );
    }
}
