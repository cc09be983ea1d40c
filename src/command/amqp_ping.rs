//! `amqp ping`: connects, logs in and measures round trips, as a health check.

use std::time::{Duration, Instant};

use super::amqp_session::{SessionWords, unless_stopped};
use crate::amqp::Client;
use crate::connect::Retry;
use crate::error::Result;
use crate::output::{Format, Notes, Output, Style};
use crate::stop::Stop;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionWords,
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
    let notes = Notes::new(plan.style);
    let mut stop = Stop::watch()?;
    let session = plan.session.session("ping", Retry::Never, notes)?;
    let work = async {
        let began = Instant::now();
        let client = session.connect().await?;
        let place = client.target().to_string();
        output.line(&plan.line("connect", &place, began.elapsed()));
        output.flush().await?;
        let pinged = ping(&plan, &client, &place, &mut output).await;
        client.close().await;
        pinged
    };
    unless_stopped(&mut stop, work).await
}

async fn ping(plan: &Plan, client: &Client, place: &str, output: &mut Output) -> Result<()> {
    let channel = client.channel().await?;
    for number in 0..plan.count {
        if number > 0 {
            tokio::time::sleep(plan.interval).await;
        }
        let began = Instant::now();
        // The cheapest request that is answered and changes nothing.
        channel.prefetch(1).await?;
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
