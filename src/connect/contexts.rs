//! Contexts: connections that have a name, in the configuration file.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Kind, Result, meant};
use crate::file;

use super::args::{self, ConnectArgs, OscoreArgs, Retry, TlsVersion};
use super::environment::Environment;
use super::pin::Pin;
use super::proxy::Proxy;
use super::scheme::Protocol;
use super::secret::Secret;
use super::zone::LocalAddress;

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The context that counts when none is asked for.
    context: Option<String>,
    #[serde(default)]
    contexts: BTreeMap<String, Context>,
}

/// One context; its keys are named as the long flags.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Context {
    url: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    unix: Option<PathBuf>,
    username: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    password_prompt: bool,
    password_command: Option<String>,
    cafile: Option<PathBuf>,
    capath: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    key_password: Option<Secret>,
    key_password_file: Option<PathBuf>,
    insecure: Option<bool>,
    insecure_name: bool,
    tls_server_name: Option<String>,
    tls_alpn: Vec<String>,
    #[serde(deserialize_with = "from_texts")]
    tls_pin: Vec<Pin>,
    #[serde(deserialize_with = "from_text")]
    tls_version: Option<TlsVersion>,
    psk_identity: Option<String>,
    psk: Option<Secret>,
    psk_file: Option<PathBuf>,
    rpk_key: Option<PathBuf>,
    rpk_peer: Option<PathBuf>,
    oscore_secret: Option<Secret>,
    oscore_secret_file: Option<PathBuf>,
    oscore_salt: Option<Secret>,
    oscore_sender_id: Option<String>,
    oscore_recipient_id: Option<String>,
    oscore_id_context: Option<String>,
    oscore_state: Option<PathBuf>,
    #[serde(deserialize_with = "from_duration")]
    connect_timeout: Option<Duration>,
    #[serde(deserialize_with = "from_text")]
    retry: Option<Retry>,
    srv: bool,
    ipv4: bool,
    ipv6: bool,
    #[serde(deserialize_with = "from_text")]
    bind: Option<LocalAddress>,
    #[serde(deserialize_with = "from_text")]
    proxy: Option<Proxy>,
    tls_keylog: Option<PathBuf>,
    ws: bool,
    ws_header: Vec<String>,
}

/// The words of the context `asked` for, or of the file's default one; none when there is no file.
///
/// # Errors
/// [`crate::error::Kind::Usage`] for an unknown context or a mistake in the file, with its line;
/// [`crate::error::Kind::Local`] for a file that cannot be read, be it only that `IOTCTL_CONFIG` names one that is not there.
pub(super) fn words(asked: Option<&str>, environment: &Environment) -> Result<ConnectArgs> {
    let Some(path) = environment.config_file() else {
        return missing(asked, None);
    };
    // A service often runs with a HOME that it may not read, or that is no folder: that matters to who asks for a context.
    let is_named = environment.names_config_file();
    if asked.is_none() && !is_named && File::open(&path).is_err() {
        return Ok(ConnectArgs::default());
    }
    if !is_named && !path.try_exists().unwrap_or(true) {
        return missing(asked, Some(&path));
    }
    let text = file::read_text(&path, file::SMALL).map_err(|why| match why.kind() {
        Kind::Local if is_named => why.hint("IOTCTL_CONFIG names this file"),
        _ => why,
    })?;
    let mut config: Config =
        toml::from_str(&text).map_err(|cause| mistake(&path, &text, &cause))?;
    let Some(name) = asked.map(str::to_owned).or_else(|| config.context.take()) else {
        return Ok(ConnectArgs::default());
    };
    match config.contexts.remove(&name) {
        Some(context) => Ok(context.words(&Folders::new(&path, environment), &path)?),
        None => Err(unknown(&name, &path, &config)),
    }
}

/// The protocol of the server of a context.
///
/// # Errors
/// Those of [`words`].
pub(crate) fn protocol(name: &str, environment: &Environment) -> Result<Protocol> {
    let url = words(Some(name), environment)?.url;
    Ok(protocol_of(url.as_deref()))
}

/// The protocol of the server that the environment or the usual context names.
///
/// # Errors
/// Those of [`words`].
pub(crate) fn usual_protocol(environment: &Environment) -> Result<Protocol> {
    let given = environment.words()?;
    let url = match given.url {
        Some(url) => Some(url),
        None => words(given.context.as_deref(), environment)?.url,
    };
    Ok(protocol_of(url.as_deref()))
}

/// The protocol that a URL tells; MQTT where a server is named by its host alone, or not at all.
fn protocol_of(url: Option<&str>) -> Protocol {
    let scheme = url.and_then(|url| url.split_once(':'));
    let protocol = scheme.and_then(|(scheme, _)| Protocol::of_scheme(scheme));
    protocol.unwrap_or(Protocol::Mqtt)
}

/// The names of the contexts in the configuration file; none where it cannot be read.
pub(crate) fn names(environment: &Environment) -> Vec<String> {
    let read = || {
        let text = file::read_text(&environment.config_file()?, file::SMALL).ok()?;
        toml::from_str::<Config>(&text).ok()
    };
    let config = read().unwrap_or_default();
    config.contexts.into_keys().collect()
}

fn missing(asked: Option<&str>, path: Option<&Path>) -> Result<ConnectArgs> {
    match (asked, path) {
        (None, _) => Ok(ConnectArgs::default()),
        (Some(name), Some(path)) => Err(or_host(
            name,
            Error::usage(format!(
                "unknown context {name:?}: {} does not exist",
                path.display()
            )),
        )),
        (Some(name), None) => Err(or_host(
            name,
            Error::usage(format!(
                "unknown context {name:?}: HOME is not set, so there is no configuration file"
            )),
        )),
    }
}

/// A host that people name where a context or a URL stands.
const LOCAL_HOST: &str = "localhost";

/// The same, with what to write for a server.
fn or_host(name: &str, error: Error) -> Error {
    match name == LOCAL_HOST {
        true => error.hint("write mqtt://localhost for a server on this machine"),
        false => error,
    }
}

fn unknown(name: &str, path: &Path, config: &Config) -> Error {
    let known: Vec<&str> = config.contexts.keys().map(String::as_str).collect();
    let error = Error::usage(format!("unknown context {name:?} in {}", path.display()));
    if name == LOCAL_HOST {
        return or_host(name, error);
    }
    if known.is_empty() {
        return error.hint(format!(
            "the file has no contexts; add a table [contexts.{name}]"
        ));
    }
    match *meant(name, known.iter().copied()) {
        [near, ..] => error.hint(format!("did you mean {near:?}?")),
        [] => error.hint(format!("known contexts: {}", known.join(", "))),
    }
}

/// TOML's own message shows the line itself, which may hold a password: only its number is shown.
fn mistake(path: &Path, text: &str, cause: &toml::de::Error) -> Error {
    let Range { start, .. } = cause.span().unwrap_or_default();
    // `[context.dev]`: above the tables it is the name of one.
    let is_table = cause.message().starts_with("invalid type: map");
    if is_table && file::key_of_mistake(cause).as_deref() == Some("context") {
        let why = "context is the name of the default context, not a table";
        return file::mistaken(path, text, start, why).hint("write [contexts.NAME] for a context");
    }
    file::mistaken(path, text, start, file::mistake(cause))
}

impl Context {
    fn words(self, folders: &Folders, path: &Path) -> Result<ConnectArgs> {
        let place = |file: Option<PathBuf>| file.map(|file| folders.place(file));
        Ok(ConnectArgs {
            url: self.url,
            host: self.host,
            port: self.port,
            unix: place(self.unix),
            username: self.username,
            password: self.password,
            password_file: place(self.password_file),
            password_prompt: self.password_prompt,
            password_command: self.password_command,
            cafile: place(self.cafile),
            capath: place(self.capath),
            cert: place(self.cert),
            key: place(self.key),
            key_password: self.key_password,
            key_password_file: place(self.key_password_file),
            insecure: self.insecure,
            insecure_name: self.insecure_name,
            tls_server_name: self.tls_server_name,
            tls_alpn: self.tls_alpn,
            tls_pins: self.tls_pin,
            tls_version: self.tls_version,
            psk_identity: self.psk_identity,
            psk: self.psk,
            psk_file: place(self.psk_file),
            rpk_key: place(self.rpk_key),
            rpk_peer: place(self.rpk_peer),
            oscore: OscoreArgs {
                secret: self.oscore_secret,
                secret_file: place(self.oscore_secret_file),
                salt: self.oscore_salt,
                sender_id: self.oscore_sender_id,
                recipient_id: self.oscore_recipient_id,
                id_context: self.oscore_id_context,
                state: place(self.oscore_state),
            },
            connect_timeout: self.connect_timeout,
            retry: self.retry,
            srv: self.srv,
            family: args::family(self.ipv4, self.ipv6).map_err(|()| {
                let path = path.display();
                Error::usage(format!("{path}: ipv4 and ipv6 cannot be used together"))
            })?,
            bind: self.bind,
            proxy: self.proxy,
            tls_keylog: place(self.tls_keylog),
            websocket: self.ws,
            headers: self
                .ws_header
                .iter()
                .map(|text| header(text, path))
                .collect::<Result<_>>()?,
            ..ConnectArgs::default()
        })
    }
}

fn header(text: &str, path: &Path) -> Result<(String, String)> {
    match text.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(Error::usage(format!(
            "{}: ws-header must be NAME: VALUE",
            path.display()
        ))),
    }
}

/// Where the files of a context are: relative to the configuration file, `~/` being the home folder.
struct Folders {
    base: PathBuf,
    home: Option<PathBuf>,
}

impl Folders {
    fn new(config: &Path, environment: &Environment) -> Self {
        Self {
            base: config.parent().map(Path::to_owned).unwrap_or_default(),
            home: environment.home(),
        }
    }

    fn place(&self, file: PathBuf) -> PathBuf {
        match (file.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.base.join(file),
        }
    }
}

fn from_texts<'de, D: Deserializer<'de>, T: std::str::FromStr<Err = String>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = texts.iter().map(|text| text.parse());
    read.collect::<Result<_, _>>().map_err(D::Error::custom)
}

fn from_text<'de, D: Deserializer<'de>, T: std::str::FromStr<Err = String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

fn from_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    args::duration(&text).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn with_file(text: &str, asked: Option<&str>) -> Result<ConnectArgs> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        let environment = Environment::of([
            ("IOTCTL_CONFIG", path.as_os_str()),
            ("HOME", std::ffi::OsStr::new("/home/me")),
        ]);
        words(asked, &environment)
    }

    const TWO: &str = "context = \"dev\"\n[contexts.dev]\nhost = \"d\"\n[contexts.prod]\nurl = \"mqtts://p\"\n\
        username = \"me\"\npassword = \"pw\"\ncafile = \"ca.pem\"\nkey = \"~/key.pem\"\nretry = \"30s\"\n\
        tls-version = \"1.3\"\nconnect-timeout = \"2s\"\nbind = \"127.0.0.1\"\nws-header = [\"A: b\"]\n";

    #[test]
    fn a_context_is_found_by_name_and_by_default() {
        let prod = with_file(TWO, Some("prod")).unwrap();
        assert_eq!(prod.url.as_deref(), Some("mqtts://p"));
        assert_eq!(prod.retry, Some(Retry::For(Duration::from_secs(30))));
        assert_eq!(prod.tls_version, Some(TlsVersion::V13));
        assert_eq!(prod.connect_timeout, Some(Duration::from_secs(2)));
        let named = with_file("[contexts.a]\ninsecure-name = true\n", Some("a")).unwrap();
        assert!(named.insecure_name && !prod.insecure_name);
        assert_eq!(prod.headers, [(String::from("A"), String::from("b"))]);
        assert_eq!(with_file(TWO, None).unwrap().host.as_deref(), Some("d"));
    }

    #[test]
    fn files_are_relative_to_the_configuration_file_or_at_home() {
        let prod = with_file(TWO, Some("prod")).unwrap();
        assert_eq!(prod.key, Some(PathBuf::from("/home/me/key.pem")));
        let cafile = prod.cafile.unwrap();
        assert!(
            cafile.is_absolute() && cafile.ends_with("ca.pem"),
            "{}",
            cafile.display()
        );
    }

    #[test]
    fn an_unknown_context_lists_the_known_ones() {
        let refused = with_file(TWO, Some("test")).unwrap_err();
        assert!(
            refused.text().starts_with("unknown context \"test\" in "),
            "{refused}"
        );
        assert_eq!(
            (refused.hint_text(), refused.exit_code()),
            (Some("known contexts: dev, prod"), 2)
        );
    }

    #[test]
    fn a_slip_in_the_name_of_a_context_is_told() {
        let refused = with_file(TWO, Some("localhost")).unwrap_err();
        let told = refused.hint_text().unwrap_or_default();
        assert!(told.contains("mqtt://localhost"), "{told}");
        let refused = with_file(TWO, Some("prdo")).unwrap_err();
        assert!(refused.text().ends_with("config.toml"), "{refused}");
        assert_eq!(refused.hint_text(), Some("did you mean \"prod\"?"));
    }

    #[test]
    fn mistakes_name_the_file_and_the_line() {
        for (text, line, words) in [
            ("[contexts.a]\nhots = \"x\"\n", 2, "unknown field `hots`"),
            (
                "[contexts.a]\n\nport = \"x\"\n",
                3,
                "port: expected a whole number from 1 to 65535, not a string",
            ),
            ("[contexts.a]\nport = 70000\n", 2, "not 70000"),
            (
                "[contexts]\na = \"x\"\n",
                2,
                "a: expected a table, not a string",
            ),
            (
                "\n[context.a]\nhost = \"h\"\n",
                2,
                "context is the name of the default context, not a table",
            ),
            ("[contexts.a\n", 1, ""),
            (
                "[contexts.a]\nretry = \"soon\"\n",
                2,
                "\"soon\" is not never, forever",
            ),
            ("[contexts.a]\nbind = \"no-such0\"\n", 2, "no-such0"),
            ("colour = 1\n", 1, "unknown field `colour`"),
        ] {
            let refused = with_file(text, Some("a")).unwrap_err();
            let place = format!("config.toml:{line}: ");
            assert!(
                refused.text().contains(&place) && refused.text().contains(words),
                "{text}: {refused}"
            );
            assert_eq!(refused.exit_code(), 2);
        }
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_quoted() {
        for text in [
            "[contexts]\na = \"mqtt://ann:4711@h\"\n",
            "[contexts.a]\nws-header = \"Authorization: 4711, expected \"\n",
            "[contexts.a]\nport = \"4711x\"\n",
            "contexts = \"4711\"\n",
            "[contexts.a]\npassword = 4711\n",
            "[contexts.a]\npassword = \"4711\n",
        ] {
            let refused = with_file(text, Some("a")).unwrap_err();
            assert!(!refused.text().contains("4711"), "{refused}");
        }
    }

    #[test]
    fn a_strange_home_matters_only_to_who_asks_for_a_context() {
        for home in [
            "/dev/null",
            "/proc/self/mem",
            "relative",
            "/nonexistent/\u{fffd}",
        ] {
            let environment = Environment::of([("HOME", home)]);
            assert!(words(None, &environment).is_ok(), "{home}");
            let refused = words(Some("prod"), &environment).unwrap_err();
            assert!(refused.text().contains("config.toml"), "{refused}");
        }
    }

    #[test]
    fn a_missing_file_matters_only_to_who_asks_for_a_context() {
        let environment = Environment::of([("XDG_CONFIG_HOME", "/nonexistent")]);
        assert!(words(None, &environment).is_ok());
        let refused = words(Some("prod"), &environment).unwrap_err();
        assert_eq!(
            refused.text(),
            "unknown context \"prod\": /nonexistent/iotctl/config.toml does not exist"
        );
        assert_eq!(refused.exit_code(), 2);
    }

    #[test]
    fn a_file_that_the_environment_names_must_be_there() {
        let environment = Environment::of([("IOTCTL_CONFIG", "/nonexistent/config.toml")]);
        for asked in [None, Some("prod"), Some("localhost")] {
            let refused = words(asked, &environment).unwrap_err();
            assert_eq!(
                refused.text(),
                "cannot read /nonexistent/config.toml: no such file or directory"
            );
            assert_eq!(
                (refused.hint_text(), refused.exit_code()),
                (Some("IOTCTL_CONFIG names this file"), 8)
            );
        }
    }

    /// By its name as by default.
    #[test]
    fn a_context_without_a_url_is_a_server_of_mqtt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "context = \"a\"\n[contexts.a]\nhost = \"h\"\nport = 1884\n[contexts.b]\nurl = \"coap://h\"\n";
        fs::write(&path, text).unwrap();
        let environment = Environment::of([("IOTCTL_CONFIG", path.as_os_str())]);
        assert_eq!(protocol("a", &environment).unwrap(), Protocol::Mqtt);
        assert_eq!(usual_protocol(&environment).unwrap(), Protocol::Mqtt);
        assert_eq!(protocol("b", &environment).unwrap(), Protocol::Coap);
    }
}
