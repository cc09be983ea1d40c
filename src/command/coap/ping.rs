//! `coap ping`: round-trip times, and whether anybody is there.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::client::{RequestClient, Tracer};
use super::session::{Place, SessionArgs};
use crate::coap::endpoint::{Event, Failure, Loss};
use crate::connect;
use crate::error::{Error, Kind, Result};
use crate::output::{Console, Format, Output, Style};
use crate::stop::Stop;

/// Whom to ping, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionArgs,
    /// How many pings; `None`: until a signal comes.
    pub count: Option<u64>,
    /// From the start of one to the start of the next.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub wait: Duration,
    /// One JSON object a line.
    pub json: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// Pings: an empty confirmable message that a reset answers (RFC 7252 §4.3), or Ping and Pong (RFC 8323 §5.4).
///
/// # Errors
/// Nobody answered: [`Kind::Unreachable`] when nobody listens there, otherwise [`Kind::TimedOut`].
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut place = plan.session.only_place()?;
    // A ping has nothing to protect (RFC 8613 §4.2: empty messages).
    place.target.oscore = None;
    let mut stop = Stop::watch()?;
    let mut output = Output::open(Format::Raw, plan.style)?;
    let notes = Console::new(plan.style);
    let watch = Tracer::open(&plan.session, notes)?;
    let mut client = RequestClient::open(&plan.session, &watch, &place).await?;
    if client.is_group() {
        return Err(Error::usage("a multicast group cannot be pinged")
            .hint("use coap discover to find its members"));
    }
    let mut tally = Tally::default();
    let began = Instant::now();
    while plan.count.is_none_or(|count| tally.sent < count) {
        let due = began + plan.interval.saturating_mul(tally.sent as u32);
        tokio::select! {
            () = sleep_until(due) => {}
            _ = stop.asked() => break,
        }
        tokio::select! {
            answer = one(&mut client, plan.wait) => tally.count(answer, &client, &plan, &mut output),
            _ = stop.asked() => break,
        }
        output.flush().await?;
    }
    client.close().await;
    output.line(&tally.summary(&place, plan.json));
    output.flush().await?;
    tally.verdict(&place)
}

async fn one(client: &mut RequestClient, wait: Duration) -> Result<Duration, Failure> {
    let ping = client.ping(wait);
    loop {
        match client.next().await {
            Event::Pong {
                handle, elapsed, ..
            } if handle == ping => return Ok(elapsed),
            Event::Failed {
                handle, failure, ..
            } if handle == ping => return Err(failure),
            _ => {}
        }
    }
}

/// What came back so far.
#[derive(Default)]
struct Tally {
    sent: u64,
    times: Vec<f64>,
    last_failure: Option<Failure>,
}

impl Tally {
    fn count(
        &mut self,
        answer: Result<Duration, Failure>,
        client: &RequestClient,
        plan: &Plan,
        output: &mut Output,
    ) {
        self.sent += 1;
        let (sequence, from) = (self.sent, client.remote());
        let line = match answer {
            Ok(elapsed) => {
                let time = elapsed.as_secs_f64() * 1e3;
                self.times.push(time);
                if plan.json {
                    json!({"sequence": sequence, "peer": from.to_string(), "rtt_ms": rounded(time)})
                        .to_string()
                } else {
                    format!("response from {from}: sequence {sequence}, {time:.3} ms")
                }
            }
            Err(failure) => {
                let line = if plan.json {
                    json!({"sequence": sequence, "peer": from.to_string(), "error": failure.to_string()})
                        .to_string()
                } else {
                    format!("no response from {from}: sequence {sequence}, {failure}")
                };
                self.last_failure = Some(failure);
                line
            }
        };
        output.line(&line);
    }

    fn summary(&self, place: &Place, json: bool) -> String {
        let received = self.times.len() as u64;
        let lost = self.sent - received;
        let percent = 100.0 * lost as f64 / self.sent.max(1) as f64;
        let [min, avg, max, deviation] = self.statistics();
        if json {
            let mut summary = json!({"target": place.target.to_string(), "sent": self.sent,
                "received": received, "lost": lost});
            if received > 0 {
                summary["rtt_min_ms"] = rounded(min).into();
                summary["rtt_avg_ms"] = rounded(avg).into();
                summary["rtt_max_ms"] = rounded(max).into();
                summary["rtt_stddev_ms"] = rounded(deviation).into();
            }
            return summary.to_string();
        }
        let times = if received > 0 {
            format!("; rtt min/avg/max/stddev {min:.3}/{avg:.3}/{max:.3}/{deviation:.3} ms")
        } else {
            String::new()
        };
        let sent = self.sent;
        format!(
            "{}: {sent} sent, {received} received, {percent:.0}% lost{times}",
            place.target
        )
    }

    /// Shortest, mean, longest, standard deviation, in milliseconds.
    fn statistics(&self) -> [f64; 4] {
        let count = self.times.len().max(1) as f64;
        let mean = self.times.iter().sum::<f64>() / count;
        let variance = self.times.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / count;
        let min = self.times.iter().copied().fold(f64::INFINITY, f64::min);
        let max = self.times.iter().copied().fold(0.0, f64::max);
        [min, mean, max, variance.sqrt()]
    }

    fn verdict(self, place: &Place) -> Result<()> {
        let target = &place.target;
        match self.last_failure {
            Some(failure) if self.times.is_empty() => {
                let kind = match failure {
                    Failure::Disconnected(Loss {
                        alert: Some(alert), ..
                    }) => return Err(connect::refused(target, alert)),
                    Failure::Unreachable => Kind::Unreachable,
                    Failure::TimedOut { .. } | Failure::GaveUp { .. } => Kind::TimedOut,
                    _ => Kind::Lost,
                };
                Err(Error::new(
                    kind,
                    format!("no response from {target}: {failure}"),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_ping() {
        let tally = Tally {
            sent: 4,
            times: vec![1.0, 3.0],
            last_failure: None,
        };
        assert_eq!(tally.statistics(), [1.0, 2.0, 3.0, 1.0]);
    }
}
