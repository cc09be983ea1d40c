//! What the user of the screen asks for: messages sent, retained ones removed, a recording.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use bytestring::ByteString;

use super::Plan;
use crate::command::mqtt::publish;
use crate::command::mqtt::session::SessionArgs;
use crate::connect::Protocol;
use crate::error::{Result, counted};
use crate::flow::{Pacing, Stages, Until};
use crate::message::Message;
use crate::mqtt::packet::{Properties, QoS};
use crate::output::{Action, Destination as Kept, Format, Output, Rotation, Style};
use crate::payload::{Destination, Encoding, Source};

/// Publishing is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a recording that wait to be written.
const MOST_PENDING: usize = 1 << 16;

type Work<'a> = Pin<Box<dyn Future<Output = String> + 'a>>;

/// What is under way.
pub(super) struct Deeds<'a> {
    plan: &'a Plan,
    /// How to publish; `None`: the server does not speak MQTT.
    session: Option<SessionArgs>,
    /// One after the other.
    work: VecDeque<Work<'a>>,
    recording: Option<(Output, PathBuf, u64)>,
}

impl<'a> Deeds<'a> {
    /// Nothing is under way yet.
    ///
    /// # Errors
    /// Those of a context.
    pub(super) fn new(plan: &'a Plan) -> Result<Self> {
        let source = &plan.source;
        let is_mqtt = source.end.protocol()? == Some(Protocol::Mqtt);
        let session = is_mqtt.then(|| SessionArgs {
            connect: source.end.connect(&source.connect),
            client_id: None,
            ..source.mqtt.clone()
        });
        Ok(Self {
            plan,
            session,
            work: VecDeque::new(),
            recording: None,
        })
    }

    /// Begins what is asked for, and says so.
    pub(super) fn begin(&mut self, action: Action) -> String {
        match action {
            Action::Quit => String::new(),
            Action::Record(file) => match self.switch(file) {
                Ok(said) => said,
                Err(error) => error.text().to_owned(),
            },
            Action::Publish {
                topic,
                payload,
                retain,
            } => {
                let done = format!("published to {topic}");
                let body = Source::Text(payload.into());
                self.publish(vec![topic], body, retain, done)
            }
            Action::Clear(topics) => {
                let done = counted(topics.len() as u64, "retained message");
                self.publish(topics, Source::Empty, true, format!("removed {done}"))
            }
        }
    }

    fn publish(
        &mut self,
        topics: Vec<String>,
        source: Source,
        retain: bool,
        done: String,
    ) -> String {
        let Some(session) = self.session.clone() else {
            return String::from("only MQTT servers are published to");
        };
        let begun = format!("publishing to {}", counted(topics.len() as u64, "topic"));
        let topics = topics
            .into_iter()
            .map(|topic| Destination::new(ByteString::from(topic)));
        let plan = publish::Plan {
            session,
            topics: topics.collect(),
            qos: QoS::AtLeastOnce,
            retain,
            properties: Properties::default(),
            source,
            encoding: Encoding::Plain,
            stages: Stages::default(),
            pacing: Pacing::default(),
            ack_timeout: None,
            require_subscribers: false,
            ack_report: None,
            until: Until {
                timeout: Some(PATIENCE),
                ..Until::default()
            },
            style: Style {
                quiet: true,
                ..self.plan.style
            },
        };
        self.work.push_back(Box::pin(async move {
            match publish::run(plan).await {
                Ok(()) => done,
                Err(error) => error.text().to_owned(),
            }
        }));
        begun
    }

    /// Begins a recording, or ends it.
    fn switch(&mut self, file: Option<PathBuf>) -> Result<String> {
        if let Some((mut output, path, count)) = self.recording.take() {
            output.sync()?;
            let messages = counted(count, "message");
            return Ok(format!("recorded {messages} to {}", path.display()));
        }
        let Some(path) = file else {
            return Ok(String::from("nothing is recorded"));
        };
        // What was recorded before is not lost by a slip.
        if path.is_file() {
            return Ok(format!(
                "{} exists already: name another file",
                path.display()
            ));
        }
        let format = Format::Json {
            pretty: false,
            embed: false,
            local: false,
        };
        let kept = Kept::File(path.clone(), Rotation::default());
        let output = Output::open_at(&kept, format, self.plan.style)?;
        let said = format!("recording to {}", path.display());
        self.recording = Some((output, path, 0));
        Ok(said)
    }

    /// Waits until something is done, and says what became of it; for ever where nothing is under way. Cancel-safe.
    ///
    /// # Errors
    /// A recording that cannot be written.
    pub(super) async fn next(&mut self) -> Result<String> {
        if let Some((output, ..)) = &mut self.recording {
            output.flush().await?;
        }
        match self.work.front_mut() {
            Some(work) => {
                let said = work.await;
                self.work.pop_front();
                Ok(said)
            }
            None => std::future::pending().await,
        }
    }

    /// Writes a message, where messages are recorded.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn record(&mut self, message: &Message) -> Result<()> {
        let Some((output, _, count)) = &mut self.recording else {
            return Ok(());
        };
        output.message(message)?;
        *count += 1;
        match output.pending() > MOST_PENDING {
            true => output.sync(),
            false => Ok(()),
        }
    }

    /// How many messages were recorded; `None`: none are.
    pub(super) fn recorded(&self) -> Option<u64> {
        self.recording.as_ref().map(|(_, _, count)| *count)
    }

    /// What was recorded is in its file.
    ///
    /// # Errors
    /// It is not.
    pub(super) async fn close(&mut self) -> Result<()> {
        match &mut self.recording {
            Some((output, ..)) => output.flush().await,
            None => Ok(()),
        }
    }
}
