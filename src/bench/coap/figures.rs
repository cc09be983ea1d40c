//! What only CoAP counts, and the names that ETSI TS 103 596-3 gives to the figures of a load test.

use super::super::result::Report;

/// Requests sent; a report of a CoAP load has it.
pub const ATTEMPTS: &str = "req_attempt";

/// Sent again for want of an acknowledgement.
pub(super) const RETRANSMISSIONS: &str = "retransmissions";
/// Responses within the acknowledgement.
pub(super) const PIGGYBACKED: &str = "piggybacked";
/// Responses that came by themselves.
pub(super) const SEPARATE: &str = "separate";
/// Responses to what was answered already.
pub(super) const DUPLICATES: &str = "duplicate_responses";
/// Responses to what was given up already.
pub(super) const LATE: &str = "late_responses";
/// Requests that the server reset.
pub(super) const RESETS: &str = "resets";
/// Requests that were repeated with the server's Echo value.
pub(super) const CHALLENGES: &str = "challenges";
/// Datagrams that are no CoAP messages.
pub(super) const MALFORMED: &str = "malformed";
/// Responses with the first block of a larger body.
pub(super) const PARTIAL: &str = "first_blocks";
/// Observations registered again after Max-Age.
pub(super) const REGISTRATIONS: &str = "registrations_again";
/// Messages with an id that the server may still remember from an older one.
pub(super) const EARLY_IDS: &str = "early_ids";

/// Adds the figures by the names of ETSI TS 103 596-3 to a report of a CoAP load, or sets them anew: round trips in
/// microseconds, and what became of requests.
pub fn name_figures(report: &mut Report) {
    let messages = &report.messages;
    let mut named = vec![
        (ATTEMPTS, messages.sent),
        ("req_success", messages.acknowledged),
        (
            "req_failed",
            messages.refused + messages.lost_with_connection,
        ),
        ("req_timeout", messages.timed_out),
        (
            RETRANSMISSIONS,
            report.counts.get(RETRANSMISSIONS).copied().unwrap_or(0),
        ),
    ];
    if let Some(rtt) = report.latency.get("service") {
        named.extend([
            ("rtt_min_us", microseconds(rtt.min_ms)),
            ("rtt_avg_us", microseconds(rtt.mean_ms)),
            ("rtt_max_us", microseconds(rtt.max_ms)),
        ]);
    }
    for (name, number) in named {
        report.counts.insert(name.to_owned(), number);
    }
}

fn microseconds(ms: f64) -> u64 {
    (ms * 1e3).round() as u64
}
