//! What to subscribe to: filters of the command line, of a file, and the path of the URL, for a group or for one.

use std::path::PathBuf;

use bytestring::ByteString;

use super::session::topic_of;
use crate::connect::Target;
use crate::error::{Error, Result};
use crate::file;
use crate::mqtt::packet::{Subscription, Version};
use crate::mqtt::topic;

/// More filters than anybody writes down, in bytes of their file.
const LARGEST: u64 = 16 << 20;

/// What a filter does not say itself.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The options; its filter is empty.
    pub options: Subscription,
    /// The one version to speak, if one was named.
    pub version: Option<Version>,
    /// Each message goes to one of the subscribers of this name (`--group`).
    pub group: Option<ByteString>,
}

/// A file of filters (`--topics-file`).
#[derive(Clone, Debug)]
pub struct TopicsFile {
    /// Where it is.
    pub path: PathBuf,
    /// Reads a line, as `-t` is read.
    pub read: fn(&str, &Defaults) -> Result<Subscription>,
}

impl Defaults {
    /// A valid filter for the group, if there is one.
    ///
    /// # Errors
    /// A filter that names a group itself, or one with No Local (MQTT 5.0 §3.8.3.1).
    pub fn shared(&self, mut one: Subscription) -> Result<Subscription> {
        let Some(group) = &self.group else {
            return Ok(one);
        };
        if one.filter.starts_with("$share/") {
            let text = format!("{:?} names a group itself", &*one.filter);
            return Err(Error::usage(text).hint("remove $share/NAME/ or --group"));
        }
        if one.no_local {
            let text = format!("{:?}: no-local cannot be used with --group", &*one.filter);
            return Err(Error::usage(text));
        }
        one.filter = format!("$share/{group}/{}", one.filter).into();
        topic::check_filter(&one.filter).map_err(|why| Error::usage(why.to_string()))?;
        Ok(one)
    }

    /// The filter in the path of the URL.
    pub(super) fn of_url(&self, target: &Target) -> Result<Subscription> {
        let filter = topic_of(target).ok_or_else(|| {
            Error::usage("no topic to subscribe to").hint("use -t FILTER, or --topics-file FILE")
        })?;
        topic::check_filter(&filter).map_err(|invalid| Error::usage(invalid.to_string()))?;
        self.shared(Subscription {
            filter,
            ..self.options.clone()
        })
    }
}

impl TopicsFile {
    /// The filters in it, one a line; empty lines and comments are left out.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): it cannot be read; [`Kind::Usage`](crate::error::Kind::Usage), with the
    /// number of the first line that is wrong, or for a file without a filter.
    pub(super) fn subscriptions(&self, defaults: &Defaults) -> Result<Vec<Subscription>> {
        let text = file::read_text(&self.path, LARGEST)?;
        let path = self.path.display();
        let lines = (1..).zip(text.lines().map(str::trim));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !is_comment(line));
        let read = |(number, line): (u64, &str)| {
            let read = (self.read)(line, defaults);
            read.map_err(|why| {
                let text = file::in_line(&path, number, &why);
                why.reworded(text)
            })
        };
        let subscriptions = lines.map(read).collect::<Result<Vec<_>>>()?;
        match subscriptions.is_empty() {
            true => Err(Error::usage(format!("{path} has no topic filter"))),
            false => Ok(subscriptions),
        }
    }
}

/// `#` alone is the filter for all topics, also with options; with anything else behind it, it is no filter.
fn is_comment(line: &str) -> bool {
    line.starts_with('#') && line != "#" && !line.starts_with("#;")
}

/// Whether messages with this topic come for this filter, which may be of a group, or be an exclusive one of EMQX.
pub(super) fn covers(filter: &str, name: &str) -> bool {
    let shared = filter.strip_prefix("$share/");
    let plain = shared.and_then(|rest| Some(rest.split_once('/')?.1));
    let plain = plain.or_else(|| filter.strip_prefix("$queue/"));
    let plain = plain.or_else(|| filter.strip_prefix("$exclusive/"));
    topic::matches(plain.unwrap_or(filter), name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("topics");
        fs::write(&path, text).unwrap();
        let read = |line: &str, defaults: &Defaults| match line {
            "bad" => Err(Error::usage("it is bad")),
            line => defaults.shared(Subscription {
                filter: line.into(),
                ..Subscription::default()
            }),
        };
        let file = TopicsFile { path, read };
        let read = file.subscriptions(&Defaults::default())?;
        Ok(read.iter().map(|one| one.filter.to_string()).collect())
    }

    #[test]
    fn a_line_is_a_filter_or_a_comment() {
        let text = "\u{feff}# all rooms\r\na/+\r\n\n  b/#  \n#comment\n#\n#;qos=1\n";
        assert_eq!(read(text).unwrap(), ["a/+", "b/#", "#", "#;qos=1"]);
        let refused = read("a\n\nbad\n").unwrap_err();
        assert!(refused.text().ends_with("topics:3: it is bad"));
        assert_eq!(refused.exit_code(), 2);
        let refused = read("# nothing\n").unwrap_err();
        assert!(refused.text().ends_with("topics has no topic filter"));
    }

    #[test]
    fn a_group_shares_what_can_be_shared() {
        let defaults = Defaults {
            group: Some("g".into()),
            ..Defaults::default()
        };
        let one = |filter: &str| Subscription {
            filter: filter.to_owned().into(),
            ..Subscription::default()
        };
        let shared = defaults.shared(one("a/#")).unwrap();
        assert_eq!(&*shared.filter, "$share/g/a/#");
        assert!(defaults.shared(one("$share/h/a")).is_err());
        let local = Subscription {
            no_local: true,
            ..one("a")
        };
        assert!(defaults.shared(local).is_err());
    }
}
