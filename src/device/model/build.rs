//! Makes groups and devices of what is written.

mod ota;
mod topics;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use bytestring::ByteString;
use toml::Spanned;

use super::{Actuator, Connect, Device, Group, Model, Sensor, Source, Status, Vars};
use crate::device::file::{self, Choices, Given, Kind, Plain, Protocol, Rule, Text, Vary};
use crate::device::generator::{Generator, part};
use crate::device::span::Span;
use crate::device::value::Value;
use crate::error::{Error, Result};
use crate::message::topic;
use crate::payload::jq::Filter;
use crate::payload::rows;
use crate::payload::template::Template;

/// The most devices of a fleet.
const MOST_DEVICES: usize = 1_000_000;

/// The most sensors, actuators and states of a device.
const MOST_SLOTS: usize = 10_000;

/// The most readings that a device keeps.
const MOST_BUFFERED: u32 = 100_000;

/// What computed numbers are rounded to, unless the file says.
const DECIMALS: u8 = 2;

/// Makes a group of what is written.
#[derive(Clone, Copy)]
pub(super) struct Builder<'a> {
    pub(super) text: Text<'a>,
    pub(super) folder: &'a Path,
}

impl Builder<'_> {
    pub(super) fn group(self, model: &mut Model, table: &Spanned<file::Device>) -> Result<()> {
        let at = table.span().start;
        let device = table.get_ref();
        let wrong = |why: String| self.text.wrong(at, &why);
        let combinations = combinations(&device.vary).map_err(wrong)?;
        let keys: Vec<_> = device.vary.keys().map(String::as_str).collect();
        let count = device.count.unwrap_or(1) as usize;
        let wanted = combinations.len().saturating_mul(count);
        if wanted.saturating_add(model.devices.len()) > MOST_DEVICES {
            return Err(wrong(format!("more than {MOST_DEVICES} devices")));
        }
        let group = self.built(device, &keys).map_err(|fault| match fault {
            Fault::Here(why) => wrong(why),
            Fault::At(at, why) => self.text.wrong(at, &why),
        })?;
        let id = Template::of_topic(&device.id, |word| word == "n" || keys.contains(&word))
            .map_err(|word| wrong(format!("id: unknown placeholder {word}")))?;
        let number = model.groups.len() as u32;
        for vars in combinations {
            for _ in 0..count {
                let mut device = Device {
                    group: number,
                    number: 0,
                    id: ByteString::new(),
                    vars: Arc::clone(&vars),
                };
                let begun = model.devices.iter().rev();
                let last = begun.take(1).find(|it| it.group == number);
                device.number = last.map_or(1, |last| last.number + 1);
                device.id = device.fill(&id, "", &Vars::default()).into();
                if device.id.chars().any(char::is_control) {
                    let id = &device.id;
                    return Err(wrong(format!("the id {id:?} has a control character")));
                }
                model.devices.push(device);
            }
        }
        model.groups.push(group);
        topics::check(model, number).map_err(wrong)?;
        topics::check_shared(model, number).map_err(wrong)?;
        ota::check_names(model, number).map_err(wrong)
    }

    fn built(self, device: &file::Device, keys: &[&str]) -> Result<Group, Fault> {
        let mut names = Vec::new();
        let mut texts = Vec::new();
        for sensor in &device.sensor {
            let at = sensor.span().start;
            for vars in combinations(&sensor.get_ref().vary).map_err(|why| Fault::At(at, why))? {
                let name =
                    named(&sensor.get_ref().name, &vars).map_err(|why| Fault::At(at, why))?;
                names.push(name.clone());
                texts.push((sensor, vars, name));
            }
        }
        let mut tools = Vec::new();
        for actuator in &device.actuator {
            let at = actuator.span().start;
            for vars in combinations(&actuator.get_ref().vary).map_err(|why| Fault::At(at, why))? {
                let name =
                    named(&actuator.get_ref().name, &vars).map_err(|why| Fault::At(at, why))?;
                names.push(name.clone());
                tools.push((actuator, vars, name));
            }
        }
        names.extend(device.state.keys().cloned());
        check_names(&names, keys)?;
        let places = Places {
            keys,
            names: &names,
            protocol: device.protocol,
        };
        let sensors = texts.into_iter().map(|(table, vars, name)| {
            let read = self.sensor(table.get_ref(), vars, &name, places);
            read.map_err(|why| Fault::At(table.span().start, format!("sensor {name}: {why}")))
        });
        let sensors = sensors.collect::<Result<_, _>>()?;
        let actuators = tools.into_iter().map(|(table, vars, name)| {
            let read = actuator(table.get_ref(), vars, &name, places);
            read.map_err(|why| Fault::At(table.span().start, format!("actuator {name}: {why}")))
        });
        let actuators = actuators.collect::<Result<_, _>>()?;
        let status = device.status.as_ref().map(|it| status(it, places));
        Ok(Group {
            protocol: device.protocol,
            connect: connect(device.connect.as_ref())?,
            status: status.transpose()?,
            buffer: buffer(device)?,
            updates: self.updates(device, places)?,
            sensors,
            actuators,
            wear: device.state.values().cloned().collect(),
            names,
            exchange: device
                .exchange
                .clone()
                .unwrap_or_else(|| "amq.topic".to_owned()),
        })
    }

    fn sensor(
        self,
        table: &file::Sensor,
        vars: Vars,
        name: &str,
        places: Places<'_>,
    ) -> Result<Sensor, String> {
        if table.every.least() == 0 {
            return Err(String::from("every must be longer than 0"));
        }
        let source = match &table.value {
            None => Source::Report,
            Some(Given::Constant(value)) => Source::Generator(Generator::Constant(value.value())),
            Some(Given::Rule(rule)) => match &**rule {
                Rule::Jq(code) => {
                    Source::Jq(Filter::compile(code).map_err(|why| format!("jq: {why}"))?)
                }
                rule => {
                    let column = |path: &str, name: &str| column(&self.folder.join(path), name);
                    Source::Generator(Generator::of(rule, column)?)
                }
            },
        };
        if let Some(faults) = &table.faults {
            for (chance, name) in [
                (faults.stuck, "stuck"),
                (faults.spike, "spike"),
                (faults.missing, "missing"),
                (faults.duplicate, "duplicate"),
                (faults.out_of_order, "out-of-order"),
            ] {
                part(chance, name)?;
            }
        }
        let usual = match &source {
            Source::Generator(generator) if generator.is_written() => None,
            _ => Some(DECIMALS),
        };
        let unit = table.unit.clone().unwrap_or_default();
        let payload = match &table.payload {
            Some(payload) => payload.clone(),
            None => usual_payload(&source, &unit),
        };
        Ok(Sensor {
            name: name.to_owned(),
            topic: places.topic(table.topic.as_deref(), "sensors", &vars)?,
            every: table.every.clone(),
            first: table.first.clone(),
            source,
            unit,
            decimals: table.decimals.or(usual).map(|it| it.min(12)),
            payload: places.payload(&payload, &vars)?,
            qos: qos(table.qos)?,
            retain: table.retain,
            chance: part(table.chance.unwrap_or(1.0), "chance")?,
            on_change: table.on_change,
            faults: table.faults.clone(),
            vars,
        })
    }
}

/// What a sensor says that has no payload in the file.
fn usual_payload(source: &Source, unit: &str) -> String {
    match source {
        Source::Report => String::from("{values}"),
        _ if unit.is_empty() => String::from(r#"{"value":{json},"timestamp":"{time}"}"#),
        _ => {
            // A brace in it is no place.
            let unit = serde_json::Value::from(unit).to_string();
            let unit = unit.replace('{', "\\u007b").replace('}', "\\u007d");
            format!(r#"{{"value":{{json}},"unit":{unit},"timestamp":"{{time}}"}}"#)
        }
    }
}

/// What is wrong with a group, and where.
enum Fault {
    /// Where the group begins.
    Here(String),
    At(usize, String),
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Here(why)
    }
}

/// What texts may name.
#[derive(Clone, Copy)]
struct Places<'a> {
    keys: &'a [&'a str],
    names: &'a [String],
    protocol: Protocol,
}

impl Places<'_> {
    /// A topic, a routing key or a path; otherwise one below `front`.
    fn topic(self, given: Option<&str>, front: &str, vars: &Vars) -> Result<Template, String> {
        let usual = match self.protocol {
            Protocol::Mqtt => format!("{front}/{{id}}/{{name}}"),
            Protocol::Coap => String::from("{id}/{name}"),
            Protocol::Amqp => format!("{front}.{{id}}.{{name}}"),
        };
        let text = given.unwrap_or(&usual);
        let text = match self.protocol {
            Protocol::Coap => text.trim_start_matches('/'),
            Protocol::Mqtt | Protocol::Amqp => text,
        };
        if self.protocol == Protocol::Mqtt {
            topic::check_name(text).map_err(|why| why.to_string())?;
        }
        let known = |word: &str| {
            ["id", "n", "name"].contains(&word)
                || self.keys.contains(&word)
                || vars.iter().any(|(key, _)| key == word)
        };
        let template = Template::of_topic(text, known)
            .map_err(|word| format!("topic: unknown placeholder {word}"))?;
        let changes = ["{seq", "{time}", "{unix_ms", "{random:", "{uuid}"];
        match changes.iter().find(|place| text.contains(**place)) {
            Some(place) => Err(format!(
                "topic: {place}… changes from message to message, and a topic does not"
            )),
            None => Ok(template),
        }
    }

    fn payload(self, text: &str, vars: &Vars) -> Result<Template, String> {
        let known = |word: &str| {
            [
                "id", "n", "name", "value", "json", "unit", "values", "state",
            ]
            .contains(&word)
                || self.keys.contains(&word)
                || vars.iter().any(|(key, _)| key == word)
                || self.names.iter().any(|name| name == word)
        };
        Template::with_names(text, known).map_err(sentence)
    }
}

/// An error and its way out in one line.
fn sentence(error: Error) -> String {
    match error.hint_text() {
        Some(hint) => format!("{}: {hint}", error.text()),
        None => error.text().to_owned(),
    }
}

fn qos(level: u8) -> Result<u8, String> {
    match level {
        0..=2 => Ok(level),
        _ => Err(format!("qos = {level} is not 0, 1 or 2")),
    }
}

fn check_names(names: &[String], keys: &[&str]) -> Result<(), String> {
    const TAKEN: [&str; 8] = [
        "id", "n", "name", "value", "json", "unit", "values", "state",
    ];
    if names.len() > MOST_SLOTS {
        return Err(format!("more than {MOST_SLOTS} sensors and actuators"));
    }
    let mut seen = HashSet::new();
    for name in names.iter().map(String::as_str).chain(keys.iter().copied()) {
        let plain = name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "_-".contains(it));
        if name.is_empty() || !plain {
            return Err(format!(
                "the name {name:?} is not of letters, digits, _ and -"
            ));
        }
        if TAKEN.contains(&name) || Template::is_place(name) {
            return Err(format!("{name} cannot be a name: {{{name}}} has a meaning"));
        }
        if !seen.insert(name) {
            return Err(format!("two things of the device are called {name}"));
        }
    }
    Ok(())
}

fn named(text: &str, vars: &Vars) -> Result<String, String> {
    let known = |word: &str| vars.iter().any(|(key, _)| key == word);
    let template = Template::of_topic(text, known)
        .map_err(|word| format!("name: unknown placeholder {word}"))?;
    let nobody = Device {
        group: 0,
        number: 0,
        id: ByteString::new(),
        vars: Vars::default(),
    };
    Ok(nobody.fill(&template, "", vars))
}

fn connect(table: Option<&file::Connect>) -> Result<Connect, String> {
    let table = table.cloned().unwrap_or_default();
    let keep_alive = table.keep_alive.map_or(60, |it| it.least() / 1_000_000_000);
    if table.crash + table.silent > 1.0 {
        return Err(String::from("crash and silent are more than 1 together"));
    }
    if table.stay.as_ref().is_some_and(|stay| stay.least() == 0) {
        return Err(String::from("stay must be longer than 0"));
    }
    Ok(Connect {
        spread: table.spread.unwrap_or_else(|| Span::seconds(0)),
        stay: table.stay,
        away: table.away.unwrap_or_else(|| Span::seconds(5)),
        crash: part(table.crash, "crash")?,
        silent: part(table.silent, "silent")?,
        keep_alive: u16::try_from(keep_alive)
            .map_err(|_| String::from("keep-alive is longer than 65535s"))?,
    })
}

fn buffer(device: &file::Device) -> Result<usize, String> {
    match device.buffer {
        0 => Ok(0),
        _ if device.protocol == Protocol::Coap => {
            Err("buffer: a CoAP resource shows the latest reading only".to_owned())
        }
        count if count > MOST_BUFFERED => {
            Err(format!("buffer = {count} is more than {MOST_BUFFERED}"))
        }
        count => Ok(count as usize),
    }
}

fn status(table: &file::Status, places: Places<'_>) -> Result<Status, String> {
    let none = Vars::default();
    let why = |why| format!("status: {why}");
    let text = |text: &str| places.payload(text, &none).map_err(why);
    Ok(Status {
        topic: places.topic(Some(&table.topic), "", &none).map_err(why)?,
        online: text(&table.online)?,
        offline: text(&table.offline)?,
        qos: qos(table.qos).map_err(why)?,
        retain: table.retain,
    })
}

fn actuator(
    table: &file::Actuator,
    vars: Vars,
    name: &str,
    places: Places<'_>,
) -> Result<Actuator, String> {
    let options = table.options.clone().unwrap_or_default();
    if (table.kind == Kind::Enum) == options.is_empty() {
        return Err(match table.kind {
            Kind::Enum => String::from("kind = \"enum\" needs options"),
            _ => String::from("options are for kind = \"enum\""),
        });
    }
    let (min, max) = (table.min.unwrap_or(f64::MIN), table.max.unwrap_or(f64::MAX));
    if min > max {
        return Err(format!("min {min} is greater than max {max}"));
    }
    let payload = table.payload.as_deref().unwrap_or(match table.kind {
        Kind::Switch => "{state}",
        Kind::Number | Kind::Enum | Kind::Config | Kind::Reboot => "{value}",
    });
    if places.protocol == Protocol::Coap && table.ack.is_some() {
        return Err(String::from(
            "ack: a CoAP request has its answer in the response",
        ));
    }
    let topic = |given: Option<&String>| given.map(|it| places.topic(Some(it), "", &vars));
    // A resource shows what it is set to.
    let own = places.protocol == Protocol::Coap && !matches!(table.kind, Kind::Reboot);
    let shown = table
        .state
        .as_ref()
        .or_else(|| table.command.as_ref().filter(|_| own));
    let mut built = Actuator {
        name: name.to_owned(),
        kind: table.kind,
        command: places.topic(table.command.as_deref(), "commands", &vars)?,
        state: match shown {
            None if own => Some(places.topic(None, "", &vars)?),
            shown => topic(shown).transpose()?,
        },
        ack: topic(table.ack.as_ref()).transpose()?,
        payload: places.payload(payload, &vars)?,
        initial: Value::None,
        options,
        min,
        max,
        delay: table.delay.clone(),
        fail: part(table.fail, "fail")?,
        qos: qos(table.qos)?,
        retain: table.retain,
        vars,
    };
    built.initial = built
        .first(table.initial.as_ref().map(Plain::value))
        .map_err(|why| format!("initial: {why}"))?;
    Ok(built)
}

/// Each combination of what varies, in the order of the keys' names.
fn combinations(vary: &Vary) -> Result<Vec<Vars>, String> {
    let mut all: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (key, choices) in vary {
        let choices = match choices {
            Choices::Text(text) => expanded(text)?,
            Choices::List(them) => them.iter().map(|it| it.value().to_string()).collect(),
        };
        if choices.is_empty() {
            return Err(format!("vary: {key} has no values"));
        }
        if all.len().saturating_mul(choices.len()) > MOST_DEVICES {
            return Err(format!("vary: more than {MOST_DEVICES} combinations"));
        }
        all = all
            .iter()
            .flat_map(|begun| {
                choices.iter().map(|choice| {
                    let mut longer = begun.clone();
                    longer.push((key.clone(), choice.clone()));
                    longer
                })
            })
            .collect();
    }
    Ok(all.into_iter().map(Vars::from).collect())
}

/// `101-105`: each number, with as many digits; all else is one value.
fn expanded(text: &str) -> Result<Vec<String>, String> {
    let ends = text.split_once('-').and_then(|(least, most)| {
        let number = |word: &str| word.parse::<u64>().ok();
        Some((number(least)?, number(most)?, least.len()))
    });
    let Some((least, most, digits)) = ends else {
        return Ok(vec![text.to_owned()]);
    };
    if least > most || most - least >= MOST_DEVICES as u64 {
        return Err(format!("vary: {text} is no range of numbers"));
    }
    Ok((least..=most).map(|it| format!("{it:0digits$}")).collect())
}

/// The cells of a column.
fn column(path: &Path, name: &str) -> Result<Vec<Value>, String> {
    let text = crate::file::read_text(path, 64 << 20).map_err(sentence)?;
    let mut rows = text.lines().map(|line| {
        let fields = rows::fields(line.as_bytes())?;
        let text = |field: &bytes::Bytes| String::from_utf8_lossy(field).trim().to_owned();
        Ok::<_, String>(fields.iter().map(text).collect::<Vec<_>>())
    });
    let wrong = |why: &str| format!("{}: {why}", path.display());
    let head = rows.next().ok_or_else(|| wrong("the file is empty"))?;
    let head = head.map_err(|why| wrong(&why))?;
    let at = head
        .iter()
        .position(|column| column == name)
        .ok_or_else(|| {
            wrong(&format!(
                "no column {name:?}; there are {}",
                head.join(", ")
            ))
        })?;
    let cells = rows.map(|row| {
        let row = row.map_err(|why| wrong(&why))?;
        Ok(row.get(at).map_or(Value::None, |cell| Value::of_cell(cell)))
    });
    cells.collect()
}
