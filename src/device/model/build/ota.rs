//! Makes settings of `ota = { … }`.

use std::sync::Arc;
use std::time::Duration;

use super::{Builder, Fault, Places, sentence};
use crate::connect;
use crate::device::file::{self, Ota, Protocol};
use crate::device::generator::part;
use crate::device::model::{Model, Updates, Vars};
use crate::device::span::Span;
use crate::firmware::device::{BLOCKS, Config, GIVE_UP_AFTER, Release};
use crate::firmware::wire::{Topics, is_name};
use crate::firmware::{Identity, PublicKey, Trusted};
use crate::message::topic;
use crate::payload::template::Template;

/// Bytes of a block, unless the file says.
const BLOCK: u32 = 4096;

/// Seconds, unless the file says.
const INSTALL: u32 = 1;
const REBOOT: u32 = 5;
const HEALTH: u32 = 1;
const WITHIN: u32 = 120;

impl Builder<'_> {
    pub(super) fn updates(
        self,
        device: &file::Device,
        places: Places<'_>,
    ) -> Result<Option<Arc<Updates>>, Fault> {
        let Some(table) = &device.ota else {
            return Ok(None);
        };
        let read = self.settings(table.get_ref(), places);
        let read = read.map_err(|why| Fault::At(table.span().start, format!("ota: {why}")));
        read.map(|read| Some(Arc::new(read)))
    }

    fn settings(self, table: &Ota, places: Places<'_>) -> Result<Updates, String> {
        if places.protocol != Protocol::Mqtt {
            return Err(String::from("updates are for devices that speak MQTT"));
        }
        let prefix = table.prefix.as_deref().unwrap_or("ota");
        topic::check_name(prefix).map_err(|why| format!("prefix: {why}"))?;
        let block = table.block_size.unwrap_or(BLOCK);
        if !BLOCKS.contains(&block) {
            let (least, most) = (BLOCKS.start(), BLOCKS.end());
            return Err(format!("block-size must be from {least} to {most}"));
        }
        for (chance, name) in [
            (table.fail.download, "fail.download"),
            (table.fail.verify, "fail.verify"),
            (table.fail.install, "fail.install"),
            (table.fail.reboot, "fail.reboot"),
            (table.fail.health, "fail.health"),
        ] {
            part(chance, name)?;
        }
        let groups = table.groups.iter().map(|name| {
            let known = |word: &str| ["id", "n"].contains(&word) || places.keys.contains(&word);
            Template::of_topic(name, known)
                .map_err(|word| format!("groups: unknown placeholder {word}"))
        });
        let span = |given: &Option<Span>, seconds| {
            let given = given.clone();
            given.unwrap_or_else(|| Span::seconds(seconds))
        };
        Ok(Updates {
            config: Arc::new(Config {
                identity: Identity::new(&table.vendor, &table.class),
                trusted: self.trusted(&table.trust)?,
                capacity: table.slot_size,
                block,
                allow_downgrade: false,
                within: Duration::from_nanos(span(&table.within, WITHIN).most()),
                patience: GIVE_UP_AFTER,
            }),
            topics: Topics::new(prefix),
            groups: groups.collect::<Result<_, _>>()?,
            release: Release {
                sequence: table.sequence,
                version: table.version.clone(),
                ..Release::default()
            },
            download: span(&table.download, 0),
            install: span(&table.install, INSTALL),
            reboot: span(&table.reboot, REBOOT),
            health: span(&table.health, HEALTH),
            fail: table.fail,
        })
    }

    /// The keys in these files; `None` where there are no files.
    fn trusted(self, files: &[String]) -> Result<Option<Trusted>, String> {
        let mut keys = Vec::new();
        for file in files {
            let file = self.folder.join(file);
            for spki in connect::public_keys(&file).map_err(sentence)? {
                let key = PublicKey::from_spki(&spki);
                let unknown = || format!("the key in {} is not supported", file.display());
                keys.push(key.ok_or_else(unknown)?);
            }
        }
        Ok((!files.is_empty()).then(|| Trusted::new(keys)))
    }
}

/// Whether devices and their groups are called what a topic can have.
pub(super) fn check_names(model: &Model, number: u32) -> Result<(), String> {
    let Some(updates) = &model.groups[number as usize].updates else {
        return Ok(());
    };
    let of_group = model.devices.iter().filter(|it| it.group == number);
    for device in of_group {
        let groups = updates.groups.iter();
        let groups = groups.map(|group| device.fill(group, "", &Vars::default()));
        for name in groups.chain([device.id.to_string()]) {
            if !is_name(&name) {
                return Err(format!(
                    "ota: {name:?} is no level of a topic without /, +, # and $"
                ));
            }
        }
    }
    Ok(())
}
