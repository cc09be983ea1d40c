//! What a fleet's file means: each device by its identifier, with everything checked that can be.

mod build;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;

use self::build::Builder;
use super::file::{self, File, Kind, Protocol, Text};
use super::generator::Generator;
use super::rule::{self, Automation};
use super::span::Span;
use super::value::Value;
use crate::error::{Error, Result, counted};
use crate::firmware::device::{Config, Release};
use crate::firmware::wire::Topics;
use crate::pace::clock::{Nanos, nanos};
use crate::payload::jq::Filter;
use crate::payload::template::{Filling, Template};

/// Names with what they stand for.
pub(crate) type Vars = Arc<[(String, String)]>;

/// A fleet.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) seed: u64,
    /// When the simulated time begins; otherwise now.
    pub(crate) start: Option<Nanos>,
    pub(crate) groups: Vec<Group>,
    pub(crate) devices: Vec<Device>,
    pub(crate) rules: Vec<Automation>,
}

/// Devices of the same kind.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) protocol: Protocol,
    pub(crate) connect: Connect,
    pub(crate) status: Option<Status>,
    /// Readings that are kept without a connection.
    pub(crate) buffer: usize,
    pub(crate) updates: Option<Arc<Updates>>,
    pub(crate) sensors: Vec<Sensor>,
    pub(crate) actuators: Vec<Actuator>,
    pub(crate) wear: Vec<file::Wear>,
    /// What the values of a device are called: those of its sensors, its actuators, and what wears out.
    pub(crate) names: Vec<String>,
    pub(crate) exchange: String,
}

/// One device.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) group: u32,
    /// In its group, from 1.
    pub(crate) number: u64,
    pub(crate) id: ByteString,
    pub(crate) vars: Vars,
}

/// When devices are connected.
#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) spread: Span,
    pub(crate) stay: Option<Span>,
    pub(crate) away: Span,
    pub(crate) crash: f64,
    pub(crate) silent: f64,
    /// In seconds.
    pub(crate) keep_alive: u16,
}

/// Birth, will and end.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) topic: Template,
    pub(crate) online: Template,
    pub(crate) offline: Template,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// The firmware updates that a device takes.
#[derive(Debug)]
pub(crate) struct Updates {
    /// Who may offer which image.
    pub(crate) config: Arc<Config>,
    pub(crate) topics: Topics,
    pub(crate) groups: Vec<Template>,
    /// What runs at first.
    pub(crate) release: Release,
    pub(crate) download: Span,
    pub(crate) install: Span,
    pub(crate) reboot: Span,
    pub(crate) health: Span,
    pub(crate) fail: file::UpdateFaults,
}

/// Where values come from.
#[derive(Debug)]
pub(crate) enum Source {
    Generator(Generator),
    /// The device's other values.
    Jq(Filter),
    /// None of its own: it reports the others.
    Report,
}

/// What a device measures.
#[derive(Debug)]
pub(crate) struct Sensor {
    pub(crate) name: String,
    pub(crate) vars: Vars,
    pub(crate) topic: Template,
    pub(crate) every: Span,
    pub(crate) first: Option<Span>,
    pub(crate) source: Source,
    pub(crate) unit: String,
    /// What numbers are rounded to; those that were written down stay as they are, unless it is given.
    pub(crate) decimals: Option<u8>,
    pub(crate) payload: Template,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) chance: f64,
    pub(crate) on_change: bool,
    pub(crate) faults: Option<file::Faults>,
}

/// What a device can be told.
#[derive(Debug)]
pub(crate) struct Actuator {
    pub(crate) name: String,
    pub(crate) vars: Vars,
    pub(crate) kind: Kind,
    pub(crate) command: Template,
    pub(crate) state: Option<Template>,
    pub(crate) ack: Option<Template>,
    pub(crate) payload: Template,
    pub(crate) initial: Value,
    pub(crate) options: Vec<String>,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) delay: Option<Span>,
    pub(crate) fail: f64,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// What the command line says in place of the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) seed: Option<u64>,
    pub(crate) count: Option<u32>,
}

impl Overrides {
    /// The file with what they say.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage): several devices would have one identifier.
    pub(crate) fn apply(self, text: Text<'_>, file: &mut File) -> Result<()> {
        file.seed = self.seed.or(file.seed);
        let Some(count) = self.count else {
            return Ok(());
        };
        for table in &mut file.device {
            let at = table.span().start;
            let device = table.get_mut();
            let is_numbered = ["{n}", "{n:"].iter().any(|it| device.id.contains(it));
            if count > 1 && !is_numbered {
                let why = format!("--count {count} needs {{n}} in the id {:?}", device.id);
                let hint = "--print-config prints a built-in fleet, to begin a file of your own";
                return Err(text.wrong(at, &why).hint(hint));
            }
            device.count = self.count;
        }
        Ok(())
    }
}

impl Model {
    /// What a file means; columns are read from files in `folder`.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) with the line of what is wrong.
    pub(crate) fn of(text: Text<'_>, file: &File, folder: &Path, seed: u64) -> Result<Self> {
        let mut model = Self {
            seed,
            start: None,
            groups: Vec::new(),
            devices: Vec::new(),
            rules: Vec::new(),
        };
        if let Some(start) = &file.start {
            let read = start.get_ref().parse::<jiff::Timestamp>();
            let since = read
                .ok()
                .and_then(|at| Duration::try_from(at.as_duration()).ok());
            let why = "start is no time such as 2026-01-01T00:00:00Z";
            model.start = Some(nanos(
                since.ok_or_else(|| text.wrong(start.span().start, why))?,
            ));
        }
        for device in &file.device {
            let builder = Builder { text, folder };
            builder.group(&mut model, device)?;
        }
        if model.devices.is_empty() {
            let why = "there are no devices; begin one with [[device]]";
            return Err(text.wrong(0, why));
        }
        for automation in &file.rule {
            let wrong = |why: String| text.wrong(automation.span().start, &why);
            let rule = Automation::of(automation.get_ref()).map_err(wrong)?;
            model.rules.push(rule);
        }
        let targets = model.targets();
        for (at, automation) in model.rules.iter().enumerate() {
            rule::check(automation, &model, &targets)
                .map_err(|why| text.wrong(file.rule[at].span().start, &why))?;
        }
        Ok(model)
    }

    /// What all devices speak.
    ///
    /// # Errors
    /// They do not speak the same.
    pub(crate) fn protocol(&self) -> Result<Protocol> {
        let first = self.groups.first().map_or(Protocol::Mqtt, |it| it.protocol);
        match self.groups.iter().find(|it| it.protocol != first) {
            None => Ok(first),
            Some(other) => {
                let (one, other) = (first.name(), other.protocol.name());
                let text = format!("some devices speak {one}, others {other}");
                Err(Error::usage(text).hint("a file for each, and a run for each"))
            }
        }
    }

    /// The group of a device.
    pub(crate) fn group(&self, device: usize) -> &Group {
        &self.groups[self.devices[device].group as usize]
    }

    /// Who takes the commands of each topic, by device and actuator.
    pub(crate) fn targets(&self) -> HashMap<String, Vec<(u32, u16)>> {
        let mut targets: HashMap<_, Vec<_>> = HashMap::new();
        for (at, device) in self.devices.iter().enumerate() {
            let group = &self.groups[device.group as usize];
            for (number, actuator) in group.actuators.iter().enumerate() {
                let topic = device.fill(&actuator.command, &actuator.name, &actuator.vars);
                let target = (at as u32, number as u16);
                targets.entry(topic).or_default().push(target);
            }
        }
        targets
    }

    /// `1000 devices with 3000 sensors and 0 actuators`.
    pub(crate) fn summary(&self) -> String {
        let sum = |count: fn(&Group) -> usize| -> u64 {
            let groups = self
                .devices
                .iter()
                .map(|it| &self.groups[it.group as usize]);
            groups.map(|group| count(group) as u64).sum()
        };
        let mut text = format!(
            "{}: {}, {}",
            counted(self.devices.len() as u64, "device"),
            counted(sum(|group| group.sensors.len()), "sensor"),
            counted(sum(|group| group.actuators.len()), "actuator"),
        );
        if !self.rules.is_empty() {
            text += &format!(", {}", counted(self.rules.len() as u64, "rule"));
        }
        text
    }
}

impl Device {
    /// A text that is the same for as long as the device lives.
    pub(crate) fn fill(&self, template: &Template, name: &str, vars: &Vars) -> String {
        let mut text = String::new();
        let named = |place: &str, into: &mut String| {
            self.named(place, name, vars, into);
        };
        let filling = Filling {
            client: self.number as usize,
            ..Filling::default()
        };
        template.fill_names(&filling, || 0, named, &mut text);
        text
    }

    /// Appends what a place stands for, and says whether there is such a one.
    pub(crate) fn named(&self, place: &str, name: &str, vars: &Vars, into: &mut String) -> bool {
        let var = || {
            let mut all = vars.iter().chain(self.vars.iter());
            all.find(|(key, _)| key == place)
        };
        match place {
            "id" => into.push_str(&self.id),
            "name" => into.push_str(name),
            "n" => into.push_str(&self.number.to_string()),
            _ => match var() {
                Some((_, value)) => into.push_str(value),
                None => return false,
            },
        }
        true
    }
}
