//! What devices measure, and report.

use std::sync::Arc;

use bytestring::ByteString;
use serde_json::{Map, Value as Json};

use super::{Context, End, Fleet, Outgoing, Standing, What};
use crate::device::file::Faults;
use crate::device::generator::{Course, finite, hours};
use crate::device::model::{Sensor, Source};
use crate::device::span::Span;
use crate::device::value::Value;
use crate::message::Message;
use crate::pace::clock::Nanos;
use crate::payload::jq::{Filter, Input};
use crate::random::Random;

/// How long a sensor is stuck, in readings, unless the file says.
const STUCK_FOR: u16 = 10;

/// How many times too large a spike is.
const SPIKE: f64 = 10.0;

/// What a sensor finds when its time comes.
enum Found {
    Value(Value),
    /// Nothing: its expression fails, for this reason.
    Failed(String),
    /// Nothing yet: its expression needs values that are still to come.
    Early,
    /// There are no more.
    Over,
}

/// One sensor of a device.
#[derive(Debug)]
pub(super) struct Sensing {
    course: Course,
    /// For values alone, so that nothing else changes them.
    values: Random,
    /// For times, chances and faults.
    times: Random,
    topic: ByteString,
    /// Counts changes of its interval.
    turn: u16,
    /// For how many readings it is still stuck.
    stuck: u16,
    /// Whether it has ever measured.
    began: bool,
    /// Its interval where a command has changed it.
    pub(super) every: Option<Box<Span>>,
    /// A message that is sent after the next one.
    held: Option<Box<Outgoing>>,
    skew: i64,
}

impl Sensing {
    pub(super) const fn new(topic: ByteString, values: Random, times: Random) -> Self {
        Self {
            course: Course::new(),
            values,
            times,
            topic,
            turn: 0,
            stuck: 0,
            began: false,
            every: None,
            held: None,
            skew: 0,
        }
    }

    /// Draws how wrong its clock is.
    pub(super) fn set_clock(&mut self, sensor: &Sensor) {
        if let Some(skew) = sensor.faults.as_ref().and_then(|it| it.skew.as_ref()) {
            let around = 2.0 * self.times.fraction() - 1.0;
            self.skew = (around * skew.most() as f64) as i64;
        }
    }
}

impl Fleet {
    /// A device is connected for the first time: its life begins.
    pub(super) fn begin_measuring(&mut self, device: usize, now: Nanos) {
        let model = Arc::clone(&self.model);
        let unit = &mut self.units[device];
        (unit.measures, unit.begun, unit.worn) = (true, now, now);
        for (number, sensor) in model.group(device).sensors.iter().enumerate() {
            let times = &mut self.units[device].sensors[number].times;
            let first = match &sensor.first {
                Some(first) => first.draw(times),
                None => (times.fraction() * sensor.every.most() as f64) as Nanos,
            };
            self.schedule(
                now.saturating_add(first),
                device,
                What::Read(number as u16, 0),
            );
        }
    }

    pub(super) fn read(&mut self, device: usize, number: usize, turn: u16, now: Nanos) {
        let model = Arc::clone(&self.model);
        let sensor = &model.group(device).sensors[number];
        let unit = &mut self.units[device];
        let sensing = &mut unit.sensors[number];
        if unit.standing == Standing::Dead || sensing.turn != turn {
            return;
        }
        let every = sensing.every.as_deref().unwrap_or(&sensor.every);
        let next = now.saturating_add(every.draw(&mut sensing.times).max(1));
        self.wear_by_time(device, now);
        let found = self.measure(device, number, sensor, now);
        if matches!(found, Found::Over) {
            return;
        }
        self.schedule(next, device, What::Read(number as u16, turn));
        self.account.readings += 1;
        let Some(value) = self.found(device, sensor, found) else {
            self.set(device, number, Value::None, 0, now);
            return;
        };
        let changed = self.set(device, number, value, 0, now);
        if self.is_reported(device, number, sensor, changed) {
            self.report(device, number, sensor, now);
        }
    }

    /// The value, if there is one; else it is counted why not.
    fn found(&mut self, device: usize, sensor: &Sensor, found: Found) -> Option<Value> {
        match found {
            Found::Value(value) => return Some(value),
            Found::Early | Found::Over => self.account.not_reported += 1,
            Found::Failed(why) => {
                self.account.failed_readings += 1;
                if self.failure.is_none() {
                    let (name, id) = (&sensor.name, &self.model.devices[device].id);
                    self.failure = Some(format!("sensor {name} of {id} fails: {why}"));
                }
            }
        }
        None
    }

    /// The next value.
    fn measure(&mut self, device: usize, number: usize, sensor: &Sensor, now: Nanos) -> Found {
        let clock = self.time(now);
        let unit = &mut self.units[device];
        let age = now.saturating_sub(unit.begun);
        let sensing = &mut unit.sensors[number];
        let value = match &sensor.source {
            Source::Generator(it) => {
                match it.next(&mut sensing.course, &mut sensing.values, age, clock) {
                    Some(value) => value,
                    None => return Found::Over,
                }
            }
            Source::Report => return Found::Value(Value::None),
            Source::Jq(filter) => {
                let group = self.model.group(device);
                match derived(filter, &group.names, &unit.values) {
                    Ok(value) => value,
                    Err(_) if is_early(&group.sensors, &unit.sensors, number) => {
                        return Found::Early;
                    }
                    Err(why) => {
                        unit.sensors[number].began = true;
                        return Found::Failed(why);
                    }
                }
            }
        };
        let sensing = &mut unit.sensors[number];
        sensing.began = true;
        let value = match sensor.decimals {
            Some(decimals) => value.rounded(decimals),
            None => value,
        };
        let Some(faults) = &sensor.faults else {
            return Found::Value(value);
        };
        let before = &unit.values[number];
        Found::Value(spoiled(value, before, sensing, faults, &mut self.account))
    }

    /// Sets a value and lets rules see it; whether it is another one.
    pub(super) fn set(
        &mut self,
        device: usize,
        slot: usize,
        value: Value,
        depth: u8,
        now: Nanos,
    ) -> bool {
        let place = &mut self.units[device].values[slot];
        if *place == value {
            return false;
        }
        place.clone_from(&value);
        let place = (device as u32, slot as u16);
        let model = Arc::clone(&self.model);
        for order in self.rules.changed(&model, place, &value) {
            self.carry_out(order, depth, now);
        }
        true
    }

    fn is_reported(
        &mut self,
        device: usize,
        number: usize,
        sensor: &Sensor,
        changed: bool,
    ) -> bool {
        let buffers = self.model.group(device).buffer > 0;
        let unit = &mut self.units[device];
        let times = &mut unit.sensors[number].times;
        let by_chance = sensor.chance >= 1.0 || times.fraction() < sensor.chance;
        let missing = sensor.faults.as_ref().map_or(0.0, |it| it.missing);
        let missing = missing > 0.0 && times.fraction() < missing;
        let count = if !by_chance || sensor.on_change && !changed {
            &mut self.account.not_reported
        } else if missing {
            &mut self.account.missing
        } else {
            match unit.standing {
                Standing::Online => return true,
                Standing::Connecting | Standing::Away if buffers => return true,
                Standing::Connecting => &mut self.account.while_offline,
                Standing::Away | Standing::Dead => &mut self.account.while_away,
            }
        };
        *count += 1;
        false
    }

    fn report(&mut self, device: usize, number: usize, sensor: &Sensor, now: Nanos) {
        let sensing = &self.units[device].sensors[number];
        let context = Context {
            value: &self.units[device].values[number],
            unit: &sensor.unit,
            skew: sensing.skew,
            ..Context::new(&sensor.name, &sensor.vars)
        };
        let mut random = sensing.times.clone();
        let message = Outgoing {
            topic: sensing.topic.clone(),
            payload: self.fill(device, &sensor.payload, &context, now, &mut random),
            qos: sensor.qos,
            retain: sensor.retain,
            is_answer: false,
            correlation: None,
            time: self.time(now),
        };
        let sensing = &mut self.units[device].sensors[number];
        sensing.times = random;
        let held = sensing.held.take();
        let mut happens = |chance: f64| chance > 0.0 && sensing.times.fraction() < chance;
        let faults = sensor.faults.as_ref();
        let twice = faults.is_some_and(|it| happens(it.duplicate));
        let later = faults.is_some_and(|it| happens(it.out_of_order)) && held.is_none();
        if later {
            self.account.out_of_order += 1;
            sensing.held = Some(message.into());
            return;
        }
        if twice {
            self.account.duplicated += 1;
            self.send(device, message.clone());
        }
        self.send(device, message);
        if let Some(held) = held {
            self.send(device, *held);
        }
        self.wear_by_message(device, now);
    }

    /// What waits for a next message goes out before a clean end, and is missing after another one.
    pub(super) fn flush_held(&mut self, device: usize, end: End) {
        for number in 0..self.units[device].sensors.len() {
            match self.units[device].sensors[number].held.take() {
                Some(held) if end == End::Clean => self.send(device, *held),
                Some(_) => {
                    self.account.missing += 1;
                    self.account.out_of_order -= 1;
                }
                None => {}
            }
        }
    }

    fn wear_by_time(&mut self, device: usize, now: Nanos) {
        let model = Arc::clone(&self.model);
        let group = model.group(device);
        if group.wear.is_empty() {
            return;
        }
        let unit = &mut self.units[device];
        let elapsed = hours(now.saturating_sub(unit.worn));
        unit.worn = now.max(unit.worn);
        self.wear(device, now, |wear| wear.per_hour * elapsed);
    }

    fn wear_by_message(&mut self, device: usize, now: Nanos) {
        self.wear(device, now, |wear| wear.per_message);
    }

    fn wear(&mut self, device: usize, now: Nanos, by: impl Fn(&crate::device::file::Wear) -> f64) {
        let model = Arc::clone(&self.model);
        let group = model.group(device);
        let first = group.sensors.len() + group.actuators.len();
        let mut dies = false;
        for (number, wear) in group.wear.iter().enumerate() {
            let Value::Number(before) = self.units[device].values[first + number] else {
                continue;
            };
            let mut after = (before + by(wear)).clamp(0.0, wear.from.max(0.0));
            match wear.recharge_at {
                Some(low) if after <= low => {
                    self.account.recharged += 1;
                    after = wear.from;
                }
                None if after <= 0.0 && wear.from > 0.0 => dies = true,
                _ => {}
            }
            self.set(device, first + number, Value::Number(after), 0, now);
        }
        if dies {
            self.die(device, now);
        }
    }

    fn die(&mut self, device: usize, now: Nanos) {
        let standing = self.units[device].standing;
        if standing == Standing::Online {
            self.end(device, End::Crash, now);
        }
        if standing != Standing::Dead {
            self.account.dead += 1;
        }
        self.units[device].standing = Standing::Dead;
    }

    /// A command changes how often a sensor reports, from now on.
    pub(super) fn change_interval(
        &mut self,
        device: usize,
        number: usize,
        every: Span,
        now: Nanos,
    ) {
        let sensing = &mut self.units[device].sensors[number];
        sensing.turn = sensing.turn.wrapping_add(1);
        let wait = every.draw(&mut sensing.times).max(1);
        let (turn, next) = (sensing.turn, now.saturating_add(wait));
        sensing.every = Some(every.into());
        self.schedule(next, device, What::Read(number as u16, turn));
    }
}

/// Whether another sensor has not measured yet.
fn is_early(sensors: &[Sensor], all: &[Sensing], number: usize) -> bool {
    let mut others = sensors.iter().zip(all).enumerate();
    others.any(|(at, (sensor, sensing))| {
        at != number && !sensing.began && !matches!(sensor.source, Source::Report)
    })
}

/// What an expression makes of the values of a device; one without an output makes none.
///
/// # Errors
/// Why it fails.
fn derived(filter: &Filter, names: &[String], values: &[Value]) -> Result<Value, String> {
    let pairs = names.iter().zip(values);
    let object: Map<String, Json> = pairs
        .map(|(name, value)| (name.clone(), value.json()))
        .collect();
    let input = Input {
        message: &Message::default(),
        captures: None,
        now: None,
    };
    let first = filter.value(input, Some(&Json::Object(object)));
    Ok(first?.map_or(Value::None, |body| {
        match serde_json::from_slice::<Json>(&body) {
            Ok(json) => Value::of_json(&json),
            Err(_) => Value::text(&String::from_utf8_lossy(&body)),
        }
    }))
}

/// The value that a sensor with faults has in place of the right one.
fn spoiled(
    value: Value,
    before: &Value,
    sensing: &mut Sensing,
    faults: &Faults,
    account: &mut super::Account,
) -> Value {
    let times = &mut sensing.times;
    let mut happens = |chance: f64| chance > 0.0 && times.fraction() < chance;
    let (sticks, spikes) = (happens(faults.stuck), happens(faults.spike));
    if sensing.stuck == 0 && sticks && *before != Value::None {
        sensing.stuck = faults.stuck_for.unwrap_or(STUCK_FOR);
    }
    if sensing.stuck > 0 {
        sensing.stuck -= 1;
        account.stuck += 1;
        return before.clone();
    }
    match value.number().filter(|_| spikes) {
        Some(number) => {
            account.spikes += 1;
            Value::Number(match number {
                0.0 => SPIKE,
                number => finite(number * SPIKE),
            })
        }
        None => value,
    }
}
