//! A command for each message, in a bounded number of processes.

use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::process::Stdio;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::{Number, Outcome, Progress, Target};
use crate::connect::environment::SECRET_VARIABLES;
use crate::error::{Error, Kind, Result, brief};
use crate::message::{Message, UNTIMED, fields};
use crate::output::reader_is_gone;
use crate::output::{Console, record_line};
use crate::stop::Group;

/// Bodies of this many bytes may be with commands at once; one always may.
const LARGEST_TOGETHER: usize = 64 << 20;

/// A command that answers with more bytes than these has failed.
const LARGEST_ANSWER: usize = 64 << 20;

/// What a message says besides its details, as variables of an environment.
pub(crate) type Variables = fn(&Message) -> Vec<(String, String)>;

/// A command that gets each message: the body or the whole record on its standard input, the rest in its environment
/// ([`fields::variables`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program and its words (`--exec PROGRAM [WORD]…`); at least one.
    pub command: Vec<String>,
    /// How many may run at once (`--workers`, default 1).
    pub workers: NonZeroUsize,
    /// It gets the record as `--output json` shows it instead of the body (`--exec-json`).
    pub json: bool,
    /// A message whose command failed is given back to the server, where the protocol can (`--requeue`); otherwise it is
    /// refused.
    pub requeue: bool,
    /// The first of its words that could have been meant for us, if any.
    pub suspicious: Option<String>,
}

impl Exec {
    /// A program and its words, of which there is at least one; nothing else is said of it.
    pub(crate) const fn of(command: Vec<String>) -> Self {
        Self {
            command,
            workers: NonZeroUsize::MIN,
            json: false,
            requeue: false,
            suspicious: None,
        }
    }

    /// Warns of a flag that the command gets instead of us.
    pub fn warn(&self, console: Console) {
        if let Some(flag) = &self.suspicious {
            console.warn(format_args!(
                "{flag} after --exec belongs to the command; end the command with a lone ';', or put {flag} before --exec"
            ));
        }
    }

    /// Starts the command for this message. Our own secrets and the variables of another message, as in a command of a
    /// command, are not in its environment.
    fn spawn(&self, message: &Message, more: Variables, stdout: Stdio) -> Result<Started> {
        let (program, words) = self
            .command
            .split_first()
            .ok_or_else(|| Error::usage("--exec needs a command"))?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).stdout(stdout);
        command.kill_on_drop(true);
        // So that what it starts in turn can be ended with it.
        command.process_group(0);
        let ours = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for name in ours.filter(|name| fields::is_variable(name)) {
            command.env_remove(name);
        }
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        let own = fields::variables(message).into_iter();
        // What was not received has no time to tell.
        let own = own.filter(|(name, _)| message.time != UNTIMED || name != "IOTCTL_TIME");
        for (name, value) in own.chain(more(message)) {
            // An environment cannot hold a NUL; what peers send can.
            command.env(name, value.replace('\0', "\u{fffd}"));
        }
        let child = command.spawn().map_err(|cause| match cause.kind() {
            // What peers send decides: it is this message's failure.
            ErrorKind::ArgumentListTooLong => {
                let topic = brief(&message.topic);
                let text = format!("a message to {topic} is too large for an environment");
                Error::new(Kind::Refused, text)
            }
            _ => cannot_run(program, &cause),
        })?;
        Ok(Started {
            group: child.id().map(Group::led_by),
            child,
        })
    }

    /// What the command gets on its standard input.
    fn input(&self, message: &Message) -> Bytes {
        match self.json {
            true => record_line(message).into(),
            false => message.payload.clone(),
        }
    }

    /// Starts the command for this message; the future says whether it ended with 0.
    ///
    /// # Errors
    /// [`Kind::Refused`] when an environment cannot hold what the message says, [`Kind::Local`] when the command cannot be
    /// started, [`Kind::Usage`] when there is none.
    pub fn start(&self, message: &Message) -> Result<impl Future<Output = bool> + Send + use<>> {
        self.start_with(message, |_| Vec::new())
    }

    /// The same with more variables in its environment.
    fn start_with(
        &self,
        message: &Message,
        more: Variables,
    ) -> Result<impl Future<Output = bool> + Send + use<>> {
        let started = self.spawn(message, more, Stdio::inherit())?;
        Ok(feed(started, self.input(message)))
    }

    /// Runs the command for this message to its end; what it wrote on standard output comes back. One that writes more than
    /// 64 MiB is ended, and has failed.
    ///
    /// # Errors
    /// As [`Exec::start`].
    pub async fn answer(&self, message: &Message) -> Result<(bool, Vec<u8>)> {
        let mut started = self.spawn(message, |_| Vec::new(), Stdio::piped())?;
        let stdout = started.child.stdout.take();
        let reading = async {
            let mut answer = Vec::new();
            if let Some(stdout) = stdout {
                let mut stdout = stdout.take(LARGEST_ANSWER as u64 + 1);
                stdout.read_to_end(&mut answer).await.map_err(|_| ())?;
            }
            match answer.len() > LARGEST_ANSWER {
                true => Err(()),
                false => Ok(answer),
            }
        };
        let feeding = feed(started, self.input(message));
        // The first failure drops the command, which ends it.
        let answered = tokio::try_join!(reading, feeding.map(Ok));
        Ok(match answered {
            Ok((answer, good)) => (good, answer),
            Err(()) => (false, Vec::new()),
        })
    }
}

/// `cannot run PROGRAM: no such file or directory`, of a command that was perhaps given as one word.
pub(crate) fn cannot_run(program: &str, cause: &io::Error) -> Error {
    let error = Error::local(format_args!("cannot run {program}"), cause);
    match cause.kind() == ErrorKind::NotFound && program.contains(char::is_whitespace) {
        true => error.hint("write each word of the command by itself, or use sh -c 'COMMAND'"),
        false => error,
    }
}

/// A command that runs. When it is dropped before it has ended, it is killed with all that it has started.
struct Started {
    /// Dropped first: until the child is waited for, nobody else can have its identifier.
    group: Option<Group>,
    child: Child,
}

impl Started {
    /// Waits for its end; whether that was good.
    async fn ends(&mut self) -> bool {
        let status = self.child.wait().await;
        if let Some(group) = self.group.take() {
            group.ended();
        }
        status.is_ok_and(|status| status.success())
    }
}

/// Writes the body, waits for the end, and says whether that was good. A command need not read its input.
async fn feed(mut started: Started, body: Bytes) -> bool {
    if let Some(mut stdin) = started.child.stdin.take() {
        let writing = async {
            let _ = stdin.write_all(&body).await;
            drop(stdin);
        };
        tokio::select! {
            biased;
            // A background process of the command may hold the pipe open for ever.
            good = started.ends() => return good,
            () = writing => {}
        }
    }
    started.ends().await
}

/// What a command comes to: the number of its message, the bytes that it got, and whether it ended with 0.
type Ended = (Number, usize, bool);

/// The commands that run, by the number of their message.
pub struct Commands<'a> {
    exec: &'a Exec,
    more: Variables,
    console: Console,
    running: FuturesUnordered<BoxFuture<'static, Ended>>,
    /// The bytes of the bodies that commands have now.
    bytes: usize,
}

impl<'a> Commands<'a> {
    /// None runs yet. Messages that no command can get are reported on `console`.
    pub fn new(exec: &'a Exec, console: Console) -> Self {
        exec.warn(console);
        Self {
            exec,
            more: |_| Vec::new(),
            console,
            running: FuturesUnordered::new(),
            bytes: 0,
        }
    }

    /// The same with more variables in the environment of each command.
    #[must_use]
    pub(crate) fn with_variables(self, more: Variables) -> Self {
        Self { more, ..self }
    }
}

impl Target for Commands<'_> {
    fn name(&self) -> String {
        String::from("the command")
    }

    fn has_room(&self) -> bool {
        self.is_idle()
            || self.running.len() < self.exec.workers.get() && self.bytes < LARGEST_TOGETHER
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Without a command to run, nothing after it can be done either.
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let bytes = message.payload.len();
        let ended = match self.exec.start_with(&message, self.more) {
            Ok(ended) => ended.map(move |good| (number, bytes, good)).boxed(),
            Err(error) if error.kind() == Kind::Refused => {
                self.console.warn(error);
                ready((number, bytes, false)).boxed()
            }
            Err(error) => return Err(error),
        };
        self.bytes += bytes;
        self.running.push(ended);
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let Some((number, bytes, good)) = self.running.next().await else {
            return std::future::pending().await;
        };
        self.bytes -= bytes;
        // It failed because we have no reader any more: that is no reason to reject the message.
        if !good && reader_is_gone() {
            let text = "standard output was closed by its reader";
            return Err(Error::new(Kind::ReaderGone, text));
        }
        let outcome = match good {
            true => Outcome::Accepted,
            false => Outcome::Refused(Error::new(Kind::Refused, "the command failed")),
        };
        into.push(Progress::One(number, outcome));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::message::{Detail, MqttDetail, MqttProperties};
    use crate::output::Style;

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
            json: false,
            requeue: false,
            suspicious: None,
        }
    }

    #[tokio::test]
    async fn a_command_gets_body_and_environment_and_its_exit_code_counts() {
        let message = message(Detail::Mqtt(MqttDetail {
            qos: 1,
            ..MqttDetail::default()
        }));
        let (good, answer) = shell("cat; echo \" $IOTCTL_TOPIC $IOTCTL_QOS $IOTCTL_EXCHANGE.\"")
            .answer(&message)
            .await
            .unwrap();
        assert!(good);
        assert_eq!(String::from_utf8(answer).unwrap(), "body a\u{fffd}b 1 .\n");
        assert!(!shell("exit 3").start(&message).unwrap().await);
        let missing = Exec {
            command: vec![String::from("/nonexistent/x")],
            ..shell("")
        };
        let whole = Exec {
            command: vec![String::from("tr a-z A-Z")],
            ..shell("")
        };
        let error = whole.start(&message).err().unwrap();
        assert!(error.hint_text().unwrap_or_default().contains("sh -c"));
        let error = missing.start(&message).err().unwrap();
        assert_eq!(
            error.text(),
            "cannot run /nonexistent/x: no such file or directory"
        );
    }

    #[tokio::test]
    async fn a_command_gets_the_record_when_asked_to() {
        let message = message(Detail::Mqtt(MqttDetail::default()));
        let exec = Exec {
            json: true,
            ..shell("cat")
        };
        let (good, answer) = exec.answer(&message).await.unwrap();
        assert!(good);
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"protocol\":\"mqtt\",\"topic\":\"a\\u0000b\",\"payload\":\"body\",\"mqtt\":{\"qos\":0,\"retain\":false}}\n"
        );
    }

    #[tokio::test]
    async fn what_a_command_writes_is_bounded() {
        let message = message(Detail::Mqtt(MqttDetail::default()));
        let endless = shell("trap '' PIPE; while :; do cat /dev/zero 2>&1; done");
        let (good, answer) = endless.answer(&message).await.unwrap();
        assert_eq!((good, answer.len()), (false, 0));
    }

    /// One message that no environment holds is refused, and the next one is taken.
    #[tokio::test]
    async fn a_message_that_no_command_can_get_is_refused() {
        let value = "x".repeat(60_000);
        let properties = MqttProperties {
            user_properties: vec![("y".repeat(65_535).into(), value.clone().into())],
            content_type: Some(value.repeat(3).into()),
            ..MqttProperties::default()
        };
        let large = message(Detail::Mqtt(MqttDetail {
            properties: Some(Box::new(properties)),
            ..MqttDetail::default()
        }));
        let exec = shell("exit 0");
        let mut commands = Commands::new(&exec, Console::new(Style::default()));
        commands.take(1, large).unwrap();
        let mut done = Vec::new();
        commands.drive(&mut done).await.unwrap();
        let small = message(Detail::Mqtt(MqttDetail::default()));
        commands.take(2, small).unwrap();
        commands.drive(&mut done).await.unwrap();
        assert!(matches!(
            done[..],
            [
                Progress::One(1, Outcome::Refused(_)),
                Progress::One(2, Outcome::Accepted)
            ]
        ));
    }

    #[tokio::test]
    async fn large_bodies_do_not_gather() {
        let exec = Exec {
            workers: NonZeroUsize::MAX,
            ..shell("cat > /dev/null")
        };
        let mut commands = Commands::new(&exec, Console::new(Style::default()));
        let mut large = message(Detail::Mqtt(MqttDetail::default()));
        large.payload = vec![0; LARGEST_TOGETHER].into();
        commands.take(1, large).unwrap();
        assert!(!commands.has_room());
        commands.drive(&mut Vec::new()).await.unwrap();
        assert!(commands.has_room());
    }
}
