//! `ota = { … }`: the firmware updates of devices, as they are written.

use serde::{Deserialize, Serialize};

use super::is_default;
use crate::device::span::Span;

/// Which updates a device takes, how long each step takes, and how often one fails.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Ota {
    /// A domain name, or a UUID.
    pub(crate) vendor: String,
    /// What the vendor calls this kind of device, or a UUID.
    pub(crate) class: String,
    /// The groups that the device is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<String>,
    /// Files of the public keys whose signatures count; none: anybody's do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trust: Vec<String>,
    /// What topics begin with; otherwise `ota`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// What runs at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Its sequence number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) sequence: u64,
    /// In bytes; otherwise 4096.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) block_size: Option<u32>,
    /// In bytes; larger images are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slot_size: Option<u64>,
    /// How long a download takes at least; otherwise it is as quick as the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) download: Option<Span>,
    /// How long it takes to tell the boot loader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) install: Option<Span>,
    /// How long the device is away then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reboot: Option<Span>,
    /// How long the health check takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Span>,
    /// How long a new image may take to prove itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Span>,
    /// The chances that a step fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) fail: UpdateFaults,
}

/// The chances that the steps of an update fail.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct UpdateFaults {
    /// The download is given up after a part of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) download: f64,
    /// What is in the slot is not what was sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) verify: f64,
    /// The boot loader cannot be told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) install: f64,
    /// The boot loader starts the old image.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) reboot: f64,
    /// The new image does not work.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) health: f64,
}
