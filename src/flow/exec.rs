//! A command for each message, in a bounded number of processes.

use std::num::NonZeroUsize;
use std::process::Stdio;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::{Number, Outcome, Progress, Target};
use crate::connect::environment::SECRET_VARIABLES;
use crate::error::{Error, Kind, Result, plain};
use crate::message::{AmqpDetail, CoapDetail, Detail, Message, MqttDetail};

/// A command that gets each message: the body on its standard input, the rest in its environment (`IOTCTL_TOPIC` …).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program and its words (`--exec PROGRAM [WORD]…`); at least one.
    pub command: Vec<String>,
    /// How many may run at once (`--workers`, default 1).
    pub workers: NonZeroUsize,
    /// A message whose command failed is given back to the server, where the protocol can (`--requeue`); otherwise it is
    /// refused.
    pub requeue: bool,
}

impl Exec {
    /// The command for this message, not yet started. Our own secrets and the variables of another message, as in a
    /// command of a command, are not in its environment.
    fn command(&self, message: &Message) -> Result<Command> {
        let (program, words) = self
            .command
            .split_first()
            .ok_or_else(|| Error::usage("--exec needs a command"))?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).kill_on_drop(true);
        for name in SECRET_VARIABLES.into_iter().chain(VARIABLES) {
            command.env_remove(name);
        }
        for (name, value) in variables(message) {
            // An environment cannot hold a NUL; what peers send can.
            command.env(name, value.replace('\0', "\u{fffd}"));
        }
        Ok(command)
    }

    fn spawn(&self, mut command: Command) -> Result<Child> {
        command.spawn().map_err(|cause| {
            let program = self.command.first().map(String::as_str).unwrap_or_default();
            let text = format!("cannot run {program}: {}", plain(&cause));
            Error::new(Kind::Local, text)
        })
    }

    /// Starts the command for this message; the future says whether it ended with 0.
    ///
    /// # Errors
    /// [`Kind::Local`] when it cannot be started, [`Kind::Usage`] when there is none.
    pub fn start(&self, message: &Message) -> Result<impl Future<Output = bool> + Send + use<>> {
        let child = self.spawn(self.command(message)?)?;
        Ok(feed(child, message.payload.clone()))
    }

    /// Runs the command for this message to its end, or until it has written too much.
    ///
    /// # Errors
    /// As [`Exec::start`].
    pub async fn answer(&self, message: &Message) -> Result<Answered> {
        let mut command = self.command(message)?;
        command.stdout(Stdio::piped());
        let mut child = self.spawn(command)?;
        let stdout = child.stdout.take();
        let reading = async {
            let mut answer = Vec::new();
            let read = match stdout {
                Some(stdout) => {
                    let mut stdout = stdout.take(LARGEST_ANSWER as u64 + 1);
                    stdout.read_to_end(&mut answer).await
                }
                None => return Err(Answered::Failed),
            };
            match read {
                Ok(length) if length > LARGEST_ANSWER => Err(Answered::TooLong),
                Ok(_) => Ok(answer),
                Err(_) => Err(Answered::Failed),
            }
        };
        let feeding = async {
            let good = feed(child, message.payload.clone()).await;
            good.then_some(()).ok_or(Answered::Failed)
        };
        Ok(match tokio::try_join!(reading, feeding) {
            Ok((answer, ())) => Answered::Done(answer.into()),
            Err(answered) => answered,
        })
    }
}

/// As many bytes may a command answer with.
pub const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// What became of a command that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It ended with 0, after it wrote this.
    Done(Bytes),
    /// It ended otherwise.
    Failed,
    /// It wrote more than [`LARGEST_ANSWER`], and was ended.
    TooLong,
}

/// The names that [`variables`] gives.
const VARIABLES: [&str; 15] = [
    "IOTCTL_TOPIC",
    "IOTCTL_QOS",
    "IOTCTL_RETAIN",
    "IOTCTL_DUPLICATE",
    "IOTCTL_CONTENT_TYPE",
    "IOTCTL_RESPONSE_TOPIC",
    "IOTCTL_CORRELATION_DATA",
    "IOTCTL_EXCHANGE",
    "IOTCTL_REDELIVERED",
    "IOTCTL_MESSAGE_ID",
    "IOTCTL_CORRELATION_ID",
    "IOTCTL_REPLY_TO",
    "IOTCTL_URI",
    "IOTCTL_CODE",
    "IOTCTL_OBSERVE",
];

/// What the environment of a command says about its message: `IOTCTL_TOPIC` is the MQTT topic, the AMQP routing key or the
/// CoAP path; what a message does not have is not set.
fn variables(message: &Message) -> Vec<(&'static str, String)> {
    let mut all = vec![("IOTCTL_TOPIC", message.topic.to_string())];
    match &message.detail {
        Detail::Mqtt(mqtt) => of_mqtt(mqtt, &mut all),
        Detail::Amqp(amqp) => of_amqp(amqp, &mut all),
        Detail::Coap(coap) => of_coap(coap, &mut all),
    }
    all
}

fn of_mqtt(mqtt: &MqttDetail, all: &mut Vec<(&'static str, String)>) {
    all.push(("IOTCTL_QOS", mqtt.qos.to_string()));
    all.push(("IOTCTL_RETAIN", mqtt.retain.to_string()));
    all.push(("IOTCTL_DUPLICATE", mqtt.duplicate.to_string()));
    let Some(properties) = &mqtt.properties else {
        return;
    };
    let texts = [
        ("IOTCTL_CONTENT_TYPE", &properties.content_type),
        ("IOTCTL_RESPONSE_TOPIC", &properties.response_topic),
    ];
    all.extend(there(&texts));
    if let Some(data) = &properties.correlation_data {
        let text = String::from_utf8_lossy(data).into_owned();
        all.push(("IOTCTL_CORRELATION_DATA", text));
    }
}

fn of_amqp(amqp: &AmqpDetail, all: &mut Vec<(&'static str, String)>) {
    all.push(("IOTCTL_EXCHANGE", amqp.exchange.to_string()));
    all.push(("IOTCTL_REDELIVERED", amqp.redelivered.to_string()));
    let properties = &amqp.properties;
    let texts = [
        ("IOTCTL_MESSAGE_ID", &properties.message_id),
        ("IOTCTL_CORRELATION_ID", &properties.correlation_id),
        ("IOTCTL_CONTENT_TYPE", &properties.content_type),
        ("IOTCTL_REPLY_TO", &properties.reply_to),
    ];
    all.extend(there(&texts));
}

fn of_coap(coap: &CoapDetail, all: &mut Vec<(&'static str, String)>) {
    all.push(("IOTCTL_URI", coap.uri.to_string()));
    all.push(("IOTCTL_CODE", coap.code.to_string()));
    all.extend(coap.observe.map(|it| ("IOTCTL_OBSERVE", it.to_string())));
    all.extend(
        coap.media_type
            .map(|it| ("IOTCTL_CONTENT_TYPE", it.to_owned())),
    );
}

fn there(
    texts: &[(&'static str, &Option<bytestring::ByteString>)],
) -> impl Iterator<Item = (&'static str, String)> {
    texts
        .iter()
        .filter_map(|(name, text)| Some((*name, text.as_ref()?.to_string())))
}

/// Writes the body, waits for the end, and says whether that was good. A command need not read its input.
async fn feed(mut child: Child, body: Bytes) -> bool {
    if let Some(mut stdin) = child.stdin.take() {
        let writing = async {
            let _ = stdin.write_all(&body).await;
            drop(stdin);
        };
        tokio::select! {
            biased;
            // A background process of the command may hold the pipe open for ever.
            status = child.wait() => return status.is_ok_and(|status| status.success()),
            () = writing => {}
        }
    }
    child.wait().await.is_ok_and(|status| status.success())
}

/// The commands that run, by the number of their message.
pub struct Commands<'a> {
    exec: &'a Exec,
    running: FuturesUnordered<BoxFuture<'static, (Number, bool)>>,
}

impl<'a> Commands<'a> {
    /// None runs yet.
    pub fn new(exec: &'a Exec) -> Self {
        Self {
            exec,
            running: FuturesUnordered::new(),
        }
    }
}

impl Target for Commands<'_> {
    fn has_room(&self) -> bool {
        self.running.len() < self.exec.workers.get()
    }

    fn is_free(&self) -> bool {
        self.has_room()
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Without a command to run, nothing after it can be done either.
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let ended = self.exec.start(&message)?;
        self.running
            .push(ended.map(move |good| (number, good)).boxed());
        Ok(())
    }

    async fn drive(&mut self) -> Result<Progress> {
        match self.running.next().await {
            Some((number, true)) => Ok(Progress::One(number, Outcome::Accepted)),
            Some((number, false)) if self.exec.requeue => Ok(Progress::One(number, Outcome::Again)),
            Some((number, false)) => Ok(Progress::One(number, Outcome::Refused)),
            None => std::future::pending().await,
        }
    }

    async fn gone(&mut self) {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn message(detail: Detail) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: "a\0b".into(),
            payload: "body".into(),
            detail,
        }
    }

    fn shell(script: &str) -> Exec {
        Exec {
            command: ["sh", "-c", script].map(String::from).to_vec(),
            workers: NonZeroUsize::MIN,
            requeue: false,
        }
    }

    #[test]
    fn every_variable_is_known_to_be_one() {
        let amqp = AmqpDetail::default();
        let details = [
            Detail::Mqtt(MqttDetail::default()),
            Detail::Amqp(Box::new(amqp)),
        ];
        for (name, _) in details.into_iter().flat_map(|it| variables(&message(it))) {
            assert!(VARIABLES.contains(&name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_command_gets_body_and_environment_and_its_exit_code_counts() {
        let message = message(Detail::Mqtt(MqttDetail {
            qos: 1,
            ..MqttDetail::default()
        }));
        let answered = shell("cat; echo \" $IOTCTL_TOPIC $IOTCTL_QOS $IOTCTL_EXCHANGE.\"")
            .answer(&message)
            .await
            .unwrap();
        let expected = Answered::Done("body a\u{fffd}b 1 .\n".into());
        assert_eq!(answered, expected);
        let endless = shell("cat /dev/zero").answer(&message).await.unwrap();
        assert_eq!(endless, Answered::TooLong);
        assert!(!shell("exit 3").start(&message).unwrap().await);
        let missing = Exec {
            command: vec![String::from("/nonexistent/x")],
            ..shell("")
        };
        let error = missing.start(&message).err().unwrap();
        assert_eq!(
            error.text(),
            "cannot run /nonexistent/x: no such file or directory"
        );
    }
}
