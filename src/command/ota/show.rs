//! Manifests and images in words.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use crate::board::text::cell;
use crate::firmware::identity::Uuid;
use crate::firmware::mcuboot::Image;
use crate::firmware::refusal::Result;
use crate::firmware::suit::{Command, Condition, Directive, Envelope, Manifest, Parameter};
use crate::firmware::{Identity, Refusal};

/// Names with values, in their order; a name may occur several times.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<(&'static str, Value)>);

impl Rows {
    fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    fn push_some(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// A line each.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let lines = match value {
                Value::String(line) => vec![line.clone()],
                Value::Array(lines) => lines.iter().map(line).collect(),
                other => vec![other.to_string()],
            };
            for (at, line) in lines.iter().enumerate() {
                let name = if at == 0 { *name } else { "" };
                text.push_str(format!("{name:<10}{line}").trim_end());
                text.push('\n');
            }
        }
        text
    }

    /// An object.
    pub(super) fn json(&self) -> Value {
        let fields = self.0.iter();
        let fields: Map<_, _> = fields
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        Value::Object(fields)
    }
}

/// What somebody has written, with what drives terminals made visible; in JSON too, which would pass it on.
fn visible(text: &str) -> String {
    cell(text, usize::MAX)
}

fn line(value: &Value) -> String {
    match value {
        Value::String(line) => line.clone(),
        other => other.to_string(),
    }
}

/// Of an image.
pub(super) fn image(image: &Image<'_>, size: usize) -> Rows {
    let mut rows = Rows::default();
    rows.push("format", "MCUboot image");
    rows.push("size", size);
    rows.push("version", image.version().to_string());
    rows.push_some("counter", image.counter());
    rows.push("header", image.header());
    rows.push("firmware", image.firmware().len());
    rows.push("signed", json!([image.claim()]));
    rows
}

/// Of a manifest.
pub(super) fn manifest(envelope: &Envelope<'_>, manifest: &Manifest<'_>, size: usize) -> Rows {
    let mut rows = Rows::default();
    rows.push("format", "SUIT envelope");
    rows.push("size", size);
    rows.push("signed", json!(envelope.claims()));
    rows.push("sequence", manifest.sequence_number);
    let about = &manifest.about;
    rows.push_some("version", about.version.clone());
    let all: Vec<&Parameter<'_>> = parameters(manifest).collect();
    let named = |id: Option<Uuid>, name: &Option<String>| match (id, name) {
        (Some(id), Some(name)) => Some(format!("{id} ({name})")),
        (Some(id), None) => Some(id.to_string()),
        (None, _) => None,
    };
    rows.push_some("vendor", named(vendor(&all), &about.vendor));
    rows.push_some("class", named(class(&all), &about.model));
    rows.push_some("reference", manifest.reference_uri.map(visible));
    let paths = manifest.components.iter().map(|path| {
        let parts: Vec<_> = path.iter().map(|part| HEXLOWER.encode(part)).collect();
        parts.join("/")
    });
    let is_one = manifest.components.len() == 1;
    if !is_one {
        rows.push("component", paths.collect::<Vec<_>>());
    }
    // Of several images the commands say which is which.
    for parameter in all.iter().filter(|_| is_one) {
        match parameter {
            Parameter::Digest(digest) => rows.push("sha256", HEXLOWER.encode(digest)),
            Parameter::Size(size) => rows.push("image", *size),
            _ => {}
        }
    }
    let payloads = envelope.payloads().iter();
    let payloads: Vec<_> = payloads
        .map(|(name, bytes)| format!("{}, {} bytes", visible(name), bytes.len()))
        .collect();
    if !payloads.is_empty() {
        rows.push("embedded", payloads);
    }
    for (name, sequence) in [
        ("shared", &manifest.shared),
        ("fetch", &manifest.fetch),
        ("install", &manifest.install),
        ("validate", &manifest.validate),
        ("load", &manifest.load),
        ("invoke", &manifest.invoke),
    ] {
        let mut lines = Vec::new();
        commands(sequence, 0, &mut lines);
        if !lines.is_empty() {
            rows.push(name, lines);
        }
    }
    rows
}

/// Of the shared sequence, where vendor, class and image are set.
fn parameters<'m>(manifest: &'m Manifest<'m>) -> impl Iterator<Item = &'m Parameter<'m>> {
    manifest.shared.iter().flat_map(|command| match command {
        Command::Override(parameters) => &parameters[..],
        _ => &[],
    })
}

fn vendor(parameters: &[&Parameter<'_>]) -> Option<Uuid> {
    parameters.iter().find_map(|it| match it {
        Parameter::Vendor(id) => Some(*id),
        _ => None,
    })
}

fn class(parameters: &[&Parameter<'_>]) -> Option<Uuid> {
    parameters.iter().find_map(|it| match it {
        Parameter::Class(id) => Some(*id),
        _ => None,
    })
}

/// The devices that a manifest is for, as it says itself.
pub(super) fn identity(manifest: &Manifest<'_>) -> Result<Identity> {
    let all: Vec<&Parameter<'_>> = parameters(manifest).collect();
    let vendor = vendor(&all).ok_or(Refusal::Missing("vendor id"))?;
    let class = class(&all).ok_or(Refusal::Missing("class id"))?;
    Ok(Identity::new(&vendor.to_string(), &class.to_string()))
}

fn commands(sequence: &[Command<'_>], depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    for command in sequence {
        match command {
            Command::Condition(condition) => {
                lines.push(format!("{indent}{}", condition_name(*condition)));
            }
            Command::Directive(directive) => {
                lines.push(format!("{indent}{}", directive_name(*directive)));
            }
            Command::Component(index) => lines.push(format!("{indent}set-component-index {index}")),
            Command::Components(list) => {
                let list: Vec<_> = list.iter().map(u64::to_string).collect();
                lines.push(format!("{indent}set-component-index {}", list.join(", ")));
            }
            Command::AllComponents => lines.push(format!("{indent}set-component-index all")),
            Command::Override(parameters) => lines.extend(
                parameters
                    .iter()
                    .map(|it| format!("{indent}set {}", parameter(it))),
            ),
            Command::Run(inner) => {
                lines.push(format!("{indent}run-sequence"));
                commands(inner, depth + 1, lines);
            }
            Command::TryEach(alternatives) => {
                for alternative in alternatives {
                    lines.push(format!("{indent}try"));
                    commands(alternative, depth + 1, lines);
                }
            }
        }
    }
}

const fn condition_name(condition: Condition) -> &'static str {
    match condition {
        Condition::Vendor => "condition-vendor-identifier",
        Condition::Class => "condition-class-identifier",
        Condition::Device => "condition-device-identifier",
        Condition::ImageMatch => "condition-image-match",
        Condition::Content => "condition-check-content",
        Condition::Slot => "condition-component-slot",
        Condition::Abort => "condition-abort",
    }
}

const fn directive_name(directive: Directive) -> &'static str {
    match directive {
        Directive::Fetch => "directive-fetch",
        Directive::Copy => "directive-copy",
        Directive::Write => "directive-write",
        Directive::Invoke => "directive-invoke",
        Directive::Swap => "directive-swap",
    }
}

fn parameter(parameter: &Parameter<'_>) -> String {
    match parameter {
        Parameter::Vendor(id) => format!("vendor-id {id}"),
        Parameter::Class(id) => format!("class-id {id}"),
        Parameter::Device(id) => format!("device-id {id}"),
        Parameter::Digest(digest) => format!("image-digest {}", HEXLOWER.encode(digest)),
        Parameter::Size(size) => format!("image-size {size}"),
        Parameter::Slot(slot) => format!("component-slot {slot}"),
        Parameter::Uri(uri) => format!("uri {}", visible(uri)),
        Parameter::Content(content) => format!("content {}", HEXLOWER.encode(content)),
        Parameter::Source(source) => format!("source-component {source}"),
        Parameter::StrictOrder(strict) => format!("strict-order {strict}"),
        Parameter::SoftFailure(soft) => format!("soft-failure {soft}"),
        Parameter::InvokeArguments(it) => format!("invoke-args {}", HEXLOWER.encode(it)),
        Parameter::Patch(patch) => format!(
            "patch of {} bytes, SHA-256 {}, for an image of {} bytes, SHA-256 {}",
            patch.size,
            HEXLOWER.encode(&patch.digest),
            patch.base_size,
            HEXLOWER.encode(&patch.base)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::suit::{self, Description, Numbering, Payload};
    use crate::firmware::{Algorithm, SigningKey};
    use crate::payload::visible::drives_terminal;

    #[test]
    fn nothing_that_a_manifest_says_drives_the_terminal() {
        let key = SigningKey::generate(Algorithm::Ed25519).expect("randomness");
        let uris = [String::from("fw\u{202e}nib.\u{9b}2J")];
        let about = Description {
            image: b"firmware",
            version: "1.0\u{202e}\u{9b}31m",
            sequence: 1,
            identity: &Identity::new("exam\u{2066}ple.com", "sen\u{200f}sor\u{1b}c"),
            payload: Payload::Uris(&uris),
            deltas: &[],
        };
        let bytes = suit::sign(&about, &key, Numbering::Classic).expect("randomness");
        let envelope = Envelope::split(&bytes).expect("an envelope");
        let read = envelope.unverified().expect("a manifest");
        let rows = manifest(&envelope, &read, bytes.len());
        let (text, json) = (rows.text(), rows.json().to_string());
        for shown in [text.replace('\n', ""), json] {
            assert!(!shown.contains(drives_terminal), "{shown:?}");
        }
        for line in [
            "version   1.031m\n",
            " (example.com)\n",
            " (sensorc)\n",
            "set uri fw\\xe2\\x80\\xaenib.\\xc2\\x9b2J\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }
}
