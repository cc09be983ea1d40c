//! A bridge section of mosquitto.conf as a bridge of ours.

use std::path::PathBuf;

use bytestring::ByteString;

use super::Tuning;
use super::topics::{self, Map};
use crate::command::ends::End;
use crate::connect::{ConnectArgs, Retry, Secret, has_user};
use crate::error::{Error, Result};
use crate::file::{self, Flaw};
use crate::mqtt::packet::Version;

/// A section of a mosquitto.conf (`--import`).
#[derive(Clone, Debug)]
pub struct Import {
    /// The file.
    pub file: PathBuf,
    /// The name of the connection, where there are several.
    pub connection: Option<String>,
}

/// What a `connection` section says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// The name of the connection.
    pub(crate) name: String,
    /// Where the remote server is: `mqtt://a:1884,b`.
    pub(crate) url: String,
    /// Which messages cross.
    pub(crate) maps: Vec<Map>,
    /// How to connect to the remote server.
    pub(crate) connect: ConnectArgs,
    /// Who the bridge is at the local server.
    pub(crate) local: Login,
    /// The version that is spoken there.
    pub(crate) version: Option<Version>,
    /// Whether the sessions at both servers end with their connections: here, and there.
    pub(crate) clean: [bool; 2],
    /// What is said of the session there.
    pub(crate) remote: Tuning,
    /// The first server is not come back to.
    pub(crate) round_robin: bool,
    /// The state is published here alone.
    pub(crate) notify_local_only: bool,
    /// Where the state of the bridge is published.
    pub(crate) notify: Option<ByteString>,
    /// Nothing leaves with the RETAIN flag.
    pub(crate) drops_retain: bool,
    /// Settings that are not supported.
    pub(crate) left_out: Vec<String>,
    /// Settings without effect, and why.
    pub(crate) idle: Vec<Flaw>,
    addresses: Vec<String>,
    tls: bool,
    notifications: bool,
    local_clean: Option<bool>,
}

/// A user name and a password.
#[derive(Clone, Debug, Default)]
pub(crate) struct Login {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// The section with this name, or the only one.
///
/// # Errors
/// No such section, several, or what is wrong in it, with its line.
pub(crate) fn parse(text: &str, name: Option<&str>) -> std::result::Result<Section, Flaw> {
    let mut sections: Vec<Section> = Vec::new();
    // Settings of a connection may follow those of a listener, which are none of ours, as mosquitto has it.
    let mut in_listener = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim();
        match key {
            "" => {}
            _ if key.starts_with('#') => {}
            "connection" => {
                in_listener = false;
                sections.push(Section {
                    name: value.to_owned(),
                    notifications: true,
                    ..Section::default()
                });
            }
            "listener" => in_listener = true,
            _ => {
                if let Some(section) = sections.last_mut() {
                    let known = section.setting(key, value);
                    match known.map_err(|why| Flaw::in_line(number, why))? {
                        Known::Yes => {}
                        Known::No if in_listener => {}
                        Known::No => section.left_out.push(format!("{key} {value}")),
                        Known::Idle(why) => {
                            let why = format!("{key} {value} has no effect: {why}");
                            section.idle.push(Flaw::in_line(number, why));
                        }
                    }
                }
            }
        }
    }
    let names: Vec<String> = sections.iter().map(|it| it.name.clone()).collect();
    let found = match name {
        Some(name) => sections.into_iter().find(|it| it.name == name),
        None if names.len() > 1 => {
            let names = names.join(", ");
            let why =
                format!("there are several connections ({names}); choose one with --connection");
            return Err(why.into());
        }
        None => sections.pop(),
    };
    let missing = || match name {
        Some(name) => format!("there is no connection {name:?}"),
        None => String::from("there is no connection section"),
    };
    Ok(found.ok_or_else(missing)?.finished()?)
}

/// Whether a setting is one of a connection.
enum Known {
    Yes,
    No,
    /// It is, and changes nothing.
    Idle(&'static str),
}

/// The bridge is connected for as long as it runs.
const NOT_LAZY: &str = "the bridge stays connected, whatever there is to carry";

impl Section {
    fn setting(&mut self, key: &str, value: &str) -> Result<Known, String> {
        let text = || Some(value.to_owned());
        match key {
            "address" | "addresses" => {
                self.addresses = value.split_whitespace().map(String::from).collect();
            }
            "topic" => self.maps.extend(topics::parse(value)?),
            "remote_username" | "username" => self.connect.username = text(),
            "remote_password" | "password" => self.connect.password = Some(Secret::from(value)),
            "local_username" => self.local.username = text(),
            "local_password" => self.local.password = Some(Secret::from(value)),
            "cleansession" => self.clean[1] = boolean(key, value)?,
            "local_cleansession" => self.local_clean = Some(boolean(key, value)?),
            "keepalive_interval" => self.remote.keep_alive = Some(number(key, value)?),
            "bridge_max_packet_size" => {
                // 0: any size.
                self.remote.max_packet_size = Some(number(key, value)?).filter(|bytes| *bytes > 0);
            }
            "bridge_receive_maximum" => self.remote.receive_maximum = Some(number(key, value)?),
            "bridge_session_expiry_interval" => {
                self.remote.session_expiry = Some(number(key, value)?);
            }
            "round_robin" => self.round_robin = boolean(key, value)?,
            "notifications_local_only" => self.notify_local_only = boolean(key, value)?,
            "start_type" => match value {
                "automatic" => {}
                "lazy" => return Ok(Known::Idle(NOT_LAZY)),
                "once" => self.connect.retry = Some(Retry::Never),
                _ => return Err(format!("{key}: {value:?} is not automatic, lazy or once")),
            },
            "notifications" => self.notifications = boolean(key, value)?,
            "notification_topic" => self.notify = Some(value.into()),
            "bridge_protocol_version" => self.version = Some(version(value)?),
            "bridge_outgoing_retain" => self.drops_retain = !boolean(key, value)?,
            "bridge_bind_address" => {
                let address = value.parse().map_err(|why| format!("{key}: {why}"))?;
                self.connect.bind = Some(address);
            }
            "bridge_identity" | "bridge_psk" => {
                return Err(format!("{key}: pre-shared keys over TCP are not supported"));
            }
            "idle_timeout" | "threshold" => return Ok(Known::Idle(NOT_LAZY)),
            "restart_timeout" => {
                return Ok(Known::Idle(
                    "the bridge waits at most 10 s between two tries",
                ));
            }
            // Sessions are told apart by the name, and loops seen whatever is said.
            "remote_clientid"
            | "clientid"
            | "local_clientid"
            | "try_private"
            | "bridge_attempt_unsubscribe" => {}
            _ => return self.tls_setting(key, value),
        }
        Ok(Known::Yes)
    }

    fn tls_setting(&mut self, key: &str, value: &str) -> Result<Known, String> {
        let path = || Some(PathBuf::from(value));
        match key {
            "bridge_cafile" => (self.connect.cafile, self.tls) = (path(), true),
            "bridge_capath" => (self.connect.capath, self.tls) = (path(), true),
            "bridge_certfile" => self.connect.cert = path(),
            "bridge_keyfile" => self.connect.key = path(),
            "bridge_insecure" => self.connect.insecure_name = boolean(key, value)?,
            "bridge_alpn" => self.connect.tls_alpn = vec![value.to_owned()],
            "bridge_tls_version" => {
                let version = value.parse().map_err(|why| format!("{key}: {why}"))?;
                self.connect.tls_version = Some(version);
            }
            "bridge_tls_use_os_certs" => self.tls |= boolean(key, value)?,
            _ => return Ok(Known::No),
        }
        Ok(Known::Yes)
    }

    /// A setting that is for an encrypted connection.
    fn encrypted(&self) -> Option<&'static str> {
        let connect = &self.connect;
        let settings = [
            ("bridge_tls_version", connect.tls_version.is_some()),
            ("bridge_certfile", connect.cert.is_some()),
            ("bridge_keyfile", connect.key.is_some()),
            ("bridge_insecure", connect.insecure_name),
            ("bridge_alpn", !connect.tls_alpn.is_empty()),
        ];
        let mut given = settings.into_iter().filter(|(_, given)| *given);
        given.next().map(|(key, _)| key)
    }

    fn finished(mut self) -> Result<Self, String> {
        if self.addresses.is_empty() {
            return Err(format!("connection {} has no address", self.name));
        }
        if let Some(key) = self.encrypted().filter(|_| !self.tls) {
            return Err(format!(
                "connection {}: {key} is for TLS, which needs bridge_cafile, bridge_capath or bridge_tls_use_os_certs true",
                self.name
            ));
        }
        // mosquitto refuses it too; what we carry without any topic is everything.
        if self.maps.is_empty() {
            return Err(format!("connection {} has no topic", self.name));
        }
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        self.url = format!("{scheme}://{}", self.addresses.join(","));
        if !self.notifications {
            self.notify = None;
        } else if self.notify.is_none() {
            let topic = format!("$SYS/broker/connection/{}/state", self.name);
            self.notify = Some(topic.into());
        }
        self.clean[0] = self.local_clean.unwrap_or(self.clean[1]);
        Ok(self)
    }
}

/// Reads a section of a file: its text, and what it says.
///
/// # Errors
/// A file that cannot be read; what is wrong in it, or not supported.
pub(super) fn read(import: &Import) -> Result<(String, Section)> {
    let text = file::read_text(&import.file, file::SMALL)?;
    let place = import.file.display();
    let section = parse(&text, import.connection.as_deref());
    let section = section.map_err(|flaw| flaw.refuses(&place))?;
    match &*section.left_out {
        [] => Ok((text, section)),
        settings => {
            let settings = settings.join(", ");
            let text = format!("{place}: not supported: {settings}");
            Err(Error::usage(text).hint("remove these lines"))
        }
    }
}

/// How to connect to the local server: as `local` has it where nothing else says who the bridge is there; and what is not used of it.
pub(super) fn logged_in(
    local: Login,
    end: &End,
    flags: ConnectArgs,
) -> (ConnectArgs, Option<&'static str>) {
    if local.username.is_none() && local.password.is_none() {
        return (flags, None);
    }
    match end {
        End::Url(_, url) if has_user(url) => (flags, Some("the URL of FROM has a user name")),
        End::Context(_) => (flags, Some("the context says who the bridge is at FROM")),
        _ => {
            let password = local.password.filter(|_| flags.password_file.is_none());
            let connect = ConnectArgs {
                username: local.username,
                password,
                ..flags
            };
            (connect, None)
        }
    }
}

/// How to connect: what the file says, unless `flags` do.
pub(super) fn merged(file: ConnectArgs, flags: ConnectArgs) -> ConnectArgs {
    ConnectArgs {
        username: file.username,
        password: match flags.password_file {
            Some(_) => None,
            None => file.password,
        },
        cafile: flags.cafile.or(file.cafile),
        capath: flags.capath.or(file.capath),
        cert: flags.cert.or(file.cert),
        key: flags.key.or(file.key),
        insecure_name: flags.insecure_name || file.insecure_name,
        tls_alpn: match flags.tls_alpn.is_empty() {
            true => file.tls_alpn,
            false => flags.tls_alpn,
        },
        tls_version: flags.tls_version.or(file.tls_version),
        bind: flags.bind.or(file.bind),
        retry: flags.retry.or(file.retry),
        ..flags
    }
}

fn boolean(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{key}: {value:?} is not true or false")),
    }
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{key}: {value:?} is not a number that it can have"))
}

fn version(value: &str) -> Result<Version, String> {
    match value {
        "mqttv31" => Ok(Version::V31),
        "mqttv311" => Ok(Version::V311),
        "mqttv50" => Ok(Version::V5),
        _ => Err(format!("{value:?} is not mqttv31, mqttv311 or mqttv50")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# local
port 1883
persistence true

connection cloud
address a.example:1884 b.example
topic sensors/# out 1 \"\" site1/
topic cmd/# in 2
remote_username me
remote_password secret
bridge_cafile /etc/ca.pem
cleansession false
notification_topic bridges/cloud
bridge_max_packet_size 1000
bridge_receive_maximum 7
local_cleansession true
start_type once
bridge_reload_type lazy
local_username here
local_password hidden

connection other
start_type lazy
idle_timeout 30
restart_timeout 5
listener 1884
allow_anonymous true
address c
topic x/# out 1
";

    #[test]
    fn a_section_is_taken_over() {
        let section = parse(FILE, Some("cloud")).unwrap();
        assert_eq!(section.url, "mqtts://a.example:1884,b.example");
        assert_eq!(section.maps.len(), 2);
        assert_eq!(section.connect.username.as_deref(), Some("me"));
        assert_eq!(section.notify.as_deref(), Some("bridges/cloud"));
        assert_eq!(section.clean, [true, false]);
        assert_eq!(section.remote.max_packet_size, Some(1000));
        assert_eq!(section.remote.receive_maximum, Some(7));
        assert_eq!(section.connect.retry, Some(Retry::Never));
        assert_eq!(section.left_out, ["bridge_reload_type lazy"]);
        let other = parse(FILE, Some("other")).unwrap();
        assert_eq!(other.url, "mqtt://c");
        assert_eq!(other.left_out, [""; 0]);
        assert_eq!(
            other
                .idle
                .iter()
                .map(|flaw| flaw.told_of("f"))
                .collect::<Vec<_>>(),
            [
                format!("f:23: start_type lazy has no effect: {NOT_LAZY}"),
                format!("f:24: idle_timeout 30 has no effect: {NOT_LAZY}"),
                String::from(
                    "f:25: restart_timeout 5 has no effect: the bridge waits at most 10 s between two tries"
                ),
            ]
        );
        let state = "$SYS/broker/connection/other/state";
        assert_eq!(other.notify.as_deref(), Some(state));
    }

    #[test]
    fn the_local_login_is_used_where_nothing_else_says_who_we_are() {
        let local = parse(FILE, Some("cloud")).unwrap().local;
        let login = |name: &str| {
            let end = End::parse(name).unwrap();
            let (connect, why) = logged_in(local.clone(), &end, ConnectArgs::default());
            (connect.username, connect.password.is_some(), why)
        };
        assert_eq!(login("mqtt://h"), (Some("here".into()), true, None));
        let given = "the URL of FROM has a user name";
        assert_eq!(login("mqtt://u:p@h"), (None, false, Some(given)));
        let context = "the context says who the bridge is at FROM";
        assert_eq!(login("prod"), (None, false, Some(context)));
        let flags = ConnectArgs {
            password_file: Some("p".into()),
            ..ConnectArgs::default()
        };
        let end = End::parse("mqtt://h").unwrap();
        assert!(logged_in(local, &end, flags).0.password.is_none());
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, why) in [
            (
                FILE,
                "f: there are several connections (cloud, other); choose one with --connection",
            ),
            ("port 1", "f: there is no connection section"),
            ("connection a", "f: connection a has no address"),
            (
                "connection a\naddress b\n#topic # out 1",
                "f: connection a has no topic",
            ),
            (
                "connection a\ntopic # x",
                "f:2: \"x\" is not out, in or both",
            ),
            (
                "connection a\nbridge_psk 00",
                "f:2: bridge_psk: pre-shared keys over TCP are not supported",
            ),
            (
                "connection a\nbridge_receive_maximum 70000",
                "f:2: bridge_receive_maximum: \"70000\" is not a number that it can have",
            ),
            (
                "connection a\naddress b\nbridge_tls_version tlsv1.2",
                "f: connection a: bridge_tls_version is for TLS, which needs bridge_cafile, bridge_capath or bridge_tls_use_os_certs true",
            ),
            (
                "connection a\nstart_type manual",
                "f:2: start_type: \"manual\" is not automatic, lazy or once",
            ),
            (
                "connection a\ncleansession 1",
                "f:2: cleansession: \"1\" is not true or false",
            ),
        ] {
            assert_eq!(parse(text, None).unwrap_err().told_of("f"), why);
        }
        let missing = parse(FILE, Some("x")).unwrap_err();
        assert_eq!(missing.told_of("f"), "f: there is no connection \"x\"");
    }
}
