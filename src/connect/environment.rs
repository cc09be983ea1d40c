//! The variables and the prompt of the process, as a value that tests can make up.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, Result};

use super::args::{self, ConnectArgs, OscoreArgs};
use super::family::Family;
use super::pin::Pin;
use super::secret::Secret;

/// Asks the user for a secret: the question in, the answer out.
pub(crate) type Prompt = fn(&str) -> io::Result<String>;

/// What `IOTCTL_*`, `XDG_CONFIG_HOME`, `XDG_STATE_HOME`, `SSLKEYLOGFILE` and `HOME` say, and how to ask for a password.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    prompt: Prompt,
}

/// Where OpenSSL, curl and browsers append the secrets of TLS connections to.
const KEY_LOG: &str = "SSLKEYLOGFILE";

/// The variables whose values are secrets, or may hold some, as a URL may: for commands that we start they are removed.
pub(crate) const SECRET_VARIABLES: [&str; 7] = [
    "IOTCTL_KEY_PASSWORD",
    "IOTCTL_URL",
    "IOTCTL_PROXY",
    "IOTCTL_PASSWORD",
    "IOTCTL_PSK",
    "IOTCTL_OSCORE_SECRET",
    "IOTCTL_OSCORE_SALT",
];

impl Environment {
    /// That of this process; the prompt is the terminal's.
    pub fn of_process() -> Self {
        let ours = |name: &String| {
            let places = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", KEY_LOG];
            name.starts_with("IOTCTL_") || places.contains(&name.as_str())
        };
        let named =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self {
            variables: named.filter(|(name, _)| ours(name)).collect(),
            prompt: on_terminal,
        }
    }

    /// That of a command which takes the place of another program: only what programs have in common counts.
    pub fn of_another() -> Self {
        Self::of(std::env::var_os(KEY_LOG).map(|file| (KEY_LOG, file))).with_prompt(on_terminal)
    }

    /// Exactly these variables, and no terminal.
    pub fn of<N: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            prompt: |_| Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The same with another way to ask.
    #[must_use]
    pub fn with_prompt(mut self, prompt: Prompt) -> Self {
        self.prompt = prompt;
        self
    }

    /// The answer; `None` without a terminal.
    pub(super) fn ask_for(&self, question: &str) -> Option<Secret> {
        (self.prompt)(question).ok().map(Secret::from)
    }

    pub(super) fn ask(&self, question: &str) -> Result<Secret> {
        self.ask_for(question).ok_or_else(|| {
            Error::usage("cannot ask for the password: no terminal")
                .hint("use --password-file FILE or IOTCTL_PASSWORD")
        })
    }

    /// What the `IOTCTL_*` variables say about a connection; an empty variable says nothing.
    pub(super) fn words(&self) -> Result<ConnectArgs> {
        Ok(ConnectArgs {
            url: self.text("IOTCTL_URL")?,
            host: self.text("IOTCTL_HOST")?,
            port: self.port()?,
            unix: self.path("IOTCTL_UNIX"),
            username: self.text("IOTCTL_USERNAME")?,
            password: self.text("IOTCTL_PASSWORD")?.map(Secret::from),
            password_file: self.path("IOTCTL_PASSWORD_FILE"),
            password_command: self.text("IOTCTL_PASSWORD_COMMAND")?,
            cafile: self.path("IOTCTL_CAFILE"),
            capath: self.path("IOTCTL_CAPATH"),
            cert: self.path("IOTCTL_CERT"),
            key: self.path("IOTCTL_KEY"),
            key_password: self.text("IOTCTL_KEY_PASSWORD")?.map(Secret::from),
            key_password_file: self.path("IOTCTL_KEY_PASSWORD_FILE"),
            insecure: self.read("IOTCTL_INSECURE", yes_or_no)?,
            insecure_name: self
                .read("IOTCTL_INSECURE_NAME", yes_or_no)?
                .unwrap_or_default(),
            tls_server_name: self.text("IOTCTL_TLS_SERVER_NAME")?,
            tls_alpn: self.read("IOTCTL_TLS_ALPN", list)?.unwrap_or_default(),
            tls_pins: self.read("IOTCTL_TLS_PIN", pins)?.unwrap_or_default(),
            tls_version: self.read("IOTCTL_TLS_VERSION", FromStr::from_str)?,
            psk_identity: self.text("IOTCTL_PSK_IDENTITY")?,
            psk: self.text("IOTCTL_PSK")?.map(Secret::from),
            psk_file: self.path("IOTCTL_PSK_FILE"),
            rpk_key: self.path("IOTCTL_RPK_KEY"),
            rpk_peer: self.path("IOTCTL_RPK_PEER"),
            oscore: self.oscore()?,
            connect_timeout: self.read("IOTCTL_CONNECT_TIMEOUT", args::duration)?,
            retry: self.read("IOTCTL_RETRY", FromStr::from_str)?,
            srv: self.read("IOTCTL_SRV", yes_or_no)?.unwrap_or_default(),
            family: self.family()?,
            bind: self.read("IOTCTL_BIND", FromStr::from_str)?,
            proxy: self.read("IOTCTL_PROXY", FromStr::from_str)?,
            tls_keylog: self.path("IOTCTL_TLS_KEYLOG"),
            context: self.text("IOTCTL_CONTEXT")?,
            ..ConnectArgs::default()
        })
    }

    fn family(&self) -> Result<Option<Family>> {
        let [v4, v6] = [
            self.read("IOTCTL_IPV4", yes_or_no)? == Some(true),
            self.read("IOTCTL_IPV6", yes_or_no)? == Some(true),
        ];
        args::family(v4, v6)
            .map_err(|()| Error::usage("IOTCTL_IPV4 and IOTCTL_IPV6 cannot be used together"))
    }

    /// Whether `IOTCTL_CONFIG` names the configuration file.
    pub(super) fn names_config_file(&self) -> bool {
        self.path("IOTCTL_CONFIG").is_some()
    }

    /// `IOTCTL_CONFIG`, or `iotctl/config.toml` in `XDG_CONFIG_HOME` or `~/.config`.
    pub(super) fn config_file(&self) -> Option<PathBuf> {
        self.path("IOTCTL_CONFIG").or_else(|| {
            let folder = self
                .path("XDG_CONFIG_HOME")
                .filter(|folder| folder.is_absolute());
            let folder = folder.or_else(|| Some(self.home()?.join(".config")))?;
            Some(folder.join("iotctl").join("config.toml"))
        })
    }

    /// `iotctl` in `XDG_STATE_HOME` or `~/.local/state`.
    pub(crate) fn state_folder(&self) -> Option<PathBuf> {
        let folder = self.path("XDG_STATE_HOME");
        let folder = folder.filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(self.home()?.join(".local/state")))?;
        Some(folder.join("iotctl"))
    }

    pub(super) fn oscore(&self) -> Result<OscoreArgs> {
        Ok(OscoreArgs {
            secret: self.text("IOTCTL_OSCORE_SECRET")?.map(Secret::from),
            secret_file: self.path("IOTCTL_OSCORE_SECRET_FILE"),
            salt: self.text("IOTCTL_OSCORE_SALT")?.map(Secret::from),
            sender_id: self.text("IOTCTL_OSCORE_SENDER_ID")?,
            recipient_id: self.text("IOTCTL_OSCORE_RECIPIENT_ID")?,
            id_context: self.text("IOTCTL_OSCORE_ID_CONTEXT")?,
            state: self.path("IOTCTL_OSCORE_STATE"),
        })
    }

    /// `SSLKEYLOGFILE`.
    pub(super) fn key_log(&self) -> Option<PathBuf> {
        self.path(KEY_LOG)
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.path("HOME")
    }

    /// Kubernetes sets `IOTCTL_PORT=tcp://10.0.0.1:1883` beside a Service that is called iotctl: that is not ours.
    fn port(&self) -> Result<Option<u16>> {
        let service = |text: &str| {
            ["tcp://", "udp://", "sctp://"]
                .iter()
                .any(|scheme| text.starts_with(scheme))
        };
        match self.text("IOTCTL_PORT")? {
            Some(text) if service(&text) => Ok(None),
            _ => self.read("IOTCTL_PORT", super::url::read_port),
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables
            .get(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        let value = self.variables.get(name).filter(|value| !value.is_empty());
        value
            .map(|value| {
                value
                    .to_str()
                    .map(str::to_owned)
                    .ok_or_else(|| Error::usage(format!("{name} is not UTF-8")))
            })
            .transpose()
    }

    fn read<T>(&self, name: &str, reader: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>> {
        let text = self.text(name)?;
        text.map(|text| reader(&text).map_err(|why| Error::usage(format!("{name}: {why}"))))
            .transpose()
    }
}

impl fmt::Debug for Environment {
    /// The names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

fn on_terminal(question: &str) -> io::Result<String> {
    rpassword::prompt_password(question)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn pins(text: &str) -> Result<Vec<Pin>, String> {
    list(text)?.iter().map(|pin| pin.parse()).collect()
}

fn list(text: &str) -> Result<Vec<String>, String> {
    Ok(text
        .split(',')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_words() {
        let environment = Environment::of([
            ("IOTCTL_HOST", "h"),
            ("IOTCTL_PORT", "1884"),
            ("IOTCTL_INSECURE", "yes"),
            ("IOTCTL_INSECURE_NAME", "1"),
            ("IOTCTL_TLS_ALPN", "mqtt, x"),
            ("IOTCTL_CONNECT_TIMEOUT", "250ms"),
            ("IOTCTL_USERNAME", ""),
        ]);
        let words = environment.words().unwrap();
        assert_eq!(
            (words.host.as_deref(), words.port, words.insecure),
            (Some("h"), Some(1884), Some(true))
        );
        assert!(words.insecure_name);
        assert_eq!(words.tls_alpn, ["mqtt", "x"]);
        assert_eq!(
            words.connect_timeout,
            Some(std::time::Duration::from_millis(250))
        );
        assert_eq!(words.username, None, "an empty variable says nothing");
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_is_no_port() {
        for value in ["tcp://10.0.0.1:1883", "udp://[fd00::1]:5683"] {
            let words = Environment::of([("IOTCTL_PORT", value)]).words().unwrap();
            assert_eq!(words.port, None);
        }
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        for (name, value) in [
            ("IOTCTL_PORT", "70000"),
            ("IOTCTL_INSECURE", "perhaps"),
            ("IOTCTL_INSECURE_NAME", "perhaps"),
            ("IOTCTL_TLS_VERSION", "1.1"),
            ("IOTCTL_CONNECT_TIMEOUT", "soon"),
            ("IOTCTL_RETRY", "soon"),
            ("IOTCTL_BIND", "no-such0"),
            ("IOTCTL_TLS_PIN", "sha1/x"),
        ] {
            let refused = Environment::of([(name, value)]).words().unwrap_err();
            assert!(
                refused.text().starts_with(&format!("{name}: {value:?} ")),
                "{refused}"
            );
            assert_eq!(refused.exit_code(), 2);
        }
    }

    #[test]
    fn the_config_file_is_where_the_desktop_says() {
        let file =
            |variables: &[(&str, &str)]| Environment::of(variables.iter().copied()).config_file();
        assert_eq!(file(&[]), None);
        assert_eq!(
            file(&[("HOME", "/h")]),
            Some(PathBuf::from("/h/.config/iotctl/config.toml"))
        );
        assert_eq!(
            file(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]),
            Some(PathBuf::from("/x/iotctl/config.toml"))
        );
        assert_eq!(
            file(&[("HOME", "/h"), ("IOTCTL_CONFIG", "/c.toml")]),
            Some(PathBuf::from("/c.toml"))
        );
    }

    #[test]
    fn debug_shows_names_only() {
        let environment = Environment::of([("IOTCTL_PASSWORD", "hunter2")]);
        assert_eq!(format!("{environment:?}"), "{\"IOTCTL_PASSWORD\"}");
    }
}
