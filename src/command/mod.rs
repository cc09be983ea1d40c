//! One folder per protocol, one file per command; the only room where a protocol meets the terminal.

pub(crate) mod alert;
pub mod amqp;
pub(crate) mod bench;
pub(crate) mod bridge;
pub(crate) mod coap;
pub mod ends;
mod guest;
mod hangup;
mod install;
pub(crate) mod later;
pub(crate) mod log;
pub(crate) mod mqtt;
pub(crate) mod ota;
pub mod ping;
pub(crate) mod replay;
pub(crate) mod route;
pub(crate) mod serving;
pub(crate) mod simulate;
mod trace;
pub(crate) mod watch;

use std::future::ready;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::runtime;

use crate::error::{Error, Result};
use crate::output::Style;

/// What the command line asked for.
#[derive(Clone, Debug)]
pub enum Command {
    /// `iotctl mqtt …`
    Mqtt(mqtt::Command),
    /// `iotctl coap …`
    Coap(coap::Command),
    /// `iotctl amqp …`
    Amqp(amqp::Command),
    /// `iotctl bench …`
    Bench(bench::Command),
    /// `iotctl log`
    Log(Box<log::Plan>),
    /// `iotctl alert`
    Alert(Box<alert::Plan>),
    /// `iotctl alert list`, `ack` and `silence`
    Alarms(alert::admin::Plan),
    /// `iotctl bridge`
    Bridge(Box<bridge::Plan>),
    /// `iotctl replay`
    Replay(Box<replay::Plan>),
    /// `iotctl route FILE`
    Route(Box<route::Plan>),
    /// `iotctl watch`
    Watch(Box<watch::Plan>),
    /// `iotctl simulate`
    Simulate(Box<simulate::Plan>),
    /// `iotctl ota …`
    Ota(Box<ota::Command>),
    /// A routes file is to be printed.
    PrintRoutes(Box<route::Written>, Style),
    /// `iotctl install --links DIR`
    Install(PathBuf),
}

/// A command under way. On the heap, as a stack frame would hold those of all commands, and each of its pages is touched.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Pipes whose descriptors are as many as the runtime opens for itself: its poller, its waker, the pair for signals. It
/// panics without them.
const SPARE_PIPES: usize = 3;

/// Makes sure that there are descriptors to start with.
fn spare_descriptors() -> Result<()> {
    let pipes: io::Result<Vec<_>> = (0..SPARE_PIPES).map(|_| io::pipe()).collect();
    pipes.map(drop).map_err(|cause| {
        Error::local("cannot start", &cause).hint("raise the limit of open files (ulimit -n)")
    })
}

/// Runs a command to its end.
///
/// # Errors
/// Whatever kept it from being done in full.
pub fn run(command: Command) -> Result<()> {
    spare_descriptors()?;
    // One thread: a command waits far more than it computes, and starting more would take longer than most of them run.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::local("cannot start", &cause))?;
    let ended = runtime.block_on(command.run());
    // A name lookup or a read from a terminal may still be blocked in a thread; nobody waits for it.
    runtime.shutdown_background();
    ended
}

impl Command {
    fn run(self) -> Running {
        match self {
            Self::Mqtt(command) => command.run(),
            Self::Coap(command) => command.run(),
            Self::Amqp(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Log(plan) => Box::pin(log::run(*plan)),
            Self::Alert(plan) => Box::pin(alert::run(*plan)),
            Self::Alarms(plan) => Box::pin(ready(alert::admin::run(plan))),
            Self::Bridge(plan) => Box::pin(bridge::run(*plan)),
            Self::Replay(plan) => Box::pin(replay::run(*plan)),
            Self::Route(plan) => Box::pin(route::run(*plan)),
            Self::Watch(plan) => Box::pin(watch::run(*plan)),
            Self::Simulate(plan) => Box::pin(simulate::run(*plan)),
            Self::Ota(command) => command.run(),
            Self::PrintRoutes(file, style) => {
                Box::pin(async move { route::print(&file.0, style).await })
            }
            Self::Install(folder) => Box::pin(ready(install::links(&folder))),
        }
    }
}
