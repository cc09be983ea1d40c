//! What a run must reach: `p99 < 20ms`, `lost == 0`, `rate >= 50k`.
//!
//! A threshold is a quantity, an operator (`<` `<=` `>` `>=` `==` `!=`) and a number as people write it.
//!
//! | quantity | what it is | numbers |
//! |---|---|---|
//! | `p50` `p90` `p99` `p99.9` … any percentile, `min` `mean` `stdev` `max` | response time, messages without a response being infinitely late; of another quantity as `service.p99`, `lag.max`, `end_to_end.p99.9`, `connect.p50`, `handshake.p99`, `subscribe.max`, `catch_up.p99` | `20ms`, `1.5s`, `300us` |
//! | `planned` `unsent` `sent` `acknowledged` `refused` `timed_out` `lost_with_connection` `repeated` `expected` `received` `unique` `duplicate` `undecided` `missing` `reordered` `late` `foreign` | messages | `0`, `10k`, `1M` |
//! | `retransmissions` | CoAP messages sent again for want of an acknowledgement | `0`, `10k` |
//! | `lost` | messages that never arrived: `missing` where there are receivers, else `timed_out` + `lost_with_connection` | |
//! | `loss` | `lost` in percent of what was expected, or sent | `0.1%` |
//! | `errors` | failures of any kind | `0`, `10k` |
//! | `rate` | messages in a second: accepted, or delivered where nothing was sent; one of four as `rate.planned`, `rate.offered`, `rate.accepted`, `rate.delivered` | `50k`, `50k/s` |
//! | `connections.planned` `.opened` `.failed` `.lost` `.reopened` | connections | `0`, `10k` |
//! | `connections.rate` | connections opened in a second | `1k/s` |
//! | `connections.away` | time that all connections together were away | `2s` |
//! | `tls.full` `tls.resumed` | TLS handshakes, whole and with a ticket of an earlier one | `0`, `10k` |
//! | `cpu` | CPU of the generator in percent of one core | `80%` |
//! | `rss` | largest memory of the generator | `64MiB`, `100MB` |

mod number;
mod quantity;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

use super::failure::Failure;
use super::report::units::percent;
use super::result::{Interval, Report, Threshold};
use crate::payload::comparison::Comparison;

use quantity::Quantity;
pub(crate) use quantity::names;

/// The largest miss that is told in percent of its limit.
const LARGEST_SHARE: f64 = 10_000.0;

/// One threshold, as `--assert` reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Assert {
    text: String,
    quantity: Quantity,
    operator: Comparison,
    limit: f64,
}

impl Assert {
    /// Judges a finished run, or one that goes on by what is known so far.
    ///
    /// What was not measured at all misses every threshold, and is 0 in the outcome. A run in which nothing came through
    /// meets none. Messages that were never sent or never answered are infinitely late: no limit of a latency holds for
    /// a percentile that falls among them.
    pub fn evaluate(&self, report: &Report) -> Threshold {
        let mut judged = self.judge(self.quantity.of(report));
        if let Some(failure) = Failure::whole(report)
            && (judged.passed || report.has_no_connection())
        {
            judged.passed = false;
            judged.missed_by = failure.text;
        }
        judged
    }

    /// Judges one interval by itself; `None` where it does not tell, as it holds only p50, p99 and
    /// the maximum of some latencies and the number of errors.
    pub fn evaluate_interval(&self, interval: &Interval) -> Option<Threshold> {
        let measured = self.quantity.in_interval(interval)?;
        Some(self.judge(Ok(measured)))
    }

    /// Whether a miss while the run goes on is a reason to end it (`--abort-on-miss`): not for what has yet to
    /// grow, such as `sent >= 1M`.
    pub fn can_abort(&self) -> bool {
        let is_below = matches!(self.operator, Comparison::Less | Comparison::AtMost);
        is_below
            || !self.quantity.grows()
            || (self.operator == Comparison::Equal && self.limit == 0.0)
    }

    /// The latency that is judged, and the figure of it, as in `service.p99`: `("service", "p99")`; `None` for a number.
    pub(crate) fn latency(&self) -> Option<(&'static str, &str)> {
        let of = self.quantity.latency()?;
        let (at, ..) = Comparison::find(&self.text)?;
        let word = self.text[..at].trim();
        let figure = word.strip_prefix(of).and_then(|it| it.strip_prefix('.'));
        Some((of, figure.unwrap_or(word)))
    }

    fn judge(&self, measured: Result<f64, String>) -> Threshold {
        let (measured, missed_by) = match measured {
            Err(why) => (0.0, why),
            Ok(measured) if self.operator.holds(&measured, &self.limit) => {
                (measured, String::new())
            }
            Ok(measured) => (measured, self.missed_by(measured)),
        };
        Threshold {
            expression: self.text.clone(),
            measured,
            passed: missed_by.is_empty(),
            missed_by,
        }
    }

    /// `3.2 ms (16 %)`, or `nothing` when the limit itself was measured.
    fn missed_by(&self, measured: f64) -> String {
        let distance = (measured - self.limit).abs();
        if distance == 0.0 {
            return String::from("nothing: it equals the limit");
        }
        let shown = self.quantity.unit().show(distance);
        let share = distance / self.limit.abs() * 100.0;
        // Of a limit near zero it says nothing.
        match share > LARGEST_SHARE {
            true => shown,
            false => format!("{shown} ({})", percent(share)),
        }
    }
}

impl fmt::Display for Assert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Assert {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = Comparison::find(text)
            .filter(|(.., operator)| *operator != Comparison::Contains)
            .map(|(at, sign, operator)| {
                (text[..at].trim(), operator, text[at + sign.len()..].trim())
            });
        let Some((quantity, operator, limit)) = parts else {
            let said = format!("{text:?} is not a threshold: it has none of < <= > >= == !=");
            return Err(Error::usage(said).hint("use a threshold such as 'p99 < 20ms'"));
        };
        let quantity: Quantity = quantity
            .parse()
            .map_err(|why| Error::usage(format!("{text:?} is not a threshold: {why}")))?;
        let unit = quantity.unit();
        let number = unit.read(limit).ok_or_else(|| {
            let example = unit.example();
            Error::usage(format!(
                "{text:?} is not a threshold: {limit:?} is not a number such as {example}"
            ))
        })?;
        let is_bare = limit.ends_with(|last: char| last.is_ascii_digit());
        if let Some(usual) = unit.required().filter(|_| is_bare && number != 0.0) {
            let said = format!("{text:?} is not a threshold: {limit} has no unit");
            return Err(Error::usage(said).hint(format!("write {limit}{usual}")));
        }
        Ok(Self {
            text: text.trim().to_owned(),
            quantity,
            operator,
            limit: number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;
    use crate::bench::result::Messages;

    fn judged(text: &str) -> Threshold {
        text.parse::<Assert>().unwrap().evaluate(&sample::report())
    }

    #[test]
    fn a_kept_threshold_says_what_was_measured() {
        assert_eq!(
            judged(" rate >= 49k "),
            Threshold {
                expression: String::from("rate >= 49k"),
                measured: 49_960.0,
                passed: true,
                missed_by: String::new(),
            }
        );
        for passed in [
            "p50 < 1ms",
            "connect.p99.9 < 1s",
            "connect.p99.95<1s",
            "errors == 1192",
            "errors != 0",
            "loss < 0.1%",
            "rate.offered > 49.9k/s",
            "connections.failed == 0",
            "connections.away <= 214ms",
            "connections.rate >= 2k/s",
            "cpu < 80%",
            "rss < 64MiB",
            "lag.p99.9 < 100us",
            "sent >= 1.4M",
        ] {
            assert!(judged(passed).passed, "{:?}", judged(passed));
        }
    }

    #[test]
    fn a_miss_is_told_in_the_unit_of_the_quantity() {
        for (text, missed_by) in [
            ("lost == 0", "1,270"),
            ("missing < 1k", "270 (27.0 %)"),
            ("connections.away < 200ms", "14.0 ms (7.00 %)"),
            ("rate >= 50k", "40/s (0.080 %)"),
            ("cpu < 40%", "2.00 % (5.00 %)"),
            ("rss <= 10MB", "1.53 MB (15.3 %)"),
            ("errors != 1192", "nothing: it equals the limit"),
            ("handshake.p99 < 1s", "no handshake was measured"),
        ] {
            assert_eq!(judged(text).missed_by, missed_by, "{text}");
            assert!(!judged(text).passed, "{text}");
        }
    }

    #[test]
    fn a_miss_of_a_limit_near_zero_has_no_percentage() {
        let missed_by = judged("p50 < 1ns").missed_by;
        assert!(
            missed_by.ends_with('s') && !missed_by.contains('%'),
            "{missed_by}"
        );
    }

    #[test]
    fn lost_without_receivers_is_what_was_not_answered() {
        let mut report = sample::report();
        report.messages.expected = 0;
        let lost: Assert = "lost == 0".parse().unwrap();
        assert_eq!(lost.evaluate(&report).measured, 1_040.0);
    }

    #[test]
    fn what_never_came_is_infinitely_late() {
        // 20,000 response times are known; 10 messages were not sent, 1,040 not answered.
        assert!(judged("p90 < 20ms").passed);
        let late =
            "too many messages were not answered (1050 of 21050): they count as infinitely late";
        for text in [
            "p99 < 1h",
            "p99 > 1ms",
            "max < 1h",
            "service.p95.1 < 1h",
            "mean < 1h",
        ] {
            assert_eq!(judged(text).missed_by, late, "{text}");
        }
        let unsent = "too many messages were not sent (10 of 20010): they count as infinitely late";
        assert_eq!(judged("lag.max < 1h").missed_by, unsent);
        let missing =
            "too many messages were not received (1280 of 21280): they count as infinitely late";
        assert_eq!(judged("end_to_end.p99 < 1h").missed_by, missing);
        assert!(judged("min < 1h").passed && judged("lag.p99 < 1ms").passed);
        let connected =
            "too many connections could not be opened (20 of 121): they count as infinitely late";
        let mut report = sample::report();
        report.connections.failed = 20;
        let connect: Assert = "connect.p90 < 1h".parse().unwrap();
        assert_eq!(connect.evaluate(&report).missed_by, connected);
    }

    #[test]
    fn what_is_missing_moves_the_percentiles_of_the_rest() {
        let mut report = sample::report();
        let p95: Assert = "p95 < 1us".parse().unwrap();
        let with_loss = p95.evaluate(&report).measured;
        (report.messages.timed_out, report.messages.unsent) = (0, 0);
        report.messages.lost_with_connection = 0;
        let without = p95.evaluate(&report).measured;
        assert_eq!(without, report.latency["response"].p95_ms);
        assert!(with_loss > without, "{with_loss} {without}");
    }

    #[test]
    fn nothing_is_kept_by_a_run_in_which_nothing_came_through() {
        let evaluate =
            |text: &str, report: &Report| text.parse::<Assert>().unwrap().evaluate(report);
        let mut report = Report::default();
        report.connections.planned = 1;
        for text in [
            "lost == 0",
            "p99 < 1h",
            "connections.failed <= 10",
            "errors == 0",
        ] {
            let judged = evaluate(text, &report);
            assert!(!judged.passed, "{text}");
            assert_eq!(judged.missed_by, "no connection was opened");
        }
        let mut report = sample::report();
        report.messages = Messages {
            planned: 7,
            sent: 7,
            refused: 7,
            ..Messages::default()
        };
        let judged = evaluate("lost == 0", &report);
        assert!(!judged.passed);
        assert_eq!(judged.missed_by, "none of 7 messages was accepted");
    }

    #[test]
    fn an_interval_is_judged_by_what_it_holds() {
        let stalled = &sample::report().intervals[20];
        let passed = |text: &str| {
            let assert: Assert = text.parse().unwrap();
            assert
                .evaluate_interval(stalled)
                .map(|outcome| outcome.passed)
        };
        assert_eq!(passed("p99 < 20ms"), Some(false));
        assert_eq!(passed("p50 < 20ms"), Some(true));
        assert_eq!(passed("errors == 0"), Some(false));
        assert_eq!(passed("p99.9 < 20ms"), None);
        assert_eq!(passed("sent > 5"), None);
    }

    #[test]
    fn a_latency_is_known_by_its_name_and_figure() {
        let of = |text: &str| {
            let assert: Assert = text.parse().unwrap();
            assert
                .latency()
                .map(|(of, figure)| format!("{of} {figure}"))
        };
        assert_eq!(of("p99.9 < 1s").as_deref(), Some("response p99.9"));
        assert_eq!(of("service.max<1s").as_deref(), Some("service max"));
        assert_eq!(of("response.p50 < 1s").as_deref(), Some("response p50"));
        assert_eq!(of("lost == 0"), None);
    }

    #[test]
    fn only_what_cannot_recover_by_growing_ends_a_run() {
        for (text, can_abort) in [
            ("p99 < 20ms", true),
            ("errors == 0", true),
            ("rate >= 50k", true),
            ("sent >= 1M", false),
            ("sent == 1M", false),
        ] {
            assert_eq!(
                text.parse::<Assert>().unwrap().can_abort(),
                can_abort,
                "{text}"
            );
        }
    }

    #[test]
    fn wrong_words_are_told_with_what_is_known() {
        let refused = |text: &str| text.parse::<Assert>().unwrap_err().text().to_owned();
        assert_eq!(
            refused("p99"),
            r#""p99" is not a threshold: it has none of < <= > >= == !="#
        );
        assert_eq!(
            refused("p99 < 20km"),
            r#""p99 < 20km" is not a threshold: "20km" is not a number such as 20ms"#
        );
        assert_eq!(
            refused("rate > fast"),
            r#""rate > fast" is not a threshold: "fast" is not a number such as 50k"#
        );
        assert!(refused("speed > 1").starts_with(
            r#""speed > 1" is not a threshold: "speed" is not one of p50, p99, p99.9 and any other percentile, min, mean, stdev, max (also as service.p99"#
        ));
        for (bare, hint) in [
            ("p99 < 20", "write 20ms"),
            ("connections.away < 2", "write 2ms"),
            ("cpu < 80", "write 80%"),
            ("rss < 64", "write 64MB"),
        ] {
            let refused = bare.parse::<Assert>().unwrap_err();
            assert!(refused.text().ends_with("has no unit"), "{bare}");
            assert_eq!(refused.hint_text(), Some(hint));
        }
        assert!("loss == 0".parse::<Assert>().is_ok(), "0 is 0 in any unit");
        assert!(refused("p(95) < 500").ends_with("\"p(95)\" is unknown; did you mean p95?"));
        assert!(refused("latency < 5ms").ends_with("did you mean p99?"));
        assert!(refused("acknowleged == 0").contains("did you mean acknowledged"));
        assert!(refused("p100.1 < 1").contains("\"p100.1\" is not one of"));
        assert!(refused("warp.p99 < 1").contains("\"warp.p99\" is not one of"));
        assert!(refused("p99 =< 1").contains("none of <"));
    }
}
