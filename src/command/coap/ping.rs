//! `coap ping`: round-trip times, and whether anybody is there.

use std::time::Duration;

use super::client::{RequestClient, Tracer};
use super::session::{Place, SessionArgs};
use crate::coap::endpoint::{Event, Failure, Loss};
use crate::command::ping::{NoReply, Pinged, Pinging, Settings};
use crate::connect;
use crate::error::{Error, Kind, Result};
use crate::output::{Console, Style};

/// Whom to ping, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionArgs,
    /// How often, how fast, and how it is shown.
    pub settings: Settings,
    /// What the terminal shows.
    pub style: Style,
}

/// Pings: an empty confirmable message that a reset answers (RFC 7252 §4.3), or Ping and Pong (RFC 8323 §5.4).
///
/// # Errors
/// Nobody answered: [`Kind::Unreachable`] when nobody listens there, otherwise [`Kind::TimedOut`]. A connection that the
/// peer ended: [`Kind::Lost`], whatever was answered before.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut place = plan.session.only_place()?;
    // A ping has nothing to protect (RFC 8613 §4.2: empty messages).
    place.target.oscore = None;
    let pinging = Pinging::new(&plan.settings, plan.style)?;
    pinging.watch(&mut place.target);
    let tracer = Tracer::open(&plan.session, Console::new(plan.style))?;
    let opening = async {
        let client = RequestClient::open(&plan.session, &tracer, &place).await?;
        if client.is_group() {
            return Err(Error::usage("a multicast group cannot be pinged")
                .hint("use coap discover to find its members"));
        }
        Ok(Connection {
            client,
            place: &place,
        })
    };
    pinging.run(&place.target.to_string(), opening).await
}

struct Connection<'a> {
    client: RequestClient,
    place: &'a Place,
}

impl Pinged for Connection<'_> {
    async fn ping(&mut self, wait: Duration) -> Result<Result<Duration, NoReply>> {
        let ping = self.client.ping(wait);
        let failure = loop {
            match self.client.next().await {
                Event::Pong {
                    handle, elapsed, ..
                } if handle == ping => return Ok(Ok(elapsed)),
                Event::Failed {
                    handle, failure, ..
                } if handle == ping => break failure,
                _ => {}
            }
        };
        let kind = match failure {
            Failure::Disconnected(Loss {
                alert: Some(alert), ..
            }) => return Err(connect::refused(&self.place.target, alert)),
            // There is nothing left that could be pinged: as with MQTT and AMQP, that is the end.
            Failure::Disconnected(Loss { why, timed_out, .. }) => {
                let kind = match timed_out {
                    true => Kind::TimedOut,
                    false => Kind::Lost,
                };
                let text = format!("connection to {} lost: {why}", self.place.target);
                return Err(Error::new(kind, text));
            }
            Failure::Unreachable => Kind::Unreachable,
            Failure::TimedOut { .. } | Failure::GaveUp { .. } => Kind::TimedOut,
            _ => Kind::Lost,
        };
        let why = failure.to_string();
        Ok(Err(NoReply { kind, why }))
    }

    /// Between two pings nothing is owed to the server.
    async fn hold(&mut self) -> Error {
        std::future::pending().await
    }

    fn peer(&self) -> Option<String> {
        Some(self.client.remote().to_string())
    }

    fn is_connected(&self) -> bool {
        let transport = &self.place.target.transport;
        !transport.is_datagram() || transport.is_encrypted()
    }

    async fn close(mut self) {
        self.client.close().await;
    }
}
