//! What follows from what: `motion of {room} == true and light of {room} == off` makes a command.
//!
//! A rule acts when its condition comes to be met, not while it is: what it causes can cause it again only after the condition
//! was not met in between.

use std::collections::HashMap;
use std::str::FromStr;

use serde_json::{Map, Value as Json};

use super::file;
use super::model::Model;
use super::value::Value;
use crate::message::Message;
use crate::payload::expect::Condition;
use crate::payload::template::{Filling, Template};

/// A rule, read.
#[derive(Debug)]
pub(crate) struct Automation {
    condition: Condition,
    subjects: Vec<Subject>,
    /// What all its instances differ in.
    key: Option<String>,
    command: Template,
    payload: Template,
}

/// `NAME of DEVICE`, or `NAME of {KEY}`.
#[derive(Debug)]
struct Subject {
    name: String,
    of: Of,
}

#[derive(Debug, PartialEq)]
enum Of {
    Key,
    Device(String),
}

impl Automation {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn of(table: &file::Automation) -> Result<Self, String> {
        let (mut subjects, mut key, mut condition) = (Vec::new(), None, String::new());
        let words: Vec<_> = table.when.split_whitespace().collect();
        let mut at = 0;
        while at < words.len() {
            if at > 0 {
                condition.push(' ');
            }
            let [name, "of", of] = words[at..].get(..3).unwrap_or_default() else {
                condition += words[at];
                at += 1;
                continue;
            };
            let open = name.len() - name.trim_start_matches('(').len();
            let of_whole = of.trim_end_matches(')');
            let of_name = match of_whole
                .strip_prefix('{')
                .and_then(|it| it.strip_suffix('}'))
            {
                Some(word) if key.as_deref().is_none_or(|key| key == word) => {
                    key = Some(word.to_owned());
                    Of::Key
                }
                Some(word) => {
                    let first = key.unwrap_or_default();
                    return Err(format!("when: {{{first}}} and {{{word}}} cannot be joined"));
                }
                None => Of::Device(of_whole.to_owned()),
            };
            condition += &name[..open];
            condition += &format!("/{}", subjects.len());
            condition += &of[of_whole.len()..];
            subjects.push(Subject {
                name: name[open..].to_owned(),
                of: of_name,
            });
            at += 3;
        }
        if subjects.is_empty() {
            return Err(format!(
                "when: expected a condition such as 'motion of hall == true', not {:?}",
                table.when
            ));
        }
        let known = |word: &str| key.as_deref() == Some(word);
        let command = Template::of_topic(&table.then.command, known)
            .map_err(|word| format!("then: unknown placeholder {word}"))?;
        let payload = Template::with_names(&table.then.payload, known)
            .map_err(|why| format!("then: {}", why.text()))?;
        Ok(Self {
            condition: Condition::from_str(&condition).map_err(|why| format!("when: {why}"))?,
            subjects,
            key,
            command,
            payload,
        })
    }
}

/// Whether all that a rule names is there.
///
/// # Errors
/// What is not.
pub(crate) fn check(
    rule: &Automation,
    model: &Model,
    targets: &HashMap<String, Vec<(u32, u16)>>,
) -> Result<(), String> {
    let instances = instances(rule, model);
    if instances.is_empty() {
        let key = rule.key.as_deref().unwrap_or_default();
        return Err(format!("when: no device has {{{key}}}"));
    }
    for instance in instances {
        for (subject, watched) in rule.subjects.iter().zip(&instance.watched) {
            if watched.is_empty() {
                let of = match &subject.of {
                    Of::Device(id) => id,
                    Of::Key => &instance.value,
                };
                return Err(format!("when: there is no {} of {of}", subject.name));
            }
        }
        if !targets.contains_key(&instance.command) {
            return Err(format!(
                "then: no actuator takes commands at {}",
                instance.command
            ));
        }
    }
    Ok(())
}

/// A rule for one value of its key.
struct Instance {
    value: String,
    /// For each subject the devices and slots that it is.
    watched: Vec<Vec<(u32, u16)>>,
    command: String,
    payload: String,
}

/// What the key of a rule stands for at a device.
fn key_of(rule: &Automation, model: &Model, device: usize) -> Option<String> {
    let key = rule.key.as_deref().filter(|key| *key != "name")?;
    let mut value = String::new();
    let known = model.devices[device].named(key, "", &<_>::default(), &mut value);
    known.then_some(value)
}

/// A rule for each value of its key, and where each is.
fn by_value(rule: &Automation, model: &Model) -> (Vec<Instance>, HashMap<String, usize>) {
    let values: Vec<String> = match rule.key {
        Some(_) => (0..model.devices.len())
            .filter_map(|device| key_of(rule, model, device))
            .collect(),
        None => vec![String::new()],
    };
    let (mut made, mut places) = (Vec::new(), HashMap::new());
    for value in values {
        if places.contains_key(&value) {
            continue;
        }
        places.insert(value.clone(), made.len());
        let filled = |template: &Template| {
            let (mut text, filling) = (String::new(), Filling::default());
            template.fill_names(&filling, || 0, |_, into| into.push_str(&value), &mut text);
            text
        };
        made.push(Instance {
            watched: rule.subjects.iter().map(|_| Vec::new()).collect(),
            command: filled(&rule.command),
            payload: filled(&rule.payload),
            value,
        });
    }
    (made, places)
}

fn instances(rule: &Automation, model: &Model) -> Vec<Instance> {
    let (mut made, places) = by_value(rule, model);
    for (at, device) in model.devices.iter().enumerate() {
        let names = &model.group(at).names;
        let own = key_of(rule, model, at).and_then(|value| places.get(&value).copied());
        for (number, subject) in rule.subjects.iter().enumerate() {
            let Some(slot) = names.iter().position(|name| *name == subject.name) else {
                continue;
            };
            let watched = (at as u32, slot as u16);
            let of = match &subject.of {
                Of::Key => own.map_or(0..0, |own| own..own + 1),
                Of::Device(id) if *id == *device.id => 0..made.len(),
                Of::Device(_) => 0..0,
            };
            for instance in &mut made[of] {
                instance.watched[number].push(watched);
            }
        }
    }
    // A room without a lamp has no rule about lamps, as long as others have.
    let whole = |it: &Instance| it.watched.iter().all(|it| !it.is_empty());
    if rule.key.is_some() && made.iter().any(whole) {
        made.retain(whole);
    }
    made
}

/// A command that a rule gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    /// The devices and their actuators.
    pub(crate) targets: Vec<(u32, u16)>,
    pub(crate) payload: String,
}

/// The rules of a fleet, with what they know.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    running: Vec<Running>,
    /// Which rules look at a value, and as which subject.
    watchers: HashMap<(u32, u16), Vec<(usize, usize)>>,
}

#[derive(Debug)]
struct Running {
    rule: usize,
    values: Vec<Value>,
    holds: bool,
    order: Order,
}

impl Rules {
    /// Those of a fleet.
    pub(crate) fn of(model: &Model) -> Self {
        let mut rules = Self::default();
        if model.rules.is_empty() {
            return rules;
        }
        let targets = model.targets();
        for (number, rule) in model.rules.iter().enumerate() {
            for instance in instances(rule, model) {
                let at = rules.running.len();
                for (subject, watched) in instance.watched.iter().enumerate() {
                    for place in watched {
                        rules
                            .watchers
                            .entry(*place)
                            .or_default()
                            .push((at, subject));
                    }
                }
                rules.running.push(Running {
                    rule: number,
                    values: vec![Value::None; rule.subjects.len()],
                    holds: false,
                    order: Order {
                        targets: targets.get(&instance.command).cloned().unwrap_or_default(),
                        payload: instance.payload,
                    },
                });
            }
        }
        rules
    }

    /// What a value is at first, which makes no rule act.
    pub(crate) fn know(&mut self, place: (u32, u16), value: &Value) {
        for (at, subject) in self.watchers.get(&place).into_iter().flatten() {
            self.running[*at].values[*subject] = value.clone();
        }
    }

    /// A value of a device is another one: what is to be done now.
    pub(crate) fn changed(
        &mut self,
        model: &Model,
        place: (u32, u16),
        value: &Value,
    ) -> Vec<Order> {
        let Some(watchers) = self.watchers.get(&place) else {
            return Vec::new();
        };
        let mut orders = Vec::new();
        for (at, subject) in watchers {
            let running = &mut self.running[*at];
            running.values[*subject] = value.clone();
            let condition = &model.rules[running.rule].condition;
            let values = running.values.iter().enumerate();
            let json: Map<String, Json> = values
                .map(|(at, value)| (at.to_string(), value.json()))
                .collect();
            let holds = condition.holds(&Message::default(), || Some(Json::Object(json)));
            if holds && !running.holds {
                orders.push(running.order.clone());
            }
            running.holds = holds;
        }
        orders
    }
}
