//! `amqp ping`: connects, logs in and measures round trips, as a health check.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::session::{Session, SessionArgs};
use crate::amqp::v1::Pinger;
use crate::amqp::{Channel, Client};
use crate::command::ping::{NoReply, Pinged, Pinging, Settings};
use crate::connect::Retry;
use crate::error::{Error, Result};
use crate::output::{Console, Output, Style};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// How often, how fast, and how it is shown.
    pub settings: Settings,
    /// What the terminal shows.
    pub style: Style,
}

/// Connects and measures.
///
/// # Errors
/// No connection, a refused login, silence; see [`crate::error::Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    measure(&plan, Pinging::new(&plan.settings, plan.style)?).await
}

/// Does the same with `output` for the results.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, output: Output) -> Result<()> {
    measure(&plan, Pinging::over(&plan.settings, output)?).await
}

async fn measure(plan: &Plan, pinging: Pinging<'_>) -> Result<()> {
    let notes = Console::new(plan.style);
    let mut session = plan.session.session("ping", Retry::Never, notes)?;
    pinging.watch(&mut session.target);
    let opening = async {
        let mut peer = session.connect_by(Peer::connect).await?;
        peer.prepare().await?;
        Ok(peer)
    };
    pinging.run(&session.target.to_string(), opening).await
}

/// A connection that round trips are measured on.
enum Peer {
    V091(Client, Option<Channel>),
    V10(Box<Pinger>),
}

impl Peer {
    async fn connect(session: &Session) -> Result<Self> {
        let v091 = async |session: &Session| Ok(Self::V091(session.client().await?, None));
        let one = async |session: &Session| {
            let (target, options) = (&session.target, &session.options);
            let pinger = Pinger::connect(target, options).await?;
            Ok(Self::V10(Box::new(pinger)))
        };
        session.over(v091, one).await
    }

    /// What comes before the first round trip.
    async fn prepare(&mut self) -> Result<()> {
        if let Self::V091(client, channel) = self {
            *channel = Some(client.channel().await?);
        }
        Ok(())
    }

    /// The cheapest request that is answered and changes nothing.
    async fn round_trip(&self) -> Result<()> {
        match self {
            Self::V091(_, Some(channel)) => channel.prefetch(1).await,
            Self::V091(_, None) => Ok(()),
            Self::V10(pinger) => pinger.ping().await,
        }
    }
}

impl Pinged for Peer {
    async fn ping(&mut self, wait: Duration) -> Result<Result<Duration, NoReply>> {
        let began = Instant::now();
        match timeout(wait, self.round_trip()).await {
            Ok(done) => done.map(|()| Ok(began.elapsed())),
            Err(_) => Ok(Err(NoReply::silence(wait))),
        }
    }

    /// Its own tasks keep it alive.
    async fn hold(&mut self) -> Error {
        std::future::pending().await
    }

    async fn close(self) {
        match self {
            Self::V091(client, _) => client.close().await,
            Self::V10(pinger) => pinger.close().await,
        }
    }
}
