//! `-t FILTER;OPTION;OPTION`: a filter with options of its own.

use std::ffi::OsString;

use bytestring::ByteString;

use crate::command::mqtt::topics::Defaults;
use crate::error::{Error, Result};
use crate::mqtt::packet::{Subscription, Version};

use crate::cli::syntax::values;

/// Reads `a/#;qos=1;nl;rap;rh=new`; options not given are as in `default`. In a filter `;;` stands for `;`.
pub(crate) fn read(
    word: OsString,
    default: &Subscription,
    version: Option<Version>,
) -> Result<Subscription> {
    let text = values::text("-t", word)?;
    let mut pieces = pieces(&text).into_iter();
    // `pieces` gives at least one, the filter.
    let filter = pieces.next().unwrap_or_default();
    let mut subscription = default.clone();
    subscription.filter = values::topic_filter("-t", filter.into())?;
    for piece in pieces {
        option(&piece, &mut subscription)
            .map_err(|why| Error::usage(format!("-t {text:?}: {why}")).hint(HINT))?;
        if !piece.starts_with("qos=") {
            values::needs_v5(version, &format!("the option {piece} of -t"), true)?;
        }
    }
    if subscription.no_local && subscription.filter.starts_with("$share/") {
        return Err(Error::usage(format!(
            "-t {text:?}: no-local cannot be used with a shared subscription"
        )));
    }
    Ok(subscription)
}

/// The same for the group, if there is one.
pub(crate) fn read_for(word: OsString, defaults: &Defaults) -> Result<Subscription> {
    defaults.shared(read(word, &defaults.options, defaults.version)?)
}

/// The same of a line of a file.
pub(crate) fn read_line(line: &str, defaults: &Defaults) -> Result<Subscription> {
    read_for(line.into(), defaults)
}

/// The name of a group, which is one level of a filter (MQTT 5.0 §4.8.2).
pub(crate) fn group(word: Option<OsString>) -> Result<Option<ByteString>> {
    let Some(word) = word else {
        return Ok(None);
    };
    let name = values::text("--group", word)?;
    if name.is_empty() || name.contains(['/', '+', '#', '\0']) {
        return Err(Error::usage(format!(
            "--group {name:?}: a name has at least one character, and none of / + #"
        )));
    }
    Ok(Some(name.into()))
}

const HINT: &str = "the options are qos=0|1|2, nl, rap and rh=always|new|never; write ;; for a semicolon in a filter";

fn option(piece: &str, subscription: &mut Subscription) -> Result<(), String> {
    let unknown = || format!("unknown option {piece:?}");
    match piece.split_once('=') {
        None if piece == "nl" => subscription.no_local = true,
        None if piece == "rap" => subscription.retain_as_published = true,
        Some(("qos", level)) => subscription.qos = values::qos(level)?,
        Some(("rh", when)) => subscription.retain_handling = values::retain_handling(when)?,
        _ => return Err(unknown()),
    }
    Ok(())
}

/// The text split at each `;`; `;;` does not split and becomes `;`.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == ';' && letters.next_if_eq(&';').is_none() {
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::{QoS, RetainHandling};

    fn parse(text: &str) -> Result<Subscription> {
        let default = Subscription {
            qos: QoS::ExactlyOnce,
            ..Subscription::default()
        };
        read(text.into(), &default, None)
    }

    #[test]
    fn options_follow_the_filter() {
        assert_eq!(
            parse("a/#;qos=1;nl;rap;rh=new").unwrap(),
            Subscription {
                filter: "a/#".into(),
                qos: QoS::AtLeastOnce,
                no_local: true,
                retain_as_published: true,
                retain_handling: RetainHandling::New,
            }
        );
        let plain = parse("$share/g/a").unwrap();
        assert_eq!(
            (&*plain.filter, plain.qos),
            ("$share/g/a", QoS::ExactlyOnce)
        );
    }

    #[test]
    fn a_doubled_semicolon_belongs_to_the_filter() {
        assert_eq!(&*parse("a;;b;qos=0").unwrap().filter, "a;b");
        assert_eq!(&*parse("a;;;nl").unwrap().filter, "a;");
    }

    #[test]
    fn wrong_options_are_named() {
        for (text, why) in [
            ("a;qos=3", r#"-t "a;qos=3": QoS is 0, 1 or 2"#),
            ("a;b", r#"-t "a;b": unknown option "b""#),
            ("a;", r#"-t "a;": unknown option """#),
            ("a;nl=1", r#"-t "a;nl=1": unknown option "nl=1""#),
            ("a;rh=3", r#"-t "a;rh=3": expected always, new or never"#),
            (";qos=1", "-t: filter is empty"),
            ("a/#/b", r##"-t: filter "a/#/b": # must be the last level"##),
            (
                "$share/g/a;nl",
                r#"-t "$share/g/a;nl": no-local cannot be used with a shared subscription"#,
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().text(), why);
        }
    }

    #[test]
    fn options_of_mqtt_5_are_refused_before_it() {
        let refused =
            read("a;rap".into(), &Subscription::default(), Some(Version::V31)).unwrap_err();
        assert_eq!(
            refused.text(),
            "the option rap of -t needs MQTT 5, not -V 31"
        );
        assert!(
            read(
                "a;qos=1".into(),
                &Subscription::default(),
                Some(Version::V311)
            )
            .is_ok()
        );
    }
}
