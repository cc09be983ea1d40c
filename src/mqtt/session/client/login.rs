//! Enhanced authentication (MQTT 5.0 §4.12) by SCRAM: neither the password nor its hash crosses the network, and the
//! server shows that it knows the password, too.

use bytes::Bytes;

use super::Session;
use crate::connect::Secret;
use crate::connect::scram::{Client, Mechanism};
use crate::error::brief;
use crate::mqtt::packet::{self, Auth, Packet, Properties, Property, ReasonCode, Version};
use crate::mqtt::session::fault::Fault;

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub struct Login {
    mechanism: Mechanism,
    user: String,
    password: Secret,
    /// The login over the present connection.
    client: Option<Client>,
}

impl Login {
    /// A login of `user`.
    pub(crate) fn new(mechanism: Mechanism, user: String, password: Secret) -> Self {
        Self {
            mechanism,
            user,
            password,
            client: None,
        }
    }

    /// Logs in with another password from the next connection on.
    pub(crate) fn change_password(&mut self, password: Secret) {
        self.password = password;
    }

    /// The properties of CONNECT that begin it.
    pub(super) fn begin(&mut self) -> [Property; 2] {
        let client = Client::new(self.mechanism, &self.user, self.password.clone());
        let first = client.first();
        self.client = Some(client);
        self.properties(first)
    }

    fn properties(&self, data: String) -> [Property; 2] {
        [
            Property::AuthenticationMethod(self.mechanism.name().into()),
            Property::AuthenticationData(data.into()),
        ]
    }

    /// The answer to an AUTH of the server.
    fn answer(&mut self, auth: &Auth) -> Result<Auth, String> {
        let data = auth.properties.authentication_data();
        let challenge = data.as_deref().and_then(|data| str::from_utf8(data).ok());
        let (Some(client), Some(challenge)) = (&mut self.client, challenge) else {
            return Err(String::from("it has no challenge"));
        };
        let last = client.last(challenge)?;
        Ok(Auth {
            reason: ReasonCode::CONTINUE_AUTHENTICATION,
            properties: self.properties(last).into_iter().collect(),
        })
    }

    /// Checks that the server knows the password.
    fn check(&self, outcome: Option<&Bytes>) -> Result<(), &'static str> {
        let outcome = outcome.and_then(|data| str::from_utf8(data).ok());
        match &self.client {
            Some(client) => client.check(outcome.unwrap_or("")),
            None => Ok(()),
        }
    }
}

impl Session {
    /// AUTH before CONNACK.
    pub(super) fn on_auth(&mut self, auth: &Auth) -> Result<(), Fault> {
        self.check_method(&auth.properties, "AUTH")?;
        let Some(login) = &mut self.login else {
            let text = match self.connect.properties.authentication_method() {
                Some(method) => format!(
                    "the server asks for a second step of {} (AUTH), and there is data for the first only",
                    brief(&method)
                ),
                None => String::from(
                    "the server requests enhanced authentication (AUTH), which was not offered",
                ),
            };
            let reason = ReasonCode::BAD_AUTHENTICATION_METHOD;
            return Err(Fault::protocol(reason, text));
        };
        let answer = login.answer(auth).map_err(|why| {
            let text = format!("the server's {} challenge: {why}", login.mechanism.name());
            Fault::protocol(ReasonCode::NOT_AUTHORIZED, text)
        })?;
        let version = self.connect.version;
        // It is no longer than what came in.
        let encoded = packet::encode(&Packet::Auth(answer), version, &mut self.output);
        encoded.map_err(Fault::Unencodable)
    }

    /// Whether a packet names the method that CONNECT did (MQTT 5.0 §4.12, [MQTT-4.12.0-5]).
    fn check_method(&self, properties: &Properties, packet: &str) -> Result<(), Fault> {
        let own = || self.connect.properties.authentication_method();
        let by_login = (self.login.as_ref()).map(|login| login.mechanism.name().into());
        let Some(asked) = by_login.or_else(own) else {
            return Ok(());
        };
        let found = properties.authentication_method();
        if found.as_ref() == Some(&asked) || self.connect.version != Version::V5 {
            return Ok(());
        }
        let found = match &found {
            Some(other) => format!("the authentication method {}", brief(other)),
            None => String::from("no authentication method"),
        };
        let text = format!("{packet} with {found}, and not {}", brief(&asked));
        Err(Fault::protocol(ReasonCode::PROTOCOL_ERROR, text))
    }

    /// CONNACK, which must show that the server knows the password.
    pub(super) fn check_login(&self, properties: &Properties) -> Result<(), Fault> {
        self.check_method(properties, "CONNACK")?;
        let Some(login) = &self.login else {
            return Ok(());
        };
        let outcome = properties.authentication_data();
        login.check(outcome.as_ref()).map_err(|why| {
            let name = login.mechanism.name();
            let text = format!("the server did not complete {name}: {why}");
            Fault::protocol(ReasonCode::NOT_AUTHORIZED, text)
        })
    }
}
