//! `amqp ping`: connects, logs in and measures round trips, as a health check.

use std::time::{Duration, Instant};

use super::session::{Session, SessionArgs};
use crate::amqp::v1::Pinger;
use crate::amqp::{Channel, Client};
use crate::connect::Retry;
use crate::error::Result;
use crate::output::{Console, Format, Output, Style};
use crate::stop::Stop;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// How many round trips (`-C`, default 1).
    pub count: u64,
    /// Between two round trips (`--interval`, default 1 s).
    pub interval: Duration,
    /// Results as JSON, one object a line (`--output json`), instead of words.
    pub json: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// Connects and measures; fails with the first round trip that does.
///
/// # Errors
/// No connection, a refused login, silence; see [`crate::error::Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let output = Output::open(Format::Raw, plan.style)?;
    run_to(plan, output).await
}

/// Does the same with `output` for the results.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, mut output: Output) -> Result<()> {
    let notes = Console::new(plan.style);
    let mut stop = Stop::watch()?;
    let session = plan.session.session("ping", Retry::Never, notes)?;
    let work = async {
        let began = Instant::now();
        let opening = session.connect_by(Peer::connect);
        let mut peer = opening.await?;
        let place = session.target.to_string();
        output.line(&plan.line("connect", &place, began.elapsed()));
        output.flush().await?;
        let pinged = ping(&plan, &mut peer, &place, &mut output).await;
        peer.close().await;
        pinged
    };
    stop.unless_asked("interrupted", work).await
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
    async fn ping(&self) -> Result<()> {
        match self {
            Self::V091(_, Some(channel)) => channel.prefetch(1).await,
            Self::V091(_, None) => Ok(()),
            Self::V10(pinger) => pinger.ping().await,
        }
    }

    async fn close(self) {
        match self {
            Self::V091(client, _) => client.close().await,
            Self::V10(pinger) => pinger.close().await,
        }
    }
}

async fn ping(plan: &Plan, peer: &mut Peer, place: &str, output: &mut Output) -> Result<()> {
    peer.prepare().await?;
    for number in 0..plan.count {
        if number > 0 {
            tokio::time::sleep(plan.interval).await;
        }
        let began = Instant::now();
        peer.ping().await?;
        output.line(&plan.line("round trip", place, began.elapsed()));
        output.flush().await?;
    }
    Ok(())
}

impl Plan {
    fn line(&self, what: &str, place: &str, time: Duration) -> String {
        let millis = time.as_secs_f64() * 1000.0;
        if self.json {
            let name = format!("{}_ms", what.replace(' ', "_"));
            let rounded = (millis * 1000.0).round() / 1000.0;
            return serde_json::json!({"target": place, name: rounded}).to_string();
        }
        format!("{place}: {what} {millis:.3} ms")
    }
}
