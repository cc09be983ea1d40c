//! Who may see what is served.

use super::request::Request;

/// Who may.
pub(crate) enum Access {
    /// Anyone who can connect.
    Anyone,
    /// Anyone who can connect and calls this machine by a name of its own: the page of a stranger in a browser on this machine,
    /// whose name leads to this address, is not one of them (DNS rebinding).
    Loopback,
    /// Anyone who knows this: in the field `authorization: Bearer TOKEN`, or as `?token=TOKEN`.
    Token(String),
}

impl Access {
    /// Whether a request is let through.
    ///
    /// # Errors
    /// The status and the text of the refusal.
    pub(super) fn allow(&self, request: &Request<'_>) -> Result<(), (&'static str, &'static str)> {
        match self {
            Self::Anyone => Ok(()),
            Self::Loopback => match request.field("host") {
                Some(host) if is_own(host) => Ok(()),
                _ => Err(("403 Forbidden", "ask for localhost, 127.0.0.1 or [::1]\n")),
            },
            Self::Token(token) => {
                let field = request.field("authorization");
                let bearer = field.and_then(bearer);
                let given = bearer
                    .or_else(|| request.query("token"))
                    .unwrap_or_default();
                let status = "401 Unauthorized\r\nwww-authenticate: Bearer";
                match is_same(given.as_bytes(), token.as_bytes()) {
                    true => Ok(()),
                    false => Err((status, "a token is needed: /?token=TOKEN\n")),
                }
            }
        }
    }
}

/// The token of a field: its scheme is in letters of any case, before one space or more (RFC 9110 §11.1, §11.4).
fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then_some(token.trim_start_matches(' '))
}

/// Whether a host, perhaps with a port, is a name of this machine for itself.
fn is_own(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        || name.starts_with("127.") && name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether both are the same, found out in a time that tells nothing of where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differences = one
        .iter()
        .zip(other)
        .fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for host in [
            "localhost:8080",
            "LOCALHOST",
            "127.0.0.1:1",
            "127.1.2.3",
            "[::1]:80",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "",
            "10.0.0.1:80",
            "::2",
        ] {
            assert!(!is_own(host), "{host}");
        }
    }

    #[test]
    fn the_scheme_of_a_token_is_in_letters_of_any_case() {
        for field in ["Bearer t", "bearer t", "BEARER   t"] {
            assert_eq!(bearer(field), Some("t"), "{field}");
        }
        for field in ["Bearer", "Basic t", "Bearert", "t"] {
            assert_eq!(bearer(field), None, "{field}");
        }
    }

    #[test]
    fn a_token_is_compared_in_full() {
        assert!(is_same(b"abc", b"abc"));
        assert!(!is_same(b"abc", b"abd") && !is_same(b"ab", b"abc") && !is_same(b"", b"a"));
    }
}
