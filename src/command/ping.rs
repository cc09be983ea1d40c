//! How a server is pinged, the same for every protocol: connect, then round trips, then what they come to.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value, json};
use tokio::time::sleep_until;

use crate::connect::{Phases, Seen, Target, TlsSeen};
use crate::error::{Error, Kind, Result, counted};
use crate::flow::latency::{Latencies, milliseconds, rounded};
use crate::output::{Format, Output, Style};
use crate::stop::{Asked, Stop};

/// How often, how fast, and how it is shown.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many round trips (`-C`); `None`: until a signal comes.
    pub count: Option<u64>,
    /// From the start of one to the start of the next (`--interval`).
    pub interval: Duration,
    /// How long each may take (`-W`).
    pub wait: Duration,
    /// One JSON object a line (`--output json`), instead of words.
    pub json: bool,
}

/// A round trip that failed, over a connection that may go on.
pub(crate) struct NoReply {
    /// What it means if no other round trip succeeds.
    pub(crate) kind: Kind,
    /// Why.
    pub(crate) why: String,
}

impl NoReply {
    /// The connection is over.
    pub(crate) fn because(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            why: error.text().to_owned(),
        }
    }

    /// Nothing came in time.
    pub(crate) fn silence(wait: Duration) -> Self {
        let wait = humantime::format_duration(wait);
        Self {
            kind: Kind::TimedOut,
            why: format!("nothing within {wait}"),
        }
    }
}

/// A connection whose round trips are measured.
pub(crate) trait Pinged {
    /// One round trip, of at most this long.
    ///
    /// # Errors
    /// The connection is over.
    fn ping(&mut self, wait: Duration) -> impl Future<Output = Result<Result<Duration, NoReply>>>;

    /// Keeps the connection alive between two. Cancel-safe.
    fn hold(&mut self) -> impl Future<Output = Error>;

    /// What the user calls the server that it is connected to, where there are several to choose from.
    fn target(&self) -> Option<String> {
        None
    }

    /// The address of the other side, where [`Phases`] have not seen it.
    fn peer(&self) -> Option<String> {
        None
    }

    /// Whether there is a connection: datagrams without DTLS need none.
    fn is_connected(&self) -> bool {
        true
    }

    /// Ends the connection.
    fn close(self) -> impl Future<Output = ()>;
}

/// What the commands have in common.
pub(crate) struct Pinging<'a> {
    settings: &'a Settings,
    output: Output,
    stop: Stop,
    phases: Phases,
    began: Instant,
}

impl<'a> Pinging<'a> {
    /// Before connecting; `style` is that of the terminal.
    ///
    /// # Errors
    /// [`Kind::Local`]: no standard output, or no signals.
    pub(crate) fn new(settings: &'a Settings, style: Style) -> Result<Self> {
        Self::over(settings, Output::open(Format::Raw, style)?)
    }

    /// The same with another place for the results.
    ///
    /// # Errors
    /// [`Kind::Local`]: no signals.
    pub(crate) fn over(settings: &'a Settings, output: Output) -> Result<Self> {
        Ok(Self {
            settings,
            output,
            stop: Stop::watch()?,
            phases: Phases::default(),
            began: Instant::now(),
        })
    }

    /// Has connecting to this target measured.
    pub(crate) fn watch(&self, target: &mut Target) {
        target.phases = Some(self.phases.clone());
    }

    /// Connects to what the user calls `target`, and measures round trips.
    ///
    /// # Errors
    /// Those of `opening`; [`NoReply`] where no round trip succeeded; an ended connection; a signal.
    pub(crate) async fn run<P: Pinged>(
        mut self,
        target: &str,
        opening: impl Future<Output = Result<P>>,
    ) -> Result<()> {
        let opening = self.stop.unless_asked("interrupted", opening);
        let mut pinged = opening.await?;
        let found = pinged.target();
        let target = found.as_deref().unwrap_or(target);
        let seen = self.phases.seen();
        let peer = seen.peer.clone().or_else(|| pinged.peer());
        let peer = peer.unwrap_or_default();
        let elapsed = self.began.elapsed();
        let elapsed = pinged.is_connected().then_some(elapsed);
        for line in self.connection(target, &peer, elapsed, &seen) {
            self.output.line(&line);
        }
        self.output.flush().await?;
        let mut tally = Tally::default();
        let ended = self.measure(&mut pinged, &peer, &mut tally).await;
        self.stop.unless_again(pinged.close()).await;
        self.output.line(&tally.summary(target, self.settings.json));
        self.output.flush().await?;
        ended.and_then(|()| tally.verdict(target))
    }

    async fn measure<P: Pinged>(
        &mut self,
        pinged: &mut P,
        peer: &str,
        tally: &mut Tally,
    ) -> Result<()> {
        let settings = self.settings;
        let began = Instant::now();
        while settings.count.is_none_or(|count| tally.sent < count) {
            let number = u32::try_from(tally.sent).unwrap_or(u32::MAX);
            let due = began + settings.interval.saturating_mul(number);
            tokio::select! {
                biased;
                asked = self.stop.asked() => return Err(interrupted(asked, tally)),
                () = sleep_until(due.into()) => {}
                error = pinged.hold() => return Err(error),
            }
            let answer = tokio::select! {
                biased;
                asked = self.stop.asked() => return Err(interrupted(asked, tally)),
                answer = pinged.ping(settings.wait) => answer,
            };
            // One over which the connection was lost was sent, too.
            let (answer, ended) = match answer {
                Ok(answer) => (answer, Ok(())),
                Err(error) => (Err(NoReply::because(&error)), Err(error)),
            };
            let line = tally.count(answer, peer, settings.json);
            self.output.line(&line);
            self.output.flush().await?;
            ended?;
        }
        Ok(())
    }

    /// The lines about the connection, and how long it took to have it; `None`: there is none.
    fn connection(
        &self,
        target: &str,
        peer: &str,
        elapsed: Option<Duration>,
        seen: &Seen,
    ) -> Vec<String> {
        let known: Duration = seen.times.iter().map(|(_, time)| *time).sum();
        let phases = seen.times.iter().map(|(phase, time)| (phase.name(), *time));
        let handshake = elapsed.map(|it| ("handshake", it.saturating_sub(known)));
        let phases: Vec<_> = phases
            .chain(handshake)
            .map(|(name, time)| (name, milliseconds(time)))
            .collect();
        let elapsed = elapsed.map(milliseconds);
        if self.settings.json {
            let phases: Map<_, _> = phases
                .into_iter()
                .map(|(name, time)| (format!("{name}_ms"), rounded(time).into()))
                .collect();
            let mut line = json!({"target": target, "peer": peer, "phases": phases});
            if let Some(elapsed) = elapsed {
                line["connect_ms"] = rounded(elapsed).into();
            }
            if let Some(tls) = &seen.tls {
                line["tls"] = encryption(tls);
            }
            return vec![line.to_string()];
        }
        let phases: Vec<_> = phases
            .iter()
            .map(|(name, time)| format!("{name} {time:.3}"))
            .collect();
        let phases = phases.join(", ");
        let mut lines = vec![match elapsed {
            Some(elapsed) => {
                format!("connected to {target} ({peer}) in {elapsed:.3} ms: {phases}")
            }
            None => format!("sending to {target} ({peer}): {phases}"),
        }];
        if let Some(tls) = &seen.tls {
            lines.push(format!("{} with {}", tls.version, tls.cipher));
            lines.extend(tls.certificates.iter().map(|it| {
                let names = match it.names.is_empty() {
                    true => String::new(),
                    false => format!(" for {}", it.names.join(", ")),
                };
                format!(
                    "certificate {}{names}, issued by {}, valid until {} ({} days)",
                    it.subject,
                    it.issuer,
                    day(it.not_after),
                    days_left(it.not_after)
                )
            }));
        }
        lines
    }
}

/// What TLS was agreed on, for `--output json`.
fn encryption(tls: &TlsSeen) -> Value {
    let certificates = tls.certificates.iter().map(|it| {
        json!({"subject": it.subject, "issuer": it.issuer, "names": it.names,
            "not_before": day(it.not_before), "not_after": day(it.not_after),
            "expires_in_days": days_left(it.not_after)})
    });
    let certificates: Vec<Value> = certificates.collect();
    json!({"version": tls.version, "cipher": tls.cipher, "certificates": certificates})
}

fn interrupted(asked: Asked, tally: &Tally) -> Error {
    let count = counted(tally.sent, "ping");
    Error::new(asked.kind(), format!("interrupted after {count}"))
}

/// RFC 3339, in UTC.
fn day(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Whole days from now; negative where it is past.
fn days_left(time: SystemTime) -> i64 {
    let now = SystemTime::now();
    let days = |time: Duration| i64::try_from(time.as_secs() / 86_400).unwrap_or(i64::MAX);
    match time.duration_since(now) {
        Ok(left) => days(left),
        Err(past) => -1 - days(past.duration()),
    }
}

/// What came back so far.
#[derive(Default)]
struct Tally {
    sent: u64,
    latencies: Latencies,
    last_failure: Option<NoReply>,
}

impl Tally {
    /// Counts a round trip; its line.
    fn count(&mut self, answer: Result<Duration, NoReply>, peer: &str, json: bool) -> String {
        self.sent += 1;
        let sequence = self.sent;
        match answer {
            Ok(elapsed) => {
                self.latencies.record(elapsed);
                let time = milliseconds(elapsed);
                match json {
                    true => json!({"sequence": sequence, "peer": peer, "rtt_ms": rounded(time)})
                        .to_string(),
                    false => format!("response from {peer}: sequence {sequence}, {time:.3} ms"),
                }
            }
            Err(failure) => {
                let why = &failure.why;
                let line = match json {
                    true => json!({"sequence": sequence, "peer": peer, "error": why}).to_string(),
                    false => format!("no response from {peer}: sequence {sequence}, {why}"),
                };
                self.last_failure = Some(failure);
                line
            }
        }
    }

    fn summary(&self, target: &str, json: bool) -> String {
        let (sent, received) = (self.sent, self.latencies.count());
        let lost = sent - received;
        if json {
            let summary =
                json!({"target": target, "sent": sent, "received": received, "lost": lost});
            return match summary {
                Value::Object(mut summary) => {
                    self.latencies.put("rtt", &mut summary);
                    Value::Object(summary).to_string()
                }
                other => other.to_string(),
            };
        }
        let percent = 100.0 * lost as f64 / sent.max(1) as f64;
        let times = match received {
            0 => String::new(),
            _ => format!("; rtt {}", self.latencies),
        };
        format!("{target}: {sent} sent, {received} received, {percent:.0}% lost{times}")
    }

    /// One answer is a success.
    fn verdict(self, target: &str) -> Result<()> {
        match self.last_failure {
            Some(NoReply { kind, why }) if self.latencies.count() == 0 => {
                let text = format!("no response from {target}: {why}");
                Err(Error::new(kind, text))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_is_enough() {
        let lost = || {
            Err(NoReply {
                kind: Kind::TimedOut,
                why: String::from("nothing within 2s"),
            })
        };
        let mut tally = Tally::default();
        assert_eq!(
            tally.count(lost(), "h:1", false),
            "no response from h:1: sequence 1, nothing within 2s"
        );
        assert_eq!(
            tally.summary("x://h", false),
            "x://h: 1 sent, 0 received, 100% lost"
        );
        let answer = Ok(Duration::from_millis(2));
        assert_eq!(
            tally.count(answer, "h:1", true),
            r#"{"sequence":2,"peer":"h:1","rtt_ms":2.0}"#
        );
        assert!(tally.verdict("x://h").is_ok());
        let mut tally = Tally::default();
        tally.count(lost(), "h:1", false);
        let error = tally.verdict("x://h").unwrap_err();
        assert_eq!(
            (error.exit_code(), error.text()),
            (5, "no response from x://h: nothing within 2s")
        );
    }

    #[test]
    fn an_expired_certificate_has_less_than_no_days() {
        let now = SystemTime::now();
        let hour = Duration::from_secs(3600);
        assert_eq!(days_left(now + 25 * hour), 1);
        assert_eq!(days_left(now - hour), -1);
    }
}
