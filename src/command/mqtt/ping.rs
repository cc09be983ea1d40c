//! `mqtt ping`: connects, logs in and measures round trips, as a health check.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::session::{SessionArgs, Wants, tell};
use crate::command::ping::{NoReply, Pinged, Pinging, Settings};
use crate::connect::Retry;
use crate::error::{Error, Result};
use crate::mqtt::client::{Client, Notice};
use crate::mqtt::packet::{Disconnect, Properties};
use crate::mqtt::session::client::Event;
use crate::output::{Console, Style};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// How often, how fast, and how it is shown.
    pub settings: Settings,
    /// What the terminal shows.
    pub style: Style,
}

/// Connects and measures.
///
/// # Errors
/// No connection, a refusal, silence; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut target = plan.session.target()?;
    let console = Console::new(plan.style);
    let pinging = Pinging::new(&plan.settings, plan.style)?;
    pinging.watch(&mut target);
    let name = target.to_string();
    let wants = Wants {
        later: Retry::Never,
        version_5_only: false,
        topic_aliases: 0,
    };
    let opening = async {
        let client = plan.session.client(target, &wants, console).await?;
        let mut connection = Connection {
            client,
            console,
            goodbye: plan.session.disconnect_properties.clone(),
            unanswered: 0,
            lost: None,
        };
        while !connection.client.is_online() {
            connection.step().await?;
        }
        Ok(connection)
    };
    pinging.run(&name, opening).await
}

/// A connection that is pinged by PINGREQ (MQTT 5.0 §3.12).
struct Connection {
    client: Client,
    console: Console,
    goodbye: Properties,
    /// PINGREQs that have no answer.
    unanswered: u32,
    /// Why the connection was lost since the last one was sent; another has been tried since.
    lost: Option<NoReply>,
}

impl Connection {
    async fn step(&mut self) -> Result<()> {
        self.client.drive().await?;
        while let Some(notice) = self.client.poll_notice() {
            if let Notice::Lost { error, .. } = &notice {
                self.lost = Some(NoReply::because(error));
            }
            tell(notice, self.client.target(), self.console);
        }
        while let Some(event) = self.client.poll_event() {
            self.unanswered -= u32::from(event == Event::Pong).min(self.unanswered);
        }
        Ok(())
    }
}

impl Pinged for Connection {
    async fn ping(&mut self, wait: Duration) -> Result<Result<Duration, NoReply>> {
        let answered = async {
            // There is another connection, or the last try of one is still under way.
            while !self.client.is_online() {
                self.step().await?;
            }
            self.lost = None;
            let began = Instant::now();
            self.unanswered = self.client.session().ping(began);
            while self.unanswered > 0 {
                self.step().await?;
                // What was asked over the lost connection is not answered.
                if let Some(lost) = self.lost.take() {
                    self.unanswered = 0;
                    return Ok(Err(lost));
                }
            }
            Ok(Ok(began.elapsed()))
        };
        match timeout(wait, answered).await {
            Ok(answered) => answered,
            Err(_) => Ok(Err(NoReply::silence(wait))),
        }
    }

    fn target(&self) -> Option<String> {
        Some(self.client.target().to_string())
    }

    async fn hold(&mut self) -> Error {
        loop {
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }

    async fn close(mut self) {
        let goodbye = Disconnect {
            properties: self.goodbye,
            ..Disconnect::default()
        };
        self.client.close(goodbye).await;
    }
}
