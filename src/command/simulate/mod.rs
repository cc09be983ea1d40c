//! `simulate`: a fleet of devices, as a file or a scenario describes it.
//!
//! | part | what it is for |
//! |---|---|
//! | [`preview`] | what the devices would send, on a clock of its own |
//! | [`mqtt`] | devices that speak MQTT |
//! | [`amqp`] | devices that speak AMQP |
//! | [`coap`] | devices that speak CoAP |
//! | [`looking`] | who looks at a run while it goes on |
//! | [`ends`] | how a run ends: the account, what was asserted, the files |

mod amqp;
mod coap;
mod ends;
mod looking;
mod mqtt;
mod preview;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::ends::Assertion;
use crate::connect::scram::Mechanism;
use crate::connect::{ConnectArgs, Environment, LocalAddress, or_context};
use crate::device::file::{File, Protocol, Text};
use crate::device::model::{Model, Overrides};
use crate::device::scenario;
use crate::error::{Error, Result};
use crate::file::{self, SMALL};
use crate::flow::Ready;
use crate::mqtt::packet::Version;
use crate::output::{Console, Style, print};
use crate::stop::{DRAIN, Stop};

/// What random numbers follow from, unless it is given.
const SEED: u64 = 1;

/// Where the fleet is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Description {
    /// In a file.
    File(PathBuf),
    /// In the program (`--scenario`).
    Scenario(String),
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The devices run.
    Run,
    /// It is looked through for mistakes (`--check`).
    Check,
    /// It is printed (`--print-config`).
    Print,
    /// So many messages are printed instead of sent (`--preview`).
    Preview(u64),
}

/// A fleet, and what is done with it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it is described.
    pub description: Description,
    /// What is done.
    pub action: Action,
    /// What all random numbers follow from, in place of the file's.
    pub seed: Option<u64>,
    /// How many devices each group has, in place of the file's.
    pub count: Option<u32>,
    /// How much faster than time the fleet lives.
    pub speed: f64,
    /// How long the devices run; otherwise until a signal.
    pub duration: Option<Duration>,
    /// Where to, and how.
    pub connect: ConnectArgs,
    /// The one version of MQTT to speak; `None`: 5, or 3.1.1 where the server does not know it.
    pub version: Option<Version>,
    /// MQTT: how to log in without sending the password.
    pub mechanism: Option<Mechanism>,
    /// Addresses to connect from, in turn.
    pub bind: Vec<LocalAddress>,
    /// CoAP: where the devices are reached.
    pub listen: SocketAddr,
    /// CoAP: the directory that they are registered at.
    pub rd: Option<String>,
    /// How long what is under way may take at the end; otherwise [`DRAIN`].
    pub drain: Option<Duration>,
    /// Who is told when all devices are there.
    pub ready: Ready,
    /// CoAP: how long a registration counts there; the directory's choice, where not given.
    pub lifetime: Option<Duration>,
    /// What must be so at the end.
    pub assertions: Vec<Assertion>,
    /// The account is printed as JSON.
    pub json: bool,
    /// Where it is written as JSON.
    pub save_json: Option<PathBuf>,
    /// Where it is written as a page.
    pub html: Option<PathBuf>,
    /// Where Prometheus finds it during the run.
    pub prometheus: Option<SocketAddr>,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// How long what is under way may take at the end.
    fn drain(&self) -> Duration {
        self.drain.unwrap_or(DRAIN)
    }

    /// The signals that end the run.
    fn stop(&self) -> Result<Stop> {
        let mut stop = Stop::watch()?;
        stop.allow(self.drain());
        Ok(stop)
    }
}

/// Does with a fleet what is to be done.
///
/// # Errors
/// A mistake in its file; no connection, a refusal; an assertion that is not met.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let (name, text) = plan.description.read()?;
    let text = Text {
        name: &name,
        text: &text,
    };
    let mut file = text.parse()?;
    let overrides = Overrides {
        seed: plan.seed,
        count: plan.count,
    };
    overrides.apply(text, &mut file)?;
    let folder = plan.description.folder();
    let model = Model::of(text, &file, folder, file.seed.unwrap_or(SEED))?;
    match plan.action {
        Action::Print => print(printed(&plan, text, &file)?.as_bytes()),
        Action::Check => {
            model.protocol()?;
            console.note(model.summary());
            Ok(())
        }
        Action::Preview(count) => preview::run(model, count, plan.style, console).await,
        Action::Run => match model.protocol()? {
            Protocol::Coap => coap::run(model, &plan, console).await,
            Protocol::Mqtt => mqtt::run(model, &plan, console).await,
            Protocol::Amqp => amqp::run(model, &plan, console).await,
        },
    }
}

/// The file as it stands; written anew where the command line changes it.
fn printed(plan: &Plan, text: Text<'_>, file: &File) -> Result<String> {
    match plan.seed.is_none() && plan.count.is_none() {
        true => Ok(text.text.to_owned()),
        false => toml::to_string(file)
            .map_err(|cause| Error::usage(format!("the file cannot be printed: {cause}"))),
    }
}

impl Description {
    /// What it is called, and its text.
    fn read(&self) -> Result<(String, String)> {
        match self {
            Self::File(path) => {
                let environment = Environment::of_process();
                let text = file::read_text(path, SMALL)
                    .map_err(|why| or_context(why, path.to_str(), &environment))?;
                Ok((path.display().to_string(), text))
            }
            Self::Scenario(name) => {
                let text = scenario::named(name).unwrap_or_default();
                Ok((name.clone(), text.to_owned()))
            }
        }
    }

    /// Where the files are that it names.
    fn folder(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or_else(|| Path::new("")),
            Self::Scenario(_) => Path::new(""),
        }
    }
}
