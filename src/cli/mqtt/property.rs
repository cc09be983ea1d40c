//! `-D COMMAND NAME VALUE [VALUE]`: the MQTT 5 properties, sorted by the packet they are for.
//!
//! How many words one takes depends on its name, which clap cannot express: [`padded`] gives each its
//! fourth word before clap sees them.

use std::ffi::{OsStr, OsString};

use crate::error::{Error, Result};
use crate::mqtt::packet::{Place, Properties, Property};
use crate::mqtt::topic;

use crate::cli::syntax::values;

/// The words that clap takes for one `-D`.
pub(crate) const WORDS: usize = 4;

const FLAGS: [&str; 2] = ["-D", "--property"];

const COMMANDS: [(&str, Place); 6] = [
    ("publish", Place::Publish),
    ("connect", Place::Connect),
    ("subscribe", Place::Subscribe),
    ("unsubscribe", Place::Unsubscribe),
    ("will", Place::Will),
    ("disconnect", Place::Disconnect),
];

/// The only property of two values (MQTT 5.0 §2.2.2.2).
const PAIR: &str = "user-property";

fn place(command: &OsStr) -> Option<Place> {
    let known = COMMANDS.iter().find(|(name, _)| command == *name);
    known.map(|(_, place)| *place)
}

/// The words with an empty one after each `-D` that takes three, so that all take [`WORDS`].
///
/// # Errors
/// A `-D` for an unknown COMMAND or with too few words.
pub(crate) fn padded(words: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>> {
    let mut words = words.into_iter();
    let mut padded = Vec::new();
    while let Some(word) = words.next() {
        let (is_flag, is_end) = (FLAGS.iter().any(|flag| word == *flag), word == "--");
        padded.push(word);
        if is_end {
            padded.extend(words);
            break;
        }
        if is_flag {
            pad_one(&mut words, &mut padded)?;
        }
    }
    Ok(padded)
}

fn pad_one(words: &mut impl Iterator<Item = OsString>, padded: &mut Vec<OsString>) -> Result<()> {
    // Without it, `-D` may be the value of another flag; if not, clap says what is missing.
    let Some(command) = words.next() else {
        return Ok(());
    };
    let known = place(&command).is_some();
    let shown = command.to_string_lossy().into_owned();
    padded.push(command);
    if !known {
        // `-m -D -t a`: it was the value of another flag, and what follows is a flag again.
        if shown.starts_with('-') {
            return Ok(());
        }
        let names = COMMANDS.map(|(name, _)| name).join(", ");
        return Err(
            Error::usage(format!("-D {shown:?}: the packet must be one of {names}"))
                .hint("write -D publish content-type text/plain"),
        );
    }
    let name = words
        .next()
        .ok_or_else(|| too_few(&format!("-D {shown}")))?;
    let values = if name == PAIR { 2 } else { 1 };
    let flag = format!("-D {shown} {}", name.to_string_lossy());
    padded.push(name);
    for _ in 0..values {
        padded.push(words.next().ok_or_else(|| too_few(&flag))?);
    }
    if values == 1 {
        padded.push(OsString::new());
    }
    Ok(())
}

fn too_few(flag: &str) -> Error {
    Error::usage(format!("{flag} is missing an argument"))
        .hint("write -D publish content-type text/plain, or -D publish user-property NAME VALUE")
}

/// The properties of each packet.
#[derive(Debug, Default)]
pub(crate) struct PropertySets(Vec<(Place, Properties)>);

impl PropertySets {
    /// Sorts the words of all `-D`, [`WORDS`] each, and checks them; `sent` are the places that the command has.
    ///
    /// # Errors
    /// A property that does not exist, has no such value, stands twice, or has no place there.
    pub(crate) fn read(words: Vec<OsString>, sent: &[Place]) -> Result<Self> {
        let mut sets = Self::default();
        let mut words = words.into_iter();
        while let Some(command) = words.next() {
            let Some(place) = place(&command) else {
                return Err(too_few("-D"));
            };
            let command = command.to_string_lossy();
            if !sent.contains(&place) {
                return Err(Error::usage(format!(
                    "-D {command}: this command sends no {command}"
                )));
            }
            let property = property(&command, &mut words)?;
            sets.of(place).push(property);
        }
        for (place, properties) in &sets.0 {
            check(*place, properties).map_err(|why| Error::usage(format!("-D: {why}")))?;
        }
        Ok(sets)
    }

    fn of(&mut self, place: Place) -> &mut Properties {
        let at = self.0.iter().position(|(known, _)| *known == place);
        let at = at.unwrap_or_else(|| {
            self.0.push((place, Properties::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Hands out the properties of one packet.
    pub(crate) fn take(&mut self, place: Place) -> Properties {
        std::mem::take(self.of(place))
    }
}

fn property(command: &str, words: &mut impl Iterator<Item = OsString>) -> Result<Property> {
    let mut texts = words
        .take(WORDS - 1)
        .map(|word| values::text(&format!("an argument of -D {command}"), word))
        .collect::<Result<Vec<_>>>()?;
    if texts.is_empty() {
        return Err(too_few("-D"));
    }
    let name = texts.remove(0);
    if name != PAIR {
        // The word that `padded` added.
        texts.pop();
    }
    Property::from_words(&name, &texts).map_err(|why| Error::usage(format!("-D {command}: {why}")))
}

/// What the packet may carry from a client, in values that make sense.
fn check(place: Place, properties: &Properties) -> Result<(), String> {
    properties.check(place)?;
    if place == Place::Publish && properties.subscription_identifiers().next().is_some() {
        return Err(String::from(
            "property subscription-identifier can only be sent by servers",
        ));
    }
    match properties.response_topic() {
        Some(topic) => topic::check_name(&topic).map_err(|why| format!("response-topic: {why}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<PropertySets> {
        let words = padded(line.split(' ').map(OsString::from))?;
        let words = words.into_iter().filter(|word| word != "-D").collect();
        PropertySets::read(words, &[Place::Publish, Place::Connect])
    }

    fn refused(line: &str) -> String {
        read(line).unwrap_err().text().to_owned()
    }

    #[test]
    fn each_takes_its_own_number_of_words() {
        let words = [
            "x",
            "-D",
            "publish",
            "content-type",
            "a",
            "-D",
            "publish",
            PAIR,
            "k",
            "v",
            "u",
        ];
        let padded = padded(words.map(OsString::from)).unwrap();
        assert_eq!(
            padded,
            [
                "x",
                "-D",
                "publish",
                "content-type",
                "a",
                "",
                "-D",
                "publish",
                PAIR,
                "k",
                "v",
                "u"
            ]
        );
    }

    #[test]
    fn other_words_are_left_alone() {
        for line in ["-m -D -t a", "-- -D publish", "-t -D=x"] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(padded(words.clone()).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn they_are_sorted_by_packet() {
        let mut sets = read(
            "-D publish user-property k -5 -D connect receive-maximum 7 -D publish content-type a",
        )
        .unwrap();
        let publish = sets.take(Place::Publish);
        assert_eq!(
            publish.user_properties().collect::<Vec<_>>(),
            [(&"k".into(), &"-5".into())]
        );
        assert_eq!(publish.content_type().as_deref(), Some("a"));
        assert_eq!(sets.take(Place::Connect).receive_maximum(), Some(7));
        assert!(sets.take(Place::Will).is_empty());
    }

    #[test]
    fn wrong_ones_are_refused() {
        assert_eq!(
            refused("-D pubish content-type a"),
            r#"-D "pubish": the packet must be one of publish, connect, subscribe, unsubscribe, will, disconnect"#
        );
        assert_eq!(
            refused("-D publish content-type"),
            "-D publish content-type is missing an argument"
        );
        assert_eq!(
            refused("-D publish user-property k"),
            "-D publish user-property is missing an argument"
        );
        assert_eq!(
            refused("-D will content-type a"),
            "-D will: this command sends no will"
        );
        assert!(refused("-D publish colour red").contains("colour"));
        assert!(refused("-D publish content-type a -D publish content-type b").contains("twice"));
        assert!(refused("-D publish receive-maximum 5").contains("not allowed in PUBLISH"));
        assert!(refused("-D publish subscription-identifier 5").contains("servers"));
        assert!(refused("-D publish response-topic a/+").contains("wildcard"));
        assert!(refused("-D connect receive-maximum 0").contains("receive-maximum"));
    }
}
