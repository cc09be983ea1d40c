//! A registration that lasts as long as the command: updated before its lifetime ends, made anew when the directory has
//! lost it, and taken away at the end (RFC 9176 §5.1, §5.3).

use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tokio::time::{sleep_until, timeout};

use super::directory::Directory;
use super::rd::{Made, Order};
use super::session::{is_outage, refused, retry_after};
use crate::coap::code::Code;
use crate::coap::endpoint::Reply;
use crate::connect::{Backoff, Retry};
use crate::error::{Error, Kind, Result};
use crate::stop::{Asked, Stop};

/// What counts where nothing was said (RFC 9176 §5).
pub(crate) const USUAL_LIFETIME: Duration = Duration::from_secs(90_000);

/// How long the directory may take to let us go.
const FAREWELL: Duration = Duration::from_secs(5);

/// Until when a registration is kept; without any of these until a signal comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// End after so many updates; at least 1.
    pub count: Option<u64>,
    /// End after this long.
    pub duration: Option<Duration>,
}

/// What became of a registration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Became<'a> {
    /// It was made, with its round trip.
    Registered(Duration),
    /// It lasts longer, with its round trip.
    Updated(Duration),
    /// The directory does not answer, or does not know it any more.
    Lost(&'a Error),
    /// It was taken away, with its round trip.
    Removed(Duration),
}

impl Became<'_> {
    const fn word(self) -> &'static str {
        match self {
            Self::Registered(_) => "registered",
            Self::Updated(_) => "updated",
            Self::Lost(_) => "lost",
            Self::Removed(_) => "removed",
        }
    }

    /// One line, without its break.
    pub(crate) fn line(self, uri: &str, lifetime: Duration, json: bool) -> String {
        let word = self.word();
        if !json {
            return match self {
                // It begins with the URI.
                Self::Lost(error) => format!("{word} {}", error.text()),
                _ => format!("{word} {uri}"),
            };
        }
        let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
        let mut line = json!({"time": time, "event": word, "uri": uri});
        match self {
            Self::Lost(error) => line["error"] = error.text().into(),
            Self::Registered(elapsed) | Self::Updated(elapsed) | Self::Removed(elapsed) => {
                line["rtt_ms"] = ((elapsed.as_secs_f64() * 1e6).round() / 1e3).into();
            }
        }
        if matches!(self, Self::Registered(_) | Self::Updated(_)) {
            line["lifetime_s"] = lifetime.as_secs().into();
        }
        line.to_string()
    }
}

/// Keeps a registration until there is enough.
///
/// # Errors
/// A signal; a directory that stays away for a whole lifetime, or does not take us any more.
pub(crate) async fn keep(
    directory: &mut Directory<'_>,
    order: &Order,
    made: Made,
    keep: &Keep,
    stop: &mut Stop,
) -> Result<()> {
    let mut kept = Kept {
        directory,
        order,
        made,
        since: Instant::now(),
        updates: 0,
        standing: Standing::Counts,
        held_off: None,
    };
    let ended = kept.hold(keep, stop).await;
    let removed = match kept.standing {
        Standing::Gone => Ok(()),
        Standing::Counts | Standing::InDoubt => stop.unless_again(kept.remove()).await,
    };
    let shown = kept.directory.output.flush().await;
    match (ended, removed) {
        (Ok(()), removed) => removed.and(shown),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(why)) => {
            kept.directory.notes.warn(format_args!(
                "the registration could not be removed: {}",
                why.text()
            ));
            Err(error)
        }
    }
}

/// When a registration that was made or updated at `since` is updated: a quarter of its lifetime is left for what goes
/// wrong.
pub(crate) fn due(since: Instant, lifetime: Duration) -> Instant {
    since + lifetime / 4 * 3
}

/// What the directory has of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The registration.
    Counts,
    /// It does not answer, or does not take updates: the registration may still be there.
    InDoubt,
    /// Nothing: it has said so.
    Gone,
}

/// A registration that is being kept.
struct Kept<'a, 'b> {
    directory: &'a mut Directory<'b>,
    order: &'a Order,
    made: Made,
    /// When it was made or updated last.
    since: Instant,
    updates: u64,
    standing: Standing,
    /// Before then the directory does not want to be asked again.
    held_off: Option<Instant>,
}

impl Kept<'_, '_> {
    async fn hold(&mut self, keep: &Keep, stop: &mut Stop) -> Result<()> {
        let far_away = Duration::from_secs(u32::MAX.into());
        let end = Instant::now() + keep.duration.unwrap_or(far_away).min(far_away);
        while keep.count.is_none_or(|count| self.updates < count) {
            tokio::select! {
                biased;
                asked = stop.asked() => return Err(self.interrupted(asked)),
                () = sleep_until(end.into()) => return self.over(),
                gone_on = self.go_on() => gone_on?,
            }
        }
        Ok(())
    }

    /// The time is over: a success, unless the registration was lost and is not made again yet.
    fn over(&self) -> Result<()> {
        if self.standing == Standing::Counts {
            return Ok(());
        }
        let text = format!(
            "{}: the registration was lost, and could not be made again in time",
            self.made.uri
        );
        Err(Error::new(Kind::TimedOut, text))
    }

    fn interrupted(&self, asked: Asked) -> Error {
        let updates = self.updates;
        Error::new(
            asked.kind(),
            format!("interrupted after {updates} updates of the registration"),
        )
    }

    /// Waits until it is time, and updates.
    async fn go_on(&mut self) -> Result<()> {
        let due = due(self.since, self.order.lifetime);
        self.directory.idle(due).await?;
        match self.update().await {
            Ok(elapsed) => self.show(Became::Updated(elapsed)),
            Err(error) if is_ours(&error) => return Err(error),
            Err(error) => {
                if self.standing == Standing::Counts {
                    self.standing = Standing::InDoubt;
                }
                self.show(Became::Lost(&error));
                self.directory.output.flush().await?;
                let elapsed = self.register_anew(error).await?;
                self.standing = Standing::Counts;
                self.show(Became::Registered(elapsed));
            }
        }
        self.since = Instant::now();
        self.updates += 1;
        self.directory.output.flush().await
    }

    /// Its parameters and links stay (§5.3.1); a simple registration is made once more. A directory that is busy is asked
    /// again as long as the registration counts.
    async fn update(&mut self) -> Result<Duration> {
        let expires = self.since + self.order.lifetime;
        let left = expires.saturating_duration_since(Instant::now());
        let mut backoff = Backoff::new(Retry::For(left));
        loop {
            let reply = match &self.made.place {
                Some(place) => self.directory.exchange(Code::POST, place, None).await?,
                None => self.order.post(self.directory).await?,
            };
            let code = reply.response.code;
            if code.is_success() {
                if self.made.place.is_none() {
                    self.made = self.order.made(&reply)?;
                }
                return Ok(reply.elapsed);
            }
            let place = self.made.place.as_ref().unwrap_or(&self.order.place);
            let error = refused(&place.uri, &reply);
            if code == Code::NOT_FOUND {
                self.standing = Standing::Gone;
            }
            if !is_outage(code) {
                return Err(error);
            }
            self.hold_off(&reply);
            self.wait(&mut backoff, error).await?;
        }
    }

    /// Tries for as long as a registration counts, after what has ended it.
    async fn register_anew(&mut self, lost: Error) -> Result<Duration> {
        let mut backoff = Backoff::new(Retry::For(self.order.lifetime));
        if self.held_off.is_some_and(|until| until > Instant::now()) {
            self.wait(&mut backoff, lost).await?;
        }
        loop {
            let error = match self.order.post(self.directory).await {
                Ok(reply) if is_outage(reply.response.code) => {
                    self.hold_off(&reply);
                    refused(&self.order.place.uri, &reply)
                }
                Ok(reply) => {
                    self.made = self.order.made(&reply)?;
                    return Ok(self.made.elapsed);
                }
                Err(error) if is_ours(&error) => return Err(error),
                Err(error) => error,
            };
            self.wait(&mut backoff, error).await?;
        }
    }

    /// Remembers how long an answer wants us to wait (RFC 7252 §5.9.3.4, RFC 8516 §3).
    fn hold_off(&mut self, reply: &Reply) {
        self.held_off = Some(Instant::now() + retry_after(reply));
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// `error`, where there is none any more.
    async fn wait(&mut self, backoff: &mut Backoff, error: Error) -> Result<()> {
        let now = Instant::now();
        let held_off = self.held_off.map(|it| it.saturating_duration_since(now));
        let Some(wait) = backoff.next_after(now, held_off.unwrap_or_default()) else {
            return Err(error);
        };
        let notes = self.directory.notes;
        notes.progress(format_args!("{}; retrying", error.text()));
        self.directory.idle(now + wait).await
    }

    async fn remove(&mut self) -> Result<()> {
        let Some(place) = self.made.place.clone() else {
            let lifetime = self.order.lifetime.as_secs();
            self.directory.notes.note(format_args!(
                "a simple registration cannot be removed: it expires {lifetime} s after its last update"
            ));
            return Ok(());
        };
        let asked = self.directory.exchange(Code::DELETE, &place, None);
        let Ok(reply) = timeout(FAREWELL, asked).await else {
            let text = format!("{}: no response within {} s", place.uri, FAREWELL.as_secs());
            return Err(Error::new(Kind::TimedOut, text));
        };
        let reply = reply?;
        match reply.response.code {
            // It has gone already.
            Code::NOT_FOUND => {}
            code if code.is_success() => {}
            _ => return Err(refused(&place.uri, &reply)),
        }
        self.show(Became::Removed(reply.elapsed));
        Ok(())
    }

    fn show(&mut self, became: Became<'_>) {
        let line = became.line(&self.made.uri, self.order.lifetime, self.order.json);
        self.directory.output.line(&line);
    }
}

/// Whether it is not for the directory to change.
fn is_ours(error: &Error) -> bool {
    matches!(error.kind(), Kind::Usage | Kind::Local | Kind::ReaderGone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_time_left_when_an_update_fails() {
        let now = Instant::now();
        let after = |lifetime| due(now, Duration::from_secs(lifetime)) - now;
        assert_eq!(after(1), Duration::from_millis(750));
        assert_eq!(after(60), Duration::from_secs(45));
        assert_eq!(after(90_000), Duration::from_secs(67_500));
        // The longest there is.
        assert!(after(u32::MAX.into()) > Duration::from_secs(3_000_000_000));
    }

    #[test]
    fn lines_say_what_became_of_it() {
        let (uri, minute) = ("coap://h/reg/1/", Duration::from_secs(60));
        let elapsed = Duration::from_micros(1_500);
        let text = |became: Became<'_>| became.line(uri, minute, false);
        assert_eq!(text(Became::Updated(elapsed)), "updated coap://h/reg/1/");
        let error = Error::new(Kind::Refused, "coap://h/reg/1/: 4.04 Not Found");
        assert_eq!(
            text(Became::Lost(&error)),
            "lost coap://h/reg/1/: 4.04 Not Found"
        );
        let json = |became: Became<'_>| -> serde_json::Value {
            serde_json::from_str(&became.line(uri, minute, true)).unwrap()
        };
        let made = json(Became::Registered(elapsed));
        assert_eq!(
            (&made["event"], &made["uri"]),
            (&"registered".into(), &uri.into())
        );
        assert_eq!(
            (&made["rtt_ms"], &made["lifetime_s"]),
            (&1.5.into(), &60.into())
        );
        let lost = json(Became::Lost(&error));
        assert!(lost["error"].as_str().unwrap().contains("4.04") && lost.get("rtt_ms").is_none());
        assert!(json(Became::Removed(elapsed)).get("lifetime_s").is_none());
    }
}
