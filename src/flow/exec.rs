//! A command for each message, in a bounded number of processes.

use std::num::NonZeroUsize;
use std::process::{ExitStatus, Stdio};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::{Number, Outcome, Progress, Target};
use crate::error::{Error, Kind, Result, plain};
use crate::message::{AmqpDetail, CoapDetail, Detail, Message, MqttDetail};

/// A command that gets each message: the body on its standard input, the rest in its environment.
///
/// `IOTCTL_TOPIC` is the MQTT topic, the AMQP routing key or the CoAP path; [`variables`] has the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program and its words (`--exec PROGRAM [WORD]…`); at least one.
    pub command: Vec<String>,
    /// How many may run at once (`--workers`, default 1).
    pub workers: NonZeroUsize,
}

impl Exec {
    /// Starts the command for this message; its standard input is for [`feed`].
    ///
    /// # Errors
    /// [`Kind::Local`] when it cannot be started, [`Kind::Usage`] when there is none.
    pub fn start(&self, message: &Message) -> Result<Child> {
        let (program, words) = self
            .command
            .split_first()
            .ok_or_else(|| Error::usage("--exec needs a command"))?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).kill_on_drop(true);
        for (name, value) in variables(message) {
            // The environment cannot hold a NUL; the topic of a message may.
            command.env(name, value.replace('\0', "\u{fffd}"));
        }
        command.spawn().map_err(|cause| {
            let text = format!("cannot run {program}: {}", plain(&cause));
            Error::new(Kind::Local, text)
        })
    }
}

/// What the environment of a command says about its message.
pub fn variables(message: &Message) -> Vec<(&'static str, String)> {
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

/// Writes the body and waits for the end. A command need not read its input.
pub async fn feed(mut child: Child, body: Bytes) -> Option<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        let writing = async {
            let _ = stdin.write_all(&body).await;
            drop(stdin);
        };
        tokio::select! {
            biased;
            // A background process of the command may hold the pipe open for ever.
            status = child.wait() => return status.ok(),
            () = writing => {}
        }
    }
    child.wait().await.ok()
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
        let child = self.exec.start(&message)?;
        let ended = feed(child, message.payload)
            .map(move |status| (number, status.is_some_and(|status| status.success())));
        self.running.push(ended.boxed());
        Ok(())
    }

    async fn drive(&mut self) -> Result<Progress> {
        match self.running.next().await {
            Some((number, true)) => Ok(Progress::One(number, Outcome::Accepted)),
            Some((number, false)) => Ok(Progress::One(number, Outcome::Refused)),
            None => std::future::pending().await,
        }
    }

    async fn gone(&mut self) {
        std::future::pending().await
    }
}
