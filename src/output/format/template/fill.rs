//! Fills a template with a message.

use std::fmt::Write;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::message::{Message, MqttDetail, MqttProperties};
use crate::payload::select::{Found, Selector};

use super::super::time::{Clock, gap, push_digits};
use super::super::{Render, Surface};
use super::moment::Moment;
use super::{Field, Layout, Part, Template, json};

/// A template at work.
pub(in super::super) struct Filled {
    template: Template,
    surface: Surface,
    zone: TimeZone,
    clock: Clock,
    /// When the message before came.
    previous: Option<SystemTime>,
}

impl Filled {
    pub(in super::super) fn new(template: Template, surface: Surface) -> Self {
        Self::in_zone(template, surface, TimeZone::system())
    }

    pub(super) fn in_zone(template: Template, surface: Surface, zone: TimeZone) -> Self {
        Self {
            clock: Clock::new(template.local),
            template,
            surface,
            zone,
            previous: None,
        }
    }
}

impl Render for Filled {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        let moment = Moment::new(message.time, &self.zone);
        for part in &self.template.parts {
            match part {
                Part::Text(text) => into.extend_from_slice(text),
                Part::Nanos => push_digits(moment.nanos, 9, into),
                Part::Clock(conversion) => {
                    into.extend_from_slice(moment.show(conversion).as_bytes());
                }
                Part::Selected(selector, layout) => {
                    let slot = Slot {
                        surface: self.surface,
                        layout: *layout,
                        into: &mut *into,
                    };
                    selected(selector, message, self.previous, &mut self.clock, slot);
                }
                Part::Field(field, layout) => {
                    let slot = Slot {
                        surface: self.surface,
                        layout: *layout,
                        into: &mut *into,
                    };
                    self.field(*field, message, &moment, slot);
                }
            }
        }
        if self.template.newline {
            into.push(b'\n');
        }
        self.previous = Some(message.time);
    }
}

impl Filled {
    fn field(&self, field: Field, message: &Message, moment: &Moment<'_>, slot: Slot<'_>) {
        let mqtt = message.detail.as_mqtt();
        match field {
            Field::Payload => slot.bytes(&message.payload),
            Field::HexLower => slot.hex(&message.payload, b"0123456789abcdef"),
            Field::HexUpper => slot.hex(&message.payload, b"0123456789ABCDEF"),
            Field::Float => slot.float(
                <[u8; 4]>::try_from(&*message.payload)
                    .ok()
                    .map(|bytes| f32::from_le_bytes(bytes).into()),
            ),
            Field::Double => slot.float(
                <[u8; 8]>::try_from(&*message.payload)
                    .ok()
                    .map(f64::from_le_bytes),
            ),
            Field::Topic => slot.text(&message.topic),
            Field::Length => slot.number(Some(message.payload.len() as u64)),
            Field::LocalTime => slot.text(&moment.show("%Y-%m-%dT%H:%M:%S%z")),
            Field::UnixTime => slot.text(&format!("{}.{:09}", moment.second, moment.nanos)),
            Field::Json => json::push(message, moment, false, self.template.pretty, slot.into),
            Field::JsonEmbedded => {
                json::push(message, moment, true, self.template.pretty, slot.into);
            }
            Field::Qos => slot.number(Some(mqtt.qos.into())),
            Field::Retain => slot.number(Some(mqtt.retain.into())),
            Field::PacketId => slot.number(Some(mqtt.packet_id.into())),
            _ => property(field, &mqtt, slot),
        }
    }
}

/// What is not there is shown as blanks of the width.
fn selected(
    selector: &Selector,
    message: &Message,
    previous: Option<SystemTime>,
    clock: &mut Clock,
    slot: Slot<'_>,
) {
    match selector.find(message, previous.is_none()) {
        None => slot.text(""),
        Some(Found::Bytes(bytes)) => slot.bytes(bytes),
        Some(Found::Text(text)) => slot.text(&text),
        Some(Found::Bool(value)) => slot.text(if value { "true" } else { "false" }),
        Some(Found::Instead(text)) => slot.whole().text(text),
        Some(Found::Number(digits)) => slot.decimal(&digits),
        Some(Found::Delta) => slot.decimal(&gap(previous, message.time)),
        Some(Found::Time(time)) => {
            let mut text = Vec::new();
            clock.push(time, &mut text);
            slot.text(&String::from_utf8_lossy(&text));
        }
    }
}

fn property(field: Field, mqtt: &MqttDetail, slot: Slot<'_>) {
    let none = MqttProperties::default();
    let properties = mqtt.properties.as_deref().unwrap_or(&none);
    match field {
        Field::ContentType => slot.text(properties.content_type.as_deref().unwrap_or_default()),
        Field::ResponseTopic => slot.text(properties.response_topic.as_deref().unwrap_or_default()),
        Field::UserProperties => slot.text(&user_properties(properties)),
        Field::CorrelationData => {
            slot.bytes(properties.correlation_data.as_deref().unwrap_or_default());
        }
        Field::TopicAlias => slot.number(properties.topic_alias.map(u64::from)),
        Field::MessageExpiry => slot.number(properties.message_expiry_interval.map(u64::from)),
        Field::PayloadFormat => slot.number(properties.payload_format_indicator.map(u64::from)),
        Field::SubscriptionId => {
            let first = properties.subscription_identifiers.first();
            slot.number(first.copied().map(u64::from));
        }
        _ => {}
    }
}

fn user_properties(properties: &MqttProperties) -> String {
    let mut text = String::new();
    for (index, (name, value)) in properties.user_properties.iter().enumerate() {
        let space = if index > 0 { " " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{space}{name}:{value}");
    }
    text
}

/// The place of one field: where it goes and how it is laid out.
struct Slot<'a> {
    surface: Surface,
    layout: Layout,
    into: &'a mut Vec<u8>,
}

impl Slot<'_> {
    /// The same, where nothing is cut.
    fn whole(mut self) -> Self {
        self.layout.precision = None;
        self
    }

    /// A text: cut at the precision, padded with spaces.
    fn text(self, text: &str) {
        let end = self
            .layout
            .precision
            .and_then(|most| text.char_indices().nth(most));
        let text = end.map_or(text, |(end, _)| &text[..end]);
        let padding = match self.layout.width {
            0 => 0,
            width => width.saturating_sub(text.chars().count()),
        };
        self.padded(padding, b' ', |slot| {
            slot.surface.word(text.as_bytes(), slot.into)
        });
    }

    /// Bytes as they are: cut at the width, padded to it.
    fn bytes(self, bytes: &[u8]) {
        let bytes = &bytes[..self.most_bytes(bytes)];
        let padding = self.layout.width.saturating_sub(bytes.len());
        let pad = self.pad();
        self.padded(padding, pad, |slot| slot.surface.body(bytes, slot.into));
    }

    /// Bytes in hexadecimal digits, in groups of the precision.
    fn hex(self, bytes: &[u8], digits: &[u8; 16]) {
        let bytes = &bytes[..self.most_bytes(bytes)];
        let padding = self.layout.width.saturating_sub(2 * bytes.len());
        let pad = self.pad();
        let group = self.layout.precision.unwrap_or(0);
        let separator = self.layout.separator.unwrap_or(b' ');
        self.padded(padding, pad, |slot| {
            let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            for (index, nibble) in nibbles.enumerate() {
                if group > 0 && index > 0 && index % group == 0 {
                    slot.into.push(separator);
                }
                slot.into.push(digits[usize::from(nibble)]);
            }
        });
    }

    /// A whole number; blanks of the width when there is none.
    fn number(self, number: Option<u64>) {
        let text = number.map(|number| number.to_string()).unwrap_or_default();
        let padding = self.layout.width.saturating_sub(text.len());
        let pad = self.pad();
        self.padded(padding, pad, |slot| {
            slot.into.extend_from_slice(text.as_bytes())
        });
    }

    /// A number as it is spelled, or with as many decimals as the precision says.
    fn decimal(self, digits: &str) {
        match (self.layout.precision, digits.parse()) {
            (Some(_), Ok(number)) => self.float(Some(number)),
            _ => {
                let padding = self.layout.width.saturating_sub(digits.len());
                let pad = self.pad();
                self.padded(padding, pad, |slot| {
                    slot.into.extend_from_slice(digits.as_bytes());
                });
            }
        }
    }

    /// A number with decimals, six unless the precision says otherwise; nothing when there is none.
    fn float(self, number: Option<f64>) {
        let Some(number) = number else { return };
        let decimals = self.layout.precision.unwrap_or(6);
        let width = self.layout.width;
        let text = match (number.is_finite(), self.layout.zeros && !self.layout.left) {
            (true, true) => format!("{number:0width$.decimals$}"),
            (true, false) => format!("{number:.decimals$}"),
            (false, _) => number.to_string().to_lowercase(),
        };
        let padding = width.saturating_sub(text.len());
        self.padded(padding, b' ', |slot| {
            slot.into.extend_from_slice(text.as_bytes())
        });
    }

    fn padded(mut self, padding: usize, pad: u8, show: impl FnOnce(&mut Self)) {
        let left = self.layout.left;
        if !left {
            self.into.resize(self.into.len() + padding, pad);
        }
        show(&mut self);
        if left {
            self.into.resize(self.into.len() + padding, b' ');
        }
    }

    fn most_bytes(&self, bytes: &[u8]) -> usize {
        match self.layout.width {
            0 => bytes.len(),
            width => bytes.len().min(width),
        }
    }

    const fn pad(&self) -> u8 {
        if self.layout.zeros { b'0' } else { b' ' }
    }
}
