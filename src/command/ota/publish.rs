//! `ota publish`: puts a manifest where devices see it, or takes one back.

use std::path::{Path, PathBuf};

use bytestring::ByteString;

use super::direct::{Devices, TRIGGER};
use super::sign::manifests;
use super::{amqp, read, refused};
use crate::command::amqp::publish as amqp_publish;
use crate::command::amqp::session::SessionArgs as AmqpSession;
use crate::command::mqtt::publish;
use crate::command::mqtt::session::SessionArgs;
use crate::error::{Error, Kind, Result};
use crate::firmware::suit::{Envelope, MEDIA_TYPE};
use crate::firmware::wire::{Audience, Queues, Topics};
use crate::flow::{Pacing, Stages, Until};
use crate::message::AmqpProperties;
use crate::mqtt::packet::{Properties, QoS};
use crate::output::{Console, Style};
use crate::payload::{Destination, Encoding, Source};
use crate::stop::Stop;

/// `ota publish`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server.
    pub session: SessionArgs,
    /// Below which topics.
    pub prefix: String,
    /// A manifest, or a directory of them; `None`: the manifests are taken back.
    pub manifest: Option<PathBuf>,
    /// Who it is for.
    pub to: Vec<Audience>,
    /// Devices that are told over CoAP instead where the manifest is; its URL stands for it then.
    pub trigger: Vec<String>,
    /// When it is given up.
    pub until: Until,
    /// Of what it says.
    pub style: Style,
}

pub(super) async fn run(plan: Plan) -> Result<()> {
    if !plan.trigger.is_empty() {
        return trigger(&plan).await;
    }
    let topics = Topics::new(&plan.prefix);
    let (source, said) = match &plan.manifest {
        Some(path) => {
            let (path, said) = newest(path)?;
            (Source::File(path), format!("published {said}"))
        }
        None => (
            Source::Empty,
            String::from("no manifest is published any more"),
        ),
    };
    if let Some(session) = amqp::session(&plan.session) {
        if plan.manifest.is_none() {
            let text = "--remove cannot be used over AMQP: what is in a queue is not taken back";
            return Err(Error::usage(text));
        }
        over_amqp(session, &plan, source).await?;
        tell(&plan, &said);
        return Ok(());
    }
    let destinations = plan
        .to
        .iter()
        .map(|it| Destination::new(topics.manifest(it).into()));
    let destinations = destinations.collect();
    publish::run(publish::Plan {
        topics: destinations,
        qos: QoS::AtLeastOnce,
        lowers_qos: true,
        retain: true,
        properties: Properties::default(),
        source,
        encoding: Encoding::Plain,
        stages: Stages::default(),
        pacing: Pacing::default(),
        ack_timeout: None,
        require_subscribers: false,
        ack_report: None,
        until: plan.until.clone(),
        style: plan.style,
        session: plan.session.clone(),
    })
    .await?;
    tell(&plan, &said);
    Ok(())
}

async fn trigger(plan: &Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let connect = &plan.session.connect;
    let limit = plan.until.timeout;
    let devices = Devices::at(connect, &plan.trigger, TRIGGER, limit, console)?;
    let url = plan.manifest.as_deref().unwrap_or_else(|| Path::new(""));
    let url = url.to_string_lossy();
    let mut stop = Stop::watch()?;
    stop.unless_asked("interrupted", devices.trigger(&url))
        .await
}

/// Publishes a manifest, and fails where no device has a queue for it.
async fn over_amqp(session: AmqpSession, plan: &Plan, source: Source) -> Result<()> {
    let queues = Queues::new(&plan.prefix);
    let keys = plan
        .to
        .iter()
        .map(|it| Destination::new(it.to_string().into()));
    let plan = amqp_publish::Plan {
        exchange: queues.exchange().into(),
        keys: keys.collect(),
        mandatory: true,
        properties: AmqpProperties {
            content_type: Some(ByteString::from_static(MEDIA_TYPE)),
            delivery_mode: Some(2),
            ..AmqpProperties::default()
        },
        declare: vec![amqp::exchange(&queues)],
        until: plan.until.clone(),
        style: plan.style,
        ..amqp_publish::Plan::new(session, "", source)
    };
    amqp_publish::run(plan).await
}

fn tell(plan: &Plan, said: &str) {
    let names: Vec<String> = plan.to.iter().map(ToString::to_string).collect();
    Console::new(plan.style).note(format_args!("{said} to {}", names.join(", ")));
}

/// The manifest, or the one with the highest sequence in a directory, and what it is.
fn newest(path: &Path) -> Result<(PathBuf, String)> {
    let candidates = match path.is_dir() {
        true => manifests(path)?,
        false => vec![path.to_owned()],
    };
    let mut best: Option<(u64, PathBuf, String)> = None;
    for candidate in candidates {
        let bytes = read(&candidate)?;
        let manifest = Envelope::split(&bytes).and_then(|it| it.unverified());
        // Nothing is sent that no device would take.
        let manifest = manifest.map_err(|why| refused(candidate.display(), &why))?;
        let sequence = manifest.sequence_number;
        let version = manifest.about.version.unwrap_or_default();
        if best
            .as_ref()
            .is_none_or(|(highest, ..)| sequence > *highest)
        {
            best = Some((
                sequence,
                candidate,
                format!("sequence {sequence}, version {version}"),
            ));
        }
    }
    let none = || {
        let text = format!("no manifest (.suit) in {}", path.display());
        Error::new(Kind::Usage, text)
    };
    let (_, path, said) = best.ok_or_else(none)?;
    Ok((path, said))
}
