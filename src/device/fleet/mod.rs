//! The devices in time. Whoever drives a fleet passes the time in, does what [`Fleet::next_effect`] says, and reports what
//! comes of it.
//!
//! Times are in nanoseconds since the fleet began. Whatever is random follows from the seed, the identifier of the device and
//! the name of the sensor, so that no device changes what another one does.

mod acting;
mod buffer;
mod reading;
mod updating;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

pub(crate) use self::acting::Fate;
use self::acting::Pending;
use self::reading::Sensing;
use super::account::Account;
use super::agent::Agent;
use super::file::Protocol;
use super::model::{Model, Vars};
use super::rule::Rules;
use super::value::{Value, write_json};
use crate::pace::clock::{Nanos, nanos};
use crate::payload::template::{Filling, Template};
use crate::random::Random;

/// What a driver is to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Connect this device, and report [`Fleet::opened`].
    Open(usize),
    /// End its connection.
    Close(usize, End),
    /// Send this.
    Publish(usize, Outgoing),
    /// Subscribe to these filters, each at a QoS.
    Subscribe(usize, Vec<(ByteString, u8)>),
    /// End these subscriptions.
    Unsubscribe(usize, Vec<ByteString>),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With DISCONNECT, after all that was sent.
    Clean,
    /// Without a word.
    Crash,
    /// It stays open, and nothing is sent over it.
    Silence,
}

/// A message of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outgoing {
    pub(crate) topic: ByteString,
    pub(crate) payload: Bytes,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// Whether it answers a request, at the place that the request named.
    pub(crate) is_answer: bool,
    /// What the answer to a request carries.
    pub(crate) correlation: Option<Bytes>,
    /// Since 1970, by the fleet's clock.
    pub(crate) time: Nanos,
}

/// Where an answer is expected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) topic: ByteString,
    pub(crate) correlation: Option<Bytes>,
}

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has not begun, or is away on purpose.
    Away,
    /// It wants to be connected.
    Connecting,
    Online,
    /// Its battery is empty.
    Dead,
}

/// What is to happen at a time; in the order of time, devices, and of this enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Nanos,
    device: u32,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Connect,
    /// The end of the connection with this number.
    Leave(u16),
    /// A reading, unless the sensor reports at other times by now.
    Read(u16, u16),
    /// A command is carried out.
    Act(u32),
    /// The agent of its updates has something to do.
    Update,
    /// Readings that were kept are sent, over the connection with this number.
    Forward(u16),
}

/// One device.
#[derive(Debug)]
struct Unit {
    standing: Standing,
    /// Counts its connections.
    connection: u16,
    values: Box<[Value]>,
    sensors: Box<[Sensing]>,
    /// For all that is not a sensor's.
    random: Random,
    /// How many messages it has sent.
    sequence: u64,
    /// Whether its sensors have begun.
    measures: bool,
    begun: Nanos,
    /// Until when it has been worn out.
    worn: Nanos,
    /// What takes updates.
    agent: Option<Box<Agent>>,
    /// Readings that wait for a connection, the oldest first.
    buffer: VecDeque<Outgoing>,
}

/// All devices.
#[derive(Debug)]
pub(crate) struct Fleet {
    model: Arc<Model>,
    /// Since 1970, when the fleet began.
    clock: Nanos,
    /// How much faster than the machine's clock its time passes.
    speed: f64,
    units: Vec<Unit>,
    due: BinaryHeap<Reverse<Due>>,
    rules: Rules,
    /// Who takes the commands of each topic.
    targets: HashMap<String, Vec<(u32, u16)>>,
    pending: HashMap<u32, Pending>,
    next_pending: u32,
    effects: VecDeque<Effect>,
    /// Bytes of all readings that wait for a connection.
    buffered: usize,
    /// Devices that have not been connected yet.
    absent: usize,
    /// Why the first reading failed.
    failure: Option<String>,
    pub(crate) account: Account,
}

impl Fleet {
    /// A fleet that begins at `clock`, in nanoseconds since 1970.
    pub(crate) fn new(model: Model, clock: Nanos) -> Self {
        let mut fleet = Self {
            clock,
            speed: 1.0,
            units: Vec::with_capacity(model.devices.len()),
            due: BinaryHeap::new(),
            rules: Rules::of(&model),
            targets: model.targets(),
            pending: HashMap::new(),
            next_pending: 0,
            effects: VecDeque::new(),
            buffered: 0,
            absent: model.devices.len(),
            failure: None,
            account: Account {
                devices: model.devices.len() as u64,
                ..Account::default()
            },
            model: Arc::new(model),
        };
        for device in 0..fleet.model.devices.len() {
            fleet.begin(device);
        }
        fleet
    }

    /// The same fleet, driven with a time that passes so much faster than the machine's.
    pub(crate) const fn at_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// The fleet's time, after so long.
    pub(crate) fn now(&self, elapsed: Duration) -> Nanos {
        (nanos(elapsed) as f64 * self.speed) as Nanos
    }

    /// How long after the beginning, by the machine's clock, [`Fleet::step`] has something to do next.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        let due = self.next_due()?;
        Some(Duration::from_nanos((due as f64 / self.speed) as u64))
    }

    fn lag(&self, due: Nanos, now: Nanos) -> Nanos {
        (now.saturating_sub(due) as f64 / self.speed) as Nanos
    }

    fn begin(&mut self, at: usize) {
        let model = Arc::clone(&self.model);
        let (device, group) = (&model.devices[at], model.group(at));
        let stream = |name: &str| Random::new(model.seed, hash(&[&device.id, name]));
        let mut random = stream("");
        let begun = spread(&group.connect.spread, &mut random);
        let sensors = group.sensors.iter().map(|sensor| {
            let topic = device.fill(&sensor.topic, &sensor.name, &sensor.vars);
            let mut sensing = Sensing::new(
                topic.into(),
                stream(&format!("value {}", sensor.name)),
                stream(&format!("time {}", sensor.name)),
            );
            sensing.set_clock(sensor);
            sensing
        });
        let sensors = sensors.collect();
        let agent = group.updates.as_ref().map(|updates| {
            let groups = updates.groups.iter();
            let groups = groups.map(|it| device.fill(it, "", &Vars::default()));
            let seed = stream("updates").next();
            Agent::new(updates, device.id.clone(), groups.collect(), seed).into()
        });
        let none = group.sensors.iter().map(|_| Value::None);
        let set = group.actuators.iter().map(|it| it.initial.clone());
        let worn = group.wear.iter().map(|it| Value::Number(it.from));
        self.due.push(Reverse(Due {
            at: begun,
            device: at as u32,
            what: What::Connect,
        }));
        let values: Box<[_]> = none.chain(set).chain(worn).collect();
        for (slot, value) in values.iter().enumerate() {
            self.rules.know((at as u32, slot as u16), value);
        }
        self.units.push(Unit {
            standing: Standing::Away,
            connection: 0,
            values,
            sensors,
            random,
            sequence: 0,
            measures: false,
            begun,
            worn: begun,
            agent,
            buffer: VecDeque::new(),
        });
    }

    /// What the fleet consists of.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// Which sensor failed first, and why.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Since 1970, at a time of the fleet.
    pub(crate) const fn time(&self, now: Nanos) -> Nanos {
        self.clock.saturating_add(now)
    }

    /// When [`Fleet::step`] has something to do next; what lies beyond the end of time never is.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        let next = self.due.peek().map(|Reverse(due)| due.at);
        next.filter(|at| *at < Nanos::MAX)
    }

    /// What is to be done by the driver.
    pub(crate) fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Lets the next thing happen that is due by `now`; whether there was one.
    pub(crate) fn step(&mut self, now: Nanos) -> bool {
        if self.next_due().is_none_or(|at| at > now) {
            return false;
        }
        let Some(Reverse(due)) = self.due.pop() else {
            return false;
        };
        let device = due.device as usize;
        let is_reading = matches!(due.what, What::Read(..));
        self.account.lag(self.lag(due.at, now), is_reading);
        match due.what {
            What::Connect => self.connect(device),
            What::Leave(connection) => self.leave(device, connection, due.at),
            What::Read(sensor, turn) => self.read(device, sensor.into(), turn, due.at),
            What::Act(pending) => {
                self.act(pending, due.at);
            }
            What::Update => self.wake(device, due.at),
            What::Forward(connection) => self.forward(device, connection, due.at),
        }
        true
    }

    fn schedule(&mut self, at: Nanos, device: usize, what: What) {
        let device = device as u32;
        self.due.push(Reverse(Due { at, device, what }));
    }

    fn connect(&mut self, device: usize) {
        let unit = &mut self.units[device];
        if unit.standing == Standing::Away {
            unit.standing = Standing::Connecting;
            self.effects.push_back(Effect::Open(device));
        }
    }

    /// A device is connected: it reports that it is there, and how it is set.
    pub(crate) fn opened(&mut self, device: usize, now: Nanos) {
        let unit = &mut self.units[device];
        if unit.standing != Standing::Connecting {
            return;
        }
        unit.standing = Standing::Online;
        unit.connection = unit.connection.wrapping_add(1);
        let connection = unit.connection;
        self.account.connections += 1;
        let model = Arc::clone(&self.model);
        let group = model.group(device);
        if !self.units[device].measures {
            self.absent -= 1;
            self.begin_measuring(device, now);
        }
        if let Some(status) = &group.status {
            self.account.births += 1;
            let birth = self.status(device, &status.online, now);
            self.publish(device, birth);
        }
        for actuator in 0..group.actuators.len() {
            self.publish_state(device, actuator, now);
        }
        self.connect_agent(device, now);
        self.forward(device, connection, now);
        if let Some(stay) = &group.connect.stay {
            let at = now.saturating_add(stay.draw(&mut self.units[device].random));
            self.schedule(at, device, What::Leave(connection));
        }
    }

    /// A connection is gone, by no wish of the device; the driver opens another one.
    pub(crate) fn lost(&mut self, device: usize) {
        let unit = &mut self.units[device];
        if unit.standing == Standing::Online {
            unit.standing = Standing::Connecting;
            unit.connection = unit.connection.wrapping_add(1);
            self.account.lost_connections += 1;
        }
    }

    /// A device cannot be connected any more.
    pub(crate) fn given_up(&mut self, device: usize) {
        self.units[device].standing = Standing::Dead;
    }

    /// Whether each device has been connected.
    pub(crate) const fn is_complete(&self) -> bool {
        self.absent == 0
    }

    /// How many devices wait to be connected.
    pub(crate) fn connecting(&self) -> u64 {
        let waits = |it: &&Unit| it.standing == Standing::Connecting;
        self.units.iter().filter(waits).count() as u64
    }

    /// Whether a device is connected.
    pub(crate) fn is_online(&self, device: usize) -> bool {
        self.units[device].standing == Standing::Online
    }

    fn leave(&mut self, device: usize, connection: u16, now: Nanos) {
        let unit = &mut self.units[device];
        if unit.standing != Standing::Online || unit.connection != connection {
            return;
        }
        let model = Arc::clone(&self.model);
        let connect = &model.group(device).connect;
        let (drawn, away) = (unit.random.fraction(), connect.away.draw(&mut unit.random));
        let end = if drawn < connect.crash {
            End::Crash
        } else if drawn < connect.crash + connect.silent {
            End::Silence
        } else {
            End::Clean
        };
        self.end(device, end, now);
        self.schedule(now.saturating_add(away), device, What::Connect);
    }

    /// Ends the connection of a device that is online.
    fn end(&mut self, device: usize, end: End, now: Nanos) {
        let model = Arc::clone(&self.model);
        let status = model.group(device).status.as_ref();
        let has_will = self.will(device, now).is_some();
        self.flush_held(device, end);
        match end {
            End::Clean => {
                self.account.clean_ends += 1;
                if let Some(status) = status {
                    let offline = self.status(device, &status.offline, now);
                    self.publish(device, offline);
                }
                self.tell_presence(device, false, now);
            }
            End::Crash => self.account.crashes += 1,
            End::Silence => self.account.silences += 1,
        }
        self.account.wills_expected += u64::from(has_will && end != End::Clean);
        self.units[device].standing = Standing::Away;
        self.effects.push_back(Effect::Close(device, end));
    }

    /// All devices leave cleanly: the run is over.
    pub(crate) fn finish(&mut self, now: Nanos) {
        for Reverse(due) in std::mem::take(&mut self.due) {
            let is_reading = matches!(due.what, What::Read(..));
            self.account.lag(self.lag(due.at, now), is_reading);
        }
        self.account.dropped_commands += self.pending.len() as u64;
        self.pending.clear();
        for device in 0..self.units.len() {
            self.empty_buffer(device);
            match self.units[device].standing {
                Standing::Online => self.end(device, End::Clean, now),
                Standing::Connecting => self.units[device].standing = Standing::Away,
                Standing::Away | Standing::Dead => {}
            }
        }
    }

    /// What the server is to publish should this device vanish; its time is that of the connection.
    pub(crate) fn will(&self, device: usize, now: Nanos) -> Option<Outgoing> {
        let group = self.model.group(device);
        match &group.status {
            // Only MQTT knows wills.
            _ if group.protocol != Protocol::Mqtt => None,
            Some(status) => Some(self.status(device, &status.offline, now)),
            None => self.presence(device, false, now),
        }
    }

    fn status(&self, device: usize, text: &Template, now: Nanos) -> Outgoing {
        let Some(status) = &self.model.group(device).status else {
            return Outgoing::default();
        };
        let none = Vars::default();
        let topic = self.model.devices[device].fill(&status.topic, "", &none);
        let context = Context::new("", &none);
        Outgoing {
            topic: topic.into(),
            payload: self.fill(device, text, &context, now, &mut Random::new(0, 0)),
            qos: status.qos,
            retain: status.retain,
            is_answer: false,
            correlation: None,
            time: self.time(now),
        }
    }

    /// Hands a message to the connection of a device that is online.
    fn publish(&mut self, device: usize, message: Outgoing) {
        self.units[device].sequence += 1;
        self.account.published += 1;
        self.effects.push_back(Effect::Publish(device, message));
    }

    /// A text with all that it names.
    fn fill(
        &self,
        device: usize,
        template: &Template,
        context: &Context<'_>,
        now: Nanos,
        random: &mut Random,
    ) -> Bytes {
        let (it, unit) = (&self.model.devices[device], &self.units[device]);
        let names = &self.model.group(device).names;
        let filling = Filling {
            client: it.number as usize,
            sequence: unit.sequence,
            now: self.time(now).saturating_add_signed(context.skew),
        };
        let named = |place: &str, into: &mut String| match place {
            "value" => write(context.value, into),
            "json" => write_json(context.value, into),
            "state" => into.push_str(context.state),
            "unit" => into.push_str(context.unit),
            "values" => write_values(names, &unit.values, into),
            _ => {
                if let Some(slot) = names.iter().position(|name| name == place) {
                    write(&unit.values[slot], into);
                } else {
                    it.named(place, context.name, context.vars, into);
                }
            }
        };
        let mut text = String::with_capacity(64);
        template.fill_names(&filling, || random.next(), named, &mut text);
        Bytes::from(text)
    }
}

/// What a text is about.
struct Context<'a> {
    name: &'a str,
    vars: &'a Vars,
    value: &'a Value,
    state: &'a str,
    unit: &'a str,
    /// How wrong the clock is.
    skew: i64,
}

impl<'a> Context<'a> {
    const fn new(name: &'a str, vars: &'a Vars) -> Self {
        Self {
            name,
            vars,
            value: &Value::None,
            state: "",
            unit: "",
            skew: 0,
        }
    }
}

fn write(value: &Value, into: &mut String) {
    // Writing to a string cannot fail.
    let _ = std::fmt::Write::write_fmt(into, format_args!("{value}"));
}

/// All values that there are, as a JSON object.
fn write_values(names: &[String], values: &[Value], into: &mut String) {
    let mut front = '{';
    for (name, value) in names.iter().zip(values) {
        if *value != Value::None {
            into.push(front);
            front = ',';
            into.push('"');
            into.push_str(name);
            into.push_str("\":");
            write_json(value, into);
        }
    }
    into.push_str(if front == '{' { "{}" } else { "}" });
}

fn spread(span: &super::span::Span, random: &mut Random) -> Nanos {
    // A spread is a length of time that the beginnings lie in.
    match span.least() == span.most() {
        true => (random.fraction() * span.most() as f64) as Nanos,
        false => span.draw(random),
    }
}

/// The same on all machines and in all versions (FNV-1a).
fn hash(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xFF]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod update_tests;
