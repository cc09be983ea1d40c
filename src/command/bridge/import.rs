//! A bridge section of mosquitto.conf as a bridge of ours.

use std::path::PathBuf;

use bytestring::ByteString;

use super::Tuning;
use super::topics::{self, Map};
use crate::connect::{ConnectArgs, Retry, Secret};
use crate::error::{Error, Result};
use crate::file;
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
    /// Settings that are not taken over, each with its line.
    pub(crate) left_out: Vec<String>,
    addresses: Vec<String>,
    tls: bool,
    notifications: bool,
    local_clean: Option<bool>,
}

/// The section with this name, or the only one.
///
/// # Errors
/// No such section, several, or what is wrong in it, with its line.
pub(crate) fn parse(text: &str, name: Option<&str>) -> std::result::Result<Section, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim();
        match key {
            "" => {}
            _ if key.starts_with('#') => {}
            "connection" => sections.push(Section {
                name: value.to_owned(),
                notifications: true,
                ..Section::default()
            }),
            "listener" => {
                // What follows is about the listener.
                if let Some(last) = sections.last_mut().filter(|it| it.addresses.is_empty()) {
                    let text = format!("line {}: a listener within a connection", at + 1);
                    last.left_out.push(text);
                }
            }
            _ => {
                if let Some(section) = sections.last_mut() {
                    section
                        .setting(key, value)
                        .map_err(|why| format!("line {}: {why}", at + 1))?;
                }
            }
        }
    }
    let names: Vec<String> = sections.iter().map(|it| it.name.clone()).collect();
    let found = match name {
        Some(name) => sections.into_iter().find(|it| it.name == name),
        None if names.len() > 1 => {
            let names = names.join(", ");
            return Err(format!(
                "there are several connections ({names}); choose one with --connection"
            ));
        }
        None => sections.pop(),
    };
    let missing = || match name {
        Some(name) => format!("there is no connection {name:?}"),
        None => String::from("there is no connection section"),
    };
    found.ok_or_else(missing)?.finished()
}

impl Section {
    fn setting(&mut self, key: &str, value: &str) -> Result<(), String> {
        let text = || Some(value.to_owned());
        match key {
            "address" | "addresses" => {
                self.addresses = value.split_whitespace().map(String::from).collect();
            }
            "topic" => self.maps.extend(topics::parse(value)?),
            "remote_username" | "username" => self.connect.username = text(),
            "remote_password" | "password" => self.connect.password = Some(Secret::from(value)),
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
                "automatic" | "lazy" => {}
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
            // Sessions are told apart by the name, outages waited out with a back-off of our own, and loops seen whatever is
            // said; the connection is there as long as the bridge is.
            "remote_clientid"
            | "clientid"
            | "local_clientid"
            | "restart_timeout"
            | "try_private"
            | "idle_timeout"
            | "threshold"
            | "bridge_attempt_unsubscribe" => {}
            _ => return self.tls_setting(key, value),
        }
        Ok(())
    }

    fn tls_setting(&mut self, key: &str, value: &str) -> Result<(), String> {
        let path = || Some(PathBuf::from(value));
        match key {
            "bridge_cafile" => (self.connect.cafile, self.tls) = (path(), true),
            "bridge_capath" => (self.connect.capath, self.tls) = (path(), true),
            "bridge_certfile" => self.connect.cert = path(),
            "bridge_keyfile" => self.connect.key = path(),
            "bridge_insecure" => self.connect.insecure_name = boolean(key, value)?,
            "bridge_alpn" => self.connect.tls_alpn = vec![value.to_owned()],
            "bridge_tls_version" => self.connect.tls_version = Some(value.parse()?),
            "bridge_tls_use_os_certs" => self.tls |= boolean(key, value)?,
            _ => self.left_out.push(format!("{key} {value}")),
        }
        Ok(())
    }

    fn finished(mut self) -> Result<Self, String> {
        if self.addresses.is_empty() {
            return Err(format!("connection {} has no address", self.name));
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
    let section = section.map_err(|why| Error::usage(format!("{place}: {why}")))?;
    match &*section.left_out {
        [] => Ok((text, section)),
        settings => {
            let settings = settings.join(", ");
            let text = format!("{place}: not supported: {settings}");
            Err(Error::usage(text).hint("remove these lines"))
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

connection other
address c
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
        let state = "$SYS/broker/connection/other/state";
        assert_eq!(other.notify.as_deref(), Some(state));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, why) in [
            (
                FILE,
                "there are several connections (cloud, other); choose one with --connection",
            ),
            ("port 1", "there is no connection section"),
            ("connection a", "connection a has no address"),
            (
                "connection a\ntopic # x",
                "line 2: \"x\" is not out, in or both",
            ),
            (
                "connection a\nbridge_psk 00",
                "line 2: bridge_psk: pre-shared keys over TCP are not supported",
            ),
            (
                "connection a\nbridge_receive_maximum 70000",
                "line 2: bridge_receive_maximum: \"70000\" is not a number that it can have",
            ),
            (
                "connection a\nstart_type manual",
                "line 2: start_type: \"manual\" is not automatic, lazy or once",
            ),
            (
                "connection a\ncleansession 1",
                "line 2: cleansession: \"1\" is not true or false",
            ),
        ] {
            assert_eq!(parse(text, None).unwrap_err(), why);
        }
        let missing = parse(FILE, Some("x")).unwrap_err();
        assert_eq!(missing, "there is no connection \"x\"");
    }
}
