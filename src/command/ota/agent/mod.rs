//! `ota agent`: a device with two slots, which is updated over MQTT, CoAP or AMQP. What it does next, and what not, says
//! `firmware::device`; here it is done.
//!
//! | file | what it is for |
//! |---|---|
//! | `core` | steps, whatever manifests and blocks come over |
//! | `disk` | slots and state |
//! | `patch` | patches |
//! | `commands` | the user's commands |
//! | `amqp` | manifests from a queue, reports to another |
//! | `mqtt` | manifests that are published, blocks on request, reports |
//! | `pull` | a manifest and an image that are fetched over CoAP |
//! | `listen` | what it answers over CoAP, and where it is told of updates |

mod amqp;
pub(crate) mod commands;
mod core;
mod disk;
mod listen;
mod mqtt;
mod patch;
mod pull;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use self::commands::Commands;
use self::core::Core;
pub(super) use self::mqtt::{at_least_once, refused, subscribe};
use super::is_coap;
use crate::command::mqtt::session::SessionArgs;
use crate::error::Result;
use crate::firmware::Identity;
use crate::firmware::device::Slot;
use crate::output::Style;

/// `ota agent`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server.
    pub session: SessionArgs,
    /// Below which topics.
    pub prefix: String,
    /// The name of the device.
    pub id: String,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Where state and images are.
    pub folder: PathBuf,
    /// Other places for the images.
    pub slots: Option<[PathBuf; 2]>,
    /// Of a slot.
    pub slot_size: Option<u64>,
    /// The slot that runs, where the boot loader says so.
    pub booted: Option<Slot>,
    /// Public keys.
    pub trust: Vec<PathBuf>,
    /// Which manifests are for it.
    pub identity: Identity,
    /// The user's.
    pub commands: Commands,
    /// How long a new image may take to prove itself.
    pub within: Duration,
    /// How long it waits for a part of an image before it gives the update up.
    pub timeout: Duration,
    /// How long it waits for a manifest; `None`: as long as it takes.
    pub manifest_within: Option<Duration>,
    /// Bytes of a block.
    pub block: u32,
    /// An older version may be installed.
    pub allow_downgrade: bool,
    /// How often a manifest is looked for over CoAP.
    pub poll: Duration,
    /// Where it is told of updates over CoAP.
    pub listen: Option<SocketAddr>,
    /// It ends with the first update.
    pub once: bool,
    /// Of what it says.
    pub style: Style,
}

/// Runs a device until a signal, or until it starts again.
pub(super) async fn run(plan: Plan) -> Result<()> {
    let over_coap = is_coap(plan.session.connect.url.as_deref()) || plan.listen.is_some();
    let session = super::amqp::session(&plan.session);
    let core = Core::open(plan)?;
    if let Some(session) = session {
        return amqp::run(core, session).await;
    }
    match over_coap {
        true => pull::run(core).await,
        false => mqtt::run(core).await,
    }
}
