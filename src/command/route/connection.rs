//! The keys of a source and of a target that say how to connect there. They are the long flags of the same names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::file::Names;
use crate::connect::{ConnectArgs, Family, Pin, Proxy, Retry, TlsVersion, duration, family};

/// Gives a macro what it is given in braces, and these keys: the only list of them.
macro_rules! with_connection_keys {
    ($make:ident! { $($given:tt)* }) => {
        $make! {
            { $($given)* }
            {
                /// A file with the password.
                password_file: PathBuf,
                /// A file of certificates to trust.
                cafile: PathBuf,
                /// A folder of such files.
                capath: PathBuf,
                /// Our certificate chain: that of a client, or of a server of ours.
                cert: PathBuf,
                /// Its private key.
                key: PathBuf,
                /// A file with the password of that key.
                key_password_file: PathBuf,
                /// Keys one of which the server must have.
                tls_pin: Several<Pin>,
                /// The server is not verified.
                insecure: bool,
                /// The name in its certificate is not verified.
                insecure_name: bool,
                /// The name to send and to verify instead of the host.
                tls_server_name: String,
                /// Protocols to offer, best first.
                tls_alpn: Names,
                /// A file that the secrets of TLS connections are appended to.
                tls_keylog: PathBuf,
                /// The versions of TLS.
                tls_version: Spelled<TlsVersion>,
                /// The way there.
                proxy: Spelled<Proxy>,
                /// How long it may take to connect.
                connect_timeout: Spelled<Limit>,
                /// Whether and how long to try again.
                retry: Spelled<Retry>,
                /// Addresses of this family only.
                ipv4: bool,
                /// Or of this one.
                ipv6: bool,
            }
        }
    };
}

macro_rules! connection {
    ({} { $($(#[$about:meta])* $key:ident: $type:ty,)* }) => {
        /// What a table says of its connection.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct Connection {
            $($(#[$about])* pub(crate) $key: Option<$type>,)*
        }

        impl Connection {
            /// The first key that is there.
            pub(super) fn given(&self) -> Option<String> {
                let keys = [$((stringify!($key), self.$key.is_some())),*];
                let mut given = keys.into_iter().filter(|(_, given)| *given);
                given.next().map(|(key, _)| key.replace('_', "-"))
            }

            /// What is said of flags, said of these keys.
            pub(super) fn in_keys(text: &str) -> String {
                let keys = [$(stringify!($key)),*];
                let mut text = text.replace(" -4 ", " ipv4 ").replace(" -6 ", " ipv6 ");
                for key in keys {
                    let key = key.replace('_', "-");
                    text = text.replace(&format!("--{key}"), &key);
                }
                text
            }
        }
    };
}

with_connection_keys!(connection! {});
pub(super) use with_connection_keys;

impl Connection {
    /// What was said of a connection, but for where to, and secrets that are in no file.
    pub(crate) fn of(args: &ConnectArgs) -> Self {
        let only = |asked: Family| (args.family == Some(asked)).then_some(true);
        Self {
            password_file: args.password_file.clone(),
            cafile: args.cafile.clone(),
            capath: args.capath.clone(),
            cert: args.cert.clone(),
            key: args.key.clone(),
            key_password_file: args.key_password_file.clone(),
            tls_pin: Some(&args.tls_pins)
                .filter(|pins| !pins.is_empty())
                .map(|pins| Several(pins.clone())),
            insecure: args.insecure,
            insecure_name: args.insecure_name.then_some(true),
            tls_server_name: args.tls_server_name.clone(),
            tls_alpn: match args.tls_alpn.as_slice() {
                [] => None,
                [only] => Some(Names::One(only.clone())),
                several => Some(Names::Several(several.to_vec())),
            },
            tls_keylog: args.tls_keylog.clone(),
            tls_version: args.tls_version.map(Spelled),
            proxy: args.proxy.clone().map(Spelled),
            connect_timeout: args.connect_timeout.map(|it| Spelled(Limit(it))),
            retry: args.retry.map(Spelled),
            ipv4: only(Family::V4),
            ipv6: only(Family::V6),
        }
    }

    /// How to connect, but for where to.
    ///
    /// # Errors
    /// Keys that exclude each other.
    pub(super) fn args(self) -> Result<ConnectArgs, String> {
        let [v4, v6] = [self.ipv4, self.ipv6].map(|it| it == Some(true));
        Ok(ConnectArgs {
            password_file: self.password_file,
            cafile: self.cafile,
            capath: self.capath,
            cert: self.cert,
            key: self.key,
            key_password_file: self.key_password_file,
            tls_pins: self.tls_pin.map(|Several(pins)| pins).unwrap_or_default(),
            insecure: self.insecure,
            insecure_name: self.insecure_name == Some(true),
            tls_server_name: self.tls_server_name,
            tls_alpn: self.tls_alpn.unwrap_or_default().all().to_vec(),
            tls_keylog: self.tls_keylog,
            tls_version: self.tls_version.map(|Spelled(version)| version),
            proxy: self.proxy.map(|Spelled(proxy)| proxy),
            connect_timeout: self.connect_timeout.map(|Spelled(Limit(time))| time),
            retry: self.retry.map(|Spelled(retry)| retry),
            family: family(v4, v6).map_err(|()| "ipv4 and ipv6 exclude each other")?,
            ..ConnectArgs::default()
        })
    }

    /// Paths are from this folder.
    pub(super) fn beneath(mut self, folder: &Path) -> Self {
        let files = [
            &mut self.password_file,
            &mut self.cafile,
            &mut self.capath,
            &mut self.cert,
            &mut self.key,
            &mut self.key_password_file,
            &mut self.tls_keylog,
        ];
        for path in files.into_iter().flatten() {
            *path = folder.join(&*path);
        }
        self
    }
}

/// What is spelled as on the command line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spelled<T>(pub(crate) T);

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Spelled<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<T: fmt::Display> Serialize for Spelled<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// One or several of what is spelled as on the command line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Names::deserialize(deserializer)?;
        let read = names.all().iter().map(|text| text.parse());
        let read = read.collect::<Result<_, _>>();
        read.map(Self).map_err(D::Error::custom)
    }
}

impl<T: fmt::Display> Serialize for Several<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => serializer.collect_str(only),
            several => serializer.collect_seq(several.iter().map(ToString::to_string)),
        }
    }
}

/// A time that is not over at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Duration);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match duration(text)? {
            Duration::ZERO => Err(format!("{text:?}: it must be more than 0")),
            time => Ok(Self(time)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::route::file::{SourceTable, TargetTable};

    /// The base64 of 32 zeros.
    const PIN: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn what_is_written_is_read_again() {
        let args = ConnectArgs {
            cafile: Some("ca.pem".into()),
            capath: Some("ca".into()),
            key_password_file: Some("secret".into()),
            tls_pins: vec![PIN.parse().unwrap()],
            insecure: Some(true),
            insecure_name: true,
            tls_server_name: Some("other.example".into()),
            tls_alpn: vec!["mqtt".into(), "x".into()],
            tls_version: Some(TlsVersion::V13),
            proxy: Some("http://u:hidden@p.example:3128".parse().unwrap()),
            connect_timeout: Some(Duration::from_millis(1500)),
            retry: Some(Retry::For(Duration::from_secs(90))),
            family: Some(Family::V6),
            ..ConnectArgs::default()
        };
        let table = SourceTable::default().connected(Connection::of(&args));
        let text = toml::to_string(&table).unwrap();
        assert!(!text.contains("hidden"), "{text}");
        for line in [
            "proxy = \"http://p.example:3128\"",
            "retry = \"1m 30s\"",
            "connect-timeout = \"1s 500ms\"",
            "tls-version = \"1.3\"",
            "ipv6 = true",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let read: TargetTable = toml::from_str(&text).unwrap();
        let again = Connection::of(&read.connection().args().unwrap());
        let shown = "http://p.example:3128".parse().unwrap();
        let expected = Connection {
            proxy: Some(Spelled(shown)),
            ..Connection::of(&args)
        };
        assert_eq!(again, expected);
        assert_eq!(again.given().as_deref(), Some("cafile"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (line, why) in [
            ("retry = \"soon\"", "\"soon\" is not never, forever"),
            ("connect-timeout = \"0\"", "\"0\": it must be more than 0"),
            ("tls-pin = \"x\"", "\"x\" is not sha256/"),
            ("tls-version = \"1.1\"", "\"1.1\" is not a TLS version"),
            ("proxy = \"ftp://h\"", "expected socks5h://HOST:PORT"),
            ("insecur = true", "unknown field `insecur`"),
        ] {
            let refused = toml::from_str::<SourceTable>(line).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
        }
        let both: SourceTable = toml::from_str("ipv4 = true\nipv6 = true").unwrap();
        let refused = both.connection().args().unwrap_err();
        assert_eq!(refused, "ipv4 and ipv6 exclude each other");
    }

    #[test]
    fn paths_are_from_the_folder() {
        let connection = Connection {
            capath: Some("ca".into()),
            cert: Some("/etc/cert.pem".into()),
            ..Connection::default()
        };
        let beneath = connection.beneath(Path::new("/etc/iotctl"));
        assert_eq!(beneath.capath, Some("/etc/iotctl/ca".into()));
        assert_eq!(beneath.cert, Some("/etc/cert.pem".into()));
    }
}
