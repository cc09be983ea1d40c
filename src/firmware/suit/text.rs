//! What people read about an update: the text member, of which we know the version, the vendor and the model.

use super::super::cbor::{Items, Label, Writer};
use super::super::refusal::Result;
use crate::payload::visible::drives_terminal;

/// The longest text that is shown.
const LONGEST: usize = 128;

/// Texts about an update; each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Of the firmware.
    pub version: Option<String>,
    /// A domain name.
    pub vendor: Option<String>,
    /// What the vendor calls this kind of device.
    pub model: Option<String>,
}

const MODEL_NAME: u64 = 2;
const VENDOR_DOMAIN: u64 = 3;
const COMPONENT_VERSION: u64 = 6;

impl About {
    /// The first language's. Unknown texts are passed over: they are for people.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut items = Items::new(bytes, "text");
        let mut about = Self::default();
        for _ in 0..items.map("a map of languages")? {
            items.text("a language")?;
            for _ in 0..items.map("a map of texts")? {
                match items.major() {
                    Some(4) => {
                        items.skip()?;
                        about.component(&mut items)?;
                    }
                    _ => {
                        items.skip()?;
                        items.skip()?;
                    }
                }
            }
        }
        items.end()?;
        Ok(about)
    }

    fn component(&mut self, items: &mut Items<'_>) -> Result<()> {
        for _ in 0..items.map("a map of texts about a component")? {
            let label = items.label("a number")?;
            let Some(3) = items.major() else {
                items.skip()?;
                continue;
            };
            let text = items.text("a text")?;
            let into = match label {
                Label::Int(number) if number == i128::from(COMPONENT_VERSION) => &mut self.version,
                Label::Int(number) if number == i128::from(VENDOR_DOMAIN) => &mut self.vendor,
                Label::Int(number) if number == i128::from(MODEL_NAME) => &mut self.model,
                _ => continue,
            };
            into.get_or_insert_with(|| shown(text));
        }
        Ok(())
    }

    /// About the component `00`, in English.
    pub(super) fn write(&self, into: &mut Writer) {
        let texts = [
            (MODEL_NAME, &self.model),
            (VENDOR_DOMAIN, &self.vendor),
            (COMPONENT_VERSION, &self.version),
        ];
        let texts = texts
            .iter()
            .filter_map(|(number, text)| text.as_ref().map(|text| (*number, text)));
        into.map(1).text("en").map(1).array(1).bytes(&[0]);
        into.map(texts.clone().count() as u64);
        for (number, text) in texts {
            into.uint(number).text(text);
        }
    }
}

/// Without what drives terminals, and not longer than a line.
fn shown(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    let letters = text[..end].chars();
    letters.filter(|letter| !drives_terminal(*letter)).collect()
}
