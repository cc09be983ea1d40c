//! Several servers of which one is enough: tried in order, and after a loss from the next one on.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::{Error, Kind, Result};

use super::srv;
use super::target::Target;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// A name or an IP address without brackets.
    pub(super) host: String,
    /// `None`: the usual one.
    pub(super) port: Option<u16>,
}

/// The servers of a target that has more than one, or that is to be looked up.
#[derive(Debug)]
pub(crate) struct Servers {
    known: Known,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Known {
    /// A name or an address, and a port, of each.
    Listed(Vec<(String, u16)>),
    /// The name that DNS has SRV records for (RFC 2782): `_mqtt._tcp.example.com`.
    Announced(String),
}

#[derive(Debug, Default)]
struct State {
    /// The place in the list that is tried first.
    next: usize,
    /// The server that was connected to last.
    place: Option<(String, u16)>,
}

impl Servers {
    pub(super) fn listed(places: Vec<(String, u16)>) -> Self {
        Self {
            known: Known::Listed(places),
            state: Mutex::default(),
        }
    }

    pub(super) fn announced(name: String) -> Self {
        Self {
            known: Known::Announced(name),
            state: Mutex::default(),
        }
    }

    /// Whether DNS names them.
    pub(super) const fn are_announced(&self) -> bool {
        matches!(self.known, Known::Announced(_))
    }

    /// The server that is connected to.
    pub(super) fn place(&self) -> Option<(String, u16)> {
        self.state().place.clone()
    }

    /// The connection was lost: the next one is tried first now.
    pub(super) fn move_on(&self) {
        if let Known::Listed(places) = &self.known {
            let mut state = self.state();
            state.next = (state.next + 1) % places.len().max(1);
        }
    }

    /// The first of a list, where it is not the one that is connected to.
    pub(super) fn first_elsewhere(&self) -> Option<(String, u16)> {
        let Known::Listed(places) = &self.known else {
            return None;
        };
        let first = places.first()?;
        (self.state().place.as_ref() != Some(first)).then(|| first.clone())
    }

    pub(super) fn back_at_first(&self) {
        if let Known::Listed(places) = &self.known
            && let Some(first) = places.first()
        {
            self.reached(0, first.clone());
        }
    }

    fn reached(&self, at: usize, place: (String, u16)) {
        let mut state = self.state();
        if matches!(self.known, Known::Listed(_)) {
            state.next = at;
        }
        state.place = Some(place);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nobody panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The servers in the order in which they are to be tried, each with its number; at least one.
    async fn order(&self, target: &Target) -> Result<Vec<(usize, Target)>> {
        let next = self.state().next;
        Ok(match &self.known {
            Known::Listed(places) => {
                let numbers = (0..places.len()).map(|at| (next + at) % places.len());
                numbers
                    .map(|at| (at, target.alone(&places[at], false)))
                    .collect()
            }
            Known::Announced(name) => {
                let found = srv::look_up(name).await.map_err(|why| {
                    let text = format!("cannot connect to {target}: {why}");
                    Error::new(Kind::Unreachable, text)
                })?;
                let found = found.iter().enumerate();
                found
                    .map(|(at, place)| (at, target.alone(place, true)))
                    .collect()
            }
        })
    }
}

/// Connects by `connecting` to the target, or to the first of its servers that takes us: each has its share of the time that
/// is left.
pub(super) async fn first<T>(
    target: &Target,
    connecting: impl AsyncFn(&Target) -> Result<T>,
) -> Result<T> {
    let limit = target.connect_timeout;
    let Some(servers) = &target.servers else {
        return limited(target, limit, connecting(target)).await;
    };
    let until = Instant::now() + limit;
    let order = limited(target, limit, servers.order(target)).await?;
    let count = order.len();
    let mut failures = Vec::new();
    for (tried, (at, server)) in order.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        // One that is left at least, so no division by zero.
        let share = left / u32::try_from(count - tried).unwrap_or(u32::MAX).max(1);
        match limited(server, share, connecting(server)).await {
            Ok(connected) => {
                servers.reached(*at, (server.host.clone(), server.port));
                return Ok(connected);
            }
            Err(why) => failures.push(why),
        }
    }
    Err(all_failed(target, failures))
}

async fn limited<T>(
    target: &Target,
    limit: Duration,
    connecting: impl Future<Output = Result<T>>,
) -> Result<T> {
    timeout(limit, connecting).await.unwrap_or_else(|_| {
        let limit = Duration::from_millis(limit.as_millis() as u64);
        let limit = humantime::format_duration(limit);
        Err(Error::new(
            Kind::TimedOut,
            format!("cannot connect to {target}: timed out after {limit}"),
        ))
    })
}

/// One line that names each server with its reason. It is of the kind that tells most: a refused login, then no connection,
/// then silence.
fn all_failed(target: &Target, mut failures: Vec<Error>) -> Error {
    if failures.len() < 2 {
        // A name without any server is an error of the lookup.
        let none = || Error::new(Kind::Unreachable, format!("cannot connect to {target}"));
        return failures.pop().unwrap_or_else(none);
    }
    let rank = |error: &Error| match error.kind() {
        Kind::TimedOut => 0,
        Kind::Unreachable => 1,
        _ => 2,
    };
    let reasons: Vec<&str> = failures
        .iter()
        .map(|error| {
            let text = error.text();
            text.strip_prefix("cannot connect to ").unwrap_or(text)
        })
        .collect();
    let text = format!(
        "cannot connect to any of {} servers: {}",
        failures.len(),
        reasons.join("; ")
    );
    let hint = failures.iter().find_map(Error::hint_text);
    let hint = hint.map(str::to_owned);
    let kind = failures.iter().max_by_key(|error| rank(error));
    let kind = kind.map_or(Kind::Unreachable, Error::kind);
    let error = Error::new(kind, text);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Protocol;
    use crate::connect::tls::{ClientTls, Trust};

    fn three() -> Target {
        let places = ["a", "b", "c"].map(|host| (host.to_owned(), 1883));
        Target {
            servers: Some(Servers::listed(places.to_vec()).into()),
            ..Target::tcp(Protocol::Mqtt, "a", 1883)
        }
    }

    async fn tried(target: &Target, up: &[&str]) -> (String, Result<String>) {
        let tried = Mutex::new(String::new());
        let connected = first(target, async |server| {
            *tried.lock().unwrap() += &server.host;
            match up.contains(&server.host.as_str()) {
                true => Ok(server.host.clone()),
                false => Err(Error::new(
                    Kind::Unreachable,
                    format!("cannot connect to {server}: down"),
                )),
            }
        })
        .await;
        (tried.into_inner().unwrap(), connected)
    }

    #[tokio::test]
    async fn they_are_tried_in_order_and_after_a_loss_from_the_next_one_on() {
        let target = three();
        assert_eq!(tried(&target, &["b", "c"]).await.0, "ab");
        assert_eq!(target.to_string(), "mqtt://b:1883");
        assert_eq!(tried(&target, &["b"]).await.0, "b", "nothing was lost");
        target.move_on();
        assert_eq!(tried(&target, &["a"]).await.0, "ca");
        assert_eq!(target.to_string(), "mqtt://a:1883");
    }

    /// DNS is not authenticated: it must not choose the name that is verified.
    #[test]
    fn a_server_that_dns_names_shows_the_certificate_of_the_domain() {
        let target = Target {
            tls: Some(ClientTls::new(Trust::System)),
            ..Target::tcp(Protocol::Mqtt, "example.com", 8883)
        };
        let place = (String::from("b1.example.net"), 8884);
        for (announced, name) in [(true, "example.com"), (false, "b1.example.net")] {
            let alone = target.alone(&place, announced);
            let verified = alone.tls.unwrap().server_name(&alone.host).unwrap();
            assert_eq!(verified.to_str(), name);
        }
    }

    #[tokio::test]
    async fn the_failure_names_all_of_them() {
        let (_, failed) = tried(&three(), &[]).await;
        let failed = failed.unwrap_err();
        assert_eq!(
            failed.text(),
            "cannot connect to any of 3 servers: mqtt://a:1883: down; mqtt://b:1883: down; mqtt://c:1883: down"
        );
        assert_eq!(failed.exit_code(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn each_has_its_share_of_the_time() {
        let target = three();
        let began = Instant::now();
        let failed = first(&target, async |_| {
            std::future::pending::<Result<()>>().await
        })
        .await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.exit_code(), 5, "{failed}");
        let took = began.elapsed();
        assert!(
            took.abs_diff(target.connect_timeout) < Duration::from_millis(100),
            "{took:?}"
        );
        assert!(
            failed.text().contains("mqtt://c:1883: timed out after"),
            "{failed}"
        );
    }
}
