//! Who may connect. The file is text: passwords may be in plain sight, because these are brokers for development and tests.

use std::collections::HashMap;
use std::fmt;

use super::password::Password;
use crate::error::{Error, Result};

/// The users and their passwords.
#[derive(Clone, Default)]
pub struct Users(HashMap<String, Password>);

impl Users {
    /// Reads lines of `USER:PASSWORD`; empty lines and those that begin with `#` are passed over. The password
    /// is in plain text or as `mosquitto_passwd` hashes it.
    ///
    /// # Errors
    /// A usage error that names the line and never shows the password.
    pub fn parse(text: &str) -> Result<Self> {
        let mut users = HashMap::new();
        for (number, line) in significant(text) {
            let Some((user, password)) = line.split_once(':').filter(|(user, _)| !user.is_empty())
            else {
                return Err(Error::usage(format!(
                    "line {number}: expected USER:PASSWORD"
                )));
            };
            let password = Password::parse(password).ok_or_else(|| {
                Error::usage(format!(
                    "line {number}: the hash of {user}'s password cannot be read"
                ))
            })?;
            if users.insert(user.to_owned(), password).is_some() {
                return Err(Error::usage(format!(
                    "line {number}: user {user} appears twice"
                )));
            }
        }
        Ok(Self(users))
    }

    /// Whether this is a user with this password.
    pub fn accepts(&self, user: &str, password: Option<&[u8]>) -> bool {
        let known = self.0.get(user);
        known.is_some_and(|known| known.is(password.unwrap_or_default()))
    }
}

/// Names only: a password must not reach a log.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The lines that say something, with their numbers from 1.
pub fn significant(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_names_users_and_wrong_lines() {
        let users = Users::parse("# test\n\nann:secret:with colon\nbob:\n").unwrap();
        assert!(users.accepts("ann", Some(b"secret:with colon")));
        assert!(!users.accepts("ann", Some(b"wrong")));
        assert!(!users.accepts("ann", None));
        assert!(users.accepts("bob", None));
        assert!(!users.accepts("eve", None));
        let texts =
            ["x", ":x", "a:1\n\na:2"].map(|text| Users::parse(text).unwrap_err().text().to_owned());
        assert_eq!(texts[0], "line 1: expected USER:PASSWORD");
        assert_eq!(texts[1], "line 1: expected USER:PASSWORD");
        assert_eq!(texts[2], "line 3: user a appears twice");
        assert!(!format!("{users:?}").contains("secret"));
    }
}
