//! From an open transport to open channels (AMQP 0-9-1 §2.2.4): each answer with the next question.

use super::super::super::clock::Nanos;
use super::super::super::driver::{Broken, Io};
use super::super::methods::{self, Name};
use super::super::scan::Fields;
use super::super::settings::{Group, Role};
use super::{AmqpSession, Channel, PATIENCE};
use crate::amqp::client::SMALLEST_FRAME;
use crate::error::Kind;

impl AmqpSession {
    pub(super) fn greeted(
        &mut self,
        channel: u16,
        name: Name,
        fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        let options = &self.group.settings.options;
        match name {
            methods::START => {
                check_login(&self.group, fields)?;
                let login = self.group.settings.login(self.index);
                let (mechanism, response) = (login.mechanism, login.response());
                methods::start_ok(mechanism.name(), &response, &options.name, io.out);
            }
            methods::TUNE => self.tune(fields, io)?,
            methods::OPEN_OK => self.open_channels(io),
            _ => return self.channel_greeted(channel, name, io),
        }
        Ok(())
    }

    fn open_channels(&mut self, io: &mut Io<'_>) {
        self.opening = self.channels.len();
        for number in 1..=self.opening as u16 {
            methods::open_channel(number, io.out);
        }
        if self.opening == 0 {
            self.ready(io);
        }
    }

    fn channel_greeted(&mut self, number: u16, name: Name, io: &mut Io<'_>) -> Result<(), Broken> {
        let settings = &self.group.settings;
        let place = usize::from(number).wrapping_sub(1);
        let Some(channel) = self.channels.get_mut(place) else {
            return Err(unexpected(name));
        };
        let waits = match (name, channel) {
            (methods::CHANNEL_OPEN_OK, Channel::Publish(publisher)) => {
                publisher.opened(io.now);
                if self.group.requests() {
                    methods::consume(number, methods::DIRECT_REPLY_TO, "", true, &[], io.out);
                } else if settings.confirms {
                    methods::plain(number, methods::CONFIRM, &[0], io.out);
                }
                self.group.is_answered()
            }
            (methods::CHANNEL_OPEN_OK, Channel::Consume(_)) => {
                methods::qos(number, settings.consuming.prefetch, io.out);
                true
            }
            (methods::QOS_OK, Channel::Consume(consumer)) => consumer.begin(&self.group, io),
            (methods::CONSUME_OK, Channel::Consume(consumer)) => {
                consumer.begun(io);
                false
            }
            (methods::CONFIRM_OK | methods::CONSUME_OK, Channel::Publish(_))
            | (methods::CHANNEL_OPEN_OK, Channel::Open) => false,
            _ => return Err(unexpected(name)),
        };
        if !waits {
            self.opening = self.opening.saturating_sub(1);
            if self.opening == 0 {
                self.ready(io);
            }
        }
        Ok(())
    }

    fn ready(&mut self, io: &mut Io<'_>) {
        self.open = true;
        let now = io.now;
        self.connections
            .clear(|flight| io.records.acknowledged(flight, now));
        io.ready();
    }

    /// Takes the smaller of what both sides want; 0 is no limit.
    fn tune(&mut self, mut fields: Fields<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        let options = &self.group.settings.options;
        let (channels, theirs, beat) = (fields.short()?, fields.long()?, fields.short()?);
        let smaller = |ours: u32, theirs: u32| match (ours, theirs) {
            (0, other) | (other, 0) => other,
            (ours, theirs) => ours.min(theirs),
        };
        let frame_max = smaller(options.frame_max(), theirs);
        if frame_max < SMALLEST_FRAME {
            let cause = format!(
                "the server allows frames of at most {theirs} bytes; AMQP 0-9-1 requires {SMALLEST_FRAME}"
            );
            return Err(Broken::new(cause));
        }
        let seconds = smaller(options.heartbeat.into(), beat.into()) as u16;
        if frame_max != options.frame_max() {
            for channel in &mut self.channels {
                if let Channel::Publish(publisher) = channel {
                    publisher.agree(&self.group, frame_max);
                }
            }
        }
        self.largest = frame_max as usize;
        self.heartbeat = Nanos::from(seconds) * PATIENCE / 2;
        methods::tune_ok(channels, frame_max, seconds, io.out);
        methods::open(&options.vhost, io.out);
        // From here on the connection can be closed in good order (§2.2.4).
        self.closable = true;
        check_channels(&self.group, channels)
    }
}

/// Whether the server knows the login that is wanted.
fn check_login(group: &Group, mut start: Fields<'_>) -> Result<(), Broken> {
    let wanted = group.settings.options.login.mechanism.name();
    // Versions and the server's properties.
    start.short()?;
    start.long_bytes()?;
    let offered = String::from_utf8_lossy(start.long_bytes()?);
    if offered.split_whitespace().any(|name| name == wanted) {
        return Ok(());
    }
    let offered = match offered.trim() {
        "" => "none",
        some => some,
    };
    let cause =
        format!("the server does not offer the SASL mechanism {wanted}; it offers {offered}");
    Err(Broken::of(Kind::Unauthorized, cause))
}

fn check_channels(group: &Group, most: u16) -> Result<(), Broken> {
    let settings = &group.settings;
    let needed = match group.role {
        Role::Connect => 0,
        // One that stays, and a window full of those that come and go.
        Role::Churn => settings.window as u64 + 1,
        _ => settings.channels.into(),
    };
    if most == 0 || needed <= most.into() {
        return Ok(());
    }
    let cause =
        format!("the server allows {most} channels per connection, but {needed} are needed");
    Err(Broken::of(Kind::Refused, cause))
}

#[cold]
pub(super) fn unexpected((class, method): Name) -> Broken {
    Broken::new(format!(
        "protocol error: unexpected method {class}.{method}"
    ))
}
