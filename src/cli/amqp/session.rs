//! The flags about one AMQP connection: server, virtual host, login and heartbeats.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use crate::amqp::Mechanism;
use crate::command::amqp::session::{SessionArgs, Speaks};
use crate::connect::LocalAddress;
use crate::error::{Error, Result};

use super::syntax;
use crate::cli::flags::connect::ServerFlags;
use crate::cli::syntax::numbers::Wait;
use crate::cli::syntax::values;

/// The help of the argument URL.
pub(crate) const URL: &str = "Server URL: amqp://[USER[:PASSWORD]@]HOST[:PORT][/VHOST], also amqps; leave it out when using -h and -p [default: amqp://localhost]";

const PORT: &str = "Port, 1 to 65535 [default: 5672, with TLS 5671]";
const CONNECT_TIMEOUT: &str =
    "Give up connecting after this long: name, TCP and TLS together [default: 10s]";

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Session",
    mut_arg("port", |port| port.help(PORT)),
    mut_arg("connect_timeout", |timeout| timeout.help(CONNECT_TIMEOUT))
)]
pub(crate) struct AmqpSessionFlags {
    /// AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping
    #[arg(long, value_name = "VERSION", default_value = "auto")]
    protocol: Version,

    /// Virtual host [default: the path of the URL, or /]
    #[arg(long, value_name = "NAME")]
    vhost: Option<OsString>,

    /// SASL mechanism [default: external with --cert and no user name, otherwise plain]
    #[arg(long, value_name = "MECHANISM")]
    auth: Option<Auth>,

    /// Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server's value
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = values::keep_alive)]
    heartbeat: u16,

    /// Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB
    #[arg(long, value_name = "SIZE", default_value = "128KiB", value_parser = syntax::frame_max)]
    frame_max: u32,

    /// Connection name shown by the server [default: iotctl and the command]
    #[arg(long, value_name = "NAME")]
    connection_name: Option<OsString>,

    /// Give up when the server does not reply to a request, such as a declaration, for this long
    #[arg(long, value_name = "TIME", default_value = "30s")]
    reply_timeout: Wait,

    /// Show every frame on standard error, with the time since the start, without bodies and secrets
    #[arg(long, conflicts_with = "quiet", help_heading = "Diagnostics")]
    trace: bool,

    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Auth {
    Plain,
    Amqplain,
    External,
    Anonymous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Version {
    #[value(name = "0-9-1")]
    V091,
    #[value(name = "1.0")]
    One,
    Auto,
}

impl AmqpSessionFlags {
    /// The local addresses, of which most commands take one.
    pub(crate) fn addresses(&self) -> &[LocalAddress] {
        self.server.addresses()
    }

    /// The connection arguments of a command that speaks 0-9-1 only, with the argument `url`.
    pub(crate) fn words(self, url: Option<OsString>) -> Result<SessionArgs> {
        if self.protocol == Version::One {
            return Err(Error::usage("this command does not support --protocol 1.0")
                .hint("publish, consume and ping do; queues and exchanges belong to AMQP 0-9-1"));
        }
        Ok(SessionArgs {
            protocol: Speaks::V091,
            ..self.words_of_either(url)?
        })
    }

    /// The same of a command that speaks both; `of_one` was given a flag that only 1.0 has.
    pub(crate) fn words_with(
        self,
        url: Option<OsString>,
        of_one: Option<&str>,
    ) -> Result<SessionArgs> {
        let Some(flag) = of_one else {
            return self.words_of_either(url);
        };
        if self.protocol == Version::V091 {
            return Err(
                Error::usage(format!("{flag} belongs to AMQP 1.0")).hint("use --protocol 1.0")
            );
        }
        Ok(SessionArgs {
            protocol: Speaks::V10,
            ..self.words_of_either(url)?
        })
    }

    /// The same of a command that speaks both.
    pub(crate) fn words_of_either(self, url: Option<OsString>) -> Result<SessionArgs> {
        if let (Some(_), Some(flag)) = (&url, self.server.named()) {
            return Err(Error::usage(format!(
                "the argument URL cannot be used with {flag}"
            )));
        }
        let url = url.map(|url| values::text("the URL", url)).transpose()?;
        let name = self
            .connection_name
            .map(|name| values::text("--connection-name", name));
        let Wait(patience) = self.reply_timeout;
        Ok(SessionArgs {
            connect: self.server.words(url),
            protocol: match self.protocol {
                Version::V091 => Speaks::V091,
                Version::One => Speaks::V10,
                Version::Auto => Speaks::Either,
            },
            vhost: syntax::short_or_none("--vhost", self.vhost)?,
            mechanism: self.auth.map(Auth::mechanism),
            heartbeat: self.heartbeat,
            frame_max: self.frame_max,
            name: name.transpose()?.map(Into::into),
            patience,
            trace: self.trace,
        })
    }
}

impl Auth {
    const fn mechanism(self) -> Mechanism {
        match self {
            Self::Plain => Mechanism::Plain,
            Self::Amqplain => Mechanism::AmqPlain,
            Self::External => Mechanism::External,
            Self::Anonymous => Mechanism::Anonymous,
        }
    }
}
