//! A broker on its listeners, until it is asked to stop.

use std::time::Duration;

use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::timeout;

use super::host::{Engine, Host};
use crate::connect::{Incoming, Listener};
use crate::error::{Error, Kind, Result};

/// How long clients get to read the goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serves the clients of all listeners until `stop` is done, then says goodbye to them.
///
/// Runs in a current-thread runtime: all connections are tasks on this thread. Each listener has the number that
/// [`Engine::open`] gets. A handshake may take `patience`. The last event is [`Engine::stopped`].
///
/// # Errors
/// A listener does not work any more ([`Kind::Local`]).
pub(crate) async fn serve<E: Engine>(
    host: Host<E>,
    listeners: Vec<(Listener, usize)>,
    patience: Duration,
    stop: impl Future,
) -> Result<()> {
    let serving = async {
        let mut accepting = JoinSet::new();
        for listener in listeners {
            accepting.spawn_local(accept_all(host.clone(), listener, patience));
        }
        let outcome = tokio::select! {
            _ = stop => Ok(()),
            () = host.keep_time() => Ok(()),
            Some(Ok(error)) = accepting.join_next() => Err(error),
        };
        accepting.abort_all();
        // Whoever does not take the goodbye in time is left without.
        let _ = timeout(GOODBYE, host.stop()).await;
        let stopped = host.state().engine.stopped();
        host.tell(stopped);
        outcome
    };
    LocalSet::new().run_until(serving).await
}

/// Accepts connections until the listener fails.
async fn accept_all<E: Engine>(
    host: Host<E>,
    (listener, number): (Listener, usize),
    patience: Duration,
) -> Error {
    loop {
        let trouble = |error: &Error| host.tell(E::not_accepted(error.text().to_owned()));
        match listener.accept_or(trouble).await {
            Ok(incoming) => {
                let welcome = welcome(host.clone(), incoming, number, patience);
                drop(spawn_local(welcome));
            }
            Err(error) => return error,
        }
    }
}

/// Makes the handshakes, which a slow client may draw out without delaying others, and serves the connection.
async fn welcome<E: Engine>(
    host: Host<E>,
    incoming: Incoming,
    listener: usize,
    patience: Duration,
) {
    let peer = incoming.peer().to_owned();
    let late = || Error::new(Kind::TimedOut, format!("handshake with {peer} timed out"));
    let ready = timeout(patience, incoming.ready()).await;
    match ready.unwrap_or_else(|_| Err(late())) {
        Ok(stream) => host.carry(stream, peer, listener).await,
        Err(error) => host.tell(E::not_accepted(error.text().to_owned())),
    }
}
