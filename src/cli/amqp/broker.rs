//! `amqp broker`: its flags, and the plan they make.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::amqp::broker::{Fault, Options, Users};
use crate::command::amqp::broker::{Listen, Plan};
use crate::error::{Error, Result};

use crate::cli::flags::launch::LaunchFlags;
use crate::cli::flags::server_tls::ServerTlsFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Count, Size, Wait, whole};

#[derive(Args, Debug)]
#[command(next_help_heading = "Listening")]
pub(crate) struct BrokerFlags {
    /// Address to listen on: [amqp|amqps://]ADDR:PORT or unix:PATH; port 0 picks a free port, printed on the first line of standard output; may be repeated [default: 127.0.0.1:5672, or with COMMAND a free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,

    #[command(flatten)]
    tls: ServerTlsFlags,

    #[command(flatten)]
    access: AccessFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    faults: FaultFlags,

    #[command(flatten)]
    launch: LaunchFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Access")]
struct AccessFlags {
    /// User allowed to log in; all others are refused; may be repeated. The password is visible in the process list [default: anyone may log in]
    #[arg(long, value_name = "USER:PASSWORD", conflicts_with = "password_file")]
    user: Vec<String>,

    /// File of USER:PASSWORD lines, in plain text or in mosquitto_passwd format; all other users are refused. Reloaded on SIGHUP
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Virtual host; may be repeated
    #[arg(long, value_name = "NAME", default_value = "/")]
    vhost: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Maximum number of connected clients [default: no limit]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<Count>,

    /// Time allowed for a connection to log in [default: 10s]
    #[arg(long, value_name = "TIME")]
    connect_timeout: Option<Wait>,

    /// Heartbeat interval offered to clients, in seconds; 0 disables heartbeats [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = whole(0..=u16::MAX))]
    heartbeat: Option<u16>,

    /// Maximum number of channels per connection; 0 for no limit [default: 2047]
    #[arg(long, value_name = "COUNT", value_parser = whole(0..=u16::MAX))]
    channel_max: Option<u16>,

    /// Largest message body accepted, such as 1MiB [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    max_message_size: Option<Size>,

    /// Memory limit for all messages; above it publishers are blocked until messages are consumed [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<Size>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Faults")]
struct FaultFlags {
    /// Fault to inject: NAME[:KEY=VALUE[,KEY=VALUE]...], listed below; may be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
}

impl BrokerFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let listen = self.launch.listen(self.listen, 5672)?;
        let encrypted = listen.iter().any(|listen| listen.tls);
        let tls = self.tls.files("--listen amqps://", encrypted)?;
        let mut options = self.limits.options();
        if !self.access.user.is_empty() {
            options.users = Some(
                Users::of_words(&self.access.user)
                    .map_err(|error| Error::usage(format!("--user: {error}")))?,
            );
        }
        options.vhosts = self.access.vhost;
        options.faults = self.faults.fault;
        Ok(Plan {
            listen,
            tls,
            password_file: self.access.password_file,
            options,
            launch: self.launch.launch(),
            style: self.terminal.style(),
        })
    }
}

impl LimitFlags {
    fn options(self) -> Options {
        let default = Options::default();
        // A number beyond the address space is as good as no limit.
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let size = |size: Option<Size>, or| size.map_or(or, |Size(size)| whole(size));
        Options {
            max_connections: self.max_connections.map(|Count(count)| whole(count)),
            connect_timeout: self
                .connect_timeout
                .map_or(default.connect_timeout, |Wait(time)| time),
            heartbeat: self.heartbeat.unwrap_or(default.heartbeat),
            channel_max: self.channel_max.unwrap_or(default.channel_max),
            max_message_size: size(self.max_message_size, default.max_message_size),
            max_memory: size(self.max_memory, default.max_memory),
            ..default
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    /// Reads `[SCHEME://]ADDR:PORT` and `unix:PATH`; an IPv6 address stands in brackets.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (scheme, address) = match word.split_once("://") {
            Some(("unix", _)) | None => ("amqp", word),
            Some(parts) => parts,
        };
        let tls = match scheme {
            "amqp" => false,
            "amqps" => true,
            _ => return Err(String::from("the schemes are amqp and amqps")),
        };
        let address = address.parse()?;
        Ok(Self { address, tls })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::Duration;

    use super::*;
    use crate::cli::{Parsed, parse};
    use crate::command::{self, Command};
    use crate::server::Check;

    fn plan(line: &str) -> Result<Plan> {
        let words = ["iotctl", "amqp", "broker"].into_iter();
        match parse(words.chain(line.split_whitespace()).map(OsString::from))? {
            Parsed::Command(Command::Amqp(command::amqp::Command::Broker(plan))) => Ok(*plan),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_become_a_plan() {
        let line = "--listen 127.0.0.1:0 --listen amqps://[::1]:5671 --cert c --key k --client-ca a --user ann:pw \
                    --vhost / --vhost test --heartbeat 5 --channel-max 3 --max-connections 7 --max-memory 1MiB \
                    --max-message-size 2KiB --connect-timeout 3s --fault nack:percent=5";
        let plan = plan(line).unwrap();
        assert_eq!(
            plan.listen
                .iter()
                .map(|listen| listen.tls)
                .collect::<Vec<_>>(),
            [false, true]
        );
        assert!(plan.tls.is_some_and(|tls| tls.client_ca.is_some()));
        let options = plan.options;
        assert!(
            options.users.is_some_and(|users| matches!(
                users.check("ann", Some(b"pw"), 0),
                Check::Done(true)
            ))
        );
        assert_eq!(options.vhosts, ["/", "test"]);
        assert_eq!((options.heartbeat, options.channel_max), (5, 3));
        assert_eq!(options.max_connections, Some(7));
        assert_eq!(
            (options.max_memory, options.max_message_size),
            (1 << 20, 2 << 10)
        );
        assert_eq!(options.connect_timeout, Duration::from_secs(3));
        assert_eq!(options.faults.len(), 1);
    }

    #[test]
    fn everyone_is_welcome_on_loopback_by_default() {
        let plan = plan("").unwrap();
        assert_eq!(plan.listen, ["127.0.0.1:5672".parse().unwrap()]);
        assert!(plan.options.users.is_none());
        assert_eq!(plan.options.vhosts, ["/"]);
    }
}
