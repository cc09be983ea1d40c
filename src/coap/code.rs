//! Codes: methods, responses and signals (RFC 7252 §12.1, RFC 8132, RFC 8323 §5, RFC 8516, RFC 8768).

use std::fmt;

/// The code of a message: three bits of class, five bits of detail; `2.05` is class 2, detail 5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u8);

macro_rules! codes {
    ($($constant:ident $class:literal $detail:literal $name:literal),* $(,)?) => {
        impl Code {
            $(#[doc = $name] pub const $constant: Self = Self::new($class, $detail);)*

            /// The registered name: `Content`, `GET`; `None` for a code that is not registered.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    EMPTY 0 0 "Empty",
    GET 0 1 "GET",
    POST 0 2 "POST",
    PUT 0 3 "PUT",
    DELETE 0 4 "DELETE",
    FETCH 0 5 "FETCH",
    PATCH 0 6 "PATCH",
    IPATCH 0 7 "iPATCH",
    CREATED 2 1 "Created",
    DELETED 2 2 "Deleted",
    VALID 2 3 "Valid",
    CHANGED 2 4 "Changed",
    CONTENT 2 5 "Content",
    CONTINUE 2 31 "Continue",
    BAD_REQUEST 4 0 "Bad Request",
    UNAUTHORIZED 4 1 "Unauthorized",
    BAD_OPTION 4 2 "Bad Option",
    FORBIDDEN 4 3 "Forbidden",
    NOT_FOUND 4 4 "Not Found",
    METHOD_NOT_ALLOWED 4 5 "Method Not Allowed",
    NOT_ACCEPTABLE 4 6 "Not Acceptable",
    REQUEST_ENTITY_INCOMPLETE 4 8 "Request Entity Incomplete",
    CONFLICT 4 9 "Conflict",
    PRECONDITION_FAILED 4 12 "Precondition Failed",
    REQUEST_ENTITY_TOO_LARGE 4 13 "Request Entity Too Large",
    UNSUPPORTED_CONTENT_FORMAT 4 15 "Unsupported Content-Format",
    UNPROCESSABLE_ENTITY 4 22 "Unprocessable Entity",
    TOO_MANY_REQUESTS 4 29 "Too Many Requests",
    INTERNAL_SERVER_ERROR 5 0 "Internal Server Error",
    NOT_IMPLEMENTED 5 1 "Not Implemented",
    BAD_GATEWAY 5 2 "Bad Gateway",
    SERVICE_UNAVAILABLE 5 3 "Service Unavailable",
    GATEWAY_TIMEOUT 5 4 "Gateway Timeout",
    PROXYING_NOT_SUPPORTED 5 5 "Proxying Not Supported",
    HOP_LIMIT_REACHED 5 8 "Hop Limit Reached",
    CSM 7 1 "CSM",
    PING 7 2 "Ping",
    PONG 7 3 "Pong",
    RELEASE 7 4 "Release",
    ABORT 7 5 "Abort",
}

impl Code {
    /// The seven methods.
    pub const METHODS: [Self; 7] = [
        Self::GET,
        Self::POST,
        Self::PUT,
        Self::DELETE,
        Self::FETCH,
        Self::PATCH,
        Self::IPATCH,
    ];

    /// From class (0 to 7) and detail (0 to 31); higher bits are cut off.
    pub const fn new(class: u8, detail: u8) -> Self {
        Self((class & 7) << 5 | detail & 31)
    }

    /// A method by its name in any case.
    pub fn method(name: &str) -> Option<Self> {
        let named = |code: &Self| code.name().is_some_and(|it| it.eq_ignore_ascii_case(name));
        Self::METHODS.into_iter().find(named)
    }

    /// 0 for requests, 2 success, 4 client error, 5 server error, 7 signals.
    pub const fn class(self) -> u8 {
        self.0 >> 5
    }

    /// The two digits behind the point.
    pub const fn detail(self) -> u8 {
        self.0 & 31
    }

    /// Whether this is a method, registered or not (0.01 to 0.31).
    pub const fn is_request(self) -> bool {
        self.class() == 0 && self.detail() != 0
    }

    /// Whether this is a response (classes 2, 4 and 5).
    pub const fn is_response(self) -> bool {
        matches!(self.class(), 2 | 4 | 5)
    }

    /// Whether this is a response of class 2.
    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    /// Whether this is a signal of RFC 8323 §5.
    pub const fn is_signal(self) -> bool {
        self.class() == 7
    }
}

impl fmt::Display for Code {
    /// `2.05`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.class(), self.detail())
    }
}

impl fmt::Debug for Code {
    /// `2.05 Content`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{self} {name}"),
            None => write!(f, "{self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_as_the_rfc_writes_them() {
        assert_eq!(Code::CONTENT.to_string(), "2.05");
        assert_eq!(format!("{:?}", Code::NOT_FOUND), "4.04 Not Found");
        assert_eq!(format!("{:?}", Code::new(3, 7)), "3.07");
    }

    #[test]
    fn methods_are_found_by_name_only() {
        assert_eq!(Code::method("ipatch"), Some(Code::IPATCH));
        assert_eq!(Code::method("frob"), None);
        assert_eq!(Code::method("Content"), None);
    }

    #[test]
    fn classes_are_told_apart() {
        assert!(Code::FETCH.is_request() && !Code::EMPTY.is_request());
        assert!(Code::CONFLICT.is_response() && !Code::new(1, 3).is_response());
        assert!(Code::ABORT.is_signal());
    }
}
