//! The routes file, as it is written.
//!
//! Keys are the long flags of other commands where there is one. `{env.NAME}` in a text is filled in from the environment, and
//! paths are from the folder of the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::alert_table::AlertTable;
use super::connection::Limit;
use super::connection::{Connection, Several, Spelled, with_connection_keys};
use crate::command::ends::source::exchange_of;
use crate::connect::{Pin, Proxy, Retry, TlsVersion, without_credentials, without_password};
use crate::error::Result;
use crate::file;

/// What a name of the environment stands behind.
const VARIABLE: &str = "{env.";

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    /// `stop`, `drop`, or the target that gets messages which are refused for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_refused: Option<String>,
    /// How many messages may be in flight at each end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<u16>,
    /// What the other protocol cannot carry is refused, and a server that grants QoS 0 where more was asked for ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict: Option<bool>,
    /// Messages with a key that another had are skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dedup: Option<String>,
    /// How long a key counts: `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<String>,
    /// Where messages wait for their targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spool: Option<SpoolTable>,
    /// Where messages come from.
    #[serde(default)]
    pub(crate) source: BTreeMap<String, SourceTable>,
    /// Where messages go.
    #[serde(default)]
    pub(crate) target: BTreeMap<String, TargetTable>,
    /// Which messages go where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) route: Vec<RouteTable>,
    /// What is watched over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) alert: Vec<AlertTable>,
}

/// Where messages wait for their targets.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SpoolTable {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// How much it holds: `1GiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<String>,
    /// How long a message may wait: `7d`, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age: Option<String>,
    /// `wait` or `drop-oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full: Option<String>,
}

/// A table of a source or a target: the keys that both have, those of their connection, and those of its own.
macro_rules! end_table {
    (
        {
            $(#[$about:meta])*
            $name:ident { $($(#[$own:meta])* $key:ident: $type:ty,)* }
            $(path $path:ident)?
        }
        { $($(#[$how:meta])* $connect:ident: $how_type:ty,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(crate) struct $name {
            /// The URL of a server.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) url: Option<String>,
            /// Or the name of a context.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) context: Option<String>,
            /// Or a file of records; `-` is standard input or output.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) file: Option<String>,
            $(
                $(#[$own])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(crate) $key: Option<$type>,
            )*
            /// MQTT: the client identifier.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) id: Option<String>,
            /// AMQP: the exchange that is published to, or that a temporary queue is bound to.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) exchange: Option<String>,
            $(
                $(#[$how])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(crate) $connect: Option<$how_type>,
            )*
        }

        impl $name {
            /// What it says of its connection.
            pub(super) fn connection(&self) -> Connection {
                Connection {
                    $($connect: self.$connect.clone(),)*
                }
            }

            /// The same with this connection.
            pub(crate) fn connected(self, connection: Connection) -> Self {
                Self {
                    $($connect: connection.$connect,)*
                    ..self
                }
            }

            /// AMQP: the exchange, or that of MQTT's topics.
            pub(super) fn exchange(&self) -> ByteString {
                exchange_of(self.exchange.clone().map(ByteString::from))
            }

            /// Paths are from the folder of the file.
            fn beneath(&mut self, folder: &Path) {
                let connection = self.connection().beneath(folder);
                *self = std::mem::take(self).connected(connection);
                let names = [&mut self.file $(, &mut self.$path)?];
                for name in names.into_iter().flatten().filter(|name| *name != "-") {
                    *name = folder.join(&*name).display().to_string();
                }
            }
        }
    };
}

with_connection_keys! { end_table! {
    /// One source.
    SourceTable {
        /// MQTT, and AMQP without a queue: filters with options; otherwise those of the routes, at QoS 1.
        topics: Vec<String>,
        /// A file: messages come with the gaps of their times, divided by this.
        speed: f64,
        /// AMQP: the queue.
        queue: String,
        /// MQTT: the session ends with its connection.
        clean: bool,
    }
} }

with_connection_keys! { end_table! {
    /// One target.
    TargetTable {
        /// Or a file of SQLite, whose table `message` gets each message.
        sqlite: String,
        /// Or an InfluxDB, or what reads its line protocol: `influx://HOST/DATABASE`.
        influx: String,
        /// Or a command that gets each message, with its words.
        exec: Names,
        /// It gets the message as a record instead of the body.
        exec_json: bool,
        /// How many of it may run at once.
        workers: u16,
        /// CSV and SQLite: the columns of rows.
        columns: String,
        /// CSV and SQLite: a row for each value.
        melt: bool,
        /// A store: what of a message says when it was.
        time: String,
        /// A store: when messages are on the disk, and acknowledged.
        sync: String,
        /// A file: when a new one is begun.
        rotate: Names,
        /// A file: how many full ones are kept.
        keep: u64,
        /// A file: full ones are compressed.
        gzip: bool,
        /// SQLite: types of columns.
        types: Names,
        /// SQLite: columns of which an index is made.
        index: Names,
        /// SQLite: columns in which no two rows are the same.
        unique: String,
        /// InfluxDB: the measurement.
        measurement: String,
        /// InfluxDB: tags.
        tag: Names,
        /// InfluxDB: fields.
        field: Names,
        /// InfluxDB: fields that are whole numbers.
        int: Names,
        /// MQTT: the QoS of each message; otherwise its own, or 1.
        qos: u8,
        /// MQTT: whether each message is retained; otherwise as it was.
        retain: bool,
        /// How often what is refused for now is sent again; otherwise for as long as `retry` says.
        retries: u32,
        /// One message is in flight at a time, so that what is sent again is not overtaken.
        strict_order: bool,
    }
    path sqlite
} }

impl TargetTable {
    /// The same without what says where the server is, and who we are there.
    pub(super) fn without_server(&self) -> Self {
        let table = self.clone().connected(Connection::default());
        Self {
            url: None,
            context: None,
            id: None,
            ..table
        }
    }
}

/// One route.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RouteTable {
    /// The sources; all of them where it is not said.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) from: Names,
    /// The topics, with names for levels: `sensors/{device}/{metric}`.
    #[serde(default = "everything")]
    pub(crate) topic: String,
    /// A condition on the message.
    #[serde(
        skip_serializing_if = "Option::is_none",
        rename = "where",
        alias = "filter"
    )]
    pub(crate) condition: Option<String>,
    /// What becomes of its body: `jq: …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) map: Option<String>,
    /// Its topic at the targets: `alerts/{device}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic_out: Option<String>,
    /// The targets.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) to: Names,
    /// The targets of messages that do not fulfil the condition.
    #[serde(default, rename = "else", skip_serializing_if = "Names::is_empty")]
    pub(crate) otherwise: Names,
    /// MQTT: the QoS of what goes out by this route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) qos: Option<u8>,
    /// MQTT: whether it is retained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retain: Option<bool>,
    /// A message that fulfils the condition is not looked at by later routes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) last: bool,
}

fn everything() -> String {
    String::from("#")
}

/// One name, or several.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Names {
    /// None.
    #[default]
    #[serde(skip)]
    None,
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Names {
    /// All of them.
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    /// The same, to be changed.
    fn all_mut(&mut self) -> &mut [String] {
        match self {
            Self::None => &mut [],
            Self::One(name) => std::slice::from_mut(name),
            Self::Several(names) => names,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local) for a file that cannot be read,
    /// [`Kind::Usage`](crate::error::Kind::Usage) for what is wrong in it, with its line.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = file::read_text(path, file::SMALL)?;
        let wrong = |at: usize, why: &str| file::mistaken(path, &text, at, why);
        let mistaken = |cause: toml::de::Error| {
            let at = cause.span().map_or(0, |span| span.start);
            wrong(at, &file::mistake(&cause))
        };
        let mut table = DeTable::parse(&text).map_err(mistaken)?;
        fill_table(table.get_mut())
            .map_err(|(at, name)| wrong(at, &format!("{name} is not in the environment")))?;
        let mut file = Self::deserialize(Deserializer::from(table)).map_err(mistaken)?;
        file.beneath(path.parent().unwrap_or_else(|| Path::new("")));
        Ok(file)
    }

    /// The same with the URLs as they may be shown. Whoever goes on with it needs the users of servers, and knows their passwords;
    /// the user of a webhook may be all that is secret about it.
    pub(crate) fn without_passwords(mut self) -> Self {
        let sources = self.source.values_mut().filter_map(|it| it.url.as_mut());
        let targets = self.target.values_mut();
        let targets = targets.flat_map(|it| {
            // Where there is no login, a query has none either: it names a retention policy.
            let influx = it.influx.as_mut().filter(|place| place.contains('@'));
            it.url.as_mut().into_iter().chain(influx)
        });
        for url in sources.chain(targets) {
            *url = without_password(url);
        }
        let alerts = self.alert.iter_mut().flat_map(|alert| {
            let steps = alert.escalate.iter_mut();
            let steps = steps.flat_map(|step| step.webhook.all_mut());
            alert.webhook.all_mut().iter_mut().chain(steps)
        });
        for url in alerts {
            *url = without_credentials(url);
        }
        self
    }

    /// Paths are from the folder of the file.
    fn beneath(&mut self, folder: &Path) {
        self.alert.iter_mut().for_each(|it| it.beneath(folder));
        if let Some(spool) = &mut self.spool {
            spool.dir = folder.join(&spool.dir);
        }
        let sources = self.source.values_mut();
        sources.for_each(|it| it.beneath(folder));
        for target in self.target.values_mut() {
            target.beneath(folder);
            if let Some(place) = &mut target.influx
                && let Some(file) = place.strip_prefix("influx:")
                && file != "-"
                && !file.starts_with("//")
            {
                *place = format!("influx:{}", folder.join(file).display());
            }
        }
    }
}

/// Fills in the texts of a table; otherwise where one is that names what is not in the environment, and that name.
fn fill_table(table: &mut DeTable<'_>) -> Result<(), (usize, String)> {
    table.iter_mut().try_for_each(|(_, value)| fill(value))
}

/// Fills in a text, or all that are in there. What stands in the environment is text, whatever it looks like.
fn fill(value: &mut Spanned<DeValue<'_>>) -> Result<(), (usize, String)> {
    let at = value.span().start;
    match value.get_mut() {
        DeValue::String(text) if text.contains(VARIABLE) => {
            *text = filled(text).map_err(|name| (at, name))?.into();
            Ok(())
        }
        DeValue::Array(values) => values.iter_mut().try_for_each(fill),
        DeValue::Table(table) => fill_table(table),
        _ => Ok(()),
    }
}

/// The text with each `{env.NAME}` filled in.
fn filled(text: &str) -> Result<String, String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(VARIABLE) {
        let Some((name, more)) = behind.split_once('}') else {
            break;
        };
        whole.push_str(before);
        whole.push_str(&std::env::var(name).map_err(|_| name.to_owned())?);
        rest = more;
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_fills_in_and_paths_are_from_the_folder() {
        let home = std::env::var("PATH").unwrap();
        assert_eq!(
            filled("a {env.PATH} b {x}"),
            Ok(format!("a {home} b {{x}}"))
        );
        assert_eq!(
            filled("{env.IOTCTL_NO_SUCH}"),
            Err(String::from("IOTCTL_NO_SUCH"))
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, "[target.t]\nfile = \"x.ndjson\"\n").unwrap();
        let file = File::read(&path).unwrap();
        let name = folder.path().join("x.ndjson").display().to_string();
        assert_eq!(file.target["t"].file, Some(name));
    }

    #[test]
    fn what_is_filled_in_is_text_and_comments_ask_for_nothing() {
        // Cargo sets it.
        let value = std::env::var("CARGO_PKG_DESCRIPTION").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        let text = "# {env.IOTCTL_NO_SUCH}\n[source.s]\nurl = '{env.CARGO_PKG_DESCRIPTION}\\n'\ntopics = ['{env.CARGO_PKG_DESCRIPTION}']\n";
        std::fs::write(&path, text).unwrap();
        let source = &File::read(&path).unwrap().source["s"];
        assert_eq!(source.url, Some(format!("{value}\\n")));
        assert_eq!(source.topics, Some(vec![value]));
        std::fs::write(&path, "\n[source.s]\nurl = \"{env.IOTCTL_NO_SUCH}\"\n").unwrap();
        let refused = File::read(&path).unwrap_err();
        let expected = "r.toml:3: IOTCTL_NO_SUCH is not in the environment";
        assert!(refused.text().ends_with(expected), "{}", refused.text());
    }

    #[test]
    fn unknown_keys_are_told_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, "[source.s]\nurl = \"mqtt://h\"\ntopic = 1\n").unwrap();
        let refused = File::read(&path).unwrap_err();
        assert!(
            refused.text().contains("r.toml:3: unknown field"),
            "{}",
            refused.text()
        );
    }
}
