//! InfluxDB: its flags and its targets.

use std::path::PathBuf;

use clap::Args;

use super::selector;
use crate::command::log::StoreArgs;
use crate::command::route::file::{Names, TargetTable};
use crate::connect::{ConnectArgs, Secret};
use crate::error::{Error, Result};
use crate::file;
use crate::output::{Format, Rotation, Style};
use crate::payload::captures::Pattern;
use crate::payload::points::Points;
use crate::payload::select::Selector;
use crate::store::Place;

/// Where InfluxDB listens for HTTP.
const PORT: &str = "8086";

/// What points are made of.
#[derive(Args, Debug)]
#[command(next_help_heading = "InfluxDB")]
pub(super) struct PointFlags {
    /// InfluxDB: measurement of the points: a text such as weather, or what a message has, such as {1}, /kind or $topic
    #[arg(long, value_name = "NAME")]
    measurement: Option<String>,

    /// InfluxDB: tag of the points, such as device={device}; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<String>,

    /// InfluxDB: field of the points, such as value=/value; may be repeated [default: all values of a JSON payload, or the payload as value]
    #[arg(long, value_name = "NAME=VALUE")]
    field: Vec<String>,

    /// InfluxDB: field that is a whole number; all other numbers are stored as floats; may be repeated
    #[arg(long, value_name = "FIELD")]
    int: Vec<String>,
}

impl PointFlags {
    /// Writes them into the table of a target.
    pub(super) fn write(&self, table: &mut TargetTable) {
        let names = |words: &[String]| Some(words.to_vec()).filter(|it| !it.is_empty());
        table.measurement.clone_from(&self.measurement);
        table.tag = names(&self.tag).map(Names::Several);
        table.field = names(&self.field).map(Names::Several);
        table.int = names(&self.int).map(Names::Several);
    }

    /// The first flag that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--measurement", self.measurement.is_some()),
            ("--tag", !self.tag.is_empty()),
            ("--field", !self.field.is_empty()),
            ("--int", !self.int.is_empty()),
        ];
        flags.into_iter().find(|it| it.1).map(|(flag, _)| flag)
    }

    /// Whether what stands for wildcards is asked for.
    pub(super) fn has_captures(&self) -> bool {
        let pairs = self.tag.iter().chain(&self.field);
        let values = pairs.filter_map(|pair| Some(pair.split_once('=')?.1));
        let mut words = values.chain(self.measurement.as_deref());
        words.any(|word| word.contains('{'))
    }

    /// The points.
    pub(super) fn points(&self, patterns: Vec<Pattern>) -> Result<Points> {
        let Some(measurement) = &self.measurement else {
            return Err(Error::usage("InfluxDB needs a --measurement")
                .hint("name one, such as weather, or take it from the topic: {1}"));
        };
        if measurement.is_empty() {
            return Err(Error::usage("--measurement is empty"));
        }
        let points = Points {
            measurement: value("--measurement", measurement)?,
            tags: pairs("--tag", &self.tag)?,
            fields: pairs("--field", &self.field)?,
            whole: self.int.clone(),
            patterns,
        };
        let named = points.tags.iter().chain(&points.fields);
        let named = named.map(|(_, selector)| selector);
        for selector in named.chain([&points.measurement]) {
            let checked = selector.check_captures(&points.patterns);
            checked.map_err(|why| Error::usage(format!("--measurement, --tag, --field: {why}")))?;
        }
        Ok(points)
    }
}

fn pairs(flag: &str, words: &[String]) -> Result<Vec<(String, Selector)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((name, words)) if !name.is_empty() => Ok((name.to_owned(), value(flag, words)?)),
        _ => Err(Error::usage(format!(
            "{flag} {word:?}: expected NAME=VALUE"
        ))),
    };
    words.iter().map(pair).collect()
}

/// What a message has, as in `--columns`, or a text, which is in quotation marks or names no field.
fn value(flag: &str, word: &str) -> Result<Selector> {
    let is_meant = word.starts_with(['/', '{', '$', '"']) || word.starts_with("jq:");
    match selector(flag, word) {
        Err(_) if !is_meant => Ok(Selector::text(word)),
        read => read,
    }
}

/// The target of a name that begins with `influx`; `None`: it does not. `connect` has how to connect, and the file of a
/// password or a token.
pub(super) fn store(
    name: &str,
    points: impl FnOnce() -> Result<Points>,
    rotation: Rotation,
    connect: &ConnectArgs,
    style: Style,
) -> Result<Option<StoreArgs>> {
    let Some((scheme, rest)) = name.split_once(':') else {
        return Ok(None);
    };
    let wrong = |why: &str| Err(Error::usage(format!("--to {scheme}:{why}")));
    let authority = rest.strip_prefix("//");
    let place = match (scheme, authority) {
        ("influx", None) if rest == "-" => {
            return Ok(Some(StoreArgs::Standard(Format::Points(points()?), style)));
        }
        ("influx", None) if rest.is_empty() => return wrong(" names no file"),
        ("influx", None) => {
            return Ok(Some(StoreArgs::File {
                path: PathBuf::from(rest),
                format: Format::Points(points()?),
                rotation,
            }));
        }
        ("influx+tcp", Some(place)) if has_port(place) => Place::Tcp(place.to_owned()),
        ("influx+udp", Some(place)) if has_port(place) => Place::Udp(place.to_owned()),
        ("influx+tcp" | "influx+udp", _) => return wrong(": expected //HOST:PORT"),
        ("influx" | "influxs", Some(rest)) => version_1(scheme, rest, connect)?,
        ("influx2" | "influx2s", Some(rest)) => version_2(scheme, rest, connect)?,
        _ => return Ok(None),
    };
    Ok(Some(StoreArgs::Influx {
        name: name_of(scheme, authority.unwrap_or_default()),
        place,
        points: points()?,
    }))
}

/// Without user and password.
fn name_of(scheme: &str, rest: &str) -> String {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    match path {
        "" => format!("{scheme}://{host}"),
        path => format!("{scheme}://{host}/{path}"),
    }
}

fn has_port(authority: &str) -> bool {
    let host = authority.rsplit(['@', ']']).next().unwrap_or_default();
    let port = host.rsplit_once(':');
    port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// `HOST[:PORT]` as the URL of an HTTP server.
fn http(scheme: &str, authority: &str, connect: &ConnectArgs) -> ConnectArgs {
    let secure = if scheme.ends_with('s') { "s" } else { "" };
    let port = match has_port(authority) {
        true => String::new(),
        false => format!(":{PORT}"),
    };
    let url = format!("http{secure}://{authority}{port}");
    ConnectArgs {
        url: Some(url.clone()),
        ..connect.for_server(&url)
    }
}

/// `[USER:PASSWORD@]HOST[:PORT]/DATABASE[?rp=POLICY]`
fn version_1(scheme: &str, rest: &str, connect: &ConnectArgs) -> Result<Place> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (database, query) = path.split_once('?').unwrap_or((path, ""));
    let policy = match query.split_once('=') {
        None if query.is_empty() => String::new(),
        Some(("rp", policy)) => format!("&rp={policy}"),
        _ => {
            return Err(Error::usage(format!(
                "--to {scheme}:// knows only ?rp=POLICY, not ?{query}"
            )));
        }
    };
    if authority.is_empty() || database.is_empty() || database.contains('/') {
        return Err(Error::usage(format!(
            "--to {scheme}://: expected {scheme}://HOST:{PORT}/DATABASE"
        )));
    }
    Ok(Place::Http {
        connect: Box::new(http(scheme, authority, connect)),
        path: format!("/write?db={database}&precision=ns{policy}"),
        token: None,
    })
}

/// `[TOKEN@]HOST[:PORT]/ORGANIZATION/BUCKET`
fn version_2(scheme: &str, rest: &str, connect: &ConnectArgs) -> Result<Place> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (token, host) = match authority.rsplit_once('@') {
        Some((token, host)) => (Some(token), host),
        None => (None, authority),
    };
    let (organization, bucket) = path.split_once('/').unwrap_or((path, ""));
    if host.is_empty() || organization.is_empty() || bucket.is_empty() || bucket.contains('/') {
        return Err(Error::usage(format!(
            "--to {scheme}://: expected {scheme}://HOST:{PORT}/ORGANIZATION/BUCKET"
        )));
    }
    let mut connect = connect.clone();
    let token = match (token, connect.password_file.take()) {
        (Some(token), None) => token.to_owned(),
        (None, Some(file)) => file::read_text(&file, file::SMALL)?,
        (Some(_), Some(_)) => {
            let text = "a token in the URL and --to-password-file cannot be used together";
            return Err(Error::usage(text));
        }
        (None, None) => {
            return Err(Error::usage(format!("--to {scheme}:// needs a token"))
                .hint("write it into a file, for --to-password-file"));
        }
    };
    Ok(Place::Http {
        connect: Box::new(http(scheme, host, &connect)),
        path: format!("/api/v2/write?org={organization}&bucket={bucket}&precision=ns"),
        token: Some(Secret::new(token.into_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Result<(String, Place)> {
        let points = || {
            Ok(Points {
                measurement: Selector::text("w"),
                tags: Vec::new(),
                fields: Vec::new(),
                whole: Vec::new(),
                patterns: Vec::new(),
            })
        };
        let rotation = Rotation::default();
        let connect = ConnectArgs::default();
        match store(name, points, rotation, &connect, Style::default())? {
            Some(StoreArgs::Influx { name, place, .. }) => Ok((name, place)),
            other => panic!("{other:?}"),
        }
    }

    fn http(name: &str) -> (String, String, String) {
        match place(name).unwrap() {
            (name, Place::Http { connect, path, .. }) => (name, connect.url.unwrap(), path),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_word_is_what_a_message_has_where_it_can_be() {
        let read = |word: &str| value("--tag", word).unwrap();
        for (word, same) in [
            ("topic", "$topic"),
            ("payload", "$payload"),
            ("qos", "$qos"),
        ] {
            assert_eq!(read(word), read(same));
        }
        for (word, text) in [
            ("weather", "weather"),
            ("\"topic\"", "topic"),
            ("a b", "a b"),
            ("", ""),
        ] {
            assert_eq!(read(word), Selector::text(text));
        }
        for word in ["$topc", "/a|b", "jq: .(", "\"a"] {
            assert!(value("--tag", word).is_err(), "{word}");
        }
    }

    #[test]
    fn urls_are_those_of_a_server() {
        let (name, url, path) = http("influx://ann:pw@h/home");
        assert_eq!((&*name, &*url), ("influx://h/home", "http://ann:pw@h:8086"));
        assert_eq!(path, "/write?db=home&precision=ns");
        let (_, url, path) = http("influxs://[::1]:9/home?rp=week");
        assert_eq!(url, "https://[::1]:9");
        assert_eq!(path, "/write?db=home&precision=ns&rp=week");
        let (name, url, path) = http("influx2://secret@h/o/b");
        assert_eq!((&*name, &*url), ("influx2://h/o/b", "http://h:8086"));
        assert_eq!(path, "/api/v2/write?org=o&bucket=b&precision=ns");
        for name in [
            "influx://h",
            "influx://h/a/b",
            "influx://h/a?x=1",
            "influx2://t@h/o",
            "influx2://h/o/b",
            "influx+tcp://h",
            "influx+udp:h:1",
            "influx:",
        ] {
            assert_eq!(place(name).unwrap_err().exit_code(), 2, "{name}");
        }
    }
}
