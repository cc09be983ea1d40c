//! Sparkplug B payloads (Eclipse Sparkplug 3.0 §6.4) as JSON: metrics with names, types, times and values.
//!
//! After its birth certificate an edge node may name metrics by numbers (aliases) and leave their types out; what it said
//! there is remembered, within bounds.

mod births;
mod value;

use std::time::{Duration, UNIX_EPOCH};

use super::json_text::{Object, push_string};
use super::protobuf::{BadProtobuf, Fields, LONGEST_TEXT, MOST_FIELDS, Wire};

pub use births::Births;
use births::Known;
use value::{Base, DataType, push_value};

/// How deep templates and property sets may nest.
const DEEPEST: usize = 16;

/// What the topics of Sparkplug B begin with.
pub const NAMESPACE: &str = "spBv1.0/";

/// Whether messages to this topic are Sparkplug B payloads; the state of a host application is JSON.
pub fn is_topic(topic: &str) -> bool {
    Topic::of(topic).is_some()
}

/// Who has published what (§4): `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`.
struct Topic<'a> {
    group: &'a str,
    kind: &'a str,
    node: &'a str,
    /// Empty for the edge node itself.
    device: &'a str,
}

impl<'a> Topic<'a> {
    fn of(topic: &'a str) -> Option<Self> {
        let mut levels = topic.strip_prefix(NAMESPACE)?.split('/');
        let (group, kind, node) = (levels.next()?, levels.next()?, levels.next()?);
        let device = levels.next().unwrap_or_default();
        let is_payload = matches!(
            kind,
            "NBIRTH" | "NDEATH" | "NDATA" | "NCMD" | "DBIRTH" | "DDEATH" | "DDATA" | "DCMD"
        );
        (is_payload && levels.next().is_none()).then_some(Self {
            group,
            kind,
            node,
            device,
        })
    }

    /// What an edge node is known by.
    fn edge(&self) -> String {
        format!("{}/{}", self.group, self.node)
    }
}

impl Births {
    /// A payload as JSON in one line; what a birth certificate says is remembered.
    ///
    /// # Errors
    /// What is wrong with the bytes; nothing of them is remembered then.
    pub fn json(&mut self, topic: &str, bytes: &[u8]) -> Result<String, BadProtobuf> {
        let topic = Topic::of(topic);
        let edge = topic.as_ref().map(Topic::edge).unwrap_or_default();
        let device = topic.as_ref().map_or("", |it| it.device);
        let kind = topic.as_ref().map_or("", |it| it.kind);
        // A new certificate of the node is the end of all that was known before.
        let known = self.node(&edge).filter(|_| kind != "NBIRTH");
        let mut writer = Writer {
            known: |metric: &Metric<'_>| known.and_then(|node| node.find(device, metric)),
            text: String::new(),
        };
        let learned = writer.payload(bytes)?;
        let text = writer.text;
        if kind == "NBIRTH" {
            self.forget(&edge);
        }
        if kind.ends_with("BIRTH") {
            for (metric, datatype) in learned {
                self.learn(&edge, device, &metric, datatype);
            }
        }
        Ok(text)
    }
}

/// The fields of a metric that say what it is.
#[derive(Clone, Copy, Debug, Default)]
struct Metric<'a> {
    name: Option<&'a str>,
    alias: Option<u64>,
    datatype: Option<u32>,
}

struct Writer<F> {
    /// What a birth certificate has said of a metric.
    known: F,
    text: String,
}

impl<F: Fn(&Metric<'_>) -> Option<Known>> Writer<F> {
    /// `Payload`. Its metrics, with their types, are handed back.
    fn payload<'a>(&mut self, bytes: &'a [u8]) -> Result<Vec<(Metric<'a>, u32)>, BadProtobuf> {
        let mut metrics = Vec::new();
        let mut learned = Vec::new();
        let (mut time, mut seq, mut uuid, mut body) = (None, None, None, None);
        for field in Fields::of(bytes) {
            match field? {
                (1, Wire::Varint(millis)) => time = Some(millis),
                (2, Wire::Bytes(metric)) => metrics.push(metric),
                (3, Wire::Varint(number)) => seq = Some(number),
                (4, wire) => uuid = wire.text(),
                (5, wire) => body = wire.bytes(),
                _ => {}
            }
        }
        if metrics.len() > MOST_FIELDS {
            return Err(BadProtobuf::Many);
        }
        let mut object = Object::begin(&mut self.text);
        if let Some(millis) = time {
            object.name("timestamp", &mut self.text);
            push_time(millis, &mut self.text);
        }
        object.name("metrics", &mut self.text);
        self.list(&metrics, |it, metric| {
            let metric = it.metric(metric, 0)?;
            learned.extend(metric.datatype.map(|datatype| (metric, datatype)));
            Ok(())
        })?;
        if let Some(number) = seq {
            object.name("seq", &mut self.text);
            self.text.push_str(&number.to_string());
        }
        if let Some(uuid) = uuid {
            object.name("uuid", &mut self.text);
            push_string(uuid, &mut self.text);
        }
        if let Some(body) = body {
            object.name("body", &mut self.text);
            value::push_bytes(body, &mut self.text);
        }
        object.end(&mut self.text);
        Ok(learned)
    }

    fn list<'a>(
        &mut self,
        items: &[&'a [u8]],
        mut each: impl FnMut(&mut Self, &'a [u8]) -> Result<(), BadProtobuf>,
    ) -> Result<(), BadProtobuf> {
        self.text.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            each(self, item)?;
        }
        self.text.push(']');
        Ok(())
    }

    /// `Payload.Metric`.
    fn metric<'a>(&mut self, bytes: &'a [u8], depth: usize) -> Result<Metric<'a>, BadProtobuf> {
        if self.text.len() > LONGEST_TEXT {
            return Err(BadProtobuf::Long);
        }
        let fields = Latest::of(bytes)?;
        let metric = Metric {
            name: fields.get(1).and_then(Wire::text),
            alias: fields.get(2).and_then(Wire::number),
            datatype: fields.get(4).and_then(Wire::number).map(|it| it as u32),
        };
        let known = (self.known)(&metric);
        let name = metric.name.or_else(|| known.as_ref().map(|it| &*it.name));
        let datatype = metric
            .datatype
            .or_else(|| known.as_ref().map(|it| it.datatype));
        let mut object = Object::begin(&mut self.text);
        if let Some(name) = name {
            object.name("name", &mut self.text);
            push_string(name, &mut self.text);
        }
        if let Some(alias) = metric.alias {
            object.name("alias", &mut self.text);
            self.text.push_str(&alias.to_string());
        }
        if let Some(millis) = fields.get(3).and_then(Wire::number) {
            object.name("timestamp", &mut self.text);
            push_time(millis, &mut self.text);
        }
        if let Some(datatype) = datatype {
            object.name("type", &mut self.text);
            self.text.push_str(&DataType(datatype).to_string());
        }
        for (number, name) in [(5, "historical"), (6, "transient")] {
            if fields.get(number) == Some(Wire::Varint(1)) {
                object.name(name, &mut self.text);
                self.text.push_str("true");
            }
        }
        object.name("value", &mut self.text);
        let is_null = fields.get(7) == Some(Wire::Varint(1));
        self.value(
            &fields,
            Base::METRIC,
            datatype.filter(|_| !is_null),
            is_null,
            depth,
        )?;
        if let Some(Wire::Bytes(metadata)) = fields.get(8) {
            object.name("metadata", &mut self.text);
            self.metadata(metadata)?;
        }
        if let Some(Wire::Bytes(set)) = fields.get(9) {
            object.name("properties", &mut self.text);
            self.properties(set, depth + 1)?;
        }
        object.end(&mut self.text);
        Ok(metric)
    }

    /// The value among the fields of a metric, a property, an element or a parameter.
    fn value(
        &mut self,
        fields: &Latest<'_>,
        base: Base,
        datatype: Option<u32>,
        is_null: bool,
        depth: usize,
    ) -> Result<(), BadProtobuf> {
        let Some((place, wire)) = base.find(fields).filter(|_| !is_null) else {
            self.text.push_str("null");
            return Ok(());
        };
        match (place, wire) {
            (value::DATA_SET, Wire::Bytes(set)) => self.data_set(set),
            (value::TEMPLATE, Wire::Bytes(template)) => self.template(template, depth + 1),
            (value::PROPERTIES, Wire::Bytes(set)) => self.properties(set, depth + 1),
            (value::PROPERTY_LIST, Wire::Bytes(list)) => {
                let sets = all(list, 1)?;
                self.list(&sets, |it, set| it.properties(set, depth + 1))
            }
            (place, wire) => {
                push_value(place, wire, datatype, &mut self.text);
                Ok(())
            }
        }
    }

    /// `Payload.MetaData`.
    fn metadata(&mut self, bytes: &[u8]) -> Result<(), BadProtobuf> {
        const NAMES: [&str; 8] = [
            "is_multi_part",
            "content_type",
            "size",
            "seq",
            "file_name",
            "file_type",
            "md5",
            "description",
        ];
        let fields = Latest::of(bytes)?;
        let mut object = Object::begin(&mut self.text);
        for (name, number) in NAMES.into_iter().zip(1..) {
            let Some(wire) = fields.get(number) else {
                continue;
            };
            object.name(name, &mut self.text);
            match (number, wire) {
                (1, Wire::Varint(flag)) => {
                    self.text.push_str(if flag == 0 { "false" } else { "true" })
                }
                (_, Wire::Varint(value)) => self.text.push_str(&value.to_string()),
                (_, wire) => push_string(wire.text().unwrap_or_default(), &mut self.text),
            }
        }
        object.end(&mut self.text);
        Ok(())
    }

    /// `Payload.PropertySet`.
    fn properties(&mut self, bytes: &[u8], depth: usize) -> Result<(), BadProtobuf> {
        if depth > DEEPEST {
            return Err(BadProtobuf::Deep);
        }
        let (keys, values) = (all(bytes, 1)?, all(bytes, 2)?);
        let mut object = Object::begin(&mut self.text);
        for (key, value) in keys.iter().zip(&values) {
            object.name(&String::from_utf8_lossy(key), &mut self.text);
            let fields = Latest::of(value)?;
            let datatype = fields.get(1).and_then(Wire::number).map(|it| it as u32);
            let is_null = fields.get(2) == Some(Wire::Varint(1));
            self.value(&fields, Base::PROPERTY, datatype, is_null, depth)?;
        }
        object.end(&mut self.text);
        Ok(())
    }

    /// `Payload.DataSet`: columns, types and rows.
    fn data_set(&mut self, bytes: &[u8]) -> Result<(), BadProtobuf> {
        let (columns, rows) = (all(bytes, 2)?, all(bytes, 4)?);
        let types = value::data_types(bytes)?;
        let mut object = Object::begin(&mut self.text);
        object.name("columns", &mut self.text);
        self.list(&columns, |it, column| {
            push_string(&String::from_utf8_lossy(column), &mut it.text);
            Ok(())
        })?;
        object.name("types", &mut self.text);
        let names: Vec<String> = types.iter().map(|it| DataType(*it).to_string()).collect();
        self.text.push_str(&format!("[{}]", names.join(",")));
        object.name("rows", &mut self.text);
        self.list(&rows, |it, row| {
            let elements = all(row, 1)?;
            let mut types = types.iter();
            it.list(&elements, |it, element| {
                let fields = Latest::of(element)?;
                it.value(
                    &fields,
                    Base::ELEMENT,
                    types.next().copied(),
                    false,
                    DEEPEST,
                )
            })
        })?;
        object.end(&mut self.text);
        Ok(())
    }

    /// `Payload.Template`.
    fn template(&mut self, bytes: &[u8], depth: usize) -> Result<(), BadProtobuf> {
        if depth > DEEPEST {
            return Err(BadProtobuf::Deep);
        }
        let fields = Latest::of(bytes)?;
        let (metrics, parameters) = (all(bytes, 2)?, all(bytes, 3)?);
        let mut object = Object::begin(&mut self.text);
        for (number, name) in [(1, "version"), (4, "template_ref")] {
            if let Some(text) = fields.get(number).and_then(Wire::text) {
                object.name(name, &mut self.text);
                push_string(text, &mut self.text);
            }
        }
        if fields.get(5) == Some(Wire::Varint(1)) {
            object.name("is_definition", &mut self.text);
            self.text.push_str("true");
        }
        object.name("metrics", &mut self.text);
        self.list(&metrics, |it, metric| it.metric(metric, depth).map(drop))?;
        if !parameters.is_empty() {
            object.name("parameters", &mut self.text);
            let mut members = Object::begin(&mut self.text);
            for parameter in parameters {
                let fields = Latest::of(parameter)?;
                let name = fields.get(1).and_then(Wire::text).unwrap_or_default();
                members.name(name, &mut self.text);
                let datatype = fields.get(2).and_then(Wire::number).map(|it| it as u32);
                self.value(&fields, Base::PARAMETER, datatype, false, depth)?;
            }
            members.end(&mut self.text);
        }
        object.end(&mut self.text);
        Ok(())
    }
}

/// The fields of a message that hold one value each; the last of each counts.
struct Latest<'a>([Option<Wire<'a>>; 20]);

impl<'a> Latest<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, BadProtobuf> {
        let mut latest = Self([None; 20]);
        for field in Fields::of(bytes) {
            let (number, wire) = field?;
            if let Some(place) = latest.0.get_mut(number as usize) {
                *place = Some(wire);
            }
        }
        Ok(latest)
    }

    fn get(&self, number: usize) -> Option<Wire<'a>> {
        self.0.get(number).copied().flatten()
    }
}

/// Every value of a field that has a length.
fn all(bytes: &[u8], wanted: u32) -> Result<Vec<&[u8]>, BadProtobuf> {
    let mut found = Vec::new();
    for field in Fields::of(bytes) {
        if let (number, Wire::Bytes(value)) = field?
            && number == wanted
        {
            found.push(value);
        }
    }
    Ok(found)
}

/// Milliseconds since 1970 as in RFC 3339, or as a number where that cannot write them.
fn push_time(millis: u64, into: &mut String) {
    // The year 9999 is the last.
    if millis >= 253_402_300_800_000 {
        return into.push_str(&millis.to_string());
    }
    let time = UNIX_EPOCH + Duration::from_millis(millis);
    into.push_str(&format!("\"{}\"", humantime::format_rfc3339_millis(time)));
}

#[cfg(test)]
mod tests;
