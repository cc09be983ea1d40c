//! Who may connect. The file is text: passwords may be in plain sight, because these are brokers for development and tests.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::login::Login;
use super::password::{self, Effort, Password};
use crate::error::{Error, Result};
use crate::file::Flaw;

/// The users and their passwords.
#[derive(Clone, Default)]
pub struct Users {
    known: HashMap<String, Arc<Password>>,
    /// The most work that a password takes.
    effort: Effort,
}

/// What is known of a login at once.
#[derive(Debug)]
pub enum Check {
    /// Whether the password is right.
    Done(bool),
    /// That takes work, which is not for the thread that serves everybody.
    Work(Login),
    /// It would take work, and too much waits for that already.
    Busy,
}

impl Users {
    /// Reads lines of `USER:PASSWORD`; empty lines and those that begin with `#` are passed over. The password
    /// is in plain text or as `mosquitto_passwd` hashes it.
    ///
    /// # Errors
    /// What is wrong, with its line; the password is never shown.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let mut users = Self::default();
        for (number, line) in significant(text) {
            let added = users.add(line);
            added.map_err(|what| Flaw::in_line(number, what))?;
        }
        Ok(users)
    }

    /// The users of flags, each as in a line of a file.
    ///
    /// # Errors
    /// A usage error that never shows the password.
    pub fn of_words(words: &[String]) -> Result<Self> {
        let mut users = Self::default();
        for word in words {
            users.add(word).map_err(Error::usage)?;
        }
        Ok(users)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let parts = line.split_once(':').filter(|(user, _)| !user.is_empty());
        let (user, password) = parts.ok_or("expected USER:PASSWORD")?;
        let password = Password::parse(password)
            .map_err(|what| format!("the password of {user} {what}{SUPPORTED}"))?;
        self.effort = self.effort.max(password.effort());
        let before = self.known.insert(user.to_owned(), password.into());
        before.map_or(Ok(()), |_| Err(format!("user {user} appears twice")))
    }

    /// The password of a user that stands in plain text in the file.
    pub(crate) fn plain(&self, user: &str) -> Option<&[u8]> {
        self.known.get(user)?.plain()
    }

    /// Checks a login; who shows no password, or an empty one, is nobody. `held` is what waits with it, in bytes.
    pub fn check(&self, user: &str, shown: Option<&[u8]>, held: usize) -> Check {
        let Some(shown) = shown.filter(|shown| !shown.is_empty()) else {
            return Check::Done(false);
        };
        let known = self.known.get(user);
        if self.effort.is_none() {
            let known = known.map(|known| &**known);
            return Check::Done(password::is(known, shown, self.effort));
        }
        let login = Login::new(known.cloned(), shown, self.effort, held);
        login.map_or(Check::Busy, Check::Work)
    }
}

/// Names only: a password must not reach a log.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

/// What a password may be instead.
const SUPPORTED: &str = " (write it in plain text, or as mosquitto_passwd hashes it)";

/// The lines that say something, with their numbers from 1.
pub(crate) fn significant(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(users: &Users, user: &str, shown: Option<&[u8]>) -> bool {
        match users.check(user, shown, 0) {
            Check::Done(accepted) => accepted,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_password_file_names_users_and_wrong_lines() {
        let users = Users::parse("# test\n\nann:secret:with colon\n").unwrap();
        assert!(accepts(&users, "ann", Some(b"secret:with colon")));
        assert!(!accepts(&users, "ann", Some(b"wrong")));
        assert!(!accepts(&users, "ann", None));
        assert!(!accepts(&users, "eve", Some(b"x")));
        assert!(!format!("{users:?}").contains("secret"));
        let table = [
            ("x", "f:1: expected USER:PASSWORD"),
            (":x", "f:1: expected USER:PASSWORD"),
            ("a:1\n\na:2", "f:3: user a appears twice"),
            (
                "a:1\nbob:",
                "f:2: the password of bob is empty (write it in plain text, or as mosquitto_passwd hashes it)",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(Users::parse(text).unwrap_err().told_of("f"), expected);
        }
    }

    #[test]
    fn a_hash_of_nothing_lets_nobody_in() {
        // SHA-512 of nothing and the salt "salt".
        let hash = "$6$c2FsdA==$Lj/Od8+MTHR4qW0gfBw5cViSyshKGMvsm2NPS8IrOQtIzTCk3y5+u67mXDRqZixb4tEkQTIvekusgho4LErwkQ==";
        let users = Users::parse(&format!("bob:{hash}")).unwrap();
        assert!(!accepts(&users, "bob", None));
        assert!(!accepts(&users, "bob", Some(b"")));
    }

    #[test]
    fn work_is_the_same_for_users_and_strangers() {
        let users = Users::parse(&format!("ann:{PBKDF2}\nbob:plain")).unwrap();
        let logins = [
            ("ann", "password"),
            ("bob", "plain"),
            ("ann", "x"),
            ("eve", "x"),
        ];
        let outcomes =
            logins.map(
                |(user, shown)| match users.check(user, Some(shown.as_bytes()), 0) {
                    Check::Work(login) => login.verify(),
                    other => panic!("{other:?}"),
                },
            );
        assert_eq!(outcomes, [true, true, false, false]);
    }

    const PBKDF2: &str = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
}
